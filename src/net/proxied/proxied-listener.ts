/**
 * A TLS listener behind balancers that write a PROXY header (HAProxy and others) before the bytes of each connection. The
 * header may come in one segment with the first bytes of TLS, and what was read with it cannot be given to TLS. So each
 * connection has a second half, inside this machine:
 *
 * 1. The outer socket reads the header, only from the balancers' networks, within 5 s.
 * 2. It dials the inner listener on loopback, and writes a random number that stands for what the header told.
 * 3. The inner socket finds that, makes the connection with the addresses that were told, answers with one byte, and
 *    begins TLS. Only then does the outer socket pass on what it has read, and from there on everything, both ways.
 */
import { randomBytes } from "node:crypto";
import type { BlockList } from "node:net";

import { familyOf, normalizeAddress } from "../../protocol/ip-address.ts";
import { unwatchDeadlines, watchDeadlines } from "../clock.ts";
import { CLOSE_TIMEOUT, Connection, SOCKET_HANDLERS } from "../connection.ts";
import { descriptorLimit, descriptorsForConnections } from "../descriptors.ts";
import { Outgoing } from "../outgoing.ts";
import { listenAt, type Listener, type ListenOptions } from "../listener.ts";
import { descriptorOf, startTls, type Acceptance } from "../tls.ts";
import { readProxyHeader, type Told } from "./proxy-header.ts";

/** How long a header may take, in ms. */
export const HEADER_TIMEOUT = 5_000;
/** Descriptors of one connection. */
export const DESCRIPTORS = 3;
const NUMBER_BYTES = 16;
const BEGIN = Buffer.from("\n");

type Socket = Bun.Socket<Half | undefined>;
type ProxiedOptions = ListenOptions & { readonly tls: () => Acceptance };

/** One of the two sockets of a connection, which passes the bytes of the other on. */
class Half {
  readonly socket: Socket;
  peer: Half | undefined;
  readonly #outgoing = new Outgoing();
  #isEnding = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Bytes of the other half, which reads on once they are written. */
  pass(bytes: Uint8Array): void {
    this.#outgoing.addBytes(bytes);
    this.#outgoing.writeTo(this.socket);
    if (this.#outgoing.length > 0) this.peer?.socket.pause();
  }

  drained(): void {
    this.#outgoing.writeTo(this.socket);
    if (this.#outgoing.length > 0) return;
    this.peer?.socket.resume();
    if (this.#isEnding) this.socket.shutdown();
  }

  /** The other half has nothing more to say. */
  end(): void {
    this.#isEnding = true;
    if (this.#outgoing.length === 0) this.socket.shutdown();
  }

  /** The other half is gone; what it said last is written first. */
  close(): void {
    if (this.#outgoing.length === 0) {
      this.socket.terminate();
      return;
    }
    this.end();
    setTimeout(() => this.socket.terminate(), CLOSE_TIMEOUT);
  }
}

const HALF_HANDLERS = {
  drain: (socket: Socket) => socket.data?.drained(),
  end: (socket: Socket) => socket.data?.peer?.end(),
  close: (socket: Socket) => socket.data?.peer?.close(),
  error: (socket: Socket) => socket.terminate(),
};

function write(socket: Bun.Socket<unknown>, bytes: Uint8Array): void {
  const outgoing = new Outgoing();
  outgoing.addBytes(bytes);
  outgoing.writeTo(socket);
}

/**
 * @param balancers their networks; whoever comes from elsewhere is refused
 * @throws ListenError
 */
export function listenBehind(balancers: BlockList, options: ProxiedOptions): Listener {
  const inner = listenInside(options);
  const limit = descriptorsForConnections(descriptorLimit()) - DESCRIPTORS;
  const heads = new Map<Socket, Head>();
  const deadlines = {
    checkDeadlines(now: number) {
      for (const [socket, { deadline }] of heads) if (now >= deadline) socket.terminate();
    },
  };
  watchDeadlines(deadlines);
  const open = (hostname: string) =>
    Bun.listen<Half | undefined>({
      hostname,
      port: options.port,
      allowHalfOpen: true,
      socket: {
        ...HALF_HANDLERS,
        open(socket) {
          const address = normalizeAddress(socket.remoteAddress ?? "");
          const isOneTooMany = descriptorOf(socket) >= limit;
          if (isOneTooMany) options.outOfDescriptors?.(address);
          const isBalancer = address !== "" && balancers.check(address, `ipv${familyOf(address)}`);
          if (isOneTooMany || !isBalancer) socket.terminate();
          else heads.set(socket, { bytes: Buffer.alloc(0), deadline: performance.now() + HEADER_TIMEOUT });
        },
        data(socket, chunk) {
          const { data } = socket;
          if (data !== undefined) return data.peer?.pass(chunk);
          const head = heads.get(socket);
          if (head === undefined) return;
          const bytes = Buffer.concat([head.bytes, chunk]);
          const header = readProxyHeader(bytes);
          if (header.name === "incomplete") {
            heads.set(socket, { ...head, bytes });
            return;
          }
          heads.delete(socket);
          if (header.name === "wrong") {
            socket.terminate();
            return;
          }
          // What follows waits in the kernel until TLS has begun.
          socket.pause();
          const told = header.told ?? ownEnds(socket);
          void inner.dial(told, new Half(socket), bytes.subarray(header.length));
        },
        close(socket) {
          heads.delete(socket);
          HALF_HANDLERS.close(socket);
        },
      },
    });
  try {
    const listener = listenAt(options, open);
    return {
      ...listener,
      stop() {
        unwatchDeadlines(deadlines);
        listener.stop();
        inner.stop();
      },
    };
  } catch (error) {
    unwatchDeadlines(deadlines);
    inner.stop();
    throw error;
  }
}

type Head = { readonly bytes: Buffer; readonly deadline: number };

/** The two ends of the balancer's own connection. */
function ownEnds(socket: Socket): Told {
  return {
    from: { ip: normalizeAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 },
    to: { ip: normalizeAddress(socket.localAddress ?? ""), port: socket.localPort ?? 0 },
  };
}

type Inside = {
  /** Connects the outer half; `rest` is what followed its header. */
  dial(told: Told, outer: Half, rest: Buffer): Promise<void>;
  stop(): void;
};

function listenInside(options: ProxiedOptions): Inside {
  /** What was told of connections that are being dialled, by their random numbers. */
  const expected = new Map<string, Told>();
  const listener = Bun.listen<Told | undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, chunk) {
        // Afterwards what comes is ciphertext, which TLS reads.
        if (socket.data !== undefined) return;
        const number = chunk.toString("hex");
        const told = expected.get(number);
        expected.delete(number);
        socket.data = told;
        if (told === undefined) socket.terminate();
        else begin(socket, told, options);
      },
      error(socket, error) {
        socket.terminate();
        throw error;
      },
    },
  });
  return {
    async dial(told, outer, rest) {
      const number = randomBytes(NUMBER_BYTES);
      expected.set(number.toString("hex"), told);
      try {
        await Bun.connect<Half | undefined>({
          hostname: "127.0.0.1",
          port: listener.port,
          allowHalfOpen: true,
          socket: {
            ...HALF_HANDLERS,
            open(socket) {
              // It may have gone meanwhile.
              if (outer.socket.readyState <= 0) socket.terminate();
              else write(socket, number);
            },
            data(socket, chunk) {
              if (socket.data !== undefined) return socket.data.peer?.pass(chunk);
              // TLS has begun; the first byte said so.
              const half = new Half(socket);
              half.peer = outer;
              outer.peer = half;
              socket.data = half;
              outer.socket.data = outer;
              if (rest.length > 0) half.pass(rest);
              if (chunk.length > BEGIN.length) outer.pass(chunk.subarray(BEGIN.length));
              outer.socket.resume();
            },
            close(socket) {
              expected.delete(number.toString("hex"));
              if (socket.data === undefined) outer.socket.terminate();
              else HALF_HANDLERS.close(socket);
            },
          },
        });
      } catch {
        // No descriptor is left: whoever is outside tries again.
        expected.delete(number.toString("hex"));
        outer.socket.terminate();
      }
    },
    stop: () => listener.stop(),
  };
}

/** As a listener does with a connection that it has accepted. */
function begin(
  socket: Bun.Socket<Told | undefined>,
  told: Told,
  { accept, objectLimit, tls }: ProxiedOptions,
): void {
  const handlers = accept(told.from.ip);
  if (handlers === undefined) {
    socket.terminate();
    return;
  }
  const connection = new Connection(handlers, { objectLimit, tls: true });
  connection.remoteAddress = told.from.ip;
  connection.told = told;
  handlers.accepted?.(connection);
  try {
    const { context, leafHash } = tls();
    connection.leafHash = leafHash;
    write(socket, BEGIN);
    startTls(socket, "acceptor", context, connection, SOCKET_HANDLERS);
  } catch (error) {
    connection.terminate("internal_error");
    throw error;
  }
}
