/** A distance between programs of one machine: everything arrives a while later. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Half a round trip, in ms. */
const DELAY = 10;

function passOn(from: Socket, to: Socket): void {
  from.on("data", (chunk) => setTimeout(() => to.write(chunk), DELAY));
  from.on("end", () => setTimeout(() => to.end(), DELAY));
  from.on("close", () => setTimeout(() => to.destroy(), DELAY));
  from.on("error", () => to.destroy());
}

/** A port that leads to another one of this machine, `2 * DELAY` away once TCP is connected. */
export class DistantPort {
  /** The port to which it leads. */
  target = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (near) => {
      const far = connect({ port: this.target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("close", () => this.#sockets.delete(socket));
      }
      passOn(near, far);
      passOn(far, near);
    });
  }

  static async open(target = 0): Promise<DistantPort> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const distant = new DistantPort(server);
    distant.target = target;
    return distant;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
