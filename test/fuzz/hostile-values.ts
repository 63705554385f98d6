/** Hostile values as JSON text, including text that `JSON.stringify` never writes. */
import type { SeededRandom } from "../seeded-random.ts";
import { hostileText } from "./hostile-texts.ts";

/** Names of members of every object, array and function. */
export const PROTOTYPE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "__defineGetter__",
  "toJSON",
  "then",
  "length",
] as const;

/** Limits of fields on both links, in code points or bytes. */
const CAPS = [1, 3, 32, 40, 64, 128, 256, 1_000, 1_024, 4_096, 8_192, 32 * 1024] as const;

/**
 * One unit of a long text: one byte, two, three, four, one that NFC makes shorter, one that it makes longer; what
 * vanishes when it is shown, marks that a normal form sorts, letters that join.
 */
const UNITS = [
  "a",
  "é",
  "語",
  "🕊",
  "e\u0301",
  "\u0958",
  "\u200d",
  "\u202e",
  "\u0316\u0300",
  "क्",
  "\u1100\u1161\u11a8",
  "👩\u200d",
  "🇪🇸",
] as const;

const STRINGS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\u0001\u001b[2J\u0007\u007f\u009b",
  "\r\n",
  "NaN",
  "null",
  "undefined",
  "true",
  "0",
  "-0",
  "1e999",
  "' OR 1=1 --",
  "%s%n%x",
  "../../etc/passwd",
  "{}",
  '{"action":"ping"}',
  '"}]}',
  "\u202eanA\u202c",
  "a\u200bna",
  "\ufeffana",
  "аna",
  "ａｎａ",
  "ﬁn",
  "e\u0301\u0302\u0303\u0304",
  // As many marks in a row as a field may have, one more, and so many that a normal form takes seconds.
  `a${"\u0316\u0300".repeat(15)}`,
  `a${"\u0316\u0300".repeat(15)}\u0316`,
  `a${"\u0300".repeat(15_000)}${"\u0316".repeat(15_000)}`,
  "n\u0303andu\u0301",
  "ñandú",
  "İıĸẞ",
  "\u{10ffff}\ufffe\uffff",
  "👩‍👩‍👧‍👦🏳️‍🌈",
  "\u2028\u2029",
  'x»”"’’\n*** end of the quotation\r\u001b]0;title\u0007',
] as const;

/** Numbers as they may stand in JSON. */
const NUMBERS = [
  "0",
  "-0",
  "-1",
  "1",
  "1.0",
  "0.5",
  "1e0",
  "65535",
  "65536",
  "2147483648",
  "-2147483649",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "-9007199254740992",
  "9007199254740993",
  "18446744073709551616",
  "1e308",
  "1e999",
  "-1e999",
  "1e-999",
  "123456789012345678901234567890",
] as const;

/** Invalid JSON that looks like JSON. */
const NOT_JSON = [
  "NaN",
  "Infinity",
  "undefined",
  "01",
  "+1",
  ".5",
  "1.",
  "'a'",
  "[1,]",
  '"\\x41"',
  "tru",
] as const;

const LONE_SURROGATES = ['"\\ud800"', '"a\\udc00b"', '"\\udbff\\ud83d"', '"\\ude00\\ud83d"'] as const;

export function hostileString(random: SeededRandom): string {
  switch (random.integer(5)) {
    case 0:
      return random.pick(PROTOTYPE_NAMES);
    case 1: {
      // Just below, at and just above a limit.
      const length = Math.max(0, random.pick(CAPS) + random.integer(3) - 1);
      return random.pick(UNITS).repeat(length);
    }
    case 2:
      return String.fromCodePoint(
        ...Array.from({ length: 1 + random.integer(12) }, () => random.integer(0xd800)),
      );
    case 3:
      return hostileText(random);
    default:
      return random.pick(STRINGS);
  }
}

/** A string as JSON, with some needless escapes. */
export function quoted(text: string, random: SeededRandom): string {
  const json = JSON.stringify(text);
  if (text.length > 100 || random.integer(6) > 0) return json;
  return `"${Array.from({ length: text.length }, (_, at) => {
    const escape = `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`;
    return random.integer(2) === 0 ? escape : escape.toUpperCase().replace("\\U", "\\u");
  }).join("")}"`;
}

/** Arrays or objects nested thousands deep. */
function nested(random: SeededRandom): string {
  const depth = random.pick([2, 100, 1_000, 5_000, 9_000]);
  return random.integer(2) === 0
    ? "[".repeat(depth) + "]".repeat(depth)
    : '{"":'.repeat(depth) + "null" + "}".repeat(depth);
}

/** One value as JSON text, rarely an invalid one. */
export function hostileJson(random: SeededRandom): string {
  switch (random.integer(12)) {
    case 0:
    case 1:
    case 2:
      return quoted(hostileString(random), random);
    case 3:
    case 4:
      return random.pick(NUMBERS);
    case 5:
      return random.pick(["null", "true", "false", "[]", "{}", '[""]', "[null]", "[[]]", "{}"]);
    case 6:
      return random.pick(LONE_SURROGATES);
    case 7:
      return `{${quoted(random.pick(PROTOTYPE_NAMES), random)}:${hostileJson(random)}}`;
    case 8:
      return `[${Array.from({ length: random.integer(5) }, () => hostileJson(random)).join(",")}]`;
    case 9:
      return nested(random);
    case 10:
      // Lists at and over their limits.
      return `[${Array(random.pick([8, 9, 64, 65, 500, 1_000, 1_001]))
        .fill(quoted(random.pick(["a", "::1", "ana", "__proto__"]), random))
        .join(",")}]`;
    default:
      return random.integer(4) === 0 ? random.pick(NOT_JSON) : '{"length":3,"0":"a"}';
  }
}
