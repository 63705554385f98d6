/** The messages about groups on the peer link (PROTOCOL 5, «Groups»): each with its fields and caps. */
import {
  exactText,
  integer,
  list,
  matching,
  nullable,
  oneOf,
  optional,
  text,
  tuple,
  utf8Text,
  type Fields,
} from "./fields.ts";

/** The feature of a client that takes part in groups. */
export const GROUP_FEATURE = "group1";
/** Most people of a group. */
export const MAX_GROUP_PEOPLE = 256;
/** Most entries that lead from the first of a group to the one that invites. */
export const MAX_CHAIN = 64;
/** Most heads, entries, bodies, lines of hearsay in one message. */
export const MAX_HEADS = 1_024;
export const MAX_ENTRIES = 256;
export const MAX_BODIES = 100;
export const MAX_SEEN = 256;

const MAX_NUMBER = 1_000_000_000;
const MAX_HEADER = 256;
const MAX_BODY = 224 * 1024;

/** SHA-256, in base64url: of 43 characters the last one has four bits. */
const hash = matching(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
/** The first characters of one, which cannot be forged in useful time. */
const shortHash = matching(/^[A-Za-z0-9_-]{22}$/);
/** Of an entry in its lane; 0: none. */
const number = integer(0, MAX_NUMBER);
const time = integer(0, Number.MAX_SAFE_INTEGER);
/** Header, signature and body. Whether they are in order is read elsewhere. */
const entry = tuple(utf8Text(MAX_HEADER), exactText(1, 86), nullable(utf8Text(MAX_BODY)));
/** feed, c, cid, first, t, tid, read */
const head = tuple(hash, number, shortHash, number, number, shortHash, number);

export const GROUP_MESSAGES = {
  /** The entries lead from the one that founded the group to the one that admits the reader. */
  group_invite: {
    group: hash,
    feed: hash,
    title: exactText(1, 64),
    by: text(1, 64),
    people: integer(1, MAX_GROUP_PEOPLE),
    entries: list(entry, MAX_CHAIN),
  },
  group_decline: { group: hash, feed: hash },
  /** Without `heads`: the greeting. `since`: texts from before this time, in ms since 1970, are not wanted. */
  group_heads: { group: hash, sum: hash, heads: optional(list(head, MAX_HEADS)), since: optional(time) },
  group_entries: { group: hash, entries: list(entry, MAX_ENTRIES) },
  group_want: { group: hash, bodies: list(tuple(hash, number), MAX_BODIES) },
  /** The newest entry first. */
  group_fork: { group: hash, feed: hash, lane: oneOf("c", "t"), entries: list(entry, MAX_ENTRIES) },
  /** feed, t, read */
  group_seen: { group: hash, seen: list(tuple(hash, number, number), MAX_SEEN) },
} as const satisfies { readonly [action: string]: Fields };
