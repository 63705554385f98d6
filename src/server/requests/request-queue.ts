/**
 * The order of one connection's requests (PROTOCOL 4): one is in work at a time, a few wait, then
 * reading pauses. Who does not read his answers gets no further ones until he does, and who has had many
 * in a row lets all others have theirs first.
 */
import type { Connection } from "../../net/connection.ts";

/** Requests of one connection that wait for the one in work; then reading pauses. */
export const MAX_WAITING = 16;
/** Bytes queued to a connection beyond which its next request waits. */
const CONGESTION_LIMIT = 256 * 1024;
/** Requests of one connection after which all other connections have their turn. */
export const MAX_IN_A_ROW = 64;

/** `answering`: the answer comes later; `congested`: the client does not read what it asked for. */
type State = "idle" | "answering" | "congested" | "resting" | "closed";

/** Who works on the items. */
type Worker<Item> = {
  /** After "later", `answered` is called when the answer has been sent. */
  begin(item: Item): "answered" | "later";
  /** So many were worked on; gives how long the next one has to wait, in ms. */
  rest(count: number): number;
};

export class OneAtATime<Item> {
  readonly #connection: Connection;
  readonly #worker: Worker<Item>;
  #state: State = "idle";
  /** Undefined until the first one has to wait: most connections never need it. */
  #waiting: Item[] | undefined;
  #inARow = 0;

  constructor(connection: Connection, worker: Worker<Item>) {
    this.#connection = connection;
    this.#worker = worker;
  }

  get isAnswering(): boolean {
    return this.#state === "answering";
  }

  take(item: Item): void {
    if (this.#state === "closed") return;
    if (this.#state === "idle") {
      this.#work(item);
      if (this.#isHeldBack()) this.#connection.pauseReading();
      return;
    }
    this.#waiting ??= [];
    this.#waiting.push(item);
    if (this.#waiting.length >= MAX_WAITING) this.#connection.pauseReading();
  }

  /** The item in work is answered: on with those that wait. */
  answered(): void {
    if (this.#state === "answering") this.#goOn();
  }

  /** What was queued to the connection has left. */
  drained(): void {
    if (this.#state === "congested") this.#goOn();
  }

  /** Forgets what waits, and takes nothing more. */
  close(): void {
    this.#state = "closed";
    this.#waiting = undefined;
  }

  #goOn(): void {
    this.#state = "idle";
    while (this.#state === "idle" && this.#connection.isOpen && !this.#isHeldBack()) {
      const item = this.#waiting?.shift();
      if (item === undefined) {
        this.#connection.resumeReading();
        return;
      }
      this.#work(item);
    }
  }

  #work(item: Item): void {
    this.#inARow++;
    if (this.#worker.begin(item) === "later" && this.#state === "idle") this.#state = "answering";
  }

  #rest(): void {
    this.#state = "resting";
    const wait = this.#worker.rest(this.#inARow);
    this.#inARow = 0;
    const goOn = () => {
      if (this.#state === "resting") this.#goOn();
    };
    if (wait > 0) setTimeout(goOn, wait);
    else setImmediate(goOn);
  }

  #isHeldBack(): boolean {
    const connection = this.#connection;
    if (this.#state === "idle" && connection.isOpen) {
      if (connection.queuedBytes > CONGESTION_LIMIT) connection.flush();
      // What the socket did not take now ends with `drained`.
      if (connection.queuedBytes > CONGESTION_LIMIT) this.#state = "congested";
      else if (this.#inARow >= MAX_IN_A_ROW) this.#rest();
    }
    return this.#state === "congested" || this.#state === "resting";
  }
}
