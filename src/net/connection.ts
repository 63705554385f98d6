/**
 * One connection, plain or TLS: the only place where bytes meet a socket.
 *
 * 1. A listener or a dialler makes it, with its handlers, before the first byte.
 * 2. Over TLS nothing is read or written before the handshake satisfied us (`secured`).
 * 3. Bytes become objects (PROTOCOL 1) and go to `message`, one after the other, unless reading pauses.
 * 4. What is sent in one turn of the event loop leaves in one write; what the socket does not take
 *    waits here and goes on with `drain`.
 * 5. `end` writes what is queued, closes our side, and waits for the other; `terminate` does not wait.
 *    Either way `closed` is called once, with the first reason, and nothing is called after it.
 */
import type { X509Certificate } from "node:crypto";

import { encodeFrame, FrameDecoder } from "../protocol/framing.ts";
import { normalizeAddress } from "../protocol/ip-address.ts";
import type { CloseReason, ConnectionHandlers } from "./connection-handlers.ts";
import { unwatchDeadlines, watchDeadlines } from "./clock.ts";
import { Outgoing } from "./outgoing.ts";
import { errorCode, issuerCertificate, peerCertificate, readHandshake } from "./tls.ts";

/** An object must be complete this long after its `{`, in ms (PROTOCOL 1). */
export const OBJECT_TIMEOUT = 10_000;
/** A TLS handshake must be done this long after the connection opened, in ms (PROTOCOL 3). */
export const HANDSHAKE_TIMEOUT = 10_000;
/** How long the other side has, after our `end`, to take more of what is queued, and at last to close, in ms. */
export const CLOSE_TIMEOUT = 2_000;
/** Bytes queued to a connection before its owner is told (PROTOCOL 4 and 5). */
export const QUEUE_LIMIT = 1024 * 1024;

export type { CloseReason, ConnectionFault, ConnectionHandlers } from "./connection-handlers.ts";
export { SOCKET_HANDLERS } from "./socket-handlers.ts";

type Socket = Bun.Socket<Connection>;

type State =
  | { readonly name: "opening" }
  | { readonly name: "handshaking"; readonly socket: Socket; readonly deadline: number }
  | { readonly name: "open"; readonly socket: Socket }
  | { readonly name: "ending"; readonly socket: Socket; deadline: number; shut: boolean }
  | { readonly name: "closed"; readonly reason: CloseReason };

export class Connection {
  remoteAddress = "";
  localAddress = "";
  /** `performance.now()` of the last read; of the opening before the first. */
  lastReadAt = performance.now();

  readonly #handlers: ConnectionHandlers;
  readonly #decoder: FrameDecoder;
  readonly #tls: boolean;
  #state: State = { name: "opening" };
  #closeReason: CloseReason | undefined;
  #paused = false;
  /** `performance.now()` of the last `resumeReading`. */
  #resumedAt = 0;
  #pumping = false;
  readonly #outgoing = new Outgoing();
  #flushScheduled = false;
  #overflowing = false;
  /** The socket did not take all; `drained` is owed. */
  #blocked = false;

  /** @param objectLimit bytes of one object, the limit of the link that this is. */
  constructor(handlers: ConnectionHandlers, options: { objectLimit: number; tls: boolean }) {
    this.#handlers = handlers;
    this.#decoder = new FrameDecoder(options.objectLimit);
    this.#tls = options.tls;
  }

  get isOpen(): boolean {
    return this.#state.name === "open";
  }

  get isClosed(): boolean {
    return this.#state.name === "closed" || this.#closeReason !== undefined;
  }

  /** About how many bytes wait to be written. */
  get queuedBytes(): number {
    return this.#outgoing.length;
  }

  /** About how many bytes it makes us hold: read and not handed over, or not written yet. */
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

  /** Queues one object as one line; what is sent on a connection that is closing goes nowhere. */
  send(message: object): void {
    this.sendText(encodeFrame(message));
  }

  /** As `send`, for a line that is already written, so that one line can go to many. */
  sendText(line: string): void {
    if (this.#state.name !== "open") return;
    this.#outgoing.add(line);
    if (this.queuedBytes > QUEUE_LIMIT && !this.#overflowing) {
      this.flush();
      if (this.queuedBytes > QUEUE_LIMIT) {
        this.#overflowing = true;
        this.#handlers.overflow?.(this);
      }
    }
    // While a read is being handled, its end flushes.
    if (this.#pumping || this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  /** Stops handing over objects and reading; what was read waits in the decoder. */
  pauseReading(): void {
    if (this.#paused) return;
    this.#paused = true;
    if (this.#state.name === "open") this.#state.socket.pause();
  }

  resumeReading(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#resumedAt = performance.now();
    this.#pump();
    if (!this.#paused && this.#state.name === "open") this.#state.socket.resume();
  }

  /** Lets the kernel ask after `seconds` of silence whether the other side is still there. */
  setKeepAlive(seconds: number): void {
    if ("socket" in this.#state) this.#state.socket.setKeepAlive(true, seconds * 1_000);
  }

  /** Writes what is queued, closes our side in good order and waits for the other. */
  end(code: string): void {
    if (this.#state.name === "opening" || this.#state.name === "handshaking") this.terminate(code);
    if (this.#state.name !== "open") return;
    const { socket } = this.#state;
    this.#closeReason ??= { name: "local", code };
    this.#state = { name: "ending", socket, deadline: performance.now() + CLOSE_TIMEOUT, shut: false };
    // Our own reading may have been paused; the other side's end would not be seen.
    if (this.#paused) socket.resume();
    this.flush();
  }

  /** Closes at once; what is queued is lost. */
  terminate(code: string): void {
    this.#finish({ name: "local", code });
  }

  /** Writes what is queued now instead of at the end of the turn. */
  flush(): void {
    if (this.#state.name !== "open" && this.#state.name !== "ending") return;
    const { socket } = this.#state;
    for (let buffer = this.#outgoing.first(); buffer !== undefined; buffer = this.#outgoing.first()) {
      const taken = socket.write(buffer);
      if (taken < 0) return;
      // Who still takes what is queued is given more time to take the rest.
      if (taken > 0 && this.#state.name === "ending")
        this.#state.deadline = performance.now() + CLOSE_TIMEOUT;
      this.#outgoing.taken(taken);
      if (taken < buffer.length) {
        this.#blocked = true;
        return;
      }
    }
    if (this.#state.name === "ending" && !this.#state.shut) {
      this.#state.shut = true;
      // A plain `end` would lose bytes that the kernel has taken; TLS has no `shutdown` of its own.
      if (this.#tls) socket.end();
      else socket.shutdown();
      return;
    }
    this.#overflowing = false;
    if (this.#blocked) {
      this.#blocked = false;
      this.#handlers.drained?.(this);
    }
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let progress = false;
    while (!this.#paused && this.#state.name === "open") {
      const next = this.#decoder.next();
      if (next === undefined) break;
      progress = true;
      if (typeof next === "string") this.#handlers.fault(next, this);
      else this.#handlers.message(next, this);
    }
    if (progress && this.#state.name === "open") this.#handlers.readEnd?.(this);
    this.#pumping = false;
    this.flush();
  }

  #finish(reason: CloseReason): void {
    const state = this.#state;
    if (state.name === "closed") return;
    const first = this.#closeReason ?? reason;
    this.#closeReason = first;
    this.#state = { name: "closed", reason: first };
    this.#outgoing.clear();
    unwatchDeadlines(this);
    if ("socket" in state) state.socket.terminate();
    this.#handlers.closed(first, this);
  }

  // What follows is called by the socket handlers and by the sweep, by nobody else.

  checkDeadlines(now: number): void {
    switch (this.#state.name) {
      case "handshaking":
        if (now >= this.#state.deadline) this.#finish({ name: "refused", code: "handshake_timeout" });
        return;
      case "open": {
        const since = this.#decoder.openSince;
        // Bytes that wait, or waited, because reading is paused are our own delay.
        if (since === undefined || this.#paused) return;
        if (now - Math.max(since, this.#resumedAt) >= OBJECT_TIMEOUT) {
          this.#handlers.fault("incomplete", this);
          this.flush();
        }
        return;
      }
      case "ending":
        if (now >= this.#state.deadline) this.#finish({ name: "local", code: "close_timeout" });
        return;
      default:
        // The others wait for nothing.
        this.#state satisfies { readonly name: "opening" | "closed" };
    }
  }

  opened(socket: Socket): void {
    if (this.#state.name !== "opening") {
      // It was given up while the kernel was still connecting.
      socket.terminate();
      return;
    }
    // Both are undefined on a socket that the other side has reset already.
    this.remoteAddress = normalizeAddress(socket.remoteAddress ?? "");
    this.localAddress = normalizeAddress(socket.localAddress ?? "");
    this.lastReadAt = performance.now();
    this.#state = this.#tls
      ? { name: "handshaking", socket, deadline: this.lastReadAt + HANDSHAKE_TIMEOUT }
      : { name: "open", socket };
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
    this.#state = { name: "open", socket };
    this.#handlers.opened?.(this);
    if (this.#paused) socket.pause();
    else this.#pump();
  }

  received(chunk: Buffer): void {
    this.lastReadAt = performance.now();
    if (this.#state.name !== "open") return;
    this.#decoder.push(chunk, this.lastReadAt);
    this.#pump();
  }

  gone(error: Error | undefined): void {
    const code = error === undefined ? undefined : errorCode(error);
    if (this.#state.name === "handshaking") {
      this.#finish({ name: "refused", code: code ?? "closed_in_handshake" });
    } else this.#finish(code === undefined ? { name: "remote" } : { name: "lost", code });
  }

  failed(error: Error): void {
    // A failure of the line carries a code and comes between reads; anything else was thrown by our own handlers.
    if (!/^E[A-Z]/.test(String((error as { code?: unknown }).code)) || this.#pumping) {
      this.#finish({ name: "local", code: "internal_error" });
      throw error;
    }
    this.#finish({ name: "lost", code: errorCode(error) });
  }
}
