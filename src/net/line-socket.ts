/**
 * A plain connection on which lines are spoken (PROTOCOL 7), and whose bytes may then be passed on as they are.
 *
 * 1. Lines go to `line` one after the other; what is none ends the connection.
 * 2. `pass` ends the lines: what comes after the last one, and all that follows, goes to `read` as bytes. From then on
 *    a half-close of the other side is reported, and the connection stays open in our direction.
 * 3. `secure` ends the lines, too: TLS follows, and the connection is another object's.
 * 4. Else `closed` is called once, when it closes or we end it.
 */
import type { JsonObject } from "../protocol/framing.ts";
import { normalizeAddress } from "../protocol/ip-address.ts";
import { LineReader } from "../protocol/meeting-messages.ts";
import { unwatchDeadlines, watchDeadlines } from "./clock.ts";
import { connectFailure } from "./connect-failure.ts";
import { CLOSE_TIMEOUT, Connection, SOCKET_HANDLERS, type ConnectionHandlers } from "./connection.ts";
import { errorCode } from "./error-code.ts";
import { descriptorLimit, descriptorsForConnections } from "./descriptors.ts";
import type { Target } from "./dialler.ts";
import { listenAt, type Listener } from "./listener.ts";
import { Outgoing } from "./outgoing.ts";
import { descriptorOf, fromLocalPort, startTls, type TlsContext } from "./tls.ts";

/** Bytes of lines that wait to be written; whoever reads less of them gets nothing more. */
const MAX_WAITING = 16_384;

export interface LineHandlers {
  line(object: JsonObject): void;
  closed(): void;
}

export interface DialledLineHandlers extends LineHandlers {
  opened(socket: LineSocket): void;
  /** It was not opened; nothing else is called. */
  failed(code: string): void;
}

export interface ByteHandlers {
  read(chunk: Uint8Array): void;
  /** All that was written has been taken. */
  drained(): void;
  /** The other side has closed its direction. */
  ended(): void;
  /** @param isClean both directions were closed in good order */
  closed(isClean: boolean): void;
}

type State =
  | { readonly name: "lines"; readonly handlers: LineHandlers; readonly reader: LineReader }
  | { readonly name: "passing"; readonly handlers: ByteHandlers }
  /** We have closed our direction. */
  | { readonly name: "ending"; readonly deadline: number }
  | { readonly name: "closed" };

export class LineSocket {
  readonly ip: string;
  readonly port: number;
  /** Our own address. */
  readonly localAddress: string;
  readonly localPort: number;
  /** `performance.now()` of its opening. */
  readonly since = performance.now();
  readonly #socket: Bun.Socket<LineSocket>;
  readonly #outgoing = new Outgoing();
  #state: State;
  /** `performance.now()` of when the socket last took bytes, or had none to take. */
  #takenAt = this.since;

  constructor(socket: Bun.Socket<LineSocket>, handlers: (socket: LineSocket) => LineHandlers) {
    this.#socket = socket;
    this.ip = normalizeAddress(socket.remoteAddress);
    this.port = socket.remotePort;
    this.localAddress = normalizeAddress(socket.localAddress);
    this.localPort = socket.localPort;
    this.#state = { name: "lines", handlers: handlers(this), reader: new LineReader() };
  }

  get queuedBytes(): number {
    return this.#outgoing.length;
  }

  /** How long bytes have waited of which the other side took none, in ms. */
  stalledFor(now: number): number {
    return this.#outgoing.length === 0 ? 0 : now - this.#takenAt;
  }

  /** Writes one line at once. Closes if the other side does not read them. */
  send(line: object): void {
    if (this.#state.name !== "lines") return;
    this.#outgoing.add(`${JSON.stringify(line)}\n`);
    this.#flush();
    if (this.#outgoing.length > MAX_WAITING) this.terminate();
  }

  /** No line is read or written any more. */
  pass(handlers: ByteHandlers): void {
    if (this.#state.name !== "lines") return;
    const rest = this.#state.reader.takeRest();
    this.#state = { name: "passing", handlers };
    if (rest.length > 0) handlers.read(rest);
  }

  /**
   * No line is read or written any more: a TLS connection begins its handshake, and goes to `accepted` of its handlers.
   * What was sent must have been taken. @param objectLimit bytes of one object
   */
  secure(
    role: "acceptor" | "dialler",
    context: TlsContext,
    objectLimit: number,
    handlers: ConnectionHandlers,
  ): void {
    if (this.#state.name !== "lines") return;
    this.#state = { name: "closed" };
    const connection = new Connection(handlers, { objectLimit, tls: true });
    handlers.accepted?.(connection);
    // With a handler for `data` the bytes of the handshake and all after it would come here, too.
    this.#socket.reload({ socket: { drain: () => undefined } });
    startTls(this.#socket, role, context, connection, SOCKET_HANDLERS);
  }

  /** Writes bytes; what the socket does not take at once waits until `drained`. */
  write(chunk: Uint8Array): void {
    if (this.#outgoing.length === 0) this.#takenAt = performance.now();
    this.#outgoing.addBytes(chunk);
    this.#flush();
  }

  pause(): void {
    if (this.#state.name === "passing") this.#socket.pause();
  }

  resume(): void {
    if (this.#state.name === "passing") this.#socket.resume();
  }

  /** Closes our direction; nothing may be waiting to be written. */
  shutdown(): void {
    if (this.#state.name === "passing") this.#socket.shutdown();
  }

  /** Closes it after both directions were closed: what the kernel has taken still arrives. */
  finish(): void {
    this.#socket.end();
    this.gone();
  }

  /** Closes our direction once everything was written, and then the connection. */
  end(): void {
    if (this.#state.name !== "lines") return;
    const { handlers } = this.#state;
    this.#state = { name: "ending", deadline: performance.now() + CLOSE_TIMEOUT };
    watchDeadlines(this);
    this.#flush();
    handlers.closed();
  }

  /** Closes at once; what waits is lost. */
  terminate(): void {
    this.#socket.terminate();
    this.gone();
  }

  #flush(): void {
    if (this.#state.name === "closed") return;
    if (this.#outgoing.writeTo(this.#socket) > 0) this.#takenAt = performance.now();
    if (this.#outgoing.length === 0 && this.#state.name === "ending") this.#socket.shutdown();
  }

  // What follows is called by the socket handlers and by the sweep only.

  received(chunk: Uint8Array): void {
    if (this.#state.name === "passing") this.#state.handlers.read(chunk);
    if (this.#state.name !== "lines") return;
    const { reader, handlers } = this.#state;
    reader.push(chunk);
    while (this.#state.name === "lines") {
      const next = reader.next();
      if (next === undefined) return;
      if (next === "fault") this.terminate();
      else handlers.line(next);
    }
  }

  drain(): void {
    this.#flush();
    if (this.#state.name === "passing" && this.#outgoing.length === 0) this.#state.handlers.drained();
  }

  halfClosed(): void {
    if (this.#state.name === "passing") this.#state.handlers.ended();
    else this.terminate();
  }

  gone(isClean = false): void {
    const state = this.#state;
    if (state.name === "closed") return;
    this.#state = { name: "closed" };
    this.#outgoing.clear();
    unwatchDeadlines(this);
    if (state.name === "lines") state.handlers.closed();
    else if (state.name === "passing") state.handlers.closed(isClean);
  }

  checkDeadlines(now: number): void {
    if (this.#state.name === "ending" && now >= this.#state.deadline) this.terminate();
  }
}

const LINE_HANDLERS: Bun.SocketHandler<LineSocket> = {
  data: (socket, chunk) => socket.data.received(chunk),
  drain: (socket) => socket.data.drain(),
  end: (socket) => socket.data.halfClosed(),
  close: (socket, error) => socket.data?.gone(error === undefined),
  error: (socket, error) => {
    socket.terminate();
    // Our own handlers have thrown it.
    if (!("code" in error)) throw error;
  },
};

/** @param accept the handlers of a new connection; undefined refuses it at once. @throws ListenError */
export function listenForLines(
  place: { readonly host: string | undefined; readonly port: number },
  accept: (socket: LineSocket) => LineHandlers | undefined,
): Listener {
  const descriptors = descriptorsForConnections(descriptorLimit());
  return listenAt(place, (hostname) =>
    Bun.listen<LineSocket>({
      hostname,
      port: place.port,
      allowHalfOpen: true,
      socket: {
        open(socket) {
          // Undefined on a socket that the other side has reset already.
          const address: string | undefined = socket.remoteAddress;
          let isAccepted = address !== undefined && descriptorOf(socket) < descriptors;
          if (isAccepted) {
            socket.data = new LineSocket(socket, (own) => {
              const handlers = accept(own);
              isAccepted = handlers !== undefined;
              return handlers ?? { line: () => undefined, closed: () => undefined };
            });
          }
          if (!isAccepted) socket.terminate();
        },
        ...LINE_HANDLERS,
      },
    }),
  );
}

/**
 * Dials a place at which lines are spoken, or which is secured as soon as it is open. A dial cannot be taken back: who
 * wants it no longer terminates it in `opened`. @param localPort 0: a free one, from which more may be dialled
 */
export function dialForLines(target: Target, localPort: number, handlers: DialledLineHandlers): void {
  const begun = performance.now();
  Bun.connect<LineSocket>({
    hostname: target.ip,
    port: target.port,
    ...fromLocalPort(target.ip, localPort),
    socket: {
      open(socket) {
        // The other side may have reset it already.
        if (socket.remoteAddress === undefined) {
          socket.terminate();
          handlers.failed("ECONNRESET");
          return;
        }
        socket.data = new LineSocket(socket, () => handlers);
        handlers.opened(socket.data);
      },
      ...LINE_HANDLERS,
      // The promise is rejected too.
      connectError: () => undefined,
    },
  }).catch(async (error: Error) => {
    handlers.failed(errorCode(await connectFailure(error, target, performance.now() - begun)));
  });
}
