/** A line that a test can cut at any byte, or let fall silent, between a dialler and a listener. */

/** From the dialler to the listener, or back. */
export type Direction = "in" | "out";

/** One of the two sockets of a connection through the proxy. */
class End {
  /** Which way goes what is read here. */
  readonly direction: Direction;
  socket: Bun.Socket<End> | undefined;
  isStalled = false;
  isClosed = false;
  #other: End | undefined;
  #unsent: Uint8Array[] = [];
  #endsWhenSent = false;

  private constructor(direction: Direction) {
    this.direction = direction;
  }

  static pair(): { dialler: End; listener: End } {
    const dialler = new End("in");
    const listener = new End("out");
    dialler.#other = listener;
    listener.#other = dialler;
    return { dialler, listener };
  }

  get other(): End {
    return this.#other as End;
  }

  write(bytes: Uint8Array): void {
    this.#unsent.push(Uint8Array.from(bytes));
    this.flush();
  }

  /** To be called when the socket is there, and when it has drained. */
  flush(): void {
    const { socket } = this;
    if (socket === undefined || this.isClosed) return;
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const taken = socket.write(first);
      if (taken < first.length) {
        if (taken > 0) this.#unsent[0] = first.subarray(taken);
        this.other.socket?.pause();
        return;
      }
      this.#unsent.shift();
    }
    if (this.#endsWhenSent) socket.end();
    else if (!this.other.isStalled) this.other.socket?.resume();
  }

  /** Ends in good order, when everything is sent. */
  end(): void {
    this.#endsWhenSent = true;
    this.flush();
  }

  terminate(): void {
    if (!this.isClosed) this.socket?.terminate();
  }

  /** The connection is cut: what was forwarded still arrives, nothing more does. */
  cut(): void {
    this.other.end();
    this.terminate();
  }
}

export class CuttingProxy {
  /** The port of this machine that is proxied; undefined: nobody is there. */
  target: number | undefined;
  /** Forwarded, both ways together. */
  bytes = 0;
  cuts = 0;
  stalls = 0;
  readonly #listener: Bun.TCPSocketListener<End>;
  readonly #diallers = new Set<End>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #cut: { readonly direction: Direction; left: number } | undefined;

  constructor() {
    this.#listener = Bun.listen<End>({
      hostname: "127.0.0.1",
      port: 0,
      socket: { ...this.#handlers(), open: (socket) => this.#accept(socket) },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Cuts the connection that carries the byte so many bytes from now in this direction, before it; 0: all at once. */
  cutAfter(direction: Direction, bytes: number): void {
    if (bytes > 0) {
      this.#cut = { direction, left: bytes };
      return;
    }
    this.cuts += this.#diallers.size;
    for (const each of [...this.#diallers]) each.cut();
  }

  /** Forwards nothing in this direction of what is connected now, for `ms`; then goes on, or ends it. */
  stall(direction: Direction, ms: number, isCutThen: boolean): void {
    const ends = [...this.#diallers].map((dialler) => (direction === "in" ? dialler : dialler.other));
    this.stalls += ends.length;
    for (const end of ends) {
      end.isStalled = true;
      end.socket?.pause();
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const end of ends) {
        end.isStalled = false;
        if (end.isClosed) continue;
        end.socket?.resume();
        if (isCutThen) end.cut();
      }
    }, ms);
    this.#timers.add(timer);
  }

  /** Cuts nothing any more. */
  calm(): void {
    this.#cut = undefined;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#listener.stop(true);
    for (const each of [...this.#diallers]) {
      each.terminate();
      each.other.terminate();
    }
  }

  #handlers() {
    return {
      data: (socket: Bun.Socket<End>, chunk: Uint8Array) => this.#forward(socket.data, chunk),
      drain: (socket: Bun.Socket<End>) => socket.data.flush(),
      // `close` follows.
      error: () => undefined,
      close: (socket: Bun.Socket<End>) => {
        const end = socket.data;
        end.isClosed = true;
        this.#diallers.delete(end);
        end.other.end();
      },
    };
  }

  #accept(socket: Bun.Socket<End>): void {
    const { dialler, listener } = End.pair();
    socket.data = dialler;
    dialler.socket = socket;
    this.#diallers.add(dialler);
    if (this.target === undefined) {
      dialler.terminate();
      return;
    }
    Bun.connect<End>({
      hostname: "127.0.0.1",
      port: this.target,
      data: listener,
      socket: {
        ...this.#handlers(),
        open: (far) => {
          listener.socket = far;
          if (dialler.isClosed) listener.terminate();
          else listener.flush();
        },
      },
    }).catch(() => {
      listener.isClosed = true;
      dialler.terminate();
    });
  }

  #forward(end: End, chunk: Uint8Array): void {
    const cut = this.#cut?.direction === end.direction ? this.#cut : undefined;
    const isCut = cut !== undefined && cut.left <= chunk.length;
    const part = isCut ? chunk.subarray(0, cut.left) : chunk;
    this.bytes += part.length;
    end.other.write(part);
    if (cut === undefined) return;
    cut.left -= part.length;
    if (!isCut) return;
    this.#cut = undefined;
    this.cuts++;
    end.cut();
  }
}
