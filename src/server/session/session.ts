/**
 * The session of one client (PROTOCOL 4), from the moment at which bytes may be sent to the end of its connection.
 * `login` and `resume` bind a user to it; `logout`, `delete_account` or the end unbind the user.
 */
import { randomBytes } from "node:crypto";

import { CHALLENGE_BYTES, type ProvenConnection } from "../../identity/connection-proof.ts";
import type { Connection } from "../../net/connection.ts";
import type { FailureCode } from "../../protocol/codes.ts";
import { isLoopback, isPrivate } from "../../protocol/ip-address.ts";
import type { Language } from "../../protocol/language.ts";
import type { PendingConnection } from "../limits/unauthenticated.ts";
import type { OnlineSession, OwnUser } from "../presence/online-user.ts";
import type { Claim } from "../presence/seats.ts";
import { notification } from "./responses.ts";
import type { Services } from "./services.ts";

/** Silence after which a client is dropped unless it is a legacy client, in ms. */
export const IDLE_TIMEOUT = 90_000;
/** How long a connection may be open before its first request, in ms. */
export const FIRST_REQUEST_TIMEOUT = 600_000;

type State =
  | { readonly name: "anonymous" }
  | { readonly name: "loggedIn"; readonly user: OwnUser; readonly claim: Claim }
  | { readonly name: "closed" };

/** The requests that a connection may make (`withoutSecrets`: without a key, a token or a change to an account); any other one must come encrypted. */
export type AllowedRequests = "all" | "withoutSecrets" | "none";

type SessionOptions = {
  readonly connection: Connection;
  /** Its place among the connections not logged in. */
  readonly pending: PendingConnection;
  /** The connection's number, unique in this run of the server. */
  readonly number: number;
  /** The connection is not encrypted. */
  readonly isPlain: boolean;
  readonly allowed: AllowedRequests;
};

const ANONYMOUS: State = { name: "anonymous" };
const CLOSED: State = { name: "closed" };

export class Session implements OnlineSession {
  readonly services: Services;
  readonly isPlain: boolean;
  readonly allowed: AllowedRequests;
  /** The client runs on the server's own machine. */
  readonly isLocal: boolean;
  /** It is seen at a private address, on loopback or at the server's own address. */
  readonly isInside: boolean;
  readonly #connection: Connection;
  readonly #pending: PendingConnection;
  readonly #number: number;
  readonly #openedAt = performance.now();
  #state: State = ANONYMOUS;
  #language: Language = "es";
  #isLegacy = true;
  /** Undefined until it is asked for: most legacy clients never do. As text, which takes a tenth of the memory of bytes. */
  #challenge: string | undefined;
  #requests = 0;
  #garbage = 0;

  constructor(services: Services, { connection, pending, number, isPlain, allowed }: SessionOptions) {
    this.services = services;
    this.#connection = connection;
    this.#pending = pending;
    this.#number = number;
    this.isPlain = isPlain;
    this.allowed = allowed;
    const { remoteAddress, localAddress, told } = connection;
    // Whoever comes through a balancer is not on this machine, whatever address it tells.
    this.isLocal = told === undefined && isLoopback(remoteAddress);
    const isOwn = told === undefined && remoteAddress === localAddress;
    this.isInside = isOwn || (isPrivate(remoteAddress) && (this.isLocal || !isLoopback(remoteAddress)));
    services.unauthenticated.silent(pending);
  }

  /** Who is logged in. */
  get user(): OwnUser | undefined {
    return this.#state.name === "loggedIn" ? this.#state.user : undefined;
  }

  /** The client has sent only requests of the original protocol, and gets only what that has. */
  get isLegacy(): boolean {
    return this.#isLegacy;
  }

  get language(): Language {
    return this.#language;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.remotePort;
  }

  /** In base64: what a client must sign to prove its key on this connection, the same for all its life. */
  get challenge(): string {
    return (this.#challenge ??= randomBytes(CHALLENGE_BYTES).toString("base64"));
  }

  /** What a proof of the client's key is about; not on the plain link, where nothing that needs one is accepted. */
  get provenConnection(): ProvenConnection {
    const leafHash = this.#connection.leafHash as Uint8Array;
    return { challenge: Buffer.from(this.challenge, "base64"), leafHash };
  }

  get localAddress(): string {
    return this.#connection.localAddress;
  }

  /** The network by which its address is limited and counted (`networkOf`). */
  get network(): string {
    return this.#pending.network;
  }

  /** The name of the last request in the log: the number of the connection and of the request. */
  get requestName(): string {
    return `${this.#number}-${this.#requests}`;
  }

  /** Whether the client can still be answered. */
  get isAlive(): boolean {
    return this.#state.name !== "closed" && this.#connection.isOpen;
  }

  /** A request begins. @param language of its answers; undefined: as before. */
  beginRequest(isLegacy: boolean, language: Language | undefined): void {
    this.#requests++;
    if (!isLegacy) this.#isLegacy = false;
    if (language !== undefined) this.#language = language;
  }

  /** Counts one more fault of invalid JSON. @returns how many there were */
  countGarbage(): number {
    return ++this.#garbage;
  }

  /** Sends a response, which is one line. */
  send(line: string): void {
    this.#connection.sendText(line);
  }

  /** A request is being answered: the connection is not evicted until `silent` is called. */
  working(): void {
    if (this.#state.name === "anonymous") this.services.unauthenticated.working(this.#pending);
  }

  /** All requests are answered; from now on the connection may be evicted. */
  silent(): void {
    if (this.#state.name === "anonymous") this.services.unauthenticated.silent(this.#pending);
  }

  /** Binds a user, who has taken the seat that was claimed. */
  bind(user: OwnUser, claim: Claim): void {
    this.services.unauthenticated.leave(this.#pending);
    this.#state = { name: "loggedIn", user, claim };
    claim.bound();
  }

  /** Makes the session anonymous again; watchers are notified. */
  unbind(): void {
    if (this.#state.name !== "loggedIn") return;
    const { user, claim } = this.#state;
    this.#state = ANONYMOUS;
    this.services.unauthenticated.enter(this.#pending);
    this.#left(user, claim);
  }

  /** Ends the connection once everything sent has left; the user is offline at once. */
  end(reason: string): void {
    this.closed(reason);
    this.#connection.end(reason);
  }

  /** Notifies the client of the reason, and ends the session. */
  endWith(code: FailureCode): void {
    this.#connection.send(notification(code, this.#language));
    this.end(code);
  }

  replaced(): void {
    // The user stays online with the other session, which has the seat.
    if (this.#state.name === "loggedIn") this.#endMeetings(this.#state.user);
    else if (this.#state.name === "anonymous") this.services.unauthenticated.leave(this.#pending);
    this.push(notification("session_replaced", this.#language));
    this.#state = CLOSED;
    this.#connection.end("session_replaced");
  }

  /** Sends a notification, unless to a legacy client. */
  push(message: object): void {
    if (!this.#isLegacy) this.#connection.send(message);
  }

  pushLine(line: string): void {
    // Not before the answer to its login.
    if (!this.#isLegacy && this.#state.name === "loggedIn") this.#connection.sendText(line);
  }

  pushPresence(username: string, online: boolean): void {
    // When the server stops, users are not reported as offline.
    if (!this.services.isClosing()) this.push({ action: "presence", username, online });
  }

  /** Drops a connection that has been silent too long; `now` is of `performance.now()`. */
  checkLiveness(now: number): void {
    if (!this.isAlive) return;
    const isSilent = !this.#isLegacy && now - this.#connection.lastReadAt >= IDLE_TIMEOUT;
    const isUnused = this.#requests === 0 && now - this.#openedAt >= FIRST_REQUEST_TIMEOUT;
    if (!isSilent && !isUnused) return;
    this.services.metrics.drops.add("idle");
    this.#connection.terminate("idle");
  }

  /** The connection has closed or is about to. The first reason counts. */
  closed(reason: string): void {
    const state = this.#state;
    this.#state = CLOSED;
    switch (state.name) {
      case "anonymous":
        this.services.unauthenticated.leave(this.#pending);
        return;
      case "loggedIn":
        this.#left(state.user, state.claim);
        this.services.log.info("offline", { user: state.user.username, reason });
        return;
      case "closed":
        return;
      default:
        state satisfies never;
    }
  }

  #endMeetings(user: OwnUser): void {
    this.services.meetings.left(user);
    this.services.observations.left(user);
  }

  #left(user: OwnUser, claim: Claim): void {
    this.#endMeetings(user);
    this.services.seats.leave(claim);
  }
}
