import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FREE_FLOOR, FreeSpace, isLowDisk } from "../../../src/client/disk/free-space.ts";

const GIB = 2 ** 30;

/** Whether this much free space of a disk of this size is too little. */
function isLow(size: number, free: number): boolean {
  const blocks = { bsize: 4_096, blocks: size / 4_096, bavail: free / 4_096 };
  return new FreeSpace(
    "",
    () => 0,
    () => blocks,
  ).isLow;
}

test("a disk is low below 256 MiB, or below 1 % of it if that is less", () => {
  expect(isLow(1_000 * GIB, FREE_FLOOR)).toBe(false);
  expect(isLow(1_000 * GIB, FREE_FLOOR - 4_096)).toBe(true);
  expect(isLow(400 * 4_096, 4 * 4_096)).toBe(false);
  expect(isLow(400 * 4_096, 3 * 4_096)).toBe(true);
});

test("the system is asked once a second, and its answer can change", () => {
  let now = 0;
  let bavail = 1_000;
  const space = new FreeSpace(
    "",
    () => now,
    () => ({ bsize: 4_096, blocks: 1_000, bavail }),
  );
  const check = () => space.check();
  check();
  bavail = 0;
  now = 999;
  check();
  now = 1_000;
  expect(check).toThrow();
  try {
    check();
  } catch (error) {
    expect(isLowDisk(error)).toBe(true);
  }
  bavail = 1_000;
  now = 2_000;
  check();
});

test("a real disk answers", () => {
  expect(typeof new FreeSpace(tmpdir()).isLow).toBe("boolean");
});

test("a folder that is gone is not a full disk", () => {
  expect(new FreeSpace(join(tmpdir(), "paloma-no-such-folder")).isLow).toBe(false);
});
