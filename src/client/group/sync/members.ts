/** Of a membership: who somebody is in it, and what changed between two. */
import type { GroupEntry } from "../../../identity/group-entry.ts";
import { mayEnd, type Membership, type Term } from "./membership.ts";

/**
 * The term that a key (base64) writes as: of its live ones one that has joined and has not forked, and of these the one
 * with the smallest id. Undefined for a key without a live term.
 */
export function termOfKey({ terms }: Membership, spki: string): Term | undefined {
  const rank = (term: Term): number => (term.state === "member" ? 0 : 2) + (term.isForked ? 1 : 0);
  return [...terms.values()]
    .filter((term) => term.spki === spki && isLive(term))
    .toSorted((one, other) => rank(one) - rank(other) || (one.feed < other.feed ? -1 : 1))[0];
}

/** Whether it belongs to the group, or is invited to it. */
export function isLive({ state }: Term): boolean {
  return state !== "ended";
}

/** Whether it may write, as far as the group's `writes` lets it. */
export function isActive({ state, isForked }: Term): boolean {
  return state === "member" && !isForked;
}

/** Whether a key (base64) has no term in which it may write, now or once it has joined. */
export function needsTerm({ terms }: Membership, spki: string): boolean {
  return ![...terms.values()].some((term) => term.spki === spki && isLive(term) && !term.isForked);
}

/** All live terms of one label. */
export type Person = {
  readonly label: string;
  readonly name: string;
  /** Of at least one term. */
  readonly state: "invited" | "member";
  /** By level, then by feed; those that have joined first, and of these those that have not forked. */
  readonly terms: readonly [Term, ...Term[]];
};

/** Those of each membership, which never changes. */
const counted = new WeakMap<Membership, readonly Person[]>();

/** The people of a group, members first, then by level. */
export function people(membership: Membership): readonly Person[] {
  const known = counted.get(membership) ?? peopleOf(membership);
  counted.set(membership, known);
  return known;
}

function peopleOf({ terms }: Membership): Person[] {
  // They are in the order of levels, which stays among those of the same state.
  const all = [...terms.values()];
  const live = [
    ...all.filter(isActive),
    ...all.filter(({ state, isForked }) => state === "member" && isForked),
    ...all.filter(({ state }) => state === "invited"),
  ];
  return [...Map.groupBy(live, ({ label }) => label).values()].flatMap(([first, ...rest]) =>
    first === undefined || first.state === "ended"
      ? []
      : [{ label: first.label, name: first.name, state: first.state, terms: [first, ...rest] as const }],
  );
}

/** People who do not belong any more because what admitted them, written by `by`, does not count. */
export type DroppedOut = { readonly by: string; readonly people: readonly string[] };

/** Who has dropped out between two memberships of one group; both sides are names. */
export function droppedOut(before: Membership, after: Membership): DroppedOut[] {
  const staying = new Set(people(after).map(({ label }) => label));
  const dropped = people(before).flatMap(({ label, name, terms: [{ by, feed }] }) => {
    if (staying.has(label) || after.terms.has(feed)) return [];
    // What counts no more was written by the first one above who is still there.
    let author = by === undefined ? undefined : before.terms.get(by);
    while (author?.by !== undefined && !after.terms.has(author.feed)) author = before.terms.get(author.by);
    return author === undefined ? [] : [{ by: author.name, name }];
  });
  return [...Map.groupBy(dropped, ({ by }) => by)].map(([by, found]) => ({
    by,
    people: found.map(({ name }) => name),
  }));
}

/** Most `end`s that the removal of one person takes. */
const MAX_ENDS = 16;

/** A term to be ended. `c`: the last number of its lane c that is to count; undefined: all that it has written. */
export type Removal = { readonly feed: string; readonly c: number | undefined };

/**
 * What this author has to end so that a person is removed; undefined if one of the terms stands above or beside them.
 * Somebody may have added any number of keys of their own. Then those that others added are cut before they added one,
 * which takes the rest back, and everybody else whom they have added since.
 */
export function removal(
  { terms }: Membership,
  control: readonly GroupEntry[],
  author: Term,
  label: string,
): Removal[] | undefined {
  const own = [...terms.values()].filter((term) => term.label === label);
  const live = own.filter(isLive);
  if (!live.every((term) => mayEnd(author, term))) return undefined;
  if (live.length <= MAX_ENDS) return live.map(({ feed }) => ({ feed, c: undefined }));
  const feeds = new Set(own.map(({ feed }) => feed));
  const ownAdds = control.filter(({ id, feed }) => feeds.has(id) && feeds.has(feed));
  return own
    .filter(({ by }) => by === undefined || !feeds.has(by))
    .map(({ feed }) => {
      const numbers = ownAdds.filter((add) => add.feed === feed).map(({ number }) => number - 1);
      return { feed, c: numbers.length === 0 ? undefined : Math.min(...numbers) };
    });
}
