import { expect, test } from "bun:test";

import { hashOfNone, hashPassword } from "../../../src/server/database/password-hash.ts";
import { HASHES_AT_ONCE, PasswordQueue } from "../../../src/server/limits/password-queue.ts";
import { DEFAULT_LIMITS } from "../../../src/server/limits/limits.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const HERE = "192.0.2.1";
const always = () => true;

test("a password is stored as argon2id with 19 MiB and two passes, and verified, the empty one too", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  for (const password of ["", "contraseña", "x".repeat(10_000)]) {
    const hash = await hashPassword(password);
    expect(hash).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
    expect(await queue.verify(HERE, password, hash, always)).toEqual({ name: "done", value: true });
    expect(await queue.verify(HERE, `${password}x`, hash, always)).toEqual({ name: "done", value: false });
  }
});

test("a hash of no password has the form of the others, so that verifying it takes as long, and is never another's", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  const form = (hash: string) => hash.replace(/\$[\w+/]{43}/g, "$random");
  expect(form(hashOfNone())).toBe(form(await hashPassword("contraseña")));
  expect(await queue.verify(HERE, "", hashOfNone(), always)).toEqual({ name: "done", value: false });
  expect(hashOfNone()).not.toBe(hashOfNone());
});

test("a stored text that is not a hash is a failure, not a wrong password, and its turn ends", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  expect(queue.verify(HERE, "x", "no hash", always)).rejects.toThrow();
  await queue.close();
  expect(queue.running).toBe(0);
});

/** A queue in which as many hashes as possible are computed for `busy`, and the outcomes in their order. */
function busyQueue(limit: number) {
  const observed: number[] = [];
  const queue = new PasswordQueue({ limit, observe: (waited) => observed.push(waited) });
  const outcomes: string[] = [];
  const pending: Promise<void>[] = [];
  const add = (owner: string, name: string, wanted: () => boolean = always): void => {
    const outcome = queue.hash(owner, "contraseña", wanted);
    pending.push(outcome.then((ended) => void outcomes.push(`${name} ${ended.name}`)));
  };
  for (let count = 0; count < HASHES_AT_ONCE; count++) add("busy", "busy");
  return { queue, add, outcomes, observed, settled: () => Promise.all(pending) };
}

test("the full queue refuses the owner who has the most; after a close no hash begins", async () => {
  const { queue, add, outcomes, settled } = busyQueue(3);
  for (const name of ["1", "2", "3"]) add("here", name);
  expect({ running: queue.running, waiting: queue.waiting }).toEqual({ running: HASHES_AT_ONCE, waiting: 3 });
  add("here", "4");
  await queue.close();
  expect({ running: queue.running, waiting: queue.waiting }).toEqual({ running: 0, waiting: 0 });
  await settled();
  expect(outcomes).toEqual([
    "4 busy",
    "1 closing",
    "2 closing",
    "3 closing",
    ...Array<string>(HASHES_AT_ONCE).fill("busy done"),
  ]);
});

test("owners take turns: a hash behind those of a busy owner waits for one of them, not for all", async () => {
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

test("in a full queue an owner with fewer hashes displaces the latest hash of the owner with the most", async () => {
  const { queue, add, outcomes, settled } = busyQueue(4);
  for (let count = 1; count <= 4; count++) add("storm", `storm ${count}`);
  add("ana", "ana 1");
  add("ana", "ana 2");
  // Two each: nobody has more than the other.
  add("ana", "ana 3");
  add("storm", "storm 5");
  expect(queue.waiting).toBe(4);
  await settled();
  expect(outcomes.filter((outcome) => !outcome.endsWith(" done")).sort()).toEqual([
    "ana 3 busy",
    "storm 3 busy",
    "storm 4 busy",
    "storm 5 busy",
  ]);
  expect(outcomes).toHaveLength(HASHES_AT_ONCE + 8);
});

test("a hash that is no longer wanted is not computed, and still has an outcome", async () => {
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

test("the next hash is being computed while an answer is written", async () => {
  const queue = new PasswordQueue({ limit: DEFAULT_LIMITS.waitingHashes });
  const first = queue.hash("first", "contraseña", always).then(() => {
    return `${queue.running} running, ${queue.waiting} waiting`;
  });
  const others = Array.from({ length: HASHES_AT_ONCE }, () => queue.hash("others", "contraseña", always));
  expect(await first).toBe(`${HASHES_AT_ONCE} running, 0 waiting`);
  await Promise.all(others);
});

test("every job has exactly one outcome in any order of requests, disconnects and closes", async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const { queue, add, outcomes, settled } = busyQueue(20);
  const names: string[] = Array<string>(HASHES_AT_ONCE).fill("busy");
  for (let job = 0; job < 400; job++) {
    const isLate = random.integer(3) === 0;
    let asked = 0;
    const wanted = () => !isLate || asked++ === 0;
    add(`owner ${random.integer(random.integer(8) + 1)}`, `job ${job}`, wanted);
    names.push(`job ${job}`);
  }
  await queue.close();
  await settled();
  const ended = outcomes.map((outcome) => outcome.replace(/ \w+$/, ""));
  expect({ seed, ended: ended.sort() }).toEqual({ seed, ended: names.sort() });
});
