/** What is done to the three processes and to the lines between them, and when: all of it from the seed. */
import { seededRandom, type SeededRandom } from "../../seeded-random.ts";
import type { Direction } from "./cutting-proxy.ts";
import { FAILPOINTS, type Failpoint } from "./torture-lines.ts";
import type { Writer } from "./torture-text.ts";

export type Line = "peers" | "server";

export type Disruption =
  | { readonly name: "kill"; readonly whom: Writer | "server" }
  | { readonly name: "failpoint"; readonly whom: Writer; readonly at: Failpoint; readonly after: number }
  | { readonly name: "cut"; readonly line: Line; readonly direction: Direction; readonly after: number }
  | {
      readonly name: "stall";
      readonly line: Line;
      readonly direction: Direction;
      readonly ms: number;
      readonly isCutThen: boolean;
    };

export type PlannedDisruption = {
  /** It comes when so many texts more have arrived since the one before it. */
  readonly gap: number;
  readonly disruption: Disruption;
};

/** Of so many texts and fewer a run is short: disturbed as often as it can be within a minute. */
export const SHORT_RUN = 8_000;
/** Texts between two disruptions, on average. */
const SHORT_RUN_GAP = 10;
const LONG_RUN_GAP = 500;
/** One of so many comes together with the one before it. */
const TOGETHER_ONE_IN = 4;
/** Nothing is disturbed behind this part of the texts. */
const LAST = 0.92;
const MAX_FAILPOINT_COUNT = 12;
/** A cut comes after so many bytes, at most; mostly far fewer. */
const MAX_CUT_BYTES = 60_000;
const MIN_STALL = 200;
const MAX_STALL = 1_200;

/** One of each: what is drawn in turn, so that every run has all of them. */
const DECK: readonly ((random: SeededRandom) => Disruption)[] = [
  () => ({ name: "kill", whom: "a" }),
  () => ({ name: "kill", whom: "b" }),
  () => ({ name: "kill", whom: "server" }),
  ...FAILPOINTS.map((at) => (random: SeededRandom) => failpoint(random, at)),
  ...Array.from({ length: 5 }, () => (random: SeededRandom) => cut(random, "peers")),
  (random) => cut(random, "server"),
  (random) => stall(random, "peers"),
  (random) => stall(random, random.pick(["peers", "server"])),
];

function failpoint(random: SeededRandom, at: Failpoint): Disruption {
  // The outbox is read when a link comes up, and seldom again.
  const after = at === "claimed" ? 1 : 1 + random.integer(MAX_FAILPOINT_COUNT);
  return { name: "failpoint", whom: random.pick(["a", "b"]), at, after };
}

function cut(random: SeededRandom, line: Line): Disruption {
  const most = random.pick([1, 400, 4_000, MAX_CUT_BYTES]);
  return { name: "cut", line, direction: random.pick(["in", "out"]), after: random.integer(most) };
}

function stall(random: SeededRandom, line: Line): Disruption {
  const ms = MIN_STALL + random.integer(MAX_STALL - MIN_STALL);
  return {
    name: "stall",
    line,
    direction: random.pick(["in", "out"]),
    ms,
    isCutThen: random.integer(2) === 0,
  };
}

/** How many texts must have arrived for a run to be left in peace. */
export function lastMoment(texts: number): number {
  return Math.floor(texts * LAST);
}

/** The disruptions of a run, in the order in which they come. */
export function planDisruptions(seed: number, texts: number): PlannedDisruption[] {
  const random = seededRandom(seed ^ 0x5bd1e995);
  const average = texts <= SHORT_RUN ? SHORT_RUN_GAP : LONG_RUN_GAP;
  const plan: PlannedDisruption[] = [];
  let deck: typeof DECK = [];
  for (let at = 0; ;) {
    const gap = random.integer(TOGETHER_ONE_IN) === 0 ? 0 : random.integer(2 * average);
    at += gap;
    if (at > lastMoment(texts)) return plan;
    if (deck.length === 0) deck = shuffled(random, DECK);
    const [draw, ...rest] = deck;
    deck = rest;
    plan.push({ gap, disruption: (draw as (typeof DECK)[number])(random) });
  }
}

function shuffled<T>(random: SeededRandom, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
