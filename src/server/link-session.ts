/**
 * One connection of the rendezvous link (PROTOCOL 4), from its first byte to its end:
 *
 * 1. Objects and faults are taken in the order of their arrival, one at a time.
 * 2. A request is checked: the link it came on, its `id`, its action, its fields, whether one must be
 *    logged in; then its handler answers at once or, after a password hash, later.
 * 3. `login` or `resume` bind a user to the connection, `logout`, `delete_account` or the end unbind him.
 */
import type { CloseReason, Connection, ConnectionFault, ConnectionHandlers } from "../net/connection.ts";
import type { FailureCode } from "../protocol/codes.ts";
import { encodeFrame, type JsonObject } from "../protocol/framing.ts";
import type { Language } from "../protocol/language.ts";
import type { Action, RequestId } from "../protocol/rendezvous-messages.ts";
import { handle } from "./handlers.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { checkRequest, isNotOfSeed, languageAskedFor } from "./request-check.ts";
import { failure, news, responseObject, type Response } from "./responses.ts";
import type { OnlineUser, Services } from "./services.ts";

/** The garbage with which a connection is closed. */
export const MAX_GARBAGE = 10;
/** Silence after which a connection not of the seed is dropped, in ms. */
export const IDLE_TIMEOUT = 90_000;
/** How long a connection may be open before its first request, in ms. */
export const FIRST_REQUEST_TIMEOUT = 600_000;
/** Silence before the kernel asks whether the other side is still there, in s; then ten times 1 s. */
const KEEPALIVE = 30;

export type SessionState =
  | { readonly name: "anonymous" }
  | { readonly name: "loggedIn"; readonly user: OnlineUser }
  | { readonly name: "closed" };

type Item = JsonObject | ConnectionFault;

const ANONYMOUS: SessionState = { name: "anonymous" };
const CLOSED: SessionState = { name: "closed" };

export class LinkSession implements ConnectionHandlers {
  readonly services: Services;
  readonly #plain: boolean;
  /** Over the bound of connections not logged in: it is told so and ended. */
  readonly #surplus: boolean;
  #connection: Connection | undefined;
  #state: SessionState = ANONYMOUS;
  #language: Language = "es";
  #ofSeed = true;
  #openedAt = performance.now();
  #hadRequest = false;
  #garbage = 0;
  #broken = false;
  #items: OneAtATime<Item> | undefined;

  constructor(services: Services, options: { plain: boolean; surplus: boolean }) {
    this.services = services;
    this.#plain = options.plain;
    this.#surplus = options.surplus;
    services.lobby.enter(this);
    // A handshake that does not come on is silence too.
    services.lobby.silent(this);
  }

  get state(): SessionState {
    return this.#state;
  }

  get ofSeed(): boolean {
    return this.#ofSeed;
  }

  get remoteAddress(): string {
    return this.#connection?.remoteAddress ?? "";
  }

  get localAddress(): string {
    return this.#connection?.localAddress ?? "";
  }

  /** Whether an answer would still reach someone. */
  get isAlive(): boolean {
    return this.#state.name !== "closed" && this.#connection?.isOpen === true;
  }

  // What the connection tells.

  accepted(connection: Connection): void {
    this.#connection = connection;
  }

  secured(_connection: Connection, handshake: { readonly done: boolean }): boolean {
    return handshake.done;
  }

  opened(connection: Connection): void {
    this.#openedAt = performance.now();
    connection.setKeepAlive(KEEPALIVE);
    if (this.services.isClosing()) this.#tellAndEnd("server_closing");
    else if (this.#surplus) this.#tellAndEnd("server_busy");
    else {
      this.#items = new OneAtATime(connection, (item) => this.#begin(item));
      this.services.lobby.silent(this);
    }
  }

  message(object: JsonObject): void {
    this.#items?.take(object);
  }

  fault(fault: ConnectionFault): void {
    // What is incomplete is told again and again until the connection is closed.
    if (this.#broken) return;
    if (fault !== "garbage") this.#broken = true;
    this.#items?.take(fault);
  }

  overflow(connection: Connection): void {
    this.services.log.warn("queue_overflow", { address: this.remoteAddress, user: this.#username });
    connection.terminate("overflow");
  }

  drained(): void {
    this.#items?.drained();
  }

  closed(reason: CloseReason, connection: Connection): void {
    if (this.#items === undefined && reason.name === "refused") {
      this.services.logRefusal(connection.remoteAddress, reason.code);
    }
    this.#leave(reason.name === "remote" ? "closed" : reason.code);
  }

  // What the server does to it.

  /** Binds a user; whoever was online by that name and shows the same key is replaced. The caller has checked. */
  bind(user: OnlineUser): void {
    const previous = this.services.presence.find(user.fold);
    const told = this.services.presence.enter(user);
    this.services.lobby.leave(this);
    this.#state = { name: "loggedIn", user };
    if (previous !== undefined) previous.session.#replaced();
    for (const watcher of told) watcher.session.pushPresence(user.username, true);
  }

  /** Makes the connection anonymous again; watchers are told. */
  unbind(): void {
    if (this.#state.name !== "loggedIn") return;
    const { user } = this.#state;
    this.#state = ANONYMOUS;
    this.services.lobby.enter(this);
    for (const watcher of this.services.presence.leave(user))
      watcher.session.pushPresence(user.username, false);
  }

  /** Ends the connection when what was sent has left. */
  end(reason: string): void {
    this.#leave(reason);
    this.#connection?.end(reason);
  }

  terminate(reason: string): void {
    this.#leave(reason);
    this.#connection?.terminate(reason);
  }

  /** Its place goes to a newcomer (PROTOCOL 4: not logged in, and silent the longest). */
  giveWay(): void {
    this.#tellAndEnd("server_busy");
  }

  /** Tells a client not of the seed that the server is closing. */
  tellClosing(): void {
    if (!this.#ofSeed) this.push(news("server_closing", this.#language));
  }

  /** Sends what was not asked for; not to a client of the seed. */
  push(message: object): void {
    if (!this.#ofSeed) this.#connection?.send(message);
  }

  /** Ends a connection that has been silent too long; `now` is of `performance.now()`. */
  checkLiveness(now: number): void {
    const connection = this.#connection;
    if (connection === undefined || !this.isAlive) return;
    const silent = !this.#ofSeed && now - connection.lastReadAt >= IDLE_TIMEOUT;
    if (silent || (!this.#hadRequest && now - this.#openedAt >= FIRST_REQUEST_TIMEOUT))
      this.terminate("idle");
  }

  /** Sends watch news; a client of the seed cannot have asked for any. */
  pushPresence(username: string, online: boolean): void {
    this.push({ action: "presence", username, online });
  }

  // One item after the other.

  #begin(item: Item): "answered" | "later" {
    const { lobby } = this.services;
    if (typeof item === "string") this.#answerFault(item);
    else if (this.#request(item) === "later") {
      lobby.working(this);
      return "later";
    }
    lobby.silent(this);
    return "answered";
  }

  #answerFault(fault: ConnectionFault): void {
    switch (fault) {
      case "garbage":
        this.#send(failure(undefined, "bad_json"), undefined);
        if (++this.#garbage >= MAX_GARBAGE) this.end("bad_json");
        return;
      case "tooLarge":
        this.#tellAndEnd("message_too_large");
        return;
      case "incomplete":
        this.#tellAndEnd("bad_request");
        return;
      default:
        fault satisfies never;
    }
  }

  #request(object: JsonObject): "answered" | "later" {
    const { services } = this;
    this.#hadRequest = true;
    if (isNotOfSeed(object)) this.#ofSeed = false;
    this.#language = languageAskedFor(object) ?? this.#language;
    const checked = checkRequest(object, {
      plainFrom: this.#plain ? services.plainFrom : undefined,
      remoteAddress: this.remoteAddress,
      tlsPort: services.tlsPort(),
      closing: services.isClosing(),
      loggedIn: this.#state.name === "loggedIn",
    });
    if (checked.name === "accepted") return this.#handle(checked.action, checked.fields, checked.id);
    this.#send(checked.response, checked.id);
    return "answered";
  }

  #handle(action: Action, fields: unknown, id: RequestId | undefined): "answered" | "later" {
    let answered = false;
    let later = false;
    const answer = (response: Response) => {
      if (answered) return;
      answered = true;
      this.#send(response, id);
      // The answer first, then the end (PROTOCOL 4).
      if (action === "logout" && response.name === "success") this.end("logout");
      if (!later) return;
      this.services.lobby.silent(this);
      this.#items?.answered();
    };
    const guarded = (step: () => Response | undefined) => {
      try {
        const response = step();
        if (response !== undefined) answer(response);
      } catch (error) {
        this.services.log.error("internal_error", error, { request: action });
        answer(failure(action, "internal_error"));
      }
    };
    guarded(() => handle(action, this, fields, guarded));
    later = !answered;
    return later ? "later" : "answered";
  }

  #send(response: Response, id: RequestId | undefined): void {
    const manner = { ofSeed: this.#ofSeed, language: this.#language, id };
    this.#connection?.sendText(encodeFrame(responseObject(response, manner)));
  }

  #tellAndEnd(code: FailureCode): void {
    this.#connection?.send(news(code, this.#language));
    this.end(code);
  }

  #replaced(): void {
    this.#state = ANONYMOUS;
    this.services.lobby.enter(this);
    this.push(news("session_replaced", this.#language));
    this.end("session_replaced");
  }

  get #username(): string | undefined {
    return this.#state.name === "loggedIn" ? this.#state.user.username : undefined;
  }

  /** Closed is final: offline at once, however long the socket takes. */
  #leave(reason: string): void {
    if (this.#state.name === "closed") return;
    const user = this.#username;
    this.unbind();
    this.#state = CLOSED;
    this.#items?.close();
    this.services.lobby.leave(this);
    if (user !== undefined) this.services.log.info("offline", { user, reason });
  }
}
