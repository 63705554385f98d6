import { describe, expect, test } from "bun:test";

import { MAX_WATCH_ENTRIES, Presence, SHORT_LIST } from "../../../src/server/presence/presence.ts";
import { CHUNK, type Member } from "../../../src/server/presence/sorted-members.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const member = (fold: string): Member => ({ fold });

test("only the watchers of a name are notified when it comes and goes", () => {
  const presence = new Presence<Member>();
  const [ana, beto, carla] = [member("ana"), member("beto"), member("carla")];
  for (const each of [ana, beto]) expect(presence.enter(each)).toEqual([]);
  expect(presence.watch(ana, ["carla", "beto", "beto"])).toEqual([beto]);
  expect(presence.enter(carla)).toEqual([ana]);
  expect(presence.leave(carla)).toEqual([ana]);
  expect(presence.leave(carla)).toEqual([]);
  presence.watch(ana, []);
  expect(presence.enter(carla)).toEqual([]);
});

test("a session that replaces an older one is not announced, and the older one no longer watches", () => {
  const presence = new Presence<Member>();
  const [ana, older, newer] = [member("ana"), member("beto"), member("beto")];
  presence.enter(ana);
  presence.enter(older);
  presence.watch(ana, ["beto"]);
  presence.watch(older, ["ana"]);
  expect(presence.enter(newer)).toEqual([]);
  expect(presence.find("beto")).toBe(newer);
  expect(presence.has(older)).toBe(false);
  expect(presence.leave(older)).toEqual([]);
  expect(presence.find("beto")).toBe(newer);
  expect(presence.leave(ana)).toEqual([]);
  expect(presence.size).toBe(1);
});

test("beyond the limit of watched names a long list is refused and changes nothing; short lists and freed entries are allowed", () => {
  const presence = new Presence<Member>();
  const [ana, beto] = [member("ana"), member("beto")];
  for (const each of [ana, beto]) presence.enter(each);
  const names = (count: number, of: string) => Array.from({ length: count }, (_, index) => `${of} ${index}`);
  const most = names(MAX_WATCH_ENTRIES - SHORT_LIST, "name");
  expect(presence.watch(ana, most)).toEqual([]);
  expect(presence.watch(beto, ["ana", ...names(SHORT_LIST - 1, "other")])).toEqual([ana]);
  expect(presence.watch(beto, names(SHORT_LIST + 1, "other"))).toBeUndefined();
  expect(presence.leave(ana)).toEqual([beto]);
  presence.enter(ana);
  expect(presence.watch(beto, names(SHORT_LIST + 1, "other"))).toEqual([]);
  expect(presence.watch(ana, most)).toBeUndefined();
  // A new list replaces the watcher's own.
  expect(presence.watch(beto, most)).toEqual([]);
});

describe("pages", () => {
  test("equal the sorted and filtered list of all users online, after any change", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const presence = new Presence<Member>();
    const model = new Map<string, Member>();
    const names = ["", "a", "ab", "abc", "abd", "b", "ba", "ñ", "ñu", "z", "zz", "zzz"];
    for (let step = 0; step < 3_000; step++) {
      const each = member(random.pick(names.slice(1)) + random.pick(names));
      const known = model.get(each.fold);
      if (random.integer(2) === 0) {
        presence.enter(each);
        model.set(each.fold, each);
      } else if (known !== undefined) {
        presence.leave(known);
        model.delete(each.fold);
      }
      const [prefix, after] = [random.pick(names), random.pick(names)];
      const expected = [...model.keys()].sort().filter((fold) => fold.startsWith(prefix) && fold > after);
      const page = [...presence.page(prefix, after)].map(({ fold }) => fold);
      expect({ seed, page }).toEqual({ seed, page: expected });
    }
  });
});

test("a list of many chunks grows, is replaced, paged and emptied in any order", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const presence = new Presence<Member>();
  const folds = Array.from({ length: 4 * CHUNK }, (_, index) => String(index).padStart(5, "0"));
  const paged = (after: string) => [...presence.page("", after)].map(({ fold }) => fold);
  const shuffled = () =>
    folds
      .map((fold) => ({ fold, place: random.next() }))
      .sort((one, other) => one.place - other.place)
      .map(({ fold }) => fold);
  for (const fold of shuffled()) presence.enter(member(fold));
  for (const fold of folds.slice(0, CHUNK)) presence.enter(member(fold));
  expect({ seed, page: paged("") }).toEqual({ seed, page: folds });
  for (const after of [0, CHUNK - 1, CHUNK, 3 * CHUNK].map((index) => folds[index] as string)) {
    expect(paged(after)).toEqual(folds.filter((fold) => fold > after));
  }
  const kept = new Set(folds);
  for (const fold of shuffled()) {
    presence.leave(presence.find(fold) as Member);
    kept.delete(fold);
    if (kept.size % CHUNK !== 7) continue;
    expect({ seed, left: presence.all().map((each) => each.fold) }).toEqual({ seed, left: [...kept] });
  }
  expect(paged("")).toEqual([]);
});

test("the version changes only when a user comes, goes or is replaced", () => {
  const presence = new Presence<{ fold: string }>();
  const versions = [presence.version];
  const changed = (change: () => void) => {
    change();
    versions.push(presence.version);
  };
  const [first, second] = [{ fold: "ana" }, { fold: "ana" }];
  changed(() => presence.enter(first));
  changed(() => presence.enter(second));
  changed(() => presence.leave(second));
  expect(new Set(versions).size).toBe(4);
  changed(() => presence.leave(first));
  changed(() => presence.watch(second, ["ana"]));
  expect(new Set(versions).size).toBe(4);
});
