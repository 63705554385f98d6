import { expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { FileSource } from "../../../src/client/file/file-source.ts";
import { allOf, faultOf, noise, withScene } from "./scene.ts";

test("a file is read from any place, to its end", () =>
  withScene(async ({ parent }) => {
    const path = join(parent, "sent");
    writeFileSync(path, noise(300_001));
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const source = await FileSource.open(path);
    expect([source.size, source.modified]).toEqual([300_001, 1_700_000_000_000]);
    expect(await allOf(source)).toEqual(Buffer.from(noise(300_001)));
    const end = new Uint8Array(10);
    expect(await source.read(299_999, end)).toBe(2);
    expect(await source.read(400_000, end)).toBe(0);
    await source.check();
    source.close();
  }));

test("what is no file is not offered, and nothing waits for the other end of a pipe", () =>
  withScene(async ({ parent }) => {
    const pipe = join(parent, "pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    symlinkSync("nowhere", join(parent, "dangling"));
    expect(await faultOf(FileSource.open(pipe))).toBe("not_a_file");
    expect(await faultOf(FileSource.open(parent))).toBe("not_a_file");
    expect(await faultOf(FileSource.open("/dev/null"))).toBe("not_a_file");
    // Its size is 0, and it has content.
    if (existsSync("/proc/version"))
      expect(await faultOf(FileSource.open("/proc/version"))).toBe("not_a_file");
    expect(await faultOf(FileSource.open(join(parent, "none")))).toBe("no_such_file");
    expect(await faultOf(FileSource.open(join(parent, "dangling")))).toBe("no_such_file");
  }));

const CHANGES: readonly [string, string, (path: string) => void][] = [
  ["longer", "changed", (path) => appendFileSync(path, "x")],
  ["shorter", "changed", (path) => truncateSync(path, 10)],
  ["written again", "changed", (path) => utimesSync(path, 5, 5)],
  ["gone", "gone", (path) => rmSync(path)],
  [
    "replaced",
    "changed",
    (path) => {
      writeFileSync(`${path}.new`, noise(1_000, 2));
      utimesSync(`${path}.new`, 4, 4);
      renameSync(`${path}.new`, path);
    },
  ],
];

test.each(CHANGES)("a file that is %s since the offer is noticed: %s", (_, code, change) =>
  withScene(async ({ parent }) => {
    const path = join(parent, "sent");
    writeFileSync(path, noise(1_000));
    utimesSync(path, 4, 4);
    const source = await FileSource.open(path);
    const again = await FileSource.open(path, source.identity);
    again.close();
    change(path);
    expect(await faultOf(source.check())).toBe(code);
    expect(await faultOf(FileSource.open(path, source.identity))).toBe(code);
    source.close();
  }),
);

test("a file that becomes shorter while it is read gives no made-up bytes", () =>
  withScene(async ({ parent }) => {
    const path = join(parent, "sent");
    writeFileSync(path, noise(1_000));
    const source = await FileSource.open(path);
    truncateSync(path, 500);
    expect(await faultOf(source.read(0, new Uint8Array(1_000)))).toBe("changed");
    source.close();
  }));
