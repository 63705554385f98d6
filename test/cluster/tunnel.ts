/** A way to ports of loopback, as a balancer is one, that can be cut: then its connections end, and none come about. */
type Pair = {
  readonly near: Bun.Socket<Pair | undefined>;
  far: Bun.Socket<undefined> | undefined;
  waiting: Buffer[];
};

export class Tunnel {
  readonly #listener: Bun.TCPSocketListener<Pair | undefined>;
  readonly #pairs = new Set<Pair>();
  #isCut = false;

  private constructor(to: () => number) {
    this.#listener = Bun.listen<Pair | undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (near) => this.#connect(near, to),
        data: (near, bytes) => {
          const pair = near.data;
          if (pair?.far === undefined) pair?.waiting.push(bytes);
          else pair.far.write(bytes);
        },
        close: (near) => this.#end(near.data),
      },
    });
  }

  /** @param to the port of the next connection */
  static async open(to: number | (() => number)): Promise<Tunnel> {
    return new Tunnel(typeof to === "number" ? () => to : to);
  }

  get port(): number {
    return this.#listener.port;
  }

  cut(): void {
    this.#isCut = true;
    for (const pair of [...this.#pairs]) this.#end(pair);
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#listener.stop(true);
  }

  #connect(near: Bun.Socket<Pair | undefined>, to: () => number): void {
    if (this.#isCut) return void near.terminate();
    const pair: Pair = { near, far: undefined, waiting: [] };
    near.data = pair;
    this.#pairs.add(pair);
    void Bun.connect({
      hostname: "127.0.0.1",
      port: to(),
      socket: {
        open: (far) => {
          pair.far = far as Bun.Socket<undefined>;
          for (const bytes of pair.waiting.splice(0)) far.write(bytes);
        },
        data: (_far, bytes) => void near.write(bytes),
        close: () => this.#end(pair),
      },
    }).catch(() => this.#end(pair));
  }

  #end(pair: Pair | undefined): void {
    if (pair === undefined) return;
    this.#pairs.delete(pair);
    pair.near.terminate();
    pair.far?.terminate();
  }
}
