/** One link on which a group is spoken of: what its other side may get, and what it is known to have. */
import type { EntryFields, Fork, Lane } from "../../../identity/group-entry.ts";
import { MAX_BODIES, type GroupLink } from "./group-link.ts";
import { emptyHead, headFields, isSameHead, type HeadFields, type Heads } from "./heads.ts";
import type { TextPlace } from "./log.ts";

/** Last numbers of both lanes, and the first text. 0: nothing. */
export type Has = { c: number; t: number; first: number };

/** `feed`: of the term that counts for this key. */
export type Standing =
  | { readonly name: "member"; readonly feed: string }
  /** Not joined as far as this side knows, or this side does not know itself who belongs: control entries only. */
  | { readonly name: "invited" }
  /** Has no live term any more: control entries up to its end, and proofs of forks. */
  | { readonly name: "ended" }
  /** Nothing is known of this key: only what proves itself is taken. */
  | { readonly name: "unknown" };

/** Heads are told at most this often on a link, in ms. */
const TELL_INTERVAL = 1_000;
/** Honest sides greet two or three times on one link. */
const MAX_GREETINGS = 8;
/** How long an answer to a greeting is waited for, in ms. */
const ANSWER_PATIENCE = 10_000;
/** Whoever was given texts, and does not tell after so long that it has them, has refused them, in ms. */
const TAKING_TIME = 5_000;
/** Unknown feeds that are asked for at a time. */
const MAX_ASKS = 64;
/** Feeds of which the other side's word is kept. */
const MAX_SAID = 4_096;

export class LinkedPeer {
  readonly link: GroupLink;
  standing: Standing = { name: "unknown" };
  /** What this side had when it greeted. */
  greeting: Heads | undefined;
  /** Greetings of both sides. Each is answered once, unless both have begun at a time. */
  greetingsSent = 0;
  greetingsTaken = 0;
  /** ms: an answer to our last greeting has come by then, or never does. */
  answerBy = 0;
  /** Whether an answer is waited for at all. */
  #isPatient = true;
  /** Whether it is known what the other side has, so that it can be given what it lacks. */
  isCompared = false;
  /** What this side has told of its heads; undefined: nothing yet. */
  told: Map<string, HeadFields> | undefined;
  mustTellAll = false;
  /** ms: heads and hearsay are told at these times at the earliest. */
  nextTell = 0;
  nextSeen = 0;
  /** Texts from before this time are not wanted by the other side. */
  since = 0;
  /** Whether the place from which it is given has to be found anew. */
  isStale = true;
  /** All up to this place in the order of arrival was given. */
  cursor = 0;
  /** What came up to this place is not given of lanes of texts of which it has nothing: its history begins there. */
  floor = 0;
  /** No control entries are given that came after this place. */
  limit = Infinity;
  /** Lanes of texts of which something that came later here stands before what comes next by order of arrival. */
  gaps: { readonly feed: string; readonly to: number }[] = [];
  /** Lanes of texts of which the other side lacks the front. */
  fronts: string[] = [];
  /** Lanes that the other side is asked for again at these times, since something of them was not taken. */
  readonly asks = new Map<string, number>();
  /** Bodies that the other side wants. */
  wants: TextPlace[] = [];
  /** Those of them that are missing here too: it gets them once they come. */
  unmet: TextPlace[] = [];
  /** Bodies that it was asked for. */
  readonly #wanted = new Set<string>();
  /** Where this side is to show its entries, downwards from this number. */
  readonly comparisons = new Map<string, Pick<EntryFields, "feed" | "lane" | "number">>();
  /** From where on each lane was shown; what lies above is not shown again. */
  readonly #shown = new Map<string, number>();
  /** The lowest number of each lane of texts that it has shown to have. */
  readonly #proven = new Map<string, number>();
  /** The number of the proof of a fork in each lane that it was sent. */
  readonly #proofs = new Map<string, number>();
  /** What it was told by hearsay. */
  readonly seen = new Map<string, string>();
  /** When this side has last looked at what it lacks, in ms. */
  lookedAt = 0;
  /** ms: until then it may still say that it has taken what it had refused on an earlier link. */
  doubtedUntil = 0;
  /** The last numbers of each feed that it was sent, and when that was, in ms. */
  readonly #given = new Map<string, { c: number; t: number; at: number }>();
  #said = new Map<string, HeadFields>();
  #has = new Map<string, Has>();

  constructor(link: GroupLink) {
    this.link = link;
  }

  /** This side begins anew on this link. */
  greetAgain(): void {
    this.#isPatient = true;
    this.forget();
    this.greeting = undefined;
  }

  /**
   * Texts are not taken before the other side has answered our last greeting: of those under way, others that stood
   * before them were not taken.
   */
  get isDeaf(): boolean {
    return this.greeting === undefined || (this.#isPatient && this.greetingsTaken < this.greetingsSent);
  }

  /** This side greets. */
  greets(heads: Heads, now: number): void {
    this.greeting = heads;
    this.greetingsSent++;
    this.answerBy = now + ANSWER_PATIENCE;
  }

  /** The other side has greeted. @returns whether that is to be answered by a greeting */
  isGreeted(): boolean {
    this.greetingsTaken++;
    if (this.greetingsTaken <= this.greetingsSent || this.greetingsSent >= MAX_GREETINGS) return false;
    // Those before it that were not answered, as nothing was known of them, never will be.
    this.greetingsSent = this.greetingsTaken - 1;
    return true;
  }

  /**
   * Greets again if the last greeting was not answered for long: one of the other side has come before this side knew of
   * the group, and ours was taken for the answer to it. Nothing of before it is under way any more.
   */
  greetIfUnanswered(now: number): void {
    if (this.greeting === undefined || !this.isDeaf || now < this.answerBy) return;
    this.greetingsTaken = this.greetingsSent;
    this.greetAgain();
    this.#isPatient = false;
  }

  /**
   * Whether it is given texts. Who has not greeted may not know us yet, and would take a text that comes after it does
   * without those before it.
   */
  get getsTexts(): boolean {
    return this.standing.name === "member" && this.greetingsTaken > 0;
  }

  /** The other side begins anew: it has forgotten what was said. */
  forget(): void {
    this.isCompared = false;
    this.told = undefined;
    this.mustTellAll = false;
    this.#said = new Map();
    this.#has = new Map();
  }

  /** It has what this side had at the greeting. */
  adopt(heads: Heads): void {
    for (const [feed, { c, t, first }] of heads.of) this.#has.set(feed, { c, t, first });
    this.isCompared = true;
    this.isStale = true;
  }

  has(feed: string): Has {
    let has = this.#has.get(feed);
    if (has === undefined) {
      has = { c: 0, t: 0, first: 0 };
      this.#has.set(feed, has);
    }
    return has;
  }

  said(feed: string): HeadFields | undefined {
    return this.#said.get(feed);
  }

  /**
   * It has named this head. What is on the way to it counts as had, unless it says the same a second time: then it has
   * dropped something, and asks for it. So it does with an empty head of which it has not spoken.
   */
  says(fields: HeadFields): void {
    const [feed, c, , first, t] = fields;
    const before = this.#said.get(feed);
    if (before === undefined && this.#said.size >= MAX_SAID) return;
    this.#said.set(feed, fields);
    this.isStale = true;
    const has = this.has(feed);
    const isAsked = before === undefined ? c === 0 && t === 0 : isSameHead(before, fields);
    has.c = isAsked ? c : Math.max(has.c, c);
    has.t = isAsked ? t : Math.max(has.t, t);
    has.first = isAsked || before === undefined || has.first === 0 ? first : Math.min(has.first, first);
  }

  /** It has shown the id of this text, or was given it. */
  proves(feed: string, number: number): void {
    this.#proven.set(feed, Math.min(number, this.#proven.get(feed) ?? Infinity));
  }

  /** Whether it is known to have had a text of this lane, up to this number, without our trusting its word. */
  hasProven(feed: string, number: number): boolean {
    return (this.#proven.get(feed) ?? Infinity) <= number;
  }

  /** It has shown this entry. */
  holds(entry: Pick<EntryFields, "feed" | "lane" | "number">): void {
    // It need not tell that it has taken what was given.
    const given = this.#given.get(entry.feed);
    if (given !== undefined) given.at = Infinity;
    this.#count(entry);
  }

  #count({ feed, lane, number }: Pick<EntryFields, "feed" | "lane" | "number">): void {
    const has = this.has(feed);
    if (lane === "c") {
      has.c = Math.max(has.c, number);
      return;
    }
    // Behind a hole it holds no more of the lane than from there on.
    has.first = has.t === 0 || number > has.t + 1 ? number : Math.min(has.first, number);
    has.t = Math.max(has.t, number);
  }

  /** It is sent this entry. */
  gives(entry: Pick<EntryFields, "feed" | "lane" | "number">): void {
    this.#count(entry);
    const given = this.#given.get(entry.feed) ?? { c: 0, t: 0, at: 0 };
    given.at = this.lookedAt;
    given[entry.lane] = Math.max(given[entry.lane], entry.number);
    this.#given.set(entry.feed, given);
    if (entry.lane === "t") this.proves(entry.feed, entry.number);
  }

  /** What it says to have of lanes of texts of which it was given more, and has not taken it. */
  refused(): HeadFields[] {
    return [...this.#given].flatMap(([feed, { at }]) => {
      const said = this.#said.get(feed);
      if (said === undefined || this.lookedAt - at < TAKING_TIME) return [];
      const { t, first } = this.has(feed);
      return t > said[4] || (first > 0 && first < said[3]) ? [said] : [];
    });
  }

  /** Whether it knows this head without being told: nothing is new but what it was sent. */
  isImplied([feed, c, , first, t, , read]: HeadFields): boolean {
    const given = this.#given.get(feed);
    const [, toldC = 0, , toldFirst = Math.min(1, first), toldT = 0, , toldRead = 0] =
      this.told?.get(feed) ?? [];
    if (given === undefined || first !== toldFirst || read !== toldRead) return false;
    return (c === toldC || c === given.c) && (t === toldT || t === given.t);
  }

  /**
   * The heads to tell it now: all, or those that have changed and that it does not know, and those of lanes of which
   * something was not taken. They count as told. Undefined: nothing is to be told now.
   */
  headsToTell({ of }: Heads, now: number): HeadFields[] | undefined {
    const told = this.mustTellAll ? new Map<string, HeadFields>() : this.told;
    if (told === undefined || now < this.nextTell) return undefined;
    const fields: HeadFields[] = [];
    const isTold = (fresh: HeadFields) => {
      const before = told.get(fresh[0]);
      return before !== undefined && isSameHead(before, fresh);
    };
    const isAsked = (feed: string) => (this.asks.get(feed) ?? Infinity) <= now;
    for (const [feed, head] of of) {
      const fresh = headFields(feed, head);
      if (this.mustTellAll || !(isTold(fresh) || this.isImplied(fresh) || isAsked(feed))) fields.push(fresh);
    }
    for (const feed of this.asks.keys()) {
      if (!isAsked(feed)) continue;
      const fresh = headFields(feed, of.get(feed) ?? emptyHead(feed));
      // Only what is told a second time is asked for.
      if (isTold(fresh) || !of.has(feed)) this.asks.delete(feed);
      if (!this.mustTellAll) fields.push(fresh);
    }
    if (fields.length === 0 && !this.mustTellAll) return undefined;
    this.mustTellAll = false;
    this.told = told;
    this.nextTell = now + TELL_INTERVAL;
    for (const field of fields) told.set(field[0], field);
    return fields;
  }

  /** Bodies that it is to be asked for, of those that are missing: each once. */
  bodiesToWant(bodiless: ReadonlyMap<string, TextPlace>): [feed: string, number: number][] {
    const bodies: [string, number][] = [];
    for (const [key, { feed, number }] of bodiless) {
      if (bodies.length === MAX_BODIES) break;
      const { t, first } = this.has(feed);
      if (this.#wanted.has(key) || number > t || number < first) continue;
      this.#wanted.add(key);
      bodies.push([feed, number]);
    }
    return bodies;
  }

  /** Something of this lane was not taken. @param at when it may be. Infinity: not on this link */
  ask(feed: string, at: number): void {
    if (this.asks.size < MAX_ASKS && !this.asks.has(feed)) this.asks.set(feed, at);
  }

  compare(feed: string, lane: Lane, number: number): void {
    const key = `${feed} ${lane}`;
    if (number >= (this.#shown.get(key) ?? Infinity)) return;
    this.#shown.set(key, number);
    this.comparisons.set(key, { feed, lane, number });
  }

  /**
   * Whether it holds what a proof of a fork cuts off, or has signed it itself, and was not sent the proof. Then it counts as
   * sent. Whose profile was put back would go on writing there.
   */
  needsProof({ feed, lane, number }: Fork, isItsAuthor: boolean): boolean {
    const key = `${feed} ${lane}`;
    const held = this.has(feed);
    const isConcerned = held[lane] >= number || (isItsAuthor && held.c > 0);
    if (!isConcerned || this.#proofs.get(key) === number) return false;
    this.#proofs.set(key, number);
    return true;
  }
}
