import { describe, expect, test } from "bun:test";

import { ESCAPE, KeySequences, MODIFIED_ENTER } from "../../../src/ui/terminal/key-sequences.ts";
import { FOCUS, KEY, MODIFIED_ENTERS, NO_KEYS } from "../../integration/keys.ts";

/** What becomes of the reads, and of what waits behind them. */
function keysOf(reads: readonly (string | Uint8Array)[]): string[] {
  const keys = new KeySequences();
  return [...reads.flatMap((read) => keys.push(Buffer.from(read as string)).keys), ...keys.expire()];
}

/** All ways to split the bytes into two reads, and one read for each byte. */
function splits(text: string): Uint8Array[][] {
  const bytes = Buffer.from(text);
  const halves = Array.from({ length: bytes.length + 1 }, (_, at) => [
    bytes.subarray(0, at),
    bytes.subarray(at),
  ]);
  return [...halves, Array.from(bytes, (byte) => Buffer.of(byte))];
}

const ESC = KEY.escape;

describe("a sequence that is no key becomes nothing, however it is split", () => {
  test.each(Object.entries(NO_KEYS))("%s", (_name, sequence) => {
    for (const reads of sequence.length > 1_000 ? [[sequence]] : splits(`a${sequence}ñ`))
      expect(keysOf(reads).join("")).toBe(sequence.length > 1_000 ? "" : "añ");
  });
});

describe("a key stays what it is, however it is split", () => {
  const known = [
    ...Object.values(KEY).filter((key) => key.length > 1),
    ...[
      "[1;5D",
      "[1;3C",
      "OA",
      "OP",
      "[3~",
      "[3;5~",
      "[Z",
      "[[A",
      "[15~",
      "[3$",
      "b",
      "😀",
      "\x7f",
      "\r",
    ].map((rest) => ESC + rest),
  ];
  test.each(known.map((key) => [JSON.stringify(key), key]))("%s", (_name, key) => {
    for (const reads of splits(`a${key}ñ`)) expect(keysOf(reads)).toEqual(["a", key, "ñ"]);
  });

  test("a paste is passed on whole, with what stands in it", () => {
    const paste = `${ESC}[200~uno${ESC}[?1;2c\ndos \u009b1m ${ESC}[20${ESC}[201~`;
    for (const reads of splits(`a${paste}ñ`)) expect(keysOf(reads).join("")).toBe(`a${paste}ñ`);
  });

  test("Enter with a modifier is a line break", () => {
    for (const enter of MODIFIED_ENTERS)
      for (const reads of splits(`a${enter}ñ`)) expect(keysOf(reads)).toEqual(["a", MODIFIED_ENTER, "ñ"]);
  });
});

describe("a report of the focus is told apart from keys, however it is split", () => {
  test.each(Object.entries(FOCUS))("%s", (_name, report) => {
    for (const reads of splits(`a${report}ñ`)) expect(keysOf(reads)).toEqual(["a", report, "ñ"]);
  });

  test("behind an Escape, which is a key of its own at once", () => {
    for (const reads of splits(`${ESC}${FOCUS.out}${ESC}${ESC}${FOCUS.in}x`))
      expect(keysOf(reads)).toEqual([ESC, FOCUS.out, ESC, ESC, FOCUS.in, "x"]);
    const keys = new KeySequences();
    expect(keys.push(Buffer.from(ESC)).keys).toEqual([]);
    expect(keys.push(Buffer.from(FOCUS.out)).keys).toEqual([ESC, FOCUS.out]);
  });

  test("as single characters, between sequences and several at once", () => {
    const all = `\u009bI${ESC}[1;5D${FOCUS.out}${FOCUS.in}${ESC}[?1;2c`;
    for (const reads of splits(all))
      expect(keysOf(reads)).toEqual([FOCUS.in, `${ESC}[1;5D`, FOCUS.out, FOCUS.in]);
  });
});

test("Escape alone is that key when nothing follows", () => {
  expect(keysOf(["a", ESC])).toEqual(["a", ESCAPE]);
});

test("a sequence that never ends is dropped, and what is typed afterwards is not", () => {
  for (const begun of ["[", "[?1;", "]11;rgb:", "P>|", "O"]) {
    const keys = new KeySequences();
    expect(keys.push(Buffer.from(ESC + begun)).keys).toEqual([]);
    expect(keys.isWaiting).toBe(true);
    expect(keys.expire()).toEqual([]);
    expect(keys.push(Buffer.from("hola")).keys.join("")).toBe("hola");
  }
});

test("bytes that are no UTF-8 become no text, and a typed U+FFFD does", () => {
  const keys = new KeySequences();
  expect(keys.push(Buffer.of(0x61, 0xf1, 0x62))).toEqual({ keys: ["a", "b"], isValid: false });
  expect(keys.push(Buffer.from("\ufffd"))).toEqual({ keys: ["\ufffd"], isValid: true });
});

test("what breaks a sequence is read for itself, and what stands before it becomes nothing", () => {
  for (const begun of ["[?1", "[-?2", "[M", "[M !", "[[", "O1;"])
    for (const reads of splits(`a${ESC}${begun}${ESC}[Dñ`))
      expect(keysOf(reads)).toEqual(["a", `${ESC}[D`, "ñ"]);
  for (const reads of splits(`a${ESC}[-?2\rñ`)) expect(keysOf(reads)).toEqual(["a", "\r", "ñ"]);
});

test("a character that is cut by two reads arrives whole, also beside bytes that are no UTF-8", () => {
  const bytes = Buffer.from([0xff, 0xc3, 0xb1, 0xf0, 0x9f, 0x98, 0x80, 0xfe, 0xe6, 0x97, 0xa5, 0xc3, 0x61]);
  for (let at = 0; at <= bytes.length; at++)
    expect(keysOf([bytes.subarray(0, at), bytes.subarray(at)]).join("")).toBe("ñ😀日a");
});

test("what waits for its rest is given back, with the bytes of a character that was begun", () => {
  const keys = new KeySequences();
  keys.push(Buffer.from([0x1b, 0x5b, 0xf0, 0x9f]));
  expect(keys.takeHeld()).toEqual(Buffer.from([0x1b, 0x5b, 0xf0, 0x9f]));
  expect(keys.push(Buffer.from("a")).keys).toEqual(["a"]);
});
