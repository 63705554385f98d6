/**
 * From a connection to a sink (PROTOCOL 6): the ranges that we have asked for, one after the other.
 *
 * 1. What is read is gathered to leaves. A full one is hashed and waits to be written; when all buffers wait, the
 *    connection is read no further, so that a slow disk slows down the sender.
 * 2. Leaves are written one after the other; the hash of each is kept once it is written.
 * 3. After the last byte that we have asked for nothing more is read: the sender waits until all is written and we close,
 *    or say in an `error` why we take no more.
 */
import type { CloseReason, ConnectionHandlers } from "../../net/connection.ts";
import type { LinkConnection } from "../peer/proven-connection.ts";
import { LEAF_BYTES, leafHash, type Leaves, type Range } from "./leaves.ts";
import { SinkError, type Sink } from "./source.ts";

/** Leaves in memory: one that is being filled, one that is being written, and two that wait. */
const BUFFERS = 4;

export type ReceivingEnd =
  /** All that was asked for is written; where the end was not known, all that came. */
  | { readonly name: "received" }
  /** The sink took no more. Another error is one of ours. */
  | { readonly name: "failed"; readonly error: SinkError | Error }
  /** The line broke, or was ended by us, or the sender stopped too early. */
  | { readonly name: "broken" };

export type ReceivingOptions = {
  readonly sink: Pick<Sink, "write">;
  readonly leaves: Leaves;
  /** As `Leaves.missing` gives them, at least one; `[[0, null]]` where the end is not known. */
  readonly ranges: readonly Range[];
  /** So many further bytes were written. */
  progress(bytes: number): void;
  /** Called once, when nothing is written any more. */
  ended(end: ReceivingEnd): void;
};

/** A leaf that waits to be written, or the rest of one before the end. */
type Leaf = {
  readonly offset: number;
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly length: number;
  readonly hash: bigint;
};

type State =
  | { readonly name: "reading" }
  /** The connection has closed, and a rest of what was read waits for a buffer. */
  | { readonly name: "closed"; readonly reason: CloseReason }
  /** Nothing more is read; what was read is still being written. */
  | { readonly name: "writing"; readonly end: ReceivingEnd }
  | { readonly name: "ended" };

export class Receiving implements ConnectionHandlers {
  readonly #connection: LinkConnection;
  readonly #options: ReceivingOptions;
  /** What still comes; the first one is being read. */
  readonly #ranges: Range[];
  readonly #free = Array.from({ length: BUFFERS }, () => new Uint8Array(LEAF_BYTES));
  /** The first one is being written. */
  readonly #leaves: Leaf[] = [];
  /** Where the next byte belongs, and how many before it are in the first free buffer. */
  #offset: number;
  #filled = 0;
  /** What was read while no buffer was free. */
  #rest: Uint8Array | undefined;
  #state: State = { name: "reading" };

  /**
   * Begins at once: all that follows the sender's `stream` line is data. The connection is open, and is not used by
   * anybody else; `terminate` ends the receiving.
   */
  constructor(connection: LinkConnection, options: ReceivingOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#ranges = [...options.ranges];
    this.#offset = this.#ranges[0]?.[0] ?? 0;
    connection.handOverTo(this);
    connection.readBytes();
  }

  bytes(chunk: Uint8Array): void {
    // Some is read after reading was paused.
    let rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    while (rest.length > 0 && this.#isReading) {
      const [buffer] = this.#free;
      if (buffer === undefined) {
        this.#rest = rest;
        this.#connection.pauseReading();
        return;
      }
      const end = this.#ranges[0]?.[1] ?? Infinity;
      const part = rest.subarray(0, Math.min(LEAF_BYTES - this.#filled, end - this.#offset));
      buffer.set(part, this.#filled);
      this.#filled += part.length;
      this.#offset += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === LEAF_BYTES || this.#offset === end) this.#leafRead();
      if (this.#offset === end) this.#rangeRead();
    }
    if (rest.length === 0) free(chunk);
    // One read a turn: several at once would keep a chat waiting.
    if (this.#state.name === "reading" && this.#rest === undefined) this.#connection.endRead();
  }

  message(): void {
    // Bytes are read: no object comes.
  }

  fault(): void {
    this.#connection.terminate("bad_request");
  }

  closed(reason: CloseReason): void {
    if (!this.#isReading) return;
    this.#state = { name: "closed", reason };
    if (this.#rest === undefined) this.#allRead(reason);
  }

  get #isReading(): boolean {
    return this.#state.name === "reading" || this.#state.name === "closed";
  }

  /** The connection has closed before the last byte that we have asked for. */
  #allRead(reason: CloseReason): void {
    const isWhole = reason.name === "remote" && this.#ranges[0]?.[1] === null;
    if (isWhole && this.#filled > 0) this.#leafRead();
    this.#finish({ name: isWhole ? "received" : "broken" });
  }

  #leafRead(): void {
    const buffer = this.#free.shift();
    if (buffer === undefined) return;
    const length = this.#filled;
    this.#filled = 0;
    // Now it is still in the processor's cache.
    const hash = leafHash(buffer.subarray(0, length));
    if (this.#leaves.push({ offset: this.#offset - length, buffer, length, hash }) === 1) void this.#write();
  }

  #rangeRead(): void {
    this.#ranges.shift();
    const [next] = this.#ranges;
    if (next !== undefined) {
      this.#offset = next[0];
      return;
    }
    // Otherwise the sender's end would close the connection before we can say that a write has failed.
    this.#connection.pauseReading();
    this.#finish({ name: "received" });
  }

  /** Writes the leaves that wait, one after the other. */
  async #write(): Promise<void> {
    const { sink, leaves, progress } = this.#options;
    for (let leaf = this.#leaves[0]; leaf !== undefined; leaf = this.#leaves[0]) {
      try {
        await sink.write(leaf.offset, leaf.buffer.subarray(0, leaf.length));
        leaves.set(leaf.offset / LEAF_BYTES, leaf.hash);
      } catch (error) {
        this.#failed(error as Error);
        return;
      }
      progress(leaf.length);
      this.#leaves.shift();
      this.#free.push(leaf.buffer);
      this.#readOn();
    }
    if (this.#state.name === "writing") this.#finish(this.#state.end);
  }

  #readOn(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    this.#rest = undefined;
    this.bytes(rest);
    if (this.#rest !== undefined) return;
    if (this.#state.name === "reading") this.#connection.resumeReading();
    if (this.#state.name === "closed") this.#allRead(this.#state.reason);
  }

  #failed(error: Error): void {
    this.#leaves.length = 0;
    this.#connection.send({
      action: "error",
      code: error instanceof SinkError ? error.code : "internal_error",
    });
    this.#finish({ name: "failed", error });
  }

  /** Ends when all that was read is written. */
  #finish(end: ReceivingEnd): void {
    if (this.#state.name === "ended") return;
    this.#state = { name: "writing", end };
    if (this.#leaves.length > 0) return;
    this.#state = { name: "ended" };
    this.#connection.end(end.name);
    this.#options.ended(end);
  }
}

/** Frees what was read, of which this is the end, at once: the collector would leave tens of MiB of it. */
function free({ buffer }: Uint8Array): void {
  // A small one may have parts of others.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}
