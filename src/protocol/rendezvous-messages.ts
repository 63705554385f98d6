/**
 * The messages of the rendezvous link (PROTOCOL 4): each request with its fields, their types and caps, and
 * with what no legacy client sends.
 */
import {
  boolean,
  exactText,
  integer,
  list,
  object,
  oneOf,
  optional,
  refine,
  text,
  type Fields,
  type Read,
} from "./fields.ts";
import { parseDialableAddress } from "./ip-address.ts";
import { ticketField } from "./meeting-messages.ts";

export const MAX_ID_LENGTH = 64;
export const MAX_ADDRESSES = 8;
export const MAX_CANDIDATES = 8;
/** A lower port is no candidate: it belongs to a service of the system, which nobody must be made to dial. */
export const MIN_CANDIDATE_PORT = 1_024;
/** What is said and shown of who gives nobody an address: one that nobody dials (PROTOCOL 7). */
export const NO_ADDRESS = "0.0.0.0";
/** Older clients refuse a list with port 0. */
export const NO_PORT = 1;
/** Mapped ports in one `reach`, and addresses of the meeting port. */
export const MAX_MAPPED = 2;
export const MAX_MEETING_PLACES = 2;
const MAX_TRANSFER_FIELD = 64;
export const MAX_WATCHED = 1_000;
export const MAX_PAGE = 500;
export const DEFAULT_PAGE = 100;
/** Revocations in one message. */
export const MAX_REVOKED = 300;
/** Longest `users_list` to a legacy client, in bytes: it reads one `recv(4096)`. */
export const LEGACY_LIST_BYTES = 4_096;

/** Longer than any account's name: up to this length, a name that is too long is answered `invalid_username`. */
const MAX_NAME_FIELD = 256;
/** Most code points of an account's name: names from the server have no more (PROTOCOL 4). */
const MAX_ACCOUNT_NAME = 64;
/** Passwords of migrated accounts may have any length that fits in a message. */
const MAX_PASSWORD_FIELD = 64 * 1024;
const MAX_EMAIL_FIELD = 1_024;
const MAX_KEY_FIELD = 1_024;
const MAX_TOKEN_FIELD = 256;
/** An Ed25519 signature in base64. */
const SIGNATURE_LENGTH = 88;
/** 32 bytes in base64. */
const CHALLENGE_LENGTH = 44;
const MAX_SENTENCE = 1_024;
const MAX_PEM = 8_192;

const name = text(1, MAX_NAME_FIELD);
const accountName = text(1, MAX_ACCOUNT_NAME);
const password = text(0, MAX_PASSWORD_FIELD);
const port = integer(1, 65_535);
const publicKey = exactText(1, MAX_KEY_FIELD);
const signature = exactText(SIGNATURE_LENGTH, SIGNATURE_LENGTH);
/** Every request with a `public_key` needs one; the check of the key names what is missing. */
const keyProof = optional(signature);
const address = refine(exactText(1, 64), parseDialableAddress);
const addresses = list(address, MAX_ADDRESSES);
const language = oneOf("es", "en");
const purpose = oneOf("chat", "stream", "move");
const labelField = refine(exactText(40, 40), hexadecimal);
const fingerprintField = refine(exactText(64, 64), hexadecimal);
/** Seconds since 1970, up to the year 9999. */
const seconds = integer(0, 253_402_300_799);

/** The last revocation of the page before, as `before.label`; clients return it as they got it. */
const revocationCursor = refine(exactText(1, 64), (cursor) =>
  /^\d{1,12}\.[0-9a-f]{40}$/.test(cursor) ? cursor : undefined,
);

const revoked = list(
  object({ label: labelField, before: seconds, except: optional(fingerprintField) }),
  MAX_REVOKED,
);
const nextRevoked = exactText(1, 64);

function hexadecimal(text: string): string | undefined {
  return /^[0-9a-f]+$/.test(text) ? text : undefined;
}

/** `legacy`: whether legacy clients send it, then without the fields in `added`. */
type RequestEntry = { readonly fields: Fields; readonly legacy: boolean; readonly added: readonly string[] };

const REQUESTS = {
  register: {
    fields: { username: name, password, email: optional(text(0, MAX_EMAIL_FIELD)) },
    legacy: true,
    added: [],
  },
  login: {
    fields: {
      username: name,
      password,
      p2p_port: port,
      public_key: optional(publicKey),
      key_proof: keyProof,
      addresses: optional(addresses),
      lang: optional(language),
      replace: optional(boolean),
      relay_only: optional(boolean),
    },
    legacy: true,
    added: ["public_key", "key_proof", "addresses", "lang", "replace", "relay_only"],
  },
  get_users: {
    fields: {
      prefix: optional(text(0, MAX_NAME_FIELD)),
      after: optional(text(0, MAX_NAME_FIELD)),
      limit: optional(integer(1, MAX_PAGE)),
    },
    legacy: true,
    added: ["prefix", "after", "limit"],
  },
  request_p2p: { fields: { target_user: name }, legacy: true, added: [] },
  resume: {
    fields: {
      session_token: exactText(1, MAX_TOKEN_FIELD),
      p2p_port: port,
      public_key: publicKey,
      key_proof: keyProof,
      addresses: optional(addresses),
      lang: optional(language),
      relay_only: optional(boolean),
    },
    legacy: false,
    added: [],
  },
  renew: { fields: { public_key: publicKey, key_proof: keyProof }, legacy: false, added: [] },
  watch: { fields: { users: list(name, MAX_WATCHED) }, legacy: false, added: [] },
  ping: { fields: {}, legacy: false, added: [] },
  revocations: { fields: { after: optional(revocationCursor) }, legacy: false, added: [] },
  reach: {
    fields: {
      addresses: optional(addresses),
      mapped: optional(list(object({ ip: address, port: integer(MIN_CANDIDATE_PORT, 65_535) }), MAX_MAPPED)),
      check: optional(boolean),
    },
    legacy: false,
    added: [],
  },
  connect: {
    fields: {
      target_user: name,
      purpose: optional(purpose),
      transfer: optional(exactText(1, MAX_TRANSFER_FIELD)),
    },
    legacy: false,
    added: [],
  },
  logout: { fields: {}, legacy: false, added: [] },
  change_password: { fields: { password, new_password: password }, legacy: false, added: [] },
  delete_account: { fields: { password }, legacy: false, added: [] },
} as const satisfies { readonly [action: string]: RequestEntry };

export type Action = keyof typeof REQUESTS;
export type RequestOf<A extends Action> = Read<(typeof REQUESTS)[A]["fields"]>;
export const ACTIONS: ReadonlyMap<string, RequestEntry> = new Map(Object.entries(REQUESTS));

/** The action of each response; failures have it too. */
export const RESPONSE_ACTION = {
  register: "register_response",
  login: "login_response",
  get_users: "users_list",
  request_p2p: "p2p_info",
  resume: "login_response",
  renew: "renew_response",
  watch: "watch_response",
  ping: "pong",
  revocations: "revocations_response",
  reach: "reach_response",
  connect: "connect_response",
  logout: "logout_response",
  change_password: "change_password_response",
  delete_account: "delete_account_response",
} as const satisfies { readonly [A in Action]: string };

export type RequestId = string | number;

/** The request's `id`; undefined: absent; "invalid": it may not be repeated in an answer. */
export function readRequestId(value: unknown): RequestId | undefined | "invalid" {
  if (value === undefined) return undefined;
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : "invalid";
  if (typeof value !== "string" || !value.isWellFormed()) return "invalid";
  return value.length <= 4 * MAX_ID_LENGTH && [...value].length <= MAX_ID_LENGTH ? value : "invalid";
}

/** An address at which a user's peer port may be reached; unknown kinds are ignored. `open`: a check has reached it. */
export type Candidate = { kind: "direct" | "mapped"; ip: string; port: number; open?: true };
export type UserEntry = { username: string; ip: string; p2p_port: number; secure?: boolean };

const anyCandidate = object({
  kind: exactText(1, 32),
  ip: optional(exactText(1, 64)),
  port: optional(integer(1, 65_535)),
  open: optional(boolean),
});
const endpoint = { ip: exactText(1, 64), port };
/** Where the meeting port is; without `ip` at the address of the rendezvous link. */
const meeting = list(object({ ip: optional(exactText(1, 64)), port }), MAX_MEETING_PLACES);
/** What each of two who meet learns of the other. */
const meetingFields = {
  ticket: ticketField,
  meeting,
  candidates: list(anyCandidate, 64),
  fingerprint: exactText(64, 64),
  relay_only: boolean,
};

/** The fields that a client reads of the server's messages; one that fails its check breaks the protocol. */
export const RESPONSES = {
  register_response: { success: boolean },
  login_response: {
    username: accountName,
    session_token: optional(exactText(1, MAX_TOKEN_FIELD)),
    certificate: optional(exactText(1, MAX_PEM)),
    authority: optional(exactText(1, MAX_PEM)),
    expires_at: optional(exactText(1, 40)),
    time: optional(exactText(1, 40)),
    new_key: optional(boolean),
    revoked: optional(revoked),
    revoked_next: optional(nextRevoked),
  },
  users_list: {
    users: list(
      object({
        username: accountName,
        ip: exactText(1, 64),
        p2p_port: port,
        secure: optional(boolean),
      }),
      MAX_PAGE,
    ),
    next: optional(accountName),
  },
  p2p_info: {
    target_user: accountName,
    target_ip: exactText(1, 64),
    target_port: port,
    secure: optional(boolean),
    candidates: optional(list(anyCandidate, 64)),
    fingerprint: optional(exactText(64, 64)),
  },
  renew_response: {
    certificate: exactText(1, MAX_PEM),
    expires_at: exactText(1, 40),
    time: exactText(1, 40),
  },
  watch_response: { online: list(accountName, MAX_WATCHED) },
  revocations_response: { revoked, next: optional(nextRevoked) },
  revoked: { revoked },
  presence: { username: accountName, online: boolean, moved: optional(boolean) },
  reach_response: {
    observed: object(endpoint),
    meeting,
    ticket: ticketField,
    checking: boolean,
    relay_bytes_left: integer(0, Number.MAX_SAFE_INTEGER),
  },
  reachable: { results: list(object({ ...endpoint, open: boolean }), 8) },
  connect_response: { target_user: accountName, ...meetingFields },
  meet_request: {
    username: accountName,
    purpose,
    transfer: optional(exactText(1, MAX_TRANSFER_FIELD)),
    ...meetingFields,
  },
  go: {
    ticket: ticketField,
    family: integer(4, 6),
    ip: optional(exactText(1, 64)),
    port: optional(port),
    in_ms: integer(0, 60_000),
    rtt_ms: integer(0, 5_000),
  },
  gone: { ticket: ticketField },
  pong: {
    time: exactText(1, 40),
    authority: exactText(1, MAX_PEM),
    challenge: exactText(CHALLENGE_LENGTH, CHALLENGE_LENGTH),
    /** `open` or `closed`; absent with an old server. */
    registration: optional(exactText(1, 16)),
    authority_proof: optional(signature),
  },
  failure: {
    code: exactText(1, 64),
    message: optional(text(0, MAX_SENTENCE)),
    request: optional(exactText(1, 64)),
    retry_after: optional(integer(0, 86_400)),
  },
  logout_response: {},
  change_password_response: {},
  delete_account_response: {},
} as const satisfies { readonly [action: string]: Fields };

export type ResponseOf<A extends keyof typeof RESPONSES> = Read<(typeof RESPONSES)[A]>;
