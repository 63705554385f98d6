/**
 * Who is online, and who wants to know (PROTOCOL 4). A value that returns whom to tell; whoever holds it
 * sends the news.
 */

/** Names watched in all, each counted as often as it is watched; past it nobody's list may be long. */
export const MAX_WATCHED = 250_000;
/** Names of a list that is always watched. */
export const SHORT_LIST = 100;

export type Member = {
  /** The name by which the member is unique. */
  readonly fold: string;
};

export class Presence<M extends Member> {
  readonly #online = new Map<string, M>();
  /** The members by fold, ascending in UTF-16 units. */
  readonly #sorted: M[] = [];
  readonly #watchers = new Map<string, Set<M>>();
  readonly #watched = new Map<M, readonly string[]>();
  /** Names watched in all. */
  #watchedNames = 0;
  #version = 0;

  get size(): number {
    return this.#online.size;
  }

  /** Another number whenever anybody has come, gone or been replaced. */
  get version(): number {
    return this.#version;
  }

  find(fold: string): M | undefined {
    return this.#online.get(fold);
  }

  /** Whether this very member is online, and not another one of the same name. */
  has(member: M): boolean {
    return this.#online.get(member.fold) === member;
  }

  /** Comes online, in the place of whoever was online by that name; gives those to be told: nobody, if someone was. */
  enter(member: M): M[] {
    this.#version++;
    const index = this.#indexFrom(member.fold);
    const previous = this.#online.get(member.fold);
    this.#online.set(member.fold, member);
    this.#sorted.splice(index, previous === undefined ? 0 : 1, member);
    if (previous === undefined) return this.#watchersOf(member.fold);
    this.#unwatch(previous);
    return [];
  }

  /** Goes offline, and watches nobody any more; gives those to be told. Not for one who was replaced. */
  leave(member: M): M[] {
    if (!this.has(member)) return [];
    this.#version++;
    this.#online.delete(member.fold);
    this.#sorted.splice(this.#indexFrom(member.fold), 1);
    this.#unwatch(member);
    return this.#watchersOf(member.fold);
  }

  /**
   * From now on `watcher`, who is online, wants news of these names (folded) and of no others; gives those online
   * now. Undefined when so many are watched that a long list cannot be: then he watches what he watched before.
   */
  watch(watcher: M, folds: Iterable<string>): M[] | undefined {
    const wanted = [...new Set(folds)];
    const others = this.#watchedNames - (this.#watched.get(watcher)?.length ?? 0);
    if (wanted.length > SHORT_LIST && others + wanted.length > MAX_WATCHED) return undefined;
    this.#unwatch(watcher);
    this.#watchedNames += wanted.length;
    const online: M[] = [];
    for (const fold of wanted) {
      const watchers = this.#watchers.get(fold) ?? new Set();
      watchers.add(watcher);
      this.#watchers.set(fold, watchers);
      const member = this.#online.get(fold);
      if (member !== undefined) online.push(member);
    }
    this.#watched.set(watcher, wanted);
    return online;
  }

  /** The members whose fold begins with `prefix` and comes after `after`, in the order of their folds. */
  *page(prefix: string, after: string): Generator<M, void, void> {
    let index = this.#indexFrom(after > prefix ? after : prefix);
    for (;;) {
      const member = this.#sorted[index++];
      if (member === undefined || !member.fold.startsWith(prefix)) return;
      if (after === "" || member.fold > after) yield member;
    }
  }

  /** Everyone online; a copy, so that it may be walked while members leave. */
  all(): M[] {
    return [...this.#sorted];
  }

  #watchersOf(fold: string): M[] {
    return [...(this.#watchers.get(fold) ?? [])];
  }

  #unwatch(watcher: M): void {
    const watched = this.#watched.get(watcher) ?? [];
    this.#watchedNames -= watched.length;
    for (const fold of watched) {
      const watchers = this.#watchers.get(fold);
      watchers?.delete(watcher);
      if (watchers?.size === 0) this.#watchers.delete(fold);
    }
    this.#watched.delete(watcher);
  }

  /** The index of the first member whose fold is not before `fold`. */
  #indexFrom(fold: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as M).fold < fold) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
