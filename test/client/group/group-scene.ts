/** Groups in tests: who writes what, in one set of entries that all have. */
import { membership, type Membership, type Term } from "../../../src/client/group/sync/membership.ts";
import {
  nextPosition,
  signCreate,
  signEntry,
  type Fork,
  type GroupEntry,
  type Lane,
  type Position,
} from "../../../src/identity/group-entry.ts";
import { seededRandom } from "../../seeded-random.ts";
import { addBody, createBody, testKey, type TestKey } from "../../identity/group-keys.ts";

/** Gives the same salts in every run, and so the same ids. */
export type Salt = (bytes: number) => Uint8Array;

/** What one term writes. Its lanes go on where it stands, unless a place is given. */
export class Feed {
  readonly scene: GroupScene;
  readonly id: string;
  readonly key: TestKey;
  readonly #last = new Map<Lane, GroupEntry>();

  constructor(scene: GroupScene, id: string, key: TestKey) {
    this.scene = scene;
    this.id = id;
    this.key = key;
  }

  /** Where it goes on. */
  next(lane: Lane = "c"): Position {
    return nextPosition(this.id, lane, this.#last.get(lane));
  }

  write(kind: string, body: object = {}, place: Position = this.next()): GroupEntry {
    const fields = { ...place, kind, at: this.scene.at };
    const entry = signEntry(this.scene.group, fields, body, this.key.key, this.scene.salt);
    this.wrote(entry);
    return entry;
  }

  /** What would come of an entry that is written here; nobody keeps it. */
  attempt(kind: string, body: object): { id: string; terms: Membership["terms"] } {
    const { scene } = this;
    const fields = { ...this.next(), kind, at: scene.at };
    const entry = signEntry(scene.group, fields, body, this.key.key, scene.salt);
    return { id: entry.id, terms: scene.view([...scene.entries, entry]).terms };
  }

  /** Takes an entry for the last one of its lane. */
  wrote(entry: GroupEntry): void {
    this.#last.set(entry.lane, entry);
    this.scene.entries.push(entry);
  }

  add(key: TestKey, role: "admin" | "member" = "member"): Feed {
    return new Feed(this.scene, this.write("add", addBody(key, role)).id, key);
  }

  /** Adds somebody who joins at once. */
  bring(key: TestKey, role: "admin" | "member" = "member"): Feed {
    const feed = this.add(key, role);
    feed.write("join");
    return feed;
  }

  grant(other: Feed): GroupEntry {
    return this.write("grant", { feed: other.id });
  }

  /** Ends a term behind these entries, all that it wrote unless they are given. */
  end(other: Feed, c = other.next("c").number - 1, t = other.next("t").number - 1): GroupEntry {
    return this.write("end", { feed: other.id, c, t, cid: other.id, tid: other.id });
  }

  leave(t = this.next("t").number - 1): GroupEntry {
    return this.write("leave", { t });
  }

  name(n: number, title: string): GroupEntry {
    return this.write("set", { n, title });
  }

  /** As all see it; undefined where its `add` does not count. */
  get term(): Term | undefined {
    return this.scene.view().terms.get(this.id);
  }
}

export class GroupScene {
  readonly group: string;
  readonly founder: Feed;
  readonly entries: GroupEntry[] = [];
  readonly forks: Fork[] = [];
  at = 1_000;
  readonly salt: Salt;

  constructor(founder: TestKey, more: Parameters<typeof createBody>[1] = {}, seed = 1) {
    this.salt = seededRandom(seed).bytes;
    const create = signCreate(this.at, createBody(founder, more), founder.key, this.salt);
    this.group = create.id;
    this.founder = new Feed(this, create.id, founder);
    this.founder.wrote(create);
  }

  view(entries: readonly GroupEntry[] = this.entries, forks: readonly Fork[] = this.forks): Membership {
    const view = membership(entries, forks);
    if (view === undefined) throw new Error("no group");
    return view;
  }

  /** Names of the members by state. */
  names(state: Term["state"] = "member"): string[] {
    const terms = [...this.view().terms.values()].filter((term) => term.state === state);
    return terms.map(({ name }) => name).toSorted();
  }
}

export const [ANA, EVA, LUIS, PEPA, RAUL] = ["ana", "eva", "luis", "pepa", "raul"].map((name) =>
  testKey(name),
) as [TestKey, TestKey, TestKey, TestKey, TestKey];
