/**
 * The operator's way into a running server: a unix socket of mode 0600 beside the database, so that whoever
 * may read the database may give orders, and nobody else. One request a connection:
 *
 * 1. The operator's program connects and sends one request.
 * 2. It is checked and done.
 * 3. The reply is sent, and the connection ends.
 */
import type { Database } from "bun:sqlite";
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Connection, ConnectionHandlers } from "../../net/connection.ts";
import { listenLocal, LocalSocketError, MAX_LOCAL_PATH } from "../../net/local-socket.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { ADMIN_OBJECT_LIMIT, readDeadline, readRequest, type AdminReply } from "./messages.ts";
import { AdminOperations, type HashResult, type LiveServer } from "./operations.ts";
import { isDiskFull } from "../database/database.ts";
import { isLocked } from "../database/locked-database.ts";
import type { Log } from "../log/log.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";
import type { Services } from "../session/services.ts";

/** Connections at once; past it `server_busy`. */
const MAX_CONNECTIONS = 8;
/** How long a connection may last, in ms: a password may wait for its hash. */
const CONNECTION_TIMEOUT = 20_000;
/** How long a request waits for the news that its asker has gone, in ms. */
const GOODBYE_DELAY = 5;
/** To whom the operator's hashes count in their queue. */
const HASH_OWNER = "operator";

export type AdminSocketOptions = {
  readonly database: Database;
  readonly databasePath: string;
  readonly server: RendezvousServer;
  readonly log: Log;
};

/**
 * Where the socket of a database is. Its name begins with a full stop, so that whoever copies or searches
 * `users.db*` does not meet what cannot be read.
 * @throws what the disk says of the database's path
 */
export function adminSocketPath(databasePath: string): string {
  // One database has one socket, whatever names it is called by.
  const real = realpathSync(databasePath);
  return join(dirname(real), `.${basename(real)}.admin`);
}

/** Without it the server runs all the same: a path that is too long, or a disk that has no sockets, is logged. */
export function openAdminSocket({ databasePath, server, log }: AdminSocketOptions): { close(): void } {
  const operations = operationsOf(server.services);
  const connections = new Set<Connection>();
  let path = databasePath;
  try {
    path = adminSocketPath(databasePath);
    // Left by a crash it is nobody's: this server has the database to itself.
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
  #isAsked = false;

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
    if (this.#isAsked) return;
    this.#isAsked = true;
    const request = readRequest(object);
    const until = readDeadline(object);
    if (request === undefined) {
      this.#reply(connection, { name: "refused", code: "bad_request" });
      return;
    }
    // An asker who has gone already, while this process was stopped, is told after what he asked.
    Bun.sleep(GOODBYE_DELAY)
      .then(() => this.#operations.run(request, () => connection.isOpen && Date.now() < until))
      .catch((error: unknown): AdminReply => {
        // Nothing of it is done yet.
        if (isLocked(error)) return { name: "refused", code: "server_busy" };
        if (isDiskFull(error)) return { name: "refused", code: "disk_full" };
        this.#log.error("internal_error", error, { command: request.command });
        return { name: "refused", code: "internal_error" };
      })
      .then((reply) => this.#reply(connection, reply))
      .catch((error: unknown) => this.#log.error("internal_error", error, { command: request.command }));
  }

  fault(_fault: unknown, connection: Connection): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#reply(connection, { name: "refused", code: "bad_request" });
  }

  closed(_reason: unknown, connection: Connection): void {
    clearTimeout(this.#timer);
    this.#connections.delete(connection);
  }

  #reply(connection: Connection, reply: AdminReply): void {
    connection.send(reply);
    connection.end("answered");
  }
}

function operationsOf(services: Services): AdminOperations {
  const { accounts, tokens, security, now, passwords, presence } = services;
  const live: LiveServer = {
    session(fold) {
      const user = presence.find(fold);
      if (user === undefined) return undefined;
      const { ip, since, key } = user;
      return { address: ip, since, fingerprint: key?.fingerprint, tokenHash: key?.tokenHash };
    },
    end: (fold, reason) => presence.find(fold)?.session.end(reason),
  };
  const hash = async (password: string, wanted: () => boolean): Promise<HashResult> => {
    const outcome = await passwords.hash(HASH_OWNER, password, wanted);
    switch (outcome.name) {
      case "done":
        // If nobody waits, nobody would read the password.
        return wanted() ? { name: "hash", hash: outcome.value } : { name: "refused", code: "server_busy" };
      case "busy":
      case "unwanted":
        return { name: "refused", code: "server_busy" };
      case "closing":
        return { name: "refused", code: "server_closing" };
      default:
        return outcome satisfies never;
    }
  };
  return new AdminOperations({ accounts, tokens, security, now, live, hash });
}
