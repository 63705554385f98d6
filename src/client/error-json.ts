/** Errors as JSON, for another process of the same account, and back. */
import { FileMovedError } from "../net/open-file.ts";
import type { JsonObject } from "../protocol/framing.ts";
import { ActionError, SelfError, type ActionFault } from "./conversation/message-actions.ts";
import { isStorageFailure } from "./disk/sqlite.ts";
import { TransferError, type TransferFault } from "./file/transfer/transfer-error.ts";
import { GroupError, type GroupFault } from "./group/store/group-error.ts";
import { AccountMovedError } from "./profile/profile.ts";
import {
  PasswordNeededError,
  RefusedError,
  ServerError,
  type ServerErrorCode,
} from "./rendezvous/server-errors.ts";

/** A request that cannot be carried out as it was sent. `code`: `bad_request` or `unknown_command`. */
export class RequestError extends Error {
  readonly code: "bad_request" | "unknown_command";

  constructor(code: RequestError["code"], what: string) {
    super(what);
    this.code = code;
  }
}

/** `kind` says which class `errorOf` makes of it; programs read `code` and `message`. */
export function errorJson(error: unknown): JsonObject {
  if (!(error instanceof Error)) return { kind: "internal", code: "internal_error", message: String(error) };
  const { message } = error;
  if (error instanceof ServerError) {
    const { code, expected = null, found = null } = error;
    return { kind: "server", code, message, expected, found };
  }
  if (error instanceof RefusedError) {
    const { code, retryAfter } = error;
    return {
      kind: "refused",
      code,
      message,
      ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    };
  }
  if (error instanceof PasswordNeededError)
    return { kind: "password", code: error.tokenRefused ? "session_ended" : "password_needed", message };
  if (error instanceof ActionError) return { kind: "action", code: error.code, message };
  if (error instanceof TransferError) return { kind: "transfer", code: error.code, message };
  if (error instanceof GroupError) {
    const { code, title } = error;
    return { kind: "group", code, message, ...(title === undefined ? {} : { title }) };
  }
  if (error instanceof SelfError) return { kind: "self", code: "to_oneself", message };
  if (error instanceof RequestError) return { kind: "request", code: error.code, message };
  if (error instanceof AccountMovedError) {
    const { code, at } = error;
    const since = at === undefined ? {} : { at: new Date(at).toISOString() };
    return { kind: "account_moved", code, message, ...since };
  }
  if (error instanceof FileMovedError) return { kind: "moved", code: error.code, message, file: error.file };
  if (isStorageFailure(error)) return { kind: "storage", code: error.code, message };
  return { kind: "internal", code: "internal_error", message };
}

/** The error of `errorJson`, of the class that was thrown in the other process. */
export function errorOf(json: unknown): Error {
  const read = typeof json === "object" && json !== null ? (json as { [name: string]: unknown }) : {};
  const text = (name: string) => (typeof read[name] === "string" ? read[name] : undefined);
  const [code = "", message = ""] = [text("code"), text("message")];
  const retryAfter = typeof read["retry_after"] === "number" ? read["retry_after"] : undefined;
  switch (read["kind"]) {
    case "server":
      return new ServerError(code as ServerErrorCode, { expected: text("expected"), found: text("found") });
    case "refused":
      return new RefusedError(code, message, retryAfter);
    case "password":
      return new PasswordNeededError(code === "session_ended");
    case "action":
      return new ActionError(code as ActionFault);
    case "transfer":
      return new TransferError(code as TransferFault);
    case "group":
      return new GroupError(code as GroupFault, text("title"));
    case "self":
      return new SelfError();
    case "request":
      return new RequestError(code as RequestError["code"], message);
    case "account_moved": {
      const at = text("at");
      return new AccountMovedError(at === undefined ? undefined : Date.parse(at));
    }
    case "moved":
      return new FileMovedError(text("file") ?? "");
    case "storage":
      return Object.assign(new Error(message), { code });
    default:
      return new Error(message);
  }
}
