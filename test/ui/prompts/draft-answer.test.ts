import { describe, expect, test } from "bun:test";

import {
  draftFor,
  press,
  refused,
  withoutTyped,
  type DraftAnswer,
} from "../../../src/ui/prompts/draft-answer.ts";
import { editedText, type Choice, type Prompt } from "../../../src/ui/prompts/prompt.ts";
import type { TypedKey } from "../../../src/ui/terminal/key-queue.ts";

const ENTER: TypedKey = { typed: "\r", key: { name: "return" } };
const DOWN: TypedKey = { typed: undefined, key: { name: "down" } };
const BACKSPACE: TypedKey = { typed: "\u007f", key: { name: "backspace" } };
const CTRL_U: TypedKey = { typed: "\u0015", key: { name: "u", ctrl: true } };

function choices(...names: readonly string[]): Choice[] {
  return names.map((name) => ({ value: name, name }));
}

function menu(...names: readonly string[]): Prompt {
  return { name: "select", message: "Who?", choices: choices(...names), keys: "" };
}

function people(...names: readonly string[]): Prompt {
  const fixed = [
    { value: " write", name: "Write to someone…" },
    { value: "", name: "← Back" },
  ];
  return { name: "search", message: "Who?", choices: choices(...names), fixed, keys: "" };
}

const name: Prompt = { name: "input", message: "Name:", offered: "ana" };

function letters(text: string): TypedKey[] {
  return [...text].map((typed) => ({ typed, key: { name: typed, sequence: typed } }));
}

/** Presses keys one after the other. @returns the effect of the last one; `typed` is set as a search would */
function pressAll(draft: DraftAnswer, keys: readonly TypedKey[], isLast = true) {
  return keys.map((key, index) => press(draft, key, isLast && index === keys.length - 1)).at(-1);
}

/** A search after these letters, with this choice marked. */
function searched(typed: string, marked: string): DraftAnswer {
  return { ...draftFor(people("ana", "benito"), undefined), typed, marked };
}

describe("in a menu", () => {
  test("letters and numbers mark a choice, which Enter chooses", () => {
    const draft = draftFor(menu("ana", "Benito", "Back"), undefined);
    expect(pressAll(draft, letters("b"))).toBe("redraw");
    expect(draft.marked).toBe("Benito");
    expect(pressAll(draft, letters("e"))).toBe("ignore");
    expect(pressAll(draft, [ENTER])).toBe("pass");
    expect(pressAll(draft, [CTRL_U, ...letters("3")])).toBe("redraw");
    expect(draft.marked).toBe("Back");
    // A number counts even if keys follow its Enter; letters do not.
    expect(pressAll(draft, [ENTER], false)).toBe("pass");
    expect(pressAll(draft, [BACKSPACE, ...letters("ana"), ENTER], false)).toBe("refuse");
  });

  test("an Enter after letters that match no choice is refused", () => {
    for (const typed of ["hello", "ana no", "4", "13", " ana", "  "]) {
      const draft = draftFor(menu("ana", "benito"), undefined);
      expect(pressAll(draft, [...letters(typed), ENTER])).toBe("refuse");
    }
  });

  test("an arrow key drops what was typed", () => {
    const draft = draftFor(menu("ana", "benito"), undefined);
    expect(pressAll(draft, [...letters("hello"), DOWN])).toBe("pass");
    expect(pressAll(draft, [ENTER], false)).toBe("pass");
  });
});

describe("in a search", () => {
  test("an Enter as the last key chooses the person found", () => {
    expect(press(searched("be", "benito"), ENTER, true)).toBe("pass");
    expect(press(searched("be", "benito"), ENTER, false)).toBe("refuse");
    expect(press(searched("back", ""), ENTER, true)).toBe("pass");
    expect(press(searched("write to", ""), ENTER, true)).toBe("pass");
    expect(press(searched("nobody", ""), ENTER, true)).toBe("refuse");
    expect(press(searched(" ", "ana"), ENTER, true)).toBe("refuse");
  });

  test("an arrow key decides, until the next letter", () => {
    const draft = searched("nobody", "");
    expect(pressAll(draft, [DOWN, ENTER])).toBe("pass");
    expect(pressAll(draft, [...letters("x"), ENTER])).toBe("refuse");
  });
});

describe("after a refused Enter", () => {
  test.each([
    ["a menu", menu("ana", "benito")],
    ["a search", people("ana", "benito")],
  ])(
    "%s forgets what was typed, and an Enter alone chooses nothing until an arrow key does",
    (_what, prompt) => {
      const draft = refused({ ...draftFor(prompt, undefined), typed: "hello", marked: "ana" });
      expect(draft).toMatchObject({ typed: "", aim: "refused" });
      expect(press(draft, ENTER, true)).toBe("refuse");
      expect(press(refused(draft), ENTER, true)).toBe("refuse");
      expect(pressAll(draft, [DOWN, ENTER])).toBe("pass");
    },
  );

  test("a prompt that asks the same again is as cautious", () => {
    const draft = draftFor(menu("ana", "benito"), refused(draftFor(menu("ana", "benito"), undefined)));
    expect(press(draft, ENTER, true)).toBe("refuse");
  });
});

describe("the next prompt", () => {
  const marked = { ...draftFor(menu("ana", "benito"), undefined), marked: "benito", typed: "b" };

  test("keeps what was marked and typed if it asks the same, also in other words with more choices", () => {
    expect(draftFor(menu("ana", "benito"), marked)).toMatchObject({ marked: "benito", typed: "b" });
    const longer: Prompt = { ...menu("ana", "benito", "carla"), message: "And now?" };
    expect(draftFor(longer, marked)).toMatchObject({ marked: "benito", typed: "b" });
  });

  test("keeps nothing if it asks something else", () => {
    const other: Prompt = { ...menu("ana", "carla"), message: "And now?" };
    expect(draftFor(other, marked)).toMatchObject({ marked: undefined, typed: "" });
    expect(draftFor(people("ana", "benito"), marked)).toMatchObject({ marked: undefined, typed: "" });
    expect(draftFor(name, marked).typed).toBe("");
  });

  test("does not keep a mark that letters found", () => {
    expect(withoutTyped(searched("be", "benito")).marked).toBeUndefined();
    expect(withoutTyped(searched("", "benito")).marked).toBe("benito");
  });
});

test("what is begun stands in the line, also when the same is asked again", () => {
  const begun: Prompt = { ...name, begun: "an a" };
  expect(draftFor(begun, undefined).typed).toBe("an a");
  expect(draftFor(begun, withoutTyped(draftFor(name, undefined))).typed).toBe("an a");
  expect(draftFor(begun, { ...draftFor(name, undefined), typed: "ana" }).typed).toBe("ana");
});

test("Backspace in an empty answer keeps the offered one", () => {
  const draft = draftFor(name, undefined);
  expect(press(draft, BACKSPACE, true)).toBe("ignore");
  draft.typed = "x";
  expect(press(draft, BACKSPACE, true)).toBe("pass");
});

test("a typed text takes characters, loses whole graphemes, and knows no control characters", () => {
  const typed = letters("aé👩‍👩‍👧").reduce(editedText, "");
  expect(typed).toBe("aé👩‍👩‍👧");
  expect(editedText(typed, BACKSPACE)).toBe("aé");
  expect(editedText(typed, CTRL_U)).toBe("");
  expect(editedText("a", { typed: "\u001c", key: {} })).toBe("a");
  expect(editedText("a", DOWN)).toBe("a");
  expect(editedText("x".repeat(4_096), { typed: "y", key: {} })).toHaveLength(4_096);
});
