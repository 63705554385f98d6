import { expect, test } from "bun:test";

import { unsynced } from "./torture/power-cut.ts";

/** What is unsynced of the log after these lines of strace, as `start-end`. */
function left(...lines: string[]): string[] {
  const ranges = unsynced(lines.join("\n")).get("/p.db-wal") ?? [];
  return [...ranges].map(({ start, end }) => `${start}-${end}`);
}

const write = (place: number) => `7 pwrite64(6</p.db-wal>, ""..., 10, ${place}) = 10`;
const SYNC = "8 fdatasync(9</p.db-wal>) = 0 (DELAYED)";

test("what was written before a sync is on the disk, and nothing else", () => {
  expect(left(write(0), write(10))).toEqual(["0-10", "10-20"]);
  expect(left(write(0), SYNC, write(10))).toEqual(["10-20"]);
  expect(left(write(0), "7 fsync(6</p.db-wal>) = 0")).toEqual([]);
  expect(left(write(0), "7 fsync(5</p.db>) = 0")).toEqual(["0-10"]);
  expect(left(write(0), "8 fdatasync(9</p.db-wal>) = -1 EIO (Input/output error)")).toEqual(["0-10"]);
  expect(left(write(0), write(10), "7 ftruncate(6</p.db-wal>, 10) = 0")).toEqual(["0-10"]);
});

test("what is written during a sync is not, nor anything of a sync that has not ended", () => {
  const begins = "8 fdatasync(9</p.db-wal> <unfinished ...>";
  const ends = "8 <... fdatasync resumed>) = 0 (DELAYED)";
  expect(left(write(0), begins, write(10), ends)).toEqual(["10-20"]);
  expect(left(write(0), begins, write(10))).toEqual(["0-10", "10-20"]);
  expect(left(write(0), begins, "8 <... fdatasync resumed> <unfinished ...>) = ?")).toEqual(["0-10"]);
});

test("a write that is not over when a sync begins is not", () => {
  const begins = `7 pwrite64(6</p.db-wal>, ""..., 10, 0 <unfinished ...>`;
  expect(left(begins, SYNC, "7 <... pwrite64 resumed>) = 10")).toEqual(["0-10"]);
  expect(left(begins, SYNC, "7 <... pwrite64 resumed>) = 10", SYNC)).toEqual([]);
  expect(left(begins)).toEqual(["0-10"]);
});
