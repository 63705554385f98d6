import { expect, test } from "bun:test";

import { DEFAULT_LIMITS } from "../../../src/server/limits/limits.ts";
import { Lobby, MAX_STAY, MIN_SILENCE, type Crowding } from "../../../src/server/limits/unauthenticated.ts";
import { seededRandom, testSeed } from "../../seeded-random.ts";

const HERE = "192.0.2.1";

class Guest {
  readonly name: string;
  readonly network: string;
  readonly #lobby: Lobby<Guest>;
  readonly #gone: string[];

  constructor(name: string, lobby: Lobby<Guest>, gone: string[], network = HERE) {
    this.network = network;
    this.name = name;
    this.#lobby = lobby;
    this.#gone = gone;
  }

  giveWay(): void {
    this.#gone.push(this.name);
    this.#lobby.leave(this);
  }
}

/** A full lobby whose guests became silent one after the other, 1 ms apart, from time 0. */
function full() {
  const clock = { now: 0 };
  const warnings: Crowding[] = [];
  const gone: string[] = [];
  const lobby = new Lobby<Guest>(
    DEFAULT_LIMITS.anonymous,
    () => clock.now,
    (crowding) => warnings.push(crowding),
  );
  const guests = Array.from({ length: DEFAULT_LIMITS.anonymous }, (_, index) => {
    expect(lobby.hasRoom(HERE)).toBe(true);
    const guest = new Guest(`guest ${index}`, lobby, gone);
    lobby.enter(guest);
    lobby.silent(guest);
    clock.now++;
    return guest;
  });
  return { clock, warnings, gone, lobby, guests };
}

test("a newcomer to a full lobby takes the place of the one silent the longest, and of nobody below the bound", () => {
  const { clock, gone, lobby, guests } = full();
  clock.now = MIN_SILENCE + 10;
  lobby.silent(guests[0] as Guest);
  lobby.working(guests[1] as Guest);
  expect(lobby.hasRoom(HERE)).toBe(true);
  expect(lobby.hasRoom(HERE)).toBe(true);
  expect(gone).toEqual(["guest 2"]);
});

test("who was heard a moment ago, or has a request in work, keeps his place, and the newcomer has none", () => {
  const { clock, gone, lobby, guests } = full();
  for (const guest of guests) lobby.working(guest);
  clock.now = 10 * MIN_SILENCE;
  expect(lobby.hasRoom(HERE)).toBe(false);
  for (const guest of guests) lobby.silent(guest);
  clock.now += MIN_SILENCE - 1;
  expect(lobby.hasRoom(HERE)).toBe(false);
  expect(gone).toEqual([]);
  clock.now += 1;
  expect(lobby.hasRoom(HERE)).toBe(true);
  expect(gone).toEqual(["guest 0"]);
});

test("who has left is neither counted nor sent away", () => {
  const { clock, gone, lobby, guests } = full();
  const [first] = guests;
  lobby.leave(first as Guest);
  lobby.silent(first as Guest);
  clock.now = 2 * MIN_SILENCE;
  expect(lobby.hasRoom(HERE)).toBe(true);
  expect(gone).toEqual([]);
});

test("a crowd is told once a minute, with the counts since the last time", () => {
  const { clock, warnings, lobby } = full();
  clock.now = DEFAULT_LIMITS.anonymous;
  for (let count = 0; count < 3; count++) expect(lobby.hasRoom(HERE)).toBe(false);
  expect(warnings).toEqual([{ madeWay: 0, refused: 1 }]);
  clock.now += 60_000;
  lobby.hasRoom(HERE);
  expect(warnings.slice(1)).toEqual([{ madeWay: 1, refused: 2 }]);
});

/** A lobby of `limit` places, and what makes a silent guest of a network. */
function small(limit: number) {
  const clock = { now: 0 };
  const gone: string[] = [];
  const lobby = new Lobby<Guest>(
    limit,
    () => clock.now,
    () => undefined,
  );
  let number = 0;
  const enter = (network: string): Guest => {
    const guest = new Guest(`${network} ${++number}`, lobby, gone, network);
    lobby.enter(guest);
    lobby.silent(guest);
    clock.now++;
    return guest;
  };
  return { clock, gone, lobby, enter };
}

test("of the address with the most places its longest silent gives way at once, however lately it was heard of", () => {
  const { gone, lobby, enter } = small(4);
  enter("quiet");
  const [first] = [enter("storm"), enter("storm"), enter("storm")];
  lobby.working(first);
  expect(lobby.hasRoom("newcomer")).toBe(true);
  expect(gone).toEqual(["storm 3"]);
  enter("newcomer");
  // The storm would hold three of four again, and takes nobody's place.
  expect(lobby.hasRoom("storm")).toBe(false);
  expect(gone).toHaveLength(1);
});

test("addresses that hold the same do not push each other out before their silence is long enough", () => {
  const { clock, gone, lobby, enter } = small(4);
  for (const network of ["a", "a", "b", "b"]) enter(network);
  expect(lobby.hasRoom("a")).toBe(false);
  expect(lobby.hasRoom("c")).toBe(true);
  expect(gone).toEqual(["a 1"]);
  enter("c");
  // With one more, a would hold as many as b.
  expect(lobby.hasRoom("a")).toBe(false);
  clock.now += MIN_SILENCE;
  expect(lobby.hasRoom("a")).toBe(true);
  expect(gone).toEqual(["a 1", "a 2"]);
});

test("an address that holds the most makes room for its next from its own silent ones, and from nobody else's", () => {
  const { clock, gone, lobby, enter } = small(4);
  enter("person");
  clock.now += MIN_SILENCE;
  for (let count = 0; count < 3; count++) enter("storm");
  expect(lobby.hasRoom("storm")).toBe(false);
  clock.now += MIN_SILENCE;
  expect(lobby.hasRoom("storm")).toBe(true);
  expect(gone).toEqual(["storm 2"]);
});

test("in a storm from a few addresses every newcomer from elsewhere finds a place, whatever the storm does", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const { clock, gone, lobby, enter } = small(60);
  const here: Guest[] = [];
  for (let step = 0; step < 5_000; step++) {
    clock.now += random.integer(50);
    const storm = `storm ${random.integer(5)}`;
    if (lobby.hasRoom(storm)) here.push(enter(storm));
    // It keeps all that it has fresh.
    lobby.silent(random.pick(here));
    if (step % 100 !== 99) continue;
    expect({ seed, step, room: lobby.hasRoom(`person ${step}`) }).toEqual({ seed, step, room: true });
    const person = enter(`person ${step}`);
    const before = gone.length;
    for (let count = 0; count < 20; count++) if (lobby.hasRoom(storm)) here.push(enter(storm));
    expect({ seed, out: gone.slice(before).filter((name) => name.startsWith("person")) }).toEqual({
      seed,
      out: [],
    });
    lobby.leave(person);
  }
});

test("a thousand addresses that are never silent keep nobody out for long, and what is in work is finished", () => {
  const { clock, gone, lobby, enter } = small(1_000);
  const storm = Array.from({ length: 1_000 }, (_, index) => enter(`198.51.${index >> 8}.${index & 0xff}`));
  const [worker] = storm as [Guest];
  const ping = () => {
    for (const guest of storm) lobby.silent(guest);
    lobby.working(worker);
  };
  for (; clock.now < MAX_STAY; clock.now += 1_500) {
    expect(lobby.hasRoom(HERE)).toBe(false);
    ping();
  }
  clock.now += 1_000;
  ping();
  for (let person = 0; person < 100; person++) {
    expect(lobby.hasRoom(`person ${person}`)).toBe(true);
    enter(`person ${person}`);
  }
  expect(gone).toHaveLength(100);
  expect(gone).not.toContain(worker.name);
  expect(gone.every((name) => name.startsWith("198.51."))).toBe(true);
});

test("the lively guests of the address that holds the most give way to its own next, and not those of others", () => {
  const { clock, gone, lobby, enter } = small(4);
  const guests = [enter("person"), enter("storm"), enter("storm"), enter("storm")];
  clock.now += MAX_STAY;
  for (const guest of guests) lobby.silent(guest);
  expect(lobby.hasRoom("storm")).toBe(true);
  expect(gone).toEqual(["storm 2"]);
});

test("the networks of one tunnel are one address: it cannot hold every place by holding one in each", () => {
  const { gone, lobby, enter } = small(4);
  enter(HERE);
  for (const network of ["2001:db8:1:1::/64", "2001:db8:1:2::/64", "2001:db8:1:3::/64"]) enter(network);
  expect(lobby.hasRoom("2001:db8:2:1::/64")).toBe(true);
  expect(gone).toEqual(["2001:db8:1:1::/64 2"]);
  enter("2001:db8:2:1::/64");
  expect(lobby.hasRoom("2001:db8:1:4::/64")).toBe(false);
});
