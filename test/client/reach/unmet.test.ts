import { expect, test } from "bun:test";

import { unmetBecause } from "../../../src/client/reach/unmet.ts";

test.each([
  ["no_seat", "auto", 1, "meeting_blocked"],
  ["relay_full", "auto", 1, "relay_full"],
  ["relay_full", "only", undefined, "relay_full"],
  ["relay_full", "auto", 0, "relay_off"],
  ["no_way", "auto", 1, "no_way"],
  ["no_way", "never", 1, "relay_never"],
  // The other side has not come, or has left: whatever this side uses, that is the reason.
  ["alone", "never", 1, "no_way"],
  ["gone", "never", 1, "no_way"],
  ["not_proven", "auto", 1, "no_way"],
] as const)(
  "a meeting that ends with %s, with --relay %s and %p bytes left, says %s",
  (failure, relay, left, reason) => {
    expect(unmetBecause(failure, relay, left)).toBe(reason);
  },
);
