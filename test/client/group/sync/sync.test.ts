import { expect, test } from "bun:test";

import { seededRandom, testSeed } from "../../../seeded-random.ts";
import { addBody, testKey } from "../../../identity/group-keys.ts";
import { Network, type Member } from "./sync-network.ts";

const [ANA, LUIS, EVA] = ["ana", "luis", "eva"].map((name) => testKey(name)) as [
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
];

/** Adds somebody who is linked, and who accepts at once. @returns their feed */
function admit(network: Network, by: Member, feed: string, added: Member, ms = 5_000): string {
  const { id } = by.write(feed, "c", "add", addBody(added.key));
  network.time.pass(1_000);
  added.accept(id);
  network.time.pass(ms);
  return id;
}

test("what somebody has named is missing until it is here, also once nobody is linked who has it", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const [luis, eva] = [network.join(LUIS), network.join(EVA)];
  for (const other of [luis, eva]) network.link(ana, other);
  for (const other of [luis, eva]) admit(network, ana, network.group, other);
  ana.write(network.group, "t", "text", { text: "uno" });
  network.time.pass(5_000);
  for (const wire of eva.wires) wire.cut();
  for (const text of ["dos", "tres", "cuatro"]) ana.write(network.group, "t", "text", { text });
  network.time.pass(5_000);
  // Luis tells what he has, and is gone before he gives it.
  luis.tamper = (message) => (message.action === "group_entries" ? [] : [message]);
  network.link(luis, eva);
  network.time.pass(5_000);
  for (const wire of eva.wires) wire.cut();
  network.time.pass(60_000);
  expect(eva.sync?.gaps).toEqual(new Map([[network.group, 3]]));
  expect(eva.sync?.missing(network.group)).toBe(3);
  network.link(ana, eva);
  network.time.pass(5_000);
  expect(eva.sync?.gaps).toEqual(new Map());
  expect(eva.sync?.missing(network.group)).toBe(0);
});

test("whoever accepts on a link that was there before, and whoever admitted them, can sign at once", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const [luis, eva] = [network.join(LUIS), network.join(EVA)];
  for (const other of [luis, eva]) network.link(ana, other);
  network.link(luis, eva);
  const feed = admit(network, ana, network.group, luis, 500);
  for (const member of [ana, luis]) expect(member.sync?.maySign(member.clock())).toBe(true);
  ana.write(network.group, "t", "text", { text: "hola" });
  admit(network, ana, network.group, eva, 500);
  for (const member of network.members) expect(member.sync?.maySign(member.clock())).toBe(true);
  luis.write(feed, "t", "text", { text: "hola, eva" });
  network.time.pass(5_000);
  expect(eva.log.shown.length).toBe(2);
});
