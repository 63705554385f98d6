/** `servers.db`: for each host and port how its server is trusted, its authority (PROTOCOL 3), and which was used last. */
import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";

import { normalHost } from "../../protocol/host-name.ts";
import { makePrivateFolder, serversFile } from "../disk/folders.ts";
import {
  copyInMemory,
  isStorageFailure,
  isUpToDate,
  openReadOnly,
  openStore,
  StoreError,
  type Schema,
} from "../disk/sqlite.ts";

const SCHEMA: Schema = {
  applicationId: 0x70616c73,
  // A version never changes, not even its comments, which SQLite stores with the tables.
  versions: [
    `CREATE TABLE servers (
       host TEXT NOT NULL,
       port INTEGER NOT NULL,
       kind TEXT NOT NULL CHECK (kind IN ('web', 'pin')),
       -- PEM; a server trusted by the web's roots tells it at the first pong.
       authority TEXT,
       PRIMARY KEY (host, port)
     ) STRICT`,
    // The greatest is that of the server used last; NULL: no account of this folder has logged in or registered there.
    // Version 1 knew only the order in which the servers were stored.
    `ALTER TABLE servers ADD COLUMN last_use INTEGER;
     UPDATE servers SET last_use = rowid`,
  ],
};

type StoredServer = {
  readonly host: string;
  readonly port: number;
  readonly kind: "web" | "pin";
  readonly authority: string | null;
};

export type ServerTrust =
  | { readonly kind: "web"; readonly authority: string | undefined }
  | { readonly kind: "pin"; readonly authority: string };

/** The key of a host: its normal form, in lower case. */
function keyOf(host: string): string {
  return (normalHost(host) ?? host).toLowerCase();
}

type Row = { readonly host: string; readonly kind: "web" | "pin"; readonly authority: string | null };

function readRow(database: Database, host: string, port: number): Row | undefined {
  const rows = database
    .query<Row, [number]>("SELECT host, kind, authority FROM servers WHERE port = ?")
    .all(port);
  const key = keyOf(host);
  // Earlier programs stored the host as it was typed, with a final dot or international.
  return rows.find((each) => each.host === key) ?? rows.find((each) => keyOf(each.host) === key);
}

function readTrust(database: Database, host: string, port: number): ServerTrust | undefined {
  const row = readRow(database, host, port);
  if (row === undefined) return undefined;
  if (row.kind === "web") return { kind: "web", authority: row.authority ?? undefined };
  return row.authority === null ? undefined : { kind: "pin", authority: row.authority };
}

/** How a server is trusted; undefined: it is not known. Nothing is made or changed. @throws StoreError */
export function storedTrust(dataFolder: string, host: string, port: number): ServerTrust | undefined {
  return readStored(dataFolder, undefined, (database) => readTrust(database, host, port));
}

function readStored<T>(dataFolder: string, otherwise: T, read: (database: Database) => T): T {
  const file = serversFile(dataFolder);
  // An empty one was about to be made when the program was killed.
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return otherwise;
  const database = openReadOnly(file, SCHEMA);
  try {
    return read(isUpToDate(database, SCHEMA) ? database : copyInMemory(database, file, SCHEMA));
  } finally {
    database.close();
  }
}

type ServerPlace = { readonly host: string; readonly port: number };

function readLast(database: Database): ServerPlace | undefined {
  const sql = "SELECT host, port FROM servers WHERE last_use IS NOT NULL ORDER BY last_use DESC LIMIT 1";
  return database.query<ServerPlace, []>(sql).get() ?? undefined;
}

/**
 * The server at which an account of this data folder logged in or registered last; undefined: none is known, or the file
 * cannot be read. Nothing is made or changed.
 */
export function lastServer(dataFolder: string): ServerPlace | undefined {
  try {
    return readStored(dataFolder, undefined, readLast);
  } catch (error) {
    // Whoever needs the file reports it.
    if (error instanceof StoreError || isStorageFailure(error)) return undefined;
    throw error;
  }
}

/** Every server of `servers.db`, that which was used last first. Nothing is changed. @throws StoreError */
export function storedServers(dataFolder: string): readonly StoredServer[] {
  return readStored(dataFolder, [], (database) =>
    database
      .query<StoredServer, []>(
        "SELECT host, port, kind, authority FROM servers ORDER BY last_use DESC, host, port",
      )
      .all(),
  );
}

export class ServerStore {
  readonly #database: Database;

  /** @throws StoreError */
  constructor(dataFolder: string) {
    makePrivateFolder(dataFolder);
    this.#database = openStore(serversFile(dataFolder), SCHEMA);
  }

  get(host: string, port: number): ServerTrust | undefined {
    return readTrust(this.#database, host, port);
  }

  set(host: string, port: number, trust: ServerTrust): void {
    const known = this.get(host, port);
    // Nearly every login finds what is stored.
    if (known?.kind === trust.kind && known.authority === trust.authority) return;
    this.#database.run(
      `INSERT INTO servers (host, port, kind, authority) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET kind = excluded.kind, authority = excluded.authority`,
      [keyOf(host), port, trust.kind, trust.authority ?? null],
    );
  }

  /** An account has logged in or registered at this server, which is known. */
  used(host: string, port: number): void {
    const used = readRow(this.#database, host, port);
    const last = readLast(this.#database);
    // Nearly every login is at the server that was used last.
    if (used === undefined || (last?.host === used.host && last.port === port)) return;
    this.#database.run(
      `UPDATE servers SET last_use = (SELECT coalesce(max(last_use), 0) + 1 FROM servers)
       WHERE host = ? AND port = ?`,
      [used.host, port],
    );
  }

  close(): void {
    this.#database.close();
  }
}
