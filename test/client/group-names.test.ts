import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";

import { groupNames, groupsNamed, type NamedGroup } from "../../src/client/group-names.ts";

const id = (word: string) => createHash("sha256").update(word).digest("base64url");
const group = (title: string, state: NamedGroup["state"] = "joined", word = title): NamedGroup => ({
  group: id(word),
  title,
  state,
});
const found = (typed: string, groups: readonly NamedGroup[]) =>
  groupsNamed(typed, groups).map((each) => each.title);
const named = (...groups: NamedGroup[]) => [...groupNames(groups).values()];
const letters = (each: NamedGroup, count = 6) => `#${each.group.slice(0, count)}`;

describe("a typed group", () => {
  const family = group("Mi Familia");
  const others = [family, group("Clase"), group("Ñandú"), group("#uno")];

  test.each([
    ["#Mi Familia", "Mi Familia"],
    ["Mi Familia", "Mi Familia"],
    ["#mi familia", "Mi Familia"],
    [" #  MI   FAMILIA ".trim(), "Mi Familia"],
    ["#Ñandú".normalize("NFD"), "Ñandú"],
    ["#uno", "#uno"],
    ["##uno", "#uno"],
    [letters(family, 4), "Mi Familia"],
    [`#${family.group}`, "Mi Familia"],
    [family.group, "Mi Familia"],
  ])("%p is found", (typed, title) => {
    expect(found(typed, others)).toEqual([title]);
  });

  test.each(["#", "", "#Familia", "#nandu", letters(family, 3), `#${family.group}x`, "#clase nueva"])(
    "%p is none",
    (typed) => {
      expect(found(typed, others)).toEqual([]);
    },
  );

  test("with the title of two groups is both, but for those that were not joined", () => {
    const [one, other] = [group("Clase", "joined", "1"), group("CLASE", "joined", "2")];
    expect(groupsNamed("#clase", [one, other])).toEqual([one, other]);
    const uninvited = { ...other, state: "invited" } as const;
    expect(groupsNamed("#clase", [one, uninvited])).toEqual([one]);
    expect(groupsNamed(letters(other), [one, uninvited])).toEqual([uninvited]);
  });

  test("whose title is the beginning of another one's id is both, and the whole id is the other one", () => {
    const one = group("Clase");
    const rival = group(one.group.slice(0, 6), "joined", "rival");
    expect(groupsNamed(letters(one), [one, rival])).toEqual([rival, one]);
    expect(groupsNamed(one.group, [one, { ...rival, title: one.group }])).toEqual([one]);
  });
});

describe("the name of a group", () => {
  test("is its title if nothing else has it", () => {
    expect(named(group("Mi Familia"), group("Clase"))).toEqual(["#Mi Familia", "#Clase"]);
    expect(named(group("👨‍👩‍👧 casa"))).toEqual(["#👨‍👩‍👧 casa"]);
  });

  test.each([
    ["Familia", "FAMILIA"],
    ["Familia", "Fаmilia"],
    ["Familia", "Fami1ia"],
    ["Familia", "Familia "],
    ["Familia", "Famíliа"],
    ["Familia", "Fam\u200bilia"],
  ])("is its id beside a group that looks like it: %p and %p", (one, other) => {
    const [first, second] = [group(one, "joined", "1"), group(other, "joined", "2")];
    expect(named(first, second)).toEqual([letters(first), letters(second)]);
    const invited = { ...second, state: "invited" } as const;
    expect(named(first, invited)).toEqual([`#${one}`, letters(invited)]);
  });

  test.each(["a\u001b[31mb", "a\nb", "\u202eba", "  ", "\u2800", " a", "a\u200bb"])(
    "is its id if its title cannot be typed: %p",
    (title) => {
      const odd = group(title);
      expect(named(odd)).toEqual([letters(odd)]);
    },
  );

  test("always means that group alone", () => {
    const one = group("Clase");
    const groups = [
      one,
      group("Clase", "invited", "2"),
      group("Clase", "left", "3"),
      group(one.group.slice(0, 6), "joined", "4"),
      group(one.group.slice(0, 7), "invited", "5"),
      group(one.group, "joined", "6"),
      { ...group("x", "joined", "7"), group: `${one.group.slice(0, 12)}${id("7").slice(12)}` },
    ];
    for (const [each, name] of groupNames(groups))
      expect(groupsNamed(name, groups).map((found) => found.group)).toEqual([each]);
  });
});
