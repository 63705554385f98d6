import { describe, expect, test } from "bun:test";

import { compareVersions, REQUIRED_BUN, runtimeRefusal } from "../../../src/protocol/start/runtime.ts";

describe("versions", () => {
  test.each([
    ["1.4.5", "1.4.5", 0],
    ["1.4.4", "1.4.5", -1],
    ["1.4.6", "1.4.5", 1],
    ["1.4.10", "1.4.5", 1],
    ["1.10.0", "1.4.5", 1],
    ["2.0.0", "1.4.5", 1],
    ["1.3.99", "1.4.5", -1],
    ["0.9.9", "1.4.5", -1],
    ["1.4.5-canary", "1.4.5", 0],
    ["1.4.5-canary.20+a7733435c", "1.4.5", 0],
    ["1.4.4-canary.20", "1.4.5", -1],
    ["1.4", "1.4.5", -1],
    ["", "1.4.5", -1],
  ])("%s beside %s: %d", (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
    expect(Math.sign(compareVersions(b, a)) + sign).toBe(0);
  });
});

test("this Bun is new enough, as package.json says too", async () => {
  expect(runtimeRefusal()).toBeUndefined();
  const manifest: { engines: { bun: string } } = await Bun.file(
    `${import.meta.dir}/../../../package.json`,
  ).json();
  expect(manifest.engines.bun).toBe(`>=${REQUIRED_BUN}`);
});
