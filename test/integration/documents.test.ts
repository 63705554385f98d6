/** The documents say what is so: what they show as typed is run, and what they name is there. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { CODES } from "../../src/protocol/codes.ts";
import { FEATURES, PEER_MESSAGES } from "../../src/protocol/peer-messages.ts";
import { ACTIONS, RESPONSES } from "../../src/protocol/rendezvous-messages.ts";
import { cleanupsForEachTest } from "./cleanups-for-each-test.ts";
import { DocumentSession } from "./document-session.ts";
import { Document, DOCUMENTS, ROOT, type Block } from "./document.ts";

const MAX_TABLE_WIDTH = 100;
/** `sh` and `python` are whole programs, which `scripting.test.ts` runs; the others are not typed. */
const LANGUAGES = ["console", "text", "sh", "python", "ini"];
const SPANISH = /^# En español$/m;

const cleanups = cleanupsForEachTest();

function documentAt(path: string): Document {
  return DOCUMENTS.find((each) => each.path === path) as Document;
}

/** The parts of all documents whose lines are typed by readers of one language. */
const SESSIONS = DOCUMENTS.flatMap((document) => {
  const { path, text, blocks } = document;
  const typed = blocks.filter(({ language }) => language === "console");
  const begin = SPANISH.exec(text)?.index ?? (path.endsWith("USAR.md") ? 0 : Infinity);
  const isSpanish = ({ line }: Block) => text.split("\n").slice(0, line).join("\n").length > begin;
  const spanish = typed.filter(isSpanish);
  const english = typed.filter((block) => !isSpanish(block));
  return [
    { path, locale: "en_US.UTF-8" as const, blocks: english },
    { path, locale: "es_ES.UTF-8" as const, blocks: spanish },
  ].filter((each) => each.blocks.length > 0);
});

test.each(SESSIONS)(
  "what $path shows as typed ($locale) prints what it shows",
  async ({ locale, blocks }) => {
    const session = new DocumentSession(locale);
    cleanups.push(() => session.close());
    const typed = blocks.flatMap(Document.typedIn);
    const registers = typed.some(({ command }) => command.includes("client.ts register"));
    const firstOfPeople = typed.findIndex(({ person }) => person !== "");
    for (const [index, each] of typed.entries()) {
      if (index === firstOfPeople && !registers) await session.introduce();
      await session.type(each);
    }
    await session.finish();
  },
  120_000,
);

describe.each(DOCUMENTS.map((document) => ({ path: document.path, document })))("$path", ({ document }) => {
  test("marks each block as what it is", () => {
    const unmarked = document.blocks.filter(({ language }) => !LANGUAGES.includes(language));
    const notPrograms = document.blocks.filter(
      ({ language, lines }) =>
        (language === "sh" || language === "python") && lines[0]?.startsWith("#!") !== true,
    );
    expect([...unmarked, ...notPrograms].map(({ line, language }) => `${line}: ${language}`)).toEqual([]);
  });

  test(`has no table wider than ${MAX_TABLE_WIDTH} columns`, () => {
    expect(document.tableRows.filter((row) => Bun.stringWidth(row) > MAX_TABLE_WIDTH)).toEqual([]);
  });

  test("links only to what is there", () => {
    const broken = document.links.filter(
      ({ path, anchor }) =>
        !existsSync(join(ROOT, path)) || (anchor !== "" && documentAt(path).anchors.has(anchor) !== true),
    );
    expect(broken).toEqual([]);
  });
});

test("PROTOCOL.md names every message, field and code of both links", () => {
  const { text } = documentAt("src/protocol/PROTOCOL.md");
  const fields = [...ACTIONS.values()].flatMap((each) => Object.keys(each.fields));
  const answered = Object.entries(RESPONSES).flatMap(([action, each]) => [action, ...Object.keys(each)]);
  const peer = Object.entries(PEER_MESSAGES).flatMap(([action, each]) => [action, ...Object.keys(each)]);
  const names = new Set([...ACTIONS.keys(), ...fields, ...answered, ...CODES, ...peer, ...FEATURES]);
  names.delete("failure");
  expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});

test("README.md, or what it links to, names every script of package.json", () => {
  const readme = documentAt("README.md");
  const linked = readme.links.map(({ path }) => documentAt(path)).filter((each) => each !== undefined);
  const text = [readme, ...linked].map((each) => each.text).join("\n");
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
  expect(Object.keys(scripts).filter((name) => !text.includes(`bun run ${name}`))).toEqual([]);
});
