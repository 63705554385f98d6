import { describe, expect, test } from "bun:test";

import { ESCAPE, KeySequences, MODIFIED_ENTER } from "../../../src/ui/terminal/key-sequences.ts";
import { KEY } from "../../integration/keys.ts";

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

const ESC = "\x1b";
const NO_KEYS = {
  "a mouse report": `${ESC}[<0;35;12M`,
  "a mouse report of the oldest form": `${ESC}[M !!`,
  "device attributes": `${ESC}[?64;1;2;6;9;15;18;21;22c`,
  "secondary device attributes": `${ESC}[>41;354;0c`,
  "a cursor position": `${ESC}[24;80R`,
  "a terminal status": `${ESC}[0n`,
  "a mode report (DECRPM)": `${ESC}[?2026;2$y`,
  "a focus report": `${ESC}[I`,
  "a letter in CSI-u": `${ESC}[97;5u`,
  "a letter of modifyOtherKeys": `${ESC}[27;5;97~`,
  "a key with a modifier of two digits": `${ESC}[1;10C`,
  "an unknown function key": `${ESC}[57~`,
  "a colour report ended by BEL": `${ESC}]11;rgb:1e1e/1e1e/2e2e\x07`,
  "a colour report ended by ST": `${ESC}]4;1;rgb:cccc/0000/0000${ESC}\\`,
  "a clipboard report": `${ESC}]52;c;ZXhpdA==\x07`,
  "a terminal's name (DCS)": `${ESC}P>|xterm(354)${ESC}\\`,
  "an answer to a graphics query (APC)": `${ESC}_Gi=1;OK${ESC}\\`,
  "a private message": `${ESC}^exit${ESC}\\`,
  "a key of the numeric keypad in application mode": `${ESC}Oj`,
  "the same with single introducers": "\u009b?1;2c\u009d11;rgb:0/0/0\u0007\u0090x\u009c",
  "a string longer than what is kept": `${ESC}]52;c;${"QUJD".repeat(5_000)}\x07`,
};

describe("a sequence that is no key becomes nothing, however it is split", () => {
  test.each(Object.entries(NO_KEYS))("%s", (_name, sequence) => {
    for (const reads of sequence.length > 1_000 ? [[sequence]] : splits(`a${sequence}ñ`))
      expect(keysOf(reads).join("")).toBe(sequence.length > 1_000 ? "" : "añ");
  });
});

describe("a key stays what it is, however it is split", () => {
  const known = [
    ...Object.values(KEY).filter((key) => key.length > 1),
    ...["[1;5D", "[1;3C", "OA", "OP", "[3~", "[3;5~", "[Z", "[[A", "[15~", "b", "\x7f", "\r"].map(
      (rest) => ESC + rest,
    ),
  ];
  test.each(known.map((key) => [JSON.stringify(key), key]))("%s", (_name, key) => {
    for (const reads of splits(`a${key}ñ`)) expect(keysOf(reads)).toEqual(["a", key, "ñ"]);
  });

  test("a paste is passed on whole, with what stands in it", () => {
    const paste = `${ESC}[200~uno${ESC}[?1;2c\ndos ${ESC}[20${ESC}[201~`;
    for (const reads of splits(`a${paste}ñ`)) expect(keysOf(reads).join("")).toBe(`a${paste}ñ`);
  });

  test("Enter with a modifier is a line break", () => {
    for (const enter of ["[27;2;13~", "[27;5;13~", "[13;2u", "[13;3u", "[13;2:1u"])
      for (const reads of splits(`a${ESC}${enter}ñ`))
        expect(keysOf(reads)).toEqual(["a", MODIFIED_ENTER, "ñ"]);
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
