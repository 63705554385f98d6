/**
 * Deletes the old texts of one group on this disk, in small parts: shown texts first, then their entries, but for those that
 * budgets still count.
 */
import type { Database } from "bun:sqlite";

import { lightly } from "../../disk/write-ahead-log.ts";
import type { Profile } from "../../profile/profile.ts";
import { IN_OUTBOX } from "../../profile/stored-message.ts";
import { DROPPED, type StoredFeed } from "./shown-texts.ts";

/** How much of a lane budgets count. */
export const DAY = 24 * 60 * 60_000;
/** Most entries that are deleted at once, which takes about 10 ms. */
const TRIMMED_AT_ONCE = 500;
/** Lanes that are looked at in one step of trimming. */
const LANES_AT_ONCE = 16;

/** Deletes a lane's texts of lower numbers. @returns how many */
export function removeTexts(database: Database, { id }: StoredFeed, below: number): number {
  return database.run("DELETE FROM group_entries WHERE feed = ? AND lane = 't' AND number < ?", [id, below])
    .changes;
}

/** Every method throws SQLiteError when the disk fails. */
export class Trimming {
  readonly #profile: Profile;
  readonly #database: Database;
  readonly #contact: number;
  /** The row of the feed that was trimmed last. */
  #last = 0;
  /** Lanes of which all has gone that was to go, by the row of their feed: the last number then, and the time of the first that stayed. */
  readonly #trimmed = new Map<
    number,
    { readonly last: number | undefined; readonly nextAt: number | undefined }
  >();

  /** @param contact the group's row number */
  constructor(profile: Profile, contact: number) {
    this.#profile = profile;
    this.#database = profile.database;
    this.#contact = contact;
  }

  /**
   * Deletes a part of what is older than `since`, ms since 1970, which takes some 20 ms.
   * @param feeds all of the group, by their rows
   * @returns the feed of which something went, if there was one, and whether there may be more
   */
  step(
    feeds: readonly StoredFeed[],
    since: number,
  ): { readonly feed: StoredFeed | undefined; readonly isMore: boolean } {
    const due = feeds.filter((feed) => this.#isDue(feed, since));
    const [begun = [], others = []] = [true, false].map((isNext) =>
      due.filter(({ id }) => id >= this.#last === isNext),
    );
    const inTurn = [...begun, ...others];
    for (const feed of inTurn.slice(0, LANES_AT_ONCE)) {
      this.#last = feed.id;
      if (this.#trimLane(feed, since)) return { feed, isMore: true };
    }
    return { feed: undefined, isMore: inTurn.length > LANES_AT_ONCE };
  }

  /** Texts have come to the front of a lane. */
  grew({ id }: StoredFeed): void {
    this.#trimmed.delete(id);
  }

  /** Whether something may go of a lane. */
  #isDue(feed: StoredFeed, since: number): boolean {
    const done = this.#trimmed.get(feed.id);
    if (done === undefined) return true;
    return done.nextAt === undefined
      ? this.#outermost(feed, "DESC")?.number !== done.last
      : done.nextAt < since;
  }

  /** @returns whether something went */
  #trimLane(feed: StoredFeed, since: number): boolean {
    const [first, last] = [this.#outermost(feed, "ASC"), this.#outermost(feed, "DESC")];
    if (first === undefined || last === undefined) {
      this.#trimmed.set(feed.id, { last: undefined, nextAt: undefined });
      return false;
    }
    const next = this.#firstSince(feed, first.number, last.number, since);
    // What nobody has yet is kept until somebody has it.
    const waiting = this.#waiting(feed);
    const belowText = Math.min(next, waiting);
    if (next > first.number) {
      const { deleted, isMore } = this.#profile.removal.deleteEntries(feed.id, belowText);
      if (isMore) return true;
      const counted = this.#firstSince(feed, first.number, last.number, last.at - DAY);
      const kept = Math.min(counted, last.number, belowText);
      if (this.#removeEarly(feed, first.number, kept, belowText) > 0 || deleted > 0) return true;
    }
    const nextAt = this.#at(feed, next);
    if (waiting > next) this.#trimmed.set(feed.id, { last: last.number, nextAt });
    return false;
  }

  /** Entries from `first` to before `kept`, some at once, and the bodies from there to before `belowText`. @returns how many entries went */
  #removeEarly(feed: StoredFeed, first: number, kept: number, belowText: number): number {
    const below = Math.min(kept, first + TRIMMED_AT_ONCE);
    const remove = this.#database.transaction(() => {
      // The newest row stays, because its number must not come again.
      this.#database.run(
        "DELETE FROM messages WHERE feed = ? AND number < ? AND seq < (SELECT max(seq) FROM messages)",
        [feed.id, below],
      );
      // What no message shows, as a late edit. A withdrawal stays readable for the others.
      this.#database.run(
        `UPDATE group_entries SET body = '${DROPPED}' WHERE feed = ? AND lane = 't' AND number BETWEEN ? AND ?
           AND body IS NOT '${DROPPED}' AND instr(header, ' withdraw ') = 0`,
        [feed.id, kept, belowText - 1],
      );
      return removeTexts(this.#database, feed, below);
    });
    return lightly(this.#database, () => remove.immediate());
  }

  /** The first number of a lane whose `at` is not below this one: it never falls from one entry to the next. */
  #firstSince(feed: StoredFeed, first: number, last: number, at: number): number {
    let [from, to] = [first, last + 1];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if ((this.#at(feed, middle) ?? 0) < at) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #at({ id }: StoredFeed, number: number): number | undefined {
    return this.#database
      .query<{ at: number }, [number, number]>(
        "SELECT at FROM group_entries WHERE feed = ? AND lane = 't' AND number = ?",
      )
      .get(id, number)?.at;
  }

  #outermost({ id }: StoredFeed, order: "ASC" | "DESC"): { number: number; at: number } | undefined {
    return (
      this.#database
        .query<{ number: number; at: number }, [number]>(
          `SELECT number, at FROM group_entries WHERE feed = ? AND lane = 't' ORDER BY number ${order} LIMIT 1`,
        )
        .get(id) ?? undefined
    );
  }

  /** The first number of a feed that nobody else has, as long as somebody could get it. */
  #waiting({ id, isOwn }: StoredFeed): number {
    if (!isOwn) return Infinity;
    return (
      this.#database
        .query<{ number: number | null }, [number, number]>(
          `SELECT min(number) AS number FROM messages WHERE contact = ? AND ${IN_OUTBOX} AND feed = ?
             AND contact IN (SELECT contact FROM groups WHERE state = 'joined')`,
        )
        .get(this.#contact, id)?.number ?? Infinity
    );
  }
}
