import { expect, test } from "bun:test";

import { DEFAULT_LIMITS } from "../../../src/server/limits/limits.ts";
import {
  MAX_STAY,
  MIN_SILENCE,
  Unauthenticated,
  type Crowding,
  type PendingConnection,
} from "../../../src/server/limits/unauthenticated.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const HERE = "192.0.2.1";

class Pending implements PendingConnection {
  readonly name: string;
  readonly network: string;
  readonly #unauthenticated: Unauthenticated;
  readonly #gone: string[];

  constructor(name: string, unauthenticated: Unauthenticated, gone: string[], network = HERE) {
    this.network = network;
    this.name = name;
    this.#unauthenticated = unauthenticated;
    this.#gone = gone;
  }

  evict(): void {
    this.#gone.push(this.name);
    this.#unauthenticated.leave(this);
  }
}

/** All places taken, by connections that became silent one after the other, 1 ms apart, from time 0. */
function full() {
  const clock = { now: 0 };
  const warnings: Crowding[] = [];
  const gone: string[] = [];
  const unauthenticated = new Unauthenticated(
    DEFAULT_LIMITS.anonymous,
    () => clock.now,
    (crowding) => warnings.push(crowding),
  );
  const connections = Array.from({ length: DEFAULT_LIMITS.anonymous }, (_, index) => {
    expect(unauthenticated.makeRoom(HERE)).toBe(true);
    const connection = new Pending(`connection ${index}`, unauthenticated, gone);
    unauthenticated.enter(connection);
    unauthenticated.silent(connection);
    clock.now++;
    return connection;
  });
  return { clock, warnings, gone, unauthenticated, connections };
}

test("when all places are taken, a newcomer evicts the connection that has been silent the longest, and only then", () => {
  const { clock, gone, unauthenticated, connections } = full();
  clock.now = MIN_SILENCE + 10;
  unauthenticated.silent(connections[0] as Pending);
  unauthenticated.working(connections[1] as Pending);
  expect(unauthenticated.makeRoom(HERE)).toBe(true);
  expect(unauthenticated.makeRoom(HERE)).toBe(true);
  expect(gone).toEqual(["connection 2"]);
});

test("a connection that was just active, or whose request is being answered, is not evicted, and the new one is refused", () => {
  const { clock, gone, unauthenticated, connections } = full();
  for (const connection of connections) unauthenticated.working(connection);
  clock.now = 10 * MIN_SILENCE;
  expect(unauthenticated.makeRoom(HERE)).toBe(false);
  for (const connection of connections) unauthenticated.silent(connection);
  clock.now += MIN_SILENCE - 1;
  expect(unauthenticated.makeRoom(HERE)).toBe(false);
  expect(gone).toEqual([]);
  clock.now += 1;
  expect(unauthenticated.makeRoom(HERE)).toBe(true);
  expect(gone).toEqual(["connection 0"]);
});

test("a connection that has left is neither counted nor evicted", () => {
  const { clock, gone, unauthenticated, connections } = full();
  const [first] = connections;
  unauthenticated.leave(first as Pending);
  unauthenticated.silent(first as Pending);
  clock.now = 2 * MIN_SILENCE;
  expect(unauthenticated.makeRoom(HERE)).toBe(true);
  expect(gone).toEqual([]);
});

test("a lack of places is reported once a minute, with the counts since the last report", () => {
  const { clock, warnings, unauthenticated } = full();
  clock.now = DEFAULT_LIMITS.anonymous;
  for (let count = 0; count < 3; count++) expect(unauthenticated.makeRoom(HERE)).toBe(false);
  expect(warnings).toEqual([{ evicted: 0, refused: 1 }]);
  clock.now += 60_000;
  unauthenticated.makeRoom(HERE);
  expect(warnings.slice(1)).toEqual([{ evicted: 1, refused: 2 }]);
});

/** `limit` places, and what makes a silent connection of a network. */
function small(limit: number) {
  const clock = { now: 0 };
  const gone: string[] = [];
  const unauthenticated = new Unauthenticated(
    limit,
    () => clock.now,
    () => undefined,
  );
  let number = 0;
  const enter = (network: string): Pending => {
    const connection = new Pending(`${network} ${++number}`, unauthenticated, gone, network);
    unauthenticated.enter(connection);
    unauthenticated.silent(connection);
    clock.now++;
    return connection;
  };
  return { clock, gone, unauthenticated, enter };
}

test("the longest silent connection of the address with the most places is evicted at once", () => {
  const { gone, unauthenticated, enter } = small(4);
  enter("quiet");
  const [first] = [enter("storm"), enter("storm"), enter("storm")];
  unauthenticated.working(first);
  expect(unauthenticated.makeRoom("newcomer")).toBe(true);
  expect(gone).toEqual(["storm 3"]);
  enter("newcomer");
  // The storm would hold three of four again, and evicts nobody.
  expect(unauthenticated.makeRoom("storm")).toBe(false);
  expect(gone).toHaveLength(1);
});

test("addresses that hold as many places do not evict each other before they have been silent long enough", () => {
  const { clock, gone, unauthenticated, enter } = small(4);
  for (const network of ["a", "a", "b", "b"]) enter(network);
  expect(unauthenticated.makeRoom("a")).toBe(false);
  expect(unauthenticated.makeRoom("c")).toBe(true);
  expect(gone).toEqual(["a 1"]);
  enter("c");
  // With one more, a would hold as many as b.
  expect(unauthenticated.makeRoom("a")).toBe(false);
  clock.now += MIN_SILENCE;
  expect(unauthenticated.makeRoom("a")).toBe(true);
  expect(gone).toEqual(["a 1", "a 2"]);
});

test("an address that holds the most places evicts only its own silent connections", () => {
  const { clock, gone, unauthenticated, enter } = small(4);
  enter("person");
  clock.now += MIN_SILENCE;
  for (let count = 0; count < 3; count++) enter("storm");
  expect(unauthenticated.makeRoom("storm")).toBe(false);
  clock.now += MIN_SILENCE;
  expect(unauthenticated.makeRoom("storm")).toBe(true);
  expect(gone).toEqual(["storm 2"]);
});

test("during a flood from a few addresses every connection from another address finds a place", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const { clock, gone, unauthenticated, enter } = small(60);
  const here: Pending[] = [];
  for (let step = 0; step < 5_000; step++) {
    clock.now += random.integer(50);
    const storm = `storm ${random.integer(5)}`;
    if (unauthenticated.makeRoom(storm)) here.push(enter(storm));
    // It keeps all that it has fresh.
    unauthenticated.silent(random.pick(here));
    if (step % 100 !== 99) continue;
    expect({ seed, step, room: unauthenticated.makeRoom(`person ${step}`) }).toEqual({
      seed,
      step,
      room: true,
    });
    const person = enter(`person ${step}`);
    const before = gone.length;
    for (let count = 0; count < 20; count++) if (unauthenticated.makeRoom(storm)) here.push(enter(storm));
    expect({ seed, out: gone.slice(before).filter((name) => name.startsWith("person")) }).toEqual({
      seed,
      out: [],
    });
    unauthenticated.leave(person);
  }
});

test("a thousand addresses that are never silent delay others only briefly, and requests being answered are finished", () => {
  const { clock, gone, unauthenticated, enter } = small(1_000);
  const storm = Array.from({ length: 1_000 }, (_, index) => enter(`198.51.${index >> 8}.${index & 0xff}`));
  const [worker] = storm as [Pending];
  const ping = () => {
    for (const connection of storm) unauthenticated.silent(connection);
    unauthenticated.working(worker);
  };
  for (; clock.now < MAX_STAY; clock.now += 1_500) {
    expect(unauthenticated.makeRoom(HERE)).toBe(false);
    ping();
  }
  clock.now += 1_000;
  ping();
  for (let person = 0; person < 100; person++) {
    expect(unauthenticated.makeRoom(`person ${person}`)).toBe(true);
    enter(`person ${person}`);
  }
  expect(gone).toHaveLength(100);
  expect(gone).not.toContain(worker.name);
  expect(gone.every((name) => name.startsWith("198.51."))).toBe(true);
});

test("the address that holds the most places evicts only its own oldest connection when none is silent", () => {
  const { clock, gone, unauthenticated, enter } = small(4);
  const connections = [enter("person"), enter("storm"), enter("storm"), enter("storm")];
  clock.now += MAX_STAY;
  for (const connection of connections) unauthenticated.silent(connection);
  expect(unauthenticated.makeRoom("storm")).toBe(true);
  expect(gone).toEqual(["storm 2"]);
});

test("the networks of one tunnel count as one address", () => {
  const { gone, unauthenticated, enter } = small(4);
  enter(HERE);
  for (const network of ["2001:db8:1:1::/64", "2001:db8:1:2::/64", "2001:db8:1:3::/64"]) enter(network);
  expect(unauthenticated.makeRoom("2001:db8:2:1::/64")).toBe(true);
  expect(gone).toEqual(["2001:db8:1:1::/64 2"]);
  enter("2001:db8:2:1::/64");
  expect(unauthenticated.makeRoom("2001:db8:1:4::/64")).toBe(false);
});
