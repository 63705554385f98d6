/**
 * Tries every interleaving of two dials, and of redials over half-dead links, with the real `stepLinks`.
 *
 * The model: two sides, 0 the decider and 1 the other, joined by links, each with one FIFO channel in each
 * direction. A close travels in the channel, after what was written before it. A dead link
 * carries nothing; one side has seen its end at once, the other sees it at any later moment. Each side
 * sends what is unacknowledged again, in order, on every change of its current link.
 *
 * All that can happen next is tried in every state, by depth-first search; states that differ only in the
 * numbers of their links are one. A state that leads back to itself would be a redial without end.
 */
import {
  noLinks,
  REPLACED_LINK_TIME,
  SPARE_LINK_SILENCE,
  stepLinks,
  type LinkChoice,
  type LinkEvent,
  type LinkId,
} from "../../src/client/peer/link-choice.ts";
import { searchAll, type Move } from "./exhaustive-search.ts";

export type SideIndex = 0 | 1;
export const SIDES: readonly SideIndex[] = [0, 1];
export const DECIDER: SideIndex = 0;
export const otherOf = (side: SideIndex): SideIndex => (side === 0 ? 1 : 0);

/** `none`: the acceptor knows nothing of the connection yet. */
type End = "none" | "open" | "complete" | "closed";
/** `h` hello, `m1` a message, `a1` its acknowledgement, `x` the close. */
type Item = string;
type Link = {
  readonly id: LinkId;
  readonly dialler: SideIndex;
  dead: boolean;
  readonly ends: [End, End];
  /** What is on its way to each side. */
  readonly wire: [Item[], Item[]];
};
type Side = {
  choice: LinkChoice;
  chatOpen: boolean;
  /** Messages queued so far; the next has this number. */
  queued: number;
  /** Messages that the person will still send. */
  toSend: number;
  unacknowledged: number[];
  /** Messages of the other side that arrived, which are exactly 0 … received − 1. */
  received: number;
};
export type World = {
  readonly links: Link[];
  readonly sides: [Side, Side];
  /** Links that may still die. */
  faults: number;
  nextLink: LinkId;
};

/** Whether no link died on the way to this state: then «disconnected» must not occur. */
let faultless = true;

function copyOf(world: World): World {
  return {
    links: world.links.map((link) => ({
      ...link,
      ends: [...link.ends],
      wire: [[...link.wire[0]], [...link.wire[1]]],
    })),
    sides: [copyOfSide(world.sides[0]), copyOfSide(world.sides[1])],
    faults: world.faults,
    nextLink: world.nextLink,
  };
}

function copyOfSide(side: Side): Side {
  return { ...side, unacknowledged: [...side.unacknowledged] };
}

/** The same for states that differ only in the numbers of their links. */
function keyOf(world: World): string {
  const index = (id: LinkId | undefined) => world.links.findIndex((link) => link.id === id);
  let key = `${world.faults}`;
  for (const { dialler, dead, ends, wire } of world.links)
    key += `|${dialler}${dead ? "+" : "-"}${ends[0]},${ends[1]},${wire[0].join()};${wire[1].join()}`;
  for (const { choice, toSend, queued, unacknowledged, received } of world.sides) {
    key += `/${index(choice.dial)},${index(choice.current?.id)},`;
    for (const { id, endAt } of choice.spare) key += `${index(id)}${endAt === undefined ? "s" : "e"}`;
    key += `,${toSend},${queued},${unacknowledged.join(".")},${received}`;
  }
  return key;
}

function linkOf(world: World, id: LinkId): Link {
  const link = world.links.find((each) => each.id === id);
  if (link === undefined) throw new Error(`link ${id} is gone`);
  return link;
}

function write(link: Link, from: SideIndex, item: Item): void {
  const to = otherOf(from);
  // What is written on a dead link, or to an end that is closed, is lost.
  if (!link.dead && link.ends[to] !== "closed") link.wire[to].push(item);
}

function shut(world: World, link: Link, side: SideIndex, inFlight: "kept" | "lost"): void {
  const to = otherOf(side);
  link.ends[side] = "closed";
  link.wire[side].length = 0;
  if (inFlight === "lost") link.wire[to].length = 0;
  write(link, side, "x");
  forgetClosed(world, link);
}

function forgetClosed(world: World, link: Link): void {
  if (link.ends.every((end) => end === "closed" || end === "none"))
    world.links.splice(world.links.indexOf(link), 1);
}

type Reason = "time" | "silence" | "other";

function step(
  world: World,
  side: SideIndex,
  event: LinkEvent,
  reason: Reason = "other",
  inFlight: "kept" | "lost" = "kept",
): void {
  const self = world.sides[side];
  const result = stepLinks(self.choice, event);
  self.choice = result.choice;
  for (const action of result.actions) {
    switch (action.name) {
      case "abandonDial": {
        if (event.name !== "completed") throw new Error("a dial was abandoned without a complete link");
        const link = linkOf(world, action.link);
        if (link.dialler !== side || link.ends[side] !== "open") throw new Error("not a dial of its own");
        shut(world, link, side, "lost");
        break;
      }
      case "writeOn": {
        const link = linkOf(world, action.link);
        if (link.ends[side] !== "complete") throw new Error("it writes on a link that is not complete");
        for (const number of self.unacknowledged) write(link, side, `m${number}`);
        break;
      }
      case "end": {
        if (side !== DECIDER && reason !== "silence")
          throw new Error("the side that does not decide ended a link for being second");
        shut(world, linkOf(world, action.link), side, inFlight);
        const before = self.choice;
        const late = stepLinks(before, { name: "closed", link: action.link });
        if (late.actions.length > 0)
          throw new Error("the close of a link that it ended itself had an effect");
        self.choice = late.choice;
        break;
      }
      case "ping":
        // It is answered in time: `class-model.ts` has those that are not.
        break;
      case "disconnected":
        if (world.links.some((link) => link.ends[side] === "complete"))
          throw new Error("«disconnected» with a complete link");
        if (faultless) throw new Error("«disconnected», and nothing had died");
        break;
      default:
        action satisfies never;
    }
  }
}

export function lose(world: World, link: Link, side: SideIndex): void {
  link.ends[side] = "closed";
  link.wire[side].length = 0;
  forgetClosed(world, link);
  const name = world.sides[side].choice.dial === link.id ? "dialFailed" : "closed";
  step(world, side, { name, link: link.id });
}

export function deliver(world: World, link: Link, side: SideIndex): void {
  const item = link.wire[side].shift() as Item;
  const self = world.sides[side];
  const number = Number(item.slice(1));
  switch (item[0]) {
    case "h":
      if (link.dialler === side) write(link, side, "h");
      link.ends[side] = "complete";
      step(world, side, { name: "completed", link: link.id, isRelayed: false, now: 0, lastReadAt: () => 0 });
      if (self.choice.dial !== undefined) throw new Error("a link is complete and the dial goes on");
      return;
    case "m":
      if (number > self.received) throw new Error(`message ${number} arrived before ${self.received}`);
      if (number === self.received) self.received++;
      write(link, side, `a${number}`);
      return;
    case "a":
      self.unacknowledged = self.unacknowledged.filter((each) => each !== number);
      return;
    case "x":
      lose(world, link, side);
      return;
    default:
      throw new Error(`what is ${item}?`);
  }
}

/** All possible next steps. */
function movesOf(world: World): Move<World>[] {
  const moves: Move<World>[] = [];
  const isLive = (end: End) => end === "open" || end === "complete";
  for (const { id, dialler, dead, ends, wire } of world.links) {
    if (!dead && ends[otherOf(dialler)] === "none" && ends[dialler] === "open") {
      moves.push({
        name: `handshake of ${id}`,
        run: (next) => {
          const link = linkOf(next, id);
          link.ends[otherOf(dialler)] = "open";
          write(link, otherOf(dialler), "h");
        },
      });
    }
    for (const side of SIDES) {
      if (!dead && wire[side].length > 0 && isLive(ends[side])) {
        moves.push({
          name: `${side} reads ${wire[side][0]} on ${id}`,
          run: (next) => deliver(next, linkOf(next, id), side),
        });
      }
      if (dead && isLive(ends[side]))
        moves.push({ name: `${side} sees the end of ${id}`, run: (n) => lose(n, linkOf(n, id), side) });
      if (world.faults > 0 && !dead && isLive(ends[side])) {
        moves.push({
          name: `${id} dies, ${side} sees it`,
          run: (next) => {
            const link = linkOf(next, id);
            next.faults--;
            link.dead = true;
            link.wire[0].length = 0;
            link.wire[1].length = 0;
            if (link.ends[otherOf(side)] === "none") link.ends[otherOf(side)] = "closed";
            lose(next, link, side);
          },
        });
      }
    }
  }
  // Within 30 s of silence everything that lives has arrived, and shorter waits are over.
  const quiet =
    world.links.every((link) => link.dead || link.wire.every((items) => items.length === 0)) &&
    world.sides.every(
      ({ choice }) => choice.dial === undefined && choice.spare.every(({ endAt }) => endAt === undefined),
    );
  for (const side of SIDES) {
    const { choice, chatOpen, unacknowledged, toSend } = world.sides[side];
    if (choice.current === undefined && choice.dial === undefined && (chatOpen || unacknowledged.length > 0))
      moves.push({ name: `${side} dials`, run: (next) => dial(next, side) });
    if (toSend > 0) moves.push({ name: `${side} sends`, run: (next) => send(next, side) });
    if (choice.spare.some(({ endAt }) => endAt !== undefined)) {
      const now = REPLACED_LINK_TIME;
      for (const inFlight of ["kept", "lost"] as const) {
        moves.push({
          name: `${side} ends what it replaced, in flight ${inFlight}`,
          run: (next) => step(next, side, { name: "time", now, lastReadAt: () => now }, "time", inFlight),
        });
      }
    }
    for (const { id } of choice.spare) {
      if (!quiet && !linkOf(world, id).dead) continue;
      moves.push({
        name: `${side} hears nothing on ${id}`,
        run: (next) => {
          const lastReadAt = (link: LinkId) => (link === id ? -SPARE_LINK_SILENCE : 0);
          step(next, side, { name: "time", now: 0, lastReadAt }, "silence");
        },
      });
    }
  }
  return moves;
}

function dial(world: World, side: SideIndex): LinkId {
  const id = world.nextLink++;
  const ends: [End, End] = side === 0 ? ["open", "none"] : ["none", "open"];
  world.links.push({ id, dialler: side, dead: false, ends, wire: [[], []] });
  step(world, side, { name: "dialStarted", link: id });
  return id;
}

function send(world: World, side: SideIndex): void {
  const self = world.sides[side];
  const number = self.queued++;
  self.toSend = Math.max(0, self.toSend - 1);
  self.unacknowledged.push(number);
  if (self.choice.current !== undefined) write(linkOf(world, self.choice.current.id), side, `m${number}`);
}

/** What holds in every state. */
function check(world: World): void {
  for (const side of SIDES) {
    const { choice } = world.sides[side];
    const complete = world.links.filter((link) => link.ends[side] === "complete").map((link) => link.id);
    const chosen = [
      ...choice.spare.map(({ id }) => id),
      ...(choice.current === undefined ? [] : [choice.current.id]),
    ];
    if (chosen.toSorted().join() !== complete.toSorted().join())
      throw new Error(`side ${side} holds ${chosen.join()}, complete are ${complete.join()}`);
    if ((choice.current === undefined) !== (complete.length === 0))
      throw new Error(`side ${side} has complete links and none is current`);
    const dials = world.links.filter((link) => link.dialler === side && link.ends[side] === "open");
    if (dials.length > 1 || dials[0]?.id !== choice.dial)
      throw new Error(`side ${side} dials ${dials.map((link) => link.id).join()}, not ${choice.dial}`);
    if (side !== DECIDER && choice.spare.some(({ endAt }) => endAt !== undefined))
      throw new Error("the side that does not decide has set a link's end");
  }
}

/** What holds in states without a next step. */
function checkEnd(world: World): void {
  const [decider, other] = world.sides;
  if (decider.choice.current?.id !== other.choice.current?.id)
    throw new Error("the two write on different links");
  if (decider.choice.spare.length + other.choice.spare.length > 0) throw new Error("a second link is left");
  if (world.sides.some((side) => side.chatOpen) && world.links.length !== 1)
    throw new Error(`${world.links.length} links are left`);
  for (const side of SIDES) {
    const self = world.sides[side];
    const peer = world.sides[otherOf(side)];
    if (self.unacknowledged.length > 0) throw new Error(`side ${side} waits for an acknowledgement for ever`);
    if (peer.received !== self.queued)
      throw new Error(`side ${side} sent ${self.queued}, arrived ${peer.received}`);
  }
}

/** @returns, @throws as `searchAll` */
export function explore(start: World): { states: number; ends: number } {
  const startIsFaultless = start.links.every((link) => !link.dead);
  const moves = (world: World): Move<World>[] =>
    movesOf(world).map(({ name, run }) => ({
      name,
      run: (next) => {
        // The number of faults only decreases, so the state alone determines this.
        faultless = next.faults === start.faults && startIsFaultless && !name.includes("dies");
        run(next);
      },
    }));
  return searchAll({ check, checkEnd, copyOf, keyOf, movesOf: moves }, start);
}

type Plan = { queued?: number; toSend?: number; faults?: number; chatOpen?: readonly [boolean, boolean] };

export function newWorld({ queued = 0, toSend = 0, faults = 0, chatOpen = [true, true] }: Plan): World {
  const side = (index: SideIndex): Side => ({
    choice: noLinks(index === DECIDER),
    chatOpen: chatOpen[index],
    queued,
    toSend,
    unacknowledged: Array.from({ length: queued }, (_, number) => number),
    received: 0,
  });
  return { links: [], sides: [side(0), side(1)], faults, nextLink: 1 };
}

/** A link of `dialler` that is complete for both, or for the dialler only. */
export function connect(world: World, dialler: SideIndex, complete: "both" | "dialler"): Link {
  const link = linkOf(world, dial(world, dialler));
  link.ends[otherOf(dialler)] = "open";
  link.wire[dialler].push("h");
  deliver(world, link, dialler);
  if (complete === "both") deliver(world, link, otherOf(dialler));
  return link;
}

/** The link dies: what was on the way is lost, and `side` sees it at once. */
export function kill(world: World, link: Link, side: SideIndex): void {
  link.dead = true;
  link.wire[0].length = 0;
  link.wire[1].length = 0;
  faultless = false;
  lose(world, link, side);
}
