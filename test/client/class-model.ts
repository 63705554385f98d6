/**
 * Tries what two sides do with links of two classes that they doubt, with the real `stepLinks` (PROTOCOL 7, «Two links
 * with classes»).
 *
 * The model: as in `link-model.ts` a link has one FIFO channel in each direction. Besides there is time, which passes
 * only when nothing is on its way, from one deadline to the next. The network of a side changes: its links die, and
 * neither side sees it; both doubt their links, one of them later. Where there is no direct way, or where one is
 * not found in time, a link over the relay comes about, which the side that decides always accepts; and a direct one
 * beside it later.
 *
 * `class-walk.ts` tries every order of events, or one at random.
 */
import {
  DOUBT_TIME,
  noLinks,
  SPARE_LINK_SILENCE,
  stepLinks,
  type LinkChoice,
  type LinkEvent,
  type LinkId,
} from "../../src/client/peer/link-choice.ts";
import { DEAD_AFTER, PROBE_TIMEOUT } from "../../src/client/peer/link-watch.ts";
import type { Move } from "./exhaustive-search.ts";
import { DECIDER, otherOf, SIDES, type SideIndex } from "./link-model.ts";

/** Both are called so often, in ms. */
const TICK = 1_000;
/** A side writes on a dead link no longer than this while it has a good one, in ms. */
const MOST_DEAD_TIME = 6_000;

type End = "none" | "open" | "complete" | "closed";
/** `h` hello, `p` ping, `o` pong, `m` the message, `a` its acknowledgement, `x` the close. */
type Item = "h" | "p" | "o" | "m" | "a" | "x";
type Link = {
  readonly id: LinkId;
  readonly isRelayed: boolean;
  readonly dialler: SideIndex;
  isDead: boolean;
  readonly ends: [End, End];
  /** What is on its way to each side. */
  readonly wire: [Item[], Item[]];
  /** When each side has last read of it. */
  readonly readAt: [number, number];
};
type Side = {
  choice: LinkChoice;
  /** Whether its message has been acknowledged. */
  isTaken: boolean;
  /** Whether it will learn that the other one's network has changed. */
  willDoubt: boolean;
  /** How long it has written on a dead link while it had a good one, in ms. */
  deadFor: number;
};
/** How often each may still happen. */
type Budget = {
  readonly changes: number;
  readonly deaths: number;
  readonly moves: number;
};
export type ClassWorld = {
  readonly links: Link[];
  readonly sides: readonly [Side, Side];
  readonly hasDirect: boolean;
  budget: Budget;
  now: number;
  nextLink: LinkId;
};

export function copyOf(world: ClassWorld): ClassWorld {
  return {
    ...world,
    links: world.links.map((link) => ({
      ...link,
      ends: [...link.ends],
      wire: [[...link.wire[0]], [...link.wire[1]]],
      readAt: [...link.readAt],
    })),
    sides: [{ ...world.sides[0] }, { ...world.sides[1] }],
  };
}

/** The same for states that differ only in the numbers of their links, and in the time of day. */
export function keyOf({ links, sides, budget, now }: ClassWorld): string {
  const left = (time: number | undefined) => (time === undefined ? "" : Math.ceil((time - now) / TICK));
  const index = (id: LinkId | undefined) => links.findIndex((link) => link.id === id);
  let key = Object.values(budget).join();
  for (const { isRelayed, dialler, isDead, ends, wire } of links)
    key += `|${isRelayed ? "r" : "d"}${dialler}${isDead ? "+" : "-"}${ends.join()},${wire.join(";")}`;
  for (const side of SIDES) {
    const { choice, isTaken, willDoubt, deadFor } = sides[side];
    key += `/${index(choice.dial)},${isTaken},${willDoubt},${deadFor},${index(choice.current?.id)}`;
    for (const { id, endAt, probe, isDoubtful } of chosen(choice)) {
      const readAt = links[index(id)]?.readAt[side] ?? 0;
      key += `:${index(id)},${left(endAt)},${isDoubtful},${left(readAt)},${index(probe?.rival)}`;
      if (probe !== undefined)
        key += `,${left(probe.since)},${left(probe.doubtfulAt)},${readAt > probe.since}`;
    }
  }
  return key;
}

/** In the order of their completion. */
function chosen({ spare, current }: LinkChoice): LinkChoice["spare"] {
  return current === undefined ? spare : [...spare, current];
}

function linkOf(world: ClassWorld, id: LinkId): Link {
  const link = world.links.find((each) => each.id === id);
  if (link === undefined) throw new Error(`link ${id} is gone`);
  return link;
}

function write(link: Link, from: SideIndex, item: Item): void {
  const to = otherOf(from);
  if (!link.isDead && link.ends[to] !== "closed") link.wire[to].push(item);
}

function forgetClosed(world: ClassWorld, link: Link): void {
  if (link.ends.every((end) => end === "closed" || end === "none"))
    world.links.splice(world.links.indexOf(link), 1);
}

function shut(world: ClassWorld, link: Link, side: SideIndex): void {
  link.ends[side] = "closed";
  link.wire[side].length = 0;
  write(link, side, "x");
  forgetClosed(world, link);
}

const isGood = (link: Link) => !link.isDead && link.ends.every((end) => end === "complete");

function step(world: ClassWorld, side: SideIndex, event: LinkEvent): void {
  const self = world.sides[side];
  const { choice, actions } = stepLinks(self.choice, event);
  self.choice = choice;
  for (const action of actions) {
    switch (action.name) {
      case "abandonDial":
        shut(world, linkOf(world, action.link), side);
        break;
      case "writeOn":
        if (!self.isTaken) write(linkOf(world, action.link), side, "m");
        break;
      case "ping":
        write(linkOf(world, action.link), side, "p");
        break;
      case "end": {
        const link = linkOf(world, action.link);
        const wasGood = isGood(link);
        shut(world, link, side);
        // A link that was read a moment ago may have died since.
        const seemsGood = ({ readAt }: Link) => world.now - readAt[side] <= DOUBT_TIME + TICK;
        if (wasGood && !world.links.some((each) => isGood(each) || seemsGood(each)))
          throw new Error(`side ${side} has ended the only good link`);
        self.choice = stepLinks(self.choice, { name: "closed", link: action.link }).choice;
        break;
      }
      case "disconnected":
        if (world.links.some((link) => link.ends[side] === "complete"))
          throw new Error("«disconnected» with a complete link");
        break;
      default:
        action satisfies never;
    }
  }
}

/** The side sees that the link has ended. */
function lose(world: ClassWorld, link: Link, side: SideIndex): void {
  link.ends[side] = "closed";
  link.wire[side].length = 0;
  forgetClosed(world, link);
  const isDial = world.sides[side].choice.dial === link.id;
  step(world, side, { name: isDial ? "dialFailed" : "closed", link: link.id });
}

/** Time enough to tell what came before from what came after. */
function passMoment(world: ClassWorld): void {
  world.now++;
}

function lastReadAt(world: ClassWorld, side: SideIndex): (link: LinkId) => number {
  return (id) => linkOf(world, id).readAt[side];
}

function deliver(world: ClassWorld, link: Link, side: SideIndex): void {
  const item = link.wire[side].shift() as Item;
  const self = world.sides[side];
  passMoment(world);
  link.readAt[side] = world.now;
  switch (item) {
    case "h": {
      if (link.dialler === side) write(link, side, "h");
      link.ends[side] = "complete";
      const { id, isRelayed } = link;
      const reads = { now: world.now, lastReadAt: lastReadAt(world, side) };
      step(world, side, { name: "completed", link: id, isRelayed, ...reads });
      return;
    }
    case "p":
      write(link, side, "o");
      return;
    case "m":
      write(link, side, "a");
      return;
    case "a":
      self.isTaken = true;
      return;
    case "x":
      lose(world, link, side);
      return;
    case "o":
      return;
    default:
      item satisfies never;
  }
}

function open(world: ClassWorld, dialler: SideIndex, isRelayed: boolean, isDial: boolean): void {
  const id = world.nextLink++;
  const ends: [End, End] = dialler === 0 ? ["open", "none"] : ["none", "open"];
  const readAt: [number, number] = [world.now, world.now];
  world.links.push({ id, isRelayed, dialler, isDead: false, ends, wire: [[], []], readAt });
  if (isDial) step(world, dialler, { name: "dialStarted", link: id });
}

function doubt(world: ClassWorld, side: SideIndex): void {
  passMoment(world);
  world.sides[side].willDoubt = false;
  step(world, side, { name: "doubted", now: world.now, lastReadAt: lastReadAt(world, side) });
}

/** The next time at which something happens by itself. */
function nextDeadline({ sides, links, now }: ClassWorld): number {
  const times = SIDES.flatMap((side) => {
    const { choice } = sides[side];
    return chosen(choice).flatMap(({ id, endAt, probe, isDoubtful }) => {
      const link = links.find((each) => each.id === id) as Link;
      const isRead = probe !== undefined && link.readAt[side] > probe.since;
      const own = isRead ? [now + 1] : [];
      if (probe !== undefined && !isRead && !isDoubtful) own.push(probe.doubtfulAt);
      if (probe?.rival !== undefined && !isRead) own.push(probe.since + DOUBT_TIME);
      if (endAt !== undefined) own.push(endAt);
      const isCurrent = id === choice.current?.id;
      const isAvoided = choice.spare.some((spare) => {
        const other = links.find((each) => each.id === spare.id);
        return (other?.readAt[side] ?? 0) > link.readAt[side];
      });
      if (isCurrent && isAvoided && probe === undefined) own.push(link.readAt[side] + DOUBT_TIME);
      if (!isCurrent) own.push(link.readAt[side] + SPARE_LINK_SILENCE);
      if (isCurrent && link.isDead)
        own.push(
          Math.min(
            link.readAt[side] + DEAD_AFTER,
            probe === undefined ? Infinity : probe.since + PROBE_TIMEOUT,
          ),
        );
      return own.map((time) => Math.max(time, now + 1));
    });
  });
  return Math.min(Infinity, ...times);
}

function passTime(world: ClassWorld): void {
  const before = world.now;
  world.now = Math.ceil(nextDeadline(world) / TICK) * TICK;
  for (const side of SIDES) {
    const self = world.sides[side];
    const current = world.links.find(({ id }) => id === self.choice.current?.id);
    // A ping on the current link is answered.
    if (current !== undefined && isGood(current) && world.now - current.readAt[side] >= 8 * TICK)
      current.readAt[0] = current.readAt[1] = world.now;
    const hasGood = world.links.some((link) => isGood(link) && link.ends[side] === "complete");
    self.deadFor = current?.isDead === true && hasGood ? self.deadFor + world.now - before : 0;
    if (self.deadFor > MOST_DEAD_TIME)
      throw new Error(`side ${side} has written on a dead link for ${self.deadFor} ms`);
  }
  for (const side of SIDES) {
    const { now } = world;
    step(world, side, { name: "time", now, lastReadAt: lastReadAt(world, side) });
    const { current } = world.sides[side].choice;
    const link = world.links.find(({ id }) => id === current?.id);
    if (current === undefined || link?.isDead !== true) continue;
    const readAt = link.readAt[side];
    const isDoubted = current.probe !== undefined && now - current.probe.since >= PROBE_TIMEOUT;
    if (now - readAt >= DEAD_AFTER || isDoubted) lose(world, link, side);
  }
}

const isLive = (end: End) => end === "open" || end === "complete";

/** All possible next steps. */
export function movesOf(world: ClassWorld): Move<ClassWorld>[] {
  const { links, sides, budget, hasDirect } = world;
  const moves: Move<ClassWorld>[] = [];
  for (const { id, dialler, isDead, ends, wire } of links) {
    const acceptor = otherOf(dialler);
    if (!isDead && ends[acceptor] === "none" && ends[dialler] === "open") {
      moves.push({
        name: `handshake of ${id}`,
        run: (next) => {
          const link = linkOf(next, id);
          link.ends[acceptor] = "open";
          write(link, acceptor, "h");
        },
      });
    }
    for (const side of SIDES) {
      if (!isDead && wire[side].length > 0 && isLive(ends[side]))
        moves.push({
          name: `${side} reads ${wire[side][0]} on ${id}`,
          run: (next) => deliver(next, linkOf(next, id), side),
        });
      // What has not begun is seen to fail.
      if (isDead && ends[side] === "open")
        moves.push({
          name: `${side} sees the end of ${id}`,
          run: (next) => lose(next, linkOf(next, id), side),
        });
      if (budget.deaths > 0 && !isDead && isLive(ends[side]))
        moves.push({
          name: `${id} dies, ${side} sees it`,
          run: (next) => {
            next.budget = { ...budget, deaths: budget.deaths - 1 };
            die(next, linkOf(next, id));
            lose(next, linkOf(next, id), side);
          },
        });
    }
  }
  const isQuiet = moves.length === 0 && sides.every(({ willDoubt }) => !willDoubt);
  const isOpening = (relayed: boolean) =>
    links.some(
      ({ isRelayed, isDead, ends }) =>
        isRelayed === relayed &&
        !isDead &&
        !ends.includes("closed") &&
        ends.some((end) => end !== "complete"),
    );
  for (const side of SIDES) {
    const { choice, willDoubt } = sides[side];
    if (willDoubt) moves.push({ name: `${side} doubts`, run: (next) => doubt(next, side) });
    const needsLink = choice.current === undefined || choice.current.isDoubtful;
    if (needsLink && hasDirect && choice.dial === undefined)
      moves.push({ name: `${side} dials`, run: (next) => open(next, side, false, true) });
    if (needsLink && !isOpening(true))
      moves.push({
        name: `${side} asks to meet`,
        run: (next) => {
          open(next, 1, true, side === 1 && choice.dial === undefined);
          const invited = otherOf(side);
          if (next.sides[invited].choice.current !== undefined) doubt(next, invited);
        },
      });
    if (budget.changes > 0 && choice.current !== undefined)
      for (const which of ["direct", "all"] as const)
        moves.push({
          name: `${side} is in another network, ${which} links die`,
          run: (next) => {
            next.budget = { ...budget, changes: budget.changes - 1 };
            for (const link of [...next.links]) if (which === "all" || !link.isRelayed) die(next, link);
            next.sides[otherOf(side)].willDoubt = true;
            doubt(next, side);
          },
        });
    const isRelayed =
      choice.current?.isRelayed === true && sides[otherOf(side)].choice.current?.isRelayed === true;
    if (budget.moves > 0 && isRelayed)
      moves.push({
        name: `${side} finds a direct way`,
        run: (next) => {
          next.budget = { ...budget, moves: budget.moves - 1 };
          open(next, side, false, false);
        },
      });
  }
  if (isQuiet && nextDeadline(world) < Infinity) moves.push({ name: "time passes", run: passTime });
  return moves;
}

function die(world: ClassWorld, link: Link): void {
  link.isDead = true;
  link.wire[0].length = link.wire[1].length = 0;
  for (const side of SIDES) if (link.ends[side] === "none") link.ends[side] = "closed";
  forgetClosed(world, link);
}

/** What holds in every state. */
export function check({ links, sides }: ClassWorld): void {
  for (const side of SIDES) {
    const { choice } = sides[side];
    const complete = links.filter((link) => link.ends[side] === "complete").map(({ id }) => id);
    const known = chosen(choice).map(({ id }) => id);
    if (known.toSorted().join() !== complete.toSorted().join())
      throw new Error(`side ${side} holds ${known.join()}, complete are ${complete.join()}`);
    if (side !== DECIDER && choice.spare.some(({ endAt }) => endAt !== undefined))
      throw new Error("the side that does not decide has set a link's end");
  }
}

/** What holds in states without a next step. */
export function checkEnd({ links, sides }: ClassWorld): void {
  const [one, two] = sides.map(({ choice }) => choice.current?.id);
  if (one === undefined || one !== two) throw new Error(`the two write on ${one} and ${two}`);
  if (links.length !== 1) throw new Error(`${links.length} links are left`);
  if (sides.some(({ isTaken }) => !isTaken)) throw new Error("a message waits for ever");
}

/** @param hasDirect whether dials succeed */
export function newClassWorld(hasDirect: boolean, budget: Partial<Budget>): ClassWorld {
  const side = (index: SideIndex): Side => ({
    choice: noLinks(index === DECIDER),
    isTaken: false,
    willDoubt: false,
    deadFor: 0,
  });
  return {
    links: [],
    sides: [side(0), side(1)],
    hasDirect,
    budget: { changes: 0, deaths: 0, moves: 0, ...budget },
    now: TICK,
    nextLink: 1,
  };
}
