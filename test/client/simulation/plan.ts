/** The actions of both people and the failures, drawn from the seed. */
import type { SeededRandom } from "../../seeded-random.ts";
import { DECISIONS } from "../../../src/client/conversation/consent.ts";
import { MISHAPS, PUNCHES } from "./simulated-network.ts";
import type { SimulatedPerson } from "./simulated-person.ts";
import type { Weather } from "./simulated-pipe.ts";
import type { Said } from "./observer.ts";
import type { World } from "./world.ts";

const WEATHERS: readonly Weather[] = [
  { delay: 1, jitter: 1, capacity: Infinity, splits: 0 },
  { delay: 15, jitter: 30, capacity: 65_536, splits: 0.1 },
  { delay: 100, jitter: 250, capacity: 16_384, splits: 0.3 },
  // The longest text arrives within the time limit of an object.
  { delay: 300, jitter: 1_500, capacity: 32_768, splits: 0.3 },
];
/** One world in this many has texts longer than the room of a connection. */
const LONG_TEXTS = 12;

export function drawWeather(random: SeededRandom): Weather {
  return random.pick(WEATHERS);
}

function pickSaid(random: SeededRandom, { said }: SimulatedPerson): Said | undefined {
  const kept = said.filter(({ fate }) => fate === "kept");
  if (kept.length === 0) return undefined;
  // Usually the newest, which may be on its way.
  return random.next() < 0.6 ? kept.at(-1) : random.pick(kept);
}

/** What a person does besides writing. */
function act({ random, otherOf }: Draw, person: SimulatedPerson): void {
  const own = pickSaid(random, person);
  const theirs = pickSaid(random, otherOf(person));
  const program = person.program?.isRunning === true && !person.machine.isAsleep ? person.program : undefined;
  const roll = random.integer(20);
  if (roll < 3 && own !== undefined) person.edit(own, 1 + random.integer(120));
  else if (roll < 5 && own !== undefined) person.withdraw(own);
  else if (roll < 7 && own !== undefined) person.cancel(own);
  else if (roll < 10 && theirs !== undefined) person.read(theirs);
  else if (roll < 11 && theirs !== undefined) person.deleteTheirs(theirs);
  else if (roll < 12) program?.conversation.signs.typing(random.next() < 0.5);
  else if (roll < 14) program?.openChat();
  else if (roll < 16) program?.closeChat();
  else if (roll < 18) person.decide("accept");
  else if (random.next() < 0.25) person.decide(random.pick(DECISIONS));
}

type Draw = { readonly random: SeededRandom; readonly otherOf: (person: SimulatedPerson) => SimulatedPerson };

/** The failures with their relative frequencies. */
const DISTURBANCES: readonly (readonly [number, string, (world: World, person: SimulatedPerson) => void])[] =
  [
    [6, "a line", ({ network, random }) => network.befall(random.pick(MISHAPS), "one")],
    [2, "all lines", ({ network, random }) => network.befall(random.pick(MISHAPS), "all")],
    [
      5,
      "a crash at a step",
      ({ random }, { program }) => {
        if (program !== undefined) program.stepsToCrash = 1 + random.integer(random.pick([4, 15]));
      },
    ],
    [
      2,
      "a crash",
      (world, person) => {
        if (person.program === undefined) return;
        person.crash(world.random.pick(["program", "machine"]));
        world.startLater(person);
      },
    ],
    [
      2,
      "it is closed",
      (world, person) => {
        if (person.program?.isRunning !== true || person.machine.isAsleep) return;
        person.program.close();
        world.startLater(person);
      },
    ],
    [1, "sleep", ({ random }, { machine }) => machine.sleep(random.pick([3_000, 15_000, 60_000]))],
    [
      2,
      "the clock is set",
      ({ random }, { machine }) => {
        machine.clockOffset += random.pick([-3_600_000, -5_000, 700, 90_000, 86_400_000]);
      },
    ],
    [
      1,
      "another address",
      ({ network, sites }, person) => {
        person.site = sites.open();
        network.befall("silent", "all");
      },
    ],
    [2, "no server", ({ server, random }) => server.fail(random.integer(20_000))],
    [
      1,
      "no network",
      ({ network, queue, random }) => {
        network.isDown = true;
        network.befall(random.pick(MISHAPS), "all");
        queue.after(random.integer(20_000), () => (network.isDown = false));
      },
    ],
    [
      3,
      "a full disk",
      ({ queue, random }, { disk }) => {
        disk.fill();
        queue.after(random.integer(25_000), () => disk.free());
      },
    ],
    [1, "other weather", ({ network, random }) => (network.weather = drawWeather(random))],
    [
      2,
      "both open the chat",
      ({ people }) => {
        for (const { program, machine } of people) {
          if (program?.isRunning === true && !machine.isAsleep) program.openChat();
        }
      },
    ],
  ];

/** The same where people are behind NATs and firewalls, and meet. */
const CHANGES_OF_WAY: typeof DISTURBANCES = [
  [
    3,
    "another network",
    (world, person) => {
      const { network, server, sites, random } = world;
      const { site } = world.otherOf(person);
      // Sometimes one visits the other.
      person.site = site.nat !== "none" && random.integer(4) === 0 ? site : sites.draw();
      if (person.program === undefined) return;
      network.befall("silent", person.program);
      server.cut(person, person.program);
    },
  ],
  [
    3,
    "the router has another address",
    ({ network, server, sites }, person) => {
      person.site = { ...person.site, ip: sites.newAddress() };
      if (person.program === undefined) return;
      network.befall("silent", person.program);
      server.cut(person, person.program);
    },
  ],
  [
    4,
    "the port opens or closes",
    ({ server, random }, person) => {
      person.site = { ...person.site, isOpen: !person.site.isOpen };
      if (person.program !== undefined && random.integer(4) > 0) server.tell(person.program);
    },
  ],
  [
    3,
    "the NAT forgets",
    ({ network, random }, { program }) => {
      if (program !== undefined) network.befall(random.pick(MISHAPS), program);
    },
  ],
  [
    2,
    "the relay is full",
    ({ network, queue, random }) => {
      network.isRelayFull = true;
      queue.after(random.integer(20_000), () => (network.isRelayFull = false));
    },
  ],
  [2, "the server starts again", ({ server, random }) => server.fail(random.integer(500))],
  [2, "NATs punch otherwise", ({ network, random }) => (network.punching = random.pick(PUNCHES))],
];

function disturb(world: World, kinds: typeof DISTURBANCES): void {
  const { random } = world;
  let roll = random.integer(kinds.reduce((sum, [weight]) => sum + weight, 0));
  const person = random.pick(world.people);
  for (const [weight, name, run] of kinds) {
    roll -= weight;
    if (roll >= 0) continue;
    world.note(() => `${person.name}: ${name}`);
    run(world, person);
    return;
  }
}

/** Both open the verification at about the same time, now and then, and look at the codes; some change their mind. */
function drawVerifications({ random, queue, people }: World, duration: number): void {
  for (let left = 2 + random.integer(4); left > 0; left--) {
    const begin = random.integer(duration);
    // Nobody opens one after the last failure.
    const within = (ms: number) => Math.min(begin + random.integer(ms), duration);
    for (const person of people) {
      queue.after(within(3_000), () => person.program?.verify());
      for (let looks = 3; looks > 0; looks--) queue.after(within(20_000), () => person.program?.compare());
      if (random.integer(4) === 0)
        queue.after(within(8_000), () => {
          if (person.program?.isRunning === true) person.program.conversation.verification.close();
        });
    }
  }
}

/** Draws all actions and failures. @returns the latest time at which one begins, in ms */
export function drawPlan(world: World): number {
  const { random, queue } = world;
  const duration = 10_000 + random.integer(random.pick([15_000, 80_000]));
  const isLong = random.integer(LONG_TEXTS) === 0;
  const length = () => (isLong ? 4_000 + random.integer(12_000) : 1 + random.integer(random.pick([20, 200])));
  const draw: Draw = { random, otherOf: (person) => world.otherOf(person) };
  const texts = 3 + random.integer(14);
  // Whoever does not write is asked, and accepts in the end.
  const writers = random.integer(4) === 0 ? [random.pick(world.people)] : world.people;
  const moments: number[] = [];
  for (let index = 0; index < texts; index++) {
    const at = random.integer(duration);
    moments.push(at);
    const person = random.pick(writers);
    const lengths = Array.from({ length: 1 + random.integer(isLong ? 8 : 3) }, length);
    queue.after(at, () => person.say(lengths));
  }
  const beside = () =>
    random.next() < 0.5 ? random.pick(moments) + random.integer(400) : random.integer(duration);
  for (let left = 4 + random.integer(14); left > 0; left--) {
    const person = random.pick(world.people);
    queue.after(beside(), () => act(draw, person));
  }
  for (let left = 5 + random.integer(11); left > 0; left--) {
    queue.after(beside(), () => disturb(world, DISTURBANCES));
  }
  for (let left = world.isMeeting ? random.integer(8) : 0; left > 0; left--) {
    queue.after(beside(), () => disturb(world, CHANGES_OF_WAY));
  }
  if (world.isVerifying) drawVerifications(world, duration);
  return duration + 400;
}
