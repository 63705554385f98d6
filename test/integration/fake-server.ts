/** Something that listens where a rendezvous server is looked for; it keeps every byte that it was sent. */
import type { Authority } from "../../src/identity/certificate.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { changed } from "./messenger-pair.ts";
import type { Message } from "./rendezvous-test-client.ts";
import { UnsentBytes } from "./unsent-bytes.ts";

export type FakeOptions = {
  /** 0: a free one. */
  readonly port?: number;
  /** Undefined: without TLS. */
  readonly identity?: TlsIdentity;
  /** More of the TLS options. */
  readonly tls?: object;
  /** What is said to whoever connects, or to the first bytes; undefined: nothing. */
  readonly greeting?: string;
  /** Closes every connection at once. */
  readonly closes?: boolean;
  /** What is written in answer to each message; undefined: nothing. */
  readonly answer?: (message: Message) => string | Uint8Array | Message | undefined;
};

/** What a server with this authority answers to `ping`. */
export function pongOf({ certificatePem }: Authority, { id }: Message, more: Message = {}): Message {
  const time = new Date().toISOString();
  const challenge = Buffer.alloc(32, 7).toString("base64");
  return { action: "pong", time, authority: certificatePem, challenge, id, ...more };
}

type Fake = { rest: string; unsent: UnsentBytes };
type FakeSocket = Bun.Socket<Fake>;

export class FakeServer {
  /** What came: over TLS, what was inside of it. */
  readonly received: Buffer[] = [];
  readonly messages: Message[] = [];
  /** Connections that were made. */
  connections = 0;
  readonly port: number;
  readonly #listener: Bun.TCPSocketListener<Fake>;
  readonly #options: FakeOptions;
  readonly #sockets = new Set<FakeSocket>();

  constructor(options: FakeOptions) {
    this.#options = options;
    const { identity } = options;
    this.#listener = Bun.listen<Fake>({
      hostname: "127.0.0.1",
      port: options.port ?? 0,
      ...(identity === undefined
        ? {}
        : { tls: { key: identity.key, cert: identity.certificate, ...options.tls } }),
      socket: {
        open: (socket) => this.#opened(socket),
        data: (socket, chunk) => this.#read(socket, chunk),
        drain: (socket) => socket.data.unsent.flush(socket),
        error: () => undefined,
        close: (socket) => {
          // A socket that was reset while it was written to is closed twice.
          this.#sockets.delete(socket);
          changed();
        },
      },
    });
    this.port = this.#listener.port;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** What came, as text. */
  get text(): string {
    return Buffer.concat(this.received).toString("latin1");
  }

  /** Writes to every connection. */
  push(bytes: string | Uint8Array | Message): void {
    for (const socket of this.#sockets) this.#write(socket, bytes);
  }

  /** Ends every connection. */
  end(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  stop(): void {
    this.#listener.stop(true);
  }

  #opened(socket: FakeSocket): void {
    socket.data = { rest: "", unsent: new UnsentBytes() };
    this.#sockets.add(socket);
    this.connections++;
    if (this.#options.closes === true) socket.end();
    changed();
  }

  #read(socket: FakeSocket, chunk: Buffer): void {
    this.received.push(chunk);
    if (this.#options.greeting !== undefined) this.#write(socket, this.#options.greeting);
    const { answer } = this.#options;
    if (answer === undefined) return;
    const lines = (socket.data.rest + chunk.toString("utf8")).split("\n");
    socket.data.rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line) as Message;
      this.messages.push(message);
      const response = answer(message);
      if (response !== undefined) this.#write(socket, response);
    }
    changed();
  }

  #write(socket: FakeSocket, bytes: string | Uint8Array | Message): void {
    const isMessage = typeof bytes === "object" && !(bytes instanceof Uint8Array);
    socket.data.unsent.add(isMessage ? `${JSON.stringify(bytes)}\n` : bytes);
    socket.data.unsent.flush(socket);
  }
}
