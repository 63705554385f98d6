import { expect, test } from "bun:test";

import {
  AGREEMENT_MEMORY,
  CALLER_LOOKUP_BURST,
  CALLER_LOOKUP_INTERVAL,
  CallerKeys,
  MAX_REMEMBERED,
  OTHER_REPORT_MEMORY,
} from "../../../src/client/peer/caller-keys.ts";
import type { ProvenPeer } from "../../../src/client/peer/proof.ts";
import type { Whereabouts } from "../../../src/client/rendezvous/directory.ts";
import { label } from "../../../src/identity/names.ts";

const caller = (name: string, fingerprint = "k") => ({
  name,
  notBefore: 0,
  label: label(name),
  fingerprint,
  spki: Buffer.alloc(0),
});
const online = (fingerprint: string): Whereabouts => ({
  name: "online",
  username: "",
  targets: [],
  isOpen: false,
  fingerprint,
  secure: true,
});

/** A server with these answers, its clock, and the names that were looked up. */
function callersOf(answer: (name: string) => Whereabouts) {
  const scene = { now: 0, asked: new Array<string>(), answer };
  const callers = new CallerKeys(
    async (name) => {
      scene.asked.push(name);
      return scene.answer(name);
    },
    () => scene.now,
  );
  return { scene, keys: { report: (peer: ProvenPeer) => callers.report(peer, "stranger") }, callers };
}

test("strangers have twenty lookups at once and five a second; over it the answer is «not now»", async () => {
  const { scene, keys } = callersOf(() => ({ name: "offline" }));
  const burst = await Promise.all(
    Array.from({ length: CALLER_LOOKUP_BURST + 5 }, (_, index) => keys.report(caller(`one ${index}`))),
  );
  expect(burst.filter(({ name }) => name === "nothing")).toHaveLength(CALLER_LOOKUP_BURST);
  expect(burst.filter(({ name }) => name === "notNow")).toHaveLength(5);
  scene.now = 10 * CALLER_LOOKUP_INTERVAL;
  scene.asked = [];
  for (let index = 0; index < 15; index++) await keys.report(caller(`two ${index}`));
  expect(scene.asked).toHaveLength(10);
});

test("strangers who use up their lookups leave contacts theirs", async () => {
  const { keys, callers } = callersOf(() => ({ name: "offline" }));
  for (let index = 0; index <= CALLER_LOOKUP_BURST; index++) await keys.report(caller(`one ${index}`));
  expect(await keys.report(caller("two"))).toEqual({ name: "notNow" });
  expect(await callers.report(caller("ana"), "contact")).toEqual({ name: "nothing" });
});

test("a key that the server names is remembered for ten minutes, whatever it says later", async () => {
  const { scene, keys } = callersOf(() => online("k"));
  expect(await keys.report(caller("ana"))).toEqual({ name: "key", fingerprint: "k" });
  scene.answer = () => online("other");
  scene.now = AGREEMENT_MEMORY - 1;
  expect(await keys.report(caller("ana"))).toEqual({ name: "key", fingerprint: "k" });
  // Another key of the same name is another question.
  expect(await keys.report(caller("ana", "l"))).toEqual({ name: "key", fingerprint: "other" });
  scene.now = AGREEMENT_MEMORY;
  expect(await keys.report(caller("ana"))).toEqual({ name: "key", fingerprint: "other" });
  expect(scene.asked).toHaveLength(3);
});

test("any other report is remembered for ten seconds", async () => {
  const { scene, keys } = callersOf(() => ({ name: "offline" }));
  for (const answer of [online("other"), { name: "offline" } as const]) {
    scene.answer = () => answer;
    scene.now += OTHER_REPORT_MEMORY;
    scene.asked = [];
    const first = await keys.report(caller("ana"));
    scene.now += OTHER_REPORT_MEMORY - 1;
    expect(await keys.report(caller("ana"))).toEqual(first);
    expect(scene.asked).toHaveLength(1);
    scene.now += 1;
    await keys.report(caller("ana"));
    expect(scene.asked).toHaveLength(2);
  }
});

test("a limited server and a missing one are not remembered, and only the former is «not now»", async () => {
  const { scene, keys } = callersOf(() => ({ name: "limited" }));
  expect(await keys.report(caller("ana"))).toEqual({ name: "notNow" });
  scene.answer = () => ({ name: "noServer" });
  expect(await keys.report(caller("ana"))).toEqual({ name: "nothing" });
  scene.answer = () => online("other");
  expect(await keys.report(caller("ana"))).toEqual({ name: "key", fingerprint: "other" });
});

test("of more than a thousand reports the oldest are forgotten", async () => {
  const { scene, keys } = callersOf(() => online("k"));
  for (let index = 0; index <= MAX_REMEMBERED; index++) {
    scene.now += CALLER_LOOKUP_INTERVAL;
    await keys.report(caller(`${index}`));
  }
  scene.asked = [];
  await keys.report(caller(`${MAX_REMEMBERED}`));
  await keys.report(caller("1"));
  expect(scene.asked).toEqual([]);
  await keys.report(caller("0"));
  expect(scene.asked).toEqual(["0"]);
});
