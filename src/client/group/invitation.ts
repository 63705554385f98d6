/**
 * The chain that admits somebody (GROUPS 5, `group_invite`): `create`, the `add` of each who added the next, and the one
 * of the reader's key. It proves that they were admitted, not that they still are: what else was written comes later.
 */
import type { KeyObject } from "node:crypto";

import { readControl, type NamedKey } from "../../identity/group-body.ts";
import {
  isCreate,
  isSigned,
  rawEntry,
  readEntry,
  signEntry,
  type GroupEntry,
  type RawEntry,
} from "../../identity/group-entry.ts";
import type { GroupMessage } from "../../protocol/peer-messages.ts";
import { people, termOfKey } from "./sync/members.ts";
import type { Membership } from "./sync/membership.ts";

/** Most entries of a chain. The levels allow for 59. */
export const MAX_CHAIN = 64;

export type Invitation = {
  readonly create: GroupEntry;
  /** The reader's term has its id. */
  readonly add: GroupEntry;
  /** As it was at first; members may have renamed it. */
  readonly title: string;
  /** Who added the reader. The name is what the chain calls that key, and proves nothing about who has it. */
  readonly by: NamedKey;
  readonly history: "all" | "none";
};

/**
 * The `join` of a term, of which there is one alone: a copy of the profile that is put back signs the same again, and not
 * another one, which would be a fork at the first number.
 * @param create the founding entry
 */
export function signJoin(create: GroupEntry, feed: string, key: KeyObject): GroupEntry {
  const position = { feed, lane: "c", number: 1, prev: feed, kind: "join", at: create.at } as const;
  return signEntry(create.id, position, {}, key, (bytes) =>
    Buffer.from(feed, "base64url").subarray(0, bytes),
  );
}

/** The chain that admits this term; undefined if it has none that counts. */
export function invitationChain(
  { group, terms }: Membership,
  control: readonly GroupEntry[],
  feed: string,
): GroupEntry[] | undefined {
  const ids: string[] = [];
  for (let id: string | undefined = feed; id !== undefined; id = terms.get(id)?.by) ids.unshift(id);
  if (ids[0] !== group) return undefined;
  const entries = new Map(control.map((entry) => [entry.id, entry]));
  return ids.flatMap((id) => entries.get(id) ?? []);
}

/** What is said to this key (base64) of this label, which is invited; undefined: it is not. @param by our registered name */
export function invitationMessage(
  current: Membership,
  control: readonly GroupEntry[],
  { key, label, by }: { readonly key: string; readonly label: string; readonly by: string },
): (GroupMessage & { action: "group_invite" }) | undefined {
  const term = termOfKey(current, key);
  if (term?.state !== "invited" || term.label !== label) return undefined;
  const chain = invitationChain(current, control, term.feed);
  if (chain === undefined) return undefined;
  const { group, title } = current;
  const members = people(current).filter(({ state }) => state === "member").length;
  const said = { group, feed: term.feed, title, by, people: Math.max(1, members) };
  const entries = chain.map((entry): [...RawEntry] => [...rawEntry(entry)]);
  return { action: "group_invite", ...said, entries };
}

/** Reads a chain that admits this key (base64) as `feed`. Undefined for one that does not, and for every forgery. */
export function readInvitation(
  group: string,
  feed: string,
  chain: readonly RawEntry[],
  spki: string,
): Invitation | undefined {
  if (chain.length < 2 || chain.length > MAX_CHAIN) return undefined;
  const [create, ...adds] = chain.map((raw) => readEntry(group, raw));
  const founding = create === undefined ? undefined : readControl(create);
  if (create === undefined || founding?.kind !== "create") return undefined;
  if (!isCreate(create) || !isSigned(group, create, founding.spki)) return undefined;
  let last: { entry: GroupEntry; by: NamedKey; key: NamedKey; history: "all" | "none" } = {
    ...{ entry: create, by: founding, key: founding, history: "all" },
  };
  for (const entry of adds) {
    const add = entry === undefined ? undefined : readControl(entry);
    if (entry === undefined || add?.kind !== "add" || entry.feed !== last.entry.id) return undefined;
    if (!isSigned(group, entry, last.key.spki)) return undefined;
    last = { entry, by: last.key, key: add, history: add.history };
  }
  if (last.entry.id !== feed || last.key.spki.toString("base64") !== spki) return undefined;
  const { entry: add, by, history } = last;
  return { create, add, title: founding.title, by, history };
}
