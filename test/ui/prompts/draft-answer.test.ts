import { describe, expect, test } from "bun:test";

import {
  answerOf,
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

/** A menu whose last choice takes what fits no other. */
function taking(...names: readonly string[]): Prompt {
  return { ...menu(...names), takes: names.at(-1) } as Prompt;
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
    // What is typed is shown.
    expect(pressAll(draft, letters("e"))).toBe("redraw");
    expect(draft.typed).toBe("be");
    expect(press(draft, { typed: undefined, key: { name: "f5" } }, true)).toBe("ignore");
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

  test("an arrow key drops what was typed, and marks the next choice", () => {
    const draft = draftFor(menu("ana", "benito"), undefined);
    expect(pressAll(draft, [...letters("hello"), DOWN])).toBe("redraw");
    expect(draft).toMatchObject({ typed: "", marked: "benito" });
    expect(pressAll(draft, [ENTER], false)).toBe("pass");
  });

  test("a text that fits no choice marks the one that takes it, and goes with it", () => {
    const draft = draftFor(taking("ana", "Write"), undefined);
    expect(pressAll(draft, letters("zoe "))).toBe("redraw");
    expect(draft.marked).toBe("Write");
    expect(press(draft, ENTER, true)).toBe("pass");
    expect(answerOf(draft, "Write")).toEqual({ name: "answered", value: "Write", typed: "zoe" });
    expect(press(draft, ENTER, false)).toBe("refuse");
    for (const typed of ["7", "  "]) {
      expect(pressAll(draftFor(draft.prompt, undefined), [...letters(typed), ENTER])).toBe("refuse");
    }
    const named = draftFor(draft.prompt, undefined);
    expect(pressAll(named, [...letters("wri"), ENTER])).toBe("pass");
    expect(answerOf(named, "Write")).toEqual({ name: "answered", value: "Write" });
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

  test("a text that nobody fits goes with the choice that takes it", () => {
    const prompt = { ...people("ana", "benito"), takes: " write" } as Prompt;
    const draft = { ...searched("zoe", ""), prompt };
    expect(press(draft, ENTER, true)).toBe("pass");
    expect(answerOf(draft, " write")).toEqual({ name: "answered", value: " write", typed: "zoe" });
    expect(answerOf({ ...draft, typed: "nit" }, " write")).not.toHaveProperty("typed");
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
  ])("%s forgets what was typed, says it, and begins afresh with the next key", (_what, prompt) => {
    const again = () => refused({ ...draftFor(prompt, undefined), typed: "hello" });
    expect(again()).toMatchObject({ typed: "", aim: { name: "refused", typed: "hello" } });
    const draft = draftFor(prompt, undefined);
    pressAll(draft, [DOWN]);
    draft.marked = "benito";
    pressAll(draft, letters("x"));
    draft.typed = "x";
    expect(refused(draft).marked).toBe("benito");
    expect(press(again(), ENTER, true)).toBe("pass");
    // The screen that says it is drawn anew.
    const pointed = again();
    expect(press(pointed, DOWN, true)).toBe("redraw");
    expect(pointed).toMatchObject({ marked: "benito", typed: "" });
    const typed = again();
    expect(pressAll(typed, letters("b"))).toBe("redraw");
    expect(typed).toMatchObject({ typed: "b", aim: { name: "none" } });
    expect(press(typed, ENTER, true)).toBe("pass");
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

  test("marks its own choice as long as the person has marked none", () => {
    const untouched = draftFor(menu("Write", "Back"), undefined);
    expect(draftFor(menu("zoe", "Write", "Back"), untouched).marked).toBeUndefined();
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

test("what nobody would see is not typed, but for the parts of an emoji and of a password", () => {
  const draft = draftFor(name, undefined);
  for (const typed of ["\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\u2028", "\u200d"]) {
    expect(pressAll(draft, letters(typed))).toBe("ignore");
    expect(pressAll(draftFor(people("ana"), undefined), letters(typed))).toBe("ignore");
    expect(pressAll(draftFor({ name: "password", message: "" }, undefined), letters(typed))).toBe("pass");
  }
  for (const [before, typed] of [
    ["👩", "\u200d"],
    ["❤", "\ufe0f"],
    ["👩🏽", "\u200d"],
    ["❤\ufe0f", "\u200d"],
  ] as const) {
    draft.typed = before;
    expect(pressAll(draft, letters(typed))).toBe("pass");
  }
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
