/** What is taken of many strangers together, and what of it is stored. */
import { expect, test } from "bun:test";

import {
  MAX_NEW_REQUESTS,
  MAX_RELAYED_REQUESTS,
  MAX_REQUESTS,
  MAX_REQUESTS_OF_NETWORK,
  MAX_UNASKED_A_DAY,
  type Who,
} from "../../../src/client/conversation/consent.ts";
import { Intake, type Taken } from "../../../src/client/conversation/intake.ts";
import { StorageGuard } from "../../../src/client/disk/storage-guard.ts";
import { RELAY } from "../../../src/client/peer/admission.ts";
import { ContactRecord } from "../../../src/client/peer/contact-record.ts";
import { unstored } from "../../../src/client/profile/contacts.ts";
import type { NewIncoming } from "../../../src/client/profile/stored-message.ts";
import { label } from "../../../src/identity/names.ts";
import { arriving, NOW, withScene, type MessageScene } from "../message-scene.ts";

const HOUR = 3_600_000;

/** Strangers of one account. */
class Strangers {
  readonly scene: MessageScene;
  readonly intake: Intake;
  now = NOW;
  readonly #records = new Map<string, ContactRecord>();

  constructor(scene: MessageScene, who: Who = "requests") {
    this.scene = scene;
    this.intake = new Intake(scene, who);
  }

  record(name: string): ContactRecord {
    const { contacts, consents } = this.scene;
    const record =
      this.#records.get(name) ??
      new ContactRecord({
        contact: contacts.find(name) ?? unstored(name),
        contacts,
        consents,
        now: () => this.now,
        verifications: { verifiedAt: () => undefined },
        isVerifying: () => false,
        keyPending: () => undefined,
        storage: new StorageGuard(() => undefined),
      });
    this.#records.set(name, record);
    return record;
  }

  /** A stranger sends texts from a network. */
  write(name: string, network: string, ...texts: string[]): Taken {
    return this.send(
      name,
      network,
      texts.map((each) => arriving(`${name} ${each.slice(0, 40)}`, each)),
    );
  }

  send(name: string, network: string, incoming: readonly NewIncoming[]): Taken {
    const spki = Buffer.from(name);
    const peer = { name, label: label(name), notBefore: 0, fingerprint: label(name), spki };
    const read = { incoming, acknowledged: [], readUpTo: undefined };
    return this.intake.commit(this.record(name), read, { peer, network }, this.now);
  }

  /** How many of so many strangers, each of a network of their own, have a text taken. */
  taken(from: number, count: number): number {
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    return numbers.filter(
      (each) => this.write(`stranger${each}`, `10.${each >> 8}.${each & 255}.1`, "hola").count > 0,
    ).length;
  }

  get rows(): number {
    const { contacts } = this.scene;
    return contacts.all().length;
  }
}

test("a stranger is stored with the key of the link when a text is taken, and not before", () =>
  withScene((scene) => {
    const strangers = new Strangers(scene, "contacts");
    expect(strangers.write("ana", "192.0.2.7", "hola")).toMatchObject({ count: 0, rest: "held" });
    expect([strangers.rows, strangers.record("ana").isStored]).toEqual([0, false]);
    strangers.intake.allow("requests");
    expect(strangers.write("ana", "192.0.2.7", "hola")).toMatchObject({
      count: 1,
      rest: "none",
      request: { texts: 1, isNew: true },
    });
    expect(strangers.write("ana", "192.0.2.7", "otra")).toMatchObject({
      request: { texts: 2, isNew: false },
    });
    const { contact } = strangers.record("ana");
    expect([strangers.rows, contact.id]).toEqual([1, 1]);
    expect(scene.contacts.pins(contact).map(({ fingerprint }) => fingerprint)).toEqual([label("ana")]);
  }));

test("a disk that is full stores neither the request nor the stranger", () =>
  withScene((scene) => {
    const strangers = new Strangers(scene);
    const { page_count: pages } = scene.database
      .query<{ page_count: number }, []>("PRAGMA page_count")
      .get() as { page_count: number };
    scene.database.run(`PRAGMA max_page_count=${pages}`);
    expect(() => strangers.write("ana", "192.0.2.7", "x".repeat(15_000))).toThrow(
      expect.objectContaining({ code: "SQLITE_FULL" }),
    );
    expect([strangers.rows, strangers.record("ana").isStored]).toEqual([0, false]);
  }));

test("60 new requests are taken in an hour, and 200 in all; one that is answered makes room", () =>
  withScene((scene) => {
    const strangers = new Strangers(scene);
    expect(strangers.taken(0, 70)).toBe(MAX_NEW_REQUESTS);
    expect(strangers.rows).toBe(MAX_NEW_REQUESTS);
    for (let hour = 1; hour < 6; hour++) {
      strangers.now += HOUR;
      strangers.taken(hour * 100, 70);
    }
    expect([scene.consents.requests().length, strangers.rows]).toEqual([MAX_REQUESTS, MAX_REQUESTS]);
    strangers.now += HOUR;
    scene.consents.accept(strangers.record("stranger0").contact);
    expect(strangers.taken(1_000, 3)).toBe(1);
  }));

test("new requests are counted over the programs of one account, one after the other", () =>
  withScene((scene) => {
    expect(new Strangers(scene).taken(0, 40)).toBe(40);
    const next = new Strangers(scene);
    expect(next.taken(40, 40)).toBe(MAX_NEW_REQUESTS - 40);
    next.now += HOUR;
    expect(next.taken(80, 10)).toBe(10);
  }));

test("30 requests are taken of one network, and 50 of all who are relayed", () =>
  withScene((scene) => {
    const strangers = new Strangers(scene);
    const takenFrom = (network: string) =>
      Array.from(
        { length: 60 },
        (_, index) => strangers.write(`${network} ${index}`, network, "hola").count,
      ).filter((count) => count > 0).length;
    expect(takenFrom("192.0.2.7")).toBe(MAX_REQUESTS_OF_NETWORK);
    strangers.now += HOUR;
    expect(takenFrom(RELAY)).toBe(MAX_RELAYED_REQUESTS);
    expect(strangers.write("other", "192.0.2.8", "hola").count).toBe(1);
  }));

test("where anyone may write, one stranger fills only what one may fill in a day", () =>
  withScene((scene) => {
    const strangers = new Strangers(scene, "anyone");
    const text = (number: number) => `${number} ${"x".repeat(30_000)}`;
    let taken = 0;
    for (let number = 0; number < 100; number++)
      taken += strangers.write("ana", "192.0.2.7", text(number)).count;
    expect(taken * 30_000).toBeLessThan(MAX_UNASKED_A_DAY);
    expect((taken + 2) * 30_000).toBeGreaterThan(MAX_UNASKED_A_DAY - 30_000);
    expect(strangers.write("beto", "192.0.2.7", "hola").count).toBe(1);
    strangers.now += 24 * HOUR;
    expect(strangers.write("ana", "192.0.2.7", text(200)).count).toBe(1);
  }));

test("where anyone may write, the profile grows by no more than what counts", () =>
  withScene((scene) => {
    const strangers = new Strangers(scene, "anyone");
    const size = () =>
      scene.database.query<{ bytes: number }, []>(
        "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
      );
    const before = size().get()?.bytes ?? 0;
    const long = (name: string) => `${name}${"\u{1F600}".repeat(60)}`;
    // A withdrawal of nothing is stored with the longest ids, twice.
    const incoming = Array.from({ length: 200 }, (_, index) => {
      return { kind: "withdraw" as const, id: long(`w${index}`), target: long(`t${index}`) };
    });
    for (let count = 0; count < 5; count++) strangers.send(`stranger ${count}`, "192.0.2.7", incoming);
    const grown = (size().get()?.bytes ?? 0) - before;
    expect(grown).toBeGreaterThan(500_000);
    expect(grown).toBeLessThan(scene.consents.unaskedBytes());
  }));
