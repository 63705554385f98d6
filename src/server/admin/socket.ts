/**
 * The operator's program reaches a running server through a unix socket of mode 0600 beside the database, so that only
 * users who can write the database can give commands. Each connection carries one request:
 *
 * 1. The operator's program connects and sends one request.
 * 2. The server checks it and carries it out.
 * 3. It sends the reply and ends the connection.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Connection, ConnectionHandlers } from "../../net/connection.ts";
import { listenLocal, LocalSocketError, MAX_LOCAL_PATH } from "../../net/local-socket.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { isDiskFull } from "../database/database-errors.ts";
import type { Log } from "../log/log.ts";
import { StoreBusy } from "../store/store.ts";
import {
  ADMIN_OBJECT_LIMIT,
  readDeadline,
  readRequest,
  type AdminReply,
  type AdminRequest,
} from "./messages.ts";
import { AdminOperations, type AdminServices } from "./operations.ts";

/** Connections at once; further ones are refused with `server_busy`. */
const MAX_CONNECTIONS = 8;
/** How long a connection may last, in ms: a password may have to wait for its hash. */
const CONNECTION_TIMEOUT = 20_000;
/** How long a request is delayed, in ms, so that the end of its connection is noticed first. */
const CLOSE_DELAY = 5;

/**
 * The path of the socket of a database. Its name begins with a full stop, so that `users.db*` does not match it.
 * @throws errors of the file system
 */
export function adminSocketPath(databasePath: string): string {
  // A symbolic link to the database leads to the same socket.
  const real = realpathSync(databasePath);
  return join(dirname(real), `.${basename(real)}.admin`);
}

/** Opens the socket. If that fails, the error is logged and the server runs without it. */
export function openAdminSocket(
  databasePath: string,
  services: AdminServices & { readonly log: Log },
): { close(): void } {
  const { log } = services;
  const operations = new AdminOperations(services);
  const connections = new Set<Connection>();
  let path = databasePath;
  try {
    path = adminSocketPath(databasePath);
    // An existing socket was left by a crash: this server holds the lock of the database.
    const listener = listenLocal({
      path,
      objectLimit: ADMIN_OBJECT_LIMIT,
      accept: () => new AdminConnection(operations, connections, log),
    });
    return {
      close() {
        try {
          listener.stop();
        } catch (error) {
          log.error("admin_socket_not_removed", error, { path });
        }
        for (const connection of connections) connection.terminate("server_closing");
      },
    };
  } catch (error) {
    if (error instanceof LocalSocketError && error.code === "ENAMETOOLONG") {
      log.warn("no_admin_socket", { path, reason: "path_too_long", longest: MAX_LOCAL_PATH });
    } else log.error("no_admin_socket", error, { path });
    return { close: () => undefined };
  }
}

class AdminConnection implements ConnectionHandlers {
  readonly #operations: AdminOperations;
  readonly #connections: Set<Connection>;
  readonly #log: Log;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasRequest = false;

  constructor(operations: AdminOperations, connections: Set<Connection>, log: Log) {
    this.#operations = operations;
    this.#connections = connections;
    this.#log = log;
  }

  opened(connection: Connection): void {
    const isCrowded = this.#connections.size >= MAX_CONNECTIONS;
    this.#connections.add(connection);
    this.#timer = setTimeout(() => connection.terminate("timeout"), CONNECTION_TIMEOUT);
    if (isCrowded) this.#reply(connection, { name: "refused", code: "server_busy" });
  }

  message(object: JsonObject, connection: Connection): void {
    if (this.#hasRequest) return;
    this.#hasRequest = true;
    const request = readRequest(object);
    if (request === undefined) this.#reply(connection, { name: "refused", code: "bad_request" });
    else void this.#answer(request, readDeadline(object), connection);
  }

  fault(_fault: unknown, connection: Connection): void {
    if (this.#hasRequest) return;
    this.#hasRequest = true;
    this.#reply(connection, { name: "refused", code: "bad_request" });
  }

  closed(_reason: unknown, connection: Connection): void {
    clearTimeout(this.#timer);
    this.#connections.delete(connection);
  }

  /** @param until the latest time to begin, in ms since 1970. */
  async #answer(request: AdminRequest, until: number, connection: Connection): Promise<void> {
    // After a suspension the server reads a request before it learns that its sender has gone.
    await Bun.sleep(CLOSE_DELAY);
    const isWanted = () => connection.isOpen && Date.now() < until;
    this.#reply(
      connection,
      await this.#operations.run(request, isWanted).catch((error: unknown): AdminReply => {
        // The lock of another program is noticed before anything is changed.
        if (error instanceof StoreBusy) return { name: "refused", code: "server_busy" };
        if (isDiskFull(error)) return { name: "refused", code: "disk_full" };
        this.#log.error("internal_error", error, { command: request.command });
        return { name: "refused", code: "internal_error" };
      }),
    );
  }

  #reply(connection: Connection, reply: AdminReply): void {
    connection.send(reply);
    connection.end("answered");
  }
}
