import { describe, expect, test } from "bun:test";

import { readControl, readText } from "../../src/identity/group-body.ts";
import { signCreate, signEntry, type GroupEntry, type Lane } from "../../src/identity/group-entry.ts";
import { label } from "../../src/identity/names.ts";
import { addBody, createBody, NO_ID, testKey } from "./group-keys.ts";

const ANA = testKey("ana");
const GROUP = signCreate(1_000, createBody(ANA), ANA.key).id;

function entry(lane: Lane, kind: string, body: object): GroupEntry {
  return signEntry(GROUP, { feed: GROUP, lane, number: 9, prev: NO_ID, kind, at: 2_000 }, body, ANA.key);
}
const control = (kind: string, body: object) => readControl(entry("c", kind, body));
const shown = (kind: string, body: object) => readText(entry("t", kind, body));

/** With one field changed; `undefined` leaves it out. */
type Change = readonly [body: object, changes: { readonly [field: string]: readonly unknown[] }];

const NUMBERS = [-1, 1.5, "1", null, undefined, 1e9 + 1, 2 ** 53, [1]];
const IDS = ["", "-", NO_ID.slice(1), `${NO_ID}A`, `${"A".repeat(42)}B`, 1, null, undefined, [NO_ID]];
const TITLES = ["", "a".repeat(65), "🐦".repeat(65), "\ud83d", 1, null, undefined];
// The neutral point, a point of order 8, one of order 4, a y over the prime; then other forms of a key.
const KEYS = [
  ...["01" + "00".repeat(31), "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
  ...["00".repeat(32), "ff".repeat(32)],
].map((point) => Buffer.from(`302a300506032b6570032100${point}`, "hex").toString("base64"));
const KEY_FIELDS = {
  label: [label("eva"), "", ANA.named.label.toUpperCase(), 1, undefined],
  name: ["eva", "", "\ud83d", "a\nb", "a".repeat(65), 1, null, undefined],
  spki: [...KEYS, ANA.spki.toString("base64url"), ` ${ANA.named.spki}`, "", 1, undefined],
};

const CONTROL: { readonly [kind: string]: Change } = {
  create: [
    createBody(ANA),
    {
      ...KEY_FIELDS,
      version: [0, 2, "1", undefined],
      title: TITLES,
      adds: ["none", "", 1, undefined],
      writes: ["none", "admin", undefined],
    },
  ],
  add: [
    addBody(ANA),
    { ...KEY_FIELDS, role: ["founder", "Admin", undefined], history: ["", "some", undefined] },
  ],
  grant: [{ feed: NO_ID }, { feed: IDS }],
  end: [
    { feed: NO_ID, c: 0, t: 1e9, cid: NO_ID, tid: NO_ID },
    { feed: IDS, c: NUMBERS, t: NUMBERS, cid: IDS, tid: IDS },
  ],
  leave: [{ t: 0 }, { t: NUMBERS }],
  set: [
    { n: 1, title: "🐦".repeat(64) },
    { n: [...NUMBERS, 0, 1_000_001], title: TITLES },
  ],
};

const FILE = { name: "a.jpg", size: 0, sha256: NO_ID };
const TEXTS: { readonly [kind: string]: Change } = {
  text: [
    { text: "é".repeat(16_384), reply_to: [NO_ID, 1], file: FILE },
    {
      text: ["é".repeat(16_385), "\ud83d", 1, null, undefined],
      reply_to: [NO_ID, [NO_ID], [NO_ID, 0], [NO_ID, 1, 1], ["", 1], null],
      file: [
        ...["", { ...FILE, name: "" }, { ...FILE, name: "a".repeat(1_025) }, { ...FILE, size: -1 }],
        ...[{ ...FILE, sha256: "0".repeat(64) }, [], null],
      ],
    },
  ],
  edit: [
    { target: 8, text: "" },
    { target: [...NUMBERS, 0, 9, 10], text: [undefined, "a".repeat(32_769)] },
  ],
  withdraw: [{ target: 1 }, { target: [...NUMBERS, 0, 9, 10] }],
};

for (const [read, table] of [
  [control, CONTROL],
  [shown, TEXTS],
] as const) {
  for (const [kind, [body, changes]] of Object.entries(table)) {
    describe(kind, () => {
      test("is read", () => expect(read(kind, body)).toMatchObject({ kind }));
      for (const [field, values] of Object.entries(changes)) {
        test(`has no effect with a wrong ${field}`, () => {
          for (const value of values) expect(read(kind, { ...body, [field]: value })).toBeUndefined();
        });
      }
    });
  }
}

test("what a body has beyond its fields is left out", () => {
  expect(control("set", { n: 2, title: "Clase", more: 1, __proto__: null })).toEqual({
    kind: "set",
    n: 2,
    title: "Clase",
  });
  expect(shown("text", { text: "hola", file: { ...FILE, path: "/etc" } })).toEqual({
    kind: "text",
    text: "hola",
    reply_to: undefined,
    file: FILE,
  });
});

test("a name in another case or normal form has the same label", () => {
  const named = { ...addBody(ANA), name: "ANA" };
  expect(control("add", named)).toMatchObject({ name: "ANA", label: label("ana") });
});

test("of a field that a body has twice the last one counts", () => {
  const written = entry("c", "set", { n: 1, title: "uno" });
  const twice = { ...written, body: `{"n":1,"title":"uno","title":"dos"}` };
  expect(readControl(twice)).toMatchObject({ title: "dos" });
  expect(readControl({ ...written, body: `{"n":1,"title":"uno","title":7}` })).toBeUndefined();
});

test("nothing comes from the members that every object has", () => {
  const written = entry("c", "leave", { t: 0 });
  expect(readControl({ ...written, body: `{"__proto__":{"t":0}}` })).toBeUndefined();
  expect(readControl({ ...written, kind: "constructor" })).toBeUndefined();
});

test("entries of the other lane, of unknown kinds and without body say nothing", () => {
  expect(readControl(entry("t", "join", {}))).toBeUndefined();
  expect(readText(entry("c", "text", { text: "hola" }))).toBeUndefined();
  expect(control("crown", {})).toBeUndefined();
  expect(shown("poll", { text: "hola" })).toBeUndefined();
  expect(shown("join", {})).toBeUndefined();
  expect(readControl({ ...entry("c", "join", {}), body: null })).toBeUndefined();
  expect(readText({ ...entry("t", "text", { text: "hola" }), body: null })).toBeUndefined();
});
