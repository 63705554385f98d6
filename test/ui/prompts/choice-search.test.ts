import { expect, test } from "bun:test";

import {
  begins,
  begunChoice,
  choiceRow,
  offeredChoices,
  searchChoices,
  typedChoice,
} from "../../../src/ui/prompts/choice-search.ts";
import type { Choice } from "../../../src/ui/prompts/prompt.ts";

function choice(name: string, note?: string): Choice {
  return note === undefined ? { value: name, name } : { value: name, name, note };
}

const people = [
  choice("carla", "(no está en línea)"),
  choice("Ángela", "(1 nuevo)"),
  choice("angelito"),
  choice("ana", "(no está en línea)"),
];

function found(typed: string): readonly string[] {
  return searchChoices(people, typed).map(({ name }) => name);
}

test("names that begin with the typed text come before names that only contain it, whatever the case and the accents", () => {
  expect(found("ANGE")).toEqual(["Ángela", "angelito"]);
  expect(found("á")).toEqual(["Ángela", "angelito", "ana", "carla"]);
  expect(found("la")).toEqual(["carla", "Ángela"]);
  expect(found(" ")).toHaveLength(4);
});

test("the note of a choice is shown and not searched", () => {
  expect(people.map(choiceRow)).toEqual([
    "carla (no está en línea)",
    "Ángela (1 nuevo)",
    "angelito",
    "ana (no está en línea)",
  ]);
  expect(choiceRow({ value: "", name: "ana", note: "(1 nuevo)", aside: "hace 2 h" })).toBe(
    "ana (1 nuevo) · hace 2 h",
  );
  expect(found("línea")).toEqual([]);
  expect(found("nuevo")).toEqual([]);
  expect(typedChoice(people, "ana")?.value).toBe("ana");
});

test("a fixed entry stands first only if what is typed begins it and finds nobody", () => {
  const fixed = [choice("Escribir a alguien…"), choice("← Volver")];
  const offered = (typed: string) =>
    offeredChoices({ name: "search", message: "", keys: "", choices: people, fixed }, typed).map(
      ({ name }) => name,
    );
  expect(offered("")).toHaveLength(6);
  expect(offered("").at(-1)).toBe("← Volver");
  expect(offered("volv")).toEqual(["← Volver", "Escribir a alguien…"]);
  expect(offered("e")).toEqual(["Ángela", "angelito", "Escribir a alguien…", "← Volver"]);
});

test("a number means its row, and a name that two choices share means neither", () => {
  expect(typedChoice(people, "2")?.value).toBe("Ángela");
  expect(typedChoice(people, "5")).toBeUndefined();
  expect(typedChoice([choice("ana"), { value: "other", name: "Ana" }], "ana")).toBeUndefined();
});

test.each([
  ["AN", "Ángela"],
  ["angeli", "angelito"],
  ["ana ", "ana"],
  ["4", "ana"],
  ["5", undefined],
  ["12", undefined],
  ["la", undefined],
  ["ana que tal", undefined],
  [" ana", undefined],
  [" ", undefined],
  ["", undefined],
])("«%s» begins %p", (typed, name) => {
  expect(begunChoice(people, typed)?.name).toBe(name);
});

test("the way back is found without its arrow; other names keep theirs", () => {
  const list = [...people, choice("← Volver")];
  expect(begunChoice(list, "vol")?.name).toBe("← Volver");
  expect(typedChoice(list, "volver")?.name).toBe("← Volver");
  expect(begins(choice("←Volver"), "volver")).toBe(false);
});
