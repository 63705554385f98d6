/**
 * What a request must be before it is handled (PROTOCOL 2 and 4), in this order: it came on a link that
 * it may use, its `id` can be repeated, its action is known, the server is not closing, its sender is
 * logged in where that is needed, and its fields are right. Pure.
 */
import { readFields } from "../../protocol/fields.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { isLoopback, isPrivate } from "../../protocol/ip-address.ts";
import type { Language } from "../../protocol/language.ts";
import { ACTIONS, readRequestId, type Action, type RequestId } from "../../protocol/rendezvous-messages.ts";
import { failure, type Response } from "../session/responses.ts";
import type { PlainFrom } from "../config.ts";

/** What a request's check depends on beside the request. */
export type Circumstances = {
  /** Who may use the plain link, when it came on that. */
  readonly plainFrom: PlainFrom | undefined;
  readonly remoteAddress: string;
  readonly tlsPort: number;
  readonly closing: boolean;
  readonly loggedIn: boolean;
};

export type Checked =
  | {
      readonly name: "accepted";
      readonly action: Action;
      readonly fields: unknown;
      readonly id: RequestId | undefined;
    }
  | {
      readonly name: "refused";
      /** The action, where it is one. */
      readonly action: Action | undefined;
      readonly response: Response;
      readonly id: RequestId | undefined;
    };

/** What works before login too; asked here and nowhere else. */
const WITHOUT_LOGIN: ReadonlySet<Action> = new Set<Action>(["register", "ping", "login", "resume"]);
/** Requests that carry or make a secret, and so never travel readable between machines (PROTOCOL 2). */
const NEVER_PLAIN: ReadonlySet<Action> = new Set<Action>([
  "resume",
  "renew",
  "change_password",
  "delete_account",
]);

export function checkRequest(object: JsonObject, circumstances: Circumstances): Checked {
  const given = own(object, "action");
  const action = typeof given === "string" ? given : undefined;
  const readId = readRequestId(own(object, "id"));
  const id = readId === "invalid" ? undefined : readId;
  const refused = (...details: Parameters<typeof failure>): Checked => ({
    name: "refused",
    action: action !== undefined && ACTIONS.has(action) ? (action as Action) : undefined,
    response: failure(...details),
    id,
  });

  if (mustBeEncrypted(action, object, circumstances)) {
    return refused(action, "tls_required", { asError: true, tls_port: circumstances.tlsPort });
  }
  if (readId === "invalid") return refused(action, "bad_request", { field: "id" });
  if (action === undefined) return refused(undefined, "bad_request", { field: "action" });
  const entry = ACTIONS.get(action);
  if (entry === undefined) return refused(action, "unknown_action");
  if (circumstances.closing) return refused(action, "server_closing");
  if (!circumstances.loggedIn && !WITHOUT_LOGIN.has(action as Action))
    return refused(action, "not_logged_in");
  const fields = readFields(entry.fields, object);
  if (!fields.ok) return refused(action, "bad_request", { field: fields.field });
  return { name: "accepted", action: action as Action, fields: fields.value, id };
}

/** Whether no client of the seed sends this: it carries an `id`, a field that we added, or is an action of ours. */
export function isNotOfSeed(object: JsonObject): boolean {
  const action = own(object, "action");
  const entry = typeof action === "string" ? ACTIONS.get(action) : undefined;
  if (entry?.ours === true || own(object, "id") !== undefined) return true;
  return entry?.added.some((name) => own(object, name) !== undefined) === true;
}

/** The language that a request asks for, where its action has that field; it counts even if the request fails. */
export function languageAskedFor(object: JsonObject): Language | undefined {
  const action = own(object, "action");
  const check = typeof action === "string" ? ACTIONS.get(action)?.fields["lang"] : undefined;
  const language = check?.(own(object, "lang"));
  return language === "es" || language === "en" ? language : undefined;
}

function mustBeEncrypted(
  action: string | undefined,
  object: JsonObject,
  circumstances: Circumstances,
): boolean {
  const { plainFrom, remoteAddress } = circumstances;
  if (plainFrom === undefined || isLoopback(remoteAddress)) return false;
  switch (plainFrom) {
    case "none":
    case "loopback":
      return true;
    case "private":
      if (!isPrivate(remoteAddress)) return true;
      break;
    case "any":
      break;
    default:
      return plainFrom satisfies never;
  }
  return NEVER_PLAIN.has(action as Action) || own(object, "public_key") !== undefined;
}

/** An own property, so that nothing is found on `Object.prototype`. */
function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
