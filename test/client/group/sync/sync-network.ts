/** Members of one group on a simulated network: links with a delay and a rate, disks that are durable later, a clock. */
import { hash } from "node:crypto";

import { GroupSync } from "../../../../src/client/group/sync/sync.ts";
import type { GroupLink, SyncMessage } from "../../../../src/client/group/sync/group-link.ts";
import type { GroupChanges } from "../../../../src/client/group/sync/holdings.ts";
import type { StoredEntry } from "../../../../src/client/group/sync/log.ts";
import { mayEnd, type Term } from "../../../../src/client/group/sync/membership.ts";
import { readControl } from "../../../../src/identity/group-body.ts";
import { signCreate, signEntry, type GroupEntry, type Lane } from "../../../../src/identity/group-entry.ts";
import type { SeededRandom } from "../../../seeded-random.ts";
import { createBody, type TestKey } from "../../../identity/group-keys.ts";
import { MemoryLog } from "./memory-log.ts";

export const START = Date.UTC(2026, 5, 1);
/** Bytes a second, and ms, of every link; ms until a commit is on the disk, at most. */
const RATE = 400_000;
const DELAY = 20;
const SYNC_TIME = 40;

export class Timeline {
  now = START;
  readonly #events: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  after(ms: number, run: () => void): void {
    const event = { at: this.now + ms, order: this.#order++, run };
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.at ?? 0) <= event.at) index--;
    this.#events.splice(index, 0, event);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#events.at(-1); next !== undefined && next.at <= end; next = this.#events.at(-1)) {
      this.#events.pop();
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = end;
  }
}

/** What a test looks at. */
export type Watch = {
  committed?(member: Member, changes: GroupChanges): void;
  sent?(from: Member, to: Member, message: SyncMessage, bytes: number): void;
  refused?(from: Member, to: Member, message: SyncMessage): void;
};

class End implements GroupLink {
  readonly key: string;
  queuedBytes = 0;
  readonly #wire: Wire;
  readonly #from: Member;

  constructor(wire: Wire, from: Member, to: Member) {
    this.#wire = wire;
    this.#from = from;
    this.key = to.key.named.spki;
  }

  send(message: SyncMessage): void {
    for (const each of this.#from.tamper?.(message) ?? [message]) this.#wire.carry(this.#from, this, each);
  }
}

/** A link between two members. */
export class Wire {
  readonly members: readonly [Member, Member];
  readonly #network: Network;
  readonly #ends: readonly [End, End];
  #freeAt: [number, number] = [0, 0];
  isOpen = true;

  constructor(network: Network, one: Member, other: Member) {
    this.#network = network;
    this.members = [one, other];
    this.#ends = [new End(this, one, other), new End(this, other, one)];
  }

  /** The end that this member holds. */
  end(member: Member): End {
    return member === this.members[0] ? this.#ends[0] : this.#ends[1];
  }

  carry(from: Member, end: End, message: SyncMessage): void {
    const { time, watch } = this.#network;
    const side = from === this.members[0] ? 0 : 1;
    const to = this.members[1 - side] as Member;
    const bytes = Buffer.byteLength(JSON.stringify(message), "utf8") + 1;
    if (bytes > 256 * 1024) throw new Error(`a message of ${bytes} bytes`);
    watch.sent?.(from, to, message, bytes);
    end.queuedBytes += bytes;
    this.#freeAt[side] = Math.max(this.#freeAt[side] ?? 0, time.now) + (bytes / RATE) * 1_000;
    time.after((this.#freeAt[side] ?? 0) - time.now + DELAY, () => {
      if (!this.isOpen) return;
      end.queuedBytes -= bytes;
      to.receive(this, message);
      if (this.isOpen && end.queuedBytes === 0) from.sync?.pump(from.clock());
    });
  }

  cut(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const member of this.members) {
      member.wires.delete(this);
      member.sync?.linkDown(this.end(member));
    }
  }
}

export class Member {
  readonly key: TestKey;
  readonly log = new MemoryLog();
  readonly wires = new Set<Wire>();
  readonly network: Network;
  /** ms by which its clock is ahead. */
  clockOffset: number;
  sync: GroupSync | undefined;
  /** What becomes of a message that a hostile member sends. */
  tamper: ((message: SyncMessage) => readonly SyncMessage[]) | undefined;
  #durable = this.log.copy();
  /** Counts crashes: what was under way before one is void. */
  #life = 0;
  #isTicking = false;

  constructor(network: Network, key: TestKey, clockOffset: number) {
    this.network = network;
    this.key = key;
    this.clockOffset = clockOffset;
  }

  clock(): number {
    return this.network.time.now + this.clockOffset;
  }

  /** Begins with these entries on its disk. */
  begin(entries: readonly GroupEntry[]): void {
    const batch = { bodies: [], withdrawn: [], forks: [], receipts: [], restarted: [] };
    this.log.write({ ...batch, entries: entries.map((entry) => ({ entry, draft: undefined })) });
    this.#durable = this.log.copy();
    this.start();
  }

  start(): void {
    this.sync = new GroupSync(this.network.group, this.key.named.spki, this.log);
    for (const wire of this.wires) this.sync.linkUp(wire.end(this), this.clock());
  }

  /** Accepts an invitation: the `add` of this id. */
  accept(feed: string): void {
    const at = this.clock();
    const place = { feed, lane: "c", number: 1, prev: feed, kind: "join", at } as const;
    const join = signEntry(this.network.group, place, {}, this.key.key, this.network.salt);
    if (this.sync === undefined) this.begin([this.network.founding, join]);
    else {
      this.sync.write(join);
      this.commit();
    }
  }

  /** Writes an entry at the end of the lane of this term. */
  write(feed: string, lane: Lane, kind: string, body: object, at?: number): GroupEntry {
    const { sync } = this;
    if (sync === undefined) throw new Error("no member");
    const place = { ...sync.next(feed, lane, this.clock()), ...(at === undefined ? {} : { at }) };
    const { group, salt } = this.network;
    const entry = signEntry(group, { feed, lane, kind, ...place }, body, this.key.key, salt);
    sync.write(entry);
    this.commit();
    return entry;
  }

  receive(wire: Wire, message: SyncMessage): void {
    const from = wire.members[0] === this ? wire.members[1] : wire.members[0];
    const isRight = this.sync?.take(wire.end(this), message, this.clock()) ?? true;
    this.commit();
    if (isRight) return;
    this.network.watch.refused?.(from, this, message);
    wire.cut();
  }

  commit(): void {
    const changes = this.sync?.commit();
    if (changes === undefined) return;
    this.network.watch.committed?.(this, changes);
    const state = this.log.copy();
    const life = this.#life;
    this.network.time.after(this.network.random.integer(SYNC_TIME), () => {
      if (life !== this.#life) return;
      this.#durable = state;
      this.sync?.stored(changes.seq, this.clock());
    });
  }

  /** Everything that is not durable is lost. @param state a copy of the disk that is put back */
  crash(state = this.#durable): void {
    for (const wire of [...this.wires]) wire.cut();
    this.#life++;
    this.#durable = state;
    this.log.putBack(state);
    if (this.sync !== undefined) this.start();
  }

  rows(feed: string, lane: Lane): StoredEntry[] {
    return this.log.rows
      .filter((row) => row.feed === feed && row.lane === lane)
      .sort((one, other) => one.number - other.number);
  }

  /** Pumps once a second while there is a link. */
  tick(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.network.time.after(1_000, () => {
      this.#isTicking = false;
      if (this.wires.size === 0) return;
      this.sync?.pump(this.clock());
      this.tick();
    });
  }
}

export class Network {
  readonly time = new Timeline();
  readonly random: SeededRandom;
  readonly members: Member[] = [];
  readonly founding: GroupEntry;
  readonly group: string;
  watch: Watch = {};

  constructor(random: SeededRandom, founder: TestKey, options: Parameters<typeof createBody>[1] = {}) {
    this.random = random;
    this.founding = signCreate(START, createBody(founder, options), founder.key, this.salt);
    this.group = this.founding.id;
    this.join(founder).begin([this.founding]);
  }

  readonly salt = (length: number): Uint8Array => this.random.bytes(length);

  join(key: TestKey, clockOffset = 0): Member {
    const member = new Member(this, key, clockOffset);
    this.members.push(member);
    return member;
  }

  /** Links two members, if they are not. */
  link(one: Member, other: Member): void {
    if ([...one.wires].some(({ members }) => members.includes(other))) return;
    const wire = new Wire(this, one, other);
    for (const member of wire.members) {
      member.wires.add(wire);
      member.tick();
    }
    for (const member of wire.members) member.sync?.linkUp(wire.end(member), member.clock());
  }

  cutAll(): void {
    for (const member of this.members) for (const wire of [...member.wires]) wire.cut();
  }
}

/** One string for all that a member holds and that counts: what equal sums must mean, found another way. */
export function storeDigest({ sync, log }: Member): string {
  const { terms, writes } = sync?.membership ?? { terms: new Map<string, Term>(), writes: "all" };
  const ends = new Map<string, string>();
  const { forks } = log.load();
  const endedAt = (term: Term, number: number): string | undefined => {
    const fork = forks.find(({ feed, lane }) => feed === term.feed && lane === "t");
    if (fork?.number === number + 1) return fork.entries[0].prev;
    const said = log.rows
      .filter(({ kind, feed }) => kind === "end" && mayEnd(terms.get(feed) ?? term, term))
      .map((row) => readControl(row));
    return said.flatMap((end) =>
      end?.kind === "end" && end.feed === term.feed && end.t === number ? [end.tid] : [],
    )[0];
  };
  for (const { feed, lane, number, id } of log.rows.toSorted((one, other) => one.number - other.number)) {
    const term = terms.get(feed);
    if (term === undefined || (lane === "t" && writes === "admins" && term.level > 7)) continue;
    const cut = lane === "c" ? term.cutC : term.cutT;
    const key = `${feed} ${lane}`;
    if (number <= cut) ends.set(key, `${number} ${id}`);
    // The lane begins behind its cut, and is as good as held up to there.
    else if (cut > 0 && !ends.has(key)) ends.set(key, `${cut} ${endedAt(term, cut) ?? feed}`);
  }
  const lines = [...ends].map(([lane, end]) => `${lane} ${end}`);
  return hash("sha256", lines.sort().join("\n"));
}
