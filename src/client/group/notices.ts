/** What is said of a group between two moments: who has come and gone, and what else its people did (GROUPS 13). Pure. */
import { readControl } from "../../identity/group-body.ts";
import type { GroupEntry } from "../../identity/group-entry.ts";
import type { GroupNotice } from "../conversation/events.ts";
import { droppedOut, isActive, people, type Person } from "./sync/members.ts";
import { isAdmin, type Membership, type Term } from "./sync/membership.ts";

export type NoticeContent = Pick<GroupNotice, "kind" | "by" | "names" | "number">;

/** People who have joined, from which on one admin alone is too few. */
const MANY = 3;

function notice(kind: NoticeContent["kind"], by: string | null, names: readonly string[]): NoticeContent {
  return { kind, by, names, number: null };
}

/** One notice for all whom the same person is behind. */
function byAuthor(
  kind: NoticeContent["kind"],
  all: readonly { readonly by: string | null; readonly name: string }[],
): NoticeContent[] {
  const groups = Map.groupBy(all, ({ by }) => by);
  return [...groups].map(([by, found]) =>
    notice(
      kind,
      by,
      found.map(({ name }) => name),
    ),
  );
}

const byLabel = (membership: Membership) =>
  new Map(people(membership).map((person) => [person.label, person] as const));

/** Whether one admin alone is left, and many others have joined. */
function hasOneAdmin(all: ReadonlyMap<string, Person>, own: string): boolean {
  const members = [...all.values()].filter(({ state }) => state === "member");
  const admins = members.filter(({ terms }) => terms.some((term) => isActive(term) && isAdmin(term)));
  return members.length >= MANY && admins.length === 1 && admins[0]?.label === own;
}

/**
 * What has happened between two memberships of one group, as somebody of this label is told of it. Who has just joined
 * is told nothing of before.
 * @param control at least the entries that came between
 */
export function noticesBetween(
  before: Membership,
  after: Membership,
  control: readonly GroupEntry[],
  own: string,
): NoticeContent[] {
  const [were, are] = [byLabel(before), byLabel(after)];
  if (were.get(own)?.state !== "member") return [];
  const nameOf = (feed: string | undefined) =>
    feed === undefined ? null : (after.terms.get(feed)?.name ?? null);
  const authors = new Map(control.map(({ id, feed }) => [id, feed]));
  const others = [...are.values()].filter(({ label }) => label !== own);

  const joined = others.filter(
    ({ label, state }) => state === "member" && were.get(label)?.state !== "member",
  );
  const added = others.filter(({ label, state }) => state === "invited" && !were.has(label));
  const gone = [...were.values()]
    .filter(({ label }) => !are.has(label))
    .flatMap(({ terms: [{ feed }], name, label }) => {
      const term = after.terms.get(feed);
      const author = term?.endId === undefined ? undefined : authors.get(term.endId);
      return term === undefined ? [] : [{ label, name, by: nameOf(author), isOwnWill: author === feed }];
    });
  const removed = gone.filter(({ isOwnWill }) => !isOwnWill);
  // Whose texts had forked, or have meanwhile, may write again.
  const anew = [...are.values()].filter(({ label, terms: [term] }) => {
    const was = were.get(label);
    if (!isActive(term) || was?.state !== "member") return false;
    const former = was.terms.map((each) => after.terms.get(each.feed) ?? each);
    const haveForked = former.some(({ isForked }) => isForked) && !former.some(isActive);
    return !was.terms.some(isActive) || haveForked;
  });
  const became = [...are.values()].filter(({ label, terms: [term] }) => {
    const was = were.get(label);
    return isAdmin(term) && was !== undefined && !isAdmin(was.terms[0]);
  });
  const grants = control.map((entry) => ({ feed: entry.feed, said: readControl(entry) }));
  const grantedBy = ({ feed, by }: Term) =>
    nameOf(grants.findLast(({ said }) => said?.kind === "grant" && said.feed === feed)?.feed ?? by);
  const renamedBy = grants.findLast(
    ({ said }) => said?.kind === "set" && said.n === after.renames && said.title === after.title,
  );
  const forked = [...after.terms.values()].filter(
    ({ feed, isForked }) => isForked && before.terms.get(feed)?.isForked !== true,
  );

  return [
    ...(joined.length === 0
      ? []
      : [
          notice(
            "joined",
            null,
            joined.map(({ name }) => name),
          ),
        ]),
    ...byAuthor(
      "added",
      added.map(({ name, terms: [{ by }] }) => ({ by: nameOf(by), name })),
    ),
    ...byAuthor(
      "removed",
      removed.filter(({ label }) => label !== own),
    ),
    ...removed.filter(({ label }) => label === own).map(({ by, name }) => notice("removed_self", by, [name])),
    ...byAuthor(
      "left",
      gone
        .filter(({ isOwnWill, label }) => isOwnWill && label !== own)
        .map(({ name }) => ({ by: null, name })),
    ),
    ...byAuthor(
      "admin",
      became.map(({ name, terms: [term] }) => ({ by: grantedBy(term), name })),
    ),
    ...(after.title === before.title ? [] : [notice("renamed", nameOf(renamedBy?.feed), [])]),
    ...forked.map(({ name, cutC, cutT }) => ({
      ...notice("fork", null, [name]),
      number: Number.isFinite(cutT) ? cutT + 1 : cutC + 1,
    })),
    ...byAuthor(
      "readmitted",
      anew.map(({ name, terms: [{ by }] }) => ({ by: nameOf(by), name })),
    ),
    ...droppedOut(before, after).map((dropped) => notice("dropped_out", dropped.by, dropped.people)),
    ...(hasOneAdmin(are, own) && !hasOneAdmin(were, own) ? [notice("one_admin", null, [])] : []),
  ];
}
