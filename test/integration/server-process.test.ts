import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { generateKeyPair, privateKeyToPem } from "../../src/identity/keys.ts";
import { CHEAP_HASHES } from "./cheap-hash.ts";
import { folderForEachTest } from "./folder-for-each-test.ts";
import { HAS_NAMESPACES, inNamespaces } from "./namespaces.ts";
import { loginOf, newPublicKey, PASSWORD, registration, TestClient } from "./rendezvous-test-client.ts";
import { SERVER_PROGRAM, ServerHere, ServerProcess, type Server } from "./server-process.ts";

const TIMEOUT = 60_000;

let folder: string;
let db: string;
const running = folderForEachTest((path) => {
  folder = path;
  db = join(path, "users.db");
});

type Environment = { readonly [name: string]: string };

/** The program in this process. */
function here(args: string[] = [], environment: Environment = {}): Server {
  const server = new ServerHere(["--port", "0", "--tls-port", "0", "--db", db, ...args], environment);
  running.push(server);
  return server;
}

/** The program as a process of its own. */
function run(args: string[] = [], environment: Environment = {}): ServerProcess {
  const server = new ServerProcess(["--port", "0", "--tls-port", "0", "--db", db, ...args], environment);
  running.push(server);
  return server;
}

/** What a server says that refuses to start, with its exit code. */
async function refusal(server: Server) {
  const code = await server.exited;
  return { code, said: await server.stderr, printed: server.lines };
}

const PORTS = /:\d{2,5}/g;

describe("the start", () => {
  test(
    "prints the four lines, in Spanish, with the real ports and the authority's fingerprint",
    async () => {
      const server = run();
      const lines = (await server.started()).map((line) => line.replace(PORTS, ":N"));
      expect(lines[0]).toBe("Base de datos inicializada correctamente");
      expect(lines[1]).toBe("Servidor iniciado en 0.0.0.0:N");
      expect(lines[2]).toMatch(/^TLS en 0\.0\.0\.0:N, huella de la autoridad ([0-9a-f]{4} ){15}[0-9a-f]{4}$/);
      expect(lines[3]).toBe("Esperando conexiones...");
      expect(statSync(db).mode & 0o777).toBe(0o600);
      const client = await TestClient.connect(server.plainPort);
      expect(await client.ask({ action: "ping" })).toMatchObject({ action: "pong" });
    },
    TIMEOUT,
  );

  test(
    "shows the addresses for all as they were given",
    async () => {
      for (const [host, shown] of [
        ["::", "[::]"],
        ["0.0.0.0", "0.0.0.0"],
      ] as const) {
        const server = here(["--host", host, "--lang", "en", "--metrics-port", "0", "--metrics-host", host]);
        const lines = (await server.started()).map((line) => line.replace(PORTS, ":N"));
        expect(lines[1]).toBe(`Server started on ${shown}:N`);
        expect(lines[2]).toStartWith(`TLS on ${shown}:N, authority`);
        server.kill("SIGTERM");
        await server.exited;
        expect((await server.stderr).replace(PORTS, ":N")).toContain(`"url":"http://${shown}:N/"`);
      }
    },
    TIMEOUT,
  );

  test(
    "speaks English with --lang en, or by the locale",
    async () => {
      const byFlag = here(["--lang", "en", "--plain-from", "none", "--host", "127.0.0.1"]);
      const lines = (await byFlag.started()).map((line) => line.replace(PORTS, ":N"));
      expect(lines[1]).toBe("Unencrypted port closed");
      expect(lines[2]).toStartWith("TLS on 127.0.0.1:N, authority fingerprint ");
      expect(lines[3]).toBe("Waiting for connections...");
      byFlag.kill("SIGTERM");
      await byFlag.exited;
      const byLocale = here([], { LC_ALL: "en_GB.UTF-8", LANG: "es_ES.UTF-8" });
      expect((await byLocale.started())[3]).toBe("Waiting for connections...");
    },
    TIMEOUT,
  );

  test(
    "keeps its authority from one start to the next, and takes flags from the environment",
    async () => {
      const first = here([], { PALOMA_LANG: "es" });
      const [, , fingerprint] = await first.started();
      first.kill("SIGTERM");
      expect(await first.exited).toBe(0);
      const server = new ServerProcess([], { PALOMA_DB: db, PALOMA_PORT: "0", PALOMA_TLS_PORT: "0" });
      running.push(server);
      const [, , again] = await server.started();
      expect(again?.split(",")[1]).toBe(fingerprint?.split(",")[1] as string);
    },
    TIMEOUT,
  );

  test(
    "warns once that the plain link is open to others",
    async () => {
      const server = here(["--plain-from", "any"]);
      await server.started();
      server.kill("SIGTERM");
      await server.exited;
      expect((await server.stderr).match(/plain_link/g)).toHaveLength(1);
    },
    TIMEOUT,
  );
});

describe("a start that fails prints one sentence and has an exit code", () => {
  test(
    "wrong usage is exit 2",
    async () => {
      for (const args of [
        ["--nada"],
        ["--port", "70000"],
        ["--plain-from", "todos"],
        ["--tls-cert", "x.pem"],
        ["sobra"],
      ]) {
        const { code, said, printed } = await refusal(args[0] === "--nada" ? run(args) : here(args));
        expect({ args, code }).toEqual({ args, code: 2 });
        expect(said).toMatch(/^[^\n]+\n$/);
        expect(printed).toEqual([]);
      }
      expect((await refusal(here(["--nada", "--lang", "en"]))).said).toBe("Unknown option: --nada\n");
      expect((await refusal(here([], { PALOMA_PLAIN_FROM: "x" }))).said).toStartWith("PALOMA_PLAIN_FROM:");
    },
    TIMEOUT,
  );

  test(
    "a port in use, a file that is not a database of ours, files that are not a certificate: exit 1",
    async () => {
      const server = here();
      await server.started();
      const other = join(folder, "other.db");
      const inUse = await refusal(here(["--db", other, "--port", String(server.plainPort)]));
      expect(inUse).toMatchObject({ code: 1, said: `El puerto ${server.plainPort} ya está en uso\n` });

      const text = join(folder, "text.db");
      writeFileSync(text, "esto no es una base de datos, aunque se llame así\n".repeat(50));
      const notSqlite = await refusal(here(["--db", text]));
      expect(notSqlite).toMatchObject({
        code: 1,
        said: `«${text}» no es una base de datos de este programa\n`,
      });

      const foreign = join(folder, "foreign.db");
      const database = new Database(foreign, { create: true });
      database.run("CREATE TABLE songs (id INTEGER)");
      database.close();
      chmodSync(foreign, 0o644);
      const before = statSync(foreign);
      expect(await refusal(here(["--db", foreign]))).toMatchObject({ code: 1 });
      expect(statSync(foreign)).toMatchObject({ mtimeMs: before.mtimeMs, mode: before.mode });

      const newer = new Database(foreign);
      newer.run("PRAGMA application_id = 0x50414c4f");
      newer.run("PRAGMA user_version = 99");
      newer.close();
      expect((await refusal(here(["--db", foreign]))).said).toContain("más nueva");

      expect(await refusal(here(["--db", other, "--host", "203.0.113.7"]))).toMatchObject({
        code: 1,
        said: "No se puede escuchar en 203.0.113.7: no es una dirección de este equipo (EADDRNOTAVAIL)\n",
      });

      for (const host of ["fe80::1", "fe80::1%none"]) {
        const interfaceMissing = `Listening on ${host} takes a network interface of this machine, as in fe80::1%eth0\n`;
        const args = ["--db", other, "--lang", "en"];
        expect(await refusal(here([...args, "--host", host]))).toMatchObject({
          code: 1,
          said: interfaceMissing,
        });
        const metrics = ["--metrics-port", "0", "--metrics-host", host];
        expect(await refusal(here([...args, ...metrics]))).toMatchObject({ code: 1, said: interfaceMissing });
      }

      expect(await refusal(here(["--db", join(folder, "none", "users.db")]))).toMatchObject({ code: 1 });
      const mode = statSync(folder).mode;
      expect((await refusal(here(["--db", folder]))).said).toMatch(
        /^[^\n]+ no es una base de datos [^\n]+\n$/,
      );
      expect(statSync(folder).mode).toBe(mode);

      const key = join(folder, "key.pem");
      const certificate = join(folder, "certificate.pem");
      const files = ["--db", other, "--tls-cert", certificate, "--tls-key", key];
      expect(await refusal(here(files))).toMatchObject({
        code: 1,
        said: `No se puede leer «${certificate}» (ENOENT)\n`,
      });
      writeFileSync(certificate, "no es PEM");
      writeFileSync(key, privateKeyToPem(generateKeyPair().privateKey));
      const bad = await refusal(here(files));
      expect(bad.code).toBe(1);
      expect(bad.said).toMatch(/^El certificado [^\n]+ no es un PEM válido\n$/);
    },
    TIMEOUT,
  );
});

test.skipIf(!HAS_NAMESPACES)(
  "a port that needs root is named as such",
  async () => {
    // In a network of its own, over which the process has no rights.
    const place = [...inNamespaces(["--net"]), "unshare", "--user"];
    for (const [lang, ports, said] of [
      [
        "es",
        ["--tls-port", "443"],
        "Este usuario no puede abrir el puerto 443 (EACCES): los menores de 1024 suelen ser solo del administrador (root)\n",
      ],
      [
        "en",
        ["--tls-port", "0", "--metrics-port", "80"],
        "This user may not open port 80 (EACCES): those below 1024 are usually for root alone\n",
      ],
    ] as const) {
      const args = ["--db", db, "--lang", lang, "--port", "0", ...ports];
      const server = Bun.spawn([...place, process.execPath, "run", SERVER_PROGRAM, ...args], {
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      });
      expect(await server.stderr.text()).toBe(said);
      expect(await server.exited).toBe(1);
    }
  },
  TIMEOUT,
);

describe("one database has one server", () => {
  test(
    "a second server is refused, also through a symbolic link; other programs can read meanwhile",
    async () => {
      const first = run();
      await first.started();
      expect(statSync(`${db}.lock`).mode & 0o777).toBe(0o600);
      const link = join(folder, "link.db");
      symlinkSync(db, link);
      const [same, linked] = await Promise.all([refusal(run()), refusal(run(["--db", link]))]);
      expect(same).toEqual({
        code: 1,
        said: `Otro programa tiene ocupada la base de datos «${db}»\n`,
        printed: [],
      });
      expect(linked).toMatchObject({ code: 1, said: same.said.replace(db, link) });
      const reader = new Database(db, { readonly: true });
      expect(reader.query("SELECT count(*) AS count FROM users").get()).toEqual({ count: 0 });
      reader.run("VACUUM INTO ?", [join(folder, "backup.db")]);
      reader.close();
      const client = await TestClient.connect(first.plainPort);
      expect(await client.ask(registration("ana"))).toMatchObject({ code: "ok" });
      first.kill("SIGTERM");
      expect(await first.exited).toBe(0);
      expect(readdirSync(folder).sort()).toEqual([
        "backup.db",
        "link.db",
        "users.db",
        "users.db.audit.jsonl",
      ]);
    },
    TIMEOUT,
  );

  test(
    "kill -9 releases it, and a start waits for a server that is stopping",
    async () => {
      const killed = run();
      await killed.started();
      killed.kill("SIGKILL");
      await killed.exited;
      const stopping = run();
      await stopping.started();
      // A client that does not read delays the stop.
      const client = await TestClient.connect(stopping.plainPort, { paused: true });
      const next = run();
      stopping.kill("SIGTERM");
      await next.started();
      expect(await stopping.exited).toBe(0);
      client.close();
    },
    TIMEOUT,
  );
});

test(
  "a client that only looks at the certificate is not logged as a failed handshake",
  async () => {
    const server = here();
    await server.started();
    await Bun.connect({
      hostname: "127.0.0.1",
      port: server.tlsPort,
      tls: { rejectUnauthorized: false },
      socket: { handshake: (socket) => void socket.terminate(), data: () => undefined },
    });
    const client = await TestClient.connect(server.plainPort);
    await client.ask({ action: "ping" });
    server.kill("SIGTERM");
    await server.exited;
    expect(await server.stderr).not.toContain("handshake_failed");
  },
  TIMEOUT,
);

test(
  "the link shows the operator's certificate; the authority stays the server's own",
  async () => {
    const key = join(folder, "key.pem");
    const certificate = join(folder, "certificate.pem");
    const made = Bun.spawnSync([
      ...[
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=chat.example",
      ],
      ...["-addext", "subjectAltName=DNS:chat.example", "-keyout", key, "-out", certificate],
    ]);
    expect(made.exitCode).toBe(0);
    const server = here(["--tls-cert", certificate, "--tls-key", key]);
    await server.started();
    const ca = await Bun.file(certificate).text();
    const client = await TestClient.connect(server.tlsPort, { tls: { ca, serverName: "chat.example" } });
    const pong = await client.ask({ action: "ping" });
    expect(pong["authority"]).toStartWith("-----BEGIN CERTIFICATE-----");
    expect(pong["authority"]).not.toBe(ca);
    client.close();
  },
  TIMEOUT,
);

test(
  "an account whose register_response was sent survives kill -9",
  async () => {
    const registered: string[] = [];
    for (let round = 0; round < 3; round++) {
      const server = run([], CHEAP_HASHES);
      await server.started();
      const clients = await Promise.all([1, 2, 3].map(() => TestClient.connect(server.plainPort)));
      const loops = clients.map(async (client, index) => {
        for (let count = 0; ; count++) {
          const name = `r${round}c${index}n${count}`;
          const answer = await client.ask(registration(name));
          if (answer["code"] === "ok") registered.push(name);
          // Killed while the others register.
          if (count === 5 + round) server.kill("SIGKILL");
        }
      });
      await Promise.allSettled(loops);
      expect(await server.exited).not.toBe(0);
    }
    expect(registered.length).toBeGreaterThanOrEqual(15);
    const server = run();
    await server.started();
    const database = new Database(db, { readonly: true });
    const names = database.query<{ username: string }, []>("SELECT username FROM users").all();
    database.close();
    for (const name of registered) expect(names.some((row) => row.username === name)).toBe(true);
    const client = await TestClient.connect(server.plainPort);
    expect(await client.ask(loginOf(registered.at(-1) as string))).toMatchObject({ code: "ok" });
  },
  TIMEOUT,
);

test(
  "SIGTERM: clients are told, the hash under way is answered, the database is closed, exit 0 within 5 s",
  async () => {
    const server = run();
    await server.started();
    const first = await TestClient.connect(server.plainPort);
    const authority = (await first.ask({ action: "ping" }))["authority"] as string;
    expect(await first.ask(registration("ana"))).toMatchObject({ code: "ok" });
    const tls = { ca: authority, serverName: RENDEZVOUS_DNS_NAME };
    const client = await TestClient.connect(server.tlsPort, { tls });
    const login = await client.ask(loginOf("ana", { public_key: newPublicKey() }));
    expect(login).toMatchObject({ code: "ok" });
    // Its answer is sent when the hash of the request after it has begun: both are read at once.
    first.send({ action: "ping" }, registration("tardía"));
    expect(await first.next()).toMatchObject({ action: "pong" });
    const asked = performance.now();
    server.kill("SIGTERM");
    expect(await client.next()).toMatchObject({ action: "error", code: "server_closing" });
    expect(await server.exited).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    await first.closed;
    expect(first.lines.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual([
      "ok",
      "ok",
      "ok",
      "server_closing",
      "ok",
    ]);
    expect(await Bun.file(`${db}-wal`).exists()).toBe(false);
    const database = new Database(db, { readonly: true });
    const users = database.query("SELECT username FROM users ORDER BY id").all();
    database.close();
    expect(users).toEqual([{ username: "ana" }, { username: "tardía" }]);
    const log = await server.stderr;
    expect(log).not.toContain(PASSWORD);
    expect(log).not.toContain(login["session_token"] as string);
  },
  TIMEOUT,
);

test(
  "a second signal ends a stop at once",
  async () => {
    const server = run();
    await server.started();
    // A connection that never closes its side delays a stop.
    const client = await TestClient.connect(server.plainPort, { paused: true });
    server.kill("SIGINT");
    server.kill("SIGTERM");
    server.kill("SIGINT");
    await server.exited;
    // A paused socket may not notice that the other side has gone.
    client.close();
    expect((await server.stderr).match(/"stopping"/g)).toHaveLength(1);
  },
  TIMEOUT,
);
