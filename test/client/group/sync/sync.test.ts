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

test("a link that is cut inside a long catch-up goes on where it was, and nothing comes twice", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const luis = network.join(LUIS);
  network.link(ana, luis);
  admit(network, ana, network.group, luis);
  network.cutAll();
  for (let count = 0; count < 1_000; count++) {
    ana.write(network.group, "t", "text", { text: `texto ${count}` });
    // What is written faster than its budget allows nobody takes.
    network.time.pass(20_000);
  }
  network.time.pass(1_000);
  let given = 0;
  network.watch = {
    sent: (from, _to, message) => {
      if (from === ana && message.action === "group_entries") given += message.entries.length;
    },
  };
  let cuts = 0;
  for (let held = 0; held < 1_000; held = luis.rows(network.group, "t").length) {
    network.link(ana, luis);
    network.time.pass(500);
    network.cutAll();
    network.time.pass(500);
    cuts++;
    expect(cuts).toBeLessThan(20);
  }
  expect(cuts).toBeGreaterThan(1);
  expect(luis.log.shown.length).toBe(1_000);
  expect(new Set(luis.log.shown).size).toBe(1_000);
  // What was on its way at a cut is given again, and no more.
  expect(given).toBeLessThan(1_000 + cuts * 512);
});

test.each([3_600_000, -3_600_000])("a clock that jumps by %d ms loses nothing, and order stays", (jump) => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const luis = network.join(LUIS);
  network.link(ana, luis);
  const feed = admit(network, ana, network.group, luis);
  const say = (text: string) => {
    ana.write(network.group, "t", "text", { text });
    luis.write(feed, "t", "text", { text });
    network.time.pass(2_000);
  };
  say("uno");
  ana.clockOffset += jump;
  say("dos");
  ana.clockOffset -= jump;
  say("tres");
  // What is of an hour later is taken when it is not more than a quarter of an hour ahead.
  network.time.pass(3_600_000);
  for (const [reader, author] of [
    [ana, feed],
    [luis, network.group],
  ] as const) {
    const times = reader.rows(author, "t").map(({ at }) => at);
    expect(times.length).toBe(3);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(reader.log.shown.length).toBe(6);
  }
});

/** Ends a term where its holder's lanes end. */
function end(by: Member, own: string, feed: string): void {
  const [c, t] = [by.sync?.next(feed, "c", 0), by.sync?.next(feed, "t", 0)];
  if (c === undefined || t === undefined) throw new Error("no member");
  const ends = { c: c.number - 1, t: t.number - 1, cid: c.prev, tid: t.prev };
  by.write(own, "c", "end", { feed, ...ends });
}

test("whose end came to count by a grant that came later learns of both", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const [luis, eva] = [network.join(LUIS), network.join(EVA)];
  for (const other of [luis, eva]) network.link(ana, other);
  const [ofLuis, ofEva] = [luis, eva].map((other) => admit(network, ana, network.group, other)) as [
    string,
    string,
  ];
  end(luis, ofLuis, ofEva);
  network.time.pass(5_000);
  expect(eva.sync?.own?.state).toBe("member");
  for (const wire of eva.wires) wire.cut();
  ana.write(network.group, "c", "grant", { feed: ofLuis });
  network.time.pass(5_000);
  network.link(ana, eva);
  network.time.pass(5_000);
  expect(eva.sync?.own?.state).toBe("ended");
});

test("of two who count each other out, who was removed last learns it from who came back", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const [luis, eva] = [network.join(LUIS), network.join(EVA)];
  for (const other of [luis, eva]) network.link(ana, other);
  const [ofLuis, ofEva] = [luis, eva].map((other) => admit(network, ana, network.group, other)) as [
    string,
    string,
  ];
  end(ana, network.group, ofEva);
  network.time.pass(5_000);
  for (const wire of luis.wires) wire.cut();
  end(ana, network.group, ofLuis);
  admit(network, ana, network.group, eva);
  network.cutAll();
  expect(luis.sync?.own?.state).toBe("member");
  network.link(luis, eva);
  network.time.pass(5_000);
  expect(luis.sync?.own?.state).toBe("ended");
});

test("who has not greeted is given no texts", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const luis = network.join(LUIS);
  network.link(ana, luis);
  admit(network, ana, network.group, luis);
  network.cutAll();
  ana.write(network.group, "t", "text", { text: "hola" });
  network.time.pass(1_000);
  luis.tamper = (message) =>
    message.action === "group_heads" && message.heads === undefined ? [] : [message];
  network.link(ana, luis);
  network.time.pass(5_000);
  expect(luis.log.shown.length).toBe(0);
  network.cutAll();
  luis.tamper = undefined;
  network.link(ana, luis);
  network.time.pass(5_000);
  expect(luis.log.shown.length).toBe(1);
});

test("whose greeting was lost, as the other side did not know the group yet, is greeted again", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const luis = network.join(LUIS);
  network.link(ana, luis);
  admit(network, ana, network.group, luis);
  network.cutAll();
  ana.write(network.group, "t", "text", { text: "hola" });
  network.time.pass(1_000);
  luis.tamper = () => [];
  network.link(ana, luis);
  luis.tamper = undefined;
  network.time.pass(20_000);
  expect(luis.log.shown.length).toBe(1);
});

test("who was admitted by somebody who had been removed before learns it from who never saw that", () => {
  const network = new Network(seededRandom(testSeed()), ANA);
  const [ana] = network.members as [Member];
  const [luis, eva] = [network.join(LUIS), network.join(EVA)];
  network.link(ana, luis);
  const ofLuis = admit(network, ana, network.group, luis);
  ana.write(network.group, "c", "grant", { feed: ofLuis });
  network.time.pass(5_000);
  network.cutAll();
  network.link(luis, eva);
  admit(network, luis, ofLuis, eva);
  network.cutAll();
  end(ana, network.group, ofLuis);
  network.time.pass(1_000);
  expect(eva.sync?.own?.state).toBe("member");
  network.link(ana, eva);
  network.time.pass(20_000);
  expect(eva.sync?.own).toBeUndefined();
});
