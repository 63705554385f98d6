/** One end of a peer link made of a socket and lines, with nothing of the program's own client. */
import { X509Certificate } from "node:crypto";

import { readCertificate } from "../../src/identity/certificate-reader.ts";
import type { TlsIdentity } from "../../src/net/tls.ts";
import { changed, until } from "./messenger-pair.ts";
import type { Message } from "./rendezvous-test-client.ts";
import { UnsentBytes } from "./unsent-bytes.ts";

export type RawOptions = {
  /** Key and certificate to show. */
  readonly identity?: TlsIdentity;
  /** More of the TLS options, or false for none at all. */
  readonly tls?: object | false;
  /** The address to dial from. */
  readonly from?: string;
};

type RawSocket = Bun.Socket<unknown>;

export class RawPeer {
  /** What came: on a TLS link, only what was inside TLS. */
  readonly received: Buffer[] = [];
  readonly closed: Promise<void>;
  isClosed = false;
  isSecured = false;
  readonly #identity: TlsIdentity | undefined;
  #socket: RawSocket | undefined;
  readonly #unsent = new UnsentBytes();
  #taken = 0;
  #markClosed: () => void = () => undefined;

  constructor(identity: TlsIdentity | undefined) {
    this.#identity = identity;
    this.closed = new Promise((resolve) => (this.#markClosed = resolve));
  }

  /** Connects; over TLS it gives back when the handshake is done or has failed. */
  static async dial(port: number, options: RawOptions): Promise<RawPeer> {
    const { identity, tls } = options;
    const peer = new RawPeer(identity);
    const context = {
      ...(identity === undefined ? {} : { key: identity.key, cert: identity.certificate }),
      rejectUnauthorized: false,
      ...tls,
    };
    await Bun.connect({
      hostname: "127.0.0.1",
      port,
      ...(tls === false ? {} : { tls: context }),
      ...(options.from === undefined ? {} : { localAddress: options.from, localPort: 0 }),
      socket: peer.handlers,
    });
    if (tls !== false) await until(() => peer.isSecured || peer.isClosed);
    return peer;
  }

  readonly handlers: Bun.SocketHandler<unknown> = {
    open: (socket) => {
      this.#socket = socket;
    },
    handshake: (socket, done) => {
      // With verification off Bun says `false` for a chain it does not know; the handshake is done.
      this.isSecured = done || socket.getPeerCertificate() !== undefined;
      changed();
    },
    data: (_socket, chunk) => {
      this.isSecured = true;
      this.received.push(chunk);
      changed();
    },
    drain: () => this.#flush(),
    error: () => undefined,
    close: () => {
      this.isClosed = true;
      this.#markClosed();
      changed();
    },
  };

  /** The common name that it shows. */
  get name(): string {
    if (this.#identity === undefined) return "";
    return readCertificate(new X509Certificate(this.#identity.certificate)).commonNames[0] ?? "";
  }

  get lines(): string[] {
    return Buffer.concat(this.received).toString("utf8").split("\n").slice(0, -1);
  }

  get messages(): Message[] {
    return this.lines.map((line) => JSON.parse(line) as Message);
  }

  /** The next message that was not yet taken. */
  async next(): Promise<Message> {
    await until(() => this.lines.length > this.#taken || this.isClosed);
    const line = this.lines[this.#taken++];
    if (line === undefined) throw new Error("closed before a message came");
    return JSON.parse(line) as Message;
  }

  /** The codes of the errors that it was told. */
  get errors(): unknown[] {
    return this.messages.filter((message) => message["action"] === "error").map((error) => error["code"]);
  }

  send(...messages: Message[]): void {
    this.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  }

  write(bytes: string | Uint8Array): void {
    this.#unsent.add(bytes);
    this.#flush();
  }

  end(): void {
    this.#socket?.end();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  #flush(): void {
    this.#unsent.flush(this.#socket);
  }
}
