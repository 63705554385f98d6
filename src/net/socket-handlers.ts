import type { Connection } from "./connection.ts";

/** The handlers of every socket of ours; `data` is the connection. All are synchronous. */
export const SOCKET_HANDLERS: Bun.SocketHandler<Connection> = {
  open: (socket) => socket.data.opened(socket),
  handshake: (socket, done, error) => socket.data.shookHands(done, error),
  data: (socket, chunk) => socket.data.received(chunk),
  drain: (socket) => socket.data.flush(),
  close: (socket, error) => socket.data.gone(error),
  error: (socket, error) => socket.data.failed(error),
  // `end` is followed by `close`, which says the same.
  end: () => undefined,
};
