import { expect, test } from "bun:test";

import { DEFAULT_LIMITS } from "../../src/server/limits.ts";
import { Lobby, MIN_SILENCE, type Crowding } from "../../src/server/lobby.ts";

class Guest {
  readonly name: string;
  readonly #lobby: Lobby<Guest>;
  readonly #gone: string[];

  constructor(name: string, lobby: Lobby<Guest>, gone: string[]) {
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
    expect(lobby.hasRoom()).toBe(true);
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
  expect(lobby.hasRoom()).toBe(true);
  expect(lobby.hasRoom()).toBe(true);
  expect(gone).toEqual(["guest 2"]);
});

test("who was heard a moment ago, or has a request in work, keeps his place, and the newcomer has none", () => {
  const { clock, gone, lobby, guests } = full();
  for (const guest of guests) lobby.working(guest);
  clock.now = 10 * MIN_SILENCE;
  expect(lobby.hasRoom()).toBe(false);
  for (const guest of guests) lobby.silent(guest);
  clock.now += MIN_SILENCE - 1;
  expect(lobby.hasRoom()).toBe(false);
  expect(gone).toEqual([]);
  clock.now += 1;
  expect(lobby.hasRoom()).toBe(true);
  expect(gone).toEqual(["guest 0"]);
});

test("who has left is neither counted nor sent away", () => {
  const { clock, gone, lobby, guests } = full();
  const [first] = guests;
  lobby.leave(first as Guest);
  lobby.silent(first as Guest);
  clock.now = 2 * MIN_SILENCE;
  expect(lobby.hasRoom()).toBe(true);
  expect(gone).toEqual([]);
});

test("a crowd is told once a minute, with the counts since the last time", () => {
  const { clock, warnings, lobby } = full();
  clock.now = DEFAULT_LIMITS.anonymous;
  for (let count = 0; count < 3; count++) expect(lobby.hasRoom()).toBe(false);
  expect(warnings).toEqual([{ madeWay: 0, refused: 1 }]);
  clock.now += 60_000;
  lobby.hasRoom();
  expect(warnings.slice(1)).toEqual([{ madeWay: 1, refused: 2 }]);
});
