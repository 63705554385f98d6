/** The exchange: every order in which two honest sides may act, and somebody in the middle of two sessions. */
import { describe, expect, test } from "bun:test";

import { label } from "../../src/identity/names.ts";
import {
  IDLE,
  isGuessed,
  isOpen,
  stepExchange,
  type Exchange,
  type ExchangeAction,
  type ExchangeEvent,
  type VerificationMessage,
} from "../../src/identity/verification.ts";
import { commitment, type VerifiedLink } from "../../src/identity/verification-code.ts";
import { seededRandom } from "../seeded-random.ts";

const key = (number: number) => Buffer.alloc(44, number);
const SESSION = Buffer.alloc(32, 1);
const ALICE = { label: label("alice"), spki: key(1) };
const BOB = { label: label("bob"), spki: key(2) };
/** As alice, the first, and bob see their link; she commits. */
const LINKS: readonly [VerifiedLink, VerifiedLink] = [
  { exported: SESSION, own: ALICE, peer: BOB },
  { exported: SESSION, own: BOB, peer: ALICE },
];

type Side = 0 | 1;
const other = (side: Side): Side => (side === 0 ? 1 : 0);

/** One side, what is on its way to it, what its person can still do, and the codes to which they have said yes. */
type Person = {
  exchange: Exchange;
  inbox: VerificationMessage[];
  opens: number;
  closes: number;
  confirmed: string[];
  verified: string[];
};
type World = [Person, Person];

function newPerson(opens: number, closes: number): Person {
  return { exchange: IDLE, inbox: [], opens, closes, confirmed: [], verified: [] };
}

function act(world: World, side: Side, event: ExchangeEvent): readonly ExchangeAction[] {
  const person = world[side];
  const before = person.exchange;
  const { exchange, actions } = stepExchange(LINKS[side], before, event);
  person.exchange = exchange;
  const sent = actions.flatMap((action) => (action.name === "send" ? [action.message] : []));
  // A nonce leaves once in an exchange, after the guess was noted, and when the other side is bound already.
  const reveals = sent.filter(({ action }) => action === "verify_reveal").length;
  expect(actions.filter(({ name }) => name === "guess").length).toBe(reveals);
  expect(reveals).toBeLessThanOrEqual(isGuessed(before) ? 0 : 1);
  for (const action of actions)
    if (action.name === "outcome" && action.outcome === "verified") {
      const code = before.name === "comparing" ? before.code : "none";
      // Both people have said that this code is the same.
      for (const each of world) expect(each.confirmed).toContain(code);
      person.verified.push(code);
    }
  world[other(side)].inbox.push(...sent);
  return actions;
}

/** Everything that can happen next. */
function moves(world: World): ((world: World) => void)[] {
  const found: ((world: World) => void)[] = [];
  for (const side of [0, 1] as const) {
    const { exchange, inbox, opens, closes } = world[side];
    if (inbox.length > 0)
      found.push((next) => {
        const message = next[side].inbox.shift() as VerificationMessage;
        act(next, side, { name: "message", message });
      });
    if (opens > 0 && !isOpen(exchange))
      found.push((next) => {
        next[side].opens--;
        act(next, side, { name: "opened", nonce: Buffer.alloc(32, 16 * side + opens) });
      });
    if (closes > 0 && isOpen(exchange))
      found.push((next) => {
        next[side].closes--;
        act(next, side, { name: "closed" });
      });
    // They compare it with what stands, or stood, on the other screen.
    const theirs = world[other(side)];
    const isThere = (code: string) =>
      (theirs.exchange.name === "comparing" && theirs.exchange.code === code) ||
      theirs.confirmed.includes(code);
    if (exchange.name === "comparing" && exchange.confirmed !== "us" && isThere(exchange.code))
      found.push((next) => {
        next[side].confirmed.push(exchange.code);
        act(next, side, { name: "answered", same: true });
      });
  }
  return found;
}

const copy = (world: World): World => structuredClone(world);
const keyOf = (world: World): string =>
  JSON.stringify(world, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value));

/** Visits every state that can be reached. @returns those in which nothing can happen any more, and how many there are */
function explore(start: World): { ends: World[]; states: number } {
  const seen = new Set<string>();
  const waiting = [start];
  const ends: World[] = [];
  for (let world = waiting.pop(); world !== undefined; world = waiting.pop()) {
    const name = keyOf(world);
    if (seen.has(name)) continue;
    seen.add(name);
    const next = moves(world);
    if (next.length === 0) ends.push(world);
    for (const move of next) {
      const after = copy(world);
      move(after);
      waiting.push(after);
    }
  }
  return { ends, states: seen.size };
}

describe("two honest sides", () => {
  test("whose people open it once are both verified, whatever crosses", () => {
    const { ends } = explore([newPerson(1, 0), newPerson(1, 0)]);
    expect(ends.length).toBeGreaterThan(0);
    for (const [alice, bob] of ends) {
      expect(alice.verified).toHaveLength(1);
      expect(bob.verified).toEqual(alice.verified);
    }
  });

  test("whose people open and close it at any moment compare one code or none, and none waits for ever", () => {
    const { ends, states } = explore([newPerson(2, 1), newPerson(2, 1)]);
    expect(states).toBeGreaterThan(1_000);
    for (const [alice, bob] of ends) {
      // A side that is open at the end has its person waiting for somebody who does not open it any more.
      for (const each of [alice, bob])
        expect(["idle", "asked", "waiting", "comparing"]).toContain(each.exchange.name);
      expect(isOpen(alice.exchange) && isOpen(bob.exchange)).toBe(false);
    }
  });

  test("one whose person does not open it says nothing", () => {
    const world: World = [newPerson(1, 0), newPerson(0, 0)];
    const { ends } = explore(world);
    expect(ends).toHaveLength(1);
    expect(ends[0]?.[0].exchange.name).toBe("waiting");
    expect(ends[0]?.[1].exchange.name).toBe("asked");
    expect(ends[0]?.[0].inbox).toEqual([]);
  });
});

/** Runs one side alone against what somebody sends it. */
class Alone {
  exchange: Exchange = IDLE;
  readonly sent: VerificationMessage[] = [];
  readonly outcomes: string[] = [];
  guesses = 0;
  readonly #link: VerifiedLink;

  constructor(link: VerifiedLink) {
    this.#link = link;
  }

  get code(): string | undefined {
    return this.exchange.name === "comparing" ? this.exchange.code : undefined;
  }

  do(event: ExchangeEvent): void {
    const { exchange, actions } = stepExchange(this.#link, this.exchange, event);
    this.exchange = exchange;
    for (const action of actions) {
      if (action.name === "send") this.sent.push(action.message);
      if (action.name === "guess") this.guesses++;
      if (action.name === "outcome") this.outcomes.push(action.outcome);
    }
  }

  take(...messages: readonly VerificationMessage[]): void {
    for (const message of messages) this.do({ name: "message", message });
  }

  /** The last message of this kind that it has sent. */
  said(action: VerificationMessage["action"]): VerificationMessage {
    const found = this.sent.findLast((message) => message.action === action);
    if (found === undefined) throw new Error(`${action} was not sent`);
    return found;
  }
}

/** Alice and bob, each with the middle, whose false keys the server has certified: two sessions. */
function middle() {
  const withAlice = Buffer.alloc(32, 3);
  const withBob = Buffer.alloc(32, 4);
  const [falseBob, falseAlice] = [
    { ...BOB, spki: key(8) },
    { ...ALICE, spki: key(9) },
  ];
  return {
    alice: new Alone({ exported: withAlice, own: ALICE, peer: falseBob }),
    bob: new Alone({ exported: withBob, own: BOB, peer: falseAlice }),
    /** What the middle does towards each of them, as the other one. */
    asBob: new Alone({ exported: withAlice, own: falseBob, peer: ALICE }),
    asAlice: new Alone({ exported: withBob, own: falseAlice, peer: BOB }),
    toBob: { exported: withBob, own: falseAlice, peer: BOB } as VerifiedLink,
  };
}

const random = seededRandom(15);
const opened = (): ExchangeEvent => ({ name: "opened", nonce: random.bytes(32) });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("somebody in the middle, with keys of their own that the server has certified,", () => {
  test("who passes everything on is caught by the commitment", () => {
    const { alice, bob } = middle();
    alice.do(opened());
    bob.do(opened());
    bob.take(...alice.sent);
    alice.take(...bob.sent);
    bob.take(alice.said("verify_reveal"));
    expect(bob.outcomes).toEqual(["wrong"]);
    alice.take(bob.said("verify_done"));
    expect(alice.outcomes).toEqual(["wrong"]);
  });

  test("who takes part on both sides shows them two codes", () => {
    for (let attempt = 0; attempt < 200; attempt++) {
      const { alice, bob, asBob, asAlice } = middle();
      for (const each of [alice, bob, asBob, asAlice]) each.do(opened());
      const pairs = [
        [alice, asBob],
        [asAlice, bob],
      ] as const;
      for (const [committed, responds] of pairs) {
        responds.take(committed.said("verify_commit"));
        committed.take(responds.said("verify_reveal"));
        responds.take(committed.said("verify_reveal"));
        expect(committed.code).toMatch(/^\d{6}$/);
        expect(responds.code).toBe(committed.code);
      }
      expect(alice.code).not.toBe(bob.code);
    }
  });

  test("who knows alice's code before bob's nonce was shown cannot choose another nonce", () => {
    const { alice, bob, asBob, toBob } = middle();
    for (const each of [alice, bob, asBob]) each.do(opened());
    // With alice all is done: her code is known.
    asBob.take(alice.said("verify_commit"));
    alice.take(asBob.said("verify_reveal"));
    expect(alice.code).toMatch(/^\d{6}$/);
    // Bob says his nonce only to who is bound already.
    const hash = commitment(toBob, random.bytes(32));
    bob.take({ action: "verify_reveal", hash, nonce: hex(random.bytes(32)) });
    bob.take({ action: "verify_commit", hash: undefined });
    expect(bob.guesses).toBe(0);
    bob.take({ action: "verify_commit", hash });
    expect(bob.guesses).toBe(1);
    // Another nonce, as if a search had found one that makes the codes equal.
    bob.take({ action: "verify_reveal", hash, nonce: hex(random.bytes(32)) });
    expect(bob.outcomes).toEqual(["wrong"]);
    expect(bob.code).toBeUndefined();
  });

  test("who tries one nonce after the other has used the guess with the first", () => {
    const { alice } = middle();
    alice.do(opened());
    const { hash = "" } = alice.sent[0] as { hash?: string };
    for (let attempt = 0; attempt < 5; attempt++)
      alice.take({ action: "verify_reveal", hash, nonce: hex(random.bytes(32)) });
    expect(alice.guesses).toBe(1);
    expect(alice.sent.filter(({ action }) => action === "verify_reveal")).toHaveLength(1);
  });

  test("who breaks off after bob's nonce and begins anew finds that bob has to open it again", () => {
    const { bob, toBob } = middle();
    bob.do(opened());
    for (let attempt = 0; attempt < 5; attempt++)
      bob.take({ action: "verify_commit", hash: commitment(toBob, random.bytes(32)) });
    expect(bob.guesses).toBe(1);
    expect(bob.outcomes).toEqual(["ended"]);
    expect(bob.exchange.name).toBe("asked");
  });

  test("who says «ok» in bob's place verifies nobody without alice's own answer", () => {
    const { alice, asBob } = middle();
    for (const each of [alice, asBob]) each.do(opened());
    asBob.take(alice.said("verify_commit"));
    const ok = { action: "verify_done", code: "ok" } as const;
    alice.take(ok, asBob.said("verify_reveal"), ok, ok);
    expect(alice.outcomes).toEqual([]);
    alice.do({ name: "answered", same: false });
    expect(alice.outcomes).toEqual(["wrong"]);
    alice.take(ok);
    expect(alice.outcomes).toEqual(["wrong"]);
  });
});

test("an unknown code of `verify_done` is an end without an answer", () => {
  const [alice, bob] = LINKS.map((link) => new Alone(link)) as [Alone, Alone];
  alice.do(opened());
  bob.do(opened());
  bob.take(alice.said("verify_commit"));
  alice.take(bob.said("verify_reveal"));
  alice.take({ action: "verify_done", code: "of a later version" });
  expect(alice.outcomes).toEqual(["ended"]);
});
