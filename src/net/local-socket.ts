/** Connections within this machine, through a socket in the file system that only its owner may use. */
import { existsSync, lstatSync, unlinkSync } from "node:fs";

import { Connection, SOCKET_HANDLERS, type ConnectionHandlers } from "./connection.ts";
import { errorCode } from "./error-code.ts";

/** Longest path of a socket on Linux, in bytes. */
export const MAX_LOCAL_PATH = 107;

/** The umask with which only the owner may use the socket. */
const OWNER_ONLY = 0o177;

type LocalListenOptions = {
  /** At most `MAX_LOCAL_PATH` bytes. An existing socket is replaced: the caller knows that no program listens on it. */
  readonly path: string;
  readonly objectLimit: number;
  /** The handlers of a new connection. */
  accept(): ConnectionHandlers;
};

/** A socket cannot be made, or no program listens on it: `ENAMETOOLONG`, `EADDRINUSE`, `ENOENT`, `ECONNREFUSED`, `EACCES`, … */
export class LocalSocketError extends Error {
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(`local socket: ${code}`, { cause });
    this.code = code;
  }
}

/** @throws LocalSocketError; `EADDRINUSE` if the path exists and is not a socket. */
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

/** Connects to the socket at `path`, which is no link to one. @throws LocalSocketError */
export async function connectLocal(
  path: string,
  objectLimit: number,
  handlers: ConnectionHandlers,
): Promise<Connection> {
  if (Buffer.byteLength(path) > MAX_LOCAL_PATH) throw new LocalSocketError("ENAMETOOLONG");
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new LocalSocketError("ELOOP");
  const connection = new Connection(handlers, { objectLimit, tls: false });
  try {
    await Bun.connect<Connection>({
      unix: path,
      data: connection,
      // The promise rejects with the same error.
      socket: { ...SOCKET_HANDLERS, connectError: () => undefined },
    });
  } catch (error) {
    throw new LocalSocketError(errorCode(error), error);
  }
  return connection;
}
