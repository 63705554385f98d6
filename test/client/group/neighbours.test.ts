import { describe, expect, test } from "bun:test";

import { seededRandom } from "../../seeded-random.ts";
import {
  asked,
  MAX_ASKED,
  neighbours,
  NO_NEIGHBOURS,
  withinLimit,
  type Neighbourhood,
} from "../../../src/client/group/neighbours.ts";

const people = (count: number) => Array.from({ length: count }, (_, index) => `person ${index}`);

/** All of a group come online one after the other, and then choose again until nothing changes. */
function overlay(count: number, group: string, random: () => number): Map<string, Set<string>> {
  const all = people(count);
  const links = new Map(all.map((label) => [label, new Set<string>()]));
  const chosen = new Map<string, Neighbourhood>();
  const order = all.toSorted(() => random() - 0.5);
  for (let round = 0; round < 2; round++) {
    for (const own of order) {
      const online = all.filter((label) => label !== own);
      const linked = links.get(own) ?? new Set();
      const next = neighbours(
        chosen.get(own) ?? { ...NO_NEIGHBOURS, replacedAt: 0 },
        { group, own, online, linked },
        0,
        random,
      );
      chosen.set(own, next);
      for (const label of asked(next)) {
        links.get(own)?.add(label);
        links.get(label)?.add(own);
      }
    }
  }
  return links;
}

function hopsFrom(start: string, links: ReadonlyMap<string, ReadonlySet<string>>): number[] {
  const hops = new Map([[start, 0]]);
  for (const [label, distance] of hops)
    for (const other of links.get(label) ?? []) if (!hops.has(other)) hops.set(other, distance + 1);
  return [...hops.values()].slice(1);
}

const average = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

describe("the figures of the design", () => {
  test.each([
    [8, 18, 1.3, 100],
    [20, 46, 2.0, 50],
    [64, 149, 2.8, 20],
    [256, 595, 3.8, 3],
  ])("%i people: about %i links, %f hops", (count, links, hops, overlays) => {
    const random = seededRandom(count);
    const all = Array.from({ length: overlays }, (_, index) =>
      overlay(count, `group ${index}`, () => random.next()),
    );
    const counts = all.map((each) => average([...each.values()].map(({ size }) => size)) * (count / 2));
    const distances = all.map((each) => hopsFrom("person 0", each));
    // Everybody is reached.
    expect(new Set(distances.map(({ length }) => length))).toEqual(new Set([count - 1]));
    expect(average(counts)).toBeWithin(links * 0.85, links * 1.15);
    expect(average(distances.flat())).toBeWithin(hops - 0.25, hops + 0.25);
  });
});

/** All come online one after the other, and after each of them everybody chooses anew. A link is there while one side asks for it. */
function growing(count: number, random: () => number): Map<string, Set<string>> {
  const chosen = new Map<string, Neighbourhood>();
  const links = () => {
    const all = new Map([...chosen.keys()].map((label) => [label, new Set<string>()]));
    for (const [label, neighbourhood] of chosen) {
      for (const other of asked(neighbourhood)) {
        all.get(label)?.add(other);
        all.get(other)?.add(label);
      }
    }
    return all;
  };
  const choose = (own: string) => {
    const online = [...chosen.keys()].filter((label) => label !== own);
    const before = chosen.get(own) ?? { ...NO_NEIGHBOURS, replacedAt: 0 };
    const linked = links().get(own) ?? new Set();
    chosen.set(own, neighbours(before, { group: "g", own, online, linked }, 0, random));
  };
  for (const person of people(count)) {
    choose(person);
    for (const other of [...chosen.keys()].toSorted(() => random() - 0.5)) choose(other);
  }
  return links();
}

test.each([
  [20, 46, 2.0],
  [64, 149, 2.8],
])("%i people who come one after the other have about as many links: %i, %f hops", (count, links, hops) => {
  const random = seededRandom(count);
  const all = growing(count, () => random.next());
  const sizes = [...all.values()].map(({ size }) => size);
  expect(average(sizes) * (count / 2)).toBeWithin(links * 0.8, links * 1.25);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(3);
  const distances = hopsFrom("person 0", all);
  expect(distances).toHaveLength(count - 1);
  expect(average(distances)).toBeWithin(hops - 0.5, hops + 0.5);
});

const OTHERS = { group: "g", own: "ana", linked: new Set<string>() };
const HALF = () => 0.5;

test("with few others online there is a link to each", () => {
  const online = people(6);
  expect(new Set(asked(neighbours(NO_NEIGHBOURS, { ...OTHERS, online }, 0, HALF)))).toEqual(new Set(online));
  expect(asked(neighbours(NO_NEIGHBOURS, { ...OTHERS, online: people(7) }, 0, HALF))).toHaveLength(4);
});

test("links that came in count, and the next one in the ring is asked for in any case", () => {
  const online = people(20);
  const linked = new Set(["person 3", "person 4", "person 5", "person 6", "person 7"]);
  const chosen = neighbours(NO_NEIGHBOURS, { ...OTHERS, online, linked }, 0, HALF);
  expect(chosen.random).toEqual([]);
  expect(asked(chosen)).toHaveLength(1);
});

test("whoever is gone is replaced at once, and the others stay", () => {
  const before = neighbours({ ...NO_NEIGHBOURS, replacedAt: 0 }, { ...OTHERS, online: people(20) }, 0, HALF);
  const [gone, ...staying] = before.random;
  const online = people(20).filter((label) => label !== gone);
  const after = neighbours(before, { ...OTHERS, online, linked: new Set(staying) }, 1, HALF);
  expect(after.random).toEqual(expect.arrayContaining(staying));
  expect(after.random).toHaveLength(3);
  expect(after.random).not.toContain(gone);
});

test("one random link is replaced every ten minutes", () => {
  const online = people(20);
  const first = neighbours({ ...NO_NEIGHBOURS, replacedAt: 0 }, { ...OTHERS, online }, 0, HALF);
  const linked = new Set(asked(first));
  const soon = neighbours(first, { ...OTHERS, online, linked }, 599_999, HALF);
  expect(soon.random).toEqual(first.random);
  const later = neighbours(soon, { ...OTHERS, online, linked }, 600_000, HALF);
  expect(first.random.filter((label) => !later.random.includes(label))).toHaveLength(1);
  expect(later.random).toHaveLength(3);
  const atOnce = neighbours(later, { ...OTHERS, online, linked: new Set(asked(later)) }, 600_001, HALF);
  expect(atOnce.random).toEqual(later.random);
});

test("at most sixteen people are asked over all groups, those of the first group first", () => {
  const chosen = withinLimit([people(10), ["person 3", "x1"], people(30)]);
  expect(chosen.size).toBe(MAX_ASKED);
  expect(chosen.has("x1")).toBe(true);
});
