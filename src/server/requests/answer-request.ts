/**
 * The requests of one connection (PROTOCOL 4), one after the other: checked, handled, answered, counted.
 * A handler answers at once or, after a password hash, later; whatever it throws is `internal_error`.
 */
import type { Connection, ConnectionFault } from "../../net/connection.ts";
import type { Code } from "../../protocol/codes.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import type { Language } from "../../protocol/language.ts";
import type { Action, RequestId } from "../../protocol/rendezvous-messages.ts";
import { handle } from "./handlers.ts";
import type { LinkSession } from "../session/session.ts";
import { isLocked, withPatience } from "../database/locked-database.ts";
import { OneAtATime } from "./request-queue.ts";
import { checkRequest, isNotOfSeed, languageAskedFor } from "./request-check.ts";
import { failure, responseLine, type Response } from "../session/responses.ts";

/** The garbage with which a connection is closed. */
export const MAX_GARBAGE = 10;

type Item = JsonObject | ConnectionFault;

export class RequestDesk {
  readonly #session: LinkSession;
  readonly #connection: Connection;
  readonly #items: OneAtATime<Item>;
  #language: Language = "es";
  #ofSeed = true;
  #requests = 0;
  #garbage = 0;
  #broken = false;

  constructor(session: LinkSession, connection: Connection) {
    this.#session = session;
    this.#connection = connection;
    this.#items = new OneAtATime(connection, this);
  }

  get ofSeed(): boolean {
    return this.#ofSeed;
  }

  get language(): Language {
    return this.#language;
  }

  /** Requests begun so far; with the connection's number, the name of the last one in the log. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether a request is in work whose answer comes later. */
  get isWorking(): boolean {
    return this.#items.isAnswering;
  }

  take(object: JsonObject): void {
    this.#items.take(object);
  }

  fault(fault: ConnectionFault): void {
    // What is incomplete is told again and again until the connection is closed.
    if (this.#broken) return;
    if (fault !== "garbage") this.#broken = true;
    this.#items.take(fault);
  }

  drained(): void {
    this.#items.drained();
  }

  close(): void {
    this.#items.close();
  }

  /** For the order of the items, and nobody else. */
  begin(item: Item): "answered" | "later" {
    const { lobby } = this.#session.services;
    if (typeof item === "string") this.#answerFault(item);
    else if (this.#request(item) === "later") {
      lobby.working(this.#session);
      return "later";
    }
    lobby.silent(this.#session);
    return "answered";
  }

  /** As `begin`. */
  rest(count: number): number {
    return this.#session.services.throttle.request(this.#session.network, count);
  }

  #answerFault(fault: ConnectionFault): void {
    switch (fault) {
      case "garbage":
        this.#send(failure(undefined, "bad_json"), undefined);
        this.#session.services.metrics.request(undefined, "bad_json", 0);
        if (++this.#garbage >= MAX_GARBAGE) this.#session.end("bad_json");
        return;
      case "tooLarge":
        this.#session.tellAndEnd("message_too_large");
        return;
      case "incomplete":
        this.#session.services.metrics.dropped("slow_writer");
        this.#session.tellAndEnd("bad_request");
        return;
      default:
        fault satisfies never;
    }
  }

  #request(object: JsonObject): "answered" | "later" {
    const session = this.#session;
    const { services } = session;
    this.#requests++;
    if (isNotOfSeed(object)) this.#ofSeed = false;
    this.#language = languageAskedFor(object) ?? this.#language;
    const checked = checkRequest(object, {
      plainFrom: session.isPlain ? services.plainFrom : undefined,
      remoteAddress: session.remoteAddress,
      tlsPort: services.tlsPort(),
      closing: services.isClosing(),
      loggedIn: session.state.name === "loggedIn",
    });
    if (checked.name === "accepted") return this.#handle(checked.action, checked.fields, checked.id);
    this.#send(checked.response, checked.id);
    services.metrics.request(checked.action, codeOf(checked.response), 0);
    return "answered";
  }

  #handle(action: Action, fields: unknown, id: RequestId | undefined): "answered" | "later" {
    const session = this.#session;
    const { lobby, log, metrics } = session.services;
    const begun = performance.now();
    let isAnswered = false;
    let isLater = false;
    const answer = (response: Response) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#send(response, id);
      metrics.request(action, codeOf(response), performance.now() - begun);
      // The answer first, then the end (PROTOCOL 4).
      if (action === "logout" && response.name === "success") session.end("logout");
      if (!isLater) return;
      // What waits behind it would be told no more than that the server is closing, which it was.
      if (session.services.isClosing()) session.end("server_closing");
      lobby.silent(session);
      this.#items.answered();
    };
    const guarded = (step: () => Response | undefined) => {
      const answerWith = () => {
        const response = step();
        if (response !== undefined) answer(response);
      };
      const isWanted = () => session.isAlive;
      const failed = (error: unknown) => {
        const code = isLocked(error) ? "server_busy" : "internal_error";
        log.error(code, error, { action, request: session.requestName });
        answer(failure(action, code));
      };
      withPatience(answerWith, { isWanted, failed });
    };
    guarded(() => handle(action, session, fields, guarded));
    isLater = !isAnswered;
    return isLater ? "later" : "answered";
  }

  #send(response: Response, id: RequestId | undefined): void {
    const manner = { ofSeed: this.#ofSeed, language: this.#language, id };
    this.#connection.sendText(responseLine(response, manner));
  }
}

function codeOf(response: Response): Code {
  return response.name === "failure" ? response.code : "ok";
}
