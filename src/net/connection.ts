/**
 * One connection, plain or TLS: the only place where bytes meet a socket.
 *
 * 1. A listener or a dialler makes it, with its handlers, before the first byte.
 * 2. Over TLS nothing is read or written before `secured` has accepted the handshake.
 * 3. Bytes become objects (PROTOCOL 1) and go to `message`, one after the other, unless reading pauses.
 *    Once the other side is proven, `handOverTo` replaces the handlers.
 * 4. Everything sent in one turn of the event loop goes out in one write; what the socket does not take
 *    waits in `outgoing.ts` until `drain`.
 * 5. `end` writes what is queued, closes our side, and waits for the other; `terminate` does not wait.
 *    Either way `closed` is called once, with the first reason, and nothing is called after it.
 * 6. A connection may carry bytes instead of objects (PROTOCOL 6), each direction on its own: `readBytes` ends the
 *    objects of the other side, `sendBytes` ours.
 */
import type { X509Certificate } from "node:crypto";

import { encodeFrame, FrameDecoder, type FrameFault, type JsonObject } from "../protocol/framing.ts";
import { normalizeAddress } from "../protocol/ip-address.ts";
import { unwatchDeadlines, watchDeadlines } from "./clock.ts";
import { errorCode } from "./error-code.ts";
import { Outgoing } from "./outgoing.ts";
import type { Told } from "./proxied/proxy-header.ts";
import { issuerCertificate, peerCertificate, readHandshake, sessionKey, type Handshake } from "./tls.ts";

/** An object must be complete this long after its `{`, in ms (PROTOCOL 1). */
export const OBJECT_TIMEOUT = 10_000;
/** A TLS handshake must be done this long after the connection opened, in ms (PROTOCOL 3). */
export const HANDSHAKE_TIMEOUT = 10_000;
/** Longest wait after our `end`, in ms: for the other side to read more of the queue, then for it to close. */
export const CLOSE_TIMEOUT = 2_000;

const LINE_FEED = 0x0a;

export type CloseReason =
  /** We ended it; `code` says why. */
  | { readonly name: "local"; readonly code: string }
  /** The other side closed in good order. */
  | { readonly name: "remote" }
  /** The line broke. */
  | { readonly name: "lost"; readonly code: string }
  /** TLS failed or did not prove what it must. */
  | { readonly name: "refused"; readonly code: string };

export type ConnectionFault = FrameFault | "incomplete";

/** The callbacks of a connection; all are called synchronously. */
export interface ConnectionHandlers {
  /** A listener has made the connection: it can be ended, and nothing can be sent yet. */
  accepted?(connection: Connection): void;
  /** TLS only: the handshake is done; false ends the connection before a byte of ours. */
  secured?(connection: Connection, handshake: Handshake): boolean;
  /** Bytes may be sent from now on. */
  opened?(connection: Connection): void;
  message(object: JsonObject, connection: Connection): void;
  /** After `readBytes`, in place of `message`: bytes in order, not copied, to be kept as long as wanted. */
  bytes?(chunk: Uint8Array, connection: Connection): void;
  fault(fault: ConnectionFault, connection: Connection): void;
  /** All objects of one read were handled. */
  readEnd?(connection: Connection): void;
  /** More than `QUEUE_LIMIT` bytes are queued; called once until the queue is empty. */
  overflow?(connection: Connection): void;
  /** The queue is empty again after the socket did not take all of it at once. */
  drained?(connection: Connection): void;
  closed(reason: CloseReason, connection: Connection): void;
}

/** For handlers of a connection on which nothing is read before it is handed over, or at all. */
export const READS_NOTHING = { message: () => undefined, fault: () => undefined };

/** The handlers of every socket of ours; `data` is the connection. All are synchronous. */
export const SOCKET_HANDLERS: Bun.SocketHandler<Connection> = {
  open: (socket) => socket.data.opened(socket),
  handshake: (socket, done, error) => socket.data.shookHands(done, error),
  data: (socket, chunk) => socket.data.received(chunk),
  drain: (socket) => socket.data.flush(),
  close: (socket, error) => socket.data.gone(error),
  error: (socket, error) => socket.data.failed(error),
  // `close` follows and reports the same.
  end: () => undefined,
};

type Socket = Bun.Socket<Connection>;

type State =
  | { readonly name: "opening" }
  | { readonly name: "handshaking"; readonly socket: Socket; readonly deadline: number }
  /** `shut`, here and below: our side is closed. */
  | { readonly name: "open"; readonly socket: Socket; shut: boolean }
  | {
      readonly name: "ending";
      readonly socket: Socket;
      readonly reason: CloseReason;
      deadline: number;
      shut: boolean;
    }
  | { readonly name: "closed"; readonly reason: CloseReason };

export class Connection {
  /** A listener sets it when it makes the connection, so that all who keep it share one text; a dialler's is set when it opens. */
  remoteAddress = "";
  remotePort = 0;
  localAddress = "";
  localPort = 0;
  /** The two ends as a balancer in front has told them: never this machine's own. */
  told: Told | undefined;
  /** Of the `Acceptance` with which a listener has accepted it. */
  leafHash: Uint8Array | undefined;
  /** `performance.now()` of the last read; of the opening before the first. */
  lastReadAt = performance.now();

  #handlers: ConnectionHandlers;
  readonly #decoder: FrameDecoder;
  readonly #tls: boolean;
  readonly #outgoing = new Outgoing();
  #state: State = { name: "opening" };
  #receivedBytes = 0;
  /** What is read: objects, the line feed after the last one, or bytes. */
  #content: "objects" | "lineFeed" | "bytes" = "objects";
  /** `performance.now()` of when reading was resumed last; undefined while it is paused. */
  #readingSince: number | undefined = 0;
  /** When the queue is flushed next: not scheduled, at the end of this turn, or after the read being handled. */
  #flushAt: "unknown" | "turnEnd" | "readEnd" = "unknown";

  /** @param options.objectLimit bytes of one object, the limit of the link that this is. */
  constructor(handlers: ConnectionHandlers, options: { objectLimit: number; tls: boolean }) {
    this.#handlers = handlers;
    this.#decoder = new FrameDecoder(options.objectLimit);
    this.#tls = options.tls;
  }

  /** Replaces the handlers. */
  handOverTo(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  get isOpen(): boolean {
    return this.#state.name === "open";
  }

  /** Whether the other side has answered, and it was not closed yet. */
  get isConnected(): boolean {
    return "socket" in this.#state;
  }

  get isClosed(): boolean {
    return this.#state.name === "closed";
  }

  /** About how many bytes wait to be written. */
  get queuedBytes(): number {
    return this.#outgoing.length;
  }

  /** How many of the bytes that were read have been handled. */
  get handledBytes(): number {
    return this.#receivedBytes - this.#decoder.heldBytes;
  }

  /** About how many bytes are held for it: read but not yet handled, or not yet written. */
  get heldBytes(): number {
    return this.#decoder.heldBytes + this.#outgoing.length;
  }

  /** The other side's certificate; only in or after `secured`. */
  get certificate(): X509Certificate | undefined {
    return "socket" in this.#state ? peerCertificate(this.#state.socket) : undefined;
  }

  get issuer(): X509Certificate | undefined {
    return "socket" in this.#state ? issuerCertificate(this.#state.socket) : undefined;
  }

  /**
   * Bytes that only the two ends of this TLS session know, the same at both; undefined unless it is open over TLS.
   * @param label says what they are for
   */
  exportKey(label: string, length: number): Buffer | undefined {
    if (!this.#tls || this.#state.name !== "open") return undefined;
    return sessionKey(this.#state.socket, label, length);
  }

  /** Queues one object as one line. Does nothing unless the connection is open. */
  send(message: object): void {
    this.sendText(encodeFrame(message));
  }

  /** As `send`, for a line that is already written, so that one line can go to many. */
  sendText(line: string): void {
    if (this.#state.name !== "open") return;
    this.#outgoing.add(line);
    if (this.#outgoing.isOverLimit) {
      this.flush();
      if (this.#outgoing.overflows()) this.#handlers.overflow?.(this);
    }
    if (this.#flushAt !== "unknown") return;
    this.#flushAt = "turnEnd";
    setImmediate(() => {
      this.#flushAt = "unknown";
      this.flush();
    });
  }

  /**
   * Writes bytes after all that was sent before. What the socket does not take waits, without a limit: whoever sends
   * more only while `queuedBytes` is 0, or at `drained`, keeps it at one piece.
   * @param bytes must not change before they were all taken
   */
  sendBytes(bytes: Uint8Array): void {
    if (this.#state.name !== "open") return;
    this.#outgoing.addBytes(bytes);
    this.flush();
  }

  /** Ends the objects: after the last one comes exactly one line feed, and all that follows goes to `bytes`. */
  readBytes(): void {
    this.#content = "lineFeed";
  }

  /** Stops handling objects and reading; what was read waits in the decoder. */
  pauseReading(): void {
    if (this.#isPaused) return;
    this.#readingSince = undefined;
    if (this.#state.name === "open") this.#state.socket.pause();
  }

  /** After an overflow it does nothing until `drained`. */
  resumeReading(): void {
    if (!this.#isPaused || this.#outgoing.hasOverflowed) return;
    this.#readingSince = performance.now();
    this.#pump();
    if (!this.#isPaused && this.#state.name === "open") this.#state.socket.resume();
  }

  /**
   * Ends this read after the current object: what else was read is handled in a later turn of the event loop, so that
   * other work is not kept waiting.
   */
  endRead(): void {
    if (this.#isPaused) return;
    this.pauseReading();
    setImmediate(() => this.resumeReading());
  }

  get #isPaused(): boolean {
    return this.#readingSince === undefined;
  }

  /** Lets the kernel ask after `seconds` of silence whether the other side is still there. */
  setKeepAlive(seconds: number): void {
    if ("socket" in this.#state) this.#state.socket.setKeepAlive(true, seconds * 1_000);
  }

  /** Writes what is queued, closes our side in good order and waits for the other. */
  end(code: string): void {
    if (this.#state.name === "opening" || this.#state.name === "handshaking") this.terminate(code);
    if (this.#state.name !== "open") return;
    const { socket, shut } = this.#state;
    const deadline = performance.now() + CLOSE_TIMEOUT;
    this.#state = { name: "ending", socket, reason: { name: "local", code }, deadline, shut };
    // Our own reading may have been paused; the other side's end would not be seen.
    if (this.#isPaused) socket.resume();
    this.flush();
  }

  /** Closes at once; what is queued is lost. */
  terminate(code: string): void {
    this.#finish({ name: "local", code });
  }

  /** Writes what is queued now instead of at the end of the turn. */
  flush(): void {
    const state = this.#state;
    if (state.name === "open") {
      this.#outgoing.writeTo(state.socket);
      if (this.#outgoing.hasDrained() && this.isOpen) this.#handlers.drained?.(this);
    } else if (state.name === "ending") {
      // The other side is still reading: it gets more time for the rest.
      if (this.#outgoing.writeTo(state.socket) > 0) state.deadline = performance.now() + CLOSE_TIMEOUT;
      // A write may have closed the connection.
      if (this.#state === state && this.#outgoing.length === 0) this.#shut(state);
    }
  }

  /** Closes our side, when nothing is queued; the other side may still send, and has as long as it wants. */
  shutdown(): void {
    if (this.#state.name === "open") this.#shut(this.#state);
  }

  #shut(state: Extract<State, { shut: boolean }>): void {
    if (state.shut) return;
    state.shut = true;
    // A plain `end` would lose bytes that the kernel has taken; TLS has no `shutdown` of its own.
    if (this.#tls) state.socket.end();
    else state.socket.shutdown();
  }

  #pump(): void {
    if (this.#flushAt === "readEnd") return;
    const before = this.#flushAt;
    this.#flushAt = "readEnd";
    let progress = false;
    while (!this.#isPaused && this.#state.name === "open") {
      const next = this.#content === "objects" ? this.#decoder.next() : this.#nextBytes();
      if (next === undefined) break;
      progress = true;
      if (typeof next === "string") this.#handlers.fault(next, this);
      else if (next instanceof Uint8Array) this.#handlers.bytes?.(next, this);
      else this.#handlers.message(next, this);
    }
    if (progress && this.#state.name === "open") this.#handlers.readEnd?.(this);
    this.#flushAt = before;
    this.flush();
  }

  #nextBytes(): Uint8Array | "garbage" | undefined {
    const bytes = this.#decoder.takeRest();
    if (bytes.length === 0) return undefined;
    if (this.#content === "bytes") return bytes;
    this.#content = "bytes";
    if (bytes[0] !== LINE_FEED) return "garbage";
    return bytes.length > 1 ? bytes.subarray(1) : undefined;
  }

  /** @param reason of the end, where none was given before */
  #finish(reason: CloseReason): void {
    const state = this.#state;
    if (state.name === "closed") return;
    const first = state.name === "ending" ? state.reason : reason;
    this.#state = { name: "closed", reason: first };
    this.#outgoing.clear();
    unwatchDeadlines(this);
    if ("socket" in state) state.socket.terminate();
    this.#handlers.closed(first, this);
  }

  // What follows is called by the socket handlers and by the sweep only.

  checkDeadlines(now: number): void {
    switch (this.#state.name) {
      case "handshaking":
        if (now >= this.#state.deadline) this.#finish({ name: "refused", code: "handshake_timeout" });
        return;
      case "open": {
        const since = this.#decoder.openSince;
        // The time during which we paused reading does not count.
        if (since === undefined || this.#readingSince === undefined) return;
        if (now >= Math.max(since, this.#readingSince) + OBJECT_TIMEOUT) {
          this.#handlers.fault("incomplete", this);
          this.flush();
        }
        return;
      }
      case "ending":
        if (now >= this.#state.deadline) this.#finish({ name: "local", code: "close_timeout" });
        return;
      default:
        // The other states have no deadline.
        this.#state satisfies { readonly name: "opening" | "closed" };
    }
  }

  opened(socket: Socket): void {
    if (this.#state.name !== "opening") {
      // It was closed while the kernel was still connecting.
      socket.terminate();
      return;
    }
    // They are undefined on a socket that the other side has already reset.
    if (this.remoteAddress === "") this.remoteAddress = normalizeAddress(socket.remoteAddress ?? "");
    this.remotePort = this.told?.from.port ?? socket.remotePort ?? 0;
    this.localAddress = this.told?.to.ip ?? normalizeAddress(socket.localAddress ?? "");
    this.localPort = this.told?.to.port ?? socket.localPort ?? 0;
    this.lastReadAt = performance.now();
    this.#state = this.#tls
      ? { name: "handshaking", socket, deadline: this.lastReadAt + HANDSHAKE_TIMEOUT }
      : { name: "open", socket, shut: false };
    watchDeadlines(this);
    if (!this.#tls) this.#handlers.opened?.(this);
  }

  shookHands(done: boolean, error: Error | null): void {
    if (this.#state.name !== "handshaking") return;
    const { socket } = this.#state;
    const handshake = readHandshake(socket, done, error);
    const kept = done && (this.#handlers.secured?.(this, handshake) ?? false);
    // The handler may have closed it with a reason of its own.
    if (this.#state.name !== "handshaking") return;
    if (!kept) {
      const code = handshake.error ?? (done ? "not_authorized" : "handshake_failed");
      this.#finish({ name: "refused", code });
      return;
    }
    this.#state = { name: "open", socket, shut: false };
    this.#handlers.opened?.(this);
    if (this.#isPaused) socket.pause();
    else this.#pump();
  }

  received(chunk: Buffer): void {
    this.lastReadAt = performance.now();
    if (this.#state.name !== "open") return;
    this.#receivedBytes += chunk.length;
    this.#decoder.push(chunk, this.lastReadAt);
    this.#pump();
  }

  gone(error: Error | undefined): void {
    // Bytes that came before the end belong to whoever has paused reading, too; objects of one who is gone do not.
    const bytes = this.#state.name === "open" && this.#content !== "objects" ? this.#nextBytes() : undefined;
    if (bytes instanceof Uint8Array) this.#handlers.bytes?.(bytes, this);
    const code = error === undefined ? undefined : errorCode(error);
    if (this.#state.name === "handshaking") {
      this.#finish({ name: "refused", code: code ?? "closed_in_handshake" });
    } else this.#finish(code === undefined ? { name: "remote" } : { name: "lost", code });
  }

  failed(error: Error): void {
    // An error of the socket has a code and comes between reads; our own handlers have thrown any other.
    if (!("code" in error && /^E[A-Z]/.test(String(error.code))) || this.#flushAt === "readEnd") {
      this.#finish({ name: "local", code: "internal_error" });
      throw error;
    }
    this.#finish({ name: "lost", code: errorCode(error) });
  }
}
