import { expect, test } from "bun:test";

import { StoreUpkeep } from "../../../src/client/profile/upkeep.ts";
import { withScene } from "../message-scene.ts";

test("words are indexed while nothing is written, and not while messages arrive", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    const upkeep = new StoreUpkeep(scene);
    scene.receive(ana, "1");
    upkeep.tick();
    scene.receive(ana, "2");
    upkeep.tick();
    expect(scene.search.isBehind).toBe(true);
    upkeep.tick();
    expect(scene.search.isBehind).toBe(false);
  }));

test("the log is wiped once after a deletion, and not without one", () =>
  withScene((scene) => {
    let wipes = 0;
    const upkeep = new StoreUpkeep({ ...scene, removal: { wipeLog: () => void wipes++ } });
    upkeep.tick();
    expect(wipes).toBe(0);
    upkeep.wipeSoon();
    upkeep.tick();
    upkeep.tick();
    expect(wipes).toBe(1);
  }));

test("a failure of the disk during upkeep only stops the upkeep", () =>
  withScene((scene) => {
    const failure = Object.assign(new Error("disk full"), { code: "SQLITE_FULL" });
    const fails = () => {
      throw failure;
    };
    let looks = 0;
    const messages = { lastSeq: () => (looks++, 0) };
    const upkeep = new StoreUpkeep({
      ...scene,
      messages,
      search: { isBehind: true, indexSome: fails },
    });
    upkeep.tick();
    upkeep.tick();
    expect(looks).toBe(1);
    new StoreUpkeep({ ...scene, messages: { lastSeq: fails } }).tick();
  }));

test("no further piece is indexed in a tick that has taken long, and the next tick goes on", () =>
  withScene((scene) => {
    let now = 0;
    let pieces = 0;
    const search = { isBehind: true, indexSome: () => ((now += 15), ++pieces > 0) };
    const upkeep = new StoreUpkeep({ ...scene, search }, () => now);
    upkeep.tick();
    expect(pieces).toBe(2);
    upkeep.tick();
    expect(pieces).toBe(4);
  }));
