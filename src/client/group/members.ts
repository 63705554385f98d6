/** Of a membership: who somebody is in it, and what changed between two. */
import type { Membership, Term } from "./membership.ts";

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

/** All live terms of one label. */
export type Person = {
  readonly label: string;
  readonly name: string;
  /** Of at least one term. */
  readonly state: "invited" | "member";
  /** By level, then by feed; those that have joined first. */
  readonly terms: readonly [Term, ...Term[]];
};

/** The people of a group, members first, then by level. */
export function people({ terms }: Membership): Person[] {
  // They are in the order of levels, which stays among those of the same state.
  const all = [...terms.values()];
  const live = [
    ...all.filter(({ state }) => state === "member"),
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
