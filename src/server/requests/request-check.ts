/**
 * The checks of a request before it is handled (PROTOCOL 2 and 4), in this order: it came on a link that
 * it may use, its `id` can be repeated, its action is known, the server is not closing, its sender is
 * logged in if that is needed, and its fields are valid. Pure.
 */
import { readFields } from "../../protocol/fields.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { isLoopback, isPrivate } from "../../protocol/ip-address.ts";
import type { Language } from "../../protocol/language.ts";
import { readRequestId, type RequestId } from "../../protocol/rendezvous-messages.ts";
import type { PlainFrom } from "../config.ts";
import { failure, type Failure } from "../session/responses.ts";
import type { AllowedRequests } from "../session/session.ts";
import { REQUESTS, type RequestRow } from "./handlers.ts";

/** The parts of a request that are read before it is checked. */
export type ReadRequest = {
  readonly object: JsonObject;
  /** As it was sent; undefined if it is not a string. */
  readonly action: string | undefined;
  /** Undefined for an unknown action. */
  readonly row: RequestRow | undefined;
  readonly id: RequestId | undefined;
  readonly isIdValid: boolean;
  /** It could come from a legacy client: it has no `id`, and no field or action that legacy clients lack. */
  readonly isLegacy: boolean;
  /** The language that it requests, if its action has that field; it counts even if the request fails. */
  readonly language: Language | undefined;
};

/** The state on which the check of a request depends. */
export type RequestContext = {
  readonly allowed: AllowedRequests;
  readonly tlsPort: number;
  readonly isClosing: boolean;
  readonly isLoggedIn: boolean;
};

type Accepted = { readonly name: "accepted"; readonly row: RequestRow; readonly fields: unknown };

export function readRequest(object: JsonObject): ReadRequest {
  const given = own(object, "action");
  const action = typeof given === "string" ? given : undefined;
  const row = action === undefined ? undefined : REQUESTS.get(action);
  const givenId = own(object, "id");
  const id = readRequestId(givenId);
  const language = row?.fields["lang"]?.(own(object, "lang"));
  return {
    object,
    action,
    row,
    id: id === "invalid" ? undefined : id,
    isIdValid: id !== "invalid",
    isLegacy:
      givenId === undefined &&
      row?.legacy !== false &&
      row?.added.some((name) => own(object, name) !== undefined) !== true,
    language: language === "es" || language === "en" ? language : undefined,
  };
}

export function checkRequest(request: ReadRequest, context: RequestContext): Accepted | Failure {
  const { object, row } = request;
  if (mustBeEncrypted(request, context.allowed))
    return failure("tls_required", { tls_port: context.tlsPort });
  if (!request.isIdValid) return failure("bad_request", { field: "id" });
  if (request.action === undefined) return failure("bad_request", { field: "action" });
  if (row === undefined) return failure("unknown_action");
  if (context.isClosing) return failure("server_closing");
  if (row.needsLogin && !context.isLoggedIn) return failure("not_logged_in");
  const fields = readFields(row.fields, object);
  if (!fields.ok) return failure("bad_request", { field: fields.field });
  return { name: "accepted", row, fields: fields.value };
}

/**
 * Which requests a connection may make (PROTOCOL 2).
 * @param plainFrom who may use the plain link, if the connection came on that.
 */
export function allowedRequests(plainFrom: PlainFrom | undefined, remoteAddress: string): AllowedRequests {
  if (plainFrom === undefined) return "all";
  if (isLoopback(remoteAddress)) return "withoutSecrets";
  switch (plainFrom) {
    case "none":
    case "loopback":
      return "none";
    case "private":
      return isPrivate(remoteAddress) ? "withoutSecrets" : "none";
    case "any":
      return "withoutSecrets";
    default:
      return plainFrom satisfies never;
  }
}

function mustBeEncrypted({ object, row }: ReadRequest, allowed: AllowedRequests): boolean {
  switch (allowed) {
    case "all":
      return false;
    case "withoutSecrets":
      return row?.neverPlain === true || own(object, "public_key") !== undefined;
    case "none":
      return true;
    default:
      return allowed satisfies never;
  }
}

/** An own property, so that nothing is found on `Object.prototype`. */
function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
