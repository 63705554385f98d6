/** What one member can say on a link to harm another: each attack as a test (GROUPS 3, 5, 7 and 11). */
import { describe, expect, test } from "bun:test";

import {
  nextPosition,
  rawEntry,
  signEntry,
  type GroupEntry,
  type RawEntry,
} from "../../../../src/identity/group-entry.ts";
import { addBody, NO_ID, testKey } from "../../../identity/group-keys.ts";
import { ANA, EVA, Feed, LUIS, PEPA, RAUL } from "../group-scene.ts";
import { head, HOUR, Link, NOW, SECOND, text, trio, unsent, Victim } from "./sync-victim.ts";

describe("who passes on a lie is told bad_request", () => {
  test("with a signature of another key, a changed body or header, control without its body", () => {
    const { scene, ana, eva } = trio();
    const right = unsent(ana);
    const [header, signature, body] = rawEntry(right);
    const join = rawEntry(scene.founder.add(PEPA).scene.entries.pop() as GroupEntry);
    const wrong: readonly RawEntry[] = [
      [header, rawEntry(unsent(eva, NOW, ana.next("t")))[1], body],
      [header, signature, (body ?? "").replace("hola", "adiós")],
      [header.replace(` ${NOW} `, ` ${NOW + 1} `), signature, body],
      [`${header} `, signature, body],
      [join[0], join[1], null],
    ];
    for (const entry of wrong) {
      const victim = new Victim(scene, LUIS);
      const link = victim.link(EVA);
      expect(victim.say(link, { action: "group_entries", group: scene.group, entries: [entry] })).toBe(false);
      expect(victim.log.rows).toHaveLength(scene.entries.length);
    }
  });

  test("with a fork that the author did not sign", () => {
    const { scene, ana, eva } = trio();
    const mine = text(ana);
    const forged = signEntry(
      scene.group,
      { ...nextPosition(ana.id, "t", undefined), kind: "text", at: NOW },
      { text: "adiós" },
      EVA.key,
    );
    const victim = new Victim(scene, LUIS);
    const link = victim.link(EVA);
    const entries = [forged, mine].map((entry) => rawEntry({ ...entry, body: null }));
    const fork = { action: "group_fork", group: scene.group, feed: ana.id, lane: "t", entries } as const;
    expect(victim.say(link, fork)).toBe(false);
    expect(victim.sync.membership.terms.get(ana.id)?.isForked).toBe(false);
    expect(eva.term?.state).toBe("member");
  });
});

describe("what is not taken", () => {
  test("comes from a key without a term, or is a text of who was removed or who has not joined", () => {
    const { scene, ana, eva, luis } = trio();
    const pepa = ana.add(PEPA);
    ana.end(eva);
    const late = unsent(luis);
    const victim = new Victim(scene, ANA);
    for (const key of [testKey("nobody"), EVA, PEPA]) {
      expect(victim.give(victim.link(key), late)).toBe(true);
      expect(victim.holds(late)).toBe(false);
    }
    const behind = unsent(eva);
    victim.give(victim.link(LUIS), behind, late);
    expect([victim.holds(behind), victim.holds(late)]).toEqual([false, true]);
    expect(pepa.term?.state).toBe("invited");
  });

  test("belongs to a feed that no counting add has made, or leaves a hole", () => {
    const { scene, eva, luis } = trio();
    const stranger = eva.bring(PEPA);
    const [add, join] = scene.entries.splice(-2) as [GroupEntry, GroupEntry];
    text(luis);
    unsent(luis);
    const second = unsent(luis);
    const victim = new Victim(scene, ANA);
    const link = victim.link(EVA);
    victim.give(link, add);
    victim.give(link, join, second);
    expect([add, join, second].map((entry) => victim.holds(entry))).toEqual([true, false, false]);
    expect(victim.sync.membership.terms.has(stranger.id)).toBe(false);
  });

  test("is dated ahead, or before the one before it, until it is time", () => {
    const { scene, eva, luis } = trio();
    const ahead = unsent(luis, NOW + HOUR);
    const back = unsent(luis, NOW);
    const victim = new Victim(scene, ANA);
    const link = victim.link(EVA);
    victim.give(link, ahead);
    expect(victim.holds(ahead)).toBe(false);
    victim.wait(HOUR);
    victim.give(link, ahead, back);
    expect([victim.holds(ahead), victim.holds(back)]).toEqual([true, false]);
    expect(eva.term?.state).toBe("member");
  });

  test("is over the budget of a minute, of a day, and of a lane of control", () => {
    const { scene, eva } = trio();
    const texts = Array.from({ length: 61 }, () => unsent(eva));
    const control = Array.from({ length: 301 }, () => {
      scene.at = NOW;
      eva.write("crown");
      return scene.entries.pop() as GroupEntry;
    });
    const victim = new Victim(scene, ANA);
    const link = victim.link(EVA);
    victim.give(link, ...texts);
    victim.give(link, ...control.slice(0, 200));
    victim.give(link, ...control.slice(200));
    // The join was written two days before.
    expect([...texts, ...control].map((entry) => victim.holds(entry)).filter((is) => !is)).toHaveLength(2);
    expect([victim.holds(texts[60] as GroupEntry), victim.holds(control[300] as GroupEntry)]).toEqual([
      false,
      false,
    ]);
  });
});

describe("a budget", () => {
  test("is not renewed by a lane that is said to begin later", () => {
    const { scene, eva } = trio();
    const big = { text: "a".repeat(30_000) };
    // 2 MiB are 69 of these.
    const texts = Array.from({ length: 200 }, (_, index) =>
      unsent(eva, NOW - HOUR + index * 2 * SECOND, eva.next("t"), big),
    );
    const victim = new Victim(scene, ANA);
    const link = victim.link(EVA);
    for (const from of [0, 60, 130]) {
      victim.heads(link, head(eva, { first: from + 1 }));
      for (const entry of texts.slice(from, from + 69)) victim.give(link, entry);
    }
    const taken = texts.filter((entry) => victim.log.shown.includes(`${entry.feed} ${entry.number}`));
    expect(taken.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(2 * 1024 * 1024);
  });
});

describe("a lane that is said to begin later", () => {
  test("does not cost what is held, while somebody else has what lies between", () => {
    const { scene, ana, eva } = trio();
    const held = Array.from({ length: 3 }, () => text(ana));
    const between = Array.from({ length: 3 }, () => unsent(ana));
    const last = unsent(ana);
    const victim = new Victim(scene, LUIS);
    const honest = victim.link(ANA);
    victim.heads(honest, head(ana));
    const liar = victim.link(EVA);
    victim.heads(liar, head(ana, { first: last.number }));
    victim.give(liar, last);
    victim.give(honest, ...between, last);
    expect([...held, ...between, last].every((entry) => victim.holds(entry))).toBe(true);
    expect(eva.term?.state).toBe("member");
  });
});

test("a lane that begins anew behind what came in the same message stores nothing twice", () => {
  const { scene, eva } = trio();
  const entries = Array.from({ length: 5 }, () => unsent(eva));
  const victim = new Victim(scene, LUIS);
  const link = victim.link(ANA);
  victim.heads(link, head(eva, { first: 4 }));
  const [one, two, , four, five] = entries;
  victim.give(link, ...[one, two, four, five].flatMap((entry) => entry ?? []));
  victim.give(link, ...entries.slice(0, 3).toReversed());
  expect(entries.map((entry) => victim.holds(entry))).toEqual([true, true, true, true, true]);
});

describe("writing", () => {
  test("is held up by a claim of own entries that never come for a minute, not for ever", () => {
    const { scene, eva, luis } = trio();
    const victim = new Victim(scene, ANA);
    const [honest, liar] = [victim.link(EVA), victim.link(LUIS)];
    victim.heads(honest, head(eva));
    expect(victim.sync.mayWrite(victim.now)).toBe(true);
    for (let more = 1; more <= 6; more++) {
      victim.heads(liar, head(scene.founder, { t: more, tid: NO_ID }));
      if (more === 1) expect(victim.sync.mayWrite(victim.now)).toBe(false);
      victim.wait(20 * SECOND);
    }
    expect(victim.sync.mayWrite(victim.now)).toBe(true);
    expect(luis.term?.state).toBe("member");
  });

  test("goes on as the new term of who was admitted anew after a fork", () => {
    const { scene, ana, eva } = trio();
    const one = text(eva);
    const other = unsent(eva, NOW, nextPosition(eva.id, "t", undefined));
    // Until the new id is the larger one: then the smaller one is that of the fork.
    let again = ana.bring(EVA);
    while (again.id < eva.id) again = ana.bring(EVA);
    const victim = new Victim(scene, EVA);
    const link = victim.link(ANA);
    const entries = [one, other].map((entry) => rawEntry({ ...entry, body: null }));
    victim.say(link, { action: "group_fork", group: scene.group, feed: eva.id, lane: "t", entries });
    expect(victim.sync.membership.terms.get(eva.id)?.isForked).toBe(true);
    expect(victim.sync.own?.feed).not.toBe(eva.id);
    victim.heads(link, head(ana));
    expect(victim.sync.mayWrite(victim.now)).toBe(true);
  });
});

describe("control entries of one message", () => {
  test("are judged by those before them: what was cut off may count again", () => {
    const { scene, ana } = trio();
    const luis = ana.bring(PEPA, "admin");
    const eva = ana.add(RAUL);
    luis.end(eva, 0, 0);
    const victim = new Victim(scene, LUIS, [...scene.entries]);
    const [grant, join] = [ana.grant(eva), eva.write("join")];
    victim.give(victim.link(ANA), grant, join);
    expect(victim.sync.membership.terms.get(eva.id)?.state).toBe("member");
  });

  test("a consent comes before it is known whether its admission counts", () => {
    const { scene, ana, eva } = trio();
    const victim = new Victim(scene, LUIS, [...scene.entries]);
    const link = victim.link(ANA);
    const add = ana.write("add", addBody(PEPA));
    const pepa = new Feed(scene, add.id, PEPA).write("join");
    const none = eva.write("add", addBody(RAUL));
    const raul = new Feed(scene, none.id, RAUL).write("join");
    victim.give(link, add, pepa, none, raul);
    expect([add, pepa, none, raul].every((entry) => victim.holds(entry))).toBe(true);
    expect(victim.sync.membership.terms.get(add.id)?.state).toBe("member");
    expect(victim.sync.membership.terms.has(none.id)).toBe(false);
    const forged = signEntry(
      scene.group,
      { ...nextPosition(ana.write("add", addBody(RAUL)).id, "c", undefined), kind: "join", at: NOW },
      {},
      EVA.key,
    );
    expect(victim.give(link, scene.entries.at(-1) as GroupEntry, forged)).toBe(false);
  });
});

describe("who drops out", () => {
  test("does not keep the others from exchanging texts", () => {
    const { scene, ana, luis } = trio();
    const eva = ana.bring(testKey("other-admin"), "admin");
    eva.bring(PEPA);
    ana.end(eva, 1, 0);
    const victim = new Victim(scene, ANA);
    const link = victim.link(LUIS);
    victim.heads(link, head(luis));
    const hello = unsent(luis);
    victim.give(link, hello);
    expect(victim.holds(hello)).toBe(true);
  });
});

describe("what was before a newcomer is not given", () => {
  function withNewcomer(): { victim: Victim; old: GroupEntry[]; eva: Feed; pepa: Feed } {
    const { scene, eva } = trio();
    const old = Array.from({ length: 5 }, () => text(eva));
    scene.founder.write("add", addBody(PEPA, "member", "none"));
    const pepa = new Feed(scene, (scene.entries.at(-1) as GroupEntry).id, PEPA);
    pepa.write("join");
    return { victim: new Victim(scene, ANA), old, eva, pepa };
  }

  test("without more", () => {
    const { victim, eva, pepa } = withNewcomer();
    const link = victim.link(PEPA);
    victim.heads(link, head(pepa));
    victim.wait(2 * SECOND);
    const fresh = unsent(eva);
    victim.give(victim.link(EVA), fresh);
    expect(link.headers.filter((header) => header.includes(" t "))).toEqual([fresh.header]);
  });

  test("to who says to have the beginning", () => {
    for (const lie of [
      { t: 1, first: 1, tid: NO_ID },
      { t: 4, first: 4, tid: NO_ID },
      { t: 1, first: 0, tid: NO_ID },
    ]) {
      const { victim, eva, pepa } = withNewcomer();
      const link = victim.link(PEPA);
      victim.heads(link, head(pepa), head(eva, lie));
      victim.heads(link, head(pepa), head(eva, lie));
      victim.wait(2 * SECOND);
      expect(link.headers.filter((header) => header.includes(" t "))).toEqual([]);
    }
  });

  test("to who gives something in its place", () => {
    const { victim, eva, pepa } = withNewcomer();
    const link = victim.link(PEPA);
    victim.heads(link, head(pepa));
    const made = signEntry(
      victim.scene.group,
      { ...nextPosition(eva.id, "t", undefined), kind: "text", at: NOW },
      { text: "?" },
      PEPA.key,
    );
    expect(victim.give(link, made)).toBe(false);
    victim.wait(2 * SECOND);
    expect(link.headers.filter((header) => header.includes(" t "))).toEqual([]);
  });
});

describe("what was withdrawn", () => {
  test("does not come back with the front of its lane", () => {
    const { scene, ana, eva } = trio();
    const [first, second] = [unsent(ana), unsent(ana)];
    const edit = signEntry(
      scene.group,
      { ...ana.next("t"), kind: "edit", at: NOW },
      { target: 2, text: "adiós" },
      ANA.key,
    );
    ana.wrote(edit);
    const gone = signEntry(
      scene.group,
      { ...ana.next("t"), kind: "withdraw", at: NOW },
      { target: 2 },
      ANA.key,
    );
    ana.wrote(gone);
    scene.entries.splice(-2);
    const victim = new Victim(scene, LUIS);
    const link = victim.link(EVA);
    victim.heads(link, head(ana, { first: 4 }));
    victim.give(link, gone);
    victim.give(link, edit, second, first);
    const bodies = victim.log.rows
      .filter(({ lane }) => lane === "t")
      .map(({ number, body }) => [number, body !== null]);
    expect(bodies.toSorted()).toEqual([
      [1, true],
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect(eva.term?.state).toBe("member");
  });
});

describe("a body that was stripped", () => {
  test("comes with its own text, not with a control entry of that number", () => {
    const { scene, eva } = trio();
    const whole = unsent(eva);
    const join = scene.entries.find(({ feed, kind }) => feed === eva.id && kind === "join") as GroupEntry;
    const victim = new Victim(scene, LUIS);
    const link = victim.link(ANA);
    victim.heads(link, head(eva));
    victim.give(link, { ...whole, body: null });
    victim.give(link, join, whole);
    expect(victim.log.rows.find(({ id }) => id === whole.id)?.body).toBe(whole.body);
  });

  test("is passed on to who asked for it before it was here", () => {
    const { scene, eva } = trio();
    const whole = unsent(eva);
    const victim = new Victim(scene, LUIS);
    const [giver, asker] = [victim.link(EVA), victim.link(ANA)];
    for (const link of [giver, asker]) victim.heads(link, head(eva));
    victim.give(asker, { ...whole, body: null });
    victim.say(asker, { action: "group_want", group: scene.group, bodies: [[eva.id, 1]] });
    const bodies = () => asker.entries.filter(([header, , body]) => header.includes(" t ") && body !== null);
    expect(bodies()).toEqual([]);
    victim.give(giver, whole);
    expect(bodies()).toEqual([rawEntry(whole)]);
  });

  test("is not given to who asked for it, and was removed before it came", () => {
    const { scene, ana, eva, luis } = trio();
    const whole = unsent(eva);
    const victim = new Victim(scene, ANA, [...scene.entries]);
    const [giver, asker] = [victim.link(EVA), victim.link(LUIS)];
    for (const link of [giver, asker]) victim.heads(link, head(eva));
    victim.give(asker, { ...whole, body: null });
    victim.say(asker, { action: "group_want", group: scene.group, bodies: [[eva.id, 1]] });
    victim.give(giver, ana.end(luis), whole);
    victim.wait(SECOND);
    expect(asker.entries.filter(([header, , body]) => header.includes(" t ") && body !== null)).toEqual([]);
  });
});

describe("what costs the one who is asked", () => {
  test("is bounded: hearsay that says nothing new is not stored", () => {
    const { scene, ana, eva, luis } = trio();
    text(ana);
    const victim = new Victim(scene, ANA);
    const link = victim.link(EVA);
    victim.heads(link, head(ana), head(eva));
    const seen = { action: "group_seen", group: scene.group, seen: [[luis.id, 1, 1]] } as const;
    victim.sync.take(link, seen, victim.now);
    expect(victim.sync.commit()).toBeDefined();
    for (const t of [1, 0, 1_000_000_000]) {
      victim.sync.take(link, { ...seen, seen: [[luis.id, t, 0]] }, victim.now);
      expect(victim.sync.commit()).toBeUndefined();
    }
  });

  test("is bounded: a head with a wrong id is answered once", () => {
    const { scene, ana, eva } = trio();
    for (let number = 0; number < 50; number++) text(ana, NOW - HOUR);
    const victim = new Victim(scene, LUIS);
    const link = victim.link(EVA);
    for (let round = 0; round < 20; round++) {
      victim.heads(link, head(eva), head(ana, { tid: NO_ID }));
      victim.wait(2 * SECOND);
    }
    expect(link.sent.filter(({ action }) => action === "group_fork")).toHaveLength(1);
  });

  test("is bounded: a message of bodies that are wanted again and again is answered as often as it is said", () => {
    const { scene, ana, eva } = trio();
    text(ana);
    const victim = new Victim(scene, LUIS);
    const link = victim.link(EVA);
    victim.heads(link, head(eva), head(ana));
    const bodies = Array.from({ length: 100 }, (): [string, number] => [ana.id, 1]);
    victim.say(link, { action: "group_want", group: scene.group, bodies });
    expect(link.headers.filter((header) => header.includes(" t ")).length).toBeLessThanOrEqual(100);
  });
});

describe("what is said of a feed that nobody has admitted", () => {
  test("is not kept: anybody can make up any number of them", () => {
    const { scene, ana, eva } = trio();
    const pepa = ana.bring(PEPA);
    const admitting = scene.entries.splice(-2);
    const victim = new Victim(scene, LUIS);
    const link = victim.link(EVA);
    victim.heads(link, head(eva), head(pepa, { t: 7 }));
    victim.give(link, ...admitting);
    expect(victim.sync.gaps).toEqual(new Map());
    victim.heads(link, head(pepa, { t: 7 }));
    expect(victim.sync.gaps).toEqual(new Map([[pepa.id, 7]]));
  });
});

describe("what somebody lies about", () => {
  test("is not believed any longer once they were removed", () => {
    const { scene, ana, eva, luis } = trio();
    const victim = new Victim(scene, LUIS);
    const link = victim.link(EVA);
    victim.heads(link, head(eva), head(ana, { t: 1_000_000_000 }));
    expect(victim.sync.gaps.get(ana.id)).toBe(1_000_000_000);
    victim.give(victim.link(ANA), ana.end(eva));
    expect(victim.sync.gaps).toEqual(new Map());
    victim.heads(victim.link(PEPA), head(ana, { t: 3 }));
    expect(victim.sync.gaps).toEqual(new Map());
    victim.heads(victim.link(ANA), head(ana, { t: 3 }));
    expect(victim.sync.gaps.get(ana.id)).toBe(3);
    expect(luis.term?.state).toBe("member");
  });

  test("is not asked about who is linked, and says so itself", () => {
    const { scene, ana, eva, luis } = trio();
    text(ana);
    const victim = new Victim(scene, ANA);
    const [link, liar] = [victim.link(LUIS), victim.link(EVA)];
    victim.heads(link, head(luis));
    victim.heads(liar, head(eva), head(ana));
    const seen = { action: "group_seen", group: scene.group, seen: [[luis.id, 1, 1]] } as const;
    victim.sync.take(liar, seen, victim.now);
    expect(victim.sync.commit()).toBeUndefined();
    victim.sync.linkDown(link);
    victim.sync.take(liar, seen, victim.now);
    expect(victim.sync.commit()?.receipts).toMatchObject([{ term: luis.id, read: 1, isDirect: false }]);
  });
});

describe("who withholds that others have joined", () => {
  test("keeps nobody apart who meets: each invites the other, and greets who invites it", () => {
    const { scene, luis } = trio();
    const pepa = scene.founder.bring(PEPA);
    const without = (feed: Feed) => scene.entries.filter((entry) => entry.feed !== feed.id);
    const [one, other] = [new Victim(scene, LUIS, without(pepa)), new Victim(scene, PEPA, without(luis))];
    const [toOther, toOne] = [new Link(PEPA), new Link(LUIS)];
    one.sync.linkUp(toOther, NOW);
    other.sync.linkUp(toOne, NOW);
    one.sync.invitedAgain(toOther, NOW);
    other.sync.invitedAgain(toOne, NOW);
    for (let round = 0; round < 10; round++) {
      for (const message of toOther.sent.splice(0)) other.say(toOne, message);
      for (const message of toOne.sent.splice(0)) one.say(toOther, message);
      for (const victim of [one, other]) victim.wait(2 * SECOND);
    }
    expect(one.sync.membership.terms.get(pepa.id)?.state).toBe("member");
    expect(other.sync.membership.terms.get(luis.id)?.state).toBe("member");
    expect(one.sync.sum).toBe(other.sync.sum);
  });
});

describe("who has no term", () => {
  test("is not told when something is written, nor how much", () => {
    const { scene, ana, luis } = trio();
    const victim = new Victim(scene, LUIS);
    const before = victim.link(testKey("nobody")).sent;
    victim.give(victim.link(ANA), unsent(ana), unsent(ana));
    victim.sync.write(unsent(luis));
    victim.sync.stored(victim.sync.commit()?.seq ?? 0, victim.now);
    expect(victim.link(testKey("nobody")).sent).toEqual(before);
    const [told] = before;
    expect(
      told?.action === "group_heads" && told.heads?.map(([feed, c, , first, t]) => [feed, c, first, t]),
    ).toEqual([[luis.id, 1, 0, 0]]);
  });
});

describe("an end that does not count", () => {
  test("has no say in the sums", () => {
    const { scene, ana, eva, luis } = trio();
    const admin = ana.bring(testKey("admin"), "admin");
    const texts = Array.from({ length: 4 }, () => text(luis));
    eva.write("end", { feed: luis.id, c: 1, t: 2, cid: NO_ID, tid: NO_ID });
    const cut = texts[1] as GroupEntry;
    admin.write("end", { feed: luis.id, c: 1, t: 2, cid: luis.next("c").prev, tid: cut.id });
    const whole = new Victim(scene, ANA);
    const control = scene.entries.filter(({ lane }) => lane === "c");
    const later = new Victim(scene, EVA, [...control, texts[3] as GroupEntry]);
    const sumOf = (victim: Victim): string => {
      const [greeting] = victim.link(LUIS).sent.concat(victim.link(ANA).sent);
      return greeting?.action === "group_heads" ? greeting.sum : "";
    };
    expect(sumOf(later)).toBe(sumOf(whole));
  });
});

describe("a whole class in one message", () => {
  test("is taken at once", () => {
    const { scene } = trio();
    const begin = scene.entries.length;
    for (let person = 0; person < 128; person++) scene.founder.bring(testKey(`person-${person}`));
    const added = scene.entries.splice(begin);
    const victim = new Victim(scene, EVA);
    victim.give(victim.link(LUIS), ...added);
    expect(added.every((entry) => victim.holds(entry))).toBe(true);
    expect(victim.sync.membership.terms.size).toBe(131);
  });
});
