import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { namedPath, temporaryName } from "../../../src/client/file/file-sink.ts";
import { FolderSink } from "../../../src/client/file/folder-sink.ts";
import { FolderSource } from "../../../src/client/file/folder-source.ts";
import { fillDisk, mountSmallDisk } from "../../integration/small-disk.ts";
import { allOf, faultOf, noise, received, withScene, type Scene } from "./scene.ts";

const TIME = 1_700_000_000;
const TEMPORARY = temporaryName("k1");

/** Makes files, and folders where a path ends in `/`, all of the same age. */
function makeTree(root: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(join(root, path.endsWith("/") ? path : dirname(path)), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(join(root, path), bytes);
    utimesSync(join(root, path), TIME, TIME);
  }
  utimesSync(root, TIME, TIME);
  return root;
}

/** Every path below a folder with its bytes; `undefined`: a folder. */
function contentsOf(root: string): Map<string, string | undefined> {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
  return new Map(
    paths.map((path) => {
      const file = join(root, path);
      return [path, lstatSync(file).isFile() ? readFileSync(file, "latin1") : undefined];
    }),
  );
}

const FILES = {
  "a.txt": "123",
  "deep/er/b.bin": noise(3_000_001),
  "deep/empty": "",
  "deep/c": noise(500_000, 2),
  "nothing/here/": "",
  ".hidden/d": "4",
};

const openSink = (scene: Scene, { size, entries }: FolderSource) =>
  FolderSink.open({ ...scene.place("tree"), modified: TIME * 1000 }, { size, entries });

test("a folder arrives with its empty files and folders, and their times", () =>
  withScene(async (scene) => {
    const root = makeTree(join(scene.parent, "sent"), FILES);
    const source = await FolderSource.open(root);
    expect([source.entries, source.leftOut, source.modified]).toEqual([6, undefined, TIME * 1000]);
    const path = await received(source, await openSink(scene, source));
    expect(path).toBe(join(scene.folder, "tree"));
    expect(contentsOf(path)).toEqual(contentsOf(root));
    for (const file of ["a.txt", "deep/er/b.bin", "deep/empty", "nothing/here", ""]) {
      expect([file, statSync(join(path, file)).mtimeMs]).toEqual([file, TIME * 1000]);
    }
    const umask = process.umask();
    expect(statSync(join(path, "a.txt")).mode & 0o7777).toBe(0o666 & ~umask);
    for (const folder of ["", "deep"]) {
      expect(statSync(join(path, folder)).mode & 0o7777).toBe(0o777 & ~umask);
    }
    expect(readdirSync(scene.folder)).toEqual(["tree"]);
  }));

test("an empty folder, and one of empty files", () =>
  withScene(async (scene) => {
    for (const files of [{}, { a: "", "b/c": "" }]) {
      const root = makeTree(join(scene.parent, `sent-${Object.keys(files).length}`), { "./": "", ...files });
      const source = await FolderSource.open(root);
      const path = await received(source, await openSink(scene, source));
      expect(contentsOf(path)).toEqual(contentsOf(root));
      rmSync(join(scene.parent, "notes"), { recursive: true });
    }
    expect(readdirSync(scene.folder).sort()).toEqual(["tree", "tree (2)"]);
  }));

test("links, special files and names that are no text are left out, and named", () =>
  withScene(async (scene) => {
    const root = makeTree(join(scene.parent, "sent"), { "a/file": "1" });
    symlinkSync("/etc/passwd", join(root, "link"));
    symlinkSync("a", join(root, "a/folder-link"));
    Bun.spawnSync(["mkfifo", join(root, "a/pipe")]);
    Bun.spawnSync(["sh", "-c", "touch \"$(printf 'no-\\377-text')\""], { cwd: root });
    const source = await FolderSource.open(root);
    expect(source.entries).toBe(1);
    expect(source.leftOut).toEqual({
      count: 4,
      paths: ["a/folder-link", "a/pipe", "link", "no-\ufffd-text"],
    });
    const path = await received(source, await openSink(scene, source));
    expect([...contentsOf(path).keys()]).toEqual(["a", "a/file"]);
  }));

test("hostile names arrive beside each other, and nowhere else", () =>
  withScene(async (scene) => {
    const names = [
      "a\\b",
      "c:d",
      "con",
      "x\ny",
      "\u202ecod",
      "e.",
      "e",
      "E",
      " f",
      "é",
      "e\u0301",
      "-rf",
      "q?*",
    ];
    const root = makeTree(join(scene.parent, "sent"), Object.fromEntries(names.map((name) => [name, name])));
    const source = await FolderSource.open(root);
    const path = await received(source, await openSink(scene, source));
    expect([...contentsOf(path).values()].sort()).toEqual([...contentsOf(root).values()].sort());
    expect(readdirSync(path).sort()).toEqual(
      ["-rf", "_con", "a_b", "c_d", "cod", "E", "e (2)", "e (3)", "f", "q__", "x␊y", "é", "é (2)"].sort(),
    );
    expect(readdirSync(scene.folder)).toEqual(["tree"]);
  }));

test.each(["changed", "gone", "new", "replaced by a link"])("a file that is %s is noticed", (what) =>
  withScene(async (scene) => {
    const root = makeTree(join(scene.parent, "sent"), { a: "123", b: "456" });
    const source = await FolderSource.open(root);
    const again = await FolderSource.open(root, source.identity);
    again.close();
    if (what === "changed") writeFileSync(join(root, "a"), "124");
    else if (what === "new") writeFileSync(join(root, "c"), "");
    else rmSync(join(root, "a"));
    if (what === "replaced by a link") symlinkSync("b", join(root, "a"));
    expect(await faultOf(source.check())).toBe(what === "new" ? undefined : "changed");
    expect(await faultOf(FolderSource.open(root, source.identity))).toBe("changed");
    const isMissing = what === "gone" || what === "replaced by a link";
    expect(await faultOf(allOf(source))).toBe(isMissing ? "changed" : undefined);
    rmSync(root, { recursive: true });
    expect(await faultOf(source.check())).toBe("gone");
  }),
);

test("a folder with a file that may not be read is not offered", () =>
  withScene(async (scene) => {
    if (process.getuid?.() === 0) return;
    const root = makeTree(join(scene.parent, "sent"), { a: "123" });
    chmodSync(join(root, "a"), 0);
    expect(await faultOf(FolderSource.open(root))).toBe("not_readable");
  }));

test("what was received is there after a restart at any leaf", () =>
  withScene(async (scene) => {
    const root = makeTree(join(scene.parent, "sent"), FILES);
    const size = (await FolderSource.open(root)).size;
    const leaf = 1024 * 1024;
    const buffer = Buffer.alloc(leaf);
    for (let offset = 0; offset < size; offset += leaf) {
      const source = await FolderSource.open(root);
      const sink = await openSink(scene, source);
      expect(Buffer.compare(await allOf(sink), (await allOf(source)).subarray(0, offset))).toBe(0);
      const count = await source.read(offset, buffer);
      await sink.write(offset, buffer.subarray(0, count));
      sink.close();
    }
    const source = await FolderSource.open(root);
    const last = await openSink(scene, source);
    expect(Buffer.compare(await allOf(last), await allOf(source))).toBe(0);
    expect(contentsOf(await last.finish())).toEqual(contentsOf(root));
    last.close();
    // The end was not noted before the crash.
    expect(await namedPath(scene.place("tree"))).toBe(join(scene.folder, "tree"));
    expect(readdirSync(scene.folder)).toEqual(["tree"]);
  }));

test("a listing that comes in pieces is put together", () =>
  withScene(async (scene) => {
    const root = makeTree(join(scene.parent, "sent"), { a: "123", "b/c": "4", ñ: "5" });
    const source = await FolderSource.open(root);
    const bytes = await allOf(source);
    const sink = await openSink(scene, source);
    for (let offset = 0; offset < bytes.length; offset++) {
      await sink.write(offset, bytes.subarray(offset, offset + 1));
    }
    expect(contentsOf(await sink.finish())).toEqual(contentsOf(root));
    sink.close();
  }));

test("a listing that a disk has damaged is no listing, and what was written by it goes", () =>
  withScene(async (scene) => {
    const root = makeTree(join(scene.parent, "sent"), { a: "123", b: "456" });
    const source = await FolderSource.open(root);
    const sink = await openSink(scene, source);
    await sink.write(0, await allOf(source));
    sink.close();
    const notes = join(scene.parent, "notes");
    const [listing = ""] = readdirSync(notes);
    const bytes = readFileSync(join(notes, listing));
    bytes[2] = "c".charCodeAt(0);
    writeFileSync(join(notes, listing), bytes);
    const second = await openSink(scene, source);
    expect((await allOf(second)).length).toBe(0);
    expect(readdirSync(join(scene.folder, TEMPORARY, "tree"))).toEqual([]);
    expect(contentsOf(await received(source, second))).toEqual(contentsOf(root));
  }));

const LINE = (path: string, size: number) => `${JSON.stringify([path, size, "2026-11-30T12:00:00Z"])}\n`;
const LISTING = `${LINE("a", 2)}${LINE("b", 1)}\n`;
const SIZE = LISTING.length + 3;

test.each([
  ["with more entries than were offered", LISTING, SIZE, 1],
  ["with fewer entries", LISTING, SIZE, 3],
  ["with sizes that do not sum up", LISTING, SIZE + 1, 2],
  ["of two of one name", `${LINE("a", 1)}${LINE("a", 1)}\n`, SIZE, 2],
  ["that leads outside", `${LINE("../a", 1)}\n`, SIZE, 1],
  ["without an entry", "\n", 4, 0],
  ["that is no text", Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x0a, 0x0a]), SIZE, 1],
  ["that begins with an empty line", "\n\n", SIZE, 1],
])("a listing %s is refused", (_, listing, size, entries) =>
  withScene(async (scene) => {
    const sink = await FolderSink.open(scene.place("tree"), { size, entries });
    const bytes = Buffer.concat([Buffer.from(listing as Buffer), Buffer.alloc(3)]).subarray(0, size);
    const fault = (await faultOf(sink.write(0, bytes))) ?? (await faultOf(sink.finish()));
    expect(fault).toBe("bad_listing");
    await sink.discard();
    expect(readdirSync(scene.folder)).toEqual([]);
    expect(existsSync(join(scene.parent, "a"))).toBe(false);
  }),
);

test("a listing without end, and bytes before it, are refused", () =>
  withScene(async (scene) => {
    const sink = await FolderSink.open(scene.place("tree"), { size: 2 ** 40, entries: 9 });
    expect(await faultOf(sink.write(5, Buffer.from("x")))).toBe("bad_listing");
    const block = Buffer.alloc(8 * 1024 * 1024, "x");
    const faults: unknown[] = [];
    for (let index = 0; index < 5; index++)
      faults.push(await faultOf(sink.write(index * block.length, block)));
    expect(faults.at(-1)).toBe("bad_listing");
    await sink.discard();
  }));

test("another listing, more bytes than were offered, and missing ones", () =>
  withScene(async (scene) => {
    const sink = await FolderSink.open(scene.place("tree"), { size: SIZE, entries: 2 });
    await sink.write(0, Buffer.from(`${LISTING}12`));
    await sink.write(0, Buffer.from(LISTING));
    expect(await faultOf(sink.write(0, Buffer.from(LISTING.replace("a", "c"))))).toBe("bad_listing");
    expect(await faultOf(sink.write(SIZE - 1, Buffer.from("34")))).toBe("too_large");
    expect(await faultOf(sink.finish())).toBe("damaged");
    await sink.write(SIZE - 1, Buffer.from("3"));
    expect([...contentsOf(await sink.finish())]).toEqual([
      ["a", "12"],
      ["b", "3"],
    ]);
    sink.close();
  }));

test("a name that is taken gets a number, and nothing is put into what is there", () =>
  withScene(async (scene) => {
    makeTree(join(scene.folder, "tree"), { own: "1" });
    symlinkSync(scene.parent, join(scene.folder, "tree (2)"));
    const sink = await FolderSink.open(scene.place("tree"), { size: SIZE, entries: 2 });
    await sink.write(0, Buffer.from(`${LISTING}123`));
    expect(await sink.finish()).toBe(join(scene.folder, "tree (3)"));
    sink.close();
    expect(readdirSync(join(scene.folder, "tree"))).toEqual(["own"]);
  }));

test("a folder that is replaced by a link meanwhile leads nowhere else", () =>
  withScene(async (scene) => {
    const outside = join(scene.parent, "outside");
    mkdirSync(outside);
    const sink = await FolderSink.open(scene.place("tree"), { size: SIZE, entries: 2 });
    renameSync(scene.folder, `${scene.folder}.moved`);
    symlinkSync(outside, scene.folder);
    await sink.write(0, Buffer.from(`${LISTING}12`));
    const tree = join(`${scene.folder}.moved`, TEMPORARY, "tree");
    renameSync(tree, `${tree}.moved`);
    symlinkSync(outside, tree);
    rmSync(join(`${tree}.moved`, "b"), { force: true });
    symlinkSync(join(outside, "b"), join(`${tree}.moved`, "b"));
    expect(await faultOf(sink.write(SIZE - 1, Buffer.from("3")))).toBe("unwritable");
    sink.close();
    expect(readdirSync(outside)).toEqual([]);
  }));

test("what has our temporary name and is no folder takes nothing", () =>
  withScene(async (scene) => {
    symlinkSync(scene.parent, join(scene.folder, TEMPORARY));
    const sink = await FolderSink.open(scene.place("tree"), { size: SIZE, entries: 2 });
    await sink.write(0, Buffer.from(`${LISTING}123`));
    sink.close();
    rmSync(join(scene.folder, TEMPORARY), { recursive: true });
    symlinkSync(scene.parent, join(scene.folder, TEMPORARY));
    expect(await faultOf(FolderSink.open(scene.place("tree"), { size: SIZE, entries: 2 }))).toBe(
      "unwritable",
    );
    expect(existsSync(join(scene.parent, "tree"))).toBe(false);
  }));

test("a full disk is told apart, and the same folder goes on when there is room", () =>
  withScene(async (scene) => {
    const root = makeTree(join(scene.parent, "sent"), FILES);
    const unmount = mountSmallDisk(scene.folder, 8_192);
    if (unmount === undefined) return;
    try {
      const source = await FolderSource.open(root);
      const sink = await openSink(scene, source);
      fillDisk(join(scene.folder, "filler"), 1_000_000);
      const bytes = await allOf(source);
      expect(await faultOf(sink.write(0, bytes))).toBe("no_space");
      rmSync(join(scene.folder, "filler"));
      await sink.write(0, bytes);
      expect(contentsOf(await sink.finish())).toEqual(contentsOf(root));
      sink.close();
    } finally {
      unmount();
    }
  }));
