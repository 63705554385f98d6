/** Backups of a database that is being written, and a server that starts from one. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { openDatabase } from "../../src/server/database/database.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { loginOf, newPublicKey, registration, TestClient } from "./rendezvous-test-client.ts";
import { admin, adminApart, comeBack, encrypted, online } from "./server-admin-process.ts";
import { ServerHere, ServerProcess } from "./server-process.ts";
import { fillDisk, mountSmallDisk } from "./small-disk.ts";

const TIMEOUT = 60_000;

let folder: string;
let db: string;
const running = folderForEachTest((path) => {
  folder = path;
  db = join(path, "users.db");
});

async function start(path: string): Promise<ServerProcess> {
  const server = new ServerProcess(["--port", "0", "--tls-port", "0", "--db", path]);
  running.push(server);
  await server.started();
  return server;
}

test(
  "a backup has every account from before it, the server goes on meanwhile, and a server starts from it",
  async () => {
    const server = await start(db);
    const first = await TestClient.connect(server.plainPort);
    expect(await first.ask(registration("ana"))).toMatchObject({ code: "ok" });
    const ana = await online(server, "ana");
    const registered: string[] = [];
    let isOver = false;
    const writers = ["a", "b", "c"].map(async (letter) => {
      const client = await TestClient.connect(server.plainPort);
      for (let count = 0; !isOver; count++) {
        const name = `${letter}${count}xx`;
        const answer = await client.ask(registration(name));
        // Registrations are limited, too.
        if (answer["code"] === "ok") registered.push(name);
      }
      client.close();
    });
    let copy = "";
    for (let round = 0; round < 2; round++) {
      const before = [...registered];
      copy = join(folder, `copy${round}.db`);
      const { code, objects, stderr } = await adminApart(db, "backup", copy, "--json");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const database = new Database(copy, { readonly: true });
      const names = database.query<{ username: string }, []>("SELECT username FROM users").all();
      database.close();
      expect(objects).toMatchObject([{ users: names.length }]);
      const found = new Set(names.map(({ username }) => username));
      for (const name of before) expect(found.has(name)).toBe(true);
    }
    isOver = true;
    await Promise.all(writers);
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);

    const place = join(folder, "restored");
    mkdirSync(place);
    const restored = join(place, "users.db");
    renameSync(copy, restored);
    const again = await start(restored);
    expect(await comeBack(again, ana)).toMatchObject({ code: "ok" });
    const client = await encrypted(again);
    expect(await client.ask(loginOf("a0xx", { public_key: newPublicKey() }))).toMatchObject({ code: "ok" });
  },
  TIMEOUT,
);

/** Writes pairs of accounts, each pair in one transaction, and removes some, as fast as it can. */
const WRITER = `
  import { Database } from "bun:sqlite";
  const database = new Database(process.argv[1], { readwrite: true, create: false, strict: true });
  database.run("PRAGMA busy_timeout = 5000");
  const add = database.query("INSERT INTO users (username, password, fold) VALUES (?1, 'h', ?1)");
  const remove = database.query("DELETE FROM users WHERE id IN (SELECT id FROM users ORDER BY random() LIMIT 2)");
  for (let count = 0; ; count++) {
    database.transaction(() => {
      add.run("l" + count);
      add.run("r" + count);
      if (count % 3 === 0) remove.run();
    })();
    if (count === 500) console.log("writing");
  }
`;

test(
  "a backup during thousands of writes a second is one consistent state",
  async () => {
    (await openDatabase(db)).close();
    const server = await start(db);
    const writer = Bun.spawn([process.execPath, "-e", WRITER, db], { stdout: "pipe", stderr: "inherit" });
    running.push({ end: () => (writer.kill(), writer.exited) });
    await writer.stdout.getReader().read();
    const client = await TestClient.connect(server.plainPort);
    for (let round = 0; round < 3; round++) {
      const copy = join(folder, `copy${round}.db`);
      const { code, objects, stderr } = await admin(db, "backup", copy, "--json");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const database = new Database(copy, { readonly: true });
      // Every transaction left an even number.
      const { count } = database
        .query<{ count: number }, []>("SELECT count(*) AS count FROM users")
        .get() ?? {
        count: -1,
      };
      database.close();
      expect(objects).toMatchObject([{ users: count }]);
      expect(count % 2).toBe(0);
      expect(count).toBeGreaterThan(0);
      expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
    }
  },
  TIMEOUT,
);

test(
  "a backup onto a full disk fails in one sentence and leaves nothing there",
  async () => {
    const database = await openDatabase(db);
    const insert = database.query("INSERT INTO users (username, password, fold) VALUES (?1, ?2, ?1)");
    database.transaction(() => {
      for (let count = 0; count < 2_000; count++) insert.run(`u${count}`, "x".repeat(200));
    })();
    database.close();
    const small = join(folder, "small");
    mkdirSync(small);
    const unmount = mountSmallDisk(small, 256);
    if (unmount === undefined) return;
    try {
      const copy = join(small, "copy.db");
      const { code, stderr } = await admin(db, "backup", copy, "--lang", "en");
      expect({ code, stderr }).toEqual({ code: 1, stderr: `No room on the disk for “${copy}”\n` });
      expect(readdirSync(small)).toEqual([]);
      expect(existsSync(copy)).toBe(false);
    } finally {
      unmount();
    }
  },
  TIMEOUT,
);

test(
  "a full disk under the audit log stops no login and is logged, and the audit log goes on when there is room",
  async () => {
    const small = join(folder, "small");
    mkdirSync(small);
    const unmount = mountSmallDisk(small, 64);
    if (unmount === undefined) return;
    try {
      const audit = join(small, "audit.jsonl");
      const ports = ["--port", "0", "--tls-port", "0"];
      const server = new ServerHere([...ports, "--db", db, "--audit-log", audit]);
      running.push(server);
      await server.started();
      const client = await encrypted(server);
      expect(await client.ask(registration("ana"))).toMatchObject({ code: "ok" });
      fillDisk(join(small, "filler"));
      // More than fits into the rest of the file's last page.
      for (let count = 0; count < 60; count++) {
        const resume = {
          action: "resume",
          session_token: "x".repeat(43),
          public_key: newPublicKey(),
          p2p_port: 1,
        };
        expect(await client.ask(resume)).not.toMatchObject({ code: "ok" });
      }
      expect(await client.ask(loginOf("ana"))).toMatchObject({ code: "ok" });
      expect(await client.ask({ action: "logout", id: 1 })).toMatchObject({ success: true });
      await client.closed;
      const again = await TestClient.connect(server.plainPort);
      // Answered in a later turn than the one that tried to write the events so far.
      expect(await again.ask({ action: "ping" })).toMatchObject({ action: "pong" });
      expect(await Bun.file(audit).text()).not.toContain('"login"');
      rmSync(join(small, "filler"));
      expect(await again.ask(loginOf("ana"))).toMatchObject({ code: "ok" });
      server.kill("SIGTERM");
      expect(await server.exited).toBe(0);
      const events = (await Bun.file(audit).text())
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { event: string; count?: number });
      const gap = events.findIndex(({ event }) => event === "events_lost");
      expect(events[gap]?.count).toBeGreaterThan(1);
      expect(events.slice(gap + 1).map(({ event }) => event)).toEqual(["login", "server_stopped"]);
      const log = await server.stderr;
      expect(log.match(/"audit_log_not_written"/g)).toHaveLength(1);
      expect(log).toContain("ENOSPC");
      expect(log).toContain('"audit_log_written_again"');
    } finally {
      unmount();
    }
  },
  TIMEOUT,
);
