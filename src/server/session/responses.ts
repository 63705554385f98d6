/**
 * Responses (PROTOCOL 4). A success separates the fields of the original protocol from added ones: a legacy client gets
 * only the former, `success` and `code`.
 */
import { sentenceFor, type Code, type FailureCode } from "../../protocol/codes.ts";
import { encodeFrame } from "../../protocol/framing.ts";
import type { Bilingual, Language } from "../../protocol/language.ts";
import type { RequestId } from "../../protocol/rendezvous-messages.ts";

type JsonFields = { readonly [name: string]: unknown };

type Success = {
  readonly name: "success";
  readonly message: Bilingual | undefined;
  /** Fields for every client. */
  readonly common: JsonFields;
  /** Fields that legacy clients do not get. */
  readonly added: JsonFields;
};

/** A success without `message` whose fields are already JSON, so that one text serves many requests. */
export type Written = {
  readonly name: "written";
  /** The fields between `code` and `id`, as JSON without its braces; at least one. */
  readonly fields: string;
};

export type Failure = {
  readonly name: "failure";
  readonly code: FailureCode;
  /** The invalid field, for `bad_request`. */
  readonly field?: string;
  readonly target_user?: string;
  readonly tls_port?: number;
  /** When to try again, in seconds, for `rate_limited`. */
  readonly retry_after?: number;
};

export type Response = Success | Written | Failure;

/** The `action` of a request's responses. */
export type ResponseActions = { readonly success: string; readonly failure: string };

/** The properties of the connection and the request that decide how a response is written. */
export type ResponseContext = {
  /** The action of the request as it was sent; undefined if it had none. */
  readonly action: string | undefined;
  /** `UNKNOWN_ACTION` if the protocol has no such action. */
  readonly responses: ResponseActions;
  readonly isLegacy: boolean;
  readonly language: Language;
  readonly id: RequestId | undefined;
};

/** For requests that cannot succeed. */
export const UNKNOWN_ACTION: ResponseActions = { success: "error", failure: "error" };

/** Longest action that is repeated in `request`, in UTF-16 units; all actions of the protocol are shorter. */
const MAX_REPEATED_ACTION = 64;

export function success(
  fields: { common?: JsonFields; added?: JsonFields; message?: Bilingual } = {},
): Success {
  return { name: "success", message: fields.message, common: fields.common ?? {}, added: fields.added ?? {} };
}

export function written(fields: string): Written {
  return { name: "written", fields };
}

export function failure(code: FailureCode, details: Omit<Failure, "name" | "code"> = {}): Failure {
  return { name: "failure", code, ...details };
}

/** @param retryAfter in seconds. */
export function rateLimited({ retryAfter }: { readonly retryAfter: number }): Failure {
  return failure("rate_limited", { retry_after: retryAfter });
}

export function codeOf(response: Response): Code {
  return response.name === "failure" ? response.code : "ok";
}

/** The response as one line of JSON. */
export function responseLine(response: Response, context: ResponseContext): string {
  const { responses, id } = context;
  switch (response.name) {
    case "written": {
      const end = id === undefined ? "}\n" : `,"id":${typeof id === "number" ? id : JSON.stringify(id)}}\n`;
      return `{"action":"${responses.success}","success":true,"code":"ok",${response.fields}${end}`;
    }
    case "success":
      // JSON leaves out what is undefined.
      return encodeFrame({
        action: responses.success,
        success: true,
        code: "ok",
        message: response.message?.[context.language],
        ...response.common,
        ...(context.isLegacy ? undefined : response.added),
        id,
      });
    case "failure":
      return encodeFrame(failureObject(response, context));
    default:
      return response satisfies never;
  }
}

/** A message that is not a response: an `error` without `request`. */
export function notification(
  code: FailureCode,
  language: Language,
  details: Pick<Failure, "retry_after"> = {},
): object {
  return failureObject(failure(code, details), {
    action: undefined,
    responses: UNKNOWN_ACTION,
    isLegacy: false,
    language,
    id: undefined,
  });
}

function failureObject(response: Failure, context: ResponseContext): object {
  const { code, field, target_user, tls_port, retry_after } = response;
  const { action, responses, isLegacy, language, id } = context;
  const sentence = sentenceFor(code, language);
  const message = field === undefined ? sentence : `${sentence}: ${field}`;
  // `tls_required` is always an `error` (PROTOCOL 2).
  if (responses.failure !== "error" && code !== "tls_required") {
    const retryAfter = isLegacy ? undefined : retry_after;
    return { action: responses.failure, success: false, code, message, retry_after: retryAfter, id };
  }
  return {
    action: "error",
    success: false,
    code,
    message,
    request: action !== undefined && isRepeatable(action) ? action : undefined,
    target_user,
    tls_port,
    retry_after,
    id,
  };
}

function isRepeatable(action: string): boolean {
  return action.length > 0 && action.length <= MAX_REPEATED_ACTION && action.isWellFormed();
}
