/** Connections within this machine, through a socket in the file system that only its owner may use. */
import { existsSync, lstatSync, unlinkSync } from "node:fs";

import { Connection, SOCKET_HANDLERS, type ConnectionHandlers } from "./connection.ts";
import { errorCode } from "./error-code.ts";

/** Bytes of the longest path that a socket may have: the kernel's, on Linux. */
export const MAX_LOCAL_PATH = 107;

/** Nobody may use the socket but its owner. */
const OWNER_ONLY = 0o177;

type LocalListenOptions = {
  /** At most `MAX_LOCAL_PATH` bytes. An existing socket is replaced: the caller knows that no program listens on it. */
  readonly path: string;
  readonly objectLimit: number;
  /** The handlers of a new connection. */
  accept(): ConnectionHandlers;
};

/** Why there is no socket, or no program behind it: `ENAMETOOLONG`, `EADDRINUSE`, `ENOENT`, `ECONNREFUSED`, `EACCES`, … */
export class LocalSocketError extends Error {
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(`local socket: ${code}`, { cause });
    this.code = code;
  }
}

/** @throws LocalSocketError; `EADDRINUSE` when something that is no socket has the name. */
export function listenLocal({ path, objectLimit, accept }: LocalListenOptions): { stop(): void } {
  if (Buffer.byteLength(path) > MAX_LOCAL_PATH) throw new LocalSocketError("ENAMETOOLONG");
  const outer = process.umask(OWNER_ONLY);
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
    const listener = Bun.listen<Connection>({
      unix: path,
      socket: {
        ...SOCKET_HANDLERS,
        open(socket) {
          socket.data = new Connection(accept(), { objectLimit, tls: false });
          socket.data.opened(socket);
        },
      },
    });
    return {
      stop() {
        listener.stop();
        if (existsSync(path)) unlinkSync(path);
      },
    };
  } catch (error) {
    throw new LocalSocketError(errorCode(error), error);
  } finally {
    process.umask(outer);
  }
}

/** Connects; `handlers` get what comes. @throws LocalSocketError */
export async function connectLocal(
  path: string,
  objectLimit: number,
  handlers: ConnectionHandlers,
): Promise<Connection> {
  if (Buffer.byteLength(path) > MAX_LOCAL_PATH) throw new LocalSocketError("ENAMETOOLONG");
  const connection = new Connection(handlers, { objectLimit, tls: false });
  try {
    await Bun.connect<Connection>({
      unix: path,
      data: connection,
      // The rejection says the same.
      socket: { ...SOCKET_HANDLERS, connectError: () => undefined },
    });
  } catch (error) {
    throw new LocalSocketError(errorCode(error), error);
  }
  return connection;
}
