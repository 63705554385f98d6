/** What somebody may have meant by a mistyped word. */

/** UTF-16 units of a word that is compared. */
const MAX_LENGTH = 40;

/**
 * The known word that a typed one may stand for: it differs by letters that are wrong, missing, too many or swapped with
 * the next one, in a word of six letters or more by up to two of them, otherwise by one. Upper and lower case are alike.
 */
export function nearestWord(typed: string, known: readonly string[]): string | undefined {
  if (typed.length > MAX_LENGTH) return undefined;
  const word = typed.toLowerCase();
  let least = word.length < 6 ? 1 : 2;
  let nearest: string | undefined;
  for (const candidate of known) {
    const found = distance(word, candidate);
    if (found > least || (found === least && nearest !== undefined)) continue;
    least = found;
    nearest = candidate;
  }
  return nearest;
}

/** The distance by optimal string alignment (Damerau and Levenshtein). */
function distance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[other.length] ?? 0;
}
