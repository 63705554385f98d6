import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FileMovedError, OpenFile } from "../../src/net/open-file.ts";

let folder: string;
let file: string;
let now = 0;
let open: OpenFile;

beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), "paloma-open-file-"));
  folder = join(parent, "profile");
  file = join(folder, "profile.db");
  cpSync(import.meta.path, file);
  now = 0;
  open = new OpenFile(file, () => now);
});

afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

const copied = () => {
  cpSync(folder, `${folder}.copy`, { recursive: true });
  rmSync(folder, { recursive: true });
  renameSync(`${folder}.copy`, folder);
};

test("a file that is written to stays the same", () => {
  writeFileSync(file, "longer and longer");
  now = 1_000;
  expect(() => open.check()).not.toThrow();
});

test.each([
  ["deleted", () => rmSync(file)],
  ["deleted with its folder", () => rmSync(folder, { recursive: true })],
  ["moved with its folder", () => renameSync(folder, `${folder}.moved`)],
  ["replaced by a copy", copied],
])("a file that is %s is noticed within a second, and as long as it is so", (_, move) => {
  now = 5_000;
  open.check();
  move();
  now = 5_999;
  expect(() => open.check()).not.toThrow();
  now = 6_000;
  expect(() => open.check()).toThrow(FileMovedError);
  now = 6_500;
  expect(() => open.check()).toThrow(`${file} was deleted, moved or replaced while it was in use`);
});

test("a file that comes back to its place is the same again", () => {
  renameSync(folder, `${folder}.moved`);
  now = 1_000;
  expect(() => open.check()).toThrow(FileMovedError);
  renameSync(`${folder}.moved`, folder);
  now = 2_000;
  expect(() => open.check()).not.toThrow();
});
