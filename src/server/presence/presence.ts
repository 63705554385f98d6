/**
 * Who is online, and who watches whom (PROTOCOL 4). Each change returns the watchers to notify; the caller notifies
 * them.
 */
import { SortedMembers, type Member } from "./sorted-members.ts";

/** Entries of all watch lists together; beyond it long lists are refused. */
export const MAX_WATCH_ENTRIES = 250_000;
/** Entries of a list that is never refused. */
export const SHORT_LIST = 100;

/** `W`: those of the members who can watch. */
export class Presence<M extends Member, W extends M = M> {
  readonly #online = new Map<string, M>();
  readonly #sorted = new SortedMembers<M>();
  readonly #watchers = new Map<string, Set<W>>();
  readonly #watched = new Map<M, readonly string[]>();
  /** Entries of all watch lists together. */
  #watchedNames = 0;
  #version = 0;

  get size(): number {
    return this.#online.size;
  }

  /** Changes whenever a member comes, goes or is replaced. */
  get version(): number {
    return this.#version;
  }

  find(fold: string): M | undefined {
    return this.#online.get(fold);
  }

  /** Whether this object is online, and not another member of the same name. */
  has(member: M): boolean {
    return this.#online.get(member.fold) === member;
  }

  /** Adds a member, or replaces the one of that name. @returns the watchers to notify; none after a replacement */
  enter(member: M): W[] {
    this.#version++;
    const previous = this.#online.get(member.fold);
    this.#online.set(member.fold, member);
    this.#sorted.set(member);
    if (previous === undefined) return this.watchersOf(member.fold);
    this.#unwatch(previous);
    return [];
  }

  /** Removes a member and its watch list, unless it was replaced. @returns the watchers to notify */
  leave(member: M): W[] {
    if (!this.has(member)) return [];
    this.#version++;
    this.#online.delete(member.fold);
    this.#sorted.delete(member.fold);
    this.#unwatch(member);
    return this.watchersOf(member.fold);
  }

  /**
   * Replaces the watch list of `watcher`, who is online, by these folded names.
   * @returns the members of the list who are online; undefined if it is refused, and the previous list stays
   */
  watch(watcher: W, folds: Iterable<string>): M[] | undefined {
    const wanted = [...new Set(folds)];
    const others = this.#watchedNames - (this.#watched.get(watcher)?.length ?? 0);
    if (wanted.length > SHORT_LIST && others + wanted.length > MAX_WATCH_ENTRIES) return undefined;
    this.#unwatch(watcher);
    this.#watchedNames += wanted.length;
    const online: M[] = [];
    for (const fold of wanted) {
      const watchers = this.#watchers.get(fold) ?? new Set<W>();
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
    for (const member of this.#sorted.from(after > prefix ? after : prefix)) {
      if (!member.fold.startsWith(prefix)) return;
      if (after === "" || member.fold > after) yield member;
    }
  }

  /** Everyone online; a copy, so that members may leave while it is iterated. */
  all(): M[] {
    return this.#sorted.all();
  }

  isWatching(member: M, fold: string): boolean {
    const watchers: ReadonlySet<M> | undefined = this.#watchers.get(fold);
    return watchers?.has(member) === true;
  }

  watchersOf(fold: string): W[] {
    return [...(this.#watchers.get(fold) ?? [])];
  }

  #unwatch(watcher: M): void {
    const watched = this.#watched.get(watcher) ?? [];
    this.#watchedNames -= watched.length;
    for (const fold of watched) {
      const watchers: Set<M> | undefined = this.#watchers.get(fold);
      watchers?.delete(watcher);
      if (watchers?.size === 0) this.#watchers.delete(fold);
    }
    this.#watched.delete(watcher);
  }
}
