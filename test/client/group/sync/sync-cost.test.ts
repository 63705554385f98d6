/** What the synchronisation costs where nothing goes wrong, and how far down a fork is looked for (GROUPS 7 and 9). */
import { expect, test } from "bun:test";

import type { SyncMessage } from "../../../../src/client/group/sync/group-link.ts";
import { seededRandom, testSeed } from "../../../seeded-random.ts";
import { addBody, testKey } from "../../../identity/group-keys.ts";
import { Network, storeDigest, type Member } from "./sync-network.ts";

/** As in the figures of the design: a text of 80 characters. */
const TEXT = "x".repeat(80);
/** Bytes a person and text, and bytes of 1,000 texts that were missed, by the design; twice as many are allowed. */
const BYTES_A_TEXT = 1_800;
const BYTES_OF_1000 = 378_000;

/** A group of so many, who have all joined and are all linked to the founder, with the feed of each. */
function groupOf(size: number, seed: number): { network: Network; feeds: Map<Member, string> } {
  const keys = Array.from({ length: size }, (_, index) => testKey(`persona${index}`));
  const network = new Network(seededRandom(seed), keys[0] as (typeof keys)[0]);
  const [founder] = network.members as [Member];
  const feeds = new Map([[founder, network.group]]);
  for (const key of keys.slice(1)) {
    const member = network.join(key);
    const { id } = founder.write(network.group, "c", "add", addBody(key));
    feeds.set(member, id);
    member.accept(id);
    network.link(founder, member);
  }
  network.time.pass(20_000);
  return { network, feeds };
}

/** Everybody has the same. */
function expectEqual(members: readonly Member[]): void {
  expect(new Set(members.map(storeDigest)).size).toBe(1);
}

test("a text to twenty people over few links costs each of them no more than twice what was computed", () => {
  const seed = testSeed();
  const { network, feeds } = groupOf(20, seed);
  const { members, random } = network;
  network.cutAll();
  // A ring, and random links up to four a person: about 46 in all.
  members.forEach((member, index) => network.link(member, members[(index + 1) % members.length] as Member));
  for (const member of members) {
    for (let tries = 0; member.wires.size < 4 && tries < 20; tries++) {
      const other = random.pick(members);
      if (other !== member && other.wires.size < 5) network.link(member, other);
    }
  }
  network.time.pass(15_000);
  let bytes = 0;
  network.watch = { sent: (_from, _to, _message, size) => void (bytes += size) };
  const texts = 6;
  for (let count = 0; count < texts; count++) {
    const author = random.pick(members);
    author.write(feeds.get(author) as string, "t", "text", { text: TEXT });
    network.time.pass(5_000);
    expectEqual(members);
  }
  expect(bytes / members.length / texts, `seed ${seed}`).toBeLessThan(2 * BYTES_A_TEXT);
});

test("a thousand missed texts come in few messages", () => {
  const { network, feeds } = groupOf(2, testSeed());
  const [ana, luis] = network.members as [Member, Member];
  network.cutAll();
  for (let count = 0; count < 1_000; count++) {
    ana.write(network.group, "t", "text", { text: TEXT });
    network.time.pass(1_500);
  }
  const sent: SyncMessage[] = [];
  let bytes = 0;
  network.watch = {
    sent: (_from, _to, message, size) => {
      sent.push(message);
      bytes += size;
    },
  };
  network.link(ana, luis);
  network.time.pass(20_000);
  expectEqual([ana, luis]);
  expect(luis.log.shown.length).toBe(1_000);
  expect(sent.filter(({ action }) => action === "group_entries").length).toBeLessThanOrEqual(6);
  expect(bytes).toBeLessThan(2 * BYTES_OF_1000);
  expect(feeds.size).toBe(2);
});

test("the lowest difference of a fork is found from 255, 256 and 257 numbers above it", () => {
  for (const length of [255, 256, 257]) {
    const { network, feeds } = groupOf(3, testSeed());
    const [ana, luis, eva] = network.members as [Member, Member, Member];
    const feed = feeds.get(luis) as string;
    luis.write(feed, "t", "text", { text: "común" });
    network.time.pass(5_000);
    network.cutAll();
    // A copy that writes without having heard of what the other one wrote.
    const twin = network.join(luis.key);
    twin.log.putBack(luis.log.copy());
    twin.start();
    for (let count = 0; count < length; count++) {
      luis.write(feed, "t", "text", { text: "una cosa" });
      twin.write(feed, "t", "text", { text: "otra" });
      network.time.pass(1_500);
    }
    network.link(ana, luis);
    network.link(eva, twin);
    network.time.pass(10_000);
    expect(ana.rows(feed, "t").length).toBe(length + 1);
    expect(eva.rows(feed, "t").length).toBe(length + 1);
    network.link(ana, eva);
    network.time.pass(20_000);
    expectEqual([ana, eva, luis, twin]);
    for (const { sync } of network.members) {
      expect(sync?.membership.terms.get(feed)).toMatchObject({ cutT: 1, isForked: true });
    }
  }
});
