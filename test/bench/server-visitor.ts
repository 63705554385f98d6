/** A client of the soak: a TLS connection whose answers are told from pushed news by their id. */
import { dialOptions, type TlsContext } from "../../src/net/tls.ts";
import { line } from "./server-program.ts";

export type Answer = { readonly [name: string]: unknown };
type Waiting = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

export class Visitor {
  readonly #socket: Bun.Socket<undefined>;
  readonly closed: Promise<void>;
  /** The answer that is waited for: one at a time. */
  #waiting: Waiting | undefined;
  #lastId = 0;
  #rest = "";
  #isClosed = false;

  private constructor(socket: Bun.Socket<undefined>, closed: Promise<void>) {
    this.#socket = socket;
    this.closed = closed;
  }

  static async dial(port: number, context: TlsContext): Promise<Visitor> {
    const shaken = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    let visitor: Visitor | undefined;
    const socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      tls: dialOptions(context),
      socket: {
        handshake: (_socket, done, error) =>
          done && error === null ? shaken.resolve() : shaken.reject(error ?? new Error("no handshake")),
        data: (_socket, chunk) => visitor?.received(chunk),
        error: (_socket, error) => shaken.reject(error),
        close: () => {
          shaken.reject(new Error("closed"));
          visitor?.lost();
          closed.resolve();
        },
      },
    });
    visitor = new Visitor(socket, closed.promise);
    await shaken.promise;
    return visitor;
  }

  /** @throws when the connection is closed before the answer. */
  ask(request: object): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    if (this.#isClosed) reject(new Error("closed"));
    else {
      this.#waiting = { resolve, reject };
      this.#socket.write(line({ ...request, id: ++this.#lastId }));
    }
    return promise;
  }

  /** Writes bytes of which no answer is waited for; what the socket does not take is lost. */
  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Closes in good order, or drops the connection. */
  leave(manner: "end" | "drop"): void {
    if (manner === "end") this.#socket.end();
    else this.#socket.terminate();
  }

  // What follows is called by the socket handlers, by nobody else.

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
