import { describe, expect, test } from "bun:test";

import { showFingerprint } from "../../../src/identity/fingerprint.ts";
import { COMMAND_NAMES, FLAGS } from "../../../src/ui/config.ts";
import { helpText } from "../../../src/ui/help.ts";
import { textsIn, type Texts } from "../../../src/ui/texts/texts.ts";

/** The width that every terminal has, in columns. */
const WIDTH = 80;

const spanish = textsIn("es");
const english = textsIn("en");
const names = Object.keys(spanish) as (keyof Texts)[];

/** A text with every value replaced by a word that can be found in it. */
function filled(text: Texts[keyof Texts]): string {
  if (typeof text === "string") return text;
  const gaps = Array.from({ length: text.length }, (_, index) => `gap${index}`);
  return (text as (...values: string[]) => string)(...gaps);
}

function gapsIn(text: string): string[] {
  return [...new Set(text.match(/gap\d/g))].sort();
}

describe("every text", () => {
  test.each(names)("%s says the same in both languages", (name) => {
    const [es, en] = [filled(spanish[name]), filled(english[name])];
    expect(es.trim()).not.toBe("");
    expect(en.trim()).not.toBe("");
    expect(gapsIn(es)).toEqual(gapsIn(en));
    expect(es).not.toMatch(/undefined|null|\[object/);
  });

  test("of one language is not the other's", () => {
    // Texts that are the same in both languages.
    const same = new Set<keyof Texts>(["lockOwner", "signNo", "noWords"]);
    const equal = names.filter((name) => filled(spanish[name]) === filled(english[name]) && !same.has(name));
    expect(equal).toEqual([]);
  });
});

test.each([spanish, english])("a fingerprint has a line of its own, which fits a terminal", (texts) => {
  const [one, other] = [showFingerprint("ab".repeat(32)), showFingerprint("cd".repeat(32))];
  for (const text of [
    texts.firstContact("localhost", one),
    texts.changedAuthority("localhost", one, other),
    texts.serverChanged("localhost", one, other),
    texts.serverUnconfirmed("localhost", "ab".repeat(32)),
  ]) {
    const lines = text.split("\n").filter((line) => /(ab|cd){2}/.test(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toMatch(/^[ abcd]+$/);
      expect(line.length).toBeLessThanOrEqual(WIDTH);
    }
  }
});

describe.each([
  ["es", helpText("es")],
  ["en", helpText("en")],
])("the help in %s", (_language, help) => {
  test("fits a terminal", () => {
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(WIDTH);
  });

  test("names every command and every flag", () => {
    for (const command of COMMAND_NAMES) expect(help).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
    for (const flag of FLAGS) expect(help).toMatch(new RegExp(`^ {2}--${flag}\\b`, "m"));
    expect(help).toContain("PALOMA_PASSWORD");
  });
});
