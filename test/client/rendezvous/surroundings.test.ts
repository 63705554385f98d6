import { join } from "node:path";

import { expect, test } from "bun:test";

import { SLEPT, surroundingsChange, type Surroundings } from "../../../src/client/rendezvous/surroundings.ts";

const BEFORE: Surroundings = { now: 1_800_000_000_000, monotonic: 5_000, network: "192.0.2.1 192.0.2.254" };

/** The surroundings after `shown` ms of the wall clock and `passed` ms of the monotonic one. */
function change(shown: number, passed: number, network = BEFORE.network) {
  const { now, monotonic } = BEFORE;
  return surroundingsChange(BEFORE, { now: now + shown, monotonic: monotonic + passed, network });
}

test("an ordinary second, a late check and a small correction of the clock are no change", () => {
  expect(change(0, 0)).toBeUndefined();
  expect(change(1_000, 1_000)).toBeUndefined();
  expect(change(SLEPT - 1, SLEPT - 1)).toBeUndefined();
  expect(change(1_000 + SLEPT - 1, 1_000)).toBeUndefined();
  expect(change(1_000 - SLEPT + 1, 1_000)).toBeUndefined();
});

test("sleep is noticed whether or not the monotonic clock stopped", () => {
  expect(change(8 * 3_600_000, 8 * 3_600_000)).toBe("slept");
  expect(change(8 * 3_600_000, 1_000)).toBe("slept");
  expect(change(SLEPT, SLEPT)).toBe("slept");
});

test("a clock that was set, forwards or back, counts as sleep", () => {
  expect(change(3_600_000, 1_000)).toBe("slept");
  expect(change(-3_600_000, 1_000)).toBe("slept");
});

test("a route that comes after its address is a move: what was tried before it led nowhere", () => {
  expect(change(1_000, 1_000, "192.0.2.1 ")).toBe("moved");
});

test("changed addresses are a move, also after sleep, and also if none is left", () => {
  expect(change(1_000, 1_000, "198.51.100.7")).toBe("moved");
  expect(change(8 * 3_600_000, 1_000, "198.51.100.7")).toBe("moved");
  expect(change(1_000, 1_000, "")).toBe("moved");
});

test("while this process has too many open files, the addresses and routers are those of before", () => {
  const script = `
    import { openSync } from "node:fs";
    import { surroundings } from "./src/client/rendezvous/surroundings.ts";
    const network = () => surroundings({ now: () => 0, monotonic: () => 0 }).network;
    const before = network();
    try {
      for (;;) openSync("/dev/null");
    } catch (error) {
      console.log(error.code, network() === before);
    }`;
  const limited = 'ulimit -n 64; exec "$0" -e "$1"';
  const { stdout, stderr } = Bun.spawnSync(["sh", "-c", limited, process.execPath, script], {
    cwd: join(import.meta.dir, "../../.."),
  });
  expect([stdout.toString(), stderr.toString()]).toEqual(["EMFILE true\n", ""]);
});
