/**
 * Finds where an author has written two different things (GROUPS 7). Each side shows its entries of the lane, downwards,
 * until the lowest number is found at which they differ. Those two entries are the proof, which is kept and passed on.
 */
import { isSigned, rawEntry, readEntry, type GroupEntry, type Lane } from "../../../identity/group-entry.ts";
import { hasRoom } from "./giving.ts";
import { MAX_ENTRIES, type ForkMessage } from "./group-link.ts";
import { SHORT_ID } from "./heads.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkedPeer } from "./linked-peer.ts";
import type { Term } from "./membership.ts";

/** Whether the key of this term has signed the entry. */
export function isSignedBy(group: string, entry: GroupEntry, { spki }: Term): boolean {
  return isSigned(group, entry, Buffer.from(spki, "base64"));
}

export class ForkSearch {
  readonly #holdings: Holdings;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** The peer has named this entry in its heads: begins a search if another one is held. @throws SQLiteError */
  check(peer: LinkedPeer, feed: string, lane: Lane, number: number, shortId: string): void {
    const known = this.#holdings.fork(feed, lane);
    if (number === 0 || (known !== undefined && known.number <= number)) return;
    const held = this.#holdings.idAt(feed, lane, number);
    if (held !== undefined && held.slice(0, SHORT_ID) !== shortId) peer.compare(feed, lane, number);
  }

  /**
   * An entry in whose place something else is held: this is the proof. The lowest difference may lie below it.
   * @returns false: it is not signed by its author
   */
  differs(peer: LinkedPeer, held: GroupEntry, entry: GroupEntry, term: Term): boolean {
    if (!isSignedBy(this.#holdings.group, entry, term)) return false;
    const { feed, lane, number, prev } = entry;
    this.#holdings.prove(held, entry);
    if (prev !== held.prev) peer.compare(feed, lane, number - 1);
    return true;
  }

  /** The peer shows its entries of a lane, or a proof. @returns false: they are not in order @throws SQLiteError */
  take(peer: LinkedPeer, { feed, lane, entries }: ForkMessage): boolean {
    const term = this.#holdings.term(feed);
    if (term === undefined) return true;
    let lowest: readonly [GroupEntry, GroupEntry] | undefined;
    const shown = new Map<number, GroupEntry>();
    for (const raw of entries) {
      const entry = readEntry(this.#holdings.group, raw);
      if (entry === undefined || entry.feed !== feed || entry.lane !== lane) return false;
      const { number, id } = entry;
      peer.holds(entry);
      const other = shown.get(number) ?? this.#holdings.entry(feed, lane, number);
      shown.set(number, entry);
      if (other !== undefined && other.id !== id && (lowest === undefined || number < lowest[0].number)) {
        lowest = [other, entry];
      }
    }
    if (lowest === undefined) return true;
    const [one, other] = lowest;
    if (!isSignedBy(this.#holdings.group, one, term)) return false;
    return this.differs(peer, one, other, term);
  }

  /** Sends the proofs that the peer needs, while there is room, also to a key of which nothing is known: it may be cut off. */
  prove(peer: LinkedPeer): void {
    for (const fork of this.#holdings.forks) {
      if (!hasRoom(peer.link)) return;
      const isItsAuthor = this.#holdings.term(fork.feed)?.spki === peer.link.key;
      if (peer.needsProof(fork, isItsAuthor)) this.#send(peer, fork.feed, fork.lane, fork.entries);
    }
  }

  /** Sends what the peer is to be shown, while there is room. @throws SQLiteError */
  show(peer: LinkedPeer): void {
    for (const [key, { feed, lane, number }] of peer.comparisons) {
      if (!hasRoom(peer.link)) return;
      peer.comparisons.delete(key);
      this.#send(peer, feed, lane, this.#downFrom(feed, lane, number));
    }
  }

  #downFrom(feed: string, lane: Lane, number: number): GroupEntry[] {
    const from = Math.max(1, number - MAX_ENTRIES + 1);
    const { lanes } = this.#holdings;
    if (lane === "c")
      return lanes
        .control(feed)
        .slice(from - 1, number)
        .reverse();
    const first = lanes.texts(feed)?.first.number ?? Infinity;
    return first > number ? [] : this.#holdings.log.texts(feed, Math.max(first, from), number).reverse();
  }

  #send(peer: LinkedPeer, feed: string, lane: Lane, entries: readonly GroupEntry[]): void {
    if (entries.length === 0) return;
    const bare = entries.map((entry) => rawEntry({ ...entry, body: null }));
    peer.link.send({ action: "group_fork", group: this.#holdings.group, feed, lane, entries: bare });
  }
}
