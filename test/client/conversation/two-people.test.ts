/** Consent between two people over a simulated network: who asks, who waits, and when a link is wanted. */
import { afterEach, expect, test } from "bun:test";

import { HELD_INTERVAL } from "../../../src/client/conversation/acceptance.ts";
import { DECLINED_FOR } from "../../../src/client/conversation/consent.ts";
import type { SimulatedPerson } from "../simulation/simulated-person.ts";
import { checkDisks, isEverythingOut } from "../simulation/verdict.ts";
import { World } from "../simulation/world.ts";

const SECOND = 1_000;
let world: World;
let ana: SimulatedPerson;
let berta: SimulatedPerson;

/** Both are online, on a fast and sound network. */
async function meet(): Promise<void> {
  world = new World(1, true);
  world.network.weather = { delay: 1, jitter: 1, capacity: Infinity, splits: 0 };
  [ana, berta] = world.people;
  world.passSecond();
  for (const person of world.people) person.start(world.otherOf(person));
  await after(5 * SECOND);
}

/** What happens in the next `ms`. */
async function after(ms: number, act: () => void = () => undefined): Promise<string[]> {
  const before = world.history.length;
  world.queue.after(0, act);
  await world.runUntil(world.queue.now + ms);
  return world.history.slice(before);
}

function count(lines: readonly string[], part: string): number {
  return lines.filter((line) => line.includes(part)).length;
}

/** The texts of `author` on the other's disk. */
function arrived(author: SimulatedPerson): number {
  return world
    .otherOf(author)
    .disk.rows(false)
    .filter(({ kind }) => kind === 0).length;
}

afterEach(() => world.close());

test("three texts are a request, the others wait until it is answered, and all arrive in order", async () => {
  await meet();
  const asked = await after(5 * SECOND, () => ana.say([5, 5, 5, 5, 5]));
  expect(count(asked, 'Berta: {"name":"request","from":"Ana","count":3}')).toBe(1);
  expect([count(asked, 'Berta: > {"action":"held"}'), count(asked, 'Ana: {"name":"held"')]).toEqual([1, 1]);
  expect(count(asked, "Berta: is shown")).toBe(0);
  expect(arrived(ana)).toBe(3);
  // Nobody needs the link, and nothing more is written on it.
  const waiting = await after(120 * SECOND, () => ana.say([5]));
  expect([count(waiting, 'Ana: > {"message"'), world.network.openLines, arrived(ana)]).toEqual([0, 0, 3]);
  const answered = await after(10 * SECOND, () => berta.say([5]));
  expect(count(answered, 'Ana: {"name":"accepted","username":"Berta"}')).toBe(1);
  expect([arrived(ana), arrived(berta)]).toEqual([6, 1]);
  for (const person of world.people) checkDisks(person, world.otherOf(person), world.fail);
});

test("accepting ends the link on which texts were held, and they come on the next one", async () => {
  await meet();
  await after(5 * SECOND, () => ana.say([5, 5, 5, 5]));
  expect([arrived(ana), world.network.openLines]).toEqual([3, 1]);
  const accepted = await after(5 * SECOND, () => berta.decide("accept"));
  const [first, second] = [
    accepted.findIndex((line) => line.includes('Berta: > {"action":"accepted"}')),
    accepted.findIndex((line) => line.includes('Berta: > {"action":"bye"}')),
  ];
  expect(first).toBeGreaterThan(-1);
  expect(second).toBeGreaterThan(first);
  expect([arrived(ana), isEverythingOut(ana)]).toEqual([4, true]);
  expect(count(accepted, "Berta: is shown")).toBe(1);
});

test("requests that cross are no requests: both have accepted by writing", async () => {
  await meet();
  const lines = await after(10 * SECOND, () => {
    ana.say([5, 5, 5, 5]);
    berta.say([5, 5, 5, 5]);
  });
  expect([count(lines, "held"), count(lines, '"name":"request"'), count(lines, "is shown")]).toEqual([
    0, 0, 8,
  ]);
  // Nobody had asked, so nobody is told.
  expect(count(lines, '"accepted"')).toBe(0);
  expect(world.people.every(isEverythingOut)).toBe(true);
});

test("held texts want a link when either side comes online, and once an hour, and no more", async () => {
  await meet();
  await after(120 * SECOND, () => ana.say([5, 5, 5, 5]));
  const links = (lines: readonly string[]) => count(lines, "is connected to");
  const hour = await after(HELD_INTERVAL);
  expect(links(hour)).toBe(1);
  const restarted = await after(120 * SECOND, () => {
    berta.program?.close();
    world.queue.after(20 * SECOND, () => berta.start(ana));
  });
  expect(links(restarted)).toBe(1);
  const own = await after(120 * SECOND, () => {
    ana.program?.close();
    world.queue.after(20 * SECOND, () => ana.start(berta));
  });
  expect(links(own)).toBe(1);
});

test("an acceptance is told by the one who was offline when they came, and once they know, wants no link", async () => {
  await meet();
  await after(120 * SECOND, () => ana.say([5, 5]));
  await after(40 * SECOND, () => ana.program?.close());
  await after(120 * SECOND, () => berta.decide("accept"));
  expect(berta.program?.conversation.wants.link).toBe(true);
  const back = await after(20 * SECOND, () => ana.start(berta));
  expect(count(back, 'Ana: {"name":"accepted","username":"Berta"}')).toBe(1);
  expect(berta.program?.conversation.wants.link).toBe(false);
  // It is repeated until a text has arrived, and reported once.
  const writes = await after(120 * SECOND, () => ana.say([5]));
  expect([count(writes, 'Ana: < {"action":"accepted"}'), count(writes, '"name":"accepted"')]).toEqual([0, 0]);
  const later = await after(120 * SECOND, () => ana.say([5]));
  expect([count(later, '{"action":"accepted"}'), arrived(ana)]).toEqual([0, 4]);
});

test("of a declined person nothing is shown and nothing stored, and after 30 days they may ask again", async () => {
  await meet();
  await after(5 * SECOND, () => ana.say([5]));
  await after(5 * SECOND, () => berta.decide("decline"));
  expect(arrived(ana)).toBe(0);
  const pages = () => berta.disk.database.query("SELECT count(*) AS rows FROM messages").get();
  const before = pages();
  const declined = await after(120 * SECOND, () => ana.say([5, 5]));
  const isOfBerta = (line: string) => /Berta: (?:\{"name"|is shown)/.test(line);
  expect([declined.filter(isOfBerta), count(declined, 'Berta: > {"action":"held"}')]).toEqual([[], 1]);
  expect(pages()).toEqual(before);
  berta.machine.clockOffset += DECLINED_FOR;
  const asked = await after(HELD_INTERVAL + 60 * SECOND);
  expect(count(asked, 'Berta: {"name":"request","from":"Ana","count":2}')).toBe(1);
});

test("who is blocked finds nobody, and nothing is sent to them", async () => {
  await meet();
  await after(5 * SECOND, () => berta.say([5]));
  await after(5 * SECOND, () => ana.say([5]));
  await after(60 * SECOND, () => berta.decide("block"));
  const lines = await after(300 * SECOND, () => {
    ana.say([5]);
    berta.program?.openChat();
  });
  expect([count(lines, "Berta: is connected"), count(lines, "Berta: {"), count(lines, "Berta: >")]).toEqual([
    0, 0, 0,
  ]);
  expect([arrived(ana), isEverythingOut(ana)]).toEqual([1, false]);
  await after(120 * SECOND, () => {
    berta.program?.closeChat();
    berta.decide("unblock");
  });
  expect([arrived(ana), isEverythingOut(ana)]).toEqual([2, true]);
});

test("nothing of a stranger is shown but their request: no link, no typing, no error", async () => {
  await meet();
  const lines = await after(5 * SECOND, () => {
    ana.program?.openChat();
    ana.say([5]);
    ana.program?.conversation.signs.typing(true);
  });
  const shown = lines.filter((line) => /Berta: \{"name"/.test(line));
  expect(shown.map((line) => line.replace(/^.*Berta: /, ""))).toEqual([
    '{"name":"request","from":"Ana","count":1}',
  ]);
  // Berta looks at it, which Ana does not see.
  const looked = await after(30 * SECOND, () => {
    berta.program?.openChat();
    berta.read();
    berta.program?.conversation.signs.typing(true);
  });
  expect([count(looked, '"action":"read"'), count(looked, '"action":"typing"')]).toEqual([0, 0]);
  const answered = await after(30 * SECOND, () => berta.say([5]));
  expect(count(answered, 'Berta: > {"action":"read"')).toBe(1);
});
