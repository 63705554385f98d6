import type { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";

import type { Contact } from "../../src/client/contact-store.ts";
import type { LinkRead, MessagePage } from "../../src/client/message-store.ts";
import { withStores, type TestStores } from "./test-profile.ts";

const NOW = Date.UTC(2027, 0, 15, 12);
const NOTHING: LinkRead = { incoming: [], acknowledged: [], sentUpTo: 0 };

function queue({ messages }: TestStores, contact: Contact, ...ids: string[]): number[] {
  return messages.queue(
    ids.map((id) => ({ contact, id, text: `text ${id}`, sentAt: NOW, replyTo: undefined })),
  );
}

function receive({ messages }: TestStores, contact: Contact, ...ids: string[]) {
  const incoming = ids.map((id) => ({ id, text: `text ${id}`, sentAt: undefined, replyTo: undefined }));
  return messages.commitRead(contact, { ...NOTHING, incoming }, NOW).stored;
}

describe("the outbox", () => {
  test("holds what waits for each contact, in the order of writing, in pages", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      const carla = stores.contacts.ensure("Carla");
      const sequences = [
        ...queue(stores, ana, "a1", "a2"),
        ...queue(stores, carla, "c1"),
        ...queue(stores, ana, "a3"),
      ];
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
      const { messages } = stores;
      expect(messages.outboxAfter(ana, 0, 2).map(({ id }) => id)).toEqual(["a1", "a2"]);
      expect(messages.outboxAfter(ana, sequences[1] as number, 2).map(({ id }) => id)).toEqual(["a3"]);
      expect(messages.outboxCount(ana)).toBe(3);
      expect(messages.contactsWithOutbox().toSorted()).toEqual([ana.id, carla.id].toSorted());
    }));

  test("takes all of a commit or nothing", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      const nobody: Contact = { id: 4_711, label: "", username: "Nobody" };
      stores.database.run("PRAGMA foreign_keys=ON");
      const message = { id: "a", text: "text", sentAt: NOW, replyTo: undefined };
      expect(() =>
        stores.messages.queue([
          { contact: ana, ...message },
          { contact: nobody, ...message },
        ]),
      ).toThrow();
      expect(stores.messages.outboxCount(ana)).toBe(0);
    }));

  test("lets go of a message when its contact acknowledges it, once, and of no other", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      const carla = stores.contacts.ensure("Carla");
      queue(stores, ana, "a1", "a2");
      receive(stores, ana, "a2");
      const acknowledge = (contact: Contact, ...acknowledged: string[]) =>
        stores.messages.commitRead(contact, { ...NOTHING, acknowledged }, NOW).acknowledged;
      expect(acknowledge(carla, "a1")).toEqual([]);
      expect(acknowledge(ana, "a1", "unknown", "a1")).toEqual(["a1"]);
      expect(acknowledge(ana, "a1")).toEqual([]);
      expect(stores.messages.outboxAfter(ana, 0, 10).map(({ id }) => id)).toEqual(["a2"]);
    }));

  test("knows how far it was written, and an acknowledgement is never taken back", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      const [, second = 0, third = 0] = queue(stores, ana, "a1", "a2", "a3");
      stores.messages.commitRead(ana, { ...NOTHING, acknowledged: ["a1"], sentUpTo: second }, NOW);
      const states = () => stores.messages.history(ana, 0, 10).map(({ state }) => state);
      expect(states()).toEqual(["received", "sent", "queued"]);
      stores.messages.markSent(ana, third);
      expect(states()).toEqual(["received", "sent", "sent"]);
    }));
});

describe("the history", () => {
  test("keeps the order of writing and arrival, whatever time the sender says", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      const { messages } = stores;
      const incoming = (id: string, sentAt: number) => ({ id, text: id, sentAt, replyTo: undefined });
      messages.commitRead(
        ana,
        { ...NOTHING, incoming: [incoming("late", NOW), incoming("early", NOW - 1_000_000)] },
        NOW,
      );
      queue(stores, ana, "mine");
      expect(messages.history(ana, 0, 10).map(({ id }) => id)).toEqual(["late", "early", "mine"]);
      const [first] = messages.history(ana, 0, 1);
      expect(first).toMatchObject({ outgoing: false, sentAt: NOW, receivedAt: NOW, state: "received" });
      expect(messages.history(ana, first?.seq ?? 0, 1).map(({ id }) => id)).toEqual(["early"]);
    }));

  test("holds an incoming and an outgoing message of the same id", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      queue(stores, ana, "same");
      expect(receive(stores, ana, "same")).toEqual([expect.any(Number)]);
      expect(stores.messages.history(ana, 0, 10).map(({ outgoing }) => outgoing)).toEqual([true, false]);
    }));

  test("gives back every text as it was", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      const texts = ["", "ñandú 🕊️", "a\u0000b", "'; DROP TABLE messages; --", "x".repeat(32 * 1024)];
      stores.messages.queue(
        texts.map((text, index) => ({ contact: ana, id: `${index}`, text, sentAt: NOW, replyTo: "before" })),
      );
      expect(stores.messages.history(ana, 0, 10).map(({ text }) => text)).toEqual(texts);
      expect(stores.messages.outboxAfter(ana, 0, 1)[0]?.replyTo).toBe("before");
    }));
});

test("what was printed is not printed again, and duplicates and one's own messages never are", () =>
  withStores((stores) => {
    const ana = stores.contacts.ensure("Ana");
    queue(stores, ana, "mine");
    receive(stores, ana, "a", "b", "c");
    expect(receive(stores, ana, "b", "d")).toEqual([undefined, expect.any(Number)]);
    const { messages } = stores;
    const ids = (limit = 10) => messages.unprinted(limit).map(({ id }) => id);
    expect(ids()).toEqual(["a", "b", "c", "d"]);
    messages.markPrinted(messages.unprinted(2).map(({ seq }) => seq));
    expect(ids()).toEqual(["c", "d"]);
    expect(ids(1)).toEqual(["c"]);
  }));

/** What SQLite does for each statement that `run` has it make, one line each. */
function plansOf(database: Database, run: () => unknown): string[] {
  const statements: string[] = [];
  const query = database.query.bind(database);
  Object.assign(database, { query: (sql: string) => (statements.push(sql), query(sql)) });
  try {
    run();
  } finally {
    Object.assign(database, { query });
  }
  return statements.map((sql) =>
    query<{ detail: string }, number[]>(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...Array.from({ length: sql.split("?").length - 1 }, () => 1))
      .map(({ detail }) => detail)
      .join("; "),
  );
}

describe("a page of the conversation", () => {
  const idsOf = (page: MessagePage) => page.messages.map(({ id }) => id);

  test("goes back from the newest to the first, oldest first in each, and says whether there is more", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      const carla = stores.contacts.ensure("Carla");
      queue(stores, ana, "1", "2");
      receive(stores, carla, "other");
      receive(stores, ana, "3", "4");
      queue(stores, ana, "5");
      const { messages } = stores;
      const newest = messages.before(ana, undefined, 2);
      expect(idsOf(newest)).toEqual(["4", "5"]);
      expect(newest.isMore).toBe(true);
      const middle = messages.before(ana, newest.messages[0]?.seq, 2);
      expect(idsOf(middle)).toEqual(["2", "3"]);
      expect(middle.isMore).toBe(true);
      const oldest = messages.before(ana, middle.messages[0]?.seq, 2);
      expect(idsOf(oldest)).toEqual(["1"]);
      expect(oldest.isMore).toBe(false);
      expect(messages.before(ana, oldest.messages[0]?.seq, 2)).toEqual({ messages: [], isMore: false });
    }));

  test("that holds exactly all there is says that there is no more", () =>
    withStores((stores) => {
      const ana = stores.contacts.ensure("Ana");
      queue(stores, ana, "1", "2");
      expect(stores.messages.before(ana, undefined, 2).isMore).toBe(false);
      const nobody = stores.contacts.ensure("Nobody");
      expect(stores.messages.before(nobody, undefined, 2)).toEqual({ messages: [], isMore: false });
    }));

  test("is found by the index, however many messages are stored, and without sorting", () =>
    withStores(({ contacts, messages, database }) => {
      const ana = contacts.ensure("Ana");
      const plans = plansOf(database, () => messages.before(ana, undefined, 50));
      expect(plans).toEqual(["SEARCH messages USING INDEX messages_by_contact (contact=? AND seq<?)"]);
    }));
});

describe("what is unread", () => {
  test("is counted for each contact, and begins at the first message that was never printed", () =>
    withStores((stores) => {
      const [ana, carla, dora] = ["Ana", "Carla", "Dora"].map((name) => stores.contacts.ensure(name)) as [
        Contact,
        Contact,
        Contact,
      ];
      const { messages } = stores;
      expect(messages.unreadCounts()).toEqual(new Map());
      queue(stores, dora, "mine");
      const [a1 = 0] = receive(stores, ana, "a1");
      const [c1] = receive(stores, carla, "c1");
      const [a2, a3] = receive(stores, ana, "a2", "a3", "a1");
      expect(messages.unreadCounts()).toEqual(
        new Map([
          [ana.id, 3],
          [carla.id, 1],
        ]),
      );
      expect([ana, carla, dora].map((each) => messages.unreadFrom(each))).toEqual([a1, c1, undefined]);
      messages.markPrinted([a1, a3 as number]);
      expect(messages.unreadCounts().get(ana.id)).toBe(1);
      expect(messages.unreadFrom(ana)).toBe(a2);
      messages.markPrinted([a2 as number]);
      expect(messages.unreadCounts()).toEqual(new Map([[carla.id, 1]]));
      expect(messages.unreadFrom(ana)).toBeUndefined();
    }));

  test("costs only what is unread, not what is stored", () =>
    withStores(({ contacts, messages, database }) => {
      const ana = contacts.ensure("Ana");
      const plans = plansOf(database, () => [
        messages.unreadCounts(),
        messages.unreadFrom(ana),
        messages.unprinted(1),
      ]);
      expect(plans.length).toBe(3);
      for (const plan of plans) expect(plan).toMatch(/^SCAN messages USING (?:COVERING )?INDEX unprinted/);
    }));
});
