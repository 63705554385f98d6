/** All that this side holds of a group, and who belongs by it; what is taken waits in a batch for its commit. */
import { readControl, readText } from "../../../identity/group-body.ts";
import { isSigned, type Fork, type GroupEntry, type Lane } from "../../../identity/group-entry.ts";
import { Heads, type Head } from "./heads.ts";
import { Lanes } from "./lanes.ts";
import type { GroupBatch, GroupLog, Receipt, StoredEntry, TextPlace } from "./log.ts";
import { termOfKey } from "./members.ts";
import { isAdmin, mayEnd, membership, type Membership, type Term } from "./membership.ts";

export type GroupChanges = {
  /** In order of arrival, own ones too. */
  readonly entries: readonly StoredEntry[];
  /** Stored entries that had come without their body, with it. */
  readonly bodies: readonly GroupEntry[];
  readonly withdrawn: readonly TextPlace[];
  readonly forks: readonly Fork[];
  readonly receipts: readonly Receipt[];
  readonly before: Membership;
  readonly after: Membership;
  /** All up to this place must be on the disk before `stored` is called with it. */
  readonly seq: number;
};

type Batch = { -readonly [K in keyof GroupBatch]: GroupBatch[K][number][] };

function emptyBatch(): Batch {
  return { entries: [], bodies: [], withdrawn: [], forks: [], receipts: [], restarted: [] };
}

/** One string for a place of a lane, for sets and maps. */
export function placeKey(feed: string, place: Lane | number): string {
  return `${feed} ${place}`;
}

export class Holdings {
  readonly group: string;
  readonly log: GroupLog;
  readonly lanes: Lanes;
  /** Texts that came without a body and are not known to be withdrawn. */
  readonly bodiless = new Map<string, TextPlace>();
  readonly #forks = new Map<string, Fork>();
  readonly #read: Map<string, number>;
  #since: number;
  #batch = emptyBatch();
  /** The texts of the batch, which are not in the log yet. */
  #taken = new Map<string, GroupEntry>();
  /** Texts of which the withdrawal came first. */
  readonly #gone = new Set<string>();
  /** Keys that were admitted, by their feeds, since it was counted last. */
  readonly #uncounted = new Map<string, Buffer>();
  #membership: Membership;
  #isCurrent = true;
  /** What the membership was at the last commit. */
  #before: Membership;
  #seq: number;
  /** Who has admitted a key by an `add` that lies behind their end, and was not taken. */
  readonly #tooLate = new Map<string, string>();
  /** Ids at the cuts of lanes that go beyond them. */
  readonly #cutIds = new Map<string, string>();

  /** @throws SQLiteError, Error if the founding entry is not there */
  constructor(group: string, log: GroupLog) {
    const contents = log.load();
    this.group = group;
    this.log = log;
    this.lanes = new Lanes(contents);
    for (const fork of contents.forks) this.#forks.set(placeKey(fork.feed, fork.lane), fork);
    for (const place of contents.bodiless) this.bodiless.set(placeKey(place.feed, place.number), place);
    this.#read = new Map(contents.read);
    this.#since = contents.since;
    this.#seq = contents.seq;
    this.#membership = this.#count();
    this.#before = this.#membership;
  }

  /** Who belonged when it was counted last. */
  get membership(): Membership {
    return this.#membership;
  }

  /** Counts anew who belongs, if what that depends on has changed. @returns whether it had */
  count(): boolean {
    if (this.#isCurrent) return false;
    this.#membership = this.#count();
    this.#isCurrent = true;
    this.#uncounted.clear();
    return true;
  }

  /** Whether this key (base64) has accepted an invitation, and what admits it is not held yet. */
  isJoining(key: string): boolean {
    const spki = Buffer.from(key, "base64");
    return this.lanes.feeds().some((feed) => {
      const join = this.term(feed) === undefined ? this.lanes.control(feed)[0] : undefined;
      return join !== undefined && isSigned(this.group, join, spki);
    });
  }

  get forks(): Iterable<Fork> {
    return this.#forks.values();
  }

  fork(feed: string, lane: Lane): Fork | undefined {
    return this.#forks.get(placeKey(feed, lane));
  }

  /** Texts from before this time are not wanted here. */
  get since(): number {
    return this.#since;
  }

  /** The place of the last entry that was committed. */
  get seq(): number {
    return this.#seq;
  }

  /** The key of a feed, if its `add` was taken since it was counted last. */
  uncounted(feed: string): Buffer | undefined {
    return this.#uncounted.get(feed);
  }

  term(feed: string): Term | undefined {
    return this.membership.terms.get(feed);
  }

  /** The term that counts for a key; undefined: it never had one. */
  termOf(key: string): Term | undefined {
    const { membership } = this;
    return termOfKey(membership, key) ?? [...membership.terms.values()].find(({ spki }) => spki === key);
  }

  /** The last number of a lane that counts. */
  cut(term: Term, lane: Lane): number {
    return lane === "c" ? term.cutC : term.cutT;
  }

  /** Whether texts of this term are taken and given. */
  isReadable(term: Term): boolean {
    return this.membership.writes === "all" || isAdmin(term);
  }

  /** The last number of a lane that is held and counts; 0: none. */
  counted(term: Term, lane: Lane): number {
    if (lane === "t" && !this.isReadable(term)) return 0;
    return Math.min(this.lanes.end(term.feed, lane).number, this.cut(term, lane));
  }

  /** One entry that is held. */
  entry(feed: string, lane: Lane, number: number): GroupEntry | undefined {
    if (lane === "c") return this.lanes.control(feed)[number - 1];
    const texts = this.lanes.texts(feed);
    if (texts === undefined || number < texts.first.number || number > texts.last.number) return undefined;
    return this.#taken.get(placeKey(feed, number)) ?? this.log.texts(feed, number, number)[0];
  }

  /** The id of an entry; undefined if it is not held. */
  idAt(feed: string, lane: Lane, number: number): string | undefined {
    const end = this.lanes.end(feed, lane);
    return number === end.number ? end.id : this.entry(feed, lane, number)?.id;
  }

  /** Takes an entry that was checked. `draft`: see `GroupBatch`. */
  take(taken: GroupEntry, place: "next" | "front" | "restart", draft?: string): void {
    const entry = this.#isGone(taken) ? { ...taken, body: null } : taken;
    const { feed, lane, number, body } = entry;
    if (place === "restart") this.#forgetTaken(feed);
    this.#batch.entries.push({ entry, draft });
    if (place === "front") this.lanes.prepend(entry);
    else if (place === "next") this.lanes.append(entry);
    else {
      if (this.lanes.texts(feed) !== undefined) this.#batch.restarted.push({ feed, number });
      this.lanes.restart(entry);
    }
    if (lane === "c") {
      this.#isCurrent = false;
      const said = readControl(entry);
      if (said?.kind === "add") this.#uncounted.set(entry.id, said.spki);
      return;
    }
    const key = placeKey(feed, number);
    this.#taken.set(key, entry);
    if (body === null && !this.#isGone(taken)) this.bodiless.set(key, { feed, number });
    this.#withdraw(entry);
  }

  /** Texts of a lane that begins anew, which were taken since the last commit, are not stored: others stand in their place. */
  #forgetTaken(feed: string): void {
    const isOther = (entry: GroupEntry): boolean => entry.feed !== feed || entry.lane === "c";
    for (const { entry } of this.#batch.entries) {
      if (!isOther(entry)) this.#taken.delete(placeKey(feed, entry.number));
    }
    this.#batch.entries = this.#batch.entries.filter(({ entry }) => isOther(entry));
  }

  /** The body of a text that is held, if it had come without it. */
  fill(entry: GroupEntry): void {
    if (
      entry.lane === "c" ||
      entry.body === null ||
      !this.bodiless.delete(placeKey(entry.feed, entry.number))
    )
      return;
    this.#batch.bodies.push(entry);
    this.#withdraw(entry);
  }

  /** A proof of a fork. The lowest of a lane is kept. */
  prove(one: GroupEntry, other: GroupEntry): void {
    const { feed, lane, number } = one;
    const known = this.fork(feed, lane);
    if (known !== undefined && known.number <= number) return;
    const fork: Fork = {
      feed,
      lane,
      number,
      entries: [
        { ...one, body: null },
        { ...other, body: null },
      ],
    };
    this.#forks.set(placeKey(feed, lane), fork);
    this.#batch.forks = [
      ...this.#batch.forks.filter((each) => each.feed !== feed || each.lane !== lane),
      fork,
    ];
    this.#isCurrent = false;
  }

  received(receipt: Receipt): void {
    this.#batch.receipts.push(receipt);
  }

  /** The person has read this lane of texts up to there. */
  read(feed: string, number: number): void {
    this.#read.set(feed, Math.max(number, this.#read.get(feed) ?? 0));
  }

  /** Stores what was taken. @returns undefined if that is nothing. @throws SQLiteError: the holdings are of no use then */
  commit(): GroupChanges | undefined {
    const batch = this.#batch;
    if (Object.values(batch).every((list) => list.length === 0)) return undefined;
    this.count();
    const after = this.#membership;
    const seqs = this.log.write(batch);
    const entries = batch.entries.map(({ entry }, index) => ({ ...entry, seq: seqs[index] ?? 0 }));
    this.lanes.stored(entries);
    this.#seq = seqs.at(-1) ?? this.#seq;
    this.#batch = emptyBatch();
    this.#taken = new Map();
    const { bodies, withdrawn, forks, receipts } = batch;
    const changes = {
      entries,
      bodies,
      withdrawn,
      forks,
      receipts,
      before: this.#before,
      after,
      seq: this.#seq,
    };
    this.#before = after;
    return changes;
  }

  /** Deletes texts from before this time. @returns whether there may be more of them @throws SQLiteError */
  trim(since: number): boolean {
    this.#since = Math.max(since, this.#since);
    const { lanes, isMore } = this.log.trim(this.#since);
    for (const lane of lanes) this.lanes.trimmed(lane);
    for (const [key, { feed, number }] of this.bodiless) {
      if (number < (this.lanes.texts(feed)?.first.number ?? 0)) this.bodiless.delete(key);
    }
    return isMore;
  }

  /** The ends of all lanes now. */
  heads(): Heads {
    const heads = new Map<string, Head>();
    for (const term of this.membership.terms.values()) {
      const { feed } = term;
      const c = this.counted(term, "c");
      const t = this.counted(term, "t");
      if (c === 0 && t === 0) continue;
      const cid = this.lanes.control(feed)[c - 1]?.id ?? feed;
      const first = t === 0 ? 0 : (this.lanes.texts(feed)?.first.number ?? 0);
      heads.set(feed, { c, cid, first, t, tid: this.#textId(feed, t), read: this.#read.get(feed) ?? 0 });
    }
    return new Heads(heads);
  }

  /** This key was admitted by an entry that does not count, as its author was ended before. */
  admittedTooLate(key: string, add: GroupEntry): void {
    const said = readControl(add);
    if (said?.kind !== "add" || said.spki.toString("base64") !== key || this.#tooLate.has(key)) return;
    this.#tooLate.set(key, add.feed);
    this.#isCurrent = false;
  }

  /**
   * Up to which place control entries are given to a key that has no live term any more: to what ended its last one, or
   * the one that admitted it. Undefined: it never had a term.
   */
  endOf(key: string): number | undefined {
    const control = this.lanes.allControl();
    const admitting = control.filter((entry) => {
      const said = readControl(entry);
      return (said?.kind === "add" || said?.kind === "create") && said.spki.toString("base64") === key;
    });
    const late = this.term(this.#tooLate.get(key) ?? "");
    if (admitting.length === 0 && late === undefined) return undefined;
    const feeds = new Map(control.map(({ id, feed }) => [id, feed]));
    const ends = admitting.map(({ id, feed: by, number }) => {
      // Written without a right to it, by whomever: it prolongs nothing, unless the right was lost.
      if (this.term(id) === undefined && number <= (this.term(by)?.cutC ?? 0))
        return this.#lostRight(by, control);
      // An `add` that does not count: of a term that was ended before it.
      let feed: string | undefined = id;
      while (feed !== undefined && this.term(feed) === undefined) feed = feeds.get(feed);
      const term = feed === undefined ? undefined : this.term(feed);
      return term === undefined ? 0 : this.#firstEnd(term, control);
    });
    if (late !== undefined) ends.push(this.#firstEnd(late, control));
    return Math.max(...ends);
  }

  #firstEnd(term: Term, control: readonly StoredEntry[]): number {
    let first = Infinity;
    for (const entry of control) {
      if (entry.kind !== "end" && entry.kind !== "leave") continue;
      const author = this.term(entry.feed);
      if (author === undefined || entry.number > author.cutC) continue;
      const said = readControl(entry);
      const isEnd = said?.kind === "end" && said.feed === term.feed && mayEnd(author, term);
      if (!isEnd && !(said?.kind === "leave" && author.feed === term.feed)) continue;
      first = Math.min(first, Math.max(entry.seq, isEnd ? this.#rightSince(author, control) : 0));
    }
    return first === Infinity ? 0 : first;
  }

  /** The place of what ended those who had granted something to this term by what counts no longer; 0: nobody had. */
  #lostRight(feed: string, control: readonly StoredEntry[]): number {
    const ends = control.map((entry) => {
      const said = entry.kind === "grant" ? readControl(entry) : undefined;
      const by = said?.kind === "grant" && said.feed === feed ? this.term(entry.feed) : undefined;
      return by === undefined || entry.number <= by.cutC ? 0 : this.#firstEnd(by, control);
    });
    return Math.max(0, ...ends);
  }

  /** From which place on a term is what it is: it may have been granted later than it made use of that. */
  #rightSince(term: Term, control: readonly StoredEntry[]): number {
    const places = control.flatMap((entry) => {
      const by = this.term(entry.feed);
      if (by === undefined || by.level >= term.level || entry.number > by.cutC) return [];
      const said = readControl(entry);
      const isAdmitted =
        entry.id === term.feed && (!isAdmin(term) || (said?.kind === "add" && said.role === "admin"));
      const isGranted = said?.kind === "grant" && said.feed === term.feed && isAdmin(by);
      return isAdmitted || isGranted ? [Math.max(entry.seq, this.#rightSince(by, control))] : [];
    });
    return places.length === 0 ? 0 : Math.min(...places);
  }

  #count(): Membership {
    const counted = membership(this.lanes.allControl(), [...this.#forks.values()]);
    if (counted === undefined) throw new Error(`the group ${this.group} has no founding entry`);
    return counted;
  }

  /** Whether its withdrawal, or that of the text which it changes, came before it. */
  #isGone(entry: GroupEntry): boolean {
    if (entry.lane === "c") return false;
    const said = entry.kind === "edit" ? readText(entry) : undefined;
    const target = said?.kind === "edit" ? said.target : entry.number;
    return this.#gone.has(placeKey(entry.feed, entry.number)) || this.#gone.has(placeKey(entry.feed, target));
  }

  #withdraw(entry: GroupEntry): void {
    if (entry.kind !== "withdraw") return;
    const said = readText(entry);
    if (said?.kind !== "withdraw") return;
    const { feed } = entry;
    const key = placeKey(feed, said.target);
    this.bodiless.delete(key);
    this.#gone.add(key);
    this.#batch.withdrawn.push({ feed, number: said.target });
  }

  #textId(feed: string, number: number): string {
    const { last } = this.lanes.texts(feed) ?? {};
    if (number === 0 || last === undefined) return feed;
    if (number === last.number) return last.id;
    const key = placeKey(feed, number);
    const id = this.#cutIds.get(key) ?? this.idAt(feed, "t", number) ?? this.#endedAt(feed, number);
    if (id !== undefined) this.#cutIds.set(key, id);
    return id ?? feed;
  }

  /** The id that a fork or an `end` names of a text that is not held, as the lane begins behind its cut. */
  #endedAt(feed: string, number: number): string | undefined {
    const fork = this.fork(feed, "t");
    if (fork?.number === number + 1) return fork.entries[0].prev;
    for (const entry of this.lanes.allControl()) {
      const said = entry.kind === "end" ? readControl(entry) : undefined;
      const [author, term] = [this.term(entry.feed), this.term(feed)];
      if (said?.kind !== "end" || said.feed !== feed || said.t !== number) continue;
      if (author === undefined || term === undefined || entry.number > author.cutC) continue;
      if (mayEnd(author, term)) return said.tid;
    }
    return undefined;
  }
}
