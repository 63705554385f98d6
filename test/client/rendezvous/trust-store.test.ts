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

test("a host is known in every spelling, also as earlier programs have stored it", () => {
  const folder = temporaryFolder();
  const servers = new ServerStore(folder.path);
  const database = new Database(serversFile(folder.path));
  for (const host of ["example.org.", "málaga.test", "fe80::a", "both.test.", "both.test"]) {
    const authority = `authority of ${host}`;
    database.run("INSERT INTO servers VALUES (?, 8443, 'pin', ?)", [host, authority]);
  }
  database.close();
  const known = (host: string) => servers.get(host, 8_443)?.authority;
  expect(["example.org", "Example.Org", "example.org."].map(known)).toEqual(
    Array.from({ length: 3 }, () => "authority of example.org."),
  );
  expect(["xn--mlaga-xqa.test", "málaga.test."].map(known)).toEqual([
    "authority of málaga.test",
    "authority of málaga.test",
  ]);
  expect(known("FE80::A")).toBe("authority of fe80::a");
  expect(known("both.test")).toBe("authority of both.test");
  expect([known("example.com"), servers.get("example.org", 8_444)]).toEqual([undefined, undefined]);
  // What is stored from now on stands in the normal form, and comes before the old row.
  servers.set("Example.org", 8_443, { kind: "web", authority: "new" });
  expect(servers.get("example.org.", 8_443)).toEqual({ kind: "web", authority: "new" });
  servers.close();
  folder.remove();
});
