import { describe, expect, test } from "bun:test";

import type { Contact } from "../../../src/client/profile/contacts.ts";
import type { MessagePage } from "../../../src/client/profile/message-history.ts";
import { arriving, fill, NOW, plansOf, withScene } from "../message-scene.ts";

/** The query that each edited or withdrawn message costs in addition. */
/** What is read besides of each text, one row at a time. */
const COLUMNS =
  /(?:; CORRELATED SCALAR SUBQUERY \d; SEARCH (?:author|entry|action|offer) USING [^;]*\(\w+=\?[^;]*\))+/;

const idsOf = (page: MessagePage) => page.messages.map(({ id }) => id);

describe("the history", () => {
  test("keeps the order of writing and arrival, regardless of the sender's time", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const at = (id: string, sentAt: number) => ({ ...arriving(id), sentAt });
      scene.read(ana, { incoming: [at("late", NOW), at("early", NOW - 1_000_000)] });
      scene.write(ana, "mine");
      expect(scene.all(ana).map(({ id }) => id)).toEqual(["late", "early", "mine"]);
      const [first] = scene.history.after(ana, 0, 1);
      expect(first).toMatchObject({ outgoing: false, sentAt: NOW, receivedAt: NOW, state: "received" });
      expect(scene.history.after(ana, first?.seq ?? 0, 1).map(({ id }) => id)).toEqual(["early"]);
    }));

  test("shows only texts, and none that were cancelled or deleted", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "cancelled", "mine");
      scene.removal.cancel(ana, "cancelled");
      scene.receive(ana, "deleted", "theirs");
      scene.removal.delete(ana, "deleted", false);
      scene.read(ana, {
        incoming: [
          { kind: "edit", id: "e", target: "theirs", text: "other" },
          { kind: "withdraw", id: "w", target: "unknown" },
        ],
      });
      const expected = ["mine", "theirs"];
      expect(scene.all(ana).map(({ id }) => id)).toEqual(expected);
      expect(idsOf(scene.history.before(ana, undefined, 10))).toEqual(expected);
      for (const id of ["cancelled", "deleted", "e", "w", "unknown"]) {
        expect(scene.history.find(ana, id)).toBeUndefined();
      }
    }));

  test("finds a message by its id in its own conversation only, and by its number", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      const carla = scene.contacts.ensure("Carla");
      scene.receive(ana, "same");
      const [ours = 0] = scene.write(ana, "same");
      scene.receive(carla, "hers");
      expect(scene.history.find(ana, "same")).toMatchObject({ seq: ours, outgoing: true });
      expect(scene.history.find(ana, "hers")).toBeUndefined();
      expect(scene.history.bySeq(ours)).toMatchObject({ id: "same", outgoing: true });
      expect(scene.history.bySeq(ours + 100)).toBeUndefined();
    }));
});

describe("a page of the conversation", () => {
  test("leads from the newest messages to the first, each page oldest first, and says whether there are more", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "1", "2");
      scene.receive(scene.contacts.ensure("Carla"), "other");
      scene.receive(ana, "3", "4");
      scene.write(ana, "5");
      const { history } = scene;
      const newest = history.before(ana, undefined, 2);
      expect(idsOf(newest)).toEqual(["4", "5"]);
      expect(newest.isMore).toBe(true);
      const middle = history.before(ana, newest.messages[0]?.seq, 2);
      expect(idsOf(middle)).toEqual(["2", "3"]);
      expect(middle.isMore).toBe(true);
      const oldest = history.before(ana, middle.messages[0]?.seq, 2);
      expect(idsOf(oldest)).toEqual(["1"]);
      expect(oldest.isMore).toBe(false);
      expect(history.before(ana, oldest.messages[0]?.seq, 2)).toEqual({ messages: [], isMore: false });
    }));

  test("that contains exactly the remaining messages says that there are no more", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "1", "2");
      expect(scene.history.before(ana, undefined, 2).isMore).toBe(false);
      const nobody = scene.contacts.ensure("Nobody");
      expect(scene.history.before(nobody, undefined, 2)).toEqual({ messages: [], isMore: false });
    }));
});

describe("what is unread", () => {
  test("is printed once, and duplicates and one's own messages never", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.write(ana, "mine");
      scene.receive(ana, "a", "b", "c");
      expect(scene.receive(ana, "b", "d")).toEqual([undefined, expect.any(Number)]);
      const { history } = scene;
      const ids = (limit = 10) => history.unprinted(limit).map(({ id }) => id);
      expect(ids()).toEqual(["a", "b", "c", "d"]);
      history.markPrinted(history.unprinted(2).map(({ seq }) => seq));
      expect(ids()).toEqual(["c", "d"]);
      expect(ids(1)).toEqual(["c"]);
    }));

  test("comes as much at once as is asked for, and one message at least", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.read(ana, { incoming: ["a", "b", "c"].map((id) => arriving(id, "é".repeat(10))) });
      const ids = (seq: number, limit: number, bytes: number) =>
        scene.history.arrived(seq, 0, limit, bytes).map(({ id }) => id);
      expect(ids(0, 9, 60)).toEqual(["a", "b", "c"]);
      expect(ids(0, 2, 60)).toEqual(["a", "b"]);
      expect(ids(0, 9, 59)).toEqual(["a", "b"]);
      expect(ids(0, 9, 1)).toEqual(["a"]);
      const [first] = scene.history.arrived(0, 0, 1, 1);
      expect(ids(first?.seq ?? 0, 9, 40)).toEqual(["b", "c"]);
      expect(scene.history.arrived(1_000, 0, 9, 60)).toEqual([]);
    }));

  test("is counted for each contact, from the first message that was not printed", () =>
    withScene((scene) => {
      const [ana, carla, dora] = ["Ana", "Carla", "Dora"].map((name) => scene.contacts.ensure(name)) as [
        Contact,
        Contact,
        Contact,
      ];
      const { history } = scene;
      expect(history.unreadCounts()).toEqual(new Map());
      scene.write(dora, "mine");
      const [a1 = 0] = scene.receive(ana, "a1");
      const [c1] = scene.receive(carla, "c1");
      const [a2, a3] = scene.receive(ana, "a2", "a3", "a1");
      expect(history.unreadCounts()).toEqual(
        new Map([
          [ana.id, 3],
          [carla.id, 1],
        ]),
      );
      expect([ana, carla, dora].map((each) => history.unreadFrom(each))).toEqual([a1, c1, undefined]);
      history.markPrinted([a1, a3 as number]);
      expect(history.unreadCounts().get(ana.id)).toBe(1);
      expect(history.unreadFrom(ana)).toBe(a2);
      // Carla's message has waited longer than what is left of Ana's.
      expect([...history.unreadCounts().keys()]).toEqual([carla.id, ana.id]);
      history.markPrinted([a2 as number]);
      expect(history.unreadCounts()).toEqual(new Map([[carla.id, 1]]));
      expect(history.unreadFrom(ana)).toBeUndefined();
    }));

  test("excludes edits, and texts that were withdrawn or deleted unread", () =>
    withScene((scene) => {
      const ana = scene.contacts.ensure("Ana");
      scene.receive(ana, "withdrawn", "deleted", "edited");
      scene.removal.delete(ana, "deleted", false);
      scene.read(ana, {
        incoming: [
          { kind: "withdraw", id: "w", target: "withdrawn" },
          { kind: "edit", id: "e", target: "edited", text: "other" },
        ],
      });
      expect(scene.history.unprinted(10).map(({ text }) => text)).toEqual(["other"]);
      expect(scene.history.unreadCounts()).toEqual(new Map([[ana.id, 1]]));
    }));
});

test("with many messages stored each query reads only the rows that it returns, without sorting", () =>
  withScene((scene) => {
    const ana = fill(scene);
    const { history, contacts, database } = scene;
    const pages = plansOf(database, () => [
      history.before(ana, undefined, 50),
      history.before(ana, 1_000, 50),
      history.after(ana, 1_000, 50),
      contacts.saveReadHere(ana, 1_000),
    ]);
    expect(pages.map((plan) => plan.replaceAll(/^.*(?=SEARCH messages)/g, "").replace(COLUMNS, ""))).toEqual([
      "SEARCH messages USING INDEX messages_by_contact (contact=? AND seq<?)",
      "SEARCH messages USING INDEX messages_by_contact (contact=? AND seq>?)",
      expect.stringContaining("SEARCH messages USING INDEX messages_by_contact (contact=? AND seq<?)"),
    ]);
    const unread = plansOf(database, () => [
      history.unreadCounts(),
      history.unreadFrom(ana),
      history.unprinted(1),
    ]);
    expect(unread.length).toBe(3);
    for (const plan of unread) expect(plan).toMatch(/^SCAN messages USING (?:COVERING )?INDEX unprinted/);
    const single = plansOf(database, () => [
      history.find(ana, "id 8"),
      history.bySeq(8),
      history.markPrinted([8]),
    ]);
    expect(single.map((plan) => plan.replace(COLUMNS, ""))).toEqual([
      "SEARCH messages USING INDEX sqlite_autoindex_messages_1 (contact=? AND outgoing=? AND id=?)",
      "SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)",
      "SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)",
    ]);
  }));
