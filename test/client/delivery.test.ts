import { describe, expect, test } from "bun:test";

import type { Contact } from "../../src/client/contact-store.ts";
import {
  believableTime,
  Delivery,
  MAX_TIME_AHEAD,
  type ChatMessage,
  type DeliveryLink,
} from "../../src/client/delivery.ts";
import type { MessengerEvent } from "../../src/client/messenger-events.ts";
import type { PeerOutput } from "../../src/protocol/peer-messages.ts";
import { withStores, type TestStores } from "./test-profile.ts";

const NOW = Date.UTC(2027, 0, 15, 12);

/** The wire: what was sent, and how much of it the socket has not taken. */
class Wire implements DeliveryLink {
  readonly sent: PeerOutput[] = [];
  queuedBytes = 0;
  isOpen = true;
  /** Whether the socket takes what it is given. */
  takes = true;
  onDrained: () => void = () => undefined;

  send(message: PeerOutput): void {
    this.sent.push(message);
    this.queuedBytes += JSON.stringify(message).length;
  }

  flush(): void {
    if (!this.takes || this.queuedBytes === 0) return;
    this.queuedBytes = 0;
    this.onDrained();
  }

  get texts(): string[] {
    return this.sent.flatMap((message) =>
      "message" in message && "sent_at" in message ? [message.message] : [],
    );
  }

  get delivered(): (readonly string[])[] {
    return this.sent.flatMap((message) =>
      "action" in message && message.action === "delivered" ? [message.ids] : [],
    );
  }
}

class Party {
  readonly events: MessengerEvent[] = [];
  readonly contact: Contact;
  readonly delivery: Delivery;
  readonly #stores: TestStores;
  #next = 0;

  constructor(stores: TestStores, name = "Ana") {
    this.#stores = stores;
    this.contact = stores.contacts.ensure(name);
    this.delivery = new Delivery({
      contact: () => this.contact,
      messages: stores.messages,
      emit: (event) => this.events.push(event),
      now: () => NOW,
    });
  }

  /** Commits texts to the outbox; their ids are `NAME-0`, `NAME-1`, … */
  write(...texts: string[]): void {
    const messages = texts.map((text) => ({
      contact: this.contact,
      id: `${this.contact.username}-${this.#next++}`,
      text,
      sentAt: NOW,
      replyTo: undefined,
    }));
    const sequences = this.#stores.messages.queue(messages);
    this.delivery.committed(messages.map((each, index) => ({ ...each, seq: sequences[index] as number })));
  }

  read(wire: Wire, ...chats: (Partial<ChatMessage> & { message: string })[]): void {
    for (const chat of chats)
      this.delivery.take({ id: undefined, sent_at: undefined, reply_to: undefined, ...chat });
    this.delivery.commitRead(wire);
  }

  acknowledge(wire: Wire, ...ids: string[]): void {
    this.delivery.takeAcknowledgement(ids);
    this.delivery.commitRead(wire);
  }

  get shown(): string[] {
    return this.events.flatMap((event) => (event.name === "message" ? [event.message.text] : []));
  }
}

describe("what is sent", () => {
  test("goes out again in order on a new link, without what was acknowledged", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const first = new Wire();
      party.delivery.writeOn(first);
      party.write("0", "1");
      party.write("2");
      expect(first.texts).toEqual(["0", "1", "2"]);
      party.acknowledge(first, "Ana-1");
      const second = new Wire();
      party.delivery.writeOn(second);
      expect(second.texts).toEqual(["0", "2"]);
      party.write("3");
      expect(second.texts).toEqual(["0", "2", "3"]);
      expect(first.texts).toEqual(["0", "1", "2"]);
      expect(party.delivery.unacknowledged).toBe(3);
    }));

  test("waits without a link, and survives the end of the program", () =>
    withStores((stores) => {
      new Party(stores).write("0", "1");
      const later = new Party(stores);
      expect(later.delivery.unacknowledged).toBe(2);
      const wire = new Wire();
      later.delivery.writeOn(wire);
      expect(wire.texts).toEqual(["0", "1"]);
    }));

  test("waits in the outbox while the link is full, and new messages do not overtake it", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const texts = Array.from({ length: 40 }, (_, index) => `${index} ${"x".repeat(32_000)}`);
      party.write(...texts);
      const wire = new Wire();
      wire.takes = false;
      party.delivery.writeOn(wire);
      expect(wire.texts.length).toBeGreaterThan(0);
      expect(wire.texts.length).toBeLessThan(10);
      expect(wire.queuedBytes).toBeLessThan(300 * 1024);
      party.write("last");
      expect(wire.texts.length).toBeLessThan(10);
      wire.takes = true;
      wire.flush();
      party.delivery.pump();
      expect(wire.texts.map((text) => text.slice(0, 4))).toEqual(
        [...texts, "last"].map((text) => text.slice(0, 4)),
      );
    }));

  test("is written once on a link, also when the link drains while it is written", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const texts = Array.from({ length: 600 }, (_, index) => `${index} ${"x".repeat(2_000)}`);
      party.write(...texts);
      const wire = new Wire();
      wire.onDrained = () => party.delivery.pump();
      party.delivery.writeOn(wire);
      expect(wire.texts.map(Number.parseFloat)).toEqual(texts.map((_, index) => index));
    }));

  test("is told as sent once a link has it, and as received when the other side says so, once", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.delivery.writeOn(wire);
      party.write("0");
      party.acknowledge(wire, "Ana-0");
      party.acknowledge(wire, "Ana-0", "never sent");
      const states = party.events.flatMap((event) => (event.name === "delivery" ? [event.state] : []));
      expect(states).toEqual(["sent", "received"]);
      expect(party.delivery.unacknowledged).toBe(0);
      expect(stores.messages.outboxCount(party.contact)).toBe(0);
    }));

  test("stays unacknowledged when another contact names its id", () =>
    withStores((stores) => {
      const ana = new Party(stores);
      const carla = new Party(stores, "Carla");
      ana.write("secret");
      carla.write("other");
      carla.acknowledge(new Wire(), "Ana-0");
      expect(carla.delivery.unacknowledged).toBe(1);
      expect(carla.events).toEqual([]);
      expect(stores.messages.outboxCount(ana.contact)).toBe(1);
      expect(stores.messages.history(ana.contact, 0, 10).map((each) => each.state)).toEqual(["queued"]);
    }));
});

describe("what arrives", () => {
  test("is acknowledged in order and shown once; a duplicate is acknowledged and dropped, the first text wins", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.read(wire, { id: "a", message: "first" }, { id: "b", message: "second" });
      party.read(wire, { id: "a", message: "another text" }, { id: "c", message: "third" });
      expect(party.shown).toEqual(["first", "second", "third"]);
      expect(wire.delivered).toEqual([
        ["a", "b"],
        ["a", "c"],
      ]);
      expect(stores.messages.history(party.contact, 0, 10).map((each) => each.text)).toEqual(party.shown);
    }));

  test("twice in one read is shown once", () =>
    withStores((stores) => {
      const party = new Party(stores);
      party.read(new Wire(), { id: "a", message: "first" }, { id: "a", message: "again" });
      expect(party.shown).toEqual(["first"]);
    }));

  test("with the id of another contact's message is another message", () =>
    withStores((stores) => {
      const ana = new Party(stores);
      const carla = new Party(stores, "Carla");
      ana.read(new Wire(), { id: "a", message: "of Ana" });
      carla.read(new Wire(), { id: "a", message: "of Carla" });
      expect([ana.shown, carla.shown]).toEqual([["of Ana"], ["of Carla"]]);
    }));

  test("without an id is shown and not acknowledged", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.read(wire, { message: "of a simple client" }, { message: "of a simple client" });
      expect(party.shown).toEqual(["of a simple client", "of a simple client"]);
      expect(wire.sent).toEqual([]);
    }));

  test("is acknowledged with at most 1,000 ids in one message", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      const ids = Array.from({ length: 2_001 }, (_, index) => `id ${index}`);
      party.read(wire, ...ids.map((id) => ({ id, message: id })));
      expect(wire.delivered.map((each) => each.length)).toEqual([1_000, 1_000, 1]);
      expect(wire.delivered.flat()).toEqual(ids);
    }));

  test("is on the disk before it is acknowledged, and acknowledged before it is shown", () =>
    withStores((stores) => {
      const order: string[] = [];
      const contact = stores.contacts.ensure("Ana");
      const onDisk = () => stores.messages.history(contact, 0, 10).length;
      const delivery = new Delivery({
        contact: () => contact,
        messages: stores.messages,
        emit: (event) => order.push(`${event.name} with ${onDisk()} on the disk`),
        now: () => NOW,
      });
      delivery.take({ id: "a", message: "text", sent_at: undefined, reply_to: undefined });
      delivery.commitRead({
        queuedBytes: 0,
        isOpen: true,
        send: () => order.push(`delivered with ${onDisk()} on the disk`),
        flush: () => order.push("flushed"),
      });
      expect(order).toEqual(["delivered with 1 on the disk", "flushed", "message with 1 on the disk"]);
    }));

  test("while the disk is full is neither acknowledged nor shown, and arrives once when there is space", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.delivery.writeOn(wire);
      party.write("mine");
      const { page_count: pages } = stores.database
        .query<{ page_count: number }, []>("PRAGMA page_count")
        .get() as { page_count: number };
      stores.database.run(`PRAGMA max_page_count=${pages}`);
      const text = "x".repeat(32 * 1024);
      const chats = [0, 1, 2].map((index) => ({ id: `id ${index}`, message: `${index} ${text}` }));
      party.delivery.takeAcknowledgement(["Ana-0"]);
      expect(() => party.read(wire, ...chats)).toThrow(expect.objectContaining({ code: "SQLITE_FULL" }));
      expect(wire.delivered).toEqual([]);
      expect(party.shown).toEqual([]);
      expect(party.delivery.unacknowledged).toBe(1);
      expect(stores.messages.history(party.contact, 0, 10).map((each) => each.text)).toEqual(["mine"]);

      stores.database.run(`PRAGMA max_page_count=${pages + 1_000}`);
      const next = new Wire();
      party.delivery.writeOn(next);
      expect(next.texts).toEqual(["mine"]);
      party.delivery.takeAcknowledgement(["Ana-0"]);
      party.read(next, ...chats);
      expect(party.shown).toEqual(chats.map(({ message }) => message));
      expect(next.delivered).toEqual([["id 0", "id 1", "id 2"]]);
      expect(party.delivery.unacknowledged).toBe(0);
    }));

  test("and was dropped before its commit is not acknowledged by a later one", () =>
    withStores((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.delivery.take({ id: "a", message: "half read", sent_at: undefined, reply_to: undefined });
      party.delivery.dropRead();
      party.read(wire, { id: "b", message: "whole" });
      expect(wire.delivered).toEqual([["b"]]);
      expect(party.shown).toEqual(["whole"]);
    }));
});

describe("the sender's time", () => {
  const at = (offset: number) => new Date(NOW + offset).toISOString();
  const table: [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ["", undefined],
    ["yesterday", undefined],
    ["2027", undefined],
    ["2027-01-15", undefined],
    ["Fri, 15 Jan 2027 12:00:00 GMT", undefined],
    ["2027-13-45T12:00:00Z", undefined],
    ["-002027-01-15T12:00:00Z", undefined],
    ["2027-01-15T12:00:00Z", NOW],
    ["2027-01-15T13:00:00+01:00", NOW],
    [at(-365 * 86_400_000), NOW - 365 * 86_400_000],
    [at(MAX_TIME_AHEAD), NOW + MAX_TIME_AHEAD],
    [at(MAX_TIME_AHEAD + 1), undefined],
    ["9999-12-31T23:59:59Z", undefined],
  ];
  for (const [sentAt, expected] of table) {
    test(`${sentAt} is ${expected === undefined ? "not believed" : "believed"}`, () => {
      expect(believableTime(sentAt, NOW)).toBe(expected as number);
    });
  }
});
