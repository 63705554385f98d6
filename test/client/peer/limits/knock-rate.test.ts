import { expect, test } from "bun:test";

import { KnockRate, KNOCKS } from "../../../../src/client/peer/limits/knock-rate.ts";

/** How many handshakes of these networks may begin, one of each after the other, again and again. */
function begun(
  rate: KnockRate,
  networks: readonly string[],
  now: number,
  from: "contact" | "stranger" = "stranger",
) {
  const knocks = Array.from({ length: 2_000 }, (_, index) => networks[index % networks.length] as string);
  return knocks.filter((network) => rate.take(network, from, now)).length;
}

const { all, network: one } = KNOCKS.stranger;
const networks = Array.from({ length: 500 }, (_, index) => `127.${index >> 8}.${index & 255}.1`);

test("of one network, and of all strangers together, so many handshakes begin at once, and then a few a second", () => {
  const rate = new KnockRate();
  expect(begun(rate, ["127.9.9.9"], 0)).toBe(one.burst);
  expect(begun(rate, networks, 0)).toBe(all.burst - one.burst);
  expect(begun(rate, ["127.9.9.9"], 1_000)).toBe(one.perSecond);
  expect(begun(rate, networks, 1_000)).toBe(all.perSecond - one.perSecond);
});

test("strangers take nothing from the networks of contacts", () => {
  const rate = new KnockRate();
  begun(rate, networks, 0);
  expect(begun(rate, ["127.8.8.8"], 0, "contact")).toBe(KNOCKS.contact.network.burst);
});

test("a network of strangers that becomes one of contacts comes in as such", () => {
  const rate = new KnockRate();
  rate.shutOut("127.8.8.8", 0);
  expect(begun(rate, ["127.8.8.8"], 0)).toBe(0);
  expect(begun(rate, ["127.8.8.8"], 0, "contact")).toBe(KNOCKS.contact.network.burst);
});

test("over hours, with new networks all the time, only those of the last minute count", () => {
  const rate = new KnockRate();
  for (let second = 0; second < 100; second++) {
    const fresh = Array.from({ length: 100 }, (_, index) => `10.${second}.${index}.1`);
    expect(begun(rate, fresh, second * 1_000)).toBe(second === 0 ? all.burst : all.perSecond);
  }
});

test("a network from which one was flooded is shut out for a minute, and takes nothing from the others", () => {
  const rate = new KnockRate();
  rate.shutOut("127.9.9.9", 0);
  expect(begun(rate, ["127.9.9.9"], 60_000)).toBe(0);
  expect(begun(rate, ["127.7.7.7"], 60_000)).toBe(one.burst);
  expect(begun(rate, ["127.9.9.9"], 61_000)).toBe(one.perSecond);
});
