import { expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { isRoomFor } from "../../../src/client/disk/free-space.ts";
import { FileSink, namedPath, temporaryName } from "../../../src/client/file/file-sink.ts";
import { TargetFolder } from "../../../src/client/file/target-folder.ts";
import { fillDisk, mountReadOnly, mountSmallDisk } from "../../integration/small-disk.ts";
import { allOf, faultOf, noise, withScene } from "./scene.ts";

const TEMPORARY = temporaryName("k1");

test("a file has its name when it is complete, its time, and may not be executed", () =>
  withScene(async ({ folder, place }) => {
    const sink = await FileSink.open({ ...place("a.txt"), modified: 1_700_000_000_000 }, 9);
    await sink.write(3, Buffer.from("456"));
    await Promise.all([sink.write(6, Buffer.from("789")), sink.write(0, Buffer.from("123"))]);
    expect(readdirSync(folder)).toEqual([TEMPORARY]);
    expect(await sink.finish()).toBe(join(folder, "a.txt"));
    sink.close();
    expect(readdirSync(folder)).toEqual(["a.txt"]);
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("123456789");
    const { mode, mtimeMs } = statSync(join(folder, "a.txt"));
    expect([mode & 0o7777, mtimeMs]).toEqual([0o666 & ~process.umask(), 1_700_000_000_000]);
  }));

test("a file without a byte, and one of unknown size", () =>
  withScene(async ({ folder, place }) => {
    const empty = await FileSink.open(place("empty"), 0);
    await empty.finish();
    empty.close();
    const unknown = await FileSink.open({ ...place("unknown"), key: "k2", notes: `${folder}.2` }, undefined);
    await unknown.write(0, Buffer.from("any"));
    await unknown.finish();
    unknown.close();
    expect(readFileSync(join(folder, "empty"), "utf8")).toBe("");
    expect(readFileSync(join(folder, "unknown"), "utf8")).toBe("any");
  }));

test("a name that is taken gets a number, whatever has it", () =>
  withScene(async ({ folder, parent, place }) => {
    writeFileSync(join(folder, "a.tar.gz"), "old");
    mkdirSync(join(folder, "a (2).tar.gz"));
    symlinkSync(join(parent, "outside"), join(folder, "a (3).tar.gz"));
    const sink = await FileSink.open(place("a.tar.gz"), 3);
    await sink.write(0, Buffer.from("new"));
    expect(await sink.finish()).toBe(join(folder, "a (4).tar.gz"));
    sink.close();
    expect(readFileSync(join(folder, "a.tar.gz"), "utf8")).toBe("old");
    expect(existsSync(join(parent, "outside"))).toBe(false);
  }));

test("more bytes than were offered are not taken, and fewer are no file", () =>
  withScene(async ({ folder, place }) => {
    const sink = await FileSink.open(place("a"), 3);
    expect(await faultOf(sink.write(1, Buffer.from("123")))).toBe("too_large");
    expect(await faultOf(sink.write(2 ** 50, Buffer.from("1")))).toBe("too_large");
    await sink.write(0, Buffer.from("12"));
    expect(await faultOf(sink.finish())).toBe("damaged");
    sink.close();
    expect(readdirSync(folder)).toEqual([TEMPORARY]);
  }));

test("what was received is there after a restart, also when it has its name already", () =>
  withScene(async ({ folder, place }) => {
    const first = await FileSink.open(place("a"), 6);
    await first.write(0, Buffer.from("123"));
    first.close();
    const second = await FileSink.open(place("a"), 6);
    expect((await allOf(second)).toString()).toBe("123");
    await second.write(3, Buffer.from("456"));
    await second.finish();
    second.close();
    expect(await namedPath(place("a"))).toBe(join(folder, "a"));
    expect(readdirSync(folder)).toEqual(["a"]);
  }));

test("a crash between the two names of a file leaves one", () =>
  withScene(async ({ folder, place }) => {
    const first = await FileSink.open(place("a"), 3);
    await first.write(0, Buffer.from("123"));
    await first.finish();
    first.close();
    linkSync(join(folder, "a"), join(folder, TEMPORARY));
    expect(await namedPath(place("a"))).toBe(join(folder, "a"));
    expect(readdirSync(folder)).toEqual(["a"]);
  }));

test("a file of somebody else under the noted name is left alone", () =>
  withScene(async ({ folder, place }) => {
    const first = await FileSink.open(place("a"), 3);
    await first.write(0, Buffer.from("123"));
    await first.finish();
    first.close();
    renameSync(join(folder, "a"), join(folder, "moved"));
    writeFileSync(join(folder, "a"), "own");
    expect(await namedPath(place("a"))).toBeUndefined();
    const second = await FileSink.open(place("a"), 3);
    expect(await second.read(0, new Uint8Array(3))).toBe(0);
    await second.write(0, Buffer.from("456"));
    expect(await second.finish()).toBe(join(folder, "a (2)"));
    second.close();
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("own");
  }));

test("nothing is written through a link that has our temporary name", () =>
  withScene(async ({ folder, parent, place }) => {
    const outside = join(parent, "outside");
    writeFileSync(outside, "own");
    symlinkSync(outside, join(folder, TEMPORARY));
    expect(await faultOf(FileSink.open(place("a"), 3))).toBe("unwritable");
    rmSync(join(folder, TEMPORARY));
    linkSync(outside, join(folder, TEMPORARY));
    expect(await faultOf(FileSink.open(place("a"), 3))).toBe("unwritable");
    expect(readFileSync(outside, "utf8")).toBe("own");
  }));

test("a folder that is replaced by a link meanwhile leads nowhere else", () =>
  withScene(async ({ folder, parent, place }) => {
    const outside = join(parent, "outside");
    mkdirSync(outside);
    const sink = await FileSink.open(place("a"), 3);
    renameSync(folder, `${folder}.moved`);
    symlinkSync(outside, folder);
    await sink.write(0, Buffer.from("123"));
    expect(await sink.finish()).toBe(join(`${folder}.moved`, "a"));
    sink.close();
    expect(readdirSync(outside)).toEqual([]);
    expect(await faultOf(FileSink.open(place("a"), 3))).toBe("unwritable");
    expect(readdirSync(outside)).toEqual([]);
  }));

test("where open files are no paths, a folder that was replaced is noticed before and after", () =>
  withScene(async ({ folder, parent }) => {
    const outside = join(parent, "outside");
    mkdirSync(outside);
    const target = await TargetFolder.open(folder, join(parent, "no-such-folder"));
    await (await target.makeFile("a")).close();
    const swap = () => {
      renameSync(folder, `${folder}.moved`);
      symlinkSync(outside, folder);
    };
    const swapped = target.within("b", async () => swap());
    expect(await faultOf(swapped)).toBe("unwritable");
    expect(await faultOf(target.makeFile("b"))).toBe("unwritable");
    target.close();
    expect(readdirSync(outside)).toEqual([]);
  }));

test("where open files are no paths, what was opened elsewhere is closed again", () =>
  withScene(async ({ folder, parent }) => {
    const target = await TargetFolder.open(folder, join(parent, "no-such-folder"));
    const opened: FileHandle[] = [];
    const swapped = target.within(
      "a",
      async (path) => {
        opened.push(await open(path, "w"));
        renameSync(folder, `${folder}.moved`);
        return opened[0];
      },
      (handle) => handle?.close(),
    );
    expect(await faultOf(swapped)).toBe("unwritable");
    target.close();
    expect(opened[0]?.fd).toBe(-1);
  }));

test("a link in the path of a folder is followed once, when the person names it", () =>
  withScene(async ({ folder, parent }) => {
    const link = join(parent, "link");
    symlinkSync(folder, link);
    expect(await TargetFolder.resolve(link)).toBe(await TargetFolder.resolve(folder));
    expect(await faultOf(TargetFolder.open(link))).toBe("unwritable");
    expect(await faultOf(TargetFolder.resolve(join(parent, "none")))).toBe("unwritable");
    writeFileSync(join(parent, "file"), "");
    expect(await faultOf(TargetFolder.resolve(join(parent, "file")))).toBe("unwritable");
  }));

test("a folder that takes nothing is told before anything is received", () =>
  withScene(async ({ folder }) => {
    const unmount = mountReadOnly(folder);
    if (unmount === undefined) return;
    try {
      expect(await faultOf(TargetFolder.resolve(folder))).toBe("unwritable");
    } finally {
      unmount();
    }
  }));

test("a full disk is told apart, and the same file goes on when there is room", () =>
  withScene(async ({ folder, place }) => {
    const unmount = mountSmallDisk(folder, 4_096);
    if (unmount === undefined) return;
    try {
      expect(await isRoomFor(folder, 3 * 1024 * 1024)).toBe(true);
      expect(await isRoomFor(folder, 2 ** 50)).toBe(false);
      const sink = await FileSink.open(place("a"), 2_000_000);
      await sink.write(0, noise(1_000_000));
      fillDisk(join(folder, "filler"), 500_000);
      expect(await faultOf(sink.write(1_000_000, noise(1_000_000, 2)))).toBe("no_space");
      rmSync(join(folder, "filler"));
      await sink.write(1_000_000, noise(1_000_000, 2));
      await sink.finish();
      sink.close();
      expect(readFileSync(join(folder, "a"))).toEqual(Buffer.concat([noise(1_000_000), noise(1_000_000, 2)]));
    } finally {
      unmount();
    }
  }));
