import { expect, test } from "bun:test";

import type { NamedGroup } from "../../../src/client/group-names.ts";
import { theGroup } from "../../../src/ui/commands/user-argument.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const group = (letter: string, title: string): NamedGroup => ({
  group: letter.repeat(43),
  title,
  state: "joined",
});
const groups = [group("a", "Clase"), group("b", "CLASE"), group("c", "Mi\u202e Familia")];
const meant = (typed: string) => theGroup(typed, groups, textsIn("en")).group[0];

test("a group is meant by its title or the first letters of its id", () => {
  expect(meant("#cccc")).toBe("c");
  expect(meant("aaaa")).toBe("a");
});

test("of several groups the choices are named, and a group that is not there is named as it was typed", () => {
  expect(() => meant("#clase")).toThrow("Several groups are called “#clase”: choose #aaaaaa and #bbbbbb.");
  expect(() => meant("#Cla\u001b[2Jse")).toThrow("There is no group “#Cla␛[2Jse”.");
});
