import { expect, test } from "bun:test";

import { noticesBetween, type NoticeContent } from "../../../src/client/group/notices.ts";
import type { Fork } from "../../../src/identity/group-entry.ts";
import { ANA, EVA, GroupScene, LUIS, PEPA, RAUL } from "./group-scene.ts";
import type { TestKey } from "../../identity/group-keys.ts";

/** What somebody is told of what happens in `work`. */
function told(scene: GroupScene, who: TestKey, work: () => void): NoticeContent[] {
  const before = scene.view();
  const label = [...before.terms.values()].find(({ name }) => name === who.name)?.label ?? "";
  work();
  return noticesBetween(before, scene.view(), scene.entries, label);
}

const of = (kind: NoticeContent["kind"], by: string | null, ...names: string[]) => ({
  ...{ kind, by, names, number: null },
});

test("joins of one catch-up are one notice, and so are invitations by the same person", () => {
  const scene = new GroupScene(ANA);
  const luis = scene.founder.bring(LUIS, "admin");
  expect(
    told(scene, ANA, () => {
      scene.founder.bring(EVA);
      luis.bring(PEPA);
    }),
  ).toEqual([of("joined", null, "eva", "pepa")]);
  expect(told(scene, ANA, () => luis.add(RAUL))).toEqual([of("added", "luis", "raul")]);
});

test("who left, who was removed and by whom", () => {
  const scene = new GroupScene(ANA);
  const luis = scene.founder.bring(LUIS, "admin");
  const eva = scene.founder.bring(EVA);
  const pepa = scene.founder.bring(PEPA);
  const raul = scene.founder.bring(RAUL);
  expect(
    told(scene, ANA, () => {
      eva.leave();
      luis.end(pepa);
    }),
  ).toEqual([of("removed", "luis", "pepa"), of("left", null, "eva")]);
  expect(told(scene, RAUL, () => luis.end(raul))).toEqual([of("removed_self", "luis", "raul")]);
});

test("who administers from now on, also oneself, and who has renamed the group", () => {
  const scene = new GroupScene(ANA);
  const eva = scene.founder.bring(EVA);
  expect(told(scene, EVA, () => scene.founder.grant(eva))).toEqual([of("admin", "ana", "eva")]);
  expect(told(scene, ANA, () => eva.name(1, "Clase"))).toEqual([of("renamed", "eva")]);
});

test("whose texts have forked, and who may write again", () => {
  const scene = new GroupScene(ANA);
  const eva = scene.founder.bring(EVA, "admin");
  const [one, other] = ["uno", "dos"].map((text) => eva.write("text", { text }, eva.next("t")));
  if (one === undefined || other === undefined) throw new Error("nothing was written");
  const fork: Fork = { feed: eva.id, lane: "t", number: 1, entries: [one, other] };
  expect(told(scene, ANA, () => scene.forks.push(fork))).toEqual([{ ...of("fork", null, "eva"), number: 1 }]);
  expect(told(scene, ANA, () => scene.founder.add(EVA))).toEqual([]);
  const anew = scene.founder.add(EVA);
  const join = () => anew.write("join");
  expect(told(scene, EVA, join)).toEqual([of("readmitted", "ana", "eva")]);
  // As what she was before counts for nothing, she is a member like others.
  expect(told(scene, EVA, () => scene.founder.grant(anew))).toEqual([of("admin", "ana", "eva")]);
});

test("that somebody has forked and may write again is told also if both are heard of at once", () => {
  const scene = new GroupScene(ANA);
  const eva = scene.founder.bring(EVA);
  const [one, other] = ["uno", "dos"].map((text) => eva.write("text", { text }, eva.next("t")));
  if (one === undefined || other === undefined) throw new Error("nothing was written");
  const both = told(scene, ANA, () => {
    scene.forks.push({ feed: eva.id, lane: "t", number: 1, entries: [one, other] });
    scene.founder.add(EVA).write("join");
  });
  expect(both).toEqual([{ ...of("fork", null, "eva"), number: 1 }, of("readmitted", "ana", "eva")]);
});

test("those drop out whom somebody had added who does not count any more", () => {
  const scene = new GroupScene(ANA);
  const luis = scene.founder.bring(LUIS, "admin");
  const { number } = luis.bring(PEPA).next("c");
  expect(number).toBe(2);
  expect(told(scene, ANA, () => scene.founder.end(luis, 1))).toEqual([
    of("removed", "ana", "luis"),
    of("dropped_out", "luis", "pepa"),
  ]);
});

test("a fork is told with its number", () => {
  const scene = new GroupScene(ANA);
  const eva = scene.founder.bring(EVA);
  eva.write("text", { text: "uno" }, eva.next("t"));
  const place = eva.next("t");
  const [one, other] = ["dos", "tres"].map((text) => eva.write("text", { text }, place));
  if (one === undefined || other === undefined) throw new Error("nothing was written");
  const fork = { feed: eva.id, lane: "t", number: 2, entries: [one, other] } as const;
  expect(told(scene, ANA, () => scene.forks.push(fork))).toEqual([{ ...of("fork", null, "eva"), number: 2 }]);
});

test("the only admin of three people is urged once to make a second one", () => {
  const scene = new GroupScene(ANA);
  const eva = scene.founder.bring(EVA);
  expect(told(scene, ANA, () => scene.founder.bring(LUIS))).toContainEqual(of("one_admin", null));
  expect(told(scene, ANA, () => scene.founder.bring(PEPA))).not.toContainEqual(of("one_admin", null));
  scene.founder.grant(eva);
  expect(told(scene, ANA, () => scene.founder.bring(RAUL))).not.toContainEqual(of("one_admin", null));
});

test("who has just joined is told nothing of before", () => {
  const scene = new GroupScene(ANA);
  expect(told(scene, EVA, () => scene.founder.bring(EVA))).toEqual([]);
});
