import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";

import { serversFile } from "../../../src/client/disk/folders.ts";
import { lastServer, ServerStore } from "../../../src/client/rendezvous/trust-store.ts";
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

/** A data folder with what version 1 has stored: servers in this order. */
function ofVersion1(...hosts: readonly string[]): ReturnType<typeof temporaryFolder> {
  const folder = temporaryFolder();
  const database = new Database(serversFile(folder.path));
  database.run(`PRAGMA application_id=${0x70616c73}`);
  database.run(SERVERS);
  for (const host of hosts) database.run("INSERT INTO servers VALUES (?, 8443, 'web', NULL)", [host]);
  database.run("PRAGMA user_version=1");
  database.close();
  return folder;
}

test("the file of the known servers is that of version 1 with a column more", () => {
  const [old, made] = [ofVersion1(), temporaryFolder()];
  const [ofOld, ofNew] = [old, made].map((folder) => {
    new ServerStore(folder.path).close();
    const database = new Database(serversFile(folder.path), { readonly: true });
    const tables = database.query("SELECT sql FROM sqlite_master WHERE type = 'table'").all();
    database.close();
    folder.remove();
    return tables;
  });
  expect(ofNew).toEqual(ofOld);
  expect(ofNew).toEqual([{ sql: SERVERS.replace("authority TEXT,", "authority TEXT, last_use INTEGER,") }]);
});

test("the server of the last login or registration is remembered, in every spelling, and trust alone is no use", () => {
  const folder = temporaryFolder();
  expect(lastServer(`${folder.path}/missing`)).toBeUndefined();
  const servers = new ServerStore(folder.path);
  const last = () => lastServer(folder.path);
  for (const host of ["example.org", "localhost"])
    servers.set(host, 8_443, { kind: "web", authority: undefined });
  expect(last()).toBeUndefined();
  servers.used("Example.org.", 8_443);
  expect(last()).toEqual({ host: "example.org", port: 8_443 });
  servers.used("localhost", 8_443);
  servers.used("unknown", 8_443);
  expect(last()).toEqual({ host: "localhost", port: 8_443 });
  servers.used("example.org", 8_443);
  servers.set("example.org", 8_443, { kind: "pin", authority: "new" });
  servers.close();
  expect(last()).toEqual({ host: "example.org", port: 8_443 });
  writeFileSync(serversFile(folder.path), "no database");
  expect(last()).toBeUndefined();
  folder.remove();
});

test("of the servers of version 1 the one stored last is meant, also before the file is brought up to date", () => {
  const folder = ofVersion1("zoo.example", "alpha.example");
  expect(lastServer(folder.path)).toEqual({ host: "alpha.example", port: 8_443 });
  const servers = new ServerStore(folder.path);
  expect(lastServer(folder.path)).toEqual({ host: "alpha.example", port: 8_443 });
  servers.used("zoo.example", 8_443);
  expect(lastServer(folder.path)).toEqual({ host: "zoo.example", port: 8_443 });
  servers.close();
  folder.remove();
});

test("a host is known in every spelling, also as earlier programs have stored it", () => {
  const folder = temporaryFolder();
  const servers = new ServerStore(folder.path);
  const database = new Database(serversFile(folder.path));
  for (const host of ["example.org.", "málaga.test", "fe80::a", "both.test.", "both.test"]) {
    const authority = `authority of ${host}`;
    database.run("INSERT INTO servers VALUES (?, 8443, 'pin', ?, NULL)", [host, authority]);
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
