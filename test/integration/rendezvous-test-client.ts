/** A bare client of the rendezvous link for tests: sockets and lines, none of the program's own client. */
import { generateKeyPair } from "../../src/identity/keys.ts";
import { UnsentBytes } from "./unsent-bytes.ts";

export type Message = { readonly [name: string]: unknown };

export class TestClient {
  /** Lines as they came, without their line feeds. */
  readonly lines: string[] = [];
  /** What arrived, read by read. */
  readonly chunks: string[] = [];
  readonly closed: Promise<void>;
  #socket: Bun.Socket<undefined> | undefined;
  #rest = "";
  #taken = 0;
  readonly #unsent = new UnsentBytes();
  #gone = false;
  #decoder = new TextDecoder();
  #markClosed: () => void = () => undefined;
  #waiting: (() => void)[] = [];

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  static async connect(
    port: number,
    options: { host?: string; from?: string; tls?: Bun.TLSOptions; paused?: boolean } = {},
  ): Promise<TestClient> {
    const client = new TestClient();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { tls } = options;
    // Bun binds the near side; its types do not say so.
    const near = options.from === undefined ? {} : { localAddress: options.from };
    await Bun.connect({
      hostname: options.host ?? "127.0.0.1",
      port,
      ...near,
      ...(tls === undefined ? {} : { tls }),
      socket: {
        open(socket) {
          client.#socket = socket as Bun.Socket<undefined>;
          if (options.paused === true) socket.pause();
          if (tls === undefined) resolve();
        },
        handshake(_socket, done, error) {
          if (done && error === null) resolve();
          else reject(error ?? new Error("no handshake"));
        },
        data: (_socket, chunk) => client.#read(chunk),
        drain: () => client.#flush(),
        error: (_socket, error) => reject(error),
        close() {
          client.#gone = true;
          client.#markClosed();
          reject(new Error("closed"));
          client.#wake();
        },
      },
    });
    await promise;
    return client;
  }

  send(...messages: Message[]): void {
    this.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  }

  write(bytes: string | Uint8Array): void {
    this.#unsent.add(bytes);
    this.#flush();
  }

  /** The next message that was not yet taken. */
  async next(): Promise<Message> {
    return JSON.parse(await this.nextLine()) as Message;
  }

  async nextLine(): Promise<string> {
    for (;;) {
      const line = this.lines[this.#taken];
      if (line !== undefined) {
        this.#taken++;
        return line;
      }
      if (this.#gone) throw new Error("the server has closed the connection");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when so many messages have come, or the server has closed the connection. */
  async arrived(count: number): Promise<void> {
    while (this.lines.length < count && !this.#gone) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  ask(message: Message): Promise<Message> {
    this.send(message);
    return this.answer();
  }

  /** As `next`, without revocations, which are pushed at any time. */
  async answer(): Promise<Message> {
    for (;;) {
      const message = await this.next();
      if (message["action"] !== "revoked") return message;
    }
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#socket?.terminate();
  }

  #flush(): void {
    this.#unsent.flush(this.#socket);
  }

  #read(chunk: Buffer): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    this.chunks.push(text);
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() as string;
    this.lines.push(...lines);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A public key as the wire has it. */
export function newPublicKey(): string {
  return generateKeyPair().spki.toString("base64");
}

export const PASSWORD = "secreta12";

export function registration(username: string, password = PASSWORD): Message {
  return { action: "register", username, password, email: "" };
}

export function loginOf(username: string, more: Message = {}): Message {
  return { action: "login", username, password: PASSWORD, p2p_port: 9001, ...more };
}
