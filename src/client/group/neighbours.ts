/**
 * With whom a group that is awake wants links (GROUPS 9). Pure.
 *
 * - With few others online: with each. Otherwise with the next one in a ring, so that all are joined whatever chance
 *   does, and with random ones, so that the ways are short. Links that came in count.
 * - From time to time a random one gives way to another, so that whoever withholds something is not alone with anybody.
 */
import { hash } from "node:crypto";

/** With so many others online there is a link to each. */
const FEW = 6;
/** Links of one group where there are more: so many are asked for, and beyond so many some are given up. */
const LINKS = 4;
const MOST_LINKS = 5;
/** How often a random one is replaced, in ms. */
const REPLACE_INTERVAL = 10 * 60_000;
/** Most links that are asked for, over all groups. */
export const MAX_ASKED = 16;
/** How long a group is awake after something has come or was made, and after going online, in ms. */
export const AWAKE_TIME = 60_000;

/** Labels of people. `replacedAt`: ms. */
export type Neighbourhood = {
  readonly next: string | undefined;
  readonly random: readonly string[];
  readonly replacedAt: number;
};

export const NO_NEIGHBOURS: Neighbourhood = { next: undefined, random: [], replacedAt: -Infinity };

/** What is known of the others of a group. */
export type Others = {
  readonly group: string;
  readonly own: string;
  /** Those who may be reached now, by label. */
  readonly online: readonly string[];
  /** Those with whom there is a link, whoever has dialled. */
  readonly linked: ReadonlySet<string>;
};

/** Where somebody stands in the ring of a group. */
function place(group: string, label: string): string {
  return hash("sha256", `paloma ring 1\n${group}\n${label}`, "hex");
}

function nextInRing({ group, own, online }: Others): string | undefined {
  const here = place(group, own);
  const places = online
    .map((label) => ({ label, at: place(group, label) }))
    .toSorted((one, other) => (one.at < other.at ? -1 : 1));
  return (places.find(({ at }) => at > here) ?? places[0])?.label;
}

/**
 * Whom to be linked with from now on.
 * @param now ms, never set back. @param random in [0, 1)
 */
export function neighbours(
  before: Neighbourhood,
  others: Others,
  now: number,
  random: () => number,
): Neighbourhood {
  const { online, linked } = others;
  if (online.length <= FEW) return { next: undefined, random: online, replacedAt: now };
  const next = nextInRing(others);
  const held = before.next === undefined ? before.random : [before.next, ...before.random];
  const kept = [...new Set(held)].filter((label) => label !== next && online.includes(label));
  const isDue = now - before.replacedAt >= REPLACE_INTERVAL;
  const leaving = isDue ? kept[Math.floor(random() * kept.length)] : undefined;
  const chosen = kept.filter((label) => label !== leaving);
  const counted = new Set([...linked, ...chosen]);
  if (next !== undefined) counted.add(next);
  if (leaving !== undefined) counted.delete(leaving);
  // Whoever comes brings links to those who have enough.
  while (counted.size > MOST_LINKS && chosen.length > 0) {
    const [label] = chosen.splice(Math.floor(random() * chosen.length), 1);
    if (label !== undefined) counted.delete(label);
  }
  const free = online.filter((label) => !counted.has(label) && label !== leaving);
  while (counted.size < LINKS && free.length > 0) {
    const [label] = free.splice(Math.floor(random() * free.length), 1);
    if (label === undefined) break;
    chosen.push(label);
    counted.add(label);
  }
  return { next, random: chosen, replacedAt: isDue ? now : before.replacedAt };
}

/** All of a neighbourhood. */
export function asked({ next, random }: Neighbourhood): readonly string[] {
  return next === undefined ? random : [next, ...random];
}

/** The people with whom links are asked for. @param wanted of each group, the most urgent group first */
export function withinLimit(wanted: readonly (readonly string[])[]): ReadonlySet<string> {
  return new Set([...new Set(wanted.flat())].slice(0, MAX_ASKED));
}
