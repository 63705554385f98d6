/** What is taken of the entries that a peer gives (GROUPS 3). */
import { isSigned, readEntry, type GroupEntry, type RawEntry } from "../../../identity/group-entry.ts";
import { isSignedBy, type ForkSearch } from "./fork-search.ts";
import type { GroupLink } from "./group-link.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkedPeer } from "./linked-peer.ts";
import type { Term } from "./membership.ts";
import type { Receipts } from "./receipts.ts";

/** By how much an author's clock may be ahead, in ms. */
const MAX_AHEAD = 15 * 60_000;

type TakingNeeds = {
  /** Our own. */
  readonly key: string;
  readonly holdings: Holdings;
  readonly forks: ForkSearch;
  readonly receipts: Receipts;
  readonly peers: ReadonlyMap<GroupLink, LinkedPeer>;
  /** Counts anew who belongs, if control entries were taken. */
  readonly settle: () => void;
};

export class Taking {
  readonly #needs: TakingNeeds;

  constructor(needs: TakingNeeds) {
    this.#needs = needs;
  }

  /** @param now as in `GroupSync` @returns false: no honest peer passes this on @throws SQLiteError */
  take(peer: LinkedPeer, raw: RawEntry, now: number): boolean {
    const { holdings, receipts, settle } = this.#needs;
    const entry = readEntry(holdings.group, raw);
    if (entry === undefined || (entry.lane === "c" && entry.body === null)) return false;
    const { feed, lane, number } = entry;
    if (this.#takeJoin(peer, entry, now)) return true;
    const isTaken = (by: Term | undefined): by is Term =>
      by !== undefined &&
      (lane === "c" || (peer.standing.name === "member" && !peer.isDeaf && holdings.isReadable(by)));
    const isCounted = (by: Term | undefined): boolean => isTaken(by) && number <= holdings.cut(by, lane);
    if (!isCounted(holdings.term(feed))) settle();
    const term = holdings.term(feed);
    if (term === undefined) peer.ask(feed, now);
    if (!isTaken(term)) return true;
    peer.holds(entry);
    if (lane === "t" && peer.standing.name === "member") {
      receipts.hear(peer.standing.feed, feed, { t: number, read: 0 });
    }
    if (!isCounted(term)) {
      // Nobody who took what ended its author knows who was admitted by it, and who else is to tell them?
      const { name } = peer.standing;
      const isStranger = lane === "c" && (name === "unknown" || name === "ended");
      if (isStranger && isSignedBy(holdings.group, entry, term))
        holdings.admittedTooLate(peer.link.key, entry);
      return true;
    }
    const place = this.#place(peer, entry);
    switch (place) {
      case "held":
        return this.#takeAgain(peer, entry, term);
      case "before":
        return true;
      case "beyond":
        peer.ask(feed, now);
        return true;
      default:
        return this.#takeAt(place, peer, entry, term, now);
    }
  }

  /**
   * Takes the consent of who was admitted by what is taken now, whatever their `add` turns out to be good for: so a class
   * that comes in one message is counted once. @returns whether it was taken
   */
  #takeJoin(peer: LinkedPeer, entry: GroupEntry, now: number): boolean {
    const { holdings } = this.#needs;
    const spki = entry.kind === "join" ? holdings.uncounted(entry.feed) : undefined;
    if (spki === undefined || holdings.lanes.place(entry) !== "next" || entry.at > now + MAX_AHEAD)
      return false;
    if (!isSigned(holdings.group, entry, spki)) return false;
    peer.holds(entry);
    holdings.take(entry, "next");
    return true;
  }

  /** Takes an entry that stands beside what is held of its lane. @returns false: no honest peer passes this on */
  #takeAt(
    place: "next" | "front" | "misfit" | "restart",
    peer: LinkedPeer,
    entry: GroupEntry,
    term: Term,
    now: number,
  ): boolean {
    const { holdings, receipts, key } = this.#needs;
    const { lanes } = holdings;
    const { feed, lane, number, at, size } = entry;
    if (!isSignedBy(holdings.group, entry, term)) return false;
    // Whoever could date entries back to before they belonged would have the budgets of all those years at once.
    if (at < term.since && entry.kind !== "join") return true;
    const end = lanes.end(feed, lane);
    if (place === "misfit") {
      peer.compare(feed, lane, number > end.number ? end.number : number + 1);
    } else if (place === "front") {
      const { first } = lanes.texts(feed) ?? {};
      const isWanted = at >= holdings.since && this.#history !== "none" && at <= (first?.at ?? 0);
      if (isWanted && lanes.wait(feed, lane, "front", at, size) === 0) holdings.take(entry, place);
    } else if (at > now + MAX_AHEAD) {
      peer.ask(feed, at - MAX_AHEAD);
    } else if (at < end.at || lanes.wait(feed, lane, "next", at, size) > 0) {
      // Everybody refuses this, so that the lane stands still for all.
      peer.ask(feed, Infinity);
    } else {
      holdings.take(entry, place);
      // Only we can have signed it: what was claimed is on its way.
      if (term.spki === key) receipts.extend(now);
    }
    return true;
  }

  /** What our own term gets of before it. */
  get #history(): Term["history"] | undefined {
    return this.#needs.holdings.termOf(this.#needs.key)?.history;
  }

  #place(peer: LinkedPeer, entry: GroupEntry): ReturnType<Holdings["lanes"]["place"]> | "restart" {
    const place = this.#needs.holdings.lanes.place(entry);
    if (place !== "beyond" || entry.lane === "c") return place;
    const { feed, number } = entry;
    // It has nothing of the lane before this entry, or gives nothing of before our joining.
    const isFirst = peer.said(feed)?.[3] === number && !this.#isNamed(feed, peer);
    const isNew = this.#needs.holdings.lanes.texts(feed) === undefined && this.#history === "none";
    return isFirst || isNew ? "restart" : place;
  }

  /** Whether another member linked says that it has what comes next in this lane of texts. */
  #isNamed(feed: string, but: LinkedPeer): boolean {
    if (this.#needs.holdings.lanes.texts(feed) === undefined) return false;
    const next = this.#needs.holdings.lanes.end(feed, "t").number + 1;
    return [...this.#needs.peers.values()].some((peer) => {
      const isAsked = peer !== but && peer.standing.name === "member";
      const [, , , first = 0, t = 0] = isAsked ? (peer.said(feed) ?? []) : [];
      return first <= next && t >= next;
    });
  }

  #takeAgain(peer: LinkedPeer, entry: GroupEntry, term: Term): boolean {
    const { feed, lane, number, id } = entry;
    if (this.#needs.holdings.idAt(feed, lane, number) === id) {
      this.#needs.holdings.fill(entry);
      return true;
    }
    const held = this.#needs.holdings.entry(feed, lane, number);
    return held === undefined || this.#needs.forks.differs(peer, held, entry, term);
  }
}
