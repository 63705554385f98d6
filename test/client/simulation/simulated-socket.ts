/** One end of a simulated connection on which lines are spoken, in the place of `src/net/line-socket.ts`. */
import type { ConnectionHandlers } from "../../../src/net/connection.ts";
import type { DialledLineHandlers, LineSocket } from "../../../src/net/line-socket.ts";
import type { SimulatedConnection } from "./simulated-connection.ts";
import type { Arrival, Pipe } from "./simulated-pipe.ts";

/** An end of a connection. */
export interface End {
  readonly isOpen: boolean;
  readonly isClosed: boolean;
  /** There may be room to write. */
  flush(): void;
  arrived(arrivals: readonly Arrival[]): void;
  /** The program has crashed. @param isReset whether its machine resets the connection */
  abandon(isReset: boolean): void;
}

type SocketOptions = {
  readonly ip: string;
  readonly localPort: number;
  readonly outgoing: Pipe;
  readonly handlers: DialledLineHandlers;
  /** Makes the end that takes the place of this one. */
  readonly secured: () => SimulatedConnection;
  readonly closed: () => void;
};

export class SimulatedSocket
  implements End, Pick<LineSocket, "ip" | "localPort" | "send" | "secure" | "end" | "terminate">
{
  readonly ip: string;
  readonly localPort: number;
  readonly #options: SocketOptions;
  #state: "lines" | SimulatedConnection | "closed" = "lines";

  constructor(options: SocketOptions) {
    this.ip = options.ip;
    this.localPort = options.localPort;
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#state === "lines";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** The socket that the handlers receive. */
  get asLineSocket(): LineSocket {
    const socket: Pick<LineSocket, "ip" | "localPort" | "send" | "secure" | "end" | "terminate"> = this;
    return socket as LineSocket;
  }

  send(line: object): void {
    if (this.#state === "lines") this.#options.outgoing.put({ name: "line", line });
  }

  secure(
    role: "acceptor" | "dialler",
    _context: unknown,
    _objectLimit: number,
    handlers: ConnectionHandlers,
  ): void {
    if (this.#state !== "lines") return;
    this.#state = this.#options.secured();
    this.#state.shakeHands(role, handlers);
  }

  end(): void {
    if (this.#state !== "lines") return;
    this.#options.outgoing.put({ name: "end" });
    this.#close();
  }

  terminate(): void {
    if (this.#state !== "lines") return;
    this.#options.outgoing.cut();
    this.#options.outgoing.reset(0);
    this.#close();
  }

  flush(): void {
    // A line takes no room.
  }

  abandon(isReset: boolean): void {
    if (this.#state !== "lines") return;
    this.#state = "closed";
    if (isReset) this.#options.outgoing.reset(0);
    else this.#options.outgoing.cut();
    this.#options.closed();
  }

  arrived(arrivals: readonly Arrival[]): void {
    for (const [index, arrival] of arrivals.entries()) {
      if (typeof this.#state === "object") {
        this.#state.arrived(arrivals.slice(index));
        return;
      }
      if (this.#state === "closed") return;
      if (arrival.name === "line") this.#options.handlers.line(arrival.line as Record<string, never>);
      else if (arrival.name === "open") this.#options.handlers.opened(this.asLineSocket);
      else if (arrival.name === "end" || arrival.name === "reset") this.terminate();
      else throw new Error(`${arrival.name} where lines are spoken`);
    }
  }

  #close(): void {
    this.#state = "closed";
    this.#options.closed();
    this.#options.handlers.closed();
  }
}
