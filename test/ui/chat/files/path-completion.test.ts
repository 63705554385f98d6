import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { complete } from "../../../../src/ui/chat/commands.ts";
import { completePath, entriesOf, type Entry } from "../../../../src/ui/chat/files/path-completion.ts";
import { completed } from "../../../../src/ui/line/completion.ts";

const PLACE = { cwd: "/media/eva", home: "/media/casa" };
const FOLDERS: { readonly [folder: string]: readonly string[] } = {
  "/media/eva": ["fotos/", "fotos 2026/", "informe.pdf", "Índice.txt", ".oculto", "odd\u200b", "~x"],
  "/media/eva/fotos/": ["a.jpg", "b b.jpg"],
  "/media/eva/fotos 2026/": ["c.jpg"],
  "/media/casa": ["notas.txt"],
};

function entries(folder: string): readonly Entry[] {
  const names = FOLDERS[folder] ?? FOLDERS[folder.replace(/\/$/, "")] ?? FOLDERS[`${folder}/`] ?? [];
  return names.map((name) => ({ name: name.replace("/", ""), isFolder: name.endsWith("/") }));
}

/** The line after one Tab. */
function tab(before: string): string {
  const offered = complete(before, new Map([["fotógrafo", ""]]), "ana", [], (typed, wanted) =>
    completePath(typed, wanted, PLACE, entries),
  );
  return completed(before, true, offered);
}

describe("Tab", () => {
  test.each([
    ["/send i", "/send informe.pdf "],
    ["/send fo", "/send fotos"],
    ["/send fotos/", "/send fotos/"],
    ["/send fotos/a", "/send fotos/a.jpg "],
    ["/send fotos/b", String.raw`/send fotos/b\ b.jpg `],
    ['/send "fotos/b', '/send "fotos/b b.jpg" '],
    [String.raw`/send fotos\ `, String.raw`/send fotos\ 2026/`],
    // As it stands, with its spaces.
    ["/send fotos 2", "/send fotos 2026/"],
    ["/send fotos 2026/c", "/send fotos 2026/c.jpg "],
    ["/send a.jpg i", "/send a.jpg informe.pdf "],
    ["/send índ", "/send Índice.txt "],
    ["/send .", "/send .oculto "],
    ["/send o", "/send o"],
    ["/send ~/", "/send ~/notas.txt "],
    ["/send ~", String.raw`/send \~x `],
    ["/SEND i", "/SEND informe.pdf "],
    ["/get #3 fotos\\ ", "/get #3 fotos\\ 2026/"],
    ["/get i", "/get i"],
    ["/get always 500M fo", "/get always 500M fotos"],
    ["hola foto", "hola fotógrafo "],
  ])("%j", (before, after) => {
    expect(tab(before)).toBe(after);
  });

  test("a second time shows what there is, folders with a slash", () => {
    const { shown } = completePath("fo", "files", PLACE, entries);
    expect(shown).toEqual(["fotos/", "fotos 2026/"]);
    expect(completePath("", "folders", PLACE, entries).shown).toEqual(["fotos/", "fotos 2026/"]);
  });
});

test("a folder is read with its links, and one that cannot be read is empty", () => {
  const folder = mkdtempSync(join(tmpdir(), "paloma-paths-"));
  try {
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "b"), "");
    symlinkSync("a", join(folder, "c"));
    symlinkSync("nothing", join(folder, "d"));
    const found = entriesOf(folder).toSorted((x, y) => (x.name < y.name ? -1 : 1));
    expect(found.map(({ name, isFolder }) => `${name} ${isFolder}`)).toEqual([
      "a true",
      "b false",
      "c true",
      "d false",
    ]);
    expect(entriesOf(join(folder, "b"))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
