/**
 * The synchronisation of one group with those who are linked (GROUPS 3, 5 and 7). It has no timer and no socket: links,
 * the disk and the time are given.
 *
 * - `take` collects what a read of a link has brought, and `commit` stores it in one transaction. Once that is durable,
 *   `stored` acknowledges it by the heads and passes it on.
 * - On a new link both sides greet with the sum of their heads. Of equal sums each has what the other has; otherwise each
 *   tells all heads, and gives what the other lacks.
 * - Nothing is ordered here: who gives does so in the order of its arrival, and what would leave a hole is not taken, and
 *   asked for again.
 */
import { type Fork, type GroupEntry, type Lane } from "../../../identity/group-entry.ts";
import { ForkSearch } from "./fork-search.ts";
import { Giving, hasRoom } from "./giving.ts";
import { MAX_BODIES, type GroupLink, type SyncMessage } from "./group-link.ts";
import { headFields, type HeadFields, type Heads } from "./heads.ts";
import { Holdings, type GroupChanges } from "./holdings.ts";
import { LinkedPeer, type Standing } from "./linked-peer.ts";
import type { HeldControl } from "./lanes.ts";
import type { GroupLog } from "./log.ts";
import { termOfKey } from "./members.ts";
import { mayWrite, type Membership, type Term } from "./membership.ts";
import { Named } from "./named.ts";
import { Receipts } from "./receipts.ts";
import { Taking } from "./taking.ts";
import { Telling } from "./telling.ts";

/** After so many greetings on one link all heads are told no sooner than other changes are. */
const QUICK_GREETINGS = 3;

export class GroupSync {
  readonly #group: string;
  /** Our own public key, as `public_key` of PROTOCOL 4. */
  readonly #key: string;
  readonly #holdings: Holdings;
  readonly #giving: Giving;
  readonly #forks: ForkSearch;
  readonly #receipts: Receipts;
  readonly #telling: Telling;
  readonly #taking: Taking;
  readonly #peers = new Map<GroupLink, LinkedPeer>();
  readonly #named: Named;
  /** Whether our own `add` is not here yet. */
  #isJoining = false;
  /** When something came that may have to be answered, and that is no entry. */
  #askedAt: number | undefined;
  /** What may be told: all of it is on the disk. */
  #heads: Heads;
  #durable: number;
  /** Heads that may be told once all up to this place is on the disk. */
  #coming: { readonly seq: number; readonly heads: Heads }[] = [];

  /** @throws SQLiteError, Error if the founding entry is not on the disk */
  constructor(group: string, key: string, log: GroupLog) {
    this.#group = group;
    this.#key = key;
    this.#holdings = new Holdings(group, log);
    this.#giving = new Giving(this.#holdings);
    this.#forks = new ForkSearch(this.#holdings);
    this.#named = new Named(this.#holdings);
    this.#receipts = new Receipts(key, this.#holdings);
    this.#telling = new Telling(this.#holdings);
    this.#taking = new Taking({
      key,
      holdings: this.#holdings,
      forks: this.#forks,
      receipts: this.#receipts,
      peers: this.#peers,
      settle: () => this.#settle(),
    });
    this.#durable = this.#holdings.seq;
    this.#heads = this.#holdings.heads();
    this.#judge();
  }

  get membership(): Membership {
    return this.#holdings.membership;
  }

  /** The term of our own key: of several live ones that with the smallest id, else one that has ended. */
  get own(): Term | undefined {
    return this.#holdings.termOf(this.#key);
  }

  /** All control entries that are held, lane by lane. */
  get control(): readonly HeldControl[] {
    return this.#holdings.lanes.allControl();
  }

  get forks(): readonly Fork[] {
    return [...this.#holdings.forks];
  }

  /** Equal for equal stores: of all that was committed and counts. */
  get sum(): string {
    return (this.#coming.at(-1)?.heads ?? this.#heads).sum;
  }

  /** How many texts of a feed others are known to have that are not here. Never counts what is not wanted here. */
  missing(feed: string): number {
    const { lanes, since } = this.#holdings;
    const term = this.#holdings.term(feed);
    if (term === undefined || !this.#holdings.isReadable(term)) return 0;
    const first = lanes.texts(feed)?.first.number ?? 1;
    const isFrontWanted = since === 0 && this.own?.history !== "none";
    return this.#named.behind(term) + (isFrontWanted ? first - 1 : 0);
  }

  /** As `Named.gaps`. */
  get gaps(): ReadonlyMap<string, number> {
    return this.#named.gaps;
  }

  linkUp(link: GroupLink, now: number): void {
    const peer = new LinkedPeer(link);
    peer.standing = this.#standing(link.key);
    this.#peers.set(link, peer);
    this.#pump(peer, now);
  }

  /**
   * The other side of a link invites us to what we have joined: that was withheld from them, as may be from us that they
   * have.
   */
  invitedAgain(link: GroupLink, now: number): void {
    const peer = this.#peers.get(link);
    if (peer?.standing.name === "invited" && this.own?.state === "member")
      this.#telling.greet(peer, this.#heads, now);
  }

  linkDown(link: GroupLink): void {
    const peer = this.#peers.get(link);
    if (peer !== undefined) this.#giving.ended(peer);
    this.#peers.delete(link);
  }

  /**
   * Takes a message of a link; what it brings is collected until `commit`.
   * @param now ms since 1970, corrected by the server's clock
   * @returns false: no honest peer sends this. It is to be told `bad_request`, and the link closed
   * @throws SQLiteError
   */
  take(link: GroupLink, message: SyncMessage, now: number): boolean {
    const peer = this.#peers.get(link);
    if (peer === undefined) return true;
    this.#askedAt = message.action === "group_entries" ? this.#askedAt : now;
    switch (message.action) {
      case "group_heads":
        if (message.heads === undefined) this.#takeGreeting(peer, message.sum, now);
        else this.#takeHeads(peer, message.heads, now);
        peer.since = message.since ?? 0;
        return true;
      case "group_entries":
        return message.entries.every((raw) => this.#taking.take(peer, raw, now));
      case "group_fork":
        return this.#forks.take(peer, message);
      case "group_want": {
        const room = MAX_BODIES - peer.wants.length;
        if (peer.standing.name === "member") {
          peer.wants.push(...message.bodies.slice(0, room).map(([feed, number]) => ({ feed, number })));
        }
        return true;
      }
      case "group_seen":
        if (peer.standing.name === "member") {
          const seen = message.seen.filter(([term]) => !this.#isLinked(term));
          this.#receipts.hearsay(peer.link.key, seen);
        }
        return true;
    }
  }

  /**
   * Stores what was taken and written, in one transaction. If there is nothing to store, what was asked is answered at
   * once. @returns undefined: nothing
   * @throws SQLiteError: this object is of no use then, and a new one is to be made from what is on the disk
   */
  commit(): GroupChanges | undefined {
    this.#settle();
    const changes = this.#holdings.commit();
    if (changes !== undefined) this.#changed();
    else if (this.#askedAt !== undefined) this.pump(this.#askedAt);
    if (changes !== undefined && changes.bodies.length > 0) {
      for (const peer of this.#peers.values()) peer.wants.push(...peer.unmet.splice(0));
    }
    this.#askedAt = undefined;
    return changes;
  }

  /** All up to this place is on the disk: it is acknowledged, and passed on. @throws SQLiteError */
  stored(seq: number, now: number): void {
    this.#durable = Math.max(this.#durable, seq);
    while (this.#coming[0] !== undefined && this.#coming[0].seq <= this.#durable) {
      this.#heads = this.#coming.shift()?.heads ?? this.#heads;
    }
    this.pump(now);
  }

  /** Writes what links have room for. To be called when a link is drained, and about once a second. @throws SQLiteError */
  pump(now: number): void {
    for (const peer of this.#peers.values()) this.#pump(peer, now);
  }

  /** Where the next entry of our own goes. `at`: ms since 1970, never below the one before, nor what admitted us. */
  next(feed: string, lane: Lane, now: number): { number: number; prev: string; at: number } {
    const { number, id, at } = this.#holdings.lanes.end(feed, lane);
    return { number: number + 1, prev: id, at: Math.max(now, at, this.#holdings.term(feed)?.since ?? 0) };
  }

  /** How long an own entry is to wait for its lane's budget, in ms; Infinity: for ever. @param size bytes of its body */
  budgetWait(feed: string, lane: Lane, now: number, size: number): number {
    return this.#holdings.lanes.wait(feed, lane, "next", now, size);
  }

  /**
   * Whether own entries may be signed now: another member has told its heads in this run of the program, and all that it
   * named of our own feed is here. So a profile that was put back from a copy gets its own later entries back first.
   * @param removed the label of who is to be removed by it: where nobody else has joined, nobody is waited for
   */
  maySign(now: number, removed?: string): boolean {
    return this.#receipts.maySign(now, removed);
  }

  /** Whether own texts may be signed now. */
  mayWrite(now: number): boolean {
    const { own } = this;
    return own !== undefined && mayWrite(this.membership, own) && this.maySign(now);
  }

  /** Takes an own entry, which stands where `next` says. `commit` stores it. @param draft the id of the text that it was */
  write(entry: GroupEntry, draft?: string): void {
    if (this.#holdings.lanes.place(entry) !== "next")
      throw new RangeError("an entry is not at the end of its lane");
    this.#holdings.take(entry, "next", draft);
    // We are invited anew by those who knew that our last term had ended.
    if (entry.kind === "join") for (const peer of this.#peers.values()) peer.greetAgain();
    if (entry.lane === "c") this.#settle();
  }

  /** The person has read the texts of a feed up to this number, which others are told. It is stored elsewhere. */
  read(feed: string, number: number): void {
    this.#holdings.read(feed, number);
    this.#changed();
  }

  /**
   * Deletes texts from before this time (ms since 1970), here only, and wants none of them any more. @returns whether there
   * may be more of them @throws SQLiteError
   */
  trim(since: number): boolean {
    const isMore = this.#holdings.trim(since);
    this.#changed();
    return isMore;
  }

  #standing(key: string): Standing {
    const { own } = this;
    const term = this.#holdings.termOf(key);
    // Until our own `add` is here nobody can be judged; what is taken then proves itself.
    if (own === undefined || this.#isJoining) return { name: "invited" };
    if (term !== undefined && term.state !== "ended") {
      const isShared = term.state === "member" && own.state === "member";
      return isShared ? { name: "member", feed: term.feed } : { name: "invited" };
    }
    return { name: this.#holdings.endOf(key) === undefined ? "unknown" : "ended" };
  }

  /** Counts anew who belongs, if control entries were taken. */
  #settle(): void {
    if (this.#holdings.count()) this.#judge();
  }

  #judge(): void {
    const { own } = this;
    this.#isJoining = own === undefined || (own.state === "ended" && this.#holdings.isJoining(this.#key));
    for (const peer of this.#peers.values()) {
      const standing = this.#standing(peer.link.key);
      // Its texts were not taken until now.
      if (standing.name === "member" && peer.standing.name !== "member") peer.greetAgain();
      peer.standing = standing;
      peer.isStale = true;
    }
  }

  /** The heads have changed; they are told once what was committed is on the disk. */
  #changed(): void {
    const heads = this.#holdings.heads();
    const { seq } = this.#holdings;
    if (seq > this.#durable) this.#coming.push({ seq, heads });
    else this.#heads = heads;
  }

  #takeGreeting(peer: LinkedPeer, sum: string, now: number): void {
    // A second greeting comes from a side that has begun anew, or answers our own second one; so does one that comes after
    // heads. What was given before it may not have been taken.
    const isAnew = peer.greetingsTaken > 0 || peer.isCompared;
    if (isAnew) peer.forget();
    if (peer.isGreeted()) peer.greeting = undefined;
    if (peer.greetingsTaken <= QUICK_GREETINGS) peer.nextTell = 0;
    if (peer.standing.name === "unknown") {
      this.#telling.tellOwn(peer, this.#heads, this.own?.feed);
      return;
    }
    const greeting = this.#telling.greet(peer, this.#heads, now);
    if (peer.standing.name === "ended") {
      if (!isAnew) this.#telling.tellControl(peer, this.#heads);
      return;
    }
    if (isAnew || greeting.sum !== sum) {
      peer.mustTellAll = true;
      return;
    }
    peer.adopt(greeting);
    peer.told = new Map([...greeting.of].map(([feed, head]) => [feed, headFields(feed, head)]));
    if (peer.standing.name === "member") this.#receipts.agrees(peer.link.key, peer.standing.feed, greeting);
    // The fronts of lanes do not count in the sum.
    peer.mustTellAll = this.#lacksFront();
  }

  /** Whether a term is linked, and so speaks for itself. */
  #isLinked(feed: string): boolean {
    return [...this.#peers.values()].some(
      ({ standing }) => standing.name === "member" && standing.feed === feed,
    );
  }

  #lacksFront(): boolean {
    if (this.#holdings.since > 0 || this.own?.history === "none") return false;
    return [...this.#heads.of.values()].some(({ first }) => first > 1);
  }

  #takeHeads(peer: LinkedPeer, heads: readonly HeadFields[], now: number): void {
    if (!peer.isCompared && peer.told === undefined && peer.standing.name !== "ended")
      peer.mustTellAll = true;
    peer.isCompared = true;
    peer.isStale = true;
    for (const fields of heads) {
      const [feed, c, cid, , t, tid] = fields;
      peer.says(fields);
      // Of feeds that nobody has admitted anybody can make up any number.
      if (this.#holdings.term(feed) === undefined) continue;
      if (peer.standing.name === "member") this.#named.says(peer.standing.feed, feed, t);
      if (this.#holdings.idAt(feed, "t", t)?.startsWith(tid) === true) peer.proves(feed, t);
      // A side that does not know us tells its own feed alone: if we hold less of it, it may have gone on from a copy.
      if (peer.greetingsTaken === 0) peer.compare(feed, "c", this.#holdings.lanes.end(feed, "c").number);
      this.#forks.check(peer, feed, "c", c, cid);
      this.#forks.check(peer, feed, "t", t, tid);
    }
    if (peer.standing.name === "member") this.#receipts.says(peer.link.key, peer.standing.feed, heads, now);
  }

  #pump(peer: LinkedPeer, now: number): void {
    const { standing, link } = peer;
    peer.lookedAt = now;
    if (!hasRoom(link)) return;
    this.#forks.prove(peer);
    if (standing.name === "unknown") return;
    // Of two who each count the other out, the one who belongs knows more, and is to be asked.
    const isOut = standing.name === "ended" && this.own?.state === "member";
    if (this.#isJoining || standing.name === "member" || isOut) {
      peer.greetIfUnanswered(now);
      this.#telling.greet(peer, this.#heads, now);
    }
    if (standing.name !== "ended") {
      // Who has told nothing of itself was not asked to, or has greeted while nothing was known of it.
      if (peer.isCompared && peer.told === undefined) peer.mustTellAll = true;
      if (peer.mustTellAll) this.#telling.tell(peer, this.#heads, now);
    }
    // Until our own `add` is here, who has no live term as far as we know may have none, or one that we do not know.
    const isJudged = !this.#isJoining || termOfKey(this.membership, link.key) !== undefined;
    if (isJudged) this.#forks.show(peer);
    if (!peer.isCompared || (peer.mustTellAll && standing.name !== "ended")) return;
    if (isJudged) this.#giving.give(peer, this.#durable);
    // What was just given need not be told. What had to be told first can be given then.
    const isTold = standing.name !== "ended" && this.#telling.tell(peer, this.#heads, now);
    if (isTold && isJudged) this.#giving.give(peer, this.#durable);
    if (standing.name !== "member") return;
    const bodies = peer.bodiesToWant(this.#holdings.bodiless);
    if (bodies.length > 0) link.send({ action: "group_want", group: this.#group, bodies });
    const seen = this.#receipts.tell(peer, standing.feed, now);
    if (seen.length > 0) link.send({ action: "group_seen", group: this.#group, seen });
  }
}
