/**
 * What the operator's program asks of a server, and what it is answered: one request and one reply a
 * connection of the operator's socket, each an object (PROTOCOL 1). Both sides check what they read.
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

/** The longest request or reply, in bytes: a page of the longest lines fits. */
export const ADMIN_OBJECT_LIMIT = 512 * 1024;
/** Lines of one reply; more are asked for with `after`. */
export const PAGE_LINES = 100;
/** Lines that the last account of a page may add to it: its tokens and its live session. */
const LINES_OF_ONE = 8;
/** Longest argument, in code points: longer ones are nobody's name and no search. */
export const MAX_ARGUMENT = 256;

/** Bytes of a path, as the kernel has them. */
const MAX_PATH = 4_096;

const argument = text(1, MAX_ARGUMENT);
/** A fold from an earlier reply, in UTF-8 bytes; empty: from the beginning. */
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
  /** How an account is written, before somebody is asked about it. */
  account: { name: argument },
  /** For the audit log: the operator's program has made a copy. */
  "backup-made": { file: utf8Text(MAX_PATH) },
} as const;

export type AdminCommand = keyof typeof REQUESTS;
/** Commands that change nothing. */
const READS: ReadonlySet<AdminCommand> = new Set(["users", "sessions", "account"]);
/** Whether a command leaves everything as it was. */
export const isRead = (command: AdminCommand): boolean => READS.has(command);

export type AdminRequest = {
  [C in AdminCommand]: { readonly command: C } & Read<(typeof REQUESTS)[C]>;
}[AdminCommand];

export const isAdminCommand = (word: string): word is AdminCommand => Object.hasOwn(REQUESTS, word);

/** A request from the socket, or undefined when it is none of ours. */
export function readRequest(source: JsonObject): AdminRequest | undefined {
  const { command } = source;
  if (typeof command !== "string" || !isAdminCommand(command)) return undefined;
  const read = readFields(REQUESTS[command], source);
  // The table's own check of the command is behind this value.
  return read.ok ? ({ command, ...read.value } as AdminRequest) : undefined;
}

/**
 * Until when somebody waits for a request's reply, in ms since 1970: both ends are on one machine. A server
 * that was stopped for a while finds requests of people who are long gone.
 */
export function readDeadline(source: JsonObject): number {
  const { until } = source;
  return typeof until === "number" ? until : Infinity;
}

/** Why nothing was done. */
export const REFUSALS = [
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

/** Whatever an email address or a date of an old database is, clipped. */
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
  /** `live`: a connection now; `token`: what a client can come back with. */
  kind: oneOf("live", "token"),
  username: shown,
  /** Of the token; null for a live session of a client of the seed. */
  id: nullable(shown),
  address: nullable(shown),
  /** RFC 3339: when the live session began or the token was made. */
  since: shown,
  last_used: nullable(shown),
  /** Of the session's key. */
  fingerprint: nullable(shown),
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

/** A reply from the socket, or undefined when it is none of ours. */
export function readReply(source: JsonObject): AdminReply | undefined {
  const name = replyName(source["name"]);
  if (name === INVALID) return undefined;
  const read = readFields(REPLIES[name], source);
  return read.ok ? ({ name, ...read.value } as AdminReply) : undefined;
}
