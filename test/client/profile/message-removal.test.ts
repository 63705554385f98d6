import { describe, expect, test } from "bun:test";

import type { Contact } from "../../../src/client/profile/contacts.ts";
import { fill, MessageScene, NOW, plansOf, text, withScene } from "../message-scene.ts";

describe("a message that was not sent yet", () => {
  test("can be cancelled, and is then gone from the outbox and from the disk", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.queue(text(ana, "a", "murmullo"), text(ana, "b"));
      while (scene.search.indexSome());
      expect(scene.removal.cancel(ana, "a")).toBe(true);
      expect(scene.removal.cancel(ana, "a")).toBe(false);
      expect(scene.waiting(ana)).toEqual(["b"]);
      expect(scene.all(ana).map(({ id }) => id)).toEqual(["b"]);
      scene.wipeAll();
      expect(scene.bytes).not.toContain("murmullo");
      expect(scene.acknowledge(ana, "a")).toEqual([]);
    }));

  test("is cancelled with the others to the same person, which are named oldest first", () =>
    withScene((scene) => {
      const [ana, carla] = [scene.contacts.ensure("Ana"), scene.contacts.ensure("Carla")];
      scene.write(ana, "tried");
      scene.messages.claim(ana, 0, 10);
      scene.queue(text(ana, "z"), text(carla, "c"), text(ana, "a"));
      expect(scene.removal.cancelAll(ana)).toEqual(["z", "a"]);
      expect(scene.removal.cancelAll(ana)).toEqual([]);
      expect([scene.waiting(ana), scene.waiting(carla)]).toEqual([["tried"], ["c"]]);
    }));

  test("can be edited, and is sent with its new text", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a");
      expect(scene.removal.rewrite(ana, "a", "other", NOW + 1)).toBe(true);
      expect(scene.messages.claim(ana, 0, 1)).toMatchObject([{ id: "a", text: "other" }]);
      expect(scene.history.find(ana, "a")).toMatchObject({ editedAt: NOW + 1 });
    }));

  test("is found only for the given contact and side", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.write(ana, "a");
      scene.receive(carla, "a");
      expect(scene.removal.cancel(carla, "a")).toBe(false);
      expect(scene.removal.rewrite(carla, "a", "other", NOW)).toBe(false);
      expect(scene.history.find(carla, "a")?.text).toBe("text a");
    }));
});

describe("a message that may have been sent", () => {
  const steps: [string, (scene: MessageScene, ana: Contact) => unknown][] = [
    ["claimed", (scene, ana) => scene.messages.claim(ana, 0, 10)],
    ["sent", (scene, ana) => scene.messages.saveSent(ana, new Map([["a", NOW]]))],
    ["received", (scene, ana) => scene.acknowledge(ana, "a")],
    ["read", (scene, ana) => (scene.acknowledge(ana, "a"), scene.read(ana, { readUpTo: "a" }))],
  ];
  test.each(steps)("(a message that was %s) is neither cancelled nor changed in place", (_, step) =>
    withScene((scene, folder) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a");
      // The other process has read it before.
      const beside = new MessageScene(folder);
      expect(beside.history.find(ana, "a")?.state).toBe("queued");
      step(scene, ana);
      for (const { removal } of [scene, beside]) {
        expect(removal.cancel(ana, "a")).toBe(false);
        expect(removal.rewrite(ana, "a", "other", NOW)).toBe(false);
      }
      beside.database.close();
      expect(scene.history.find(ana, "a")).toMatchObject({ text: "text a", editedAt: undefined });
    }),
  );

  test("does not include a message that another process has just cancelled or changed", () =>
    withScene((scene, folder) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a", "b", "c", "d");
      const beside = new MessageScene(folder);
      beside.removal.cancel(ana, "a");
      beside.removal.rewrite(ana, "c", "other", NOW);
      beside.database.close();
      const claimed = scene.messages.claim(ana, 0, 10).map((each) => (each.kind === "text" ? each.text : ""));
      expect(claimed).toEqual(["text b", "other", "text d"]);
    }));
});

describe("deleting", () => {
  test("removes a text on this side and keeps its id", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "mine");
      scene.acknowledge(ana, "mine");
      scene.receive(ana, "theirs", "kept");
      expect(scene.removal.delete(ana, "mine", true)).toBe(true);
      expect(scene.removal.delete(ana, "theirs", false)).toBe(true);
      expect(scene.removal.delete(ana, "theirs", false)).toBe(false);
      expect(scene.all(ana).map(({ id }) => id)).toEqual(["kept"]);
      expect(scene.receive(ana, "theirs")).toEqual([undefined]);
      expect(scene.acknowledge(ana, "mine")).toEqual([]);
      expect(scene.read(ana, { readUpTo: "mine" }).read).toEqual([]);
    }));

  test("removes neither messages in the outbox nor the other side's message of the same id", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a", "b");
      scene.receive(ana, "a");
      scene.messages.saveSent(ana, new Map([["b", NOW]]));
      expect(scene.removal.delete(ana, "a", true)).toBe(false);
      expect(scene.removal.delete(ana, "b", true)).toBe(false);
      expect(scene.removal.delete(ana, "a", false)).toBe(true);
      expect(scene.waiting(ana)).toEqual(["a", "b"]);
    }));

  test("a text that was withdrawn leaves its withdrawal in the outbox", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "a");
      scene.messages.claim(ana, 0, 1);
      scene.queue({ kind: "withdraw", contact: ana, id: "w", target: "a", sentAt: NOW });
      expect(scene.removal.delete(ana, "a", true)).toBe(true);
      expect(scene.waiting(ana)).toEqual(["w"]);
    }));

  test("a conversation removes it in batches, but not the outbox, other contacts or later messages", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.write(ana, "waits");
      scene.receive(carla, "hers");
      scene.receive(ana, ...Array.from({ length: 1_100 }, (_, index) => `m${index}`));
      const last = scene.messages.lastSeq();
      scene.receive(ana, "later");
      const counts: number[] = [];
      for (let isMore = true; isMore;) {
        const some = scene.removal.deleteSome(ana, last);
        counts.push(some.deleted);
        isMore = some.isMore;
      }
      expect(counts.slice(0, -1).every((count) => count === counts[0])).toBe(true);
      expect(counts.reduce((sum, count) => sum + count)).toBe(1_100);
      expect(scene.all(ana).map(({ id }) => id)).toEqual(["waits", "later"]);
      expect(scene.all(carla).map(({ id }) => id)).toEqual(["hers"]);
      expect(scene.receive(ana, "m7")).toEqual([undefined]);
      scene.checkIndex();
    }));
});

test("a long conversation is deleted in large batches, even while its words are being indexed again", () =>
  withScene((scene) => {
    const [ana, carla] = [scene.contacts.ensure("Ana"), scene.contacts.ensure("Carla")];
    scene.receive(carla, "hers");
    scene.receive(ana, ...Array.from({ length: 4_000 }, (_, index) => `m${index}`));
    while (scene.search.indexSome());
    const counts: number[] = [];
    for (let isMore = true; isMore;) {
      const some = scene.removal.deleteSome(ana, scene.messages.lastSeq());
      counts.push(some.deleted);
      isMore = some.isMore;
      scene.search.indexSome();
      scene.search.indexSome();
    }
    expect(counts.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => 500));
    expect(counts.reduce((sum, count) => sum + count)).toBe(4_000);
    expect(scene.found("text")).toEqual(["hers"]);
    scene.checkIndex();
  }));

test("a deleted or withdrawn text is left neither in a file nor in the search index", () =>
  withScene((scene) => {
    const ana = scene.contacts.ensure("Ana");
    // Enough to fill every part of the index, and one that is too long for a page.
    const words = Array.from({ length: 1_200 }, (_, index) => Bun.hash(`${index}`).toString(36));
    const long = (word: string, index: number) => (index % 100 === 1 ? `${word} `.repeat(2_000) : word);
    // The folded form of every other text is stored, too.
    const sign = (index: number) => (index % 2 === 0 ? "ß" : "");
    scene.read(ana, {
      incoming: words.map((word, index) => ({
        kind: "text",
        id: `${index}`,
        text: `zanahoria ${sign(index)} ${long(word, index)}`,
        sentAt: NOW,
        replyTo: `reply${word}`,
      })),
    });
    while (scene.search.indexSome());
    const gone = (index: number) => index % 3 > 0;
    for (const index of words.keys()) {
      if (index % 3 === 1) scene.removal.delete(ana, `${index}`, false);
    }
    const withdrawn = [...words.keys()].filter((index) => index % 3 === 2);
    scene.read(ana, {
      incoming: withdrawn.map((index) => ({ kind: "withdraw", id: `w${index}`, target: `${index}` })),
    });
    scene.checkIndex();
    scene.wipeAll();
    const { bytes } = scene;
    // The index stores only the end of a word that begins like the one before it.
    const left = words.filter((word, index) => gone(index) && bytes.includes(word.slice(4)));
    expect(left).toEqual([]);
    expect(words.filter((word, index) => !gone(index) && !bytes.includes(word))).toEqual([]);
    expect(scene.found("zanahoria").length).toBe(400);
  }));

test("with many messages stored no deletion reads all of them", () =>
  withScene((scene) => {
    const ana = fill(scene);
    const { removal } = scene;
    const plans = plansOf(scene.database, () => [
      removal.cancel(ana, "id 1"),
      removal.rewrite(ana, "id 1", "other", NOW),
      removal.delete(ana, "id 1", true),
    ]);
    const byId =
      "SEARCH messages USING INDEX sqlite_autoindex_messages_1 (contact=? AND outgoing=? AND id=?)";
    expect(plans).toEqual([byId, byId, byId]);
    const [some] = plansOf(scene.database, () => removal.deleteSome(ana, 10));
    expect(some).toContain("SEARCH messages USING INDEX messages_by_contact (contact=? AND seq<?)");
  }));
