/**
 * Listening, plain or TLS. Each TLS connection gets the current context, so that a renewed certificate needs no
 * new listener, which would lose connections.
 */
import { normalizeAddress } from "../protocol/ip-address.ts";
import { Connection, SOCKET_HANDLERS, type ConnectionHandlers } from "./connection.ts";
import { errorCode } from "./error-code.ts";
import { descriptorLimit, descriptorsForConnections } from "./descriptors.ts";
import { RefusedConnections } from "./refused.ts";
import { descriptorOf, startTls, type Acceptance } from "./tls.ts";

export type ListenOptions = {
  /** An IP literal; undefined: all addresses, those of IPv6 too if the machine has it. */
  host: string | undefined;
  /** 0 to 65535; 0 takes a free one. */
  port: number;
  objectLimit: number;
  /** Called for each new connection; without it the link is plain. */
  tls?: () => Acceptance;
  /** The handlers of a new connection from this address, as `normalizeAddress` gives it; undefined refuses it. */
  accept(remoteAddress: string): ConnectionHandlers | undefined;
  /** Whether refused connections are closed a moment later, which bounds the work of refusing them. */
  delaysRefusals?: boolean;
  /** A connection was closed at once because the process is almost out of descriptors. */
  outOfDescriptors?(remoteAddress: string): void;
};

export type Listener = {
  readonly port: number;
  /** The address listened on, as it is shown: `0.0.0.0` for all addresses (CLI.md). */
  readonly host: string;
  /** Stops accepting connections; open ones continue. */
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
  return listenAt(options, (hostname) => listenOn(hostname, options));
}

/**
 * Listens at one address, or at all of IPv6 and IPv4. @param begin listens at this address; may throw Bun's error
 * @throws ListenError
 */
export function listenAt(
  { host, port }: { readonly host: string | undefined; readonly port: number },
  begin: (hostname: string) => { readonly port: number; stop(): void },
): Listener {
  const at = (hostname: string): Listener => {
    try {
      const listener = begin(hostname);
      return { port: listener.port, host: host ?? "0.0.0.0", stop: () => listener.stop() };
    } catch (error) {
      throw new ListenError(errorCode(error), port, error);
    }
  };
  if (host !== undefined) return at(host);
  try {
    return at("::");
  } catch (error) {
    // The machine may have no IPv6.
    if (!(error instanceof ListenError) || !/EAFNOSUPPORT|EADDRNOTAVAIL|EINVAL/.test(error.code)) throw error;
    return at("0.0.0.0");
  }
}

function listenOn(hostname: string, options: ListenOptions): { readonly port: number; stop(): void } {
  const { tls, objectLimit } = options;
  const descriptors = descriptorsForConnections(descriptorLimit());
  const refused = options.delaysRefusals === true ? new RefusedConnections() : undefined;
  const adopt = (socket: Bun.Socket<undefined>): Connection | undefined => {
    // Undefined on a socket that the other side has reset already.
    const shown: string | undefined = socket.remoteAddress;
    const address = shown === undefined ? undefined : normalizeAddress(shown);
    // A new socket gets the lowest free number, so this is how many are in use.
    const isOneTooMany = descriptorOf(socket) >= descriptors;
    if (isOneTooMany) options.outOfDescriptors?.(address ?? "");
    if (address === undefined || isOneTooMany) {
      socket.terminate();
      return undefined;
    }
    const handlers = options.accept(address);
    if (handlers === undefined) {
      if (refused === undefined) socket.terminate();
      else refused.add(socket);
      return undefined;
    }
    const connection = new Connection(handlers, { objectLimit, tls: tls !== undefined });
    connection.remoteAddress = address;
    handlers.accepted?.(connection);
    return connection;
  };
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
                const { context, leafHash } = tls();
                connection.leafHash = leafHash;
                startTls(socket, "acceptor", context, connection, SOCKET_HANDLERS);
              } catch (error) {
                connection.terminate("internal_error");
                throw error;
              }
            },
            // An error in `accept` or `tls` is our own bug; it ends this connection only.
            error(socket, error) {
              socket.terminate();
              throw error;
            },
            // Bun requires `data` or `drain`; `data` would be called with ciphertext.
            drain: () => undefined,
          },
        });
  return {
    port: listener.port,
    stop: () => {
      listener.stop();
      refused?.stop();
    },
  };
}
