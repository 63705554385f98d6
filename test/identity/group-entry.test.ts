import { describe, expect, test } from "bun:test";
import { hash, sign } from "node:crypto";

import {
  isFork,
  isSigned,
  MAX_BODY_BYTES,
  MAX_CONTROL_BYTES,
  nextPosition,
  rawEntry,
  readEntry,
  signCreate,
  signEntry,
  type GroupEntry,
  type RawEntry,
} from "../../src/identity/group-entry.ts";
import { createBody, NO_ID, testKey } from "./group-keys.ts";

const ANA = testKey("ana");
const EVA = testKey("eva");
const CREATE = signCreate(1_000, createBody(ANA), ANA.key);
const GROUP = CREATE.id;

function text(content: object = { text: "hola" }, at = 2_000): GroupEntry {
  const fields = { ...nextPosition(GROUP, "t", undefined), kind: "text", at };
  return signEntry(GROUP, fields, content, ANA.key);
}

/** An entry with this body and a header that names its size and digest, signed by the right key. */
function withBody(body: string, header = (fields: string): string => fields): RawEntry {
  const { size, digest } = { size: Buffer.byteLength(body), digest: hash("sha256", body, "base64url") };
  const line = header(`${GROUP} t 1 ${GROUP} text 2000 ${size} ${digest}`);
  return [line, signatureOf(`paloma group 1\n${GROUP}\n${line}`), body];
}

function signatureOf(signed: string, by = ANA): string {
  return sign(null, Buffer.from(signed), by.key).toString("base64url");
}

/** A body that has a salt, followed by these fields. */
const salted = (fields: string): string => `{"salt":"abcdefghijklmnop"${fields}}`;

describe("an entry", () => {
  test("reads as it was written", () => {
    for (const entry of [CREATE, text()]) {
      expect(readEntry(GROUP, rawEntry(entry))).toEqual(entry);
      expect(isSigned(GROUP, entry, ANA.spki)).toBe(true);
    }
    expect(CREATE).toMatchObject({ feed: GROUP, prev: GROUP, number: 1, lane: "c" });
    expect(CREATE.header).toStartWith("- c 1 - create 1000 ");
  });

  test("has as id the hash of what is signed, as the document says", () => {
    const { id, header, signature } = text();
    const bytes = `paloma group 1\n${GROUP}\n${header}`;
    expect(id).toBe(hash("sha256", bytes, "base64url"));
    expect(signature).toBe(signatureOf(bytes));
    expect(GROUP).toBe(hash("sha256", `paloma group 1\n-\n${CREATE.header}`, "base64url"));
  });

  test("reads without its body, and with the right one alone", () => {
    const [header, signature] = rawEntry(text());
    expect(readEntry(GROUP, [header, signature, null])).toMatchObject({ body: null, number: 1 });
    expect(readEntry(GROUP, [header, signature, text().body])).toBeUndefined();
  });

  test("has a salt of its own, so that nobody finds a withdrawn text by trying", () => {
    expect(text().digest).not.toBe(text().digest);
    expect(JSON.parse(text().body ?? "")).toEqual({ text: "hola", salt: expect.stringMatching(/^.{16}$/) });
  });

  test("goes on where the one before it ends", () => {
    expect(nextPosition(GROUP, "c", CREATE)).toEqual({ feed: GROUP, lane: "c", number: 2, prev: GROUP });
    const first = text();
    expect(nextPosition(GROUP, "t", first)).toMatchObject({ number: 2, prev: first.id });
  });

  test("is a fork of another one at its place only", () => {
    const one = text();
    const other = text();
    const later = signEntry(
      GROUP,
      { ...nextPosition(GROUP, "t", one), kind: "text", at: 3_000 },
      {},
      ANA.key,
    );
    expect([isFork(one, other), isFork(one, one), isFork(one, later)]).toEqual([true, false, false]);
  });

  test("is not written where it could not be read", () => {
    const at = 2_000;
    const place = nextPosition(GROUP, "t", undefined);
    const write = (fields: object) => () =>
      signEntry(GROUP, { ...place, kind: "text", at, ...fields }, { text: "a".repeat(5_000) }, ANA.key);
    expect(write({})).not.toThrow();
    expect(write({ at: 1.5 })).toThrow(RangeError);
    expect(write({ number: 0 })).toThrow(RangeError);
    expect(write({ kind: "Text" })).toThrow(RangeError);
    // Lane c has smaller bodies, and the founder's first entry in it is there already.
    expect(write({ lane: "c", number: 2, prev: GROUP })).toThrow(RangeError);
  });
});

describe("signatures", () => {
  const entry = text();

  test("of another key, of another text, or from another group do not count", () => {
    expect(isSigned(GROUP, entry, EVA.spki)).toBe(false);
    expect(isSigned(NO_ID, entry, ANA.spki)).toBe(false);
    const forged = { ...entry, signature: signatureOf(`paloma group 1\n${GROUP}\n${entry.header}`, EVA) };
    expect(isSigned(GROUP, forged, ANA.spki)).toBe(false);
    const later = { ...entry, header: entry.header.replace(" 2000 ", " 2001 ") };
    expect(isSigned(GROUP, later, ANA.spki)).toBe(false);
  });

  test("of an entry of one group make another entry in another group, which nobody signed", () => {
    const replayed = readEntry(NO_ID, rawEntry(entry));
    expect(replayed?.id).not.toBe(entry.id);
    expect(replayed !== undefined && isSigned(NO_ID, replayed, ANA.spki)).toBe(false);
  });

  test("of somebody else's join, or of an entry for somebody else's feed, do not count", () => {
    const feed = text().id;
    for (const [kind, number, prev] of [
      ["join", 1, feed],
      ["end", 2, NO_ID],
    ] as const) {
      const forged = signEntry(GROUP, { feed, lane: "c", number, prev, kind, at: 2_000 }, {}, EVA.key);
      expect(isSigned(GROUP, forged, EVA.spki)).toBe(true);
      expect(isSigned(GROUP, forged, ANA.spki)).toBe(false);
    }
  });

  test("have one form", () => {
    const [header, signature, body] = rawEntry(entry);
    const last = signature.at(-1) === "A" ? "B" : "z";
    for (const wrong of [
      signature.slice(0, -1) + last,
      `${signature}=`,
      signature.slice(1),
      `${signature} `,
      "",
    ])
      expect(readEntry(GROUP, [header, wrong, body])).toBeUndefined();
  });
});

describe("the founder's first entry", () => {
  test("belongs to the group that is named after it alone", () => {
    expect(readEntry(NO_ID, rawEntry(CREATE))).toBeUndefined();
    const other = signCreate(1_000, createBody(ANA), ANA.key);
    expect(readEntry(GROUP, rawEntry(other))).toBeUndefined();
  });

  test("has no twin that could be a fork of it", () => {
    const line = `${GROUP} c 1 ${GROUP} set 2000 27 ${hash("sha256", salted(""), "base64url")}`;
    const twin: RawEntry = [line, signatureOf(`paloma group 1\n${GROUP}\n${line}`), null];
    expect(readEntry(GROUP, twin)).toBeUndefined();
    expect(readEntry(GROUP, [line.replace(" c 1 ", " t 1 "), twin[1], null])).toBeDefined();
  });
});

describe("headers", () => {
  const raw = withBody(salted(""));

  test("are taken in their one form", () => {
    expect(readEntry(GROUP, raw)).toMatchObject({ number: 1, at: 2_000, size: 27, kind: "text" });
    const largest = withBody(salted(""), (line) =>
      line.replace(` t 1 ${GROUP} text 2000 `, ` t 1000000000 ${NO_ID} abcdefghijklmnop 9007199254740991 `),
    );
    expect(readEntry(GROUP, largest)).toMatchObject({ number: 1e9, at: Number.MAX_SAFE_INTEGER });
  });

  const WRONG: readonly (readonly [what: string, from: string | RegExp, to: string])[] = [
    ["a space before", /^/, " "],
    ["a space behind", /$/, " "],
    ["a line feed behind", /$/, "\n"],
    ["two spaces between", " text ", "  text "],
    ["a tab between", " text ", "\ttext "],
    ["a space without a break", " text ", "\u00a0text "],
    ["a field more", /$/, " 1"],
    ["a field less", " 2000", ""],
    ["a leading zero in the number", " t 1 ", " t 01 "],
    ["a sign", " t 1 ", " t +1 "],
    ["number 0", " t 1 ", " t 0 "],
    ["a negative number", " t 1 ", " t -1 "],
    ["a number over a thousand million", " t 1 ", " t 1000000001 "],
    ["a huge number", " t 1 ", ` t ${"9".repeat(16)} `],
    ["a number with an exponent", " t 1 ", " t 1e0 "],
    ["a number in other digits", " t 1 ", " t \u0661 "],
    ["a leading zero in the time", " 2000 ", " 02000 "],
    ["a time that is no safe integer", " 2000 ", " 9007199254740993 "],
    ["a fraction", " 2000 ", " 2000.0 "],
    ["another size", " 27 ", " 28 "],
    ["a leading zero in the size", " 27 ", " 027 "],
    ["a size over the limit", " 27 ", ` ${MAX_BODY_BYTES + 1} `],
    ["another lane", " t 1 ", " T 1 "],
    ["a third lane", " t 1 ", " x 1 "],
    ["a kind in capitals", " text ", " Text "],
    ["a kind of 17 letters", " text ", ` ${"a".repeat(17)} `],
    ["no kind", " text ", "  "],
    ["a letter that looks like another", " text ", " t\u0435xt "],
    ["an id one short", /^./, ""],
    ["an id with padding", / t 1/, "= t 1"],
    ["an id in the other base64", /^./, "+"],
    ["an id with a bit too many", new RegExp(`^${GROUP}`), `${"A".repeat(42)}B`],
    ["a first entry behind another one", ` ${GROUP} text`, ` ${NO_ID} text`],
    ["a second entry without one before it", / 1 [^ ]+ text/, " 2 - text"],
    ["a create in the lane of texts", /^[^ ]+ t 1 [^ ]+ text/, "- t 1 - create"],
    ["a second create", /^[^ ]+ t 1 [^ ]+ text/, "- c 2 - create"],
    ["a create that names one before it", /^[^ ]+ t 1 [^ ]+ text/, `- c 1 ${GROUP} create`],
    ["something else in the place of create", /^[^ ]+ t 1 [^ ]+ text/, "- c 1 - set"],
  ];
  for (const [what, from, to] of WRONG) {
    test(`are refused with ${what}`, () => {
      const changed = raw[0].replace(from, to);
      expect(changed).not.toBe(raw[0]);
      const signature = signatureOf(`paloma group 1\n${GROUP}\n${changed}`);
      expect(readEntry(GROUP, [changed, signature, raw[2]])).toBeUndefined();
    });
  }
});

describe("bodies", () => {
  test("are taken in any form of JSON, as they came", () => {
    for (const body of [salted(""), ` {\n"salt" : "abcdefghijklmnop" } `, salted(`,"text":"\\ud83d"`)])
      expect(readEntry(GROUP, withBody(body))?.body).toBe(body);
  });

  const WRONG: readonly (readonly [what: string, body: string])[] = [
    ["is no JSON", "hola"],
    ["is empty", ""],
    ["is a list", `["abcdefghijklmnop"]`],
    ["is a string", `"abcdefghijklmnop"`],
    ["is null", "null"],
    ["has no salt", `{"text":"hola"}`],
    ["has a short salt", `{"salt":"abcdefghijklmno"}`],
    ["has a salt that is no string", `{"salt":1234567890123456}`],
    ["has a salt by inheritance", `{"__proto__":{"salt":"abcdefghijklmnop"}}`],
    ["has a second salt that is none", salted(`,"salt":null`)],
    ["has two objects", salted("") + salted("")],
    ["has half a character", salted(`,"text":"\ud83d"`)],
    ["is too long", salted(`,"text":"${"a".repeat(MAX_BODY_BYTES)}"`)],
  ];
  for (const [what, body] of WRONG)
    test(`one that ${what} is refused`, () => expect(readEntry(GROUP, withBody(body))).toBeUndefined());

  test("may be as long as their lane allows", () => {
    const long = (bytes: number): string => salted(`,"a":"${"a".repeat(bytes - salted(`,"a":""`).length)}"`);
    const inControl = (line: string): string => line.replace(" t 1 ", " c 2 ");
    expect(readEntry(GROUP, withBody(long(MAX_BODY_BYTES)))).toBeDefined();
    expect(readEntry(GROUP, withBody(long(MAX_BODY_BYTES + 1)))).toBeUndefined();
    expect(readEntry(GROUP, withBody(long(MAX_CONTROL_BYTES), inControl))).toBeDefined();
    expect(readEntry(GROUP, withBody(long(MAX_CONTROL_BYTES + 1), inControl))).toBeUndefined();
  });

  test("may be as deep as they are long: every reader finds the same", () => {
    const depth = 50_000;
    expect(readEntry(GROUP, withBody(salted(`,"a":${"[".repeat(depth)}${"]".repeat(depth)}`)))).toBeDefined();
  });

  test("do not fit another digest or size", () => {
    const [header, signature, body] = withBody(salted(`,"text":"sí"`));
    for (const other of [salted(`,"text":"no"`), salted(`,"text":"si\u0301"`), `${body} `])
      expect(readEntry(GROUP, [header, signature, other])).toBeUndefined();
  });
});
