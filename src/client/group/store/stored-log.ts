/** The entries of one group on the disk (`GroupLog`). Its texts are messages too, stored in the same transaction. */
import type { Database, Statement } from "bun:sqlite";

import { readControl, readText } from "../../../identity/group-body.ts";
import {
  rawEntry,
  readEntry,
  type Fork,
  type GroupEntry,
  type Lane,
  type RawEntry,
} from "../../../identity/group-entry.ts";
import { label as labelOf } from "../../../identity/names.ts";
import { lightly } from "../../disk/write-ahead-log.ts";
import type { Profile } from "../../profile/profile.ts";
import type {
  GroupBatch,
  GroupContents,
  GroupLog,
  StoredEntry,
  TextLane,
  TextPlace,
  Trimmed,
} from "../sync/log.ts";
import { DROPPED, ShownTexts, type StoredFeed } from "./shown-texts.ts";
import { DAY, removeTexts, Trimming } from "./trimming.ts";

/** Most texts of one lane in a day. */
const DAY_TEXTS = 2_000;

type EntryRow = { seq: number; header: string; signature: string; body: string | null };
type EntryPlace = { readonly number: number; readonly at: number; readonly size: number };
type End = { readonly number: number; readonly at: number; readonly entry: StoredEntry };

/** The group has a row already, and so has its founding entry, or its invitation. */
export class StoredLog implements GroupLog {
  readonly #profile: Profile;
  readonly #database: Database;
  readonly #group: string;
  readonly #contact: number;
  readonly #now: () => number;
  readonly #shown: ShownTexts;
  readonly #trimming: Trimming;
  readonly #insertEntry: Statement<unknown, (string | number | null)[]>;
  readonly #writeAll: { immediate(batch: GroupBatch, now: number): number[] };
  readonly #feeds = new Map<string, StoredFeed>();

  /** @param contact the group's row number @param now ms since 1970 */
  constructor(profile: Profile, group: string, contact: number, now: () => number) {
    this.#profile = profile;
    this.#database = profile.database;
    this.#group = group;
    this.#contact = contact;
    this.#now = now;
    this.#shown = new ShownTexts(this.#database, contact, labelOf(profile.username));
    this.#trimming = new Trimming(profile, contact);
    this.#insertEntry = this.#database.prepare(
      `INSERT INTO group_entries (contact, feed, lane, number, at, size, target, header, signature, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#writeAll = this.#database.transaction((batch: GroupBatch, at: number) => this.#write(batch, at));
  }

  load(): GroupContents {
    const row = this.#database
      .query<{ since: number; seq: number }, [number]>(
        `SELECT since, coalesce((SELECT max(seq) FROM group_entries WHERE contact = ?1), 0) AS seq
         FROM groups WHERE contact = ?1`,
      )
      .get(this.#contact);
    return {
      ...this.basis(),
      texts: this.#allFeeds().flatMap((feed) => this.#lane(feed) ?? []),
      bodiless: this.#database
        .query<TextPlace, [number]>(
          `SELECT group_feeds.feed, number FROM group_entries JOIN group_feeds ON group_feeds.id = group_entries.feed
           WHERE group_entries.contact = ? AND body IS NULL`,
        )
        .all(this.#contact),
      read: this.#readMarks(),
      since: row?.since ?? 0,
      seq: row?.seq ?? 0,
    };
  }

  /** What the membership is computed from. */
  basis(): Pick<GroupContents, "control" | "forks"> {
    return {
      control: this.#entries("contact = ? AND lane = 'c' ORDER BY seq", this.#contact),
      forks: this.#forks(),
    };
  }

  write(batch: GroupBatch): number[] {
    this.#profile.messages.checkInPlace();
    const own = this.#database
      .query<{ feed: string }, [number]>("SELECT own_feed AS feed FROM groups WHERE contact = ?")
      .get(this.#contact)?.feed;
    const isOurs = ({ entry, draft }: GroupBatch["entries"][number]) =>
      draft !== undefined || (entry.lane === "c" && entry.feed === own);
    if (!batch.entries.every(isOurs) || batch.bodies.length > 0) this.#profile.space.check();
    try {
      return lightly(this.#database, () => this.#writeAll.immediate(batch, this.#now()));
    } catch (error) {
      // Their rows may have been undone.
      this.#feeds.clear();
      throw error;
    }
  }

  after(seq: number, limit: number): StoredEntry[] {
    return this.#entries("contact = ? AND seq > ? ORDER BY seq LIMIT ?", this.#contact, seq, limit);
  }

  texts(feed: string, from: number, to: number): StoredEntry[] {
    const { id } = this.#known(feed) ?? { id: 0 };
    return this.#entries(
      "feed = ? AND lane = 't' AND number BETWEEN ? AND ? ORDER BY number",
      ...[id, from, to],
    );
  }

  /** Does a part of it, which takes some 20 ms. */
  trim(since: number): Trimmed {
    this.#database.run("UPDATE groups SET since = ?1 WHERE contact = ?2 AND since < ?1", [
      since,
      this.#contact,
    ]);
    const { feed, isMore } = this.#trimming.step(this.#allFeeds(), since);
    const lane = feed === undefined ? undefined : this.#lane(feed);
    return { lanes: lane === undefined ? [] : [lane], isMore };
  }

  #write(batch: GroupBatch, now: number): number[] {
    for (const { feed, number } of batch.restarted) {
      const known = this.#feed(feed);
      removeTexts(this.#database, known, number);
      this.#setBase(known, number);
    }
    const seqs = batch.entries.map(({ entry, draft }) => this.#insert(entry, draft, now));
    for (const entry of batch.bodies) this.#fill(entry);
    for (const { feed, number } of batch.withdrawn) {
      const known = this.#feed(feed);
      this.#shown.withdraw(known, number, this.#shown.withdrawnAt(known, number) ?? now);
    }
    for (const fork of batch.forks) this.#saveFork(fork);
    for (const receipt of batch.receipts) {
      this.#shown.receive(receipt, this.#feed(receipt.own), this.#feed(receipt.term), now);
    }
    return seqs;
  }

  #insert(entry: GroupEntry, draft: string | undefined, now: number): number {
    const { feed, lane, number, at, size, header, signature } = entry;
    const known = this.#feed(feed);
    const said = lane === "t" ? readText(entry) : undefined;
    const target = said === undefined || said.kind === "text" ? null : said.target;
    // What is said of it later is here already only if it comes to the front of its lane.
    const isEarlier = lane === "t" && known.base !== undefined && number < known.base;
    if (isEarlier) this.#trimming.grew(known);
    const about = said?.kind === "edit" ? said.target : number;
    const withdrawnAt = isEarlier ? this.#shown.withdrawnAt(known, about) : undefined;
    const { lastInsertRowid } = this.#insertEntry.run(
      ...[this.#contact, known.id, lane, number, at, size, target, header, signature],
      withdrawnAt === undefined ? entry.body : DROPPED,
    );
    if (lane === "c") this.#name(entry);
    else {
      if (known.base === undefined) this.#setBase(known, number);
      this.#shown.show({ entry, said, feed: known, draft, isEarlier, withdrawnAt }, now);
    }
    return Number(lastInsertRowid);
  }

  #fill(entry: GroupEntry): void {
    const known = this.#feed(entry.feed);
    const said = readText(entry);
    const target = said === undefined || said.kind === "text" ? null : said.target;
    const { changes } = this.#database
      .query(
        "UPDATE group_entries SET body = ?, target = ? WHERE feed = ? AND lane = 't' AND number = ? AND body IS NULL",
      )
      .run(entry.body, target, known.id, entry.number);
    if (changes > 0 && said !== undefined) this.#shown.fill(entry, said, known);
  }

  /** An entry that admits a key says whose its feed is. */
  #name(entry: GroupEntry): void {
    const said = entry.kind === "create" || entry.kind === "add" ? readControl(entry) : undefined;
    if (said?.kind !== "create" && said?.kind !== "add") return;
    const { id } = this.#feed(entry.id);
    const isOwn = said.spki.equals(this.#profile.keys.spki) ? 1 : 0;
    this.#database
      .query("UPDATE group_feeds SET label = ?, name = ?, is_own = ? WHERE id = ?")
      .run(said.label, said.name, isOwn, id);
    this.#feeds.delete(entry.id);
  }

  /** The feed of this id, with a row of its own from now on. */
  #feed(feed: string): StoredFeed {
    const known = this.#known(feed);
    if (known !== undefined) return known;
    // Of those whose `add` is not here there is only ours, with which an invitation was accepted.
    this.#database
      .query(
        `INSERT INTO group_feeds (contact, feed, label, name, is_own)
         SELECT ?1, ?2, '', '', own_feed = ?2 FROM groups WHERE contact = ?1`,
      )
      .run(this.#contact, feed);
    return this.#known(feed) as StoredFeed;
  }

  #known(feed: string): StoredFeed | undefined {
    const cached = this.#feeds.get(feed);
    if (cached !== undefined) return cached;
    const read = this.#readFeeds("contact = ? AND feed = ?", this.#contact, feed)[0];
    if (read !== undefined) this.#feeds.set(feed, read);
    return read;
  }

  #allFeeds(): StoredFeed[] {
    return this.#readFeeds("contact = ?", this.#contact);
  }

  #readFeeds(condition: string, ...values: (number | string)[]): StoredFeed[] {
    return this.#database
      .query<
        Omit<StoredFeed, "isOwn" | "base"> & { is_own: number; base: number | null },
        (number | string)[]
      >(`SELECT id, feed, label, is_own, base FROM group_feeds WHERE ${condition} ORDER BY id`)
      .all(...values)
      .map(({ is_own, base, ...row }) => ({ ...row, isOwn: is_own === 1, base: base ?? undefined }));
  }

  #setBase(feed: StoredFeed, base: number): void {
    this.#database.query("UPDATE group_feeds SET base = ? WHERE id = ?").run(base, feed.id);
    this.#feeds.set(feed.feed, { ...feed, base });
  }

  #lane(feed: StoredFeed): TextLane | undefined {
    const first = this.#end(feed, "ASC");
    const last = this.#end(feed, "DESC");
    if (first === undefined || last === undefined) return undefined;
    const spent = (order: "ASC" | "DESC", at: number) => this.#spent(feed, order, at);
    return {
      feed: feed.feed,
      base: Math.max(first.number, feed.base ?? 0),
      first: first.entry,
      last: last.entry,
      get early() {
        return spent("ASC", first.at);
      },
      get recent() {
        return spent("DESC", last.at).reverse();
      },
    };
  }

  #end({ id }: StoredFeed, order: "ASC" | "DESC"): End | undefined {
    const [entry] = this.#entries(`feed = ? AND lane = 't' ORDER BY number ${order} LIMIT 1`, id);
    return entry === undefined ? undefined : { number: entry.number, at: entry.at, entry };
  }

  /** What one end of a lane has spent, the outermost first. */
  #spent(feed: StoredFeed, order: "ASC" | "DESC", end: number): [number, number][] {
    const counted = this.#walk(feed, order, ({ at }) => Math.abs(at - end) < DAY);
    return [...counted].map(({ at, size }) => [at, size]);
  }

  /** The first or last entries of a lane while they are `meant`. */
  *#walk(
    { id }: StoredFeed,
    order: "ASC" | "DESC",
    meant: (place: EntryPlace) => boolean,
  ): Generator<EntryPlace> {
    const rows = this.#database.prepare<EntryPlace, [number]>(
      `SELECT number, at, size FROM group_entries WHERE feed = ? AND lane = 't'
       ORDER BY number ${order} LIMIT ${DAY_TEXTS}`,
    );
    try {
      for (const row of rows.iterate(id)) {
        if (!meant(row)) return;
        yield row;
      }
    } finally {
      rows.finalize();
    }
  }

  #entries(condition: string, ...values: number[]): StoredEntry[] {
    return this.#database
      .query<EntryRow, number[]>(`SELECT seq, header, signature, body FROM group_entries WHERE ${condition}`)
      .all(...values)
      .map(({ seq, header, signature, body }) => ({
        ...this.#read([header, signature, body === DROPPED ? null : body]),
        seq,
      }));
  }

  /** What is stored was checked when it came. */
  #read([header, signature, body]: RawEntry): GroupEntry {
    const entry = readEntry(this.#group, [header, signature, null]);
    if (entry === undefined) throw new DamagedEntryError(this.#group);
    return { ...entry, body };
  }

  #saveFork({ feed, lane, number, entries }: Fork): void {
    // The words of a text would survive its deletion; the proof needs only what was signed.
    const proof = entries.map((entry) => rawEntry(lane === "t" ? { ...entry, body: null } : entry));
    this.#database
      .query("INSERT OR REPLACE INTO group_forks (feed, lane, number, entries) VALUES (?, ?, ?, ?)")
      .run(this.#feed(feed).id, lane, number, JSON.stringify(proof));
  }

  #forks(): Fork[] {
    return this.#database
      .query<{ feed: string; lane: Lane; number: number; entries: string }, [number]>(
        `SELECT group_feeds.feed, lane, number, entries FROM group_forks JOIN group_feeds ON id = group_forks.feed
         WHERE contact = ?`,
      )
      .all(this.#contact)
      .map(({ entries, ...fork }) => {
        const [one, other] = JSON.parse(entries) as [RawEntry, RawEntry];
        return { ...fork, entries: [this.#read(one), this.#read(other)] as const };
      });
  }

  /** Empty where others are not told what was read. */
  #readMarks(): ReadonlyMap<string, number> {
    const { contacts, privacy } = this.#profile;
    const contact = contacts.byId(this.#contact);
    if (contact === undefined || !privacy.tells("read", contact)) return new Map();
    const rows = this.#database
      .query<{ feed: string; read: number }, [number]>(
        "SELECT feed, read FROM group_feeds WHERE contact = ? AND read > 0",
      )
      .all(this.#contact);
    return new Map(rows.map(({ feed, read }) => [feed, read]));
  }
}

/** What is stored of an entry has another form than it was stored in. */
class DamagedEntryError extends Error {
  /** As SQLite's errors for damage. */
  readonly code = "SQLITE_CORRUPT";

  constructor(group: string) {
    super(`an entry of the group ${group} is damaged`);
  }
}
