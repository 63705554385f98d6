/**
 * Listening: plain, or TLS with the current context, so that a renewed certificate serves the next
 * connection and no listener has to be closed, which would lose connections.
 */
import { Connection, SOCKET_HANDLERS, type ConnectionHandlers } from "./connection.ts";
import { errorCode } from "./error-code.ts";
import { descriptorLimit, descriptorsForConnections } from "./descriptors.ts";
import { descriptorOf, upgradeAccepted, type TlsContext } from "./tls.ts";

export type ListenOptions = {
  /** An IP literal; undefined: all addresses, IPv6 and IPv4 where there is IPv6. */
  host: string | undefined;
  /** 0 to 65535; 0 takes a free one. */
  port: number;
  objectLimit: number;
  /** Gives the context for each new connection; without it the link is plain. */
  tls?: () => TlsContext;
  /** The handlers of a new connection from this address; undefined refuses it at once. */
  accept(remoteAddress: string): ConnectionHandlers | undefined;
  /** A connection was ended at once, because the process has hardly any descriptor left. */
  outOfDescriptors?(remoteAddress: string): void;
};

export type Listener = {
  readonly port: number;
  /** The address listened on, as people know it. */
  readonly host: string;
  /** Takes no more connections; those that are open go on. */
  stop(): void;
};

/** Why an address could not be listened on: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … */
export class ListenError extends Error {
  readonly code: string;
  readonly port: number;

  constructor(code: string, port: number, cause: unknown) {
    super(`cannot listen on port ${port}: ${code}`, { cause });
    this.code = code;
    this.port = port;
  }
}

/** @throws ListenError */
export function listen(options: ListenOptions): Listener {
  if (options.host !== undefined) return listenOn(options.host, options);
  try {
    return listenOn("::", options);
  } catch (error) {
    // No IPv6 on this machine is no reason not to serve IPv4.
    if (!(error instanceof ListenError) || !/EAFNOSUPPORT|EADDRNOTAVAIL|EINVAL/.test(error.code)) throw error;
    return listenOn("0.0.0.0", options);
  }
}

function listenOn(hostname: string, options: ListenOptions): Listener {
  const { tls, objectLimit } = options;
  const descriptors = descriptorsForConnections(descriptorLimit());
  const adopt = (socket: Bun.Socket<undefined>): Connection | undefined => {
    // Undefined on a socket that the other side has reset already.
    const address: string | undefined = socket.remoteAddress;
    // A new socket gets the lowest free number, so this is how many are in use.
    const isOneTooMany = descriptorOf(socket) >= descriptors;
    if (isOneTooMany) options.outOfDescriptors?.(address ?? "");
    const handlers = address === undefined || isOneTooMany ? undefined : options.accept(address);
    if (handlers === undefined) {
      socket.terminate();
      return undefined;
    }
    const connection = new Connection(handlers, { objectLimit, tls: tls !== undefined });
    handlers.accepted?.(connection);
    return connection;
  };
  try {
    const listener =
      tls === undefined
        ? Bun.listen<Connection>({
            hostname,
            port: options.port,
            socket: {
              ...SOCKET_HANDLERS,
              open(socket) {
                const connection = adopt(socket as unknown as Bun.Socket<undefined>);
                if (connection === undefined) return;
                socket.data = connection;
                connection.opened(socket);
              },
              // A refused socket has no connection to notify.
              close: (socket, error) => socket.data?.gone(error),
              error: (socket, error) => socket.data?.failed(error),
            },
          })
        : Bun.listen<undefined>({
            hostname,
            port: options.port,
            socket: {
              open(socket) {
                const connection = adopt(socket);
                if (connection === undefined) return;
                try {
                  upgradeAccepted(socket, tls(), connection, SOCKET_HANDLERS);
                } catch (error) {
                  connection.terminate("internal_error");
                  throw error;
                }
              },
              // What `accept` or `tls` threw is our own bug, and ends this connection only.
              error(socket, error) {
                socket.terminate();
                throw error;
              },
              // Bun asks for one of `data` and `drain`; with `data` it would hand over ciphertext.
              drain: () => undefined,
            },
          });
    return {
      port: listener.port,
      host: hostname === "::" ? "0.0.0.0" : hostname,
      stop: () => listener.stop(),
    };
  } catch (error) {
    throw new ListenError(errorCode(error), options.port, error);
  }
}
