/** One end of a simulated connection, in the place of `src/net/connection.ts`. */
import {
  CLOSE_TIMEOUT,
  HANDSHAKE_TIMEOUT,
  OBJECT_TIMEOUT,
  READS_NOTHING,
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
} from "../../../src/net/connection.ts";
import { Outgoing } from "../../../src/net/outgoing.ts";
import type { LinkConnection } from "../../../src/client/peer/proven-connection.ts";
import { encodeFrame, FrameDecoder, PEER_OBJECT_LIMIT } from "../../../src/protocol/framing.ts";
import type { ProgramClock } from "./simulated-time.ts";
import type { Arrival, Pipe } from "./simulated-pipe.ts";
import type { End } from "./simulated-socket.ts";

/** Who the other side is, the tests know without a proof. */
export const HANDSHAKE = { error: undefined, done: true, authorized: true, reused: false };

export type EndOptions = {
  readonly clock: ProgramClock;
  readonly remoteAddress: string;
  readonly outgoing: Pipe;
  /** What both ends export of their session; with a handshake it is the dialler's. */
  readonly session: number;
  /** Called when bytes wait to be written at the end of this turn of the event loop. */
  readonly flushLater: (end: SimulatedConnection) => void;
  /** The program may crash here. */
  readonly step: () => void;
  readonly closed: (end: SimulatedConnection) => void;
};

type State =
  /** `answered`: we accept, and our flight is on its way. */
  | { readonly name: "handshaking"; readonly role: "acceptor" | "dialler"; answered: boolean }
  | { readonly name: "open" | "ending" | "closed" };

export class SimulatedConnection implements LinkConnection, End {
  readonly remoteAddress: string;
  readonly remotePort = 9_000;
  lastReadAt: number;
  readonly #options: EndOptions;
  #handlers: ConnectionHandlers = { ...READS_NOTHING, closed: () => undefined };
  readonly #decoder = new FrameDecoder(PEER_OBJECT_LIMIT);
  readonly #queue = new Outgoing();
  #state: State = { name: "open" };
  #reason: CloseReason | undefined;
  #deadline = Infinity;
  #isPaused = false;
  #isPumping = false;
  #isShut = false;
  #readBytes = 0;
  #session: number;

  constructor(options: EndOptions) {
    this.#options = options;
    this.#session = options.session;
    this.remoteAddress = options.remoteAddress;
    this.lastReadAt = options.clock.monotonic();
    options.clock.watch(this);
  }

  /** A handshake begins. */
  shakeHands(role: "acceptor" | "dialler", handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#state = { name: "handshaking", role, answered: false };
    this.#deadline = this.#now + HANDSHAKE_TIMEOUT;
    handlers.accepted?.(this.asConnection);
    if (role === "dialler") this.#sendFlight();
  }

  handOverTo(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  // Nobody transfers files in a simulated world.
  sendBytes(): void {}
  readBytes(): void {}
  shutdown(): void {}

  get isOpen(): boolean {
    return this.#state.name === "open";
  }

  get isClosed(): boolean {
    return this.#state.name === "closed";
  }

  get heldBytes(): number {
    return this.#decoder.heldBytes + this.#queue.length;
  }

  get handledBytes(): number {
    return this.#readBytes - this.#decoder.heldBytes;
  }

  get queuedBytes(): number {
    return this.#queue.length;
  }

  /** The connection that the handlers receive. */
  get asConnection(): Connection {
    const connection: LinkConnection = this;
    return connection as Connection;
  }

  send(message: object): void {
    if (this.#state.name !== "open") return;
    this.#options.step();
    this.#queue.add(encodeFrame(message));
    if (this.#queue.isOverLimit) {
      this.flush();
      if (this.#queue.overflows()) this.#handlers.overflow?.(this.asConnection);
    }
    if (!this.#isPumping) this.#options.flushLater(this);
  }

  exportKey(): Buffer {
    return Buffer.alloc(32, this.#session);
  }

  pauseReading(): void {
    this.#isPaused = true;
  }

  resumeReading(): void {
    if (!this.#isPaused || this.#queue.hasOverflowed) return;
    this.#isPaused = false;
    this.#pump();
  }

  endRead(): void {
    if (this.#isPaused) return;
    this.pauseReading();
    this.#options.clock.after(0, () => this.resumeReading());
  }

  flush(): void {
    if (this.#state.name === "closed" || this.#state.name === "handshaking") return;
    const { outgoing } = this.#options;
    const taken = this.#queue.writeTo(outgoing);
    if (this.#state.name === "open") {
      if (this.#queue.hasDrained()) this.#handlers.drained?.(this.asConnection);
      return;
    }
    if (taken > 0) this.#deadline = this.#now + CLOSE_TIMEOUT;
    if (this.#isShut || this.#queue.length > 0) return;
    outgoing.put({ name: "end" });
    this.#isShut = true;
  }

  end(code: string): void {
    if (this.#state.name === "handshaking") this.terminate(code);
    if (this.#state.name !== "open") return;
    this.#options.step();
    this.#reason ??= { name: "local", code };
    this.#state = { name: "ending" };
    this.#deadline = this.#now + CLOSE_TIMEOUT;
    this.flush();
  }

  terminate(code: string): void {
    if (this.#state.name === "closed") return;
    this.#options.outgoing.cut();
    this.#options.outgoing.reset(0);
    this.#finish({ name: "local", code });
  }

  /** The program has crashed: its handlers are not called. @param isReset whether its machine resets the connection */
  abandon(isReset: boolean): void {
    if (this.#state.name === "closed") return;
    this.#state = { name: "closed" };
    if (isReset) this.#options.outgoing.reset(0);
    else this.#options.outgoing.cut();
    this.#options.closed(this);
  }

  checkDeadlines(now: number): void {
    if (this.#state.name === "handshaking" && now >= this.#deadline) {
      this.#options.outgoing.reset(0);
      this.#finish({ name: "refused", code: "handshake_timeout" });
      return;
    }
    if (this.#state.name === "ending" && now >= this.#deadline) {
      this.#options.outgoing.reset(0);
      this.#finish({ name: "local", code: "close_timeout" });
      return;
    }
    const since = this.#decoder.openSince;
    if (this.#state.name !== "open" || this.#isPaused || since === undefined || now - since < OBJECT_TIMEOUT)
      return;
    this.#handlers.fault("incomplete", this.asConnection);
    this.flush();
  }

  /** Everything that arrives at once is one read, up to the end of the connection. */
  arrived(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      if (this.#state.name === "closed" || arrival.name === "open") continue;
      if (arrival.name === "flight") this.#tookFlight(arrival.session);
      if (arrival.name === "end" || arrival.name === "reset") break;
      if (arrival.name !== "bytes") continue;
      this.lastReadAt = this.#now;
      if (this.#state.name !== "open") continue;
      this.#readBytes += arrival.bytes.length;
      this.#decoder.push(arrival.bytes, this.#now);
    }
    this.#pump();
    const last = arrivals.at(-1);
    if (this.isClosed || (last?.name !== "end" && last?.name !== "reset")) return;
    if (last.name === "end") this.#options.outgoing.put({ name: "end" });
    if (this.#state.name === "handshaking") this.#finish({ name: "refused", code: "closed_in_handshake" });
    else this.#finish(last.name === "end" ? { name: "remote" } : { name: "lost", code: "ECONNRESET" });
  }

  /** The dialler is proven by the third flight, and the acceptor by the second. */
  #tookFlight(session: number): void {
    const state = this.#state;
    if (state.name !== "handshaking") return;
    this.#session = session;
    if (state.role === "dialler" || !state.answered) this.#sendFlight();
    if (state.role === "dialler" || state.answered) this.opened();
    else state.answered = true;
  }

  #sendFlight(): void {
    this.#options.outgoing.put({ name: "flight", session: this.#session });
  }

  /** The handshake is done. */
  opened(): void {
    const isKept = this.#handlers.secured?.(this.asConnection, HANDSHAKE) === true;
    if (this.#state.name === "closed") return;
    if (!isKept) {
      this.#options.outgoing.reset(0);
      this.#finish({ name: "refused", code: "not_authorized" });
      return;
    }
    this.#state = { name: "open" };
    this.#handlers.opened?.(this.asConnection);
  }

  get #now(): number {
    return this.#options.clock.monotonic();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let isProgress = false;
    while (!this.#isPaused && this.isOpen) {
      const next = this.#decoder.next();
      if (next === undefined) break;
      isProgress = true;
      if (typeof next === "string") this.#handlers.fault(next, this.asConnection);
      else this.#handlers.message(next, this.asConnection);
    }
    if (isProgress && this.isOpen) this.#handlers.readEnd?.(this.asConnection);
    this.#isPumping = false;
    this.flush();
  }

  #finish(reason: CloseReason): void {
    if (this.#state.name === "closed") return;
    this.#state = { name: "closed" };
    this.#queue.clear();
    this.#options.clock.unwatch(this);
    this.#options.closed(this);
    this.#handlers.closed(this.#reason ?? reason, this.asConnection);
  }
}
