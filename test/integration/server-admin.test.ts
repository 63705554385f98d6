/** The operator's commands on a running and on a stopped server. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { reachDatabase } from "../../src/server/admin/link.ts";
import { adminSocketPath } from "../../src/server/admin/socket.ts";
import { openDatabase } from "../../src/server/database/database.ts";
import { StartError } from "../../src/server/start-error.ts";
import { createLog } from "../../src/server/log/log.ts";
import { withoutAudit } from "../../src/server/log/security-log.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { AtTerminal } from "./at-terminal.ts";
import { loginOf, newPublicKey, PASSWORD, registration, TestClient } from "./rendezvous-test-client.ts";
import { admin, comeBack, encrypted, online } from "./server-admin-process.ts";
import { ServerHere, ServerProcess, type Server } from "./server-process.ts";

const TIMEOUT = 60_000;
const PROGRAM = join(import.meta.dir, "../../server.ts");

let folder: string;
let db: string;
const running = folderForEachTest((path) => {
  folder = path;
  db = join(path, "users.db");
});

async function start(path = db, args: string[] = []): Promise<Server> {
  const server = new ServerHere(["--port", "0", "--tls-port", "0", "--db", path, ...args]);
  running.push(server);
  await server.started();
  return server;
}

async function stop(server: Server): Promise<string> {
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  return server.stderr;
}

async function register(server: Server, ...names: string[]): Promise<void> {
  const client = await TestClient.connect(server.plainPort);
  for (const name of names) expect(await client.ask(registration(name))).toMatchObject({ code: "ok" });
  client.close();
}

async function codeOfLogin(server: Server, name: string, password: string): Promise<unknown> {
  const client = await encrypted(server);
  const answer = await client.ask(loginOf(name, { password, public_key: newPublicKey() }));
  client.close();
  await client.closed;
  return answer["code"];
}

describe("a running server", () => {
  test(
    "disables somebody who is online: offline for the others at once, and told why when coming back",
    async () => {
      const server = await start();
      expect(statSync(adminSocketPath(db)).mode & 0o777).toBe(0o600);
      await register(server, "Ana", "beto");
      const ana = await online(server, "ana");
      const beto = await online(server, "beto");
      expect(await beto.client.ask({ action: "watch", users: ["ana"] })).toMatchObject({ online: ["Ana"] });
      const listed = await admin(db, "users", "--json");
      expect(listed.objects).toMatchObject([
        { username: "Ana", online: true, disabled: false },
        { username: "beto", online: true, disabled: false },
      ]);

      expect(await admin(db, "disable", "ANA", "--json")).toMatchObject({
        code: 0,
        objects: [{ username: "Ana", command: "disable", changed: true }],
      });
      await ana.client.closed;
      expect(await beto.client.answer()).toMatchObject({
        action: "presence",
        username: "Ana",
        online: false,
      });
      expect(await comeBack(server, ana)).toMatchObject({ code: "account_disabled" });
      expect(await codeOfLogin(server, "ana", PASSWORD)).toBe("account_disabled");
      expect(await codeOfLogin(server, "ana", "wrong password")).toBe("invalid_credentials");

      expect(await admin(db, "enable", "ana", "--lang", "en")).toMatchObject({
        stdout: "“Ana”: account enabled\n",
      });
      expect(await comeBack(server, ana)).toMatchObject({ code: "ok" });
      await stop(server);
      expect(readdirSync(folder).sort()).toEqual(["users.db", "users.db.audit.jsonl"]);
    },
    TIMEOUT,
  );

  test(
    "resets a password: the old one and its tokens are refused, and no log has a secret",
    async () => {
      const server = await start();
      await register(server, "ana");
      const ana = await online(server, "ana");
      const reset = await admin(db, "reset-password", "Ana", "--lang", "en");
      const password = /^New password of “ana”: (\S{20,})\n$/.exec(reset.stdout)?.[1] ?? "";
      await ana.client.closed;
      expect(await comeBack(server, ana)).toMatchObject({ code: "invalid_credentials" });
      expect(await codeOfLogin(server, "ana", PASSWORD)).toBe("invalid_credentials");
      expect(await codeOfLogin(server, "ana", password)).toBe("ok");
      const added = await admin(db, "add", "Carla", "carla@example.org", "--json");
      const [carla] = added.objects;
      expect(await codeOfLogin(server, "carla", carla?.["password"] as string)).toBe("ok");
      const { stdout } = await admin(db, "sessions", "--json");

      const log = await stop(server);
      const audit = readFileSync(`${db}.audit.jsonl`, "utf8");
      for (const secret of [PASSWORD, password, carla?.["password"] as string, ana.token, "$argon2"]) {
        expect(secret.length).toBeGreaterThan(6);
        for (const text of [log, audit, stdout]) expect(text).not.toContain(secret);
      }
      const events = audit
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { event: string; by?: string; user?: string });
      expect(events.filter(({ by }) => by === "operator")).toMatchObject([
        { event: "password_reset", user: "ana" },
        { event: "account_added", user: "Carla" },
      ]);
      const names = events.map(({ event }) => event);
      for (const event of ["server_started", "registered", "login", "login_failed", "resume_failed"]) {
        expect(names).toContain(event);
      }
      expect(names.at(-1)).toBe("server_stopped");
      expect(statSync(`${db}.audit.jsonl`).mode & 0o777).toBe(0o600);
    },
    TIMEOUT,
  );

  test(
    "shows sessions with their true last use, and revokes one of them",
    async () => {
      const server = await start();
      await register(server, "ana");
      const first = await online(server, "ana");
      first.client.close();
      await first.client.closed;
      const before = Date.now();
      const again = await encrypted(server);
      const resume = { action: "resume", session_token: first.token, public_key: first.key, p2p_port: 9001 };
      expect(await again.ask(resume)).toMatchObject({ code: "ok" });

      const { objects } = await admin(db, "sessions", "ana", "--json");
      const [live, token] = objects;
      expect(live).toMatchObject({
        kind: "live",
        username: "ana",
        address: "127.0.0.1",
        id: token?.["id"] as string,
      });
      expect(live?.["fingerprint"]).toBe(token?.["fingerprint"] as string);
      // The database has the first use, at most an hour before the last.
      expect(Date.parse(token?.["last_used"] as string)).toBeGreaterThanOrEqual(before);
      expect(objects).toHaveLength(2);

      const id = token?.["id"] as string;
      expect(await admin(db, "revoke", "ana", "no-such-id")).toMatchObject({ code: 1, stdout: "" });
      expect(await admin(db, "revoke", "ana", id)).toMatchObject({ code: 0 });
      await again.closed;
      expect(await comeBack(server, first)).toMatchObject({ code: "invalid_credentials" });
      expect((await admin(db, "sessions")).stdout).toBe("");

      const old = await TestClient.connect(server.plainPort);
      expect(await old.ask(loginOf("ana"))).toMatchObject({ code: "ok" });
      expect((await admin(db, "sessions", "--lang", "en")).stdout).toMatch(
        /^ana +- +online since .* UTC, 127\.0\.0\.1, no key \(old client\)\n$/,
      );
      expect(await admin(db, "revoke", "ana")).toMatchObject({
        code: 0,
        stdout: "«ana»: sesiones y certificados anulados\n",
      });
      await old.closed;
    },
    TIMEOUT,
  );

  test(
    "deletes an account, whose name stays taken, also where registration is closed",
    async () => {
      const server = await start(db, ["--register", "closed"]);
      expect(await admin(db, "add", "ana")).toMatchObject({ code: 0 });
      expect(await admin(db, "delete", "ana")).toMatchObject({ code: 2, stdout: "" });
      expect(await admin(db, "delete", "ANA", "--yes")).toMatchObject({ code: 0 });
      expect(await admin(db, "add", "ana")).toMatchObject({ code: 1, stdout: "" });
      const client = await TestClient.connect(server.plainPort);
      expect(await client.ask(registration("beto"))).toMatchObject({ code: "registration_closed" });
    },
    TIMEOUT,
  );

  test(
    "answers through its socket after a crash left the old one, and by a symbolic link to the database",
    async () => {
      const crashed = new ServerProcess(["--port", "0", "--tls-port", "0", "--db", db]);
      await crashed.started();
      await crashed.end();
      expect(existsSync(adminSocketPath(db))).toBe(true);
      const server = await start();
      expect(statSync(adminSocketPath(db)).mode & 0o777).toBe(0o600);
      await register(server, "ana");
      const link = join(folder, "link.db");
      symlinkSync(db, link);
      expect((await admin(link, "users", "--json")).objects).toMatchObject([{ username: "ana" }]);
      expect(await stop(server)).not.toContain("no_admin_socket");
      expect(existsSync(adminSocketPath(db))).toBe(false);
    },
    TIMEOUT,
  );

  test(
    "runs without a socket if the path is too long, and the command says what to do",
    async () => {
      const deep = join(folder, "x".repeat(60), "y".repeat(60));
      mkdirSync(deep, { recursive: true });
      const path = join(deep, "users.db");
      const server = await start(path);
      await register(server, "ana");
      const { code, stderr } = await admin(path, "users", "--lang", "en");
      expect({ code, lines: stderr.split("\n").length }).toEqual({ code: 1, lines: 2 });
      expect(stderr).toContain("put the database at a shorter path");
      expect(await stop(server)).toContain("path_too_long");
      // Without a server no socket is needed.
      expect((await admin(path, "users", "--json")).objects).toMatchObject([{ username: "ana" }]);
    },
    TIMEOUT,
  );
});

test(
  "a server whose audit log cannot be written does not start, and says so in one sentence",
  async () => {
    const path = join(folder, "none", "audit.jsonl");
    const server = new ServerHere(["--db", db, "--port", "0", "--tls-port", "0", "--audit-log", path]);
    expect(await server.exited).toBe(1);
    expect(await server.stderr).toBe(`No se puede escribir el registro de auditoría «${path}» (ENOENT)\n`);
    expect(readdirSync(folder)).toEqual(["users.db"]);
  },
  TIMEOUT,
);

describe("a stopped server", () => {
  test(
    "has its accounts changed in the file, and the changes in its audit log",
    async () => {
      const server = await start();
      await register(server, "ana", "beto");
      const ana = await online(server, "ana");
      ana.client.close();
      await stop(server);

      expect((await admin(db, "users", "--json")).objects).toMatchObject([
        { username: "ana", online: false },
        { username: "beto", online: false },
      ]);
      expect((await admin(db, "sessions", "--json")).objects).toMatchObject([
        { kind: "token", username: "ana" },
      ]);
      const password = (await admin(db, "reset-password", "ana", "--json")).objects[0]?.[
        "password"
      ] as string;
      expect(await admin(db, "disable", "beto")).toMatchObject({ code: 0 });
      expect((await admin(db, "sessions")).stdout).toBe("");
      const audit = readFileSync(`${db}.audit.jsonl`, "utf8");
      expect(audit).toContain('"event":"password_reset","user":"ana","by":"operator"');
      expect(audit).toContain('"event":"account_disabled","user":"beto","by":"operator"');
      expect(readdirSync(folder).sort()).toEqual(["users.db", "users.db.audit.jsonl"]);

      const again = await start();
      expect(await comeBack(again, ana)).toMatchObject({ code: "invalid_credentials" });
      expect(await codeOfLogin(again, "ana", password)).toBe("ok");
      expect(await codeOfLogin(again, "beto", PASSWORD)).toBe("account_disabled");
    },
    TIMEOUT,
  );

  test(
    "is asked about on a terminal before a deletion, which only a yes carries out",
    async () => {
      const server = await start();
      await register(server, "ana");
      await stop(server);
      const ask = async (answer: string) => {
        const terminal = new AtTerminal(["admin", "--db", db, "delete", "ana"], {
          program: { file: PROGRAM },
        });
        await terminal.shows("¿Borrar la cuenta «ana» para siempre? [s/N]");
        terminal.type(answer);
        return terminal.ended();
      };
      expect(await ask("\r")).toBe(1);
      expect(await ask("no\r")).toBe(1);
      expect(await ask("\u0004")).toBe(1);
      expect((await admin(db, "users", "--json")).objects).toHaveLength(1);
      expect(await ask("sí\r")).toBe(0);
      expect((await admin(db, "users", "--json")).objects).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    "wrong usage is exit 2, an unknown name exit 1, each one sentence in the language asked for",
    async () => {
      const database = await openDatabase(db);
      database.close();
      const refusal = async (...args: string[]) => {
        const { code, stdout, stderr } = await admin(db, ...args);
        expect(stdout).toBe("");
        return `${code} ${stderr}`;
      };
      expect(await refusal("nada")).toStartWith("2 Orden desconocida: «nada»;");
      expect(await refusal("nada", "--lang", "en")).toStartWith("2 Unknown command: “nada”;");
      expect(await refusal("\u001b[2J")).toStartWith("2 Orden desconocida: «␛[2J»;");
      expect(await refusal("disable")).toBe("2 Se esperaba: admin disable NOMBRE\n");
      expect(await refusal("disable", "nadie")).toBe("1 No existe ninguna cuenta con ese nombre\n");
      expect(await refusal("disable", "nadie", "--lang", "en")).toBe(
        "1 There is no account with that name\n",
      );
      const { code, objects } = await admin(db, "disable", "nadie", "--json");
      expect({ code, objects }).toMatchObject({
        code: 1,
        objects: [{ event: "error", code: "unknown_user" }],
      });
    },
    TIMEOUT,
  );

  test(
    "is not made at a mistyped path, and a file of another program is left alone",
    async () => {
      const none = join(folder, "none.db");
      expect(await admin(none, "users", "--lang", "en")).toMatchObject({
        code: 1,
        stderr: `There is no database “${none}”\n`,
      });
      const seed = join(folder, "seed.db");
      await Bun.$`python3 -c ${`
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.execute("CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL, password TEXT NOT NULL, email TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)")
c.commit()`} ${seed}`.quiet();
      const before = readFileSync(seed);
      expect((await admin(seed, "users")).stderr).toContain("arranque antes el servidor una vez");
      expect((await admin(seed, "backup", join(folder, "copy.db"))).code).toBe(1);
      expect(readFileSync(seed).equals(before)).toBe(true);
      expect(readdirSync(folder)).toEqual(["seed.db"]);
    },
    TIMEOUT,
  );

  test("whose database another program uses, with nobody at the socket, is reported in one sentence", async () => {
    const database = await openDatabase(db);
    const log = createLog("json", Date.now, () => undefined);
    const reached = await reachDatabase(db, () => withoutAudit(log), 0).catch((error: unknown) => error);
    expect(reached).toBeInstanceOf(StartError);
    expect((reached as StartError).sentence.en).toContain(`nobody answers at “${adminSocketPath(db)}”`);
    database.close();
  });
});
