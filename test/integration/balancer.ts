/** A TCP balancer as it stands before a server: it writes a header, then passes bytes on, both ways. */
export type Balancer = { readonly port: number; stop(): void };

type Side = { peer: Bun.Socket<Side> | undefined; waiting: Buffer[] };

/**
 * @param port of the server
 * @param header written before the first bytes of each connection, in one segment with them if `together`
 */
export function startBalancer(port: number, header: () => Uint8Array, together = false): Balancer {
  const handlers: Bun.SocketHandler<Side> = {
    data(socket, chunk) {
      const { peer } = socket.data;
      if (peer === undefined) socket.data.waiting.push(Buffer.from(chunk));
      else peer.write(chunk);
    },
    drain: () => undefined,
    close: (socket) => void socket.data.peer?.end(),
    error: (socket) => void socket.terminate(),
  };
  const listener = Bun.listen<Side>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      ...handlers,
      open(client) {
        client.data = { peer: undefined, waiting: [] };
        void Bun.connect<Side>({
          hostname: "127.0.0.1",
          port,
          data: { peer: client, waiting: [] },
          socket: {
            ...handlers,
            async open(server) {
              // The client's first bytes are there before the header goes out.
              while (together && client.data.waiting.length === 0) await Bun.sleep(1);
              const first = client.data.waiting.splice(0);
              if (together) server.write(Buffer.concat([header(), ...first]));
              else {
                server.write(header());
                for (const each of first) server.write(each);
              }
              client.data.peer = server;
            },
          },
        });
      },
    },
  });
  return { port: listener.port, stop: () => listener.stop(true) };
}
