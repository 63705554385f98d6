import { describe, expect, test } from "bun:test";

import {
  boolean,
  countCodePoints,
  exactText,
  integer,
  INVALID,
  list,
  object,
  oneOf,
  optional,
  readFields,
  refine,
  text,
  utf8Text,
  type Check,
} from "../../src/protocol/fields.ts";

const LONE_HIGH = "a\ud800";
const LONE_LOW = "\udc00a";
/** Values of every other JSON type. */
const OTHERS = [null, true, 0, 1.5, "", "text", [], ["a"], {}, { length: 3 }, undefined];

function takesOnly(check: Check<unknown>, ...taken: unknown[]): void {
  for (const other of OTHERS) {
    if (!taken.includes(other)) expect(check(other)).toBe(INVALID);
  }
}

describe("texts", () => {
  test("are counted in code points", () => {
    expect(countCodePoints("")).toBe(0);
    expect(countCodePoints("añ漢")).toBe(3);
    expect(countCodePoints("🕊🕊")).toBe(2);
    expect(text(1, 2)("🕊🕊")).toBe("🕊🕊");
    expect(text(1, 2)("🕊🕊a")).toBe(INVALID);
  });

  test("are counted after NFC, and given so", () => {
    expect(text(1, 1)("n\u0303")).toBe("ñ");
    // U+0958 becomes two code points in NFC.
    expect(text(1, 1)("\u0958")).toBe(INVALID);
    expect(text(2, 2)("\u0958")).toBe("\u0915\u093c");
  });

  test("are taken at each end of their bounds and not beyond", () => {
    for (const check of [text(2, 4), exactText(2, 4)]) {
      expect(check("a")).toBe(INVALID);
      expect(check("ab")).toBe("ab");
      expect(check("abcd")).toBe("abcd");
      expect(check("abcde")).toBe(INVALID);
    }
  });

  test("that are exact keep the form in which they came", () => {
    expect(exactText(1, 1)("n\u0303")).toBe("n\u0303");
  });

  test("that are not well-formed Unicode are refused by every check", () => {
    for (const check of [text(0, 9), exactText(0, 9), utf8Text(99)]) {
      expect(check(LONE_HIGH)).toBe(INVALID);
      expect(check(LONE_LOW)).toBe(INVALID);
      expect(check(JSON.parse('"\\ud83d"'))).toBe(INVALID);
      expect(check(JSON.parse('"\\ud83d\\udd4a"'))).toBe("🕊");
      takesOnly(check, "", "text");
    }
  });

  test("of UTF-8 are counted in bytes, and stay as they came", () => {
    expect(utf8Text(4)("abcd")).toBe("abcd");
    expect(utf8Text(4)("abcde")).toBe(INVALID);
    expect(utf8Text(4)("🕊")).toBe("🕊");
    expect(utf8Text(3)("🕊")).toBe(INVALID);
    expect(utf8Text(4)("ññ")).toBe("ññ");
    expect(utf8Text(4)("ññn")).toBe(INVALID);
    expect(utf8Text(9)("n\u0303")).toBe("n\u0303");
    expect(utf8Text(6)("漢漢")).toBe("漢漢");
    expect(utf8Text(5)("漢漢")).toBe(INVALID);
  });
});

describe("integers", () => {
  test("are safe integers in their range", () => {
    const port = integer(1, 65_535);
    for (const good of [1, 65_535, JSON.parse("8e3"), JSON.parse("9000.0")])
      expect(port(good)).toBe(good as number);
    for (const bad of [0, 65_536, -1, 1.5, NaN, "9000"]) expect(port(bad)).toBe(INVALID);
    takesOnly(port);
  });

  test("are never the rounded value of a number that is too big for JSON.parse", () => {
    const any = integer(-Infinity, Infinity);
    for (const big of ["1e999", "-1e999", "9007199254740992", "123456789012345678901234567890"]) {
      expect(any(JSON.parse(big))).toBe(INVALID);
    }
    expect(any(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

test("a boolean is true or false, nothing equivalent", () => {
  expect(boolean(true)).toBe(true);
  expect(boolean(false)).toBe(false);
  takesOnly(boolean, true);
  expect(boolean("true")).toBe(INVALID);
});

test("a choice takes its words and no member of a prototype", () => {
  const language = oneOf("es", "en");
  expect(language("en")).toBe("en");
  for (const bad of ["EN", "es ", "toString", "constructor", "__proto__"])
    expect(language(bad)).toBe(INVALID);
  takesOnly(language);
});

describe("lists", () => {
  const names = list(text(1, 3), 2);

  test("have at most their number of items, each of them right", () => {
    expect(names([])).toEqual([]);
    expect(names(["a", "b"])).toEqual(["a", "b"]);
    expect(names(["a", "b", "c"])).toBe(INVALID);
    expect(names(["a", 1])).toBe(INVALID);
    expect(names(["n\u0303"])).toEqual(["ñ"]);
  });

  test("are arrays, not array-like objects", () => {
    for (const bad of [{ length: 1, 0: "a" }, "ab", null, { 0: "a" }]) expect(names(bad)).toBe(INVALID);
  });
});

describe("objects", () => {
  const entry = object({ ip: text(1, 3), port: optional(integer(1, 9)) });

  test("give their fields and nothing else", () => {
    expect(entry({ ip: "a", port: 1, more: true })).toEqual({ ip: "a", port: 1 });
    expect(entry({ ip: "a" })).toEqual({ ip: "a", port: undefined });
  });

  test("are not arrays, null or text", () => {
    for (const bad of [[], ["a"], null, "a", 1, undefined]) expect(entry(bad)).toBe(INVALID);
    // An array with a field of that name is still an array.
    expect(entry(Object.assign([], { ip: "a" }))).toBe(INVALID);
  });
});

test("an optional field may be absent, and not null", () => {
  expect(optional(boolean)(undefined)).toBeUndefined();
  expect(optional(boolean)(null)).toBe(INVALID);
  expect(optional(boolean)(1)).toBe(INVALID);
});

test("a refined check narrows what the first one accepts", () => {
  const even = refine(integer(0, 9), (value) => (value % 2 === 0 ? `${value}` : undefined));
  expect(even(4)).toBe("4");
  expect(even(3)).toBe(INVALID);
  expect(even("4")).toBe(INVALID);
});

describe("readFields", () => {
  test("names the first wrong field", () => {
    const fields = { a: boolean, b: boolean, c: boolean };
    expect(readFields(fields, { a: true, b: 1, c: 1 })).toEqual({ ok: false, field: "b" });
    expect(readFields(fields, {})).toEqual({ ok: false, field: "a" });
    expect(readFields(fields, { c: true, b: false, a: true })).toEqual({
      ok: true,
      value: { a: true, b: false, c: true },
    });
  });

  test("finds only own properties, not members of the prototype", () => {
    const anything: Check<unknown> = (value) => value;
    const fields = { constructor: anything, toString: anything, hasOwnProperty: anything };
    const read = readFields(fields, JSON.parse("{}"));
    expect(read.ok && Object.values(read.value)).toEqual([undefined, undefined, undefined]);
    expect(readFields({ constructor: boolean }, JSON.parse('{"constructor":true}'))).toEqual({
      ok: true,
      value: { constructor: true } as never,
    });
  });

  test("is not led astray by a sent __proto__", () => {
    const read = readFields({ admin: optional(boolean) }, JSON.parse('{"__proto__":{"admin":true}}'));
    expect(read).toEqual({ ok: true, value: { admin: undefined } });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});
