/**
 * Answers one request (PROTOCOL 4): it is checked, handled, answered and counted. A handler that uses neither the
 * store nor a password hash answers at once; an error in a handler is answered `internal_error`.
 */
import type { ConnectionFault } from "../../net/connection.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import type { OwnUser } from "../presence/online-user.ts";
import {
  codeOf,
  failure,
  responseLine,
  UNKNOWN_ACTION,
  type Failure,
  type Response,
} from "../session/responses.ts";
import type { Session } from "../session/session.ts";
import { StoreBusy } from "../store/store.ts";
import type { RequestRow } from "./handlers.ts";
import { checkRequest, readRequest, type ReadRequest } from "./request-check.ts";

/** The connection is closed at this number of faults of invalid JSON. */
export const MAX_GARBAGE = 10;

/** @returns undefined if the request is answered; otherwise resolves once it is, or its client has disconnected. */
export function answerRequest(session: Session, object: JsonObject): Promise<void> | undefined {
  const { services } = session;
  const request = readRequest(object);
  session.beginRequest(request.isLegacy, request.language);
  const checked = checkRequest(request, {
    allowed: session.allowed,
    tlsPort: services.tlsPort(),
    isClosing: services.isClosing(),
    isLoggedIn: session.user !== undefined,
  });
  if (checked.name === "failure") {
    respond(session, request, checked, 0);
    return undefined;
  }
  const { row, fields } = checked;
  const begun = performance.now();
  let response: Response | Promise<Response | undefined>;
  try {
    // `checkRequest` has refused requests that need a user where there is none.
    response = row.handle(session, fields, session.user as OwnUser);
  } catch (error) {
    response = failed(session, row, error);
  }
  if (response instanceof Promise) return answerLater(session, request, row, response, begun);
  respond(session, request, response, performance.now() - begun);
  return undefined;
}

/** Answers bytes that are not an object, and ends the connection if necessary. */
export function answerFault(session: Session, fault: ConnectionFault): undefined {
  const { metrics } = session.services;
  switch (fault) {
    case "garbage":
      session.send(
        responseLine(failure("bad_json"), {
          action: undefined,
          responses: UNKNOWN_ACTION,
          isLegacy: session.isLegacy,
          language: session.language,
          id: undefined,
        }),
      );
      metrics.request(undefined, "bad_json", 0);
      if (session.countGarbage() >= MAX_GARBAGE) session.end("bad_json");
      break;
    case "tooLarge":
      session.endWith("message_too_large");
      break;
    case "incomplete":
      metrics.drops.add("slow_writer");
      session.endWith("bad_request");
      break;
    default:
      fault satisfies never;
  }
  session.silent();
}

async function answerLater(
  session: Session,
  request: ReadRequest,
  row: RequestRow,
  pending: Promise<Response | undefined>,
  begun: number,
): Promise<void> {
  session.working();
  const response = await pending.catch((error: unknown) => failed(session, row, error));
  // The client has disconnected.
  if (response === undefined) return;
  respond(session, request, response, performance.now() - begun);
  // Its client was notified by `announceClosing`; requests that wait are not answered.
  if (session.services.isClosing()) session.end("server_closing");
}

/** @param took in ms; 0 when the request was not handled. */
function respond(session: Session, request: ReadRequest, response: Response, took: number): void {
  const { action, row, id } = request;
  const { isLegacy, language, services } = session;
  const responses = row?.responses ?? UNKNOWN_ACTION;
  session.send(responseLine(response, { action, responses, isLegacy, language, id }));
  services.metrics.request(row?.action, codeOf(response), took);
  // The answer first, then the end (PROTOCOL 4).
  if (row?.action === "logout" && response.name === "success") session.end("logout");
  session.silent();
}

function failed(session: Session, { action }: RequestRow, error: unknown): Failure {
  if (error instanceof StoreBusy) {
    session.services.logBusyStore(error.code);
    return failure("server_busy");
  }
  session.services.log.error("internal_error", error, { action, request: session.requestName });
  return failure("internal_error");
}
