import { describe, expect, test } from "bun:test";

import {
  believableTime,
  MAX_TIME_AHEAD,
  Receiving,
  type PeerContent,
  type ReceivingLink,
} from "../../../src/client/conversation/receiving.ts";
import { Durability } from "../../../src/client/disk/durability.ts";
import type { CommitLog } from "../../../src/client/disk/write-ahead-log.ts";
import { StorageGuard } from "../../../src/client/disk/storage-guard.ts";
import type { Contact } from "../../../src/client/profile/contacts.ts";
import { ContactRecord } from "../../../src/client/peer/contact-record.ts";
import { Intake } from "../../../src/client/conversation/intake.ts";
import { label as labelOf } from "../../../src/identity/names.ts";
import { Delivery, type DeliveryLink } from "../../../src/client/conversation/delivery.ts";
import type { MessengerEvent } from "../../../src/client/conversation/events.ts";
import type { NewOutgoing } from "../../../src/client/profile/stored-message.ts";
import type { PeerOutput } from "../../../src/protocol/peer-messages.ts";
import { NOW, text, withScene, MessageScene } from "../message-scene.ts";

type ChatMessage = Extract<PeerContent, { action: "chat" }>;

const PEER = { name: "Ana", label: labelOf("Ana"), notBefore: 0, fingerprint: "", spki: Buffer.alloc(0) };

/** Both ways of a conversation with somebody who may write. */
function waysWith(
  { contacts, consents, messages }: MessageScene,
  contact: Contact,
  {
    storage,
    emit,
    now,
    sync,
  }: Pick<ConstructorParameters<typeof Delivery>[0], "storage" | "emit" | "now"> & Pick<CommitLog, "sync">,
): { readonly delivery: Delivery; readonly receiving: Receiving } {
  consents.accept(contact);
  const keyPending = () => undefined;
  const record = new ContactRecord({
    contact,
    contacts,
    consents,
    verifications: { verifiedAt: () => undefined },
    isVerifying: () => false,
    now,
    keyPending,
    storage,
  });
  const durability = new Durability(
    { sync, syncNow: () => undefined },
    (error) => {
      throw error;
    },
    () => undefined,
  );
  const delivery = new Delivery({ record, messages, storage, durability, emit, now });
  const receiving = new Receiving({
    ...{ record, delivery, durability, emit, now },
    intake: new Intake({ consents, messages }, "requests"),
    isContact: () => true,
    consentChanged: () => undefined,
    tookText: () => undefined,
    tookControls: () => undefined,
    isShown: () => false,
  });
  return { delivery, receiving };
}

/** The wire: what was sent, and how much of it the socket has not taken. */
class Wire implements DeliveryLink, ReceivingLink {
  readonly sent: PeerOutput[] = [];
  features: readonly string[] = ["edit", "withdraw"];
  queuedBytes = 0;
  isOpen = true;
  /** Whether the socket takes what it is given. */
  takes = true;
  /** How often a read was ended early. */
  readsEnded = 0;
  onDrained: () => void = () => undefined;
  /** Reads that contained a new text. */
  tookTexts = 0;
  isHolding = false;
  readonly network = "192.0.2.7";
  readonly peer = PEER;

  tookText(): void {
    this.tookTexts++;
  }

  hold(): void {
    this.isHolding = true;
  }

  send(message: PeerOutput): void {
    this.sent.push(message);
    this.queuedBytes += JSON.stringify(message).length;
  }

  flush(): void {
    if (!this.takes || this.queuedBytes === 0) return;
    this.queuedBytes = 0;
    this.onDrained();
  }

  endRead(): void {
    this.readsEnded++;
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
  readonly receiving: Receiving;
  readonly #stores: MessageScene;
  now = NOW;
  /** Whether what is queued may be written at once. */
  isLinked = true;
  /** The end of each sync under way; undefined: a sync ends at once. */
  syncs: (() => void)[] | undefined;
  #next = 0;

  constructor(stores: MessageScene, name = "Ana") {
    this.#stores = stores;
    this.contact = stores.contacts.ensure(name);
    const { delivery, receiving } = waysWith(stores, this.contact, {
      storage: new StorageGuard((error) => this.events.push({ name: "storageFailed", error })),
      emit: (event) => this.events.push(event),
      now: () => this.now,
      sync: (done) => {
        if (this.syncs === undefined) done(null);
        else this.syncs.push(() => done(null));
      },
    });
    this.delivery = delivery;
    this.receiving = receiving;
  }

  /** Whether the text with this number may have been written on a link, as far as the disk knows. */
  isTried(number: number): boolean {
    const sql = "SELECT tried FROM messages WHERE id = ?";
    const row = this.#stores.database.query<{ tried: number }, [string]>(sql);
    return row.get(`${this.contact.username}-${number}`)?.tried === 1;
  }

  /** Commits texts to the outbox; their ids are `NAME-0`, `NAME-1`, … */
  write(...texts: string[]): void {
    this.queue(...texts.map((each) => text(this.contact, `${this.contact.username}-${this.#next++}`, each)));
  }

  /** Commits to the outbox what goes out at once if there is a link. */
  queue(...messages: NewOutgoing[]): void {
    const linked = new Set(this.isLinked ? [this.contact] : []);
    const sequences = this.#stores.messages.queue(messages, linked);
    this.delivery.committed(messages.map((each, index) => ({ ...each, seq: sequences[index] as number })));
  }

  read(wire: Wire, ...chats: (Partial<ChatMessage> & { message: string })[]): void {
    for (const chat of chats)
      this.receiving.take(
        { action: "chat", id: undefined, sent_at: undefined, reply_to: undefined, ...chat },
        wire,
      );
    this.receiving.commitRead(wire);
  }

  acknowledge(wire: Wire, ...ids: string[]): void {
    this.receiving.take({ action: "delivered", ids }, wire);
    this.receiving.commitRead(wire);
  }

  get shown(): string[] {
    return this.events.flatMap((event) => (event.name === "message" ? [event.message.text] : []));
  }
}

describe("an outgoing message", () => {
  test("is sent again in order on a new link, unless it was acknowledged", () =>
    withScene((stores) => {
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
      expect(party.delivery.waiting).toBe(3);
    }));

  test("waits without a link, and survives the end of the program", () =>
    withScene((stores) => {
      new Party(stores).write("0", "1");
      const later = new Party(stores);
      expect(later.delivery.waiting).toBe(2);
      const wire = new Wire();
      later.delivery.writeOn(wire);
      expect(wire.texts).toEqual(["0", "1"]);
    }));

  test.each(["disk", "link"])(
    "is claimed while a link is greeted, and written after that sync (first: %s)",
    (first) =>
      withScene((stores) => {
        const party = new Party(stores);
        party.isLinked = false;
        party.write("0", "1");
        party.syncs = [];
        party.delivery.prepare();
        expect(party.isTried(1)).toBeTrue();
        const wire = new Wire();
        const link = () => party.delivery.writeOn(wire);
        const disk = () => {
          for (const end of party.syncs?.splice(0) ?? []) end();
        };
        const [one, other] = first === "disk" ? [disk, link] : [link, disk];
        one();
        party.write("2");
        expect(wire.texts).toEqual([]);
        other();
        expect(wire.texts).toEqual(["0", "1", "2"]);
      }),
  );

  test("is no longer claimed when the link has ended before it was complete", () =>
    withScene((stores) => {
      const party = new Party(stores);
      party.isLinked = false;
      party.write("0");
      party.delivery.prepare();
      expect(party.isTried(0)).toBeTrue();
      party.delivery.takeBack();
      expect(party.isTried(0)).toBeFalse();
      party.delivery.prepare();
      const wire = new Wire();
      party.delivery.writeOn(wire);
      expect(wire.texts).toEqual(["0"]);
      party.delivery.writeOn(undefined);
      party.delivery.takeBack();
      expect(party.isTried(0)).toBeTrue();
    }));

  test("waits in the outbox while the link is full, and new messages do not overtake it", () =>
    withScene((stores) => {
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
    withScene((stores) => {
      const party = new Party(stores);
      const texts = Array.from({ length: 600 }, (_, index) => `${index} ${"x".repeat(2_000)}`);
      party.write(...texts);
      const wire = new Wire();
      wire.onDrained = () => party.delivery.pump();
      party.delivery.writeOn(wire);
      expect(wire.texts.map(Number.parseFloat)).toEqual(texts.map((_, index) => index));
    }));

  test("is reported once as sent when it is written, and once as received when the peer acknowledges it", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.delivery.writeOn(wire);
      party.write("0");
      party.acknowledge(wire, "Ana-0");
      party.acknowledge(wire, "Ana-0", "never sent");
      const states = party.events.flatMap((event) => (event.name === "delivery" ? [event.state] : []));
      expect(states).toEqual(["sent", "received"]);
      expect(party.delivery.waiting).toBe(0);
      expect(stores.waiting(party.contact)).toEqual([]);
    }));

  test("stays unacknowledged when another contact names its id", () =>
    withScene((stores) => {
      const ana = new Party(stores);
      const carla = new Party(stores, "Carla");
      ana.write("secret");
      carla.write("other");
      carla.acknowledge(new Wire(), "Ana-0");
      expect(carla.delivery.waiting).toBe(1);
      expect(carla.events).toEqual([]);
      expect(stores.waiting(ana.contact)).toEqual(["Ana-0"]);
      expect(stores.all(ana.contact).map((each) => each.state)).toEqual(["queued"]);
    }));
});

describe("an incoming message", () => {
  test("is acknowledged in order and shown once; a duplicate is acknowledged and dropped, the first text wins", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.read(wire, { id: "a", message: "first" }, { id: "b", message: "second" });
      party.read(wire, { id: "a", message: "another text" }, { id: "c", message: "third" });
      party.read(wire, { id: "b", message: "a duplicate is no text that was taken" });
      expect(wire.tookTexts).toBe(2);
      expect(party.shown).toEqual(["first", "second", "third"]);
      expect(wire.delivered).toEqual([["a", "b"], ["a", "c"], ["b"]]);
      expect(stores.all(party.contact).map((each) => each.text)).toEqual(party.shown);
    }));

  test("twice in one read is shown once", () =>
    withScene((stores) => {
      const party = new Party(stores);
      party.read(new Wire(), { id: "a", message: "first" }, { id: "a", message: "again" });
      expect(party.shown).toEqual(["first"]);
    }));

  test("with the id of another contact's message is another message", () =>
    withScene((stores) => {
      const ana = new Party(stores);
      const carla = new Party(stores, "Carla");
      ana.read(new Wire(), { id: "a", message: "of Ana" });
      carla.read(new Wire(), { id: "a", message: "of Carla" });
      expect([ana.shown, carla.shown]).toEqual([["of Ana"], ["of Carla"]]);
    }));

  test("without an id is shown and not acknowledged", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.read(wire, { message: "of a simple client" }, { message: "of a simple client" });
      expect(party.shown).toEqual(["of a simple client", "of a simple client"]);
      expect(wire.sent).toEqual([]);
    }));

  test("is acknowledged with at most 1,000 ids in one message", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      const ids = Array.from({ length: 2_001 }, (_, index) => `id ${index}`);
      party.read(wire, ...ids.map((id) => ({ id, message: id })));
      expect(wire.delivered.map((each) => each.length)).toEqual([1_000, 1_000, 1]);
      expect(wire.delivered.flat()).toEqual(ids);
    }));

  test("is on the disk before it is acknowledged, and acknowledged before it is shown", () =>
    withScene((stores) => {
      const order: string[] = [];
      const contact = stores.contacts.ensure("Ana");
      const onDisk = () => stores.all(contact).length;
      const { receiving } = waysWith(stores, contact, {
        storage: new StorageGuard(() => undefined),
        emit: (event) => order.push(`${event.name} with ${onDisk()} on the disk`),
        now: () => NOW,
        sync: (done) => done(null),
      });
      const link: ReceivingLink & Pick<Wire, "endRead"> = {
        hold: () => undefined,
        isHolding: false,
        network: "192.0.2.7",
        peer: PEER,
        endRead: () => undefined,
        isOpen: true,
        tookText: () => undefined,
        send: () => order.push(`delivered with ${onDisk()} on the disk`),
        flush: () => order.push("flushed"),
      };
      receiving.take(
        { action: "chat", id: "a", message: "text", sent_at: undefined, reply_to: undefined },
        link,
      );
      receiving.commitRead(link);
      expect(order).toEqual(["delivered with 1 on the disk", "flushed", "message with 1 on the disk"]);
    }));

  test("while the disk is full is neither acknowledged nor shown, and arrives once when there is space", () =>
    withScene((stores) => {
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
      party.receiving.take({ action: "delivered", ids: ["Ana-0"] }, wire);
      expect(() => party.read(wire, ...chats)).toThrow(expect.objectContaining({ code: "SQLITE_FULL" }));
      expect(wire.delivered).toEqual([]);
      expect(party.shown).toEqual([]);
      expect(party.delivery.waiting).toBe(1);
      expect(stores.all(party.contact).map((each) => each.text)).toEqual(["mine"]);

      stores.database.run(`PRAGMA max_page_count=${pages + 1_000}`);
      const next = new Wire();
      party.delivery.writeOn(next);
      expect(next.texts).toEqual(["mine"]);
      party.receiving.take({ action: "delivered", ids: ["Ana-0"] }, wire);
      party.read(next, ...chats);
      expect(party.shown).toEqual(chats.map(({ message }) => message));
      expect(next.delivered).toEqual([["id 0", "id 1", "id 2"]]);
      expect(party.delivery.waiting).toBe(0);
    }));

  test("and was dropped before its commit is not acknowledged by a later one", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.receiving.take(
        {
          action: "chat",
          id: "a",
          message: "half read",
          sent_at: undefined,
          reply_to: undefined,
        },
        wire,
      );
      party.receiving.dropRead();
      party.read(wire, { id: "b", message: "whole" });
      expect(wire.delivered).toEqual([["b"]]);
      expect(party.shown).toEqual(["whole"]);
    }));
});

describe("an edit or a withdrawal", () => {
  test("that arrives in one read with its text shows the text once, edited, or not at all", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const take = (action: "edit" | "withdraw", id: string, target: string, wording = "") =>
        party.receiving.take(
          action === "edit" ? { action, id, target, text: wording } : { action, id, target },
          new Wire(),
        );
      const say = (id: string, message: string) =>
        party.receiving.take(
          { action: "chat", id, message, sent_at: undefined, reply_to: undefined },
          new Wire(),
        );
      say("1", "stays");
      say("2", "first wording");
      say("3", "taken back");
      take("edit", "4", "2", "second wording");
      take("edit", "5", "3", "edited, and taken back");
      take("withdraw", "6", "3");
      party.receiving.commitRead(new Wire());
      expect(party.shown).toEqual(["stays", "second wording"]);
      expect(party.events.map(({ name }) => name)).toEqual(["message", "message"]);
    }));

  const edit = (party: Party, id: string, target: string, words: string) =>
    ({ kind: "edit", contact: party.contact, id, target, text: words, sentAt: NOW }) as const;
  const withdrawal = (party: Party, id: string, target: string) =>
    ({ kind: "withdraw", contact: party.contact, id, target, sentAt: NOW }) as const;
  const actionsOn = (wire: Wire) =>
    wire.sent.map((message) => ("action" in message ? message.action : "text"));

  test("is sent after its text, and reported and acknowledged like one", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.delivery.writeOn(wire);
      party.write("0");
      party.queue(edit(party, "e", "Ana-0", "other"), withdrawal(party, "w", "unheard"));
      expect(wire.sent.slice(1)).toEqual([
        { action: "edit", id: "e", target: "Ana-0", text: "other" },
        { action: "withdraw", id: "w", target: "unheard" },
      ]);
      party.acknowledge(wire, "Ana-0", "e", "w");
      expect(party.delivery.waiting).toBe(0);
      const reported = party.events.flatMap((event) =>
        event.name === "delivery" ? [`${event.id} ${event.state}`] : [],
      );
      expect(reported.slice(-3)).toEqual(["Ana-0 received", "e received", "w received"]);
    }));

  test("is not sent to a client that does not support it, does not count as waiting, and does not delay texts", () =>
    withScene((stores) => {
      const party = new Party(stores);
      party.write("0");
      stores.acknowledge(party.contact, "Ana-0");
      party.delivery.recount();
      party.queue(edit(party, "e", "Ana-0", "other"));
      party.write("1");
      expect(party.delivery.waiting).toBe(2);
      const old = new Wire();
      old.features = ["other things"];
      party.delivery.writeOn(old);
      party.write("2");
      expect(actionsOn(old)).toEqual(["text", "text"]);
      party.acknowledge(old, "Ana-1", "Ana-2");
      expect(party.delivery.waiting).toBe(0);
      const newer = new Wire();
      party.delivery.writeOn(newer);
      expect(actionsOn(newer)).toEqual(["edit"]);
      expect(party.delivery.waiting).toBe(1);
    }));

  test("that withdraws a text prevents it from being sent again", () =>
    withScene((stores) => {
      const party = new Party(stores);
      party.delivery.writeOn(new Wire());
      party.write("0", "1");
      party.queue(edit(party, "e", "Ana-0", "other"), withdrawal(party, "w", "Ana-0"));
      const next = new Wire();
      party.delivery.writeOn(next);
      expect(next.texts).toEqual(["1"]);
      expect(actionsOn(next)).toEqual(["text", "withdraw"]);
      party.acknowledge(next, "Ana-1", "w");
      expect(party.delivery.waiting).toBe(0);
    }));

  test("of the peer is acknowledged, also as a duplicate, and reported once with the resulting text", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.read(wire, { id: "a", message: "first" });
      const take = () => {
        party.receiving.take({ action: "edit", id: "e", target: "a", text: "second" }, wire);
        party.receiving.take({ action: "withdraw", id: "w", target: "a" }, wire);
        party.receiving.commitRead(wire);
      };
      take();
      take();
      expect(wire.delivered).toEqual([["a"], ["e", "w"], ["e", "w"]]);
      const changes = party.events.flatMap((event) => (event.name === "changed" ? [event.message.text] : []));
      expect(changes).toEqual(["second", ""]);
      expect(party.shown).toEqual(["first"]);
    }));
});

describe("a read receipt", () => {
  test("is reported once for each text, with the time, and for no text before it is acknowledged", () =>
    withScene((stores) => {
      const party = new Party(stores);
      const wire = new Wire();
      party.delivery.writeOn(wire);
      party.write("0", "1");
      party.now = NOW + 5;
      party.acknowledge(wire, "Ana-0");
      party.receiving.take({ action: "read", id: "Ana-1" }, wire);
      party.receiving.commitRead(wire);
      party.now = NOW + 9;
      party.acknowledge(wire, "Ana-1");
      party.receiving.take({ action: "read", id: "Ana-1" }, wire);
      party.receiving.commitRead(wire);
      const reported = party.events.flatMap((event) =>
        event.name === "delivery" ? [`${event.id} ${event.state} ${event.at - NOW}`] : [],
      );
      expect(reported).toEqual([
        "Ana-0 sent 0",
        "Ana-1 sent 0",
        "Ana-0 received 5",
        "Ana-0 read 5",
        "Ana-1 received 9",
        "Ana-1 read 9",
      ]);
      const [, second] = stores.all(party.contact);
      expect(second).toMatchObject({ leftAt: NOW, receivedAt: NOW + 9, readAt: NOW + 9 });
    }));

  test("is kept with the time of leaving when that was saved before, over a restart too", () =>
    withScene((stores) => {
      const party = new Party(stores);
      party.delivery.writeOn(new Wire());
      party.write("0");
      party.delivery.saveSent();
      const later = new Party(stores);
      later.now = NOW + 50;
      const wire = new Wire();
      later.delivery.writeOn(wire);
      expect(wire.texts).toEqual(["0"]);
      later.acknowledge(wire, "Ana-0");
      expect(stores.all(later.contact)).toMatchObject([{ leftAt: NOW, receivedAt: NOW + 50 }]);
      // The process that sent it has reported it as sent.
      expect(later.events.map((event) => event.name === "delivery" && event.state)).toEqual(["received"]);
    }));
});

test("a read ends after 16 edits and withdrawals, or 4,000 acknowledgements, and not after many texts", () =>
  withScene((stores) => {
    const party = new Party(stores);
    const { receiving } = party;
    const wire = new Wire();
    const ids = (from: number) => Array.from({ length: 1_000 }, (_, index) => `${from + index}`);
    for (const id of ids(0)) {
      receiving.take({ action: "chat", id, message: "text", sent_at: undefined, reply_to: undefined }, wire);
    }
    for (let count = 0; count < 15; count++) {
      receiving.take({ action: "withdraw", id: `w${count}`, target: "0" }, wire);
    }
    expect(wire.readsEnded).toBe(0);
    receiving.take({ action: "edit", id: "e", target: "0", text: "" }, wire);
    expect(wire.readsEnded).toBe(1);
    receiving.commitRead(wire);
    const acknowledge = () => {
      for (let batch = 0; batch < 4; batch++) {
        expect(wire.readsEnded).toBe(1);
        receiving.take({ action: "delivered", ids: ids(batch * 1_000) }, wire);
      }
    };
    // While nothing waits, they are not even looked at.
    acknowledge();
    party.write("one");
    acknowledge();
    expect(wire.readsEnded).toBe(2);
  }));

test("a tick marks 256 messages as sent, the oldest first, and the end marks the rest", () =>
  withScene((stores) => {
    const party = new Party(stores);
    party.delivery.writeOn(new Wire());
    for (let count = 0; count < 300; count++) party.write(`${count}`);
    const marked = () => stores.all(party.contact).map(({ state }) => state === "sent");
    party.delivery.tick();
    expect(marked()).toEqual([...Array(256).fill(true), ...Array(44).fill(false)]);
    party.delivery.saveSent();
    expect(marked()).toEqual(Array(300).fill(true));
  }));

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
