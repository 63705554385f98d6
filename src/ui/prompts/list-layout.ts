/** How a list shares the rows of a screen with its question and the keys below it. */

/** Rows of choices at most, and as many as are wanted and needed at least: a row may be broken. */
const MAX_PAGE = 20;
const GOOD_PAGE = 3;
const MIN_PAGE = 2;
/** Stays free below the list; and the blank row above the keys. */
const FREE_ROW = 1;
const BLANK_ROW = 1;

/** Each text is broken into rows already. */
export type ListRows = {
  readonly news: string;
  readonly question: string;
  /** Why an Enter chose nothing; empty: none was refused. */
  readonly refusal: string;
  readonly keys: string;
};

export type ListLayout = {
  readonly news: string;
  readonly question: string;
  readonly tip: string;
  readonly pageSize: number;
};

function rowsOf(text: string): number {
  return text === "" ? 0 : text.split("\n").length;
}

/**
 * What stands above and below the choices, and how many rows of these are shown. On a low screen the news go first, then the
 * keys; then a refusal stands in the place of the question; then the question loses its first rows: the marked choice stays.
 * @param rows of the screen
 */
export function listLayout(rows: number, { news, question, refusal, keys }: ListRows): ListLayout {
  const pageWith = (head: string, tip: string, above = "") =>
    rows - FREE_ROW - rowsOf(above) - rowsOf(head) - (tip === "" ? 0 : BLANK_ROW + rowsOf(tip));
  const tip = [refusal, keys].filter((each) => each !== "").join("\n");
  for (const [above, below] of [
    [news, tip],
    ["", tip],
    ["", refusal],
  ] as const) {
    const page = pageWith(question, below, above);
    if (page >= GOOD_PAGE) return { news: above, question, tip: below, pageSize: Math.min(page, MAX_PAGE) };
  }
  const most = Math.max(1, rows - FREE_ROW - MIN_PAGE);
  const head = (refusal === "" ? question : refusal).split("\n").slice(-most).join("\n").trimStart();
  return { news: "", question: head, tip: "", pageSize: Math.max(MIN_PAGE, pageWith(head, "")) };
}
