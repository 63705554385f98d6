/**
 * From a source to a connection (PROTOCOL 6): the ranges that the receiver has asked for, one after the other.
 *
 * 1. While one leaf is written, the next is read: two buffers, and nothing is read ahead of a receiver that stops.
 * 2. Every leaf of which a byte is sent is hashed whole. One that was sent before and no longer matches means that the
 *    source has changed.
 * 3. The receiver closes when all of it is written; before that it may say in an `error` why it takes no more. Our end
 *    would close the connection of a receiver that is still writing, so it comes a moment after the last byte; at once
 *    where it alone says that this was the last one.
 */
import type { CloseReason, ConnectionHandlers } from "../../net/connection.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { readPeerMessage } from "../../protocol/peer-messages.ts";
import type { LinkConnection } from "../peer/proven-connection.ts";
import { LEAF_BYTES, leafHash, type Leaves, type Range } from "./leaves.ts";
import { SourceError, type Source } from "./source.ts";

/** How long after the last byte our side is closed, in ms. */
const END_DELAY = 1_000;

export type SendingEnd =
  /** The receiver closed after the last byte. Only `file_done` says that it is safe. */
  | { readonly name: "sent" }
  /** The receiver said why it takes no more. */
  | { readonly name: "told"; readonly code: string }
  /** The source could not be read, or is no longer what was sent before. Another error is one of ours. */
  | { readonly name: "failed"; readonly error: SourceError | Error }
  /** The line broke, or was ended by us. */
  | { readonly name: "broken" };

export type SendingOptions = {
  readonly source: Source;
  readonly leaves: Pick<Leaves, "get" | "set">;
  /** In order, and within the size. */
  readonly ranges: readonly Range[];
  /** So many further bytes were taken by the line. */
  progress(bytes: number): void;
  /** Called once, when nothing is read any more and the connection is closed. */
  ended(end: SendingEnd): void;
};

/** The bytes of one leaf that are sent. */
type Part = { readonly leaf: number; readonly from: number; readonly to: number };

export class Sending implements ConnectionHandlers {
  readonly #connection: LinkConnection;
  readonly #options: SendingOptions;
  readonly #closed = Promise.withResolvers<CloseReason>();
  #taken = Promise.withResolvers<void>();
  #told: string | undefined;
  #isAtEnd = false;

  /** Begins at once. The connection is open, and is not used by anybody else; `terminate` ends the sending. */
  constructor(connection: LinkConnection, options: SendingOptions) {
    this.#connection = connection;
    this.#options = options;
    connection.handOverTo(this);
    void this.#run().then((end) => options.ended(end));
  }

  message(object: JsonObject): void {
    const message = readPeerMessage(object);
    if (message.action === "error") this.#told = message.code;
    this.#connection.terminate(message.action === "error" ? message.code : "bad_request");
  }

  fault(): void {
    this.#connection.terminate("bad_request");
  }

  drained(): void {
    this.#taken.resolve();
  }

  closed(reason: CloseReason): void {
    const { source } = this.#options;
    // What is read once is of no more use, and its writer may never write anything.
    if (source.size === undefined) source.close();
    this.#closed.resolve(reason);
    this.#taken.resolve();
  }

  async #run(): Promise<SendingEnd> {
    const connection = this.#connection;
    let wasSent = false;
    try {
      wasSent = await this.#sendAll();
    } catch (error) {
      if (connection.isOpen) {
        connection.terminate("source_failed");
        return { name: "failed", error: error as Error };
      }
    }
    const delay = this.#options.source.size === undefined ? 0 : END_DELAY;
    const end = setTimeout(() => connection.shutdown(), delay);
    const reason = await this.#closed.promise;
    clearTimeout(end);
    if (this.#told !== undefined) return { name: "told", code: this.#told };
    return { name: wasSent && reason.name === "remote" ? "sent" : "broken" };
  }

  /** @returns whether all was taken before the connection closed */
  async #sendAll(): Promise<boolean> {
    const { source, ranges, progress } = this.#options;
    const parts = partsOf(ranges, source.size ?? Infinity);
    let buffer = new Uint8Array(LEAF_BYTES);
    let spare = new Uint8Array(LEAF_BYTES);
    let bytes = await this.#read(parts, buffer);
    while (bytes.length > 0 && this.#connection.isOpen) {
      const [next] = await Promise.all([this.#read(parts, spare), this.#write(bytes)]);
      progress(bytes.length);
      bytes = next;
      [buffer, spare] = [spare, buffer];
    }
    return this.#connection.isOpen;
  }

  /** Reads and hashes the leaf of the next part. @returns what is to be sent of it; empty: that was all */
  async #read(parts: Iterator<Part>, buffer: Uint8Array): Promise<Uint8Array> {
    const { value: part } = parts.next();
    if (part === undefined || this.#isAtEnd) return buffer.subarray(0, 0);
    const { source, leaves } = this.#options;
    const { leaf, from, to } = part as Part;
    const start = leaf * LEAF_BYTES;
    const read = await source.read(start, buffer);
    const bytes = buffer.subarray(0, read);
    if (read < to - start && source.size !== undefined) throw new SourceError("changed");
    // What is read once is asked for nothing behind its end.
    this.#isAtEnd = source.size === undefined && read < buffer.length;
    if (read === 0) return bytes;
    const [before, now] = [leaves.get(leaf), leafHash(bytes)];
    if (before === undefined) leaves.set(leaf, now);
    else if (before !== now) throw new SourceError("changed");
    return bytes.subarray(from - start, to - start);
  }

  /** Resolves when the bytes were taken, or never will be. */
  async #write(bytes: Uint8Array): Promise<void> {
    this.#taken = Promise.withResolvers();
    this.#connection.sendBytes(bytes);
    if (this.#connection.queuedBytes > 0) await this.#taken.promise;
  }
}

/** Whether a receiver may ask for these: they follow each other, and end where the source ends. */
export function areWithin(ranges: readonly Range[], size: number | undefined): boolean {
  if (size === undefined) return ranges.length === 1 && ranges[0]?.[0] === 0 && ranges[0][1] === null;
  let last = 0;
  for (const [from, to] of ranges) {
    const end = to ?? size;
    if (from < last || end <= from || end > size) return false;
    last = end;
  }
  return true;
}

/** @param size infinite where it is not known */
function* partsOf(ranges: readonly Range[], size: number): Generator<Part, undefined> {
  for (const [from, to] of ranges) {
    const end = Math.min(size, to ?? size);
    for (let at = from; at < end; at = nextLeaf(at)) {
      yield { leaf: Math.floor(at / LEAF_BYTES), from: at, to: Math.min(end, nextLeaf(at)) };
    }
  }
  return undefined;
}

function nextLeaf(at: number): number {
  return (Math.floor(at / LEAF_BYTES) + 1) * LEAF_BYTES;
}
