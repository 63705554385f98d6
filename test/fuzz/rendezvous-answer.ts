/** What PROTOCOL 4 allows as the answer to one request, by the connection's state. */
import { createHash, createPublicKey, verify } from "node:crypto";

import { parseSignature } from "../../src/identity/connection-proof.ts";
import { parsePublicKey } from "../../src/identity/keys.ts";
import { readFields } from "../../src/protocol/fields.ts";
import { ACTIONS, RESPONSE_ACTION, type Action } from "../../src/protocol/rendezvous-messages.ts";
import type { ModelObject } from "./frame-model.ts";

/** What the client knows of its connection. */
export type FuzzedConnection = {
  readonly isPlain: boolean;
  /** The server's certificate (DER); empty on the plain link. */
  readonly leaf: Uint8Array;
  /** In base64; undefined until the first `pong`. */
  readonly challenge: string | undefined;
};

/** What the answer must have; its code is one of `codes`. */
export type AllowedAnswer = {
  readonly action: Action | undefined;
  readonly id: unknown;
  /** The response's type on success, and on failure. */
  readonly success: string;
  readonly failure: string;
  readonly request: string | undefined;
  readonly codes: readonly string[];
  /** The request's fields as the server reads them. */
  readonly fields: ModelObject;
};

const BEFORE_LOGIN: ReadonlySet<string> = new Set(["register", "ping", "login", "resume"]);
const ALWAYS_ERROR: ReadonlySet<string> = new Set(["get_users", "request_p2p"]);
const BUSY = ["rate_limited", "server_busy"];
const OUTCOMES: { readonly [A in Action]: readonly string[] } = {
  register: ["ok", "invalid_username", "weak_password", "invalid_email", "username_taken", ...BUSY],
  login: ["ok", "invalid_credentials", "already_connected", "account_disabled", ...BUSY],
  resume: ["ok", "invalid_credentials", "already_connected", "account_disabled", "rate_limited"],
  get_users: ["ok", "rate_limited"],
  request_p2p: ["ok", "user_offline", "rate_limited"],
  renew: ["ok", "invalid_credentials", "rate_limited"],
  watch: ["ok", "rate_limited", "server_busy"],
  ping: ["ok"],
  revocations: ["ok", "rate_limited"],
  reach: ["ok", "rate_limited", "tls_required"],
  connect: ["ok", "user_offline", "cannot_meet", "no_meeting", "rate_limited", "tls_required"],
  logout: ["ok"],
  change_password: ["ok", "weak_password", "invalid_credentials", ...BUSY],
  delete_account: ["ok", "invalid_credentials", ...BUSY],
};
/** Requests that are refused on the plain link, as is everything with a `public_key`. */
const NEVER_PLAIN: ReadonlySet<string> = new Set([
  ...["resume", "renew", "change_password", "delete_account"],
  ...["reach", "connect"],
]);
const NOT_PROVEN = ["invalid_credentials", "rate_limited"];
/** Requests that hash a password if their fields are valid. */
const HASHING: ReadonlySet<string> = new Set(["register", "login", "change_password", "delete_account"]);

/** An own property, not an inherited one. */
export function own(object: ModelObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function allowedAnswer(
  object: ModelObject,
  isLoggedIn: boolean,
  connection: FuzzedConnection,
): AllowedAnswer {
  const given = own(object, "action");
  const name = typeof given === "string" ? given : undefined;
  const entry = name === undefined ? undefined : ACTIONS.get(name);
  const action = entry === undefined ? undefined : (name as Action);
  const id = repeatableId(own(object, "id"));
  const isRepeated = name !== undefined && name.length >= 1 && name.length <= 64 && name.isWellFormed();
  const common = {
    action,
    id: id === "invalid" ? undefined : id,
    success: action === undefined ? "error" : RESPONSE_ACTION[action],
    failure: action === undefined || ALWAYS_ERROR.has(action) ? "error" : RESPONSE_ACTION[action],
    request: isRepeated ? name : undefined,
    fields: {},
  };
  const only = (code: string): AllowedAnswer => ({ ...common, codes: [code] });
  if (connection.isPlain && (own(object, "public_key") !== undefined || NEVER_PLAIN.has(name ?? ""))) {
    return { ...common, failure: "error", codes: ["tls_required"] };
  }
  if (id === "invalid" || name === undefined) return only("bad_request");
  if (entry === undefined || action === undefined) return only("unknown_action");
  if (!isLoggedIn && !BEFORE_LOGIN.has(action)) return only("not_logged_in");
  const read = readFields(entry.fields, object);
  if (!read.ok) return only("bad_request");
  if (isLoggedIn && (action === "login" || action === "resume")) return only("already_logged_in");
  const key = own(read.value, "public_key");
  if (key !== undefined || action === "resume" || action === "renew") {
    const spki = parsePublicKey(String(key));
    const proof = parseSignature(String(own(read.value, "key_proof")));
    if (spki === undefined || proof === undefined) return only("bad_request");
    if (!isProven(spki, proof, connection)) return { ...common, codes: NOT_PROVEN };
  }
  return { ...common, fields: read.value, codes: OUTCOMES[action] };
}

/** PROTOCOL 3, «Proof of the key», without code of the program. */
function isProven(spki: Buffer, proof: Uint8Array, { challenge, leaf }: FuzzedConnection): boolean {
  if (challenge === undefined) return false;
  const signed = Buffer.concat([
    Buffer.from("paloma key 1"),
    Buffer.from(challenge, "base64"),
    createHash("sha256").update(leaf).digest(),
  ]);
  return verify(null, signed, createPublicKey({ key: spki, format: "der", type: "spki" }), proof);
}

/** Whether the request may cost a password hash. */
export function mayHash(object: ModelObject): boolean {
  const action = own(object, "action");
  if (typeof action !== "string" || !HASHING.has(action)) return false;
  const fields = ACTIONS.get(action)?.fields;
  return fields !== undefined && readFields(fields, object).ok;
}

/** Whether no legacy client sends this. */
export function isNotLegacy(object: ModelObject): boolean {
  const action = own(object, "action");
  const entry = typeof action === "string" ? ACTIONS.get(action) : undefined;
  if (own(object, "id") !== undefined || entry?.legacy === false) return true;
  return entry?.added.some((name) => own(object, name) !== undefined) ?? false;
}

function repeatableId(id: unknown): unknown {
  if (id === undefined || Number.isSafeInteger(id)) return id;
  return typeof id === "string" && id.isWellFormed() && [...id].length <= 64 ? id : "invalid";
}
