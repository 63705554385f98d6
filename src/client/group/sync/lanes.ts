/** What this side holds of a group: all control entries, and the two ends of each lane of texts (GROUPS 2 and 3). */
import type { GroupEntry, Lane } from "../../../identity/group-entry.ts";
import { controlWait, spend, textWait } from "./lane-budget.ts";
import type { GroupContents, StoredEntry, TextLane } from "./log.ts";

/** `seq`: 0 until it is stored. */
export type HeldControl = GroupEntry & { seq: number };

type Spending = [at: number, size: number][];

function copied(spent: TextLane["early"]): Spending {
  return spent.map(([at, size]) => [at, size]);
}

/** A lane of texts. What its ends have spent is read from the disk where it is asked for, once. */
export class HeldTexts {
  readonly base: number;
  first: TextLane["first"];
  last: TextLane["last"];
  readonly #read: TextLane;
  #early: Spending | undefined;
  #recent: Spending | undefined;

  constructor(read: TextLane) {
    this.base = read.base;
    this.first = read.first;
    this.last = read.last;
    this.#read = read;
  }

  /** What the first entries have spent of their budgets, the outermost first. */
  get early(): Spending {
    return (this.#early ??= copied(this.#read.early));
  }

  /** What the last entries have spent of theirs, the outermost first. */
  get recent(): Spending {
    return (this.#recent ??= copied(this.#read.recent).reverse());
  }
}

/** The last entry of a lane. Of an empty one: number 0, and the id of the feed, which number 1 has as `prev`. */
export type LaneEnd = { readonly number: number; readonly id: string; readonly at: number };

/** Where an entry stands to what is held of its lane. */
export type Place =
  /** Something of this number is held. */
  | "held"
  | "next"
  /** It ends where the lane begins. */
  | "front"
  /** Of the right number, but not what the entry beside it names, or that names it: of another branch. */
  | "misfit"
  /** Something between it and the lane is missing. */
  | "beyond"
  | "before";

const EARLY_COUNT = 2_000;

export class Lanes {
  readonly #control = new Map<string, HeldControl[]>();
  readonly #texts = new Map<string, HeldTexts>();

  constructor(contents: Pick<GroupContents, "control" | "texts">) {
    for (const entry of contents.control) this.#controlOf(entry.feed).push(entry);
    for (const lane of contents.texts) this.trimmed(lane);
  }

  control(feed: string): readonly HeldControl[] {
    return this.#control.get(feed) ?? [];
  }

  /** All control entries, lane by lane. */
  allControl(): HeldControl[] {
    return [...this.#control.values()].flat();
  }

  /** The feeds of which control entries are held. */
  feeds(): string[] {
    return [...this.#control.keys()];
  }

  texts(feed: string): Readonly<HeldTexts> | undefined {
    return this.#texts.get(feed);
  }

  end(feed: string, lane: Lane): LaneEnd {
    const last = lane === "c" ? this.#control.get(feed)?.at(-1) : this.#texts.get(feed)?.last;
    return last ?? { number: 0, id: feed, at: 0 };
  }

  place({ feed, lane, number, prev, id }: GroupEntry): Place {
    const end = this.end(feed, lane);
    if (number === end.number + 1) return prev === end.id ? "next" : "misfit";
    if (number > end.number) return "beyond";
    const first = lane === "t" ? this.#texts.get(feed)?.first : undefined;
    if (first === undefined || number >= first.number) return "held";
    if (number < first.number - 1) return "before";
    return id === first.prev ? "front" : "misfit";
  }

  /** How long an entry at this end of its lane would have to wait for its budget, in ms; 0: not at all. */
  wait(feed: string, lane: Lane, side: "next" | "front", at: number, size: number): number {
    if (lane === "c") return controlWait(this.control(feed), at);
    const texts = this.#texts.get(feed);
    return texts === undefined ? 0 : textWait(side === "next" ? texts.recent : texts.early, at, size);
  }

  /** Takes an entry to the end of its lane. */
  append(entry: GroupEntry): void {
    const { feed, number, id, at, size } = entry;
    if (entry.lane === "c") {
      this.#controlOf(feed).push({ ...entry, seq: 0 });
      return;
    }
    const texts = this.#texts.get(feed);
    if (texts === undefined) {
      this.restart(entry);
      return;
    }
    spend(texts.recent, at, size);
    texts.last = { number, id, at };
    if (texts.first.number > 1 && texts.early.length < EARLY_COUNT) texts.early.push([at, size]);
  }

  /** Takes an entry of lane t to the front of its lane. */
  prepend({ feed, number, prev, at, size }: GroupEntry): void {
    const texts = this.#texts.get(feed);
    if (texts === undefined) throw new Error("there is nothing to prepend to");
    texts.first = { number, prev, at };
    spend(texts.early, at, size);
  }

  /** Begins a lane of texts with this entry. What was held before a hole is no longer of it. */
  restart({ feed, number, prev, id, at, size }: GroupEntry): void {
    const first = { number, prev, at };
    const last = { number, id, at };
    // A lane that begins anew has spent what it had spent before.
    const recent = this.#texts.get(feed)?.recent ?? [];
    spend(recent, at, size);
    this.trimmed({ feed, base: number, first, last, early: [[at, size]], recent: recent.toReversed() });
  }

  /** The lane as the disk has it after its front was trimmed. */
  trimmed(lane: TextLane): void {
    this.#texts.set(lane.feed, new HeldTexts(lane));
  }

  /** The control entries of a batch have these places now. */
  stored(entries: readonly StoredEntry[]): void {
    for (const { feed, lane, number, seq } of entries) {
      const held = lane === "c" ? this.#control.get(feed)?.[number - 1] : undefined;
      if (held !== undefined) held.seq = seq;
    }
  }

  #controlOf(feed: string): HeldControl[] {
    const lane = this.#control.get(feed) ?? [];
    this.#control.set(feed, lane);
    return lane;
  }
}
