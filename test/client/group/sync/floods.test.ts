/** What one member can make the others keep and count, at most (GROUPS 3 and 11). */
import { describe, expect, test } from "bun:test";

import { nextPosition, signEntry, type GroupEntry } from "../../../../src/identity/group-entry.ts";
import type { HeadFields } from "../../../../src/client/group/sync/heads.ts";
import { addBody, testKey } from "../../../identity/group-keys.ts";
import { ANA, EVA, Feed, GroupScene, LUIS } from "../group-scene.ts";
import { head, HOUR, NOW, text, trio, unsent, Victim } from "./sync-victim.ts";

const OTHER = testKey("eva", 1);

/** A tree of one key of hers: each term adds eight, down to this many. */
function tree(eva: Feed, count: number): void {
  let above = [eva];
  for (let left = count; left > 0;) {
    const below: Feed[] = [];
    for (const feed of above) {
      for (let own = 0; own < 8 && left > 0; own++, left--) below.push(feed.bring(OTHER));
    }
    above = below;
  }
}

describe("keys without end", () => {
  test("of one member and of those who came by them are 64, and nobody else's", () => {
    const scene = new GroupScene(ANA);
    const [eva, luis] = [scene.founder.bring(EVA), scene.founder.bring(LUIS)];
    tree(eva, 100);
    const phone = luis.bring(testKey("luis", 1));
    expect(scene.view().terms.size).toBe(3 + 64 + 1);
    expect(scene.view(scene.entries.toReversed())).toEqual(scene.view());
    expect(phone.term?.state).toBe("member");
    // An admin may still admit a key of hers.
    expect(scene.founder.bring(testKey("eva", 2)).term?.state).toBe("member");
  });

  test("of a group to which everyone may add are 1,024 by one member and those who came by them", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const [eva, luis] = [scene.founder.bring(EVA), scene.founder.bring(LUIS)];
    const sybil = eva.bring(testKey("sybil"));
    for (let number = 0; number < 600; number++) {
      for (const feed of [eva, sybil]) feed.write("add", addBody(testKey("other")));
    }
    expect(scene.view().terms.size).toBe(3 + 1_024);
    expect(luis.bring(testKey("pepa")).term?.state).toBe("member");
  });
});

describe("what is dated before its author was admitted", () => {
  const old = (feed: Feed, kind: string, lane: "c" | "t", body: object): GroupEntry => {
    const place = lane === "c" ? feed.next("c") : nextPosition(feed.id, "t", undefined);
    return signEntry(feed.scene.group, { ...place, kind, at: HOUR }, body, feed.key.key);
  };

  test("is not taken, so that nobody has the budgets of years at once", () => {
    const { scene, eva } = trio();
    const victim = new Victim(scene, ANA);
    const link = victim.link(EVA);
    const early = [old(eva, "text", "t", { text: "hola" }), old(eva, "set", "c", { n: 1, title: "Banco" })];
    expect(victim.give(link, ...early)).toBe(true);
    expect(early.map((entry) => victim.holds(entry))).toEqual([false, false]);
    const right = unsent(eva, eva.term?.since);
    victim.give(link, right);
    expect(victim.holds(right)).toBe(true);
  });

  test("comes to no front either", () => {
    const { scene, ana, eva } = trio();
    const early = old(eva, "text", "t", { text: "hola" });
    const later = text(eva, NOW, nextPosition(eva.id, "t", early));
    scene.entries.pop();
    const victim = new Victim(scene, ANA);
    const link = victim.link(LUIS);
    victim.heads(link, head(eva, { first: 2 }));
    victim.give(link, later, early);
    expect([later, early].map((entry) => victim.holds(entry))).toEqual([true, false]);
    expect(ana.term?.state).toBe("member");
  });

  test("is written by nobody whose clock is behind, and a join may be old", () => {
    const { scene, ana } = trio();
    const pepa = ana.add(testKey("pepa"));
    const join = signEntry(scene.group, { ...pepa.next(), kind: "join", at: 0 }, {}, pepa.key.key);
    const victim = new Victim(scene, testKey("pepa"));
    const link = victim.link(ANA);
    victim.give(link, join);
    expect(victim.holds(join)).toBe(true);
    const { since = 0 } = victim.sync.own ?? {};
    expect(victim.sync.next(pepa.id, "t", since - HOUR).at).toBe(since);
  });
});

describe("what somebody refuses", () => {
  /** A lane that went over its budget by what luis holds of it, and not by what ana holds. */
  function parted(): { victim: Victim; eva: Feed } {
    const { scene, eva } = trio();
    for (let count = 0; count < 400; count++) text(eva, NOW - 40 * HOUR + count * 60_000);
    return { victim: new Victim(scene, ANA), eva };
  }
  const idOf = ({ log }: Victim, t: number): string =>
    log.rows.find(({ lane, number }) => lane === "t" && number === t)?.id ?? "";
  const meet = (victim: Victim, heads: readonly HeadFields[]): number => {
    const link = victim.link(LUIS);
    victim.heads(link, ...heads);
    victim.wait(4_000);
    victim.wait(4_000);
    victim.sync.linkDown(link);
    return link.headers.filter((header) => header.includes(" t ")).length;
  };

  test("is given in whole once, and then one text on each link, until they have taken it", () => {
    const { victim, eva } = parted();
    const upTo = (t: number) => head(eva, { t, tid: idOf(victim, t) });
    const standing = [upTo(60)];
    expect([1, 2, 3].map(() => meet(victim, standing))).toEqual([340, 1, 1]);
    const link = victim.link(LUIS);
    victim.heads(link, ...standing);
    victim.heads(link, upTo(61));
    expect(link.headers.filter((header) => header.includes(" t ")).length).toBe(340);
  });
});
