/**
 * Who has, and has read, whose texts, as far as it was said (GROUPS 6); and what others have said of our own entries,
 * without which nothing new is signed.
 */
import { MAX_SEEN } from "./group-link.ts";
import type { HeadFields, Heads } from "./heads.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkedPeer } from "./linked-peer.ts";

/** What others have is told at most this often on a link, in ms. */
const SEEN_INTERVAL = 10_000;
/** How long own entries that somebody has named, and nobody gives, keep this side from writing, in ms. */
const CLAIM_PATIENCE = 60_000;

/** Last numbers of our own feed that a key has named. `at`: since when it has named some that are not here. */
type Claim = { readonly c: number; readonly t: number; readonly at: number };

/** Of one feed another term has so many texts, and its person has read so many. */
type Heard = { readonly t: number; readonly read: number };

export class Receipts {
  readonly #key: string;
  readonly #holdings: Holdings;
  /** Of each key that has told its heads in this run. */
  readonly #claims = new Map<string, Claim>();
  /** What terms have said themselves of other feeds. */
  readonly #heard = new Map<string, Map<string, Heard>>();
  /** What others have said that terms have of ours. */
  readonly #hearsay = new Map<string, Heard>();

  /** @param key our own */
  constructor(key: string, holdings: Holdings) {
    this.#key = key;
    this.#holdings = holdings;
  }

  /** See `GroupSync`. */
  maySign(now: number): boolean {
    const own = this.#holdings.termOf(this.#key);
    if (own === undefined || own.state === "ended" || own.isForked) return false;
    const isAlone = [...this.#holdings.membership.terms.values()].every(
      ({ state, spki }) => state !== "member" || spki === this.#key,
    );
    const claims = [...this.#claims];
    const isWaitedFor = (claim: Claim) => !this.#isTaken(claim) && claim.at + CLAIM_PATIENCE >= now;
    if (claims.some(([, claim]) => isWaitedFor(claim))) return false;
    const isMembers = (key: string) => this.#holdings.termOf(key)?.state === "member";
    return isAlone || claims.some(([key, claim]) => this.#isTaken(claim) && isMembers(key));
  }

  /** The member of this key and term has what we had when we greeted. */
  agrees(key: string, by: string, { of }: Heads): void {
    this.#claim(key, 0, 0, 0);
    for (const [feed, { t }] of of) this.hear(by, feed, { t, read: 0 });
  }

  /** The member of this key and term has told these heads. */
  says(key: string, by: string, heads: readonly HeadFields[], now: number): void {
    const own = this.#holdings.termOf(this.#key);
    this.#claim(key, 0, 0, now);
    for (const [feed, c, , , t, , read] of heads) {
      if (feed === own?.feed) this.#claim(key, c, t, now);
      this.hear(by, feed, { t, read });
    }
  }

  /** A term has so many texts of a feed, by its own word or because it has given one. */
  hear(by: string, feed: string, head: Heard): void {
    if (this.#holdings.term(feed) === undefined) return;
    const heard = this.#heard.get(by) ?? new Map<string, Heard>();
    this.#heard.set(by, heard);
    const before = heard.get(feed);
    const after = this.#raised(before, head, feed);
    if (after === before) return;
    heard.set(feed, after);
    if (feed === this.#holdings.termOf(this.#key)?.feed) this.#received(by, after, true);
  }

  /** Somebody says what terms have of ours. */
  hearsay(seen: readonly (readonly [term: string, t: number, read: number])[]): void {
    const own = this.#holdings.termOf(this.#key);
    if (own === undefined) return;
    for (const [term, t, read] of seen) {
      if (this.#holdings.term(term) === undefined) continue;
      const before = this.#hearsay.get(term);
      const after = this.#raised(before, { t, read }, own.feed);
      if (after === before) continue;
      this.#hearsay.set(term, after);
      this.#received(term, after, false);
    }
  }

  /** An own entry has come, which only we can have signed: others that were named are on their way. */
  extend(now: number): void {
    for (const [key, claim] of this.#claims) this.#claims.set(key, { ...claim, at: now });
  }

  /** What a peer is to be told now of what others have of its feed; empty: nothing. */
  tell(peer: LinkedPeer, feed: string, now: number): [term: string, t: number, read: number][] {
    const seen: [string, number, number][] = [];
    if (now < peer.nextSeen) return seen;
    for (const [term, heard] of this.#heard) {
      const of = term === feed ? undefined : heard.get(feed);
      if (of === undefined || of.t === 0 || peer.seen.get(term) === `${of.t} ${of.read}`) continue;
      if (seen.length === MAX_SEEN) break;
      peer.seen.set(term, `${of.t} ${of.read}`);
      seen.push([term, of.t, of.read]);
    }
    if (seen.length > 0) peer.nextSeen = now + SEEN_INTERVAL;
    return seen;
  }

  /** What is known, and nothing beyond what is held. The same object: nothing new was said. */
  #raised(before: Heard | undefined, { t, read }: Heard, feed: string): Heard {
    const last = this.#holdings.lanes.end(feed, "t").number;
    const known = before ?? { t: 0, read: 0 };
    const raised = {
      t: Math.max(known.t, Math.min(t, last)),
      read: Math.max(known.read, Math.min(read, last)),
    };
    return before !== undefined && raised.t === known.t && raised.read === known.read ? before : raised;
  }

  #received(term: string, { t, read }: Heard, isDirect: boolean): void {
    this.#holdings.received({ term, received: t, read, isDirect });
  }

  #isTaken({ c, t }: Claim): boolean {
    const own = this.#holdings.termOf(this.#key);
    if (own === undefined) return false;
    const { lanes } = this.#holdings;
    return c <= lanes.end(own.feed, "c").number && t <= lanes.end(own.feed, "t").number;
  }

  #claim(key: string, c: number, t: number, now: number): void {
    const before = this.#claims.get(key);
    if (key === this.#key || (before !== undefined && c <= before.c && t <= before.t)) return;
    // Whoever names more and more, and gives nothing, is not waited for any longer.
    const at = before === undefined || this.#isTaken(before) ? now : before.at;
    this.#claims.set(key, { c: Math.max(c, before?.c ?? 0), t: Math.max(t, before?.t ?? 0), at });
  }
}
