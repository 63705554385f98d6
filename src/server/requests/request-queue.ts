/**
 * The order of one connection's requests (PROTOCOL 4): one is answered at a time, a few wait, then reading pauses. A
 * client that does not read its answers is not answered further until it does, and after many requests in a row all
 * other connections have their turn first.
 */
import type { Connection, ConnectionFault } from "../../net/connection.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import type { Session } from "../session/session.ts";
import { answerFault, answerRequest } from "./answer-request.ts";

/** Requests of one connection that may wait; then reading pauses. */
const MAX_WAITING = 16;
/** Bytes queued to a connection beyond which its next request waits. */
const CONGESTION_LIMIT = 256 * 1024;
/** Requests of one connection after which all other connections have their turn. */
const MAX_IN_A_ROW = 64;

/** `answering`: a request is being answered; `congested`: the client does not read; `resting`: others have their turn. */
type State = "idle" | "answering" | "congested" | "resting";

type Item = JsonObject | ConnectionFault;

export class RequestQueue {
  readonly #session: Session;
  readonly #connection: Connection;
  #state: State = "idle";
  /** Undefined until the first item waits: most connections never need it. */
  #waiting: Item[] | undefined;
  #inARow = 0;

  constructor(session: Session, connection: Connection) {
    this.#session = session;
    this.#connection = connection;
  }

  /** Whether a request is being answered. */
  get isAnswering(): boolean {
    return this.#state === "answering";
  }

  take(item: Item): void {
    if (this.#state === "idle") {
      this.#answer(item);
      if (this.#isHeldBack()) this.#connection.pauseReading();
      return;
    }
    this.#waiting ??= [];
    // A fatal fault is reported again and again until the connection ends.
    if (isFatal(this.#waiting.at(-1))) return;
    this.#waiting.push(item);
    if (this.#waiting.length >= MAX_WAITING) this.#connection.pauseReading();
  }

  /** The connection's queue is empty again. */
  drained(): void {
    if (this.#state === "congested") this.#goOn();
  }

  #goOn(): void {
    this.#state = "idle";
    while (this.#state === "idle" && this.#connection.isOpen && !this.#isHeldBack()) {
      const item = this.#waiting?.shift();
      if (item === undefined) {
        this.#connection.resumeReading();
        return;
      }
      this.#answer(item);
    }
  }

  #answer(item: Item): void {
    this.#inARow++;
    const answered =
      typeof item === "string" ? answerFault(this.#session, item) : answerRequest(this.#session, item);
    if (answered === undefined) return;
    this.#state = "answering";
    void answered.then(() => this.#goOn());
  }

  /** Whether the next item has to wait although no request is being answered. */
  #isHeldBack(): boolean {
    const connection = this.#connection;
    if (this.#state === "idle" && connection.isOpen) {
      if (connection.queuedBytes > CONGESTION_LIMIT) connection.flush();
      // `drained` is called when the socket has taken the rest.
      if (connection.queuedBytes > CONGESTION_LIMIT) this.#state = "congested";
      else if (this.#inARow >= MAX_IN_A_ROW) this.#rest();
    }
    return this.#state === "congested" || this.#state === "resting";
  }

  #rest(): void {
    this.#state = "resting";
    const { services, network } = this.#session;
    const wait = services.throttle.request(network, this.#inARow);
    this.#inARow = 0;
    if (wait > 0) setTimeout(() => this.#goOn(), wait);
    else setImmediate(() => this.#goOn());
  }
}

function isFatal(item: Item | undefined): boolean {
  return item === "tooLarge" || item === "incomplete";
}
