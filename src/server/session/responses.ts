/**
 * Responses (PROTOCOL 4): each knows which of its fields the seed has, so that a client of the seed is
 * sent those, `success` and `code`, and nothing else.
 */
import { sentenceFor, type FailureCode } from "../../protocol/codes.ts";
import { encodeFrame } from "../../protocol/framing.ts";
import type { Bilingual, Language } from "../../protocol/language.ts";
import { RESPONSE_ACTION, type Action, type RequestId } from "../../protocol/rendezvous-messages.ts";

export type JsonFields = { readonly [name: string]: unknown };

export type Success = {
  readonly name: "success";
  readonly request: Action;
  readonly message?: Bilingual;
  /** Fields that the seed has too. */
  readonly seed: JsonFields;
  readonly added: JsonFields;
};

/** A success whose fields are written already, so that the same text goes to many; it has no `message`. */
export type Written = {
  readonly name: "written";
  readonly request: Action;
  /** The fields between `code` and `id`, as JSON without its braces; at least one. */
  readonly fields: string;
};

export type Failure = {
  readonly name: "failure";
  /** The request's action, undefined where it had none. */
  readonly request: string | undefined;
  readonly code: FailureCode;
  /** The field that is wrong, for `bad_request`. */
  readonly field?: string;
  /** Always an `error`, whatever the request's own response type is. */
  readonly asError?: boolean;
  readonly target_user?: string;
  readonly tls_port?: number;
  /** When to try again, in seconds, for `rate_limited`. */
  readonly retry_after?: number;
};

export type Response = Success | Written | Failure;

/** What of the connection and its request decides how a response is written. */
export type Manner = {
  readonly ofSeed: boolean;
  readonly language: Language;
  readonly id: RequestId | undefined;
};

/** Requests whose failures are an `error`: their response type has no room for one. */
const WITHOUT_FAILURE: ReadonlySet<string> = new Set<Action>(["get_users", "request_p2p"]);
/** Longest action that is repeated in `request`; what is longer is nobody's action. */
const MAX_REPEATED_ACTION = 64;

export function success(
  request: Action,
  fields: { seed?: JsonFields; added?: JsonFields; message?: Bilingual } = {},
): Success {
  const { seed = {}, added = {}, message } = fields;
  return { name: "success", request, seed, added, ...(message === undefined ? {} : { message }) };
}

export function written(request: Action, fields: string): Written {
  return { name: "written", request, fields };
}

export function failure(
  request: string | undefined,
  code: FailureCode,
  details: Omit<Failure, "name" | "request" | "code"> = {},
): Failure {
  return { name: "failure", request, code, ...details };
}

/** The line that goes to the wire. */
export function responseLine(response: Response, manner: Manner): string {
  if (response.name !== "written") return encodeFrame(responseObject(response, manner));
  const { request, fields } = response;
  const { id } = manner;
  const end = id === undefined ? "}\n" : `,"id":${typeof id === "number" ? id : JSON.stringify(id)}}\n`;
  return `{"action":"${RESPONSE_ACTION[request]}","success":true,"code":"ok",${fields}${end}`;
}

/** Absent fields are `undefined`, which JSON leaves out. */
function responseObject(response: Success | Failure, manner: Manner): object {
  const { ofSeed, language, id } = manner;
  if (response.name === "success") {
    const { request, message, seed, added } = response;
    return {
      action: RESPONSE_ACTION[request],
      success: true,
      code: "ok",
      message: message?.[language],
      ...seed,
      ...(ofSeed ? undefined : added),
      id,
    };
  }
  const { request, code, field, target_user, tls_port, retry_after } = response;
  const sentence = sentenceFor(code, language);
  const message = field === undefined ? sentence : `${sentence}: ${field}`;
  const own = response.asError === true ? undefined : ownResponseAction(request);
  if (own !== undefined) {
    return { action: own, success: false, code, message, retry_after: ofSeed ? undefined : retry_after, id };
  }
  return {
    action: "error",
    success: false,
    code,
    message,
    request: request !== undefined && isRepeatable(request) ? request : undefined,
    target_user,
    tls_port,
    retry_after,
    id,
  };
}

/** News that nobody asked for: an `error` without `request`. */
export function news(
  code: FailureCode,
  language: Language,
  details: Pick<Failure, "retry_after"> = {},
): object {
  return responseObject(failure(undefined, code, details), { ofSeed: false, language, id: undefined });
}

function ownResponseAction(request: string | undefined): string | undefined {
  if (request === undefined || WITHOUT_FAILURE.has(request)) return undefined;
  return Object.hasOwn(RESPONSE_ACTION, request) ? RESPONSE_ACTION[request as Action] : undefined;
}

function isRepeatable(action: string): boolean {
  return action.length > 0 && action.length <= MAX_REPEATED_ACTION && action.isWellFormed();
}
