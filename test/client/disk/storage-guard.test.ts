import { expect, test } from "bun:test";

import { StorageGuard } from "../../../src/client/disk/storage-guard.ts";

const FULL = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });

test("a failure of storage is reported, and any other error is thrown", () => {
  const reported: Error[] = [];
  const storage = new StorageGuard((error) => reported.push(error));
  const throwing = (error: Error) => () => {
    throw error;
  };
  expect(storage.attempt(() => 7)).toBe(7);
  expect(storage.attempt(throwing(FULL))).toBeUndefined();
  expect(() => storage.attempt(throwing(new TypeError("a bug")))).toThrow("a bug");
  expect(() => storage.failed(new TypeError("a bug"))).toThrow("a bug");
  storage.failed(FULL);
  expect(reported).toEqual([FULL, FULL]);
});
