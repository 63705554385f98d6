/**
 * The attacker has a list of names and wants to know which of them have accounts here. The server's answer is the
 * same for all, and must take the same time.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";

import { DEFAULT_LIMITS, NO_LIMIT } from "../../../src/server/limits/limits.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import { loginOf, registration, type TestClient } from "../rendezvous-test-client.ts";
import { TestServer } from "../rendezvous-test-server.ts";

const NAMED = "conocida";
const NOBODY = "ninguna1";
/** How much the medians may differ, as a share of a login. */
const MOST_DIFFERENCE = 0.05;
const MOST_ROUNDS = 6;

class CountingMetrics extends Metrics {
  hashes = 0;

  override hash(waited: number, took: number): void {
    this.hashes++;
    super.hash(waited, took);
  }
}

let server: TestServer;
let client: TestClient;
const metrics = new CountingMetrics();
beforeAll(async () => {
  const limits = {
    ...DEFAULT_LIMITS,
    loginRate: NO_LIMIT,
    failureRate: NO_LIMIT,
    failureRatePerAddress: NO_LIMIT,
    failureRatePerAccount: NO_LIMIT,
  };
  server = await TestServer.start({ limits, metrics });
  client = await server.plain();
  expect(await client.ask(registration(NAMED))).toMatchObject({ code: "ok" });
});
afterAll(() => server.stop());

/** Ms that this process has worked, in all its threads: on a machine with nothing else to do, ms that pass. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function passed(): number {
  return performance.now();
}

/** How long a login with a wrong password takes by this clock, in ms. */
async function timeOf(name: string, clock: () => number): Promise<number> {
  const begun = clock();
  const answer = await client.ask(loginOf(name, { password: "equivocada" }));
  const took = clock() - begun;
  expect(answer["code"]).toBe("invalid_credentials");
  return took;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

/**
 * By how much the medians differ. The two are measured in turns, each first as often as the other, so that other
 * load affects both. More is measured while they differ by more than `most`: all measurements count together, so that
 * noise shrinks and a real difference stays.
 */
async function difference(
  clock: () => number,
  pairs: number,
  most: (median: number) => number,
): Promise<string | undefined> {
  const named: number[] = [];
  const nobody: number[] = [];
  let said = "";
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (let count = 0; count < pairs; count++) {
      if (count % 2 === 0) named.push(await timeOf(NAMED, clock));
      nobody.push(await timeOf(NOBODY, clock));
      if (count % 2 === 1) named.push(await timeOf(NAMED, clock));
    }
    const [first, second] = [median(named), median(nobody)];
    if (Math.abs(first - second) <= most(Math.max(first, second))) return undefined;
    said = `${first} ms and ${second} ms of ${named.length} each`;
  }
  return said;
}

/** The parameters of a hash in PHC form. */
function parametersOf(hash: string): string {
  return hash.split("$").slice(0, 4).join("$");
}

test("an unknown name costs exactly the work of a wrong password: one comparison of the same kind", async () => {
  for (const name of [NAMED, NOBODY, "x".repeat(64), "ｎａｄａ"]) {
    const before = metrics.hashes;
    await timeOf(name, passed);
    expect({ name, hashes: metrics.hashes - before }).toEqual({ name, hashes: 1 });
  }
  const stored = server.database.query<{ password: string }, []>("SELECT password FROM users").get();
  expect(parametersOf(server.server.services.dummyHash)).toBe(parametersOf(stored?.password ?? ""));
});

// The work, which others on this machine do not lengthen; the next test looks at what passes beside it.
test("the medians of a wrong name and of a wrong password are within 5 % of each other", async () => {
  expect(await difference(worked, 25, (login) => login * MOST_DIFFERENCE)).toBeUndefined();
}, 60_000);

test("without the hash, whose noise would hide it, the rest differs by less than 1 % of a login", async () => {
  const logins: number[] = [];
  for (let count = 0; count < 5; count++) logins.push(await timeOf(NAMED, worked));
  // Hashes that cost next to nothing leave what the server does beside them.
  const cheap = await Bun.password.hash("otra", { algorithm: "argon2id", memoryCost: 8, timeCost: 1 });
  server.database.query("UPDATE users SET password = ?").run(cheap);
  Object.assign(server.server.services, { dummyHash: cheap });
  expect(await difference(passed, 301, () => median(logins) / 100)).toBeUndefined();
}, 60_000);
