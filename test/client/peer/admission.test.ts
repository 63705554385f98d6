import { describe, expect, test } from "bun:test";

import {
  CONTACT_HANDSHAKES,
  CONTACTS_RELAY,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_STRANGER,
  MAX_CONNECTIONS_PER_USER,
  MAX_HANDSHAKES,
  MAX_HANDSHAKES_PER_NETWORK,
  MAX_HANDSHAKES_PER_SITE,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_NETWORK,
  PeerAdmission,
  RELAY,
  STRANGER_IDLE,
  type Caller,
} from "../../../src/client/peer/admission.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const OTHER_HANDSHAKES = MAX_HANDSHAKES - CONTACT_HANDSHAKES;

/** A port, its clock, its contacts, and the connections that had to give way. */
class Port {
  now = 0;
  readonly contacts = new Set<string>();
  readonly gone = new Set<string>();
  readonly admission: PeerAdmission;
  #addresses = 0;

  constructor(random: () => number = () => 0) {
    const isContact = ({ label }: { label: string }) => this.contacts.has(label);
    this.admission = new PeerAdmission({ isContact, random, monotonic: () => this.now });
  }

  /** @param name in `gone` once it has given way */
  knock(name: string, address = this.newAddress(), isFromContact = false): Caller | undefined {
    return this.admission.knock(address, isFromContact, () => this.gone.add(name));
  }

  /** A connection that is proven, if there is a place; `name`: of the connection and the label before any «/». */
  prove(name: string, isPinned = false, address = this.newAddress()): Caller | undefined {
    const caller = this.knock(name, address);
    if (caller === undefined) throw new Error("no place for its handshake");
    return this.admission.prove(caller, { label: name.split("/")[0] ?? "", fingerprint: name }, isPinned)
      ? caller
      : undefined;
  }

  newAddress(): string {
    const number = this.#addresses++;
    return `10.${number >> 16}.${(number >> 8) & 0xff}.${number & 0xff}`;
  }
}

describe("unfinished handshakes:", () => {
  test("eight of one IPv4 address or IPv6 /64, and sixteen of one /48", () => {
    const port = new Port();
    for (let count = 0; count < MAX_HANDSHAKES_PER_NETWORK; count++) {
      expect(port.knock("four", "192.0.2.1")).toBeDefined();
      expect(port.knock("six", `2001:db8:0:1::${count}`)).toBeDefined();
    }
    expect(port.knock("four", "192.0.2.1")).toBeUndefined();
    expect(port.knock("six", "2001:db8:0:1:ffff::")).toBeUndefined();
    for (let count = MAX_HANDSHAKES_PER_NETWORK; count < MAX_HANDSHAKES_PER_SITE; count++)
      expect(port.knock("six", `2001:db8:0:${count}::1`)).toBeDefined();
    expect(port.knock("six", "2001:db8:0:ff::1")).toBeUndefined();
    expect(port.knock("six", "2001:db8:1::1")).toBeDefined();
    expect(port.knock("four", "192.0.2.2")).toBeDefined();
    // Everybody at the relay is of one network, but contacts of another.
    for (let count = 0; count < MAX_HANDSHAKES_PER_NETWORK; count++)
      expect(port.knock("relayed", RELAY)).toBeDefined();
    expect(port.knock("relayed", RELAY)).toBeUndefined();
    expect(port.knock("contact", CONTACTS_RELAY, true)).toBeDefined();
    expect(port.gone.size).toBe(0);
  });

  test("half-open ones from eight addresses do not close the port to a contact or a stranger", () => {
    const port = new Port();
    for (let count = 0; count < MAX_HANDSHAKES; count++) port.knock(`${count}`, `192.0.2.${count % 8}`);
    expect(port.admission.size).toBe(OTHER_HANDSHAKES);
    const before = port.gone.size;
    expect(port.knock("contact", "198.51.100.1", true)).toBeDefined();
    expect(port.gone.size).toBe(before);
    expect(port.knock("stranger", "198.51.100.2")).toBeDefined();
    expect(port.gone.size).toBe(before + 1);
    expect(port.gone.has("contact")).toBe(false);
  });

  test("however many strangers come, the places of contacts are theirs", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const port = new Port(random.next);
    const contacts = Array.from({ length: CONTACT_HANDSHAKES }, (_, index) => `contact ${index}`);
    for (const name of contacts) port.knock(name, port.newAddress(), true);
    for (let count = 0; count < 10 * MAX_HANDSHAKES; count++) port.knock(`${count}`);
    expect([seed, port.admission.size]).toEqual([seed, MAX_HANDSHAKES]);
    expect([seed, contacts.filter((name) => port.gone.has(name))]).toEqual([seed, []]);
    // Contacts beyond their own places take those of others.
    expect(port.knock("one more", port.newAddress(), true)).toBeDefined();
    expect([seed, contacts.filter((name) => port.gone.has(name))]).toEqual([seed, []]);
  });

  test("strangers get their share back from contacts who hold more than theirs", () => {
    const port = new Port();
    for (let count = 0; count < MAX_HANDSHAKES; count++)
      port.knock(`contact ${count}`, port.newAddress(), true);
    for (let count = 0; count < OTHER_HANDSHAKES; count++) expect(port.knock(`${count}`)).toBeDefined();
    expect(port.admission.size).toBe(MAX_HANDSHAKES);
    expect([...port.gone].every((name) => name.startsWith("contact"))).toBe(true);
    expect(port.gone.size).toBe(OTHER_HANDSHAKES);
  });

  test("each is as likely to give way as any other, so that a good one among many is soon proven", () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    let survived = 0;
    const rounds = 400;
    for (let round = 0; round < rounds; round++) {
      const port = new Port(random.next);
      for (let count = 0; count < OTHER_HANDSHAKES; count++) port.knock(`${count}`);
      port.knock("good");
      for (let count = 0; count < 10; count++) port.knock("later");
      if (!port.gone.has("good")) survived++;
    }
    // (1 − 1/48) to the power of 10 is 0.81.
    expect([seed, survived > 0.7 * rounds, survived < 0.9 * rounds]).toEqual([seed, true, true]);
  });
});

describe("proven connections:", () => {
  const pinned = true;

  test("four of a contact and two of a stranger", () => {
    const port = new Port();
    port.contacts.add("ana");
    const admitted = (name: string, limit: number) => {
      for (let count = 0; count < limit; count++)
        expect(port.prove(`${name}/${count}`, pinned)).toBeDefined();
      expect(port.prove(`${name}/one more`, pinned)).toBeUndefined();
    };
    admitted("ana", MAX_CONNECTIONS_PER_USER);
    admitted("carla", MAX_CONNECTIONS_PER_STRANGER);
    expect(port.gone.size).toBe(0);
  });

  test("a contact whose connection closes has its place back", () => {
    const port = new Port();
    port.contacts.add("ana");
    const callers = Array.from({ length: MAX_CONNECTIONS_PER_USER }, (_, index) =>
      port.prove(`ana/${index}`),
    );
    expect(port.prove("ana/one more")).toBeUndefined();
    port.admission.leave(callers[0] as Caller);
    expect(port.prove("ana/again")).toBeDefined();
    for (const caller of callers) port.admission.leave(caller as Caller);
    expect(port.admission.size).toBe(1);
  });

  test("eight strangers of one network, and contacts there are not counted", () => {
    const port = new Port();
    for (let count = 0; count < MAX_STRANGERS_PER_NETWORK; count++)
      expect(port.prove(`${count}`, false, "192.0.2.1")).toBeDefined();
    expect(port.prove("ninth", false, "192.0.2.1")).toBeUndefined();
    expect(port.prove("ninth", false, "192.0.2.2")).toBeDefined();
    port.contacts.add("ana");
    expect(port.prove("ana", false, "192.0.2.1")).toBeDefined();
    // Somebody to whom one has written since then is no stranger any more, a moment later.
    port.contacts.add("0");
    port.now += 1_000;
    expect(port.prove("tenth", false, "192.0.2.1")).toBeDefined();
    expect(port.gone.size).toBe(0);
  });

  test("four each of 64 strangers leave three quarters of the places to contacts", () => {
    const port = new Port();
    for (let count = 0; count < MAX_CONNECTIONS; count++)
      port.prove(`stranger ${Math.floor(count / 4)}/${count}`, pinned);
    expect(port.admission.size).toBe(MAX_STRANGERS);
    for (let count = 0; count < MAX_CONNECTIONS - MAX_STRANGERS; count++) {
      port.contacts.add(`contact ${count}`);
      expect(port.prove(`contact ${count}`)).toBeDefined();
    }
    expect(port.gone.size).toBe(0);
  });

  test("in a full port everybody but a pinned contact gives way to one, strangers first", () => {
    const port = new Port();
    for (let count = 0; count < MAX_STRANGERS; count++) port.prove(`stranger ${count}`, pinned);
    for (let count = 0; count < MAX_CONNECTIONS - MAX_STRANGERS; count++) {
      port.contacts.add(`contact ${count}`);
      port.prove(`contact ${count}`);
    }
    port.contacts.add("ana");
    expect(port.prove("ana")).toBeUndefined();
    for (let count = 0; count < MAX_CONNECTIONS; count++) {
      port.contacts.add(`friend ${count}`);
      expect(port.prove(`friend ${count}`, pinned)).toBeDefined();
      expect([...port.gone].at(-1)).toStartWith(count < MAX_STRANGERS ? "stranger" : "contact");
    }
    port.contacts.add("late");
    expect(port.prove("late", pinned)).toBeUndefined();
    expect(port.admission.size).toBe(MAX_CONNECTIONS);
  });

  test("a contact whose key has been pinned since then gives way to nobody", () => {
    const port = new Port();
    for (let count = 0; count < MAX_CONNECTIONS; count++) {
      port.contacts.add(`contact ${count}`);
      const caller = port.prove(`contact ${count}`);
      port.admission.pinned(caller as Caller);
    }
    port.contacts.add("ana");
    expect(port.prove("ana", pinned)).toBeUndefined();
    expect(port.gone.size).toBe(0);
  });

  test("a stranger without a text for a minute gives way to a newcomer, the one without for longest first", () => {
    const port = new Port();
    const callers = Array.from({ length: MAX_STRANGERS }, (_, index) => {
      port.now = index;
      return port.prove(`stranger ${index}`) as Caller;
    });
    port.now = STRANGER_IDLE - 1;
    expect(port.prove("too early")).toBeUndefined();
    port.admission.tookText(callers[0] as Caller);
    port.now = STRANGER_IDLE + 1;
    expect(port.prove("newcomer")).toBeDefined();
    expect([...port.gone]).toEqual(["stranger 1"]);
    expect(port.prove("another")).toBeUndefined();
    port.contacts.add("stranger 2");
    port.now = 2 * STRANGER_IDLE;
    // There is a place for it now, and the contact would not give way.
    expect(port.prove("another")).toBeDefined();
    expect(port.prove("and another")).toBeDefined();
    expect([...port.gone]).toEqual(["stranger 1", "stranger 3"]);
  });

  test("a stranger's own idle connection gives way to their third", () => {
    const port = new Port();
    port.prove("carla/0");
    port.now = STRANGER_IDLE;
    port.prove("carla/1");
    expect(port.prove("carla/2")).toBeDefined();
    expect([...port.gone]).toEqual(["carla/0"]);
    expect(port.prove("carla/3")).toBeUndefined();
  });

  test("nobody gives way to a newcomer who is not let in after all", () => {
    const port = new Port();
    for (let count = 0; count < MAX_STRANGERS - MAX_CONNECTIONS_PER_STRANGER; count++) port.prove(`${count}`);
    port.now = STRANGER_IDLE;
    for (let count = 0; count < MAX_CONNECTIONS_PER_STRANGER; count++) port.prove(`carla/${count}`);
    expect(port.prove("carla/one more")).toBeUndefined();
    expect(port.gone.size).toBe(0);
  });
});
