/**
 * A world of groups' membership: some keys that each know a part of what was written, write by rights that they have or
 * believe or do not have, now and then two entries at one place, and tell each other what they know. In the end all
 * tell each other everything, and must see the same members.
 */
import { expect } from "bun:test";

import { isLive } from "../../../../src/client/group/sync/members.ts";
import { membership, type Membership, type Term } from "../../../../src/client/group/sync/membership.ts";
import { readControl } from "../../../../src/identity/group-body.ts";
import {
  isFork,
  nextPosition,
  signCreate,
  signEntry,
  type Fork,
  type GroupEntry,
} from "../../../../src/identity/group-entry.ts";
import { addBody, createBody, testKey, type TestKey } from "../../../identity/group-keys.ts";
import { seededRandom, type SeededRandom } from "../../../seeded-random.ts";

/** How often each happens, of all steps. */
const GOSSIP = 0.35;
const EQUIVOCATION = 0.02;
const TEXT_FORK = 0.01;
/** How often somebody writes what the own view gives no right to. */
const INSOLENCE = 0.2;

/** All that one key knows. */
class Store {
  readonly key: TestKey;
  readonly entries: GroupEntry[] = [];
  readonly #byPlace = new Map<string, GroupEntry>();
  readonly #forks = new Map<string, Fork>();
  #view: Membership | undefined;

  constructor(key: TestKey) {
    this.key = key;
  }

  get forks(): Fork[] {
    return [...this.#forks.values()];
  }

  get view(): Membership | undefined {
    this.#view ??= membership(this.entries, this.forks);
    return this.#view;
  }

  /** The key's own terms. */
  get terms(): Term[] {
    const terms = [...(this.view?.terms.values() ?? [])];
    return terms.filter(({ spki }) => spki === this.key.named.spki);
  }

  at(feed: string, number: number): GroupEntry | undefined {
    return this.#byPlace.get(`${feed} ${number}`);
  }

  last(feed: string): GroupEntry | undefined {
    return this.entries.findLast((entry) => entry.feed === feed);
  }

  /** Takes what goes on where its lane stands here, unless it lies behind a cut; keeps proofs. */
  take(entry: GroupEntry, view = this.view): boolean {
    const { feed, number } = entry;
    const known = this.at(feed, number);
    if (known !== undefined)
      return isFork(known, entry) && this.takeFork({ feed, lane: "c", number, entries: [known, entry] });
    const isCreate = this.entries.length === 0 && entry.id === feed;
    const term = view?.terms.get(feed);
    const isNext = this.last(feed)?.id === entry.prev || (number === 1 && entry.prev === feed);
    if (!isCreate && (term === undefined || number > term.cutC || !isNext)) return false;
    this.entries.push(entry);
    this.#byPlace.set(`${feed} ${number}`, entry);
    this.#view = undefined;
    return true;
  }

  takeFork(fork: Fork): boolean {
    const key = `${fork.feed} ${fork.lane}`;
    if ((this.#forks.get(key)?.number ?? Infinity) <= fork.number) return false;
    this.#forks.set(key, fork);
    this.#view = undefined;
    return true;
  }

  /** Tells everything in the order in which it came. @returns whether anything was news */
  tell(other: Store): boolean {
    let wasNews = false;
    for (let news = true; news; wasNews ||= news) {
      news = false;
      for (const fork of this.forks) news = other.takeFork(fork) || news;
      const { view } = other;
      for (const entry of this.entries) news = other.take(entry, view) || news;
    }
    return wasNews;
  }
}

class World {
  readonly #random: SeededRandom;
  readonly #stores: Store[];
  readonly #group: string;
  #at = 1_000;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const { integer, pick } = this.#random;
    const people = 2 + integer(8);
    const keys = Array.from({ length: people }, (_, person) => testKey(`person-${person}`));
    const devices = Array.from({ length: 1 + integer(3) }, (_, device) =>
      testKey(pick(keys).name, device + 1),
    );
    this.#stores = [...keys, ...devices].map((key) => new Store(key));
    const founder = this.#stores[0] as Store;
    const adds = pick(["admins", "all"] as const);
    const create = signCreate(
      this.#at,
      createBody(founder.key, { adds }),
      founder.key.key,
      this.#random.bytes,
    );
    this.#group = create.id;
    // The chain that admits each is all that an invitation has to say; here everybody knows the beginning.
    for (const store of this.#stores) store.take(create);
  }

  run(): void {
    const steps = 60 + this.#random.integer(81);
    for (let step = 0; step < steps; step++) this.#step();
    this.#tellAll();
    this.#check();
  }

  #step(): void {
    const { next, pick } = this.#random;
    this.#at++;
    if (next() < GOSSIP) {
      const [one, other] = [pick(this.#stores), pick(this.#stores)];
      one.tell(other);
      other.tell(one);
      return;
    }
    const store = pick(this.#stores.filter((each) => each.terms.length > 0));
    const { terms } = store;
    const { feed, state } = pick(terms);
    if (state === "ended" && next() > INSOLENCE) return;
    if (next() < TEXT_FORK) {
      const entries: Fork["entries"] = [store.entries[0] as GroupEntry, store.entries[0] as GroupEntry];
      store.takeFork({ feed, lane: "t", number: 1 + this.#random.integer(5), entries });
      return;
    }
    const last = store.last(feed);
    if (last === undefined && next() > INSOLENCE) {
      this.#write(store, feed, "join", {});
      return;
    }
    this.#write(store, feed, ...this.#act(store));
    if (next() > EQUIVOCATION / (1 - GOSSIP)) return;
    // Somebody who knows what came before gets another entry for the same place.
    const number = (last?.number ?? 0) + 1;
    const deceived = this.#stores.filter(
      (other) => other.at(feed, number) === undefined && other.last(feed)?.id === last?.id,
    );
    if (deceived.length > 0) this.#write(pick(deceived), feed, ...this.#act(store), store.key, last);
  }

  /** Writes it behind `last`, and keeps it in that store if it fits there. */
  #write(
    store: Store,
    feed: string,
    kind: string,
    body: object,
    { key } = store.key,
    last = store.last(feed),
  ): void {
    const fields = { ...nextPosition(feed, "c", last), kind, at: this.#at };
    // The founder's first entry is there.
    if (fields.number === 1 && feed === this.#group) return;
    store.take(signEntry(this.#group, fields, body, key, this.#random.bytes));
  }

  /** Something to write, most often something useful. */
  #act(store: Store): [kind: string, body: object] {
    const { integer, next, pick } = this.#random;
    const terms = [...(store.view?.terms.values() ?? [])];
    const { feed } = pick(terms);
    const dice = next();
    if (dice < 0.5) {
      const { key } = next() < 0.2 ? store : pick(this.#stores);
      return ["add", addBody(key, pick(["admin", "member", "member"]))];
    }
    if (dice < 0.7) return ["grant", { feed }];
    if (dice < 0.85) {
      const head = store.last(feed)?.number ?? 0;
      const c = next() < 0.5 ? head : integer(head + 2);
      return ["end", { feed, c, t: integer(6), cid: feed, tid: feed }];
    }
    if (dice < 0.86) return ["leave", { t: integer(6) }];
    if (dice < 0.97) return ["set", { n: 1 + integer(4), title: `title ${integer(1_000)}` }];
    return [pick(["join", "crown"]), {}];
  }

  #tellAll(): void {
    for (let news = true; news;) {
      news = false;
      for (const one of this.#stores)
        for (const other of this.#stores) news = (one !== other && one.tell(other)) || news;
    }
  }

  #check(): void {
    const [first, ...rest] = this.#stores as [Store, ...Store[]];
    const view = seen(first.view);
    for (const store of rest) expect(seen(store.view)).toEqual(view);
    const { entries, forks } = first;
    expect(seen(membership(this.#shuffled(entries), this.#shuffled(forks)))).toEqual(view);
    expect(seen(membership([...entries, ...entries], [...forks, ...forks]))).toEqual(view);
    this.#checkEnds(first.view as Membership, entries);
  }

  /** Each term was admitted, and ended, by what counts, and from above. */
  #checkEnds({ terms }: Membership, entries: readonly GroupEntry[]): void {
    const counted = entries.filter(({ feed, number }) => number <= (terms.get(feed)?.cutC ?? 0));
    for (const term of terms.values()) {
      const admission = counted.find(({ id }) => id === term.feed);
      expect(admission?.feed).toBe(term.by ?? this.#group);
      const by = term.by === undefined ? undefined : terms.get(term.by);
      expect(by === undefined ? -1 : by.level).toBeLessThan(term.level);
      const ends = counted.filter((entry) => {
        const control = readControl(entry);
        if (control?.kind === "leave") return entry.feed === term.feed;
        const author = terms.get(entry.feed);
        return (
          control?.kind === "end" &&
          control.feed === term.feed &&
          author !== undefined &&
          author.level < term.level
        );
      });
      if (!isLive(term)) expect(ends.map(({ id }) => id)).toContain(term.endId as string);
      if (term.by === undefined && !isLive(term))
        expect(ends.every(({ kind }) => kind === "leave")).toBe(true);
    }
  }

  #shuffled<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.#random.integer(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }
}

/** A view as values that are compared, the order of terms too. */
function seen(view: Membership | undefined): unknown {
  return view === undefined ? undefined : { ...view, terms: [...view.terms.values()] };
}

/** Runs the world of this seed. @throws Error that names the seed, if something in it is wrong */
export function checkMembershipWorld(seed: number): void {
  try {
    new World(seed).run();
  } catch (error) {
    throw new Error(`in the world of seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}
