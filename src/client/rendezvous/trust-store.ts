/** `servers.db`: for each host and port how its server is trusted, and its authority (PROTOCOL 3). */
import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";

import { normalHost } from "../../protocol/host-name.ts";
import { makePrivateFolder, serversFile } from "../disk/folders.ts";
import { openReadOnly, openStore, type Schema } from "../disk/sqlite.ts";

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
  ],
};

export type ServerTrust =
  | { readonly kind: "web"; readonly authority: string | undefined }
  | { readonly kind: "pin"; readonly authority: string };

/** The key of a host: its normal form, in lower case. */
function keyOf(host: string): string {
  return (normalHost(host) ?? host).toLowerCase();
}

function readTrust(database: Database, host: string, port: number): ServerTrust | undefined {
  const rows = database
    .query<{ host: string; kind: "web" | "pin"; authority: string | null }, [number]>(
      "SELECT host, kind, authority FROM servers WHERE port = ?",
    )
    .all(port);
  const key = keyOf(host);
  // Earlier programs stored the host as it was typed, with a final dot or international.
  const row = rows.find((each) => each.host === key) ?? rows.find((each) => keyOf(each.host) === key);
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
    return read(database);
  } finally {
    database.close();
  }
}

/** Every server of `servers.db`, and its authority if that is known. Nothing is changed. @throws StoreError */
export function storedServers(
  dataFolder: string,
): readonly { readonly host: string; readonly port: number; readonly authority: string | null }[] {
  return readStored(dataFolder, [], (database) =>
    database
      .query<{ host: string; port: number; authority: string | null }, []>(
        "SELECT host, port, authority FROM servers ORDER BY host, port",
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
    this.#database.run("INSERT OR REPLACE INTO servers VALUES (?, ?, ?, ?)", [
      keyOf(host),
      port,
      trust.kind,
      trust.authority ?? null,
    ]);
  }

  close(): void {
    this.#database.close();
  }
}
