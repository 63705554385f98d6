/**
 * Who belongs to a group (GROUPS 4): a function of the set of control entries and of proofs of forks, and of nothing
 * else. Whoever has the same set sees the same members, in whatever order it arrived.
 *
 * Terms are counted by level, from the founder (0) down. What a term may do depends on entries of smaller levels alone,
 * so that everything that concerns it is known when its turn comes. For this no term may rise above who admitted it: a
 * grant lifts it at most to the level below theirs.
 */
import { readControl, type Control } from "../../../identity/group-body.ts";
import { isCreate, type Fork, type GroupEntry } from "../../../identity/group-entry.ts";

/** The highest level of an admin; the founder's is 0. */
const LAST_ADMIN_LEVEL = 7;
const FIRST_MEMBER_LEVEL = 100;
const LAST_LEVEL = 150;
/** `add`s of one lane that have an effect: for keys of the author's own label, and in all. */
const MAX_OWN_ADDS = 8;
const MAX_ADDS = 1_024;
/** `add`s that have an effect of one member who is no admin, and of all whom they and theirs have added: of own keys, and in all. */
const MAX_OWN_ADDS_BELOW = 64;
const MAX_ADDS_BELOW = 1_024;
/** People of one group; no client adds more. */
export const MAX_PEOPLE = 256;

/** One stay of one key. */
export type Term = {
  /** Its id, which is that of its feed. */
  readonly feed: string;
  readonly label: string;
  readonly name: string;
  /** The public key, as `public_key` of PROTOCOL 4. */
  readonly spki: string;
  /** The term that admitted it; undefined for the founder's. */
  readonly by: string | undefined;
  /** A smaller one stands above a larger one. */
  readonly level: number;
  readonly history: "all" | "none";
  /** When it was admitted, ms since 1970, by the clock of who did so. Nothing that it writes is older, but its `join`. */
  readonly since: number;
  readonly state: "invited" | "member" | "ended";
  /** The last numbers of its lanes that count; Infinity where nothing cuts them. */
  readonly cutC: number;
  readonly cutT: number;
  /** The `end` or `leave` that ended it; of several the one with the smallest id. */
  readonly endId: string | undefined;
  /** It reads on and may write no more; always false once it has ended. */
  readonly isForked: boolean;
};

export type Membership = {
  readonly group: string;
  readonly title: string;
  /** The largest `n` of a `set` that counts, 0 without one. */
  readonly renames: number;
  readonly adds: "admins" | "all";
  readonly writes: "admins" | "all";
  /** The terms whose `add` counts, ended ones too, by level and then by feed. */
  readonly terms: ReadonlyMap<string, Term>;
};

type Create = Extract<Control, { kind: "create" }>;
type Add = Extract<Control, { kind: "add" }>;
type End = { readonly author: Term; readonly id: string; readonly c: number; readonly t: number };
type Title = { readonly n: number; readonly level: number; readonly id: string; readonly title: string };

/**
 * The membership that these entries make, all of one group. Entries that prove a fork may be among them. Undefined
 * without a `create` that this program understands. Signatures are not looked at.
 */
export function membership(control: readonly GroupEntry[], forks: readonly Fork[]): Membership | undefined {
  const founding = control.find(isCreate);
  const create = founding === undefined ? undefined : readControl(founding);
  if (founding === undefined || create?.kind !== "create") return undefined;
  return new Count(founding, create, writtenBy(control, forks)).result();
}

/** What one member who is no admin has added, and whoever came into the group by them. */
type Added = { own: number; all: number };

/** A term while it is counted. */
type Counted = { -readonly [K in keyof Term]: Term[K] };

class Count {
  readonly #founding: GroupEntry;
  readonly #create: Create;
  readonly #written: ReadonlyMap<string, Written>;
  readonly #terms = new Map<string, Counted>();
  /** Of those whom members have added who are no admins: what those members have. */
  readonly #below = new Map<string, Added>();
  /** By level; one that was lifted stands at its larger level, too. */
  readonly #levels: Counted[][] = [];
  /** The smallest level that each term was granted. */
  readonly #grants = new Map<string, number>();
  readonly #ends = new Map<string, End[]>();
  #title: Title;

  constructor(founding: GroupEntry, create: Create, written: ReadonlyMap<string, Written>) {
    this.#founding = founding;
    this.#create = create;
    this.#written = written;
    this.#title = { n: 0, level: 0, id: founding.id, title: create.title };
  }

  result(): Membership {
    const { adds, writes } = this.#create;
    this.#admit(this.#founding, { ...this.#create, kind: "add", role: "admin", history: "all" }, undefined);
    for (let level = 0; level <= LAST_LEVEL; level++) {
      // What is admitted or lifted on the way gets a larger level.
      for (const term of this.#levels[level] ?? []) if (term.level === level) this.#count(term);
    }
    const terms = [...this.#terms.values()].toSorted(byRank);
    const { n: renames, title } = this.#title;
    return {
      ...{ group: this.#founding.id, title, renames, adds, writes },
      terms: new Map(terms.map((term) => [term.feed, term])),
    };
  }

  /** Counts what a term wrote. All of smaller levels is counted, and nothing else may act on it. */
  #count(term: Counted): void {
    const { entries, fork } = this.#written.get(term.feed) ?? NOTHING;
    cut(term, fork.c - 1, fork.t - 1);
    for (const { author, id, c, t } of this.#ends.get(term.feed) ?? []) {
      if (!mayEnd(author, term)) continue;
      end(term, id, c, t);
    }
    const [first, ...rest] = entries.slice(0, term.cutC);
    const hasJoined = first?.kind === (term.by === undefined ? "create" : "join");
    if (hasJoined) this.#countEntries(term, rest);
    if (term.endId !== undefined) term.state = "ended";
    else if (hasJoined) term.state = "member";
    term.isForked = term.state !== "ended" && Math.min(fork.c, fork.t) < Infinity;
  }

  #countEntries(term: Counted, entries: readonly GroupEntry[]): void {
    let adds = 0;
    let ownAdds = 0;
    const below = isAdmin(term) ? undefined : (this.#below.get(term.feed) ?? { own: 0, all: 0 });
    for (const entry of entries) {
      const control = readControl(entry);
      switch (control?.kind) {
        case "add": {
          const isOwn = control.label === term.label;
          const isOver =
            adds === MAX_ADDS ||
            below?.all === MAX_ADDS_BELOW ||
            (isOwn && (ownAdds === MAX_OWN_ADDS || below?.own === MAX_OWN_ADDS_BELOW));
          if (isOver || !mayAdd(this.#create, term, control)) break;
          adds++;
          if (isOwn) ownAdds++;
          if (below !== undefined) {
            below.all++;
            if (isOwn) below.own++;
            this.#below.set(entry.id, below);
          }
          this.#admit(entry, control, term);
          break;
        }
        case "grant":
          if (term.level < LAST_ADMIN_LEVEL) this.#grant(control.feed, term.level + 1);
          break;
        case "end": {
          const { feed, c, t } = control;
          this.#ends.set(feed, [...(this.#ends.get(feed) ?? []), { author: term, id: entry.id, c, t }]);
          break;
        }
        case "set":
          if (isAdmin(term)) this.#rename({ ...control, level: term.level, id: entry.id });
          break;
        case "leave":
          end(term, entry.id, entry.number, control.t);
          return;
        default:
      }
    }
  }

  #admit(
    { id: feed, at: since }: GroupEntry,
    { label, name, spki, role, history }: Add,
    by: Term | undefined,
  ): void {
    const least = by === undefined ? 0 : by.level + 1;
    const level = role === "admin" ? least : Math.max(FIRST_MEMBER_LEVEL, least);
    const term: Counted = {
      ...{ feed, label, name, spki: spki.toString("base64"), by: by?.feed, level, history, since },
      ...{ state: "invited", cutC: Infinity, cutT: Infinity, endId: undefined, isForked: false },
    };
    this.#terms.set(feed, term);
    this.#place(term);
    this.#grant(feed, Infinity);
  }

  #place(term: Counted): void {
    (this.#levels[term.level] ??= []).push(term);
  }

  /** The order of grants and of the `add` of their term does not matter. */
  #grant(feed: string, level: number): void {
    const granted = Math.min(level, this.#grants.get(feed) ?? Infinity);
    this.#grants.set(feed, granted);
    const term = this.#terms.get(feed);
    const by = term?.by === undefined ? undefined : this.#terms.get(term.by);
    if (term === undefined || by === undefined) return;
    const lifted = Math.max(granted, by.level + 1);
    if (lifted > LAST_ADMIN_LEVEL || lifted >= term.level) return;
    term.level = lifted;
    this.#place(term);
  }

  #rename(title: Title): void {
    const { n, level, id } = this.#title;
    const order = title.n - n || level - title.level || (title.id < id ? 1 : -1);
    if (order > 0) this.#title = title;
  }
}

/** Whether it has the rights of an admin; the founder has. */
export function isAdmin({ level }: Term): boolean {
  return level <= LAST_ADMIN_LEVEL;
}

/** Whether an `add` by this term has an effect; the caller counts how many it wrote. */
export function mayAdd(
  { adds }: Pick<Membership, "adds">,
  author: Term,
  { label, role }: Pick<Add, "label" | "role">,
): boolean {
  if (role === "admin") return author.level < LAST_ADMIN_LEVEL;
  if (author.level >= LAST_LEVEL) return false;
  return isAdmin(author) || adds === "all" || label === author.label;
}

/** Whether a `grant` by this term makes the other one an admin. If not, another `add` and an `end` of the old term do. */
export function mayGrant({ terms }: Membership, author: Term, other: Term): boolean {
  const by = other.by === undefined ? undefined : terms.get(other.by);
  return by !== undefined && Math.max(author.level, by.level) < LAST_ADMIN_LEVEL;
}

/** Whether an `end` of the other term by this one counts. */
export function mayEnd(author: Term, other: Term): boolean {
  return author.level < other.level && (isAdmin(author) || author.label === other.label);
}

/** Whether a term may write texts. */
export function mayWrite({ writes }: Membership, term: Term): boolean {
  return term.state === "member" && !term.isForked && (writes === "all" || isAdmin(term));
}

/** What a term wrote. */
type Written = {
  /** Its lane c from 1 on, without a gap. */
  readonly entries: GroupEntry[];
  /** The lowest number of each lane that has two entries. */
  readonly fork: { c: number; t: number };
};

const NOTHING: Written = { entries: [], fork: { c: Infinity, t: Infinity } };

function writtenBy(control: readonly GroupEntry[], forks: readonly Fork[]): Map<string, Written> {
  const feeds = new Map<string, Written>();
  const of = (feed: string): Written => {
    const written = feeds.get(feed) ?? { entries: [], fork: { ...NOTHING.fork } };
    feeds.set(feed, written);
    return written;
  };
  for (const { feed, lane, number } of forks) of(feed).fork[lane] = Math.min(of(feed).fork[lane], number);
  for (const [feed, lane] of Map.groupBy(control, (entry) => entry.feed)) {
    const { entries, fork } = of(feed);
    for (const entry of lane.toSorted((one, other) => one.number - other.number)) {
      if (entry.lane !== "c") continue;
      const last = entries.at(-1);
      if (entry.number === last?.number && entry.id !== last.id) fork.c = Math.min(fork.c, entry.number);
      if (entry.number === entries.length + 1 && entry.prev === (last?.id ?? entry.feed)) entries.push(entry);
    }
  }
  return feeds;
}

function cut(term: Counted, c: number, t: number): void {
  term.cutC = Math.min(term.cutC, c);
  term.cutT = Math.min(term.cutT, t);
}

function end(term: Counted, id: string, c: number, t: number): void {
  cut(term, c, t);
  if (term.endId === undefined || id < term.endId) term.endId = id;
}

function byRank(one: Term, other: Term): number {
  return one.level - other.level || (one.feed < other.feed ? -1 : 1);
}
