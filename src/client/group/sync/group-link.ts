/** What is said about a group on a link (GROUPS 5), and what the synchronisation needs of one. */
import type { Lane, RawEntry } from "../../../identity/group-entry.ts";
import type { HeadFields } from "./heads.ts";

/** Without `heads`: the greeting. `since`: texts from before this time, in ms since 1970, are not wanted. */
export type HeadsMessage = {
  readonly action: "group_heads";
  readonly group: string;
  readonly sum: string;
  readonly heads?: readonly HeadFields[] | undefined;
  readonly since?: number | undefined;
};
export type EntriesMessage = {
  readonly action: "group_entries";
  readonly group: string;
  readonly entries: readonly RawEntry[];
};
export type WantMessage = {
  readonly action: "group_want";
  readonly group: string;
  readonly bodies: readonly (readonly [feed: string, number: number])[];
};
/** The newest entry first. */
export type ForkMessage = {
  readonly action: "group_fork";
  readonly group: string;
  readonly feed: string;
  readonly lane: Lane;
  readonly entries: readonly RawEntry[];
};
export type SeenMessage = {
  readonly action: "group_seen";
  readonly group: string;
  readonly seen: readonly (readonly [feed: string, t: number, read: number])[];
};
export type SyncMessage = HeadsMessage | EntriesMessage | WantMessage | ForkMessage | SeenMessage;

export interface GroupLink {
  /** The proven public key of the other side, as `public_key` of PROTOCOL 4. */
  readonly key: string;
  readonly queuedBytes: number;
  send(message: SyncMessage): void;
}

/** Most heads, entries, bodies, lines of hearsay in one message. */
export const MAX_HEADS = 1_024;
export const MAX_ENTRIES = 256;
export const MAX_BODIES = 100;
export const MAX_SEEN = 256;
