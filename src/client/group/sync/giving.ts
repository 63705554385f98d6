/**
 * Gives a peer the entries that it lacks (GROUPS 5): in this side's order of arrival, so that it holds, for all that it
 * holds, what the author had before it. Two things go by the number in their lane: what came to the front of a lane here
 * after the rest of it, and what the peer lacks of the front.
 */
import { rawEntry } from "../../../identity/group-entry.ts";
import { MAX_BODIES, MAX_ENTRIES, type GroupLink } from "./group-link.ts";
import type { HeadFields } from "./heads.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkedPeer } from "./linked-peer.ts";
import type { StoredEntry } from "./log.ts";
import type { Term } from "./membership.ts";

/** Bytes queued on a link beyond which nothing of groups is written. */
const ROOM = 64 * 1024;
/** Bytes of one message, unless a single entry has more. */
const MESSAGE_BYTES = 96 * 1024;
/** Bytes of an entry beside its header and body: signature, quotes, commas. */
const ENTRY_OVERHEAD = 100;
/** How long it may take until a peer says that it has taken what it had refused before, in ms. */
const DOUBT = 3_000;
/** Reads of the log for one peer before others have their turn. */
const MAX_READS = 64;

export function hasRoom(link: GroupLink): boolean {
  return link.queuedBytes < ROOM;
}

export class Giving {
  readonly #holdings: Holdings;
  /**
   * What keys have said to have of lanes of which they would take no more. Such a lane stands still there, as it went over
   * its budget by what is held there, and not by what is held here: otherwise all of it would be given on every link.
   */
  readonly #refused = new Map<string, HeadFields>();

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** The link has ended. */
  ended(peer: LinkedPeer): void {
    for (const said of peer.refused()) this.#refused.set(`${peer.link.key} ${said[0]}`, said);
  }

  /** What the peer has said of this feed, if that is what it has said when it refused more. */
  #standingStill(peer: LinkedPeer, feed: string): HeadFields | undefined {
    const key = `${peer.link.key} ${feed}`;
    const [before, now] = [this.#refused.get(key), peer.said(feed)];
    if (before === undefined || now === undefined) return undefined;
    if (before[3] === now[3] && before[4] === now[4]) return before;
    this.#refused.delete(key);
    return undefined;
  }

  /** Gives what the peer lacks while there is room. @param durable only what came up to this place. @throws SQLiteError */
  give(peer: LinkedPeer, durable: number): void {
    if (peer.isStale) this.#aim(peer, durable);
    this.#giveBodies(peer, durable);
    this.#giveGaps(peer, durable);
    if (peer.gaps.length > 0) return;
    if (this.#giveOn(peer, durable)) this.#giveFronts(peer, durable);
  }

  /** Finds out from where on this peer lacks something. */
  #aim(peer: LinkedPeer, durable: number): void {
    const { lanes, membership } = this.#holdings;
    const { standing } = peer;
    peer.isStale = false;
    peer.gaps = [];
    peer.fronts = [];
    peer.limit = standing.name === "ended" ? (this.#holdings.endOf(peer.link.key) ?? 0) : Infinity;
    const own =
      standing.name === "member" && peer.getsTexts ? membership.terms.get(standing.feed) : undefined;
    peer.floor = own?.history === "none" ? (lanes.control(own.feed)[0]?.seq ?? Infinity) : 0;
    let from = durable + 1;
    for (const term of membership.terms.values()) {
      const has = peer.has(term.feed);
      const next = has.c < this.#holdings.counted(term, "c") ? lanes.control(term.feed)[has.c] : undefined;
      if (next !== undefined) from = Math.min(from, next.seq);
      if (own !== undefined) from = Math.min(from, this.#aimTexts(peer, term));
    }
    peer.cursor = from - 1;
  }

  /** @returns the place of the first text to give in order of arrival; Infinity: there is none */
  #aimTexts(peer: LinkedPeer, term: Term): number {
    const { feed } = term;
    const texts = this.#holdings.lanes.texts(feed);
    const last = this.#holdings.counted(term, "t");
    if (texts === undefined || last < texts.first.number) return Infinity;
    const { t, first } = peer.has(feed);
    if (t >= last) {
      if (peer.floor === 0 && first > texts.first.number) peer.fronts.push(feed);
      return Infinity;
    }
    // Who gets no history is not believed to have a part of it.
    const isBegun = t > 0 && (peer.floor === 0 || peer.hasProven(feed, t));
    let next = Math.max(t + 1, texts.first.number);
    if (next < texts.base) {
      if (isBegun || peer.floor === 0) peer.gaps.push({ feed, to: Math.min(texts.base - 1, last) });
      next = texts.base;
    }
    if (next > last) return Infinity;
    const seq = this.#holdings.log.texts(feed, next, next)[0]?.seq ?? Infinity;
    return isBegun ? seq : Math.max(seq, peer.floor + 1);
  }

  /** @returns whether nothing is left */
  #giveOn(peer: LinkedPeer, durable: number): boolean {
    for (let reads = 0; reads < MAX_READS && hasRoom(peer.link); reads++) {
      if (peer.cursor >= durable) return true;
      const rows = this.#holdings.log.after(peer.cursor, MAX_ENTRIES).filter(({ seq }) => seq <= durable);
      if (rows.length === 0) return true;
      const lacked: StoredEntry[] = [];
      let bytes = 0;
      for (const row of rows) {
        if (this.#lacks(peer, row)) {
          if (!this.#isAnnounced(peer, row)) {
            this.#send(peer, lacked);
            return false;
          }
          const tried = row.lane === "t" ? this.#standingStill(peer, row.feed)?.[4] : undefined;
          if (tried !== undefined && peer.has(row.feed).t > tried) {
            // It is given one, and may take it now. What comes after all of them is not given before that is known.
            if (peer.lookedAt < peer.doubtedUntil) {
              this.#send(peer, lacked);
              return false;
            }
            peer.cursor = row.seq;
            continue;
          }
          if (tried !== undefined) peer.doubtedUntil = peer.lookedAt + DOUBT;
          bytes += weight(row);
          if (lacked.length > 0 && bytes > MESSAGE_BYTES) break;
          lacked.push(row);
          peer.gives(row);
        }
        peer.cursor = row.seq;
      }
      this.#send(peer, lacked);
    }
    return false;
  }

  #lacks(peer: LinkedPeer, { feed, lane, number, seq }: StoredEntry): boolean {
    const term = this.#holdings.term(feed);
    if (term === undefined || number > this.#holdings.cut(term, lane)) return false;
    const has = peer.has(feed);
    if (lane === "c") return number === has.c + 1 && seq <= peer.limit;
    const texts = this.#holdings.lanes.texts(feed);
    if (!peer.getsTexts || !this.#holdings.isReadable(term) || texts === undefined) return false;
    if (peer.floor > 0 && seq <= peer.floor && !peer.hasProven(feed, has.t)) return false;
    if (has.t === 0 && peer.floor > 0) return number >= texts.base;
    // The other side lacks what this side has lost the front of: there it goes on behind a hole.
    return number === has.t + 1 || (number > has.t && number === texts.first.number);
  }

  /** A lane whose front is not here is begun only for who knows that: others take it for a hole. */
  #isAnnounced(
    peer: LinkedPeer,
    { feed, lane, number }: Pick<StoredEntry, "feed" | "lane" | "number">,
  ): boolean {
    if (lane === "c" || number === 1 || peer.floor > 0) return true;
    if (this.#holdings.lanes.texts(feed)?.first.number !== number || peer.told?.get(feed)?.[3] === number)
      return true;
    peer.nextTell = 0;
    return false;
  }

  #giveGaps(peer: LinkedPeer, durable: number): void {
    for (let gap = peer.gaps[0]; gap !== undefined && hasRoom(peer.link); gap = peer.gaps[0]) {
      const { feed, to } = gap;
      const from = Math.max(peer.has(feed).t + 1, this.#holdings.lanes.texts(feed)?.first.number ?? Infinity);
      const most = this.#standingStill(peer, feed) === undefined ? MAX_ENTRIES : 1;
      const given = this.#giveRun(
        peer,
        this.#holdings.log.texts(feed, from, Math.min(to, from + most - 1)),
        durable,
      );
      if (!given || most === 1 || peer.has(feed).t >= to) peer.gaps.shift();
    }
  }

  #giveFronts(peer: LinkedPeer, durable: number): void {
    for (let feed = peer.fronts[0]; feed !== undefined && hasRoom(peer.link); feed = peer.fronts[0]) {
      const first = this.#holdings.lanes.texts(feed)?.first.number ?? Infinity;
      const to = peer.has(feed).first - 1;
      const most = this.#standingStill(peer, feed) === undefined ? MAX_ENTRIES : 1;
      const rows = this.#holdings.log.texts(feed, Math.max(first, to - most + 1), to).reverse();
      const wanted = rows.filter(({ at }) => at >= peer.since);
      const given = this.#giveRun(peer, wanted, durable);
      const isLast = most === 1 || wanted.length < rows.length || peer.has(feed).first <= first;
      if (!given || isLast) peer.fronts.shift();
    }
  }

  /** Gives entries of one lane, as many as go into a message. @returns whether there was one */
  #giveRun(peer: LinkedPeer, rows: readonly StoredEntry[], durable: number): boolean {
    const run: StoredEntry[] = [];
    let bytes = 0;
    for (const row of rows) {
      bytes += weight(row);
      if (row.seq > durable || (run.length > 0 && bytes > MESSAGE_BYTES)) break;
      run.push(row);
      peer.gives(row);
    }
    this.#send(peer, run);
    return run.length > 0;
  }

  /** Gives texts of which the peer has only the header. */
  #giveBodies(peer: LinkedPeer, durable: number): void {
    // Who belonged when it asked may have been ended since.
    if (peer.standing.name !== "member") peer.wants = [];
    while (peer.wants.length > 0 && hasRoom(peer.link)) {
      const { feed, number } = peer.wants.shift() ?? { feed: "", number: 0 };
      const term = this.#holdings.term(feed);
      if (term === undefined || number > this.#holdings.counted(term, "t")) continue;
      const [row] = this.#holdings.log.texts(feed, number, number);
      if (row === undefined || row.seq <= peer.floor) continue;
      if (row.body !== null && row.seq <= durable) this.#send(peer, [row]);
      else if (peer.unmet.length < MAX_BODIES) peer.unmet.push({ feed, number });
    }
  }

  #send(peer: LinkedPeer, entries: readonly StoredEntry[]): void {
    if (entries.length === 0) return;
    peer.link.send({ action: "group_entries", group: this.#holdings.group, entries: entries.map(rawEntry) });
  }
}

function weight({ header, body, size }: StoredEntry): number {
  // Quotes and line feeds of the body are escaped on the wire.
  return header.length + ENTRY_OVERHEAD + (body === null ? 4 : size + countEscapes(body));
}

function countEscapes(body: string): number {
  return body.split('"').length - 1 + (body.split("\\").length - 1);
}
