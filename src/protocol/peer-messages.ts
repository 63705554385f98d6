/**
 * The messages of the peer link (PROTOCOL 5 and the greeting of 6): each with its fields and caps.
 * An unknown action is ignored; an object without `action` and with a string `message` is chat.
 */
import {
  boolean,
  exactText,
  integer,
  list,
  matching,
  nullable,
  optional,
  readFields,
  refine,
  text,
  utf8Text,
  type Fields,
  type Read,
} from "./fields.ts";
import type { JsonObject } from "./framing.ts";
import { GROUP_FEATURE, GROUP_MESSAGES } from "./group-messages.ts";

export const PEER_PROTOCOL = 1;
/** Bytes of UTF-8 in one chat text. */
export const MAX_TEXT_BYTES = 32 * 1024;
export const MAX_DELIVERED_IDS = 1_000;
/** The feature of a client that takes part in verifications. */
export const VERIFY_FEATURE = "verify1";
/** The feature of a client that sends and receives files. */
export const FILES_FEATURE = "files1";
/** What this client supports beyond the first version (`PROTOCOL.md`, «Actions», «Consent», «Verification», «Files» and «Groups»). */
export const FEATURES: readonly string[] = [
  "edit",
  "withdraw",
  "consent1",
  VERIFY_FEATURE,
  FILES_FEATURE,
  GROUP_FEATURE,
];
/** Bytes of UTF-8 in the name of an offer. */
export const MAX_NAME_BYTES = 1_024;
/** Most entries of a folder. */
export const MAX_ENTRIES = 100_000;
/** Most ranges that one stream asks for. */
export const MAX_RANGES = 64;
const MAX_FEATURES = 64;
const MAX_FEATURE_LENGTH = 32;

const id = exactText(1, 64);
/** Of what is offered to one person: what is given to a group is named by its entry, `FEED/NUMBER`. */
const offerId = refine(id, (typed) => (typed.includes("/") ? undefined : typed));
/** Lower-case hexadecimal digits. */
const hexadecimal = (digits: number) =>
  refine(exactText(digits, digits), (value) => (/^[0-9a-f]+$/.test(value) ? value : undefined));
/** A commitment, SHA-512, and a nonce, 32 bytes (`identity/verification-code.ts`). */
const commitment = hexadecimal(128);
const nonce = hexadecimal(64);
const fileName = refine(utf8Text(MAX_NAME_BYTES), (name) => (name === "" ? undefined : name));
const bytes = integer(0, Number.MAX_SAFE_INTEGER);
/** Why a transfer was declined or cancelled. */
const reason = matching(/^[a-z_]{1,64}$/);
/** From the first byte to before the last one; null: to the end. */
const range = refine(list(nullable(bytes), 2), ([from, to]): FileRange | undefined => {
  const isRange = typeof from === "number" && to !== undefined && (to === null || to > from);
  return isRange ? [from, to] : undefined;
});

/** Bytes of a transfer, from the first one to before the last one; null: to the end. */
export type FileRange = readonly [from: number, to: number | null];

export const PEER_MESSAGES = {
  hello: {
    protocol: integer(-1_000_000, 1_000_000),
    username: text(1, 64),
    features: list(exactText(0, MAX_FEATURE_LENGTH), MAX_FEATURES),
  },
  delivered: { ids: list(id, MAX_DELIVERED_IDS) },
  read: { id },
  typing: { active: boolean },
  ping: {},
  pong: {},
  bye: {},
  held: {},
  accepted: {},
  error: { code: exactText(1, 64) },
  stream: { transfer: id, ranges: optional(list(range, MAX_RANGES)) },
  edit: { id, target: id, text: utf8Text(MAX_TEXT_BYTES) },
  withdraw: { id, target: id },
  verify_commit: { hash: optional(commitment) },
  verify_reveal: { hash: commitment, nonce },
  verify_done: { code: exactText(1, 64) },
  file_offer: {
    id: offerId,
    name: fileName,
    size: nullable(bytes),
    modified: optional(exactText(1, 40)),
    entries: optional(integer(1, MAX_ENTRIES)),
  },
  file_accept: { id, transfer: id },
  file_decline: { id, transfer: id, reason },
  file_end: { id, transfer: id, size: bytes, digest: hexadecimal(64) },
  file_done: { id, transfer: id },
  file_cancel: { id, transfer: id, reason },
  ...GROUP_MESSAGES,
} as const satisfies { readonly [action: string]: Fields };

const CHAT = {
  message: utf8Text(MAX_TEXT_BYTES),
  id: optional(id),
  sent_at: optional(exactText(1, 40)),
  reply_to: optional(id),
} as const satisfies Fields;

type ChatFields = Read<typeof CHAT>;
type PeerTable = typeof PEER_MESSAGES;

/** One checked message of the peer link. */
export type PeerMessage =
  | ({ action: "chat" } & ChatFields)
  | { [A in keyof PeerTable]: { action: A } & Read<PeerTable[A]> }[keyof PeerTable]
  | { action: "unknown" }
  | { action: "invalid"; field: string };

const TABLE: ReadonlyMap<string, Fields> = new Map(Object.entries(PEER_MESSAGES));

/** Checks one object of the peer link. */
export function readPeerMessage(source: JsonObject): PeerMessage {
  const action = Object.hasOwn(source, "action") ? source["action"] : undefined;
  if (action === undefined) {
    const read = readFields(CHAT, source);
    return read.ok
      ? Object.assign(read.value, { action: "chat" } as const)
      : { action: "invalid", field: read.field };
  }
  if (typeof action !== "string") return { action: "invalid", field: "action" };
  const fields = TABLE.get(action);
  if (fields === undefined) return { action: "unknown" };
  const read = readFields(fields, source);
  // The fields are those of this action; the type system cannot follow the lookup.
  return (read.ok ? { action, ...read.value } : { action: "invalid", field: read.field }) as PeerMessage;
}

/** The messages of a verification. */
export type VerifyMessage = Extract<PeerMessage, { action: `verify_${string}` }>;

/** Asks for a connection for the bytes of a transfer, or answers that. */
export type StreamMessage = Extract<PeerMessage, { action: "stream" }>;
/** The messages about transfers of files. Each is stored before it is sent, and arrives once. */
export type FileMessage = Extract<PeerMessage, { action: `file_${string}` }>;
/** The messages about groups. */
export type GroupMessage = Extract<PeerMessage, { action: `group_${string}` }>;
/** One without the id that it has in the outbox. */
export type FileControl = FileMessage extends infer M
  ? M extends FileMessage
    ? Omit<M, "id">
    : never
  : never;

/** As it is written: what is read as undefined may be absent, and lists may be those of who writes. */
type Written<T> = T extends readonly unknown[]
  ? { readonly [K in keyof T]: Written<T[K]> }
  : T extends object
    ? { readonly [K in keyof T as undefined extends T[K] ? never : K]: Written<T[K]> } & {
        readonly [K in keyof T as undefined extends T[K] ? K : never]?: Written<T[K]>;
      }
    : T;

/** What may be written on the peer link. */
export type PeerOutput =
  | { action: "hello"; protocol: number; username: string; features: string[] }
  | { message: string; id: string; sent_at: string; reply_to: string | undefined }
  | { action: "edit"; id: string; target: string; text: string }
  | { action: "withdraw"; id: string; target: string }
  | VerifyMessage
  | FileMessage
  | Written<GroupMessage>
  | { action: "stream"; transfer: string; ranges: readonly FileRange[] | undefined }
  | { action: "delivered"; ids: string[] }
  | { action: "read"; id: string }
  | { action: "typing"; active: boolean }
  | { action: "ping" }
  | { action: "pong" }
  | { action: "bye" }
  | { action: "held" }
  | { action: "accepted" }
  | { action: "error"; code: string; message?: string };
