/**
 * Members in the order of their folds (UTF-16 units), in chunks: adding or removing one moves the members of its chunk
 * and not all that come after it.
 */

/** Members in one chunk at most. */
export const CHUNK = 512;

export type Member = {
  /** The folded name, which identifies the member. */
  readonly fold: string;
};

export class SortedMembers<M extends Member> {
  /** None is empty, unless it is the only one. */
  readonly #chunks: M[][] = [[]];

  /** Adds a member in the place of the one of that fold, if there is one. */
  set(member: M): void {
    const at = this.#chunkOf(member.fold);
    const chunk = this.#chunks[at] as M[];
    const index = indexIn(chunk, member.fold);
    const isKnown = chunk[index]?.fold === member.fold;
    chunk.splice(index, isKnown ? 1 : 0, member);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  delete(fold: string): void {
    const at = this.#chunkOf(fold);
    const chunk = this.#chunks[at] as M[];
    const index = indexIn(chunk, fold);
    if (chunk[index]?.fold !== fold) return;
    chunk.splice(index, 1);
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
  }

  /** The members whose fold is not before `fold`, in order. Nobody may be added or removed meanwhile. */
  *from(fold: string): Generator<M, void, void> {
    let at = this.#chunkOf(fold);
    let index = indexIn(this.#chunks[at] as M[], fold);
    for (; at < this.#chunks.length; at++, index = 0) {
      const chunk = this.#chunks[at] as M[];
      while (index < chunk.length) yield chunk[index++] as M;
    }
  }

  /** A copy of all, in order. */
  all(): M[] {
    return this.#chunks.flat();
  }

  /** The index of the last chunk that does not begin after `fold`; 0 if all do. */
  #chunkOf(fold: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle]?.[0] as M).fold <= fold) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The index of the first member whose fold is not before `fold`. */
function indexIn(chunk: readonly Member[], fold: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] as Member).fold < fold) low = middle + 1;
    else high = middle;
  }
  return low;
}
