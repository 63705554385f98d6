/** A server that is restarted: how its clients are notified, when its ports are free, and how clients come back. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { CHEAP_HASHES } from "./cheap-hash.ts";
import { loginOf, newPublicKey, registration, TestClient, type Message } from "./rendezvous-test-client.ts";
import { ServerProcess, temporaryFolder } from "./server-process.ts";

setDefaultTimeout(60_000);

/** So many clients come back at once. */
const CLIENTS = 30;

const folder = temporaryFolder();
const servers: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.end()));
  folder.remove();
});

function run(database: string, ports: { port: number; tlsPort: number }): ServerProcess {
  const { port, tlsPort } = ports;
  const place = ["--db", join(folder.path, database), "--port", String(port), "--tls-port", String(tlsPort)];
  // One test needs hashes that are still being computed.
  const environment = database === "hash.db" ? {} : CHEAP_HASHES;
  const server = new ServerProcess([...place, "--lang", "en", "--log", "json"], environment);
  servers.push(server);
  return server;
}

async function started(database: string): Promise<ServerProcess> {
  const server = run(database, { port: 0, tlsPort: 0 });
  await server.started();
  return server;
}

/** SIGTERM, and at once the same command again. */
function restart(server: ServerProcess, database: string): ServerProcess {
  const ports = { port: server.plainPort, tlsPort: server.tlsPort };
  server.kill("SIGTERM");
  return run(database, ports);
}

const ENCRYPTED = { tls: { rejectUnauthorized: false } };

/** A connection, as soon as there is one to be had; meanwhile the port is closed, and nothing else. */
async function connects(
  port: number,
  options: Parameters<typeof TestClient.connect>[1] = {},
): Promise<TestClient> {
  for (;;) {
    try {
      return await TestClient.connect(port, options);
    } catch (error) {
      const { code, message } = error as { code?: unknown; message?: unknown };
      // A server that stops ends connections whose handshake is not done.
      expect(["ECONNREFUSED", "ECONNRESET", "closed"]).toContain(String(code ?? message));
      await new Promise((turn) => setImmediate(turn));
    }
  }
}

/** Resumes as a client does that tries again and again; any failure but `server_closing` is a fault. */
async function resumes(port: number, resume: Message): Promise<Message> {
  for (;;) {
    const client = await connects(port, ENCRYPTED);
    const answer = await client.ask(resume).catch(() => undefined);
    if (answer?.["action"] === "login_response") return answer;
    if (answer !== undefined) expect(answer["code"]).toBe("server_closing");
  }
}

describe("a restart", () => {
  test("notifies everybody at once, and everybody is back by their token, without a password hash", async () => {
    const first = await started("resume.db");
    const setUp = await TestClient.connect(first.plainPort);
    const sessions: Message[] = [];
    const clients: TestClient[] = [];
    for (let index = 0; index < CLIENTS; index++) {
      const username = `user${index}`;
      const public_key = newPublicKey();
      expect(await setUp.ask(registration(username))).toMatchObject({ success: true });
      const client = await TestClient.connect(first.tlsPort, ENCRYPTED);
      const { session_token } = await client.ask(loginOf(username, { public_key }));
      expect(session_token).toBeString();
      sessions.push({ action: "resume", session_token, p2p_port: 9001, public_key });
      clients.push(client);
    }
    const watcher = clients[0] as TestClient;
    const users = sessions.map((_, index) => `user${index}`);
    await watcher.ask({ action: "watch", users });
    const second = restart(first, "resume.db");
    // Nobody is reported as offline.
    for (const client of clients) {
      expect(await client.next()).toMatchObject({ action: "error", code: "server_closing" });
      await client.closed;
      await expect(client.next()).rejects.toThrow("closed");
    }
    const port = first.tlsPort;
    const [early, ...others] = sessions as [Message, ...Message[]];
    const answers = [await resumes(port, early)];
    answers.push(...(await Promise.all(others.map((session) => resumes(port, session)))));
    expect(answers.map(({ success, username }) => ({ success, username }))).toEqual(
      users.map((username) => ({ success: true, username })),
    );
    expect(await first.exited).toBe(0);
    await second.started();
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
    const log = await second.stderr;
    expect(log.match(/"event":"resumed"/g)).toHaveLength(CLIENTS);
    expect(log).not.toMatch(/"event":"login"/);
  });

  test("ends an idle connection while another's password is still being hashed, and answers that one", async () => {
    const first = await started("hash.db");
    const idle = await TestClient.connect(first.plainPort);
    expect(await idle.ask({ action: "ping", id: 1 })).toMatchObject({ action: "pong" });
    const busy = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        TestClient.connect(first.plainPort).then((client) => ({ client, index })),
      ),
    );
    for (const { client } of busy) await client.ask({ action: "ping", id: "first" });
    for (const { client, index } of busy) client.send({ ...registration(`late${index}`), id: index });
    // By the first answer the server has read them all.
    await Promise.race(busy.map(({ client }) => client.arrived(2)));
    const second = restart(first, "hash.db");
    expect(await idle.next()).toMatchObject({ code: "server_closing" });
    await idle.closed;
    for (const { client, index } of busy) {
      await client.closed;
      const answers = client.lines.map((line) => JSON.parse(line) as Message);
      const own = answers.filter(({ id }) => id === index);
      expect(own).toHaveLength(1);
      expect(["ok", "server_closing"]).toContain(String(own[0]?.["code"]));
      const news = answers.filter(({ action }) => action === "error");
      expect(news).toMatchObject([{ code: "server_closing" }]);
    }
    expect(await first.exited).toBe(0);
    await second.started();
  });

  test("can listen on its port while connections of the old server are still open", async () => {
    const first = await started("port.db");
    const silent = await TestClient.connect(first.plainPort, { paused: true });
    const second = restart(first, "port.db");
    await second.started();
    expect(second.lines.slice(0, 4)).toEqual(first.lines.slice(0, 4));
    expect(await first.exited).toBe(0);
    silent.close();
  });
});

describe("a port in use", () => {
  test("is waited for a short time, and used when it is free", async () => {
    const socket = { data: () => undefined };
    const holder = Bun.listen({ hostname: "0.0.0.0", port: 0, socket });
    const free = Bun.listen({ hostname: "0.0.0.0", port: 0, socket });
    free.stop(true);
    const server = run("patient.db", { port: holder.port, tlsPort: free.port });
    // The encrypted port comes first: who is let in there knows that the other one was tried in vain.
    const early = await connects(free.port);
    holder.stop(true);
    await server.started();
    expect(server.plainPort).toBe(holder.port);
    early.close();
  });

  test("ends the start with its sentence when it stays taken", async () => {
    const running = await started("running.db");
    const begun = performance.now();
    const free = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data: () => undefined } });
    free.stop(true);
    const other = run("other.db", { port: running.plainPort, tlsPort: free.port });
    // Whoever finds the port that was free is not served, and does not keep the process from ending.
    const early = await connects(free.port);
    expect(await other.exited).toBe(1);
    early.close();
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await other.stderr).toBe(`Port ${running.plainPort} is already in use\n`);
    expect(other.lines).toEqual([]);
  });
});
