/**
 * The attacker opens connections until the server has no descriptor left. He wants it to die, to burn a core
 * over a connection that it cannot take, or to fail at files (accounts, log) that it must open meanwhile.
 */
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { descriptorsForConnections } from "../../../src/net/descriptors.ts";
import { DEFAULT_LIMITS, withinDescriptors } from "../../../src/server/limits/limits.ts";
import { loginOf, registration, TestClient } from "../rendezvous-test-client.ts";
import { ServerProcess, temporaryFolder } from "../server-process.ts";

/** With what the process has open by itself, fewer than those not logged in and those on their way out need. */
const DESCRIPTORS = 44;
const TIMEOUT = 30_000;

const folder = temporaryFolder();
const started: ServerProcess[] = [];
afterAll(async () => {
  for (const each of started) each.kill("SIGKILL");
  await Promise.all(started.map((each) => each.exited));
  folder.remove();
});

/** Resolves when the process is found waiting many times in succession; one that spins never is. */
async function asleep(pid: number): Promise<void> {
  for (let found = 0; found < 200;) {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
    found = state === "S" ? found + 1 : 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

test.skipIf(process.platform !== "linux")(
  "with its descriptors used up the server goes on for who is there, does not spin, says so, and accepts again",
  async () => {
    const db = join(folder.path, "users.db");
    const server = new ServerProcess(["--port", "0", "--tls-port", "0", "--db", db], {}, DESCRIPTORS);
    started.push(server);
    await server.started();
    const { pid } = server.process;
    const ana = await TestClient.connect(server.plainPort);
    expect(await ana.ask(registration("ana"))).toMatchObject({ code: "ok" });
    expect(await ana.ask(loginOf("ana"))).toMatchObject({ code: "ok" });

    // They do not read, and never close their side.
    const crowd: TestClient[] = [];
    for (let count = 0; count < 4 * DESCRIPTORS; count++) {
      const client = await TestClient.connect(server.plainPort, { paused: true }).catch(() => undefined);
      if (client !== undefined) crowd.push(client);
    }
    expect(await ana.ask({ action: "get_users" })).toMatchObject({ success: true });
    expect(openDescriptors(pid)).toBeLessThan(DESCRIPTORS);

    // A file that must be opened can be: a registration is on the disk for another program to read.
    expect(await ana.ask(registration("beto"))).toMatchObject({ code: "ok" });
    const reader = new Database(db, { readonly: true });
    expect(reader.query("SELECT count(*) AS n FROM users").get()).toEqual({ n: 2 });
    reader.close();

    // A listener that is notified again and again of a connection that it cannot accept keeps the CPU busy.
    await asleep(pid);

    for (const client of crowd) client.close();
    for (;;) {
      const newcomer = await TestClient.connect(server.plainPort);
      const answer = await newcomer.ask({ action: "ping" }).catch(() => undefined);
      if (answer?.["action"] !== "pong") continue;
      expect(await newcomer.ask(loginOf("beto"))).toMatchObject({ code: "ok" });
      break;
    }
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(await server.stderr).toContain('"event":"out_of_descriptors"');
  },
  TIMEOUT,
);

test("with few descriptors the limits are lower, and connections not logged in never take all places", () => {
  const few = withinDescriptors(DEFAULT_LIMITS, descriptorsForConnections(1_024));
  expect(few.connections).toBeLessThan(1_024 - 32);
  expect(few.anonymous).toBeLessThanOrEqual(few.connections / 2);
  expect(withinDescriptors(DEFAULT_LIMITS, descriptorsForConnections(20_000))).toBe(DEFAULT_LIMITS);
  expect(withinDescriptors(DEFAULT_LIMITS, descriptorsForConnections(Infinity))).toBe(DEFAULT_LIMITS);
});
