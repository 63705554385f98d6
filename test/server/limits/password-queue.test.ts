import { expect, test } from "bun:test";

import { hashPassword } from "../../../src/server/database/password-hash.ts";
import {
  HASHES_AT_ONCE,
  PasswordQueue,
  type HashOutcome,
} from "../../../src/server/limits/password-queue.ts";
import { DEFAULT_LIMITS } from "../../../src/server/limits/limits.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const always = () => true;

function verified(queue: PasswordQueue, password: string, hash: string): Promise<HashOutcome<boolean>> {
  return new Promise((resolve) => queue.verify("192.0.2.1", password, hash, always, resolve));
}

test("a password is stored as argon2id with 19 MiB and two passes, and verified, the empty one too", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  for (const password of ["", "contraseña", "x".repeat(10_000)]) {
    const hash = await hashPassword(password);
    expect(hash).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
    expect(await verified(queue, password, hash)).toEqual({ name: "done", value: true });
    expect(await verified(queue, `${password}x`, hash)).toEqual({ name: "done", value: false });
  }
});

test("a stored text that is no hash is a failure, not a wrong password", async () => {
  expect(
    await verified(new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes }), "x", "no hash"),
  ).toMatchObject({ name: "failed" });
});

/** A queue whose workers are all busy with `busy`'s hashes, and what becomes of jobs. */
function busyQueue(limit: number) {
  const observed: number[] = [];
  const queue = new PasswordQueue({ limit, observe: (waited) => observed.push(waited) });
  const outcomes: string[] = [];
  const pending: Promise<void>[] = [];
  const add = (owner: string, name: string, wanted: () => boolean = always): boolean => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const isQueued = queue.hash(owner, "contraseña", wanted, (outcome) => {
      outcomes.push(`${name} ${outcome.name}`);
      resolve();
    });
    if (isQueued) pending.push(promise);
    return isQueued;
  };
  for (let count = 0; count < HASHES_AT_ONCE; count++) add("busy", "busy");
  return { queue, add, outcomes, observed, settled: () => Promise.all(pending) };
}

test("over its bound the queue refuses an owner who has the most; a close begins nothing more", async () => {
  const { queue, add, outcomes } = busyQueue(3);
  for (const name of ["1", "2", "3"]) expect(add("here", name)).toBe(true);
  expect({ running: queue.running, waiting: queue.waiting }).toEqual({ running: HASHES_AT_ONCE, waiting: 3 });
  expect(add("here", "4")).toBe(false);
  const closed = queue.close();
  expect(outcomes).toEqual(["1 closing", "2 closing", "3 closing"]);
  await closed;
  expect(outcomes.slice(3)).toEqual(Array<string>(HASHES_AT_ONCE).fill("busy done"));
  expect({ running: queue.running, waiting: queue.waiting }).toEqual({ running: 0, waiting: 0 });
});

test("owners take turns: whoever comes after a storm waits for one of its hashes, not for all", async () => {
  const { add, outcomes, observed, settled } = busyQueue(100);
  for (let count = 1; count <= 6; count++) add("storm", `storm ${count}`);
  add("ana", "ana");
  add("beto", "beto");
  await settled();
  const served = outcomes.slice(HASHES_AT_ONCE).map((outcome) => outcome.replace(" done", ""));
  expect(served.slice(0, 3).sort()).toEqual(["ana", "beto", "storm 1"]);
  expect(served.slice(3).sort()).toEqual([2, 3, 4, 5, 6].map((count) => `storm ${count}`));
  expect(observed).toHaveLength(HASHES_AT_ONCE + 8);
});

test("in a full queue whoever has fewer takes the place of the latest of whoever has the most", async () => {
  const { queue, add, outcomes, settled } = busyQueue(4);
  for (let count = 1; count <= 4; count++) add("storm", `storm ${count}`);
  expect(add("ana", "ana 1")).toBe(true);
  expect(add("ana", "ana 2")).toBe(true);
  // Two each: nobody has more than the other.
  expect(add("ana", "ana 3")).toBe(false);
  expect(add("storm", "storm 5")).toBe(false);
  expect(queue.waiting).toBe(4);
  await settled();
  expect(outcomes.filter((outcome) => !outcome.endsWith(" done"))).toEqual([
    "storm 4 displaced",
    "storm 3 displaced",
  ]);
  expect(outcomes).toHaveLength(HASHES_AT_ONCE + 6);
});

test("a hash that nobody waits for any more is not made, and its end is told all the same", async () => {
  const { add, outcomes, observed, settled } = busyQueue(10);
  let isHere = true;
  add("here", "gone", () => isHere);
  add("here", "here");
  isHere = false;
  await settled();
  expect(outcomes.filter((outcome) => !outcome.startsWith("busy")).sort()).toEqual([
    "gone unwanted",
    "here done",
  ]);
  expect(observed).toHaveLength(HASHES_AT_ONCE + 1);
});

test("the next hash is under way while an answer is written, and a close waits for the answer", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  const { promise, resolve } = Promise.withResolvers<void>();
  const told: string[] = [];
  queue.hash("first", "contraseña", always, () => {
    told.push(`${queue.running} under way, ${queue.waiting} waiting`);
    resolve();
  });
  for (let count = 0; count < HASHES_AT_ONCE; count++) {
    queue.hash("others", "contraseña", always, () => told.push("answered"));
  }
  await promise;
  await queue.close();
  expect(told.filter((each) => each !== "answered")).toEqual([`${HASHES_AT_ONCE} under way, 0 waiting`]);
  expect(told).toHaveLength(HASHES_AT_ONCE + 1);
});

test("every job has exactly one outcome, whatever comes, goes and closes", async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const { queue, add, outcomes, settled } = busyQueue(20);
  const names: string[] = Array<string>(HASHES_AT_ONCE).fill("busy");
  for (let job = 0; job < 400; job++) {
    const isLate = random.integer(3) === 0;
    let asked = 0;
    const wanted = () => !isLate || asked++ === 0;
    if (add(`owner ${random.integer(random.integer(8) + 1)}`, `job ${job}`, wanted)) names.push(`job ${job}`);
  }
  await queue.close();
  await settled();
  const ended = outcomes.map((outcome) => outcome.replace(/ \w+$/, ""));
  expect({ seed, ended: ended.sort() }).toEqual({ seed, ended: names.sort() });
});
