/** What an operator's command says when something around it fails. */
import { expect, test } from "bun:test";
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";

import { adminSocketPath } from "../../src/server/admin/socket.ts";
import { connectLocal } from "../../src/net/local-socket.ts";
import { openDatabase } from "../../src/server/database/database.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { AtTerminal } from "./at-terminal.ts";
import { registration, TestClient } from "./rendezvous-test-client.ts";
import { admin } from "./server-admin-process.ts";
import { ServerHere, ServerProcess, type Server } from "./server-process.ts";
import { fillDisk, mountSmallDisk } from "./small-disk.ts";

const TIMEOUT = 60_000;
const PROGRAM = join(import.meta.dir, "../../server.ts");

let folder: string;
let db: string;
const running = folderForEachTest((path) => {
  folder = path;
  db = join(path, "users.db");
});

const PORTS = ["--port", "0", "--tls-port", "0"];

async function started<S extends Server>(server: S): Promise<S> {
  running.push(server);
  await server.started();
  return server;
}

function start(...args: string[]): Promise<ServerHere> {
  return started(new ServerHere([...PORTS, "--db", db, ...args]));
}

/** As a process of its own, which can be killed and stopped. */
function startApart(): Promise<ServerProcess> {
  return started(new ServerProcess([...PORTS, "--db", db]));
}

async function stop(server: Server): Promise<void> {
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
}

/** Runs a command with standard output on a full disk. @returns its exit code and standard error. */
async function unwritable(...args: string[]): Promise<string> {
  const full = openSync("/dev/full", "w");
  const child = Bun.spawn([process.execPath, "run", PROGRAM, "admin", "--lang", "en", "--db", db, ...args], {
    stdin: "ignore",
    stdout: full,
    stderr: "pipe",
  });
  const [code, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  closeSync(full);
  return `${code} ${stderr}`;
}

function auditEvents(path = `${db}.audit.jsonl`): { event: string; by?: string; file?: string }[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as { event: string });
}

test(
  "a result that cannot be written is reported on standard error, with exit 1",
  async () => {
    (await openDatabase(db)).close();
    const lost = "The password could not be written: run “admin reset-password” (ENOSPC)\n";
    expect(await unwritable("add", "ana")).toBe(`1 ${lost}`);
    expect(await unwritable("reset-password", "ana", "--json")).toBe(`1 ${lost}`);
    expect(await unwritable("users")).toBe("1 The list could not be written completely (ENOSPC)\n");
    expect(await unwritable("disable", "ana")).toStartWith("1 The change was made, but");
    const copy = join(folder, "copy.db");
    expect(await unwritable("backup", copy)).toStartWith("1 The backup was made and verified, but");
    expect(await unwritable("restore", copy)).toStartWith("1 The database was restored, but");
  },
  TIMEOUT,
);

test(
  "a second server with the same --metrics-port ends with one sentence",
  async () => {
    const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const port = String(probe.port);
    probe.stop(true);
    await start("--metrics-port", port);
    const second = new ServerHere([...PORTS, "--db", `${db}.second`, "--metrics-port", port, "--lang", "en"]);
    expect(await second.exited).toBe(1);
    expect(await second.stderr).toContain(port);
  },
  TIMEOUT,
);

test(
  "a backup is restored over what a crash left, and both are in the audit log",
  async () => {
    const server = await startApart();
    expect(await admin(db, "add", "ana")).toMatchObject({ code: 0 });
    const copy = join(folder, "copy.db");
    expect(await admin(db, "backup", copy)).toMatchObject({ code: 0, stderr: "" });
    expect(await admin(db, "add", "beto")).toMatchObject({ code: 0 });
    expect(await admin(db, "restore", copy, "--json")).toMatchObject({
      code: 1,
      objects: [{ event: "error", code: "in_use" }],
    });
    server.kill("SIGKILL");
    await server.exited;
    const { code, objects } = await admin(db, "restore", copy, "--json");
    expect({ code, objects }).toMatchObject({
      code: 0,
      objects: [{ file: copy, users: 1, tokens: 0, before: `${db}.before-restore` }],
    });
    const again = await start();
    expect((await admin(db, "users", "--json")).objects).toMatchObject([{ username: "ana" }]);
    await stop(again);
    expect(await admin(db, "backup", join(folder, "stopped.db"))).toMatchObject({ code: 0 });
    const told = auditEvents().filter(({ event }) => /backup|restore/.test(event));
    expect(told).toMatchObject([
      { event: "backup_made", by: "operator", file: copy },
      { event: "database_restored", by: "operator", file: copy },
      { event: "backup_made", by: "operator" },
    ]);
  },
  TIMEOUT,
);

test(
  "with --json every failure is an object on standard output",
  async () => {
    (await openDatabase(db)).close();
    const failure = async (path: string, ...args: string[]) => {
      const { code, objects, stderr } = await admin(path, ...args, "--json");
      const [object] = objects;
      expect(objects).toHaveLength(1);
      expect(stderr).toBe(`${object?.["message"] as string}\n`);
      return `${code} ${object?.["event"] as string} ${object?.["code"] as string}`;
    };
    expect(await failure(db, "nothing")).toBe("2 error usage");
    expect(await failure(db, "users", "--wrong")).toBe("2 error usage");
    expect(await failure(db, "delete", "ana")).toBe("2 error usage");
    expect(await failure(`${db}.none`, "users")).toBe("1 error no_database");
    expect(await failure(db, "backup", folder)).toBe("1 error is_folder");
    expect(await failure(db, "backup", db)).toBe("1 error file_exists");
    expect(await failure(db, "enable", "ana")).toBe("1 error unknown_user");
  },
  TIMEOUT,
);

test(
  "a suspended server that wakes up does not carry out a request whose sender is gone",
  async () => {
    const server = await startApart();
    expect(await admin(db, "add", "ana")).toMatchObject({ code: 0 });
    server.kill("SIGSTOP");
    const handlers = { message: () => undefined, fault: () => undefined, closed: () => undefined };
    const connections = await Promise.all(
      ["disable", "delete", "reset-password"].map(async (command) => {
        const connection = await connectLocal(adminSocketPath(db), 4_096, handlers);
        connection.send({ command, name: "ana", until: Date.now() - 1 });
        return connection;
      }),
    );
    // It has no deadline, and the server learns that its sender is gone only after reading it.
    const gone = await Bun.connect({ unix: adminSocketPath(db), socket: { data: () => undefined } });
    gone.write(JSON.stringify({ command: "disable", name: "ana" }));
    gone.end();
    server.kill("SIGCONT");
    expect((await admin(db, "users", "--json")).objects).toMatchObject([
      { username: "ana", disabled: false },
    ]);
    for (const connection of connections) connection.terminate("done");
    await stop(server);
    const names = auditEvents().map(({ event }) => event);
    expect(names).toEqual(["server_started", "account_added", "server_stopped"]);
  },
  TIMEOUT,
);

test(
  "the question before a deletion names the account as registered; for an unknown one nothing is asked",
  async () => {
    await start();
    expect(await admin(db, "add", "Ana.María")).toMatchObject({ code: 0 });
    const ask = (name: string) =>
      new AtTerminal(["admin", "--db", db, "delete", name], { program: { file: PROGRAM } });
    const terminal = ask("ANA.MARÍA");
    await terminal.shows("¿Borrar la cuenta «Ana.María» para siempre? [s/N]");
    terminal.type("no\r");
    expect(await terminal.ended()).toBe(1);
    const nobody = ask("nadie");
    await nobody.shows("No existe ninguna cuenta con ese nombre");
    expect(await nobody.ended()).toBe(1);
  },
  TIMEOUT,
);

test(
  "a full disk under a running server is reported as such",
  async () => {
    const small = join(folder, "small");
    mkdirSync(small);
    const unmount = mountSmallDisk(small, 256);
    if (unmount === undefined) return;
    try {
      db = join(small, "users.db");
      await start("--audit-log", join(folder, "audit.jsonl"));
      fillDisk(join(small, "filler"));
      // The log's last page may still have room.
      let last = await admin(db, "add", "ana", "--json");
      for (let count = 0; last.code === 0 && count < 30; count++) {
        last = await admin(db, "add", `ana${count}`, "--json");
      }
      expect(last).toMatchObject({ code: 1, objects: [{ event: "error", code: "disk_full" }] });
      rmSync(join(small, "filler"));
      expect(await admin(db, "add", "later")).toMatchObject({ code: 0 });
    } finally {
      unmount();
    }
  },
  TIMEOUT,
);

test(
  "files that root's commands make beside a database belong to the database's owner",
  async () => {
    if (process.getuid?.() !== 0) return;
    const someone = 65_534;
    (await openDatabase(db)).close();
    chownSync(folder, someone, someone);
    chownSync(db, someone, someone);
    expect(await admin(db, "add", "ana")).toMatchObject({ code: 0 });
    expect(await admin(db, "backup", join(folder, "copy.db"))).toMatchObject({ code: 0 });
    expect(await admin(db, "restore", join(folder, "copy.db"))).toMatchObject({ code: 0 });
    for (const name of ["users.db", "users.db.audit.jsonl", "users.db.before-restore"]) {
      const { uid, gid } = statSync(join(folder, name));
      expect({ name, uid, gid }).toEqual({ name, uid: someone, gid: someone });
    }
    const server = await startApart();
    server.kill("SIGKILL");
    await server.exited;
    expect(statSync(`${db}.lock`).uid).toBe(someone);
  },
  TIMEOUT,
);

test(
  "a database opened through a symbolic link has its audit log beside the real file",
  async () => {
    const link = join(folder, "links", "link.db");
    mkdirSync(join(folder, "links"));
    (await openDatabase(db)).close();
    symlinkSync(db, link);
    const server = await started(new ServerHere([...PORTS, "--db", link]));
    const client = await TestClient.connect(server.plainPort);
    expect(await client.ask(registration("ana"))).toMatchObject({ code: "ok" });
    client.close();
    await stop(server);
    expect(await admin(db, "disable", "ana")).toMatchObject({ code: 0 });
    expect(readdirSync(join(folder, "links"))).toEqual(["link.db"]);
    expect(auditEvents().map(({ event }) => event)).toContain("account_disabled");
  },
  TIMEOUT,
);
