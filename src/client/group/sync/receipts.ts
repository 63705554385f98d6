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

/** Feeds that one key names and that are not known here are noted while there are no more than these. */
const MAX_CLAIMS = 1_024;

/** Last numbers of a feed of ours that a key has named. `at`: since when it has named some that are not here. */
type Claim = { readonly c: number; readonly t: number; readonly at: number };

const NO_CLAIM: Claim = { c: 0, t: 0, at: 0 };

/** Of one feed another term has so many texts, and its person has read so many. */
type Heard = { readonly t: number; readonly read: number };

export class Receipts {
  readonly #key: string;
  readonly #holdings: Holdings;
  /** Of each key that has told its heads in this run, by feed: all of ours, and those whose `add` is not here yet. */
  readonly #claims = new Map<string, Map<string, Claim>>();
  /** What terms have said themselves of other feeds. */
  readonly #heard = new Map<string, Map<string, Heard>>();
  /** What others have said that terms have of ours, by our feed and that term. */
  readonly #hearsay = new Map<string, Heard>();

  /** @param key our own */
  constructor(key: string, holdings: Holdings) {
    this.#key = key;
    this.#holdings = holdings;
  }

  /** See `GroupSync`. */
  maySign(now: number, removed?: string): boolean {
    const own = this.#holdings.termOf(this.#key);
    if (own === undefined || own.state === "ended" || own.isForked) return false;
    const isAlone = [...this.#holdings.membership.terms.values()].every(
      ({ state, spki, label }) => state !== "member" || spki === this.#key || label === removed,
    );
    const { feed } = own;
    const claims = [...this.#claims].map(([key, of]) => [key, of.get(feed) ?? NO_CLAIM] as const);
    const isWaitedFor = (claim: Claim) => !this.#isTaken(feed, claim) && claim.at + CLAIM_PATIENCE >= now;
    if (claims.some(([, claim]) => isWaitedFor(claim))) return false;
    const isMembers = (key: string) => this.#holdings.termOf(key)?.state === "member";
    return isAlone || claims.some(([key, claim]) => this.#isTaken(feed, claim) && isMembers(key));
  }

  /** The member of this key and term has what we had when we greeted. */
  agrees(key: string, by: string, { of }: Heads): void {
    const claims = this.#claimsOf(key);
    for (const [feed, { c, t }] of of) {
      if (this.#isOurs(feed)) this.#claim(claims, { feed, c, t }, 0);
      this.hear(by, feed, { t, read: 0 });
    }
  }

  /** The member of this key and term has told these heads. */
  says(key: string, by: string, heads: readonly HeadFields[], now: number): void {
    const claims = this.#claimsOf(key);
    for (const [feed, c, , , t, , read] of heads) {
      const isUnknown = this.#holdings.term(feed) === undefined && claims.size < MAX_CLAIMS;
      if (isUnknown || this.#isOurs(feed)) this.#claim(claims, { feed, c, t }, now);
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
    if (this.#isOurs(feed)) this.#received(feed, by, after, true);
  }

  #isOurs(feed: string): boolean {
    return this.#holdings.term(feed)?.spki === this.#key;
  }

  /** The member of this key says what terms have of ours. */
  hearsay(key: string, seen: readonly (readonly [term: string, t: number, read: number])[]): void {
    const own = this.#holdings.termOf(this.#key);
    // Who does not know that we have joined anew speaks of the feed before.
    if (own === undefined || (this.#claims.get(key)?.get(own.feed)?.c ?? 0) === 0) return;
    for (const [term, t, read] of seen) {
      if (this.#holdings.term(term) === undefined) continue;
      const place = `${own.feed} ${term}`;
      const before = this.#hearsay.get(place);
      const after = this.#raised(before, { t, read }, own.feed);
      if (after === before) continue;
      this.#hearsay.set(place, after);
      this.#received(own.feed, term, after, false);
    }
  }

  /** An own entry has come, which only we can have signed: others that were named are on their way. */
  extend(now: number): void {
    for (const claims of this.#claims.values()) {
      for (const [feed, claim] of claims) claims.set(feed, { ...claim, at: now });
    }
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

  #received(own: string, term: string, { t, read }: Heard, isDirect: boolean): void {
    this.#holdings.received({ own, term, received: t, read, isDirect });
  }

  #isTaken(feed: string, { c, t }: Claim): boolean {
    const { lanes } = this.#holdings;
    return c <= lanes.end(feed, "c").number && t <= lanes.end(feed, "t").number;
  }

  #claimsOf(key: string): Map<string, Claim> {
    const claims = this.#claims.get(key) ?? new Map<string, Claim>();
    if (key !== this.#key) this.#claims.set(key, claims);
    return claims;
  }

  #claim(
    claims: Map<string, Claim>,
    { feed, c, t }: { readonly feed: string; readonly c: number; readonly t: number },
    now: number,
  ): void {
    const before = claims.get(feed) ?? NO_CLAIM;
    if (c <= before.c && t <= before.t) return;
    // Whoever names more and more, and gives nothing, is not waited for any longer.
    const at = this.#isTaken(feed, before) ? now : before.at;
    claims.set(feed, { c: Math.max(c, before.c), t: Math.max(t, before.t), at });
  }
}
