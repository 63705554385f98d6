/**
 * Passes the bytes of two connections to each other. A direction holds one read: while the other side has not taken
 * it, nothing more is read. A half-close is passed on as one; the end of either connection ends both.
 */
import type { LineSocket } from "./line-socket.ts";

/** A side that takes nothing for this long while bytes wait for it, and a pair this long silent, are ended, in ms. */
const STALL_TIMEOUT = 30_000;
const SILENCE_TIMEOUT = 120_000;

export type SpliceEvents = {
  /** So many bytes were read, and are being passed on. */
  passed(bytes: number): void;
  /** Both have closed. */
  ended(): void;
};

export class Splice {
  readonly #sockets: readonly [LineSocket, LineSocket];
  readonly #events: SpliceEvents;
  /** The sides that have closed their direction. */
  readonly #ended = new Set<LineSocket>();
  #isPaused = false;
  #isOver = false;
  #passedAt = performance.now();

  constructor(one: LineSocket, two: LineSocket, events: SpliceEvents) {
    this.#sockets = [one, two];
    this.#events = events;
  }

  /** To be called once. */
  begin(): void {
    const [one, two] = this.#sockets;
    this.#join(one, two);
    this.#join(two, one);
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.#isPaused = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    const [one, two] = this.#sockets;
    if (two.queuedBytes === 0) one.resume();
    if (one.queuedBytes === 0) two.resume();
  }

  /** @param now of `performance.now()` */
  checkDeadlines(now: number): void {
    const isStalled = this.#sockets.some((socket) => socket.stalledFor(now) >= STALL_TIMEOUT);
    if (isStalled || now - this.#passedAt >= SILENCE_TIMEOUT) this.end();
  }

  /** Closes both at once; what waits is lost. */
  end(): void {
    this.#end((socket) => socket.terminate());
  }

  #end(close: (socket: LineSocket) => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sockets.forEach(close);
    this.#events.ended();
  }

  #join(from: LineSocket, to: LineSocket): void {
    from.pass({
      read: (chunk) => {
        this.#passedAt = performance.now();
        to.write(chunk);
        if (to.queuedBytes > 0) from.pause();
        this.#events.passed(chunk.length);
      },
      drained: () => {
        if (this.#ended.has(to)) this.#passEnd(from);
        else if (!this.#isPaused) to.resume();
      },
      ended: () => this.#endedBy(from, to),
      closed: (isClean) => {
        // A side that closes its direction after we have closed ours is reported as closed.
        if (isClean && this.#ended.has(to)) this.#endedBy(from, to);
        else this.end();
      },
    });
  }

  #endedBy(from: LineSocket, to: LineSocket): void {
    this.#ended.add(from);
    if (to.queuedBytes === 0) this.#passEnd(to);
  }

  /** The other side of `socket` has closed its direction, and all its bytes were taken. */
  #passEnd(socket: LineSocket): void {
    socket.shutdown();
    if (this.#ended.size === 2 && this.#sockets.every(({ queuedBytes }) => queuedBytes === 0)) {
      this.#end((each) => each.finish());
    }
  }
}
