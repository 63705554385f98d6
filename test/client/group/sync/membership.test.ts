import { describe, expect, test } from "bun:test";

import {
  mayAdd,
  mayEnd,
  mayGrant,
  mayWrite,
  membership,
  type Term,
} from "../../../../src/client/group/sync/membership.ts";
import { droppedOut, people, removal, termOfKey } from "../../../../src/client/group/sync/members.ts";
import type { Fork, GroupEntry } from "../../../../src/identity/group-entry.ts";
import { addBody, createBody, NO_ID, testKey } from "../../../identity/group-keys.ts";
import { ANA, EVA, Feed, GroupScene, LUIS, PEPA, RAUL } from "../group-scene.ts";

/** A proof that this feed wrote two entries at this number; they need not be real ones here. */
function forkOf(feed: Feed, lane: "c" | "t", number: number): Fork {
  const entries: Fork["entries"] = [feed.scene.entries[0] as GroupEntry, feed.scene.entries[0] as GroupEntry];
  return { feed: feed.id, lane, number, entries };
}

/** Admins of levels 1 to 7, each made by the one before. */
function admins(scene: GroupScene): Feed[] {
  const feeds: Feed[] = [];
  for (let level = 1; level <= 7; level++)
    feeds.push((feeds.at(-1) ?? scene.founder).bring(testKey(`admin-${level}`), "admin"));
  return feeds;
}

describe("who belongs", () => {
  test("is the founder alone at first", () => {
    const { group, founder } = new GroupScene(ANA, { title: "Clase", writes: "admins" });
    expect(founder.scene.view()).toEqual({
      ...{ group, title: "Clase", renames: 0, adds: "admins", writes: "admins" },
      terms: new Map([
        [
          group,
          {
            ...{ feed: group, label: ANA.named.label, name: "ana", spki: ANA.named.spki },
            ...{ by: undefined, level: 0, history: "all", since: 1_000, state: "member" },
            ...{ cutC: Infinity, cutT: Infinity, endId: undefined, isForked: false },
          },
        ],
      ]),
    });
  });

  test("is who was added and joined, while others are invited", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.add(EVA);
    expect(eva.term).toMatchObject({ state: "invited", level: 100, by: scene.group });
    eva.write("join");
    expect(eva.term?.state).toBe("member");
    scene.founder.add(LUIS);
    expect([scene.names(), scene.names("invited")]).toEqual([["ana", "eva"], ["luis"]]);
  });

  test("is nobody whose first entry is not the join", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const eva = scene.founder.add(EVA);
    eva.add(LUIS);
    eva.write("join");
    expect([scene.names(), scene.names("invited")]).toEqual([["ana"], ["eva"]]);
  });

  test("is nobody where the create is not understood", () => {
    expect(membership([], [])).toBeUndefined();
    const other = new GroupScene(ANA, { ...createBody(ANA), version: 2 } as object);
    expect(membership(other.entries, [])).toBeUndefined();
  });

  test("does not change with entries of unknown kinds, or with bodies not in order", () => {
    const scene = new GroupScene(ANA);
    scene.founder.write("crown", { feed: scene.group });
    scene.founder.write("add", { ...addBody(EVA), label: LUIS.named.label });
    scene.founder.write("add", { ...addBody(EVA), spki: "" });
    scene.founder.write("join");
    scene.founder.bring(EVA);
    expect(scene.names()).toEqual(["ana", "eva"]);
  });
});

describe("an add", () => {
  test("by an admin makes members, and admins down to level 7", () => {
    const scene = new GroupScene(ANA);
    const feeds = admins(scene);
    expect(feeds.map(({ term }) => term?.level)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const last = feeds[6] as Feed;
    expect(last.bring(EVA).term?.level).toBe(100);
    expect(last.bring(LUIS, "admin").term).toBeUndefined();
  });

  test("by a member has an effect only for a key of their own label", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    expect(eva.bring(LUIS).term).toBeUndefined();
    expect(eva.bring(testKey("eva", 1), "admin").term).toBeUndefined();
    expect(eva.bring(testKey("EVA", 2)).term).toMatchObject({ level: 101, state: "member" });
  });

  test("by anyone has an effect where the group says so, never as an admin", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const eva = scene.founder.bring(EVA);
    expect(eva.bring(LUIS, "admin").term).toBeUndefined();
    const luis = eva.bring(LUIS);
    expect(luis.term?.level).toBe(101);
    expect(luis.bring(PEPA).term?.level).toBe(102);
  });

  test("has no effect at level 150", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    let last = scene.founder.bring(testKey("person-100"));
    for (let level = 101; level <= 150; level++) last = last.bring(testKey(`person-${level}`));
    expect(last.term?.level).toBe(150);
    expect(last.bring(EVA).term).toBeUndefined();
  });

  test("counts in one lane 8 times for one's own label and 1,024 times in all", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const eva = scene.founder.bring(EVA);
    const devices = Array.from({ length: 9 }, (_, device) => eva.add(testKey("eva", device + 1)));
    expect(devices.filter(({ term }) => term !== undefined)).toEqual(devices.slice(0, 8));
    // What has no effect is not counted.
    eva.add(LUIS, "admin");
    const others = Array.from({ length: 1_017 }, () => eva.add(LUIS));
    const { terms } = scene.view();
    expect(others.map(({ id }) => terms.has(id))).toEqual(others.map((_, index) => index < 1_016));
    expect(eva.write("leave", { t: 0 }) !== undefined && eva.term?.state).toBe("ended");
  });
});

describe("a grant", () => {
  test("makes an admin one level below who granted it", () => {
    const scene = new GroupScene(ANA);
    const [first, second] = admins(scene) as [Feed, Feed];
    const eva = scene.founder.bring(EVA);
    second.grant(eva);
    expect(eva.term?.level).toBe(3);
    first.grant(eva);
    expect(eva.term?.level).toBe(2);
    second.grant(first);
    expect(first.term?.level).toBe(1);
  });

  test("lifts nobody above who admitted them", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const [, second] = admins(scene) as [Feed, Feed];
    const eva = second.bring(EVA);
    scene.founder.grant(eva);
    expect(eva.term?.level).toBe(3);
    // Who was admitted by a member stays below them; an admin has to admit them anew.
    const luis = eva.scene.founder.bring(LUIS);
    const pepa = luis.bring(PEPA);
    scene.founder.grant(pepa);
    expect(pepa.term).toMatchObject({ level: 101, state: "member" });
  });

  test("has no effect by an admin of level 7 or by a member", () => {
    const scene = new GroupScene(ANA);
    const last = admins(scene).at(-1) as Feed;
    const eva = last.bring(EVA);
    last.grant(eva);
    eva.grant(eva);
    expect(eva.term?.level).toBe(100);
  });

  test("has the same effect before the entry that it is about", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    const luis = eva.bring(LUIS);
    expect(luis.term).toBeUndefined();
    scene.founder.grant(eva);
    expect([eva.term?.level, luis.term?.level]).toEqual([1, 100]);
    expect(scene.view(scene.entries.toReversed())).toEqual(scene.view());
  });
});

describe("an end", () => {
  test("by a smaller level ends a term, and cuts what it wrote later", () => {
    const scene = new GroupScene(ANA);
    const [first] = admins(scene) as [Feed];
    const before = first.bring(EVA);
    const { id } = scene.founder.end(first, first.next().number - 1, 5);
    const after = first.bring(LUIS);
    expect(first.term).toMatchObject({ state: "ended", cutC: 3, cutT: 5, endId: id });
    expect([before.term?.state, after.term]).toEqual(["member", undefined]);
  });

  test("by an equal or a larger level, or by a member of another label, does nothing", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const eva = scene.founder.bring(EVA, "admin");
    const luis = scene.founder.bring(LUIS, "admin");
    const pepa = scene.founder.bring(PEPA);
    const raul = pepa.bring(RAUL);
    for (const [author, other] of [
      [eva, luis],
      [luis, eva],
      [luis, luis],
      [luis, scene.founder],
      [scene.founder, scene.founder],
      [pepa, luis],
      [pepa, raul],
      [raul, pepa],
    ] as const)
      author.end(other, 0, 0);
    expect(scene.names()).toEqual(["ana", "eva", "luis", "pepa", "raul"]);
  });

  test("by a term of the same label does, from a smaller level", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    const phone = eva.bring(testKey("eva", 1));
    phone.end(eva);
    expect(eva.term?.state).toBe("member");
    eva.end(phone);
    expect(phone.term?.state).toBe("ended");
  });

  test("at 0 takes everything back, the join too", () => {
    const scene = new GroupScene(ANA);
    const [first, second] = admins(scene) as [Feed, Feed];
    expect(second.term?.state).toBe("member");
    scene.founder.end(first, 0, 0);
    expect(first.term).toMatchObject({ state: "ended", cutC: 0, cutT: 0 });
    expect(scene.names()).toEqual(["ana"]);
    expect(second.term).toBeUndefined();
  });

  test("counts with the lowest numbers that anyone above wrote", () => {
    const scene = new GroupScene(ANA);
    const [first, second] = admins(scene) as [Feed, Feed];
    const eva = second.bring(EVA);
    first.end(eva, 1_000_000_000, 3);
    second.end(eva, 7, 4);
    expect(eva.term).toMatchObject({ cutC: 7, cutT: 3 });
    const ids = [first, second].map((feed) => feed.end(eva, 9, 9).id);
    const ends = scene.entries.filter(({ kind }) => kind === "end").map(({ id }) => id);
    expect(ends).toEqual(expect.arrayContaining(ids));
    expect(eva.term?.endId).toBe(ends.toSorted()[0] as string);
  });

  test("that is taken back by a later end of its author does not count any more", () => {
    const scene = new GroupScene(ANA);
    const [first, second] = admins(scene) as [Feed, Feed];
    first.end(second);
    expect(second.term?.state).toBe("ended");
    scene.founder.end(first, 2, 0);
    expect(second.term).toMatchObject({ state: "member", cutC: Infinity });
  });

  test("of the old term leaves the new one of the same person", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    const again = scene.founder.bring(EVA);
    scene.founder.end(eva);
    expect([eva.term?.state, again.term?.state]).toEqual(["ended", "member"]);
  });

  test("of somebody invited takes the invitation back", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.add(EVA);
    scene.founder.end(eva);
    expect(eva.term?.state).toBe("ended");
    eva.write("join");
    expect(eva.term?.state).toBe("ended");
  });

  test("of a term that nobody knows does nothing, nor does a circle of ends", () => {
    const scene = new GroupScene(ANA);
    const feeds = admins(scene);
    scene.founder.write("end", { feed: NO_ID, c: 0, t: 0, cid: NO_ID, tid: NO_ID });
    scene.founder.grant({ id: NO_ID } as Feed);
    for (const [index, feed] of feeds.entries()) feed.end(feeds[index - 1] ?? scene.founder, 0, 0);
    expect(scene.names()).toHaveLength(8);
  });
});

describe("a leave", () => {
  test("ends one's own term, and nothing that follows it counts", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA, "admin");
    const luis = eva.bring(LUIS);
    const { id } = eva.leave(9);
    const pepa = eva.bring(PEPA);
    expect(eva.term).toMatchObject({ state: "ended", cutC: 3, cutT: 9, endId: id });
    expect([luis.term?.state, pepa.term]).toEqual(["member", undefined]);
  });

  test("is the only thing that ends the founder's", () => {
    const scene = new GroupScene(ANA);
    const [first] = admins(scene) as [Feed];
    for (const feed of [first, scene.founder]) feed.end(scene.founder, 0, 0);
    expect(scene.founder.term?.state).toBe("member");
    scene.founder.leave();
    expect(scene.founder.term?.state).toBe("ended");
    expect(first.term?.state).toBe("member");
  });
});

describe("a fork", () => {
  test("cuts the lane before it, and the term goes on as a reader", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA, "admin");
    const luis = eva.bring(LUIS);
    const pepa = eva.bring(PEPA);
    scene.forks.push(forkOf(eva, "c", 3), forkOf(eva, "c", 5));
    expect(eva.term).toMatchObject({ state: "member", isForked: true, cutC: 2, cutT: Infinity });
    expect([luis.term?.state, pepa.term]).toEqual(["member", undefined]);
    expect(mayWrite(scene.view(), eva.term as Term)).toBe(false);
  });

  test("of texts cuts them, and takes the right to write", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    scene.forks.push(forkOf(eva, "t", 57));
    expect(eva.term).toMatchObject({ isForked: true, cutC: Infinity, cutT: 56 });
    expect(mayWrite(scene.view(), eva.term as Term)).toBe(false);
  });

  test("is found where both entries are among the others", () => {
    const scene = new GroupScene(ANA);
    const place = scene.founder.next();
    scene.founder.bring(EVA);
    scene.founder.write("add", addBody(LUIS), place);
    for (const entries of [scene.entries, scene.entries.toReversed()])
      expect(scene.view(entries).terms.get(scene.group)).toMatchObject({ isForked: true, cutC: 1 });
    expect(scene.names()).toEqual(["ana"]);
  });

  test("at number 1 leaves somebody who has not joined", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    scene.forks.push(forkOf(eva, "c", 1));
    expect(eva.term).toMatchObject({ state: "invited", cutC: 0 });
  });

  test("of an ended term does not show, as not everybody learns of it", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    scene.founder.end(eva);
    const view = scene.view();
    expect(scene.view(scene.entries, [forkOf(eva, "c", 2)])).toEqual(view);
  });
});

describe("the title", () => {
  test("is that of the highest number, then of the lower level, then of the smaller id", () => {
    const scene = new GroupScene(ANA);
    const [first, second] = admins(scene) as [Feed, Feed];
    const title = (): string => scene.view().title;
    expect(title()).toBe("Familia");
    second.name(1, "uno");
    expect(title()).toBe("uno");
    first.name(1, "otro");
    expect(title()).toBe("otro");
    const twins = [first.name(2, "dos"), first.name(2, "two")].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(JSON.parse(twins[0]?.body ?? "")).toMatchObject({ title: title() });
    second.name(1_000_000, "último");
    expect(scene.view()).toMatchObject({ title: "último", renames: 1_000_000 });
  });

  test("is not changed by members", () => {
    const scene = new GroupScene(ANA);
    scene.founder.bring(EVA).name(7, "de eva");
    expect(scene.view().title).toBe("Familia");
  });
});

describe("rights", () => {
  test("to add, to grant and to end are those that have an effect", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const feeds = [scene.founder, ...admins(scene)];
    feeds.push(scene.founder.bring(EVA), (feeds[3] as Feed).bring(LUIS));
    feeds.push((feeds[8] as Feed).bring(PEPA), (feeds[8] as Feed).bring(testKey("eva", 1)));
    const before = scene.view();
    const termOf = (feed: Feed): Term => before.terms.get(feed.id) as Term;
    for (const author of feeds) {
      for (const role of ["member", "admin"] as const)
        for (const key of [RAUL, author.key]) {
          const { id, terms } = author.attempt("add", addBody(key, role));
          const may = mayAdd(before, termOf(author), { label: key.named.label, role });
          expect(terms.has(id)).toBe(may);
        }
      for (const other of feeds) {
        const granted = author.attempt("grant", { feed: other.id }).terms.get(other.id);
        const isMember = termOf(other).level >= 100;
        if (isMember)
          expect(granted?.level !== termOf(other).level).toBe(
            mayGrant(before, termOf(author), termOf(other)),
          );
        const { terms } = author.attempt("end", { feed: other.id, c: 9, t: 9, cid: NO_ID, tid: NO_ID });
        expect(terms.get(other.id)?.state === "ended").toBe(mayEnd(termOf(author), termOf(other)));
      }
    }
  });

  test("to write texts are those of members, or of admins alone", () => {
    const mayWriteIn = (writes: "all" | "admins", how: (founder: Feed) => Feed): boolean => {
      const scene = new GroupScene(ANA, { writes });
      const feed = how(scene.founder);
      return mayWrite(scene.view(), feed.term as Term);
    };
    expect(mayWriteIn("all", (founder) => founder.bring(EVA))).toBe(true);
    expect(mayWriteIn("all", (founder) => founder.add(EVA))).toBe(false);
    expect(mayWriteIn("admins", (founder) => founder.bring(EVA))).toBe(false);
    expect(mayWriteIn("admins", (founder) => founder.bring(EVA, "admin"))).toBe(true);
    expect(mayWriteIn("admins", (founder) => founder)).toBe(true);
  });
});

describe("people", () => {
  test("are all live terms of a label, shown once, by the best of them", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    const phone = eva.bring(testKey("EVA", 1));
    scene.founder.bring(LUIS, "admin");
    scene.founder.add(PEPA);
    scene.founder.end(scene.founder.bring(RAUL));
    const shown = people(scene.view());
    expect(shown.map(({ name, state }) => [name, state])).toEqual([
      ["ana", "member"],
      ["luis", "member"],
      ["eva", "member"],
      ["pepa", "invited"],
    ]);
    expect(shown[2]?.terms.map(({ feed }) => feed)).toEqual([eva.id, phone.id]);
  });

  test("are members by a term that has joined, even if another is invited with more rights", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    scene.founder.add(EVA, "admin");
    expect(people(scene.view())[1]).toMatchObject({ state: "member", terms: [{ feed: eva.id }, {}] });
  });

  test("write with the smallest id of the terms of their key, but not with one that has forked", () => {
    const scene = new GroupScene(ANA);
    const [one, other] = [scene.founder.bring(EVA), scene.founder.bring(EVA)].toSorted((a, b) =>
      a.id < b.id ? -1 : 1,
    ) as [Feed, Feed];
    scene.founder.add(EVA);
    const own = (): string | undefined => termOfKey(scene.view(), EVA.named.spki)?.feed;
    expect(own()).toBe(one.id);
    scene.forks.push(forkOf(one, "t", 1));
    expect(own()).toBe(other.id);
    scene.founder.end(other);
    expect(own()).not.toBe(other.id);
    expect(termOfKey(scene.view(), RAUL.named.spki)).toBeUndefined();
  });

  test("drop out whose admission does not count any more, and only they", () => {
    const scene = new GroupScene(ANA, { adds: "all" });
    const luis = scene.founder.bring(LUIS, "admin");
    const eva = luis.bring(EVA);
    const { number } = eva.next();
    const pepa = luis.bring(PEPA);
    pepa.bring(RAUL);
    const before = scene.view();
    scene.founder.end(luis, 2, 0);
    scene.founder.end(eva, number, 0);
    expect(droppedOut(before, scene.view())).toEqual([{ by: "luis", people: ["pepa", "raul"] }]);
    // Somebody who is admitted anew is not among them.
    scene.founder.bring(PEPA);
    expect(droppedOut(before, scene.view())).toEqual([{ by: "luis", people: ["raul"] }]);
    expect(droppedOut(scene.view(), scene.view())).toEqual([]);
  });

  test("are removed by an end of each of their terms, from above only", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA, "admin");
    const phone = eva.add(testKey("eva", 1));
    const luis = scene.founder.bring(LUIS, "admin");
    const by = (feed: Feed) => removal(scene.view(), scene.entries, feed.term as Term, EVA.named.label);
    expect(by(scene.founder)).toEqual([
      { feed: eva.id, c: undefined },
      { feed: phone.id, c: undefined },
    ]);
    expect(by(luis)).toBeUndefined();
  });

  test("are removed by a few ends, however many keys they have added", () => {
    const scene = new GroupScene(ANA);
    const eva = scene.founder.bring(EVA);
    const number = eva.write("crown").number;
    const keys = Array.from({ length: 8 }, (_, device) => eva.bring(testKey("eva", device + 1)));
    for (const key of keys) for (let device = 0; device < 4; device++) key.add(testKey("eva", device));
    const ends = removal(scene.view(), scene.entries, scene.founder.term as Term, EVA.named.label);
    expect(ends).toEqual([{ feed: eva.id, c: number }]);
    for (const { c } of ends ?? []) scene.founder.end(eva, c, 0);
    expect(people(scene.view()).map(({ name }) => name)).toEqual(["ana"]);
  });
});
