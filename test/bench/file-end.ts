/**
 * One side of a stream of bytes from disk to disk, a process of its own: through our sending and receiving, or as a bare
 * TLS stream with the same reads and writes, which hashes nothing and knows no leaves. Run by the bench.
 */
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";

import { Leaves } from "../../src/client/file/leaves.ts";
import { FileSink } from "../../src/client/file/file-sink.ts";
import { FileSource } from "../../src/client/file/file-source.ts";
import { Receiving } from "../../src/client/file/receiving.ts";
import { Sending } from "../../src/client/file/sending.ts";
import { READS_NOTHING, type Connection } from "../../src/net/connection.ts";
import { dial } from "../../src/net/dialler.ts";
import { listen } from "../../src/net/listener.ts";
import { acceptorContext, dialOptions, diallerContext, type TlsIdentity } from "../../src/net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../src/protocol/framing.ts";
import { PROCESS_LIFETIME } from "./bare-echo.ts";
import { percentile } from "./figures.ts";

export type End = {
  /** `idle`: ours, and no stream at all. */
  readonly way: "ours" | "bare" | "idle";
  /** `port`: of the receiver; undefined: this is the receiver. */
  readonly port: number | undefined;
  readonly identity: TlsIdentity;
  readonly authority: string;
  /** The name in the receiver's certificate. */
  readonly serverName: string;
  /** The source, or where the file is received. */
  readonly folder: string;
  readonly name: string;
  readonly size: number;
  /** Whether it is a named pipe; bare only. */
  readonly isPipe?: boolean;
  /** How long each write of a leaf is made to take, in ms. */
  readonly delay?: number;
  /** Whether something is asked on another connection all the while. */
  readonly chats?: boolean;
};

export type EndFigures = {
  readonly seconds: number;
  /** User and system, s. */
  readonly cpu: number;
  /** MiB that the process has grown by at its largest. */
  readonly growth: number;
  /** The 99th percentile of the round trips beside it, ms; NaN: none. */
  readonly roundTrip: number;
};

/** Of the temporary name of what is received. */
export const BENCH_KEY = "bench";
/** Between two questions, and how long is asked where no stream is, in ms. */
const QUESTION_INTERVAL = 2;
const IDLE_TIME = 2_000;
const MIB = 1024 * 1024;

/** KiB of this process, now and at its largest so far. */
function memory(which: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
}

class Meter {
  readonly #begin = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #memory = memory("VmRSS");
  readonly roundTrips: number[] = [];

  read(): EndFigures {
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      seconds: (performance.now() - this.#begin) / 1_000,
      cpu: (user + system) / 1e6,
      growth: (memory("VmHWM") - this.#memory) / 1_024,
      roundTrip: percentile(this.roundTrips, 0.99),
    };
  }
}

/** Answers every object on one connection, and gives the other, which is a stream, to `stream`. */
function serve(end: End, stream: (connection: Connection) => void = () => undefined): void {
  const { port } = listen({
    host: "127.0.0.1",
    port: 0,
    objectLimit: PEER_OBJECT_LIMIT,
    tls: () => ({ context: acceptorContext(end.identity, end.authority) }),
    accept: () => ({
      secured: () => true,
      message: (object, connection) =>
        object["action"] === "stream" ? stream(connection) : connection.send({ action: "pong" }),
      fault: () => undefined,
      closed: () => undefined,
    }),
  });
  console.log(port);
}

function connect(
  end: End,
  opened: (connection: Connection) => void,
  message: () => void = () => undefined,
): void {
  const { authority, identity, serverName } = end;
  void dial({
    targets: [{ ip: "127.0.0.1", port: end.port as number }],
    tls: diallerContext({ authority, identity, serverName }),
    objectLimit: PEER_OBJECT_LIMIT,
    verify: () => true,
    handlers: { ...READS_NOTHING, opened, message, closed: () => undefined },
  });
}

/** Asks on a connection of its own, and notes how long each answer takes. */
function chat(end: End, roundTrips: number[]): void {
  let asked = 0;
  const ask = (connection: Connection) => {
    asked = performance.now();
    connection.send({ action: "ping" });
  };
  let open: Connection;
  connect(
    end,
    (connection) => ask((open = connection)),
    () => {
      roundTrips.push(performance.now() - asked);
      setTimeout(ask, QUESTION_INTERVAL, open);
    },
  );
}

async function receiveOurs(end: End): Promise<void> {
  const { folder, name, size, delay } = end;
  const place = { folder, name, key: BENCH_KEY, notes: `${folder}/notes`, modified: undefined };
  const sink = await FileSink.open(place, size);
  const leaves = new Leaves(`${folder}/received-leaves`);
  const slow = async (offset: number, bytes: Uint8Array) => {
    await sink.write(offset, bytes);
    await Bun.sleep(delay as number);
  };
  serve(end, (connection) => {
    const meter = new Meter();
    new Receiving(connection, {
      sink: delay === undefined ? sink : { write: slow },
      leaves,
      ranges: leaves.missing(size),
      progress: () => undefined,
      ended: async ({ name: how }) => {
        if (how !== "received") throw new Error(how);
        leaves.digest(size);
        await sink.finish();
        done(meter);
      },
    });
  });
}

async function sendOurs(end: End): Promise<void> {
  const source = await FileSource.open(`${end.folder}/${end.name}`);
  const leaves = new Leaves(`${end.folder}/sent-leaves`);
  connect(end, (connection) => {
    const meter = new Meter();
    if (end.chats === true) chat(end, meter.roundTrips);
    connection.send({ action: "stream", transfer: "1" });
    new Sending(connection, {
      source,
      leaves,
      ranges: [[0, end.size]],
      progress: () => undefined,
      ended: ({ name: how }) => {
        if (how !== "sent") throw new Error(how);
        leaves.digest(end.size);
        done(meter);
      },
    });
  });
}

/** Asks for a while, and nothing else. */
function idle(end: End): void {
  const meter = new Meter();
  chat(end, meter.roundTrips);
  setTimeout(done, IDLE_TIME, meter);
}

/** Prints the figures. What is still open, and the chat, keeps nobody waiting. */
function done(meter: Meter): void {
  console.log(JSON.stringify(meter.read()));
  // The end of the connection may still be under way.
  setTimeout(() => process.exit(0), 100);
}

/**
 * Gathers what it reads in four buffers of a MiB, as our receiving does: to write the reads as they come, or several with
 * one `writev`, takes twice as long, as then each of them lives on.
 */
async function receiveBare(end: End): Promise<void> {
  const handle = await open(`${end.folder}/${end.name}`, "w");
  const free = Array.from({ length: 4 }, () => Buffer.alloc(MIB));
  const full: Buffer[] = [];
  let [filled, offset, isWriting, isOver] = [0, 0, false, false];
  let rest: Buffer = Buffer.alloc(0);
  let meter: Meter | undefined;
  const write = async (socket: Bun.Socket<undefined>) => {
    if (isWriting) return;
    isWriting = true;
    for (let bytes = full.shift(); bytes !== undefined; bytes = full.shift()) {
      await handle.write(bytes, 0, bytes.length, end.isPipe === true ? null : offset);
      offset += bytes.length;
      free.push(bytes as Buffer<ArrayBuffer>);
      read(socket, rest);
    }
    isWriting = false;
    if (!isOver) return;
    if (filled > 0) await handle.write(free[0] as Buffer, 0, filled, end.isPipe === true ? null : offset);
    await handle.close();
    done(meter as Meter);
  };
  const read = (socket: Bun.Socket<undefined>, chunk: Buffer) => {
    let at = 0;
    for (let [buffer] = free; buffer !== undefined && at < chunk.length; [buffer] = free) {
      const copied = chunk.copy(buffer, filled, at);
      at += copied;
      filled += copied;
      if (filled < MIB) continue;
      filled = 0;
      full.push(buffer);
      free.shift();
    }
    rest = chunk.subarray(at);
    if (rest.length > 0) socket.pause();
    else socket.resume();
    if (full.length > 0) void write(socket);
  };
  const { port } = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    tls: dialOptions(acceptorContext(end.identity, end.authority)),
    socket: {
      handshake: () => void (meter = new Meter()),
      data: (socket, chunk) => read(socket, rest.length === 0 ? chunk : Buffer.concat([rest, chunk])),
      close(socket) {
        isOver = true;
        void write(socket);
      },
      error: () => undefined,
    },
  });
  console.log(port);
}

/** Reads one MiB while another is written. */
async function sendBare(end: End): Promise<void> {
  const handle = await open(`${end.folder}/${end.name}`);
  let drained: () => void = () => undefined;
  const { authority, identity, serverName } = end;
  const { promise: secured, resolve } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const socket = await Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port: end.port as number,
    tls: dialOptions(diallerContext({ authority, identity, serverName })),
    socket: {
      handshake: () => resolve(),
      data: () => undefined,
      drain: () => drained(),
      close: () => close(),
    },
  });
  await secured;
  const meter = new Meter();
  const buffers = [Buffer.alloc(MIB), Buffer.alloc(MIB)] as const;
  const read = async (offset: number, into: Buffer) => {
    const { bytesRead } = await handle.read(into, 0, MIB, end.isPipe === true ? null : offset);
    return into.subarray(0, bytesRead);
  };
  const write = async (bytes: Buffer) => {
    for (let left = bytes; left.length > 0;) {
      left = left.subarray(socket.write(left));
      if (left.length > 0) await new Promise<void>((resolve) => (drained = resolve));
    }
  };
  let bytes = await read(0, buffers[0]);
  for (let at = 0, turn = 1; bytes.length > 0; turn++) {
    at += bytes.length;
    const [next] = await Promise.all([read(at, buffers[turn % 2] as Buffer), write(bytes)]);
    bytes = next;
  }
  socket.end();
  await closed;
  await handle.close();
  done(meter);
}

export class EndProcess {
  readonly #process: Bun.Subprocess<Blob, "pipe", "inherit">;
  readonly #lines: AsyncIterator<string>;

  constructor(end: End) {
    this.#process = Bun.spawn([process.execPath, "run", import.meta.path], {
      stdin: new Blob([JSON.stringify(end)]),
      stdout: "pipe",
      stderr: "inherit",
      timeout: PROCESS_LIFETIME,
    });
    this.#lines = linesOf(this.#process.stdout);
  }

  get pid(): number {
    return this.#process.pid;
  }

  end(): void {
    this.#process.kill();
  }

  /** Where it listens. */
  async port(): Promise<number> {
    return Number(await this.#next());
  }

  async figures(): Promise<EndFigures> {
    const figures = JSON.parse(await this.#next()) as EndFigures;
    await this.#process.exited;
    return { ...figures, roundTrip: figures.roundTrip ?? Number.NaN };
  }

  async #next(): Promise<string> {
    const { value, done: isOver } = await this.#lines.next();
    if (isOver === true) throw new Error("a side of the stream has ended");
    return value;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() as string;
    yield* lines;
  }
  return undefined;
}

if (import.meta.main) {
  const end = JSON.parse(await Bun.stdin.text()) as End;
  const isReceiver = end.port === undefined;
  if (end.way === "idle") isReceiver ? serve(end) : idle(end);
  else if (end.way === "ours") await (isReceiver ? receiveOurs(end) : sendOurs(end));
  else await (isReceiver ? receiveBare(end) : sendBare(end));
}
