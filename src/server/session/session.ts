/**
 * One connection of the rendezvous link (PROTOCOL 4), from its first byte to its end:
 *
 * 1. It is admitted, or told why not, and ends.
 * 2. Its requests go to its desk, which answers them one at a time.
 * 3. `login` or `resume` bind a user to the connection; `logout`, `delete_account` or the end unbind him.
 */
import type { CloseReason, Connection, ConnectionFault, ConnectionHandlers } from "../../net/connection.ts";
import type { FailureCode } from "../../protocol/codes.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { isLoopback } from "../../protocol/ip-address.ts";
import type { Language } from "../../protocol/language.ts";
import { RequestDesk } from "../requests/answer-request.ts";
import { news } from "./responses.ts";
import type { Refusal } from "../limits/admission.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import type { Services } from "./services.ts";

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

export type SessionOptions = {
  /** Counts the server's connections. */
  readonly number: number;
  readonly isPlain: boolean;
  /** What its address is throttled and counted by (`networkOf`). */
  readonly network: string;
  /** It is told so and ended. */
  readonly refusal: Refusal | undefined;
};

const ANONYMOUS: SessionState = { name: "anonymous" };
const CLOSED: SessionState = { name: "closed" };

export class LinkSession implements ConnectionHandlers {
  readonly services: Services;
  readonly network: string;
  /** Of the unencrypted link. */
  readonly isPlain: boolean;
  readonly refusal: Refusal | undefined;
  readonly #number: number;
  #connection: Connection | undefined;
  #state: SessionState = ANONYMOUS;
  #openedAt = performance.now();
  #desk: RequestDesk | undefined;
  #isNear = false;

  constructor(services: Services, options: SessionOptions) {
    this.services = services;
    this.network = options.network;
    this.isPlain = options.isPlain;
    this.refusal = options.refusal;
    this.#number = options.number;
    // Whoever is on the way out takes no place.
    if (this.refusal !== undefined) return;
    services.lobby.enter(this);
    // A handshake that does not come on is silence too.
    services.lobby.silent(this);
  }

  get state(): SessionState {
    return this.#state;
  }

  get ofSeed(): boolean {
    return this.#desk?.ofSeed ?? true;
  }

  get remoteAddress(): string {
    return this.#connection?.remoteAddress ?? "";
  }

  get localAddress(): string {
    return this.#connection?.localAddress ?? "";
  }

  /** Whether the other side is on the server's own machine. */
  get isNear(): boolean {
    return this.#isNear;
  }

  /** The request in work, or the last one, as the log names it: its connection's number and its own. */
  get requestName(): string {
    return `${this.#number}-${this.#desk?.requests ?? 0}`;
  }

  /** Bytes that the server holds for it, about. */
  get heldBytes(): number {
    return this.#connection?.heldBytes ?? 0;
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
    this.#isNear = isLoopback(connection.remoteAddress);
    connection.setKeepAlive(KEEPALIVE);
    const { refusal } = this;
    if (this.services.isClosing()) this.tellAndEnd("server_closing");
    else if (refusal !== undefined) {
      const details = refusal.code === "rate_limited" ? { retry_after: refusal.retryAfter } : {};
      connection.send(news(refusal.code, this.#language, details));
      this.end(refusal.code);
    } else {
      this.#desk = new RequestDesk(this, connection);
      this.services.lobby.silent(this);
    }
  }

  message(object: JsonObject): void {
    this.#desk?.take(object);
  }

  fault(fault: ConnectionFault): void {
    this.#desk?.fault(fault);
  }

  overflow(): void {
    this.services.log.warn("queue_overflow", { address: this.remoteAddress, user: this.#username });
    this.dropAsSlow();
  }

  drained(): void {
    this.#desk?.drained();
  }

  closed(reason: CloseReason, connection: Connection): void {
    if (this.#desk === undefined && reason.name === "refused") {
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
    if (previous !== undefined) previous.session.replaced();
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

  /** Ends at once a connection whose client does not take what it is sent, or sends more than is worked on. */
  dropAsSlow(): void {
    this.services.metrics.dropped("slow_reader");
    this.terminate("overflow");
  }

  /** Says why, and ends. */
  tellAndEnd(code: FailureCode): void {
    this.#connection?.send(news(code, this.#language));
    this.end(code);
  }

  /** Its place goes to a newcomer (PROTOCOL 4: not logged in, and silent the longest). */
  giveWay(): void {
    this.services.metrics.dropped("too_many");
    this.tellAndEnd("server_busy");
  }

  /** Tells a client not of the seed that the server is closing. */
  tellClosing(): void {
    this.push(news("server_closing", this.#language));
  }

  /** Ends the connection, once what is in work is answered; one that shakes hands is told when that is done. */
  endWhenIdle(reason: string): void {
    if (this.#desk?.isWorking === false) this.end(reason);
  }

  /** Sends what was not asked for; not to a client of the seed. */
  push(message: object): void {
    if (!this.ofSeed) this.#connection?.send(message);
  }

  /** Sends watch news; a client of the seed cannot have asked for any. */
  pushPresence(username: string, online: boolean): void {
    // Nobody has left when the server goes.
    if (!this.services.isClosing()) this.push({ action: "presence", username, online });
  }

  /** Ends a connection that has been silent too long; `now` is of `performance.now()`. */
  checkLiveness(now: number): void {
    const connection = this.#connection;
    if (connection === undefined || !this.isAlive) return;
    const isSilent = !this.ofSeed && now - connection.lastReadAt >= IDLE_TIMEOUT;
    const isUnused = this.#desk?.requests === 0 && now - this.#openedAt >= FIRST_REQUEST_TIMEOUT;
    if (!isSilent && !isUnused) return;
    this.services.metrics.dropped("idle");
    this.terminate("idle");
  }

  replaced(): void {
    this.#state = ANONYMOUS;
    this.services.lobby.enter(this);
    this.push(news("session_replaced", this.#language));
    this.end("session_replaced");
  }

  get #language(): Language {
    return this.#desk?.language ?? "es";
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
    this.#desk?.close();
    this.services.lobby.leave(this);
    if (user !== undefined) this.services.log.info("offline", { user, reason });
  }
}
