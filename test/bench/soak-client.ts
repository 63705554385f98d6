/** A client of the soak: a TLS connection that recognizes its answers by their id, and ignores notifications. */
import { dialOptions, type TlsContext } from "../../src/net/tls.ts";
import { shownCertificate } from "../integration/rendezvous-test-client.ts";
import { line } from "./server-program.ts";

export type Answer = { readonly [name: string]: unknown };
type Waiting = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

export class SoakClient {
  readonly #socket: Bun.Socket<undefined>;
  readonly closed: Promise<void>;
  /** The server's certificate (DER). */
  readonly leaf: Uint8Array;
  /** The one request that waits for its answer. */
  #waiting: Waiting | undefined;
  #lastId = 0;
  #rest = "";
  #isClosed = false;

  private constructor(socket: Bun.Socket<undefined>, closed: Promise<void>, leaf: Uint8Array) {
    this.#socket = socket;
    this.leaf = leaf;
    this.closed = closed;
  }

  static async dial(port: number, context: TlsContext): Promise<SoakClient> {
    const shaken = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    let client: SoakClient | undefined;
    const socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      tls: dialOptions(context),
      socket: {
        handshake: (_socket, done, error) =>
          done && error === null ? shaken.resolve() : shaken.reject(error ?? new Error("no handshake")),
        data: (_socket, chunk) => client?.received(chunk),
        error: (_socket, error) => shaken.reject(error),
        close: () => {
          shaken.reject(new Error("closed"));
          client?.lost();
          closed.resolve();
        },
      },
    });
    await shaken.promise;
    client = new SoakClient(socket, closed.promise, shownCertificate(socket));
    return client;
  }

  /** @throws if the connection closes before the answer */
  ask(request: object): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    if (this.#isClosed) reject(new Error("closed"));
    else {
      this.#waiting = { resolve, reject };
      this.#socket.write(line({ ...request, id: ++this.#lastId }));
    }
    return promise;
  }

  /** Writes bytes without waiting for an answer; what the socket does not take is lost. */
  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  /** Ends the connection, or drops it. */
  leave(how: "end" | "drop"): void {
    if (how === "end") this.#socket.end();
    else this.#socket.terminate();
  }

  // For the socket handlers above only.

  received(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = lines.pop() as string;
    for (const each of lines) {
      if (!each.endsWith(`"id":${this.#lastId}}`)) continue;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(JSON.parse(each) as Answer);
    }
  }

  lost(): void {
    this.#isClosed = true;
    this.#waiting?.reject(new Error("closed"));
    this.#waiting = undefined;
  }
}
