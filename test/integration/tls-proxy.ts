/** Somebody in the middle: ends TLS with a certificate of their own, and passes everything on to a real server. */
import type { TlsIdentity } from "../../src/net/tls.ts";
import { TestClient } from "./rendezvous-test-client.ts";

type Passage = { readonly behind: Promise<Bun.Socket<undefined>> };

export class TlsProxy {
  readonly port: number;
  /** What clients have sent. */
  heard = "";
  readonly #listener: Bun.TCPSocketListener<Passage>;

  /** @param port 0: a free one */
  constructor(identity: TlsIdentity, serverPort: number, port = 0) {
    this.#listener = Bun.listen<Passage>({
      hostname: "127.0.0.1",
      port,
      tls: { key: identity.key, cert: identity.certificate },
      socket: {
        open: (socket) => {
          const { promise, resolve, reject } = Promise.withResolvers<Bun.Socket<undefined>>();
          socket.data = { behind: promise };
          Bun.connect<undefined>({
            hostname: "127.0.0.1",
            port: serverPort,
            tls: { rejectUnauthorized: false },
            socket: {
              handshake: (server) => resolve(server),
              data: (_server, bytes) => void socket.write(bytes),
              close: () => void socket.end(),
              error: () => undefined,
            },
          }).catch(reject);
        },
        data: (socket, bytes) => {
          this.heard += bytes.toString();
          const copy = Buffer.from(bytes);
          void socket.data.behind.then((server) => server.write(copy));
        },
        close: (socket) => void socket.data.behind.then((server) => server.end()),
        error: () => undefined,
      },
    });
    this.port = this.#listener.port;
  }

  /** A client that takes the proxy for the server. */
  connect(): Promise<TestClient> {
    return TestClient.connect(this.port, { tls: { rejectUnauthorized: false } });
  }

  stop(): void {
    this.#listener.stop(true);
  }
}
