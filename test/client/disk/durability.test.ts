import { describe, expect, test } from "bun:test";

import { Durability } from "../../../src/client/disk/durability.ts";
import { SyncError } from "../../../src/client/disk/write-ahead-log.ts";

/** A log whose syncs end when the test says so. */
class SlowLog {
  readonly ends: ((error: Error | null) => void)[] = [];
  syncsNow = 0;
  isBroken = false;

  sync(done: (error: Error | null) => void): void {
    this.ends.push(done);
  }

  syncNow(): void {
    if (this.isBroken) throw new Error("EIO");
    this.syncsNow++;
  }
}

function scene() {
  const log = new SlowLog();
  const told: string[] = [];
  const durability = new Durability(
    log,
    (error) => told.push(`failed ${error.code}`),
    (isBehind) => told.push(isBehind ? "behind" : "caught up"),
  );
  const say = (what: string) => () => void told.push(what);
  return { log, told, durability, say };
}

describe("what waits for the disk", () => {
  test("is released when the sync that covers it has ended, and what came meanwhile with the next one", () => {
    const { log, told, durability, say } = scene();
    durability.written(say("one"));
    durability.written(say("two"));
    durability.written(say("three"));
    expect([log.ends.length, told]).toEqual([1, []]);
    log.ends[0]?.(null);
    expect([log.ends.length, told]).toEqual([2, ["one"]]);
    log.ends[1]?.(null);
    expect([log.ends.length, told]).toEqual([2, ["one", "two", "three"]]);
    durability.written(say("four"));
    log.ends[2]?.(null);
    expect(told).toEqual(["one", "two", "three", "four"]);
  });

  test("is not overtaken, and what does not wait is done at once", () => {
    const { log, told, durability, say } = scene();
    durability.inOrder(say("at once"));
    durability.written(() => {
      told.push("one");
      durability.inOrder(say("after two"));
    });
    durability.inOrder(say("two"));
    expect(told).toEqual(["at once"]);
    durability.written(say("three"));
    durability.inOrder(say("four"));
    log.ends[0]?.(null);
    expect(told).toEqual(["at once", "one", "two"]);
    log.ends[1]?.(null);
    expect(told).toEqual(["at once", "one", "two", "three", "four", "after two"]);
    durability.inOrder(say("at once"));
    expect(told).toHaveLength(7);
  });

  test("settles after everything that was written before", async () => {
    const { log, told, durability, say } = scene();
    await durability.settled();
    durability.written(say("one"));
    const settled = durability.settled().then(say("settled"));
    log.ends[0]?.(null);
    log.ends[1]?.(null);
    await settled;
    expect(told).toEqual(["one", "settled"]);
  });

  test("is synced at once when too much waits", () => {
    const { log, told, durability, say } = scene();
    for (let index = 0; index < 65_536; index++) durability.written(() => undefined);
    expect(log.syncsNow).toBe(0);
    durability.written(say("last"));
    expect([log.syncsNow, told]).toEqual([1, ["last"]]);
    // The sync that was under way ends.
    log.ends[0]?.(null);
    durability.written(say("next"));
    expect([log.ends.length, told]).toEqual([2, ["last"]]);
    log.ends[1]?.(null);
    expect(told).toEqual(["last", "next"]);
  });
});

describe("of what peers send no more is to be read", () => {
  const half = 512 * 1024;

  test("while more than 1 MiB waits, and what has waited is told first", () => {
    const { log, told, durability, say } = scene();
    durability.taken(half, say("one"));
    durability.taken(half, say("two"));
    expect(told).toEqual([]);
    durability.taken(half, say("three"));
    expect(told).toEqual(["behind"]);
    log.ends[0]?.(null);
    expect(told).toEqual(["behind", "one", "caught up"]);
    durability.taken(half, say("four"));
    expect(told.at(-1)).toBe("behind");
    log.ends[1]?.(null);
    expect(told.slice(4)).toEqual(["two", "three", "caught up"]);
  });

  test("until the disk has failed: the links that end then are read", () => {
    const { log, told, durability } = scene();
    durability.taken(3 * half, () => void told.push("wrong"));
    log.ends[0]?.(new Error("EIO"));
    expect(told).toEqual(["behind", "failed SQLITE_IOERR_FSYNC", "caught up"]);
  });
});

describe("after a sync that has failed", () => {
  test("nothing counts as stored, although the next one might succeed", async () => {
    const { log, told, durability, say } = scene();
    durability.written(say("one"), (error) => told.push(`one: ${error.code}`));
    durability.inOrder(say("an event"));
    durability.inOrder(say("about a message"), say("nothing"));
    durability.written(say("two"), (error) => told.push(`two: ${error.code}`));
    const settled = durability.settled().catch((error: unknown) => error);
    durability.check();
    log.ends[0]?.(new Error("EIO"));
    const code = "SQLITE_IOERR_FSYNC";
    expect(told).toEqual([`one: ${code}`, "an event", "nothing", `two: ${code}`, `failed ${code}`]);
    expect(await settled).toBeInstanceOf(SyncError);
    expect(() => durability.check()).toThrow(SyncError);
    told.length = 0;
    durability.written(say("three"), say("not three"));
    durability.inOrder(say("four"));
    expect([log.ends.length, told]).toEqual([1, ["not three", "four"]]);
  });

  test("also when it kept the event loop waiting", () => {
    const { log, told, durability } = scene();
    log.isBroken = true;
    for (let index = 0; index <= 65_536; index++) durability.written(() => void told.push("wrong"));
    log.ends[0]?.(null);
    expect(told).toEqual(["failed SQLITE_IOERR_FSYNC"]);
  });
});
