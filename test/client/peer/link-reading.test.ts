import { expect, test } from "bun:test";

import { LinkReading } from "../../../src/client/peer/link-reading.ts";

test("links are read on when the disk has caught up, and a face", () => {
  const reading = new LinkReading();
  const [slow, quick] = [{}, {}];
  let readOn = 0;
  reading.set(slow, false);
  reading.hold(() => readOn++);
  reading.setDiskBehind(true);
  reading.set(quick, true);
  expect([reading.isPaused, readOn]).toEqual([true, 0]);
  reading.setDiskBehind(false);
  expect([reading.isPaused, readOn]).toEqual([false, 1]);
  reading.setDiskBehind(true);
  reading.hold(() => readOn++);
  reading.leave(quick);
  reading.setDiskBehind(false);
  expect([reading.isPaused, readOn]).toEqual([true, 1]);
  reading.set(slow, true);
  expect([reading.isPaused, readOn]).toEqual([false, 2]);
});
