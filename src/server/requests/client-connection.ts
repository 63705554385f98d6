/**
 * One connection of the rendezvous link (PROTOCOL 4), from its acceptance to its end:
 *
 * 1. While it opens it has a place among those not logged in, unless it is refused.
 * 2. Once open, a refused connection gets the reason and ends. Any other gets a session.
 * 3. Its requests go to the queue, which answers them one at a time.
 */
import type { CloseReason, Connection, ConnectionFault, ConnectionHandlers } from "../../net/connection.ts";
import type { FailureCode } from "../../protocol/codes.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import type { Refusal } from "../limits/admission.ts";
import type { PendingConnection } from "../limits/unauthenticated.ts";
import { notification } from "../session/responses.ts";
import type { Services } from "../session/services.ts";
import { Session } from "../session/session.ts";
import { allowedRequests } from "./request-check.ts";
import { RequestQueue } from "./request-queue.ts";

/** Silence before the kernel sends keepalive probes, in s; ten probes follow, 1 s apart. */
const KEEPALIVE = 30;

/** `plain`: not encrypted. */
export type Link = "plain" | "tls";

type State =
  | { readonly name: "opening" }
  | { readonly name: "refused"; readonly refusal: Refusal }
  | { readonly name: "served"; readonly session: Session; readonly queue: RequestQueue };

const OPENING: State = { name: "opening" };

type ClientConnectionOptions = {
  /** Unique in this run of the server. */
  readonly number: number;
  readonly link: Link;
  /** The network by which its address is limited and counted (`networkOf`). */
  readonly network: string;
  /** Why it is not served; undefined: it is served. */
  readonly refusal: Refusal | undefined;
  /** Called when it has closed. */
  readonly onClosed: (connection: ClientConnection) => void;
};

export class ClientConnection implements ConnectionHandlers, PendingConnection {
  readonly network: string;
  readonly link: Link;
  readonly #services: Services;
  readonly #number: number;
  readonly #onClosed: (connection: ClientConnection) => void;
  // The listener calls `accepted` before anything else.
  #connection!: Connection;
  #state: State = OPENING;

  constructor(services: Services, { number, link, network, refusal, onClosed }: ClientConnectionOptions) {
    this.network = network;
    this.link = link;
    this.#services = services;
    this.#number = number;
    this.#onClosed = onClosed;
    if (refusal !== undefined) {
      this.#state = { name: "refused", refusal };
      return;
    }
    services.unauthenticated.enter(this);
    // A handshake that stalls counts as silence.
    services.unauthenticated.silent(this);
  }

  get isRefused(): boolean {
    return this.#state.name === "refused";
  }

  /** About how many bytes the server holds for it. */
  get heldBytes(): number {
    return this.#connection.heldBytes;
  }

  accepted(connection: Connection): void {
    this.#connection = connection;
  }

  secured(_connection: Connection, handshake: { readonly done: boolean }): boolean {
    return handshake.done;
  }

  opened(connection: Connection): void {
    connection.setKeepAlive(KEEPALIVE);
    if (this.#services.isClosing()) this.#refuse("server_closing");
    else if (this.#state.name === "refused") {
      const { refusal } = this.#state;
      this.#refuse(refusal.code, refusal.code === "rate_limited" ? refusal.retryAfter : undefined);
    } else {
      const isPlain = this.link === "plain";
      const plainFrom = isPlain ? this.#services.plainFrom : undefined;
      const allowed = allowedRequests(plainFrom, connection.remoteAddress);
      const number = this.#number;
      const session = new Session(this.#services, { connection, pending: this, number, isPlain, allowed });
      this.#state = { name: "served", session, queue: new RequestQueue(session, connection) };
    }
  }

  message(object: JsonObject): void {
    if (this.#state.name === "served") this.#state.queue.take(object);
  }

  fault(fault: ConnectionFault): void {
    if (this.#state.name === "served") this.#state.queue.take(fault);
  }

  overflow(): void {
    const user = this.#state.name === "served" ? this.#state.session.user : undefined;
    this.#services.log.warn("queue_overflow", {
      address: this.#connection.remoteAddress,
      user: user?.username,
    });
    this.dropAsSlow();
  }

  drained(): void {
    if (this.#state.name === "served") this.#state.queue.drained();
  }

  closed(reason: CloseReason, connection: Connection): void {
    if (reason.name === "refused") this.#services.logRefusal(connection.remoteAddress, reason.code);
    if (this.#state.name === "served") {
      this.#state.session.closed(reason.name === "remote" ? "closed" : reason.code);
    } else this.#services.unauthenticated.leave(this);
    this.#onClosed(this);
  }

  evict(): void {
    this.#services.metrics.drops.add("too_many");
    if (this.#state.name === "served") this.#state.session.endWith("server_busy");
    else this.#connection.end("server_busy");
  }

  /** Drops the connection: its client does not read, or sends faster than it is answered. */
  dropAsSlow(): void {
    this.#services.metrics.drops.add("slow_reader");
    this.terminate("overflow");
  }

  /** Notifies the client, unless it is a legacy client, that the server is closing. */
  announceClosing(): void {
    if (this.#state.name !== "served") return;
    const { session } = this.#state;
    session.push(notification("server_closing", session.language));
  }

  /** Ends the connection unless it is opening or a request is being answered; then it ends after that. */
  endIfIdle(reason: string): void {
    if (this.#state.name === "served" && !this.#state.queue.isAnswering) this.#state.session.end(reason);
  }

  terminate(reason: string): void {
    this.#connection.terminate(reason);
  }

  /** Drops the connection if it has been silent too long; `now` is of `performance.now()`. */
  checkLiveness(now: number): void {
    if (this.#state.name === "served") this.#state.session.checkLiveness(now);
  }

  #refuse(code: FailureCode, retryAfter?: number): void {
    // The language of the client is not known yet.
    const details = retryAfter === undefined ? {} : { retry_after: retryAfter };
    this.#connection.send(notification(code, "es", details));
    this.#connection.end(code);
  }
}
