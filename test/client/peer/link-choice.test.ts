/** The choice between two links, over every interleaving (`link-model.ts`, `class-model.ts`), and its waits one by one. */
import { describe, expect, test } from "bun:test";

import {
  DOUBT_TIME,
  noLinks,
  REPLACED_LINK_TIME,
  SPARE_LINK_SILENCE,
  stepLinks,
  type LinkAction,
  type LinkChoice,
  type LinkEvent,
} from "../../../src/client/peer/link-choice.ts";
import { newClassWorld } from "../class-model.ts";
import { exploreClasses, walkClasses } from "../class-walk.ts";
import {
  connect,
  DECIDER,
  deliver,
  explore,
  kill,
  lose,
  newWorld,
  otherOf,
  SIDES,
  type World,
} from "../link-model.ts";
import { testSeed } from "../../seeded-random.ts";

/** An older link is current again. */
function backTo(link: number): LinkAction[] {
  return [
    { name: "ping", link },
    { name: "writeOn", link },
  ];
}

function explored(name: string, world: World): void {
  const start = performance.now();
  const { states, ends } = explore(world);
  console.log(`${name}: ${states} states, ${ends} ends, ${Math.round(performance.now() - start)} ms`);
  expect(ends).toBeGreaterThan(0);
}

describe("two sides end on one and the same link, and every message arrives once and in order", () => {
  test("when both dial at the same time", () => {
    explored("two dials, two messages each", newWorld({ queued: 2 }));
    explored("two dials, messages at any moment", newWorld({ queued: 1, toSend: 1 }));
  });

  test("when one dials while a link is complete on the other side only", () => {
    for (const dialler of SIDES) {
      const world = newWorld({ queued: 1, toSend: 1 });
      connect(world, dialler, "dialler");
      explored(`link of ${dialler} complete there only`, world);
    }
  });

  test("when the link that is complete on one side only dies", () => {
    for (const dialler of SIDES) {
      for (const observer of SIDES) {
        const world = newWorld({ queued: 2 });
        kill(world, connect(world, dialler, "dialler"), observer);
        explored(`link of ${dialler} complete there only, ${observer} saw it die`, world);
      }
    }
  });

  test("when one or both redial while the old link is half dead", () => {
    for (const observer of SIDES) {
      const world = newWorld({ queued: 1, toSend: 1 });
      kill(world, connect(world, DECIDER, "both"), observer);
      explored(`half dead, ${observer} saw it`, world);
    }
  });

  test("when the last message before the link died was delivered and its acknowledgement was lost", () => {
    for (const observer of SIDES) {
      const world = newWorld({ queued: 2 });
      const link = connect(world, DECIDER, "both");
      for (const side of SIDES) deliver(world, link, side);
      kill(world, link, observer);
      explored(`acknowledgements lost, ${observer} saw it`, world);
    }
  });

  test("when both redial after both have seen the old link die", () => {
    const world = newWorld({ queued: 1, toSend: 1 });
    const link = connect(world, DECIDER, "both");
    kill(world, link, 0);
    lose(world, link, 1);
    explored("both redial", world);
  });

  test("when a link dies at any moment of two dials, seen by either side", () => {
    explored("two dials and a death", newWorld({ queued: 1, faults: 1 }));
  });

  test("when a second link dies during the redials", () => {
    explored("two dials and two deaths", newWorld({ queued: 0, faults: 2 }));
    for (const observer of SIDES) {
      const world = newWorld({ queued: 1, faults: 1 });
      kill(world, connect(world, DECIDER, "both"), observer);
      explored(`half dead for ${otherOf(observer)} and one death more`, world);
    }
  });

  test("when only one of them wants the link", () => {
    for (const chatOpen of [
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      explored(`wanted by ${chatOpen.join()}`, newWorld({ queued: 1, chatOpen }));
      explored(`wanted by ${chatOpen.join()}, a death`, newWorld({ queued: 1, faults: 1, chatOpen }));
    }
  });
});

describe("of two classes of links both end on one, and no good one is left for a dead one", () => {
  test("when their network changes, or a link over the relay dies", () => {
    for (const budget of [{ changes: 1 }, { deaths: 1 }]) {
      const start = performance.now();
      const states = exploreClasses(newClassWorld(false, budget));
      console.log(`${JSON.stringify(budget)}: ${states} states, ${Math.round(performance.now() - start)} ms`);
      expect(states).toBeGreaterThan(100);
    }
  });

  // `bun run soak --of links` tries more.
  test("in many orders of dials, meetings, ways off the relay, changes of network and deaths", () => {
    const first = testSeed();
    for (let index = 0; index < 500; index++) walkClasses((first + index) % 2 ** 32);
  });
});

describe("the waits", () => {
  const heardNow = (now: number) => ({ name: "time", now, lastReadAt: () => now }) as const;
  const completed = (link: number, now: number) =>
    ({ name: "completed", link, isRelayed: false, now, lastReadAt: () => now }) as const;
  const twoLinks = (decider: boolean): LinkChoice => {
    const first = stepLinks(noLinks(decider), completed(1, 0)).choice;
    return stepLinks(first, completed(2, 1_000)).choice;
  };

  test("the decider reads a replaced link for 5 s and then ends it", () => {
    const choice = twoLinks(true);
    expect(stepLinks(choice, heardNow(1_000 + REPLACED_LINK_TIME - 1)).actions).toEqual([]);
    expect(stepLinks(choice, heardNow(1_000 + REPLACED_LINK_TIME)).actions).toEqual([
      { name: "end", link: 1 },
    ]);
  });

  test("the other side ends a second link only after 30 s of silence", () => {
    const choice = twoLinks(false);
    expect(stepLinks(choice, heardNow(3_600_000)).actions).toEqual([]);
    const silentSince = (lastRead: number) =>
      ({ name: "time", now: 100_000, lastReadAt: () => lastRead }) as const;
    expect(stepLinks(choice, silentSince(100_000 - SPARE_LINK_SILENCE + 1)).actions).toEqual([]);
    expect(stepLinks(choice, silentSince(100_000 - SPARE_LINK_SILENCE)).actions).toEqual([
      { name: "end", link: 1 },
    ]);
  });

  test("the current link is never ended for silence, also when it was a replaced one before", () => {
    const left = stepLinks(twoLinks(true), { name: "closed", link: 2 });
    expect(left.actions).toEqual(backTo(1));
    expect(stepLinks(left.choice, { name: "time", now: 3_600_000, lastReadAt: () => 0 }).actions).toEqual([]);
  });

  test("of several links that are left, the one completed last is written on", () => {
    const three = stepLinks(twoLinks(false), completed(3, 2_000)).choice;
    const two = stepLinks(three, { name: "closed", link: 3 });
    expect(two.actions).toEqual(backTo(2));
    const one = stepLinks(two.choice, { name: "closed", link: 2 });
    expect(one.actions).toEqual(backTo(1));
    expect(stepLinks(one.choice, { name: "closed", link: 1 }).actions).toEqual([{ name: "disconnected" }]);
  });
});

describe("of links of two classes", () => {
  /** A side and what it has done; each link is read when the test says so. */
  class Side {
    choice: LinkChoice;
    readonly #read = new Map<number, number>();

    constructor(decider: boolean) {
      this.choice = noLinks(decider);
    }

    complete(link: number, way: "direct" | "relayed", now: number): unknown[] {
      return this.#step({ name: "completed", link, isRelayed: way === "relayed", now, ...this.#reads });
    }

    doubt(now: number): unknown[] {
      return this.#step({ name: "doubted", now, ...this.#reads });
    }

    read(link: number, now: number): void {
      this.#read.set(link, now);
    }

    pass(now: number): unknown[] {
      return this.#step({ name: "time", now, ...this.#reads });
    }

    get #reads(): { readonly lastReadAt: (link: number) => number } {
      return { lastReadAt: (link) => this.#read.get(link) ?? 0 };
    }

    #step(event: LinkEvent): unknown[] {
      const { choice, actions } = stepLinks(this.choice, event);
      this.choice = choice;
      return [...actions];
    }
  }

  test("a direct one replaces a relayed one", () => {
    for (const decider of [true, false]) {
      const side = new Side(decider);
      side.complete(1, "relayed", 0);
      expect(side.complete(2, "direct", 100)).toEqual([
        { name: "ping", link: 2 },
        { name: "writeOn", link: 2 },
      ]);
      for (const link of [1, 2]) side.read(link, 5_099);
      expect(side.pass(5_099)).toEqual([]);
      expect(side.pass(5_100)).toEqual(decider ? [{ name: "end", link: 1 }] : []);
    }
  });

  test("a direct one that is read keeps a relayed one out, which the decider ends", () => {
    for (const decider of [true, false]) {
      const side = new Side(decider);
      side.complete(1, "direct", 0);
      expect(side.complete(2, "relayed", 100)).toEqual([{ name: "ping", link: 1 }]);
      side.read(1, 200);
      side.read(2, 200);
      expect(side.pass(500)).toEqual(decider ? [{ name: "end", link: 2 }] : []);
      expect(side.choice.current?.id).toBe(1);
    }
  });

  test("a direct one that is not read within 2 s is ended by the decider, and ranked last by the other side", () => {
    for (const decider of [true, false]) {
      const side = new Side(decider);
      side.complete(1, "direct", 0);
      side.complete(2, "relayed", 100);
      side.read(2, 2_000);
      expect(side.pass(100 + DOUBT_TIME - 1)).toEqual([]);
      expect(side.pass(100 + DOUBT_TIME)).toEqual([
        ...(decider ? [{ name: "end", link: 1 }] : []),
        ...backTo(2),
      ]);
      if (decider) continue;
      side.read(1, 2_500);
      expect(side.pass(2_500)).toEqual(backTo(1));
    }
  });

  test("of doubted ones each is pinged, and what is not read within 2 s is doubtful until it is read", () => {
    const side = new Side(false);
    side.complete(1, "direct", 0);
    side.complete(2, "direct", 100);
    side.read(1, 1_500);
    expect(side.doubt(1_000)).toEqual([
      { name: "ping", link: 1 },
      { name: "ping", link: 2 },
    ]);
    expect(side.pass(1_000 + DOUBT_TIME)).toEqual(backTo(1));
    side.read(2, 4_000);
    expect(side.pass(4_000)).toEqual(backTo(2));
  });

  test("one that only we have completed is given up for the one before, which the decider keeps", () => {
    for (const decider of [true, false]) {
      const side = new Side(decider);
      side.complete(1, "relayed", 0);
      side.complete(2, "direct", 100);
      side.read(1, 2_000);
      expect(side.pass(100 + DOUBT_TIME)).toEqual(backTo(1));
      side.read(1, 29_000);
      expect(side.pass(29_000)).toEqual([]);
      expect(side.pass(SPARE_LINK_SILENCE)).toEqual([{ name: "end", link: 2 }]);
      expect(side.choice.current?.id).toBe(1);
    }
  });

  test("one that is silent for 2 s while they write on another one is pinged", () => {
    const side = new Side(false);
    side.complete(1, "relayed", 0);
    side.complete(2, "direct", 100);
    side.read(2, 200);
    side.pass(1_000);
    side.read(1, 1_500);
    expect(side.pass(200 + DOUBT_TIME - 1)).toEqual([]);
    expect(side.pass(200 + DOUBT_TIME)).toEqual([{ name: "ping", link: 2 }]);
    expect(side.pass(200 + 2 * DOUBT_TIME)).toEqual(backTo(1));
  });

  test("one that is doubted again has no more time, unless it was read", () => {
    for (const again of [
      (side: Side) => side.doubt(2_000),
      (side: Side) => side.complete(2, "relayed", 2_000),
    ]) {
      const side = new Side(false);
      side.complete(1, "direct", 0);
      side.doubt(1_000);
      again(side);
      side.pass(1_000 + DOUBT_TIME);
      expect([side.choice.current, ...side.choice.spare]).toContainEqual(
        expect.objectContaining({ id: 1, isDoubtful: true }),
      );
    }
    const side = new Side(false);
    side.complete(1, "direct", 0);
    side.doubt(1_000);
    side.read(1, 1_500);
    side.doubt(2_000);
    side.pass(2_000 + DOUBT_TIME - 1);
    expect(side.choice.current).toMatchObject({ isDoubtful: false });
    side.pass(2_000 + DOUBT_TIME);
    expect(side.choice.current).toMatchObject({ isDoubtful: true });
  });

  test("the decider ends a direct one for a relayed one only 2 s after it was pinged for that", () => {
    const side = new Side(true);
    side.complete(1, "direct", 0);
    side.doubt(1_000);
    side.complete(2, "relayed", 2_500);
    side.read(2, 2_600);
    expect(side.pass(1_000 + DOUBT_TIME)).toEqual(backTo(2));
    expect(side.pass(2_500 + DOUBT_TIME)).toEqual([{ name: "end", link: 1 }]);
  });

  test("one that was written on while another was doubtful is ended by the decider once that is read", () => {
    const side = new Side(true);
    side.complete(1, "direct", 0);
    side.complete(2, "direct", 100);
    side.doubt(200);
    side.read(1, 300);
    expect(side.pass(200 + DOUBT_TIME)).toEqual(backTo(1));
    side.read(2, 3_000);
    side.read(1, 3_000);
    expect(side.pass(3_000)).toEqual(backTo(2));
    side.pass(4_000);
    side.read(1, 4_000 + REPLACED_LINK_TIME);
    expect(side.pass(4_000 + REPLACED_LINK_TIME)).toEqual([{ name: "end", link: 1 }]);
  });

  test("a single one that is doubtful is still written on, and not ended", () => {
    const side = new Side(true);
    side.complete(1, "direct", 0);
    side.doubt(1_000);
    expect(side.pass(60_000)).toEqual([]);
    expect(side.choice.current).toMatchObject({ id: 1, isDoubtful: true });
  });
});
