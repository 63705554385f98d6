/**
 * The requests of the operator's program to a running server, and the replies: one of each per connection to the
 * operator's socket, as objects (PROTOCOL 1). Both sides check what they read.
 */
import {
  boolean,
  INVALID,
  list,
  object,
  oneOf,
  optional,
  readFields,
  text,
  utf8Text,
  type Check,
  type Read,
} from "../../protocol/fields.ts";
import type { JsonObject } from "../../protocol/framing.ts";

/** Longest request or reply, in bytes: a page of the longest lines fits. */
export const ADMIN_OBJECT_LIMIT = 512 * 1024;
/** Lines per reply; further ones are requested with `after`. */
export const PAGE_LINES = 100;
/** Lines by which the last account may exceed a page: its tokens and its live session. */
const LINES_OF_ONE = 8;
/** Longest argument, in code points: longer than any name. */
export const MAX_ARGUMENT = 256;

/** Longest path that the kernel takes, in bytes. */
const MAX_PATH = 4_096;

const argument = text(1, MAX_ARGUMENT);
/** A folded name from an earlier reply, limited in UTF-8 bytes; empty: from the beginning. */
const after = utf8Text(4 * MAX_ARGUMENT);

const REQUESTS = {
  users: { search: text(0, MAX_ARGUMENT), after },
  add: { name: argument, email: text(0, MAX_ARGUMENT) },
  disable: { name: argument },
  enable: { name: argument },
  delete: { name: argument },
  "reset-password": { name: argument },
  sessions: { name: optional(argument), after },
  revoke: { name: argument, id: optional(argument) },
  /** Gives the registered spelling of a name, for the question before a deletion. */
  account: { name: argument },
  /** Has the server record in its audit log that a backup was made. */
  "backup-made": { file: utf8Text(MAX_PATH) },
} as const;

export type AdminCommand = keyof typeof REQUESTS;
const READS: ReadonlySet<AdminCommand> = new Set(["users", "sessions", "account"]);
/** Whether a command changes nothing. */
export const isRead = (command: AdminCommand): boolean => READS.has(command);

export type AdminRequest = {
  [C in AdminCommand]: { readonly command: C } & Read<(typeof REQUESTS)[C]>;
}[AdminCommand];

const isAdminCommand = (word: string): word is AdminCommand => Object.hasOwn(REQUESTS, word);

/** Reads a request from the socket; undefined if it is not valid. */
export function readRequest(source: JsonObject): AdminRequest | undefined {
  const { command } = source;
  if (typeof command !== "string" || !isAdminCommand(command)) return undefined;
  const read = readFields(REQUESTS[command], source);
  // The fields were checked by the row of this command.
  return read.ok ? ({ command, ...read.value } as AdminRequest) : undefined;
}

/**
 * The latest time to begin a request, in ms since 1970 (both ends are on one machine). A server that was suspended may
 * read requests whose sender has given up.
 */
export function readDeadline(source: JsonObject): number {
  const { until } = source;
  return typeof until === "number" ? until : Infinity;
}

/** Why a command was refused. */
const REFUSALS = [
  "unknown_user",
  "unknown_session",
  "username_taken",
  "invalid_username",
  "invalid_email",
  "server_busy",
  "server_closing",
  "disk_full",
  "internal_error",
  "bad_request",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Any text: an old database may hold long ones. */
const shown = utf8Text(4_096);
const nullable = <T>(check: Check<T>): Check<T | null> => {
  return (value) => (value === null ? null : check(value));
};

const userLine = object({
  username: shown,
  email: shown,
  made: nullable(shown),
  online: boolean,
  disabled: boolean,
});
const sessionLine = object({
  /** `live`: a connection now; `token`: what a client can resume with. */
  kind: oneOf("live", "token"),
  username: shown,
  /** Of the token; null for the live session of a legacy client. */
  id: nullable(shown),
  address: nullable(shown),
  /** When the live session began, or the token was made, in RFC 3339. */
  since: shown,
  last_used: nullable(shown),
  /** Of the session's key. */
  fingerprint: nullable(shown),
  /** Of several servers the one at which a live session is. */
  node: optional(shown),
});

const REPLIES = {
  users: { users: list(userLine, PAGE_LINES), next: optional(after) },
  sessions: { sessions: list(sessionLine, PAGE_LINES + LINES_OF_ONE), next: optional(after) },
  password: { username: shown, password: shown },
  done: { username: shown, changed: boolean },
  refused: { code: oneOf(...REFUSALS) },
} as const;

type ReplyName = keyof typeof REPLIES;
export type AdminReply = {
  [N in ReplyName]: { readonly name: N } & Read<(typeof REPLIES)[N]>;
}[ReplyName];
export type UserLine = Read<{ line: typeof userLine }>["line"];
export type SessionLine = Read<{ line: typeof sessionLine }>["line"];

const replyName = oneOf(...(Object.keys(REPLIES) as ReplyName[]));

/** Reads a reply from the socket; undefined if it is not valid. */
export function readReply(source: JsonObject): AdminReply | undefined {
  const name = replyName(source["name"]);
  if (name === INVALID) return undefined;
  const read = readFields(REPLIES[name], source);
  return read.ok ? ({ name, ...read.value } as AdminReply) : undefined;
}
