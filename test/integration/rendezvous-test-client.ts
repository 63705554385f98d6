/** A bare client of the rendezvous link for tests: sockets and lines, none of the program's own client. */
import type { KeyObject, X509Certificate } from "node:crypto";

import { hashLeaf, proveKey } from "../../src/identity/connection-proof.ts";
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
  /** The server's certificate (DER); empty on the plain link. */
  leaf: Uint8Array = new Uint8Array();
  #challenge: Promise<string> | undefined;
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
        handshake(socket, done, error) {
          client.leaf = shownCertificate(socket);
          // With verification off Bun reports an unknown chain as a handshake that is not done.
          const isUnverified = tls?.rejectUnauthorized === false && client.leaf.length > 0;
          if (isUnverified || (done && error === null)) resolve();
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

  /** Sends a request, over TLS with the proof of its `public_key`, and takes the next message but pushed revocations. */
  async ask(message: Message): Promise<Message> {
    const isProvable = this.leaf.length > 0 && message["key_proof"] === undefined && hasPrivateKey(message);
    this.send(isProvable ? await this.proven(message) : message);
    return this.answer();
  }

  /** As `next`, without revocations, which are pushed at any time. */
  async answer(): Promise<Message> {
    for (;;) {
      const message = await this.next();
      if (message["action"] !== "revoked") return message;
    }
  }

  /** The challenge of this connection: asked for once. */
  challenge(): Promise<string> {
    return (this.#challenge ??= this.#askForChallenge());
  }

  /** The request with the proof of its `public_key` on this connection. */
  async proven(message: Message): Promise<Message> {
    const proof = keyProof(String(message["public_key"]), await this.challenge(), this.leaf);
    return { ...message, key_proof: proof };
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#socket?.terminate();
  }

  /** Its answer is taken out of `lines`, wherever it comes. */
  async #askForChallenge(): Promise<string> {
    const id = "challenge";
    this.send({ action: "ping", id });
    for (let index = this.#taken; ; index++) {
      await this.arrived(index + 1);
      const line = this.lines[index];
      if (line === undefined) throw new Error("the server has closed the connection");
      const message = JSON.parse(line) as Message;
      if (message["id"] !== id) continue;
      this.lines.splice(index, 1);
      return String(message["challenge"]);
    }
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

/** The certificate (DER) that the other side has shown; empty when it has shown none. */
export function shownCertificate(socket: object): Uint8Array {
  // Bun's types lack it.
  const shown = socket as { getPeerX509Certificate(): X509Certificate | undefined };
  return shown.getPeerX509Certificate()?.raw ?? new Uint8Array();
}

/** The private keys of `newPublicKey`. */
const privateKeys = new Map<string, KeyObject>();

/** A public key as the wire has it; `keyProof` knows its private key. */
export function newPublicKey(): string {
  const { spki, privateKey } = generateKeyPair();
  const key = spki.toString("base64");
  privateKeys.set(key, privateKey);
  return key;
}

/** The private key of a public key of `newPublicKey`, in PEM. */
export function privateKeyOf(publicKey: string): string {
  return String(privateKeys.get(publicKey)?.export({ type: "pkcs8", format: "pem" }));
}

function hasPrivateKey({ public_key }: Message): boolean {
  return typeof public_key === "string" && privateKeys.has(public_key);
}

/** The `key_proof` for a public key of `newPublicKey`, for this challenge and leaf (DER). */
export function keyProof(publicKey: string, challenge: string, leaf: Uint8Array): string {
  const privateKey = privateKeys.get(publicKey);
  if (privateKey === undefined) throw new Error(`no private key is known for ${publicKey}`);
  return proveKey(privateKey, { challenge: Buffer.from(challenge, "base64"), leafHash: hashLeaf(leaf) });
}

export const PASSWORD = "secreta12";

export function registration(username: string, password = PASSWORD): Message {
  return { action: "register", username, password, email: "" };
}

export function loginOf(username: string, more: Message = {}): Message {
  return { action: "login", username, password: PASSWORD, p2p_port: 9001, ...more };
}
