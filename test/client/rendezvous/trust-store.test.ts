import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";

import { serversFile } from "../../../src/client/disk/folders.ts";
import { ServerStore } from "../../../src/client/rendezvous/trust-store.ts";
import { temporaryFolder } from "../../integration/server-process.ts";

/** Version 1 as every program has written it, with its comments, which SQLite stores. */
const SERVERS = `CREATE TABLE servers (
       host TEXT NOT NULL,
       port INTEGER NOT NULL,
       kind TEXT NOT NULL CHECK (kind IN ('web', 'pin')),
       -- PEM; a server trusted by the web's roots tells it at the first pong.
       authority TEXT,
       PRIMARY KEY (host, port)
     ) STRICT`;

test("the file of the known servers is made as it always was", () => {
  const folder = temporaryFolder();
  new ServerStore(folder.path).close();
  const database = new Database(serversFile(folder.path), { readonly: true });
  const tables = database.query("SELECT sql FROM sqlite_master WHERE type = 'table'").all();
  database.close();
  folder.remove();
  expect(tables).toEqual([{ sql: SERVERS }]);
});
