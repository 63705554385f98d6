import { expect, test } from "bun:test";

import { ListedTree, listingLine, MAX_ENTRIES, MAX_NODES } from "../../../src/client/file/listing.ts";
import { twinKey } from "../../../src/client/file/safe-names.ts";

const TIME = "2026-11-30T12:00:00Z";

function treeOf(...paths: readonly string[]): ListedTree {
  const tree = new ListedTree();
  for (const path of paths) tree.add(JSON.stringify([path, path.endsWith("/") ? 0 : 1, TIME]));
  return tree;
}

function faultOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

test("files and folders, those included that only stand in a path", () => {
  const tree = treeOf("a", "d/e/b", "d/empty/");
  expect(tree.paths).toEqual(["a", "d/e/b"]);
  expect(tree.folders).toEqual(["d/", "d/e/", "d/empty/"]);
  expect([...tree.folderTimes]).toEqual([["d/empty/", Date.parse(TIME)]]);
  expect(tree.entries).toBe(3);
  expect(treeOf("./").folderTimes.has("")).toBe(true);
});

test("a line says when a file was modified, also before all times and after them", () => {
  expect(listingLine('a"b', 1, 1_700_000_000_123)).toBe('["a\\"b",1,"2023-11-14T22:13:20.123Z"]\n');
  expect(listingLine("a", 1, -5)).toContain("1970-01-01T00:00:00.000Z");
  expect(listingLine("a", 1, 8.64e15)).toContain("9999-12-31T23:59:59.999Z");
  const tree = new ListedTree();
  tree.add('["a",0,"2026-11-30T12:00:00.123456789+02:00"]');
  tree.add('["b",0,"0001-01-01T00:00:00Z"]');
  expect(tree.modified).toEqual([Date.parse("2026-11-30T10:00:00.123Z"), 0]);
});

test("names become safe, and no two of a folder are the same to any disk", () => {
  const names = [
    "A",
    "a",
    "a.",
    "a (2)",
    "ñ",
    "n\u0303",
    "Ñ",
    "con",
    "x\\y",
    "x:y",
    ".git",
    "\u202ea",
    "\ud800",
  ];
  const tree = treeOf(...names, "d/A", "D/a", "d./c");
  expect(new Set(tree.paths.map(twinKey)).size).toBe(names.length + 3);
  expect(tree.paths).toEqual([
    "A",
    "a (2)",
    "a (3)",
    "a (2) (2)",
    "ñ",
    "ñ (2)",
    "Ñ (3)",
    "_con",
    "x_y",
    "x_y (2)",
    ".git",
    "a (4)",
    "\ufffd",
    "d/A",
    "D (2)/a",
    "d (3)/c",
  ]);
});

test.each([
  ["no JSON", "x"],
  ["no array", "{}"],
  ["nothing", "[]"],
  ["no time", '["a",1]'],
  ["another time", '["a",1,"yesterday"]'],
  ["an impossible time", '["a",1,"2026-13-30T12:00:00Z"]'],
  ["a size below nothing", `["a",-1,"${TIME}"]`],
  ["a size between numbers", `["a",1.5,"${TIME}"]`],
  ["a size beyond all numbers", `["a",1e300,"${TIME}"]`],
  ["no path", `[1,1,"${TIME}"]`],
  ["an empty path", `["",1,"${TIME}"]`],
  ["an absolute path", `["/etc/passwd",1,"${TIME}"]`],
  ["the root of all", `["/",0,"${TIME}"]`],
  ["a way up", `["../a",1,"${TIME}"]`],
  ["a way up in the middle", `["a/../../b",1,"${TIME}"]`],
  ["a way up at the end", `["a/..",1,"${TIME}"]`],
  ["a way to nowhere", `["a/./b",1,"${TIME}"]`],
  ["an empty part", `["a//b",1,"${TIME}"]`],
  ["a folder with bytes", `["a/",1,"${TIME}"]`],
  ["a path that is too long", `["${"é".repeat(513)}",1,"${TIME}"]`],
])("a line with %s is refused", (_, line) => {
  expect(faultOf(() => new ListedTree().add(line))).toBe("bad_listing");
});

test.each([
  ["the same file twice", ["a", "a"]],
  ["a file and then a path through it", ["a", "a/b"]],
  ["a path and then a file in its place", ["a/b", "a"]],
  ["a file and then a folder of its name", ["a", "a/"]],
  ["the same empty folder twice", ["a/", "a/"]],
  ["the folder itself twice", ["./", "./"]],
])("%s is refused", (_, paths) => {
  expect(faultOf(() => treeOf(...paths))).toBe("bad_listing");
});

test("sizes that sum up to no number are refused", () => {
  const tree = new ListedTree();
  tree.add(`["a",${Number.MAX_SAFE_INTEGER},"${TIME}"]`);
  expect(faultOf(() => tree.add(`["b",1,"${TIME}"]`))).toBe("bad_listing");
});

test("too many entries, and too many folders in their paths, are refused", () => {
  const many = new ListedTree();
  for (let index = 0; index < MAX_ENTRIES; index++) many.add(`["${index}",0,"${TIME}"]`);
  expect(faultOf(() => many.add(`["x",0,"${TIME}"]`))).toBe("bad_listing");
  const deep = new ListedTree();
  const chain = "a/".repeat(500);
  for (let index = 0; index * 500 < MAX_NODES - 1_000; index++) deep.add(`["${index}/${chain}",0,"${TIME}"]`);
  expect(
    faultOf(() => [deep.add(`["x/${chain}",0,"${TIME}"]`), deep.add(`["y/${chain}",0,"${TIME}"]`)]),
  ).toBe("bad_listing");
});

test("a hundred thousand twins are numbered one by one", () => {
  const tree = new ListedTree();
  for (let index = 0; index < 20_000; index++) {
    const name = [..."abcdefghijklmno"].map((letter, bit) =>
      (index >> bit) % 2 === 0 ? letter : letter.toUpperCase(),
    );
    tree.add(`["${name.join("")}",0,"${TIME}"]`);
  }
  expect(tree.paths.at(-1)).toEndWith(" (20000)");
  expect(new Set(tree.paths).size).toBe(20_000);
});

test("a range of the contents is cut into the files that it touches", () => {
  const { contents } = new ListedTree();
  for (const size of [3, 0, 2, 0, 0, 5]) contents.add(size);
  expect([contents.count, contents.size, contents.sizeOf(5)]).toEqual([6, 10, 5]);
  expect([...contents.pieces(0, 3)]).toEqual([{ index: 0, offset: 0, at: 0, length: 3 }]);
  expect([...contents.pieces(2, 6)]).toEqual([
    { index: 0, offset: 2, at: 0, length: 1 },
    { index: 2, offset: 0, at: 1, length: 2 },
    { index: 5, offset: 0, at: 3, length: 3 },
  ]);
  expect([...contents.pieces(9, 100)]).toEqual([{ index: 5, offset: 4, at: 0, length: 1 }]);
  expect([...contents.pieces(10, 1)]).toEqual([]);
});
