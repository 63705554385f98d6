/**
 * What the machine gives without our program: a TLS 1.3 listener in a process of its own that gives back
 * every byte, or answers every line with one and the same, and a connection that counts lines.
 */
import { readFileSync } from "node:fs";

import { acceptorContext, dialOptions, type TlsContext, type TlsIdentity } from "../../src/net/tls.ts";
import { shownCertificate } from "../integration/rendezvous-test-client.ts";

/** However a bench ends, the processes that it started end after this, in ms. */
export const PROCESS_LIFETIME = 600_000;

type Work = {
  readonly identity: TlsIdentity;
  /** PEM: then the dialler must show a certificate of it. */
  readonly authority?: string;
  /** What every line is answered with; undefined: everything comes back as it is. */
  readonly answer?: string;
};

const LINE_FEED = 0x0a;
/** Answers that lie ready to be written. */
const ANSWER_BLOCK_BYTES = 256 * 1024;

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}

/** What a socket has not taken yet. */
class Unsent {
  #buffers: Uint8Array[] = [];

  /** Writes each buffer with a call of its own. */
  write(socket: Bun.Socket<unknown>, buffers: readonly Uint8Array[]): void {
    const idle = this.#buffers.length === 0;
    let index = 0;
    for (; idle && index < buffers.length; index++) {
      const buffer = buffers[index] as Uint8Array;
      const taken = socket.write(buffer);
      if (taken < 0) return;
      if (taken === buffer.length) continue;
      this.#buffers.push(buffer.subarray(taken));
      index++;
      break;
    }
    for (; index < buffers.length; index++) this.#buffers.push(buffers[index] as Uint8Array);
  }

  drain(socket: Bun.Socket<unknown>): void {
    const buffers = this.#buffers;
    this.#buffers = [];
    this.write(socket, buffers);
  }
}

/** As many answers as lines came, written before they are asked for: the least that a server can do. */
class Answers {
  readonly #one: number;
  readonly #block: Buffer;

  constructor(answer: string) {
    this.#one = Buffer.byteLength(answer);
    this.#block = Buffer.from(answer.repeat(Math.ceil(ANSWER_BLOCK_BYTES / this.#one)));
  }

  times(count: number): Buffer[] {
    const buffers: Buffer[] = [];
    for (let left = count * this.#one; left > 0; left -= this.#block.length) {
      buffers.push(left < this.#block.length ? this.#block.subarray(0, left) : this.#block);
    }
    return buffers;
  }
}

async function serve(): Promise<void> {
  const work = JSON.parse(await new Response(Bun.stdin.stream()).text()) as Work;
  const answers = work.answer === undefined ? undefined : new Answers(work.answer);
  const listener = Bun.listen<Unsent>({
    hostname: "127.0.0.1",
    port: 0,
    tls: dialOptions(acceptorContext(work.identity, work.authority)),
    socket: {
      open(socket) {
        socket.data = new Unsent();
      },
      handshake: () => undefined,
      data(socket, chunk) {
        socket.data.write(socket, answers === undefined ? [chunk] : answers.times(countLines(chunk)));
      },
      drain: (socket) => socket.data.drain(socket),
      error: () => undefined,
    },
  });
  console.log(listener.port);
}

/** KiB of memory that a process holds; NaN where the system does not say. */
export function residentKib(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
  } catch {
    // Not on this system: the figure is shown as unknown.
    return Number.NaN;
  }
}

export class BareListener {
  readonly port: number;
  readonly #process: Bun.Subprocess<Blob, "pipe", "inherit">;

  private constructor(process: Bun.Subprocess<Blob, "pipe", "inherit">, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(work: Work): Promise<BareListener> {
    const child = Bun.spawn([process.execPath, "run", import.meta.path], {
      stdin: new Blob([JSON.stringify(work)]),
      stdout: "pipe",
      stderr: "inherit",
      timeout: PROCESS_LIFETIME,
    });
    for await (const chunk of child.stdout) {
      return new BareListener(child, Number(new TextDecoder().decode(chunk)));
    }
    throw new Error("the bare listener has ended");
  }

  get pid(): number {
    return this.#process.pid;
  }

  async stop(): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
  }
}

/** A TLS connection that writes lines and waits until so many lines have come back. */
export class BareConnection {
  readonly #socket: Bun.Socket<undefined>;
  readonly #unsent: Unsent;
  /** The other side's certificate (DER). */
  readonly leaf: Uint8Array;
  #expected = 0;
  #received: (() => void) | undefined;
  #lost: (error: Error) => void = () => undefined;
  /** Told when the other side has closed. */
  onClosed: (() => void) | undefined;
  /** What came since `ask`; undefined while no exchange is under way. */
  #text: string | undefined;

  private constructor(socket: Bun.Socket<undefined>, unsent: Unsent, leaf: Uint8Array) {
    this.#socket = socket;
    this.leaf = leaf;
    this.#unsent = unsent;
  }

  static async dial(port: number, context: TlsContext): Promise<BareConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const unsent = new Unsent();
    let connection: BareConnection | undefined;
    const socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      tls: dialOptions(context),
      socket: {
        handshake: (_socket, done, error) =>
          done && error === null ? resolve() : reject(error ?? new Error("no handshake")),
        data: (_socket, chunk) => connection?.received(chunk),
        drain: (drained) => unsent.drain(drained),
        error: (_socket, error) => reject(error),
        close: () => {
          const error = new Error("the connection was closed");
          reject(error);
          connection?.closed(error);
        },
      },
    });
    await promise;
    connection = new BareConnection(socket, unsent, shownCertificate(socket));
    return connection;
  }

  /** Writes every buffer with a call of its own; resolves when `lines` lines have come. */
  exchange(buffers: readonly Uint8Array[], lines: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#expected += lines;
    this.#received = resolve;
    this.#lost = reject;
    this.#unsent.write(this.#socket, buffers);
    return promise;
  }

  /** One line, and what came back. */
  async ask(line: string): Promise<string> {
    this.#text = "";
    await this.exchange([Buffer.from(line)], 1);
    const text = this.#text;
    this.#text = undefined;
    return text;
  }

  close(): void {
    this.#lost = () => undefined;
    this.onClosed = undefined;
    this.#socket.terminate();
  }

  // What follows is called by the socket handlers only.

  closed(error: Error): void {
    this.#lost(error);
    this.onClosed?.();
  }

  received(chunk: Buffer): void {
    this.#expected -= countLines(chunk);
    if (this.#text !== undefined) this.#text += chunk.toString();
    if (this.#expected <= 0) this.#received?.();
  }
}

if (import.meta.main) await serve();
