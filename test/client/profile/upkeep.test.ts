import { expect, test } from "bun:test";

import { StoreUpkeep } from "../../../src/client/profile/upkeep.ts";
import { withScene, type MessageScene } from "../message-scene.ts";

const rewriteSmall = () => undefined;
const fails = () => {
  throw Object.assign(new Error("disk full"), { code: "SQLITE_FULL" });
};

/** The scene's stores with some of them replaced. */
function storesOf(
  scene: MessageScene,
  other: Partial<ConstructorParameters<typeof StoreUpkeep>[0]> = {},
): ConstructorParameters<typeof StoreUpkeep>[0] {
  const { messages, search, wipe, revocations } = scene;
  return { messages, search, wipe, revocations, noteDamage: () => undefined, ...other };
}

test("words are indexed while nothing is written, and not while messages arrive", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    const upkeep = new StoreUpkeep(storesOf(scene));
    scene.receive(ana, "1");
    upkeep.tick();
    scene.receive(ana, "2");
    upkeep.tick();
    expect(scene.search.isBehind).toBe(true);
    // How much one tick indexes depends on the machine.
    for (let ticks = 0; scene.search.isBehind && ticks < 1_000; ticks++) upkeep.tick();
    expect(scene.search.isBehind).toBe(false);
  }));

test("deleted texts are wiped, those of other processes too, also when the messenger ends at once", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    scene.receive(ana, "murmullo", "susurro");
    while (scene.search.indexSome());
    scene.removal.delete(ana, "murmullo", false);
    // No time passes, so one tick does everything.
    const upkeep = new StoreUpkeep(storesOf(scene), () => 0);
    upkeep.tick();
    expect(scene.bytes).not.toContain("text murmullo");
    expect(scene.wipe.isDue).toBe(false);
    scene.removal.delete(ana, "susurro", false);
    upkeep.finish();
    expect(scene.bytes).not.toContain("text susurro");
    expect(scene.wipe.isDue).toBe(false);
  }));

test("a failure of the disk ends nothing for ever: a minute later the upkeep goes on", () =>
  withScene((scene) => {
    let now = 0;
    let isFull = true;
    let steps = 0;
    const noted: unknown[] = [];
    const step = (): "done" => (steps++, isFull ? fails() : "done");
    const noteDamage = (error: unknown) => void noted.push(error);
    const upkeep = new StoreUpkeep(storesOf(scene, { wipe: { step, rewriteSmall }, noteDamage }), () => now);
    upkeep.tick();
    isFull = false;
    now = 59_000;
    upkeep.tick();
    expect(steps).toBe(1);
    now = 60_000;
    upkeep.tick();
    expect(steps).toBe(2);
    expect(noted).toEqual([expect.objectContaining({ code: "SQLITE_FULL" })]);
  }));

test("other work of a tick is done while a wipe is blocked", () =>
  withScene((scene) => {
    scene.receive(scene.contacts.ensure("Ana"), "1");
    const upkeep = new StoreUpkeep(storesOf(scene, { wipe: { step: () => "blocked", rewriteSmall } }));
    upkeep.tick();
    upkeep.tick();
    expect(scene.search.isBehind).toBe(false);
  }));

test("no further piece or step begins in a tick that has taken long, and the next tick goes on", () =>
  withScene((scene) => {
    let now = 0;
    let pieces = 0;
    let steps = 0;
    const search = { isBehind: true, indexSome: () => ((now += 15), ++pieces > 0) };
    const wipe = { rewriteSmall, step: () => ((now += 15), ++steps < 3 ? "more" : "done") } as const;
    const upkeep = new StoreUpkeep(storesOf(scene, { search, wipe }), () => now);
    upkeep.tick();
    expect([steps, pieces]).toEqual([2, 0]);
    upkeep.tick();
    expect([steps, pieces]).toEqual([3, 1]);
    upkeep.tick();
    expect([steps, pieces]).toEqual([4, 2]);
  }));
