/**
 * Full-text search over all conversations. Words are indexed while the program is idle and before a search, not
 * when a message is stored, so that conversations do not wait for it.
 */
import type { Database } from "bun:sqlite";

import { normalForm } from "../../protocol/normal-form.ts";
import { MESSAGE_COLUMNS, messageOf, type MessageRow, type StoredMessage } from "./stored-message.ts";

/** Messages, and bytes of them, indexed in one commit: nothing else waits for it for more than about 10 ms. */
const INDEX_BATCH = 500;
const INDEX_BYTES = 64 * 1024;

/** Words that are searched; further ones are ignored. */
const MAX_WORDS = 32;

/**
 * A word up to its 32nd part of letters and digits. Each part is a token of the index, with which such a word is a
 * phrase: FTS5 takes a minute for a phrase of thousands.
 */
const WORD = /^(?:[^\p{L}\p{N}]*[\p{L}\p{N}][\p{L}\p{N}\p{Co}\u0300-\u036f]*){1,32}/u;

/**
 * The typed words as an FTS5 query: each word is quoted, so that it is never an operator, and all must occur.
 * Undefined: there is no letter or digit.
 */
export function searchQuery(typed: string): string | undefined {
  // A zero byte would end the query in the middle of a quoted word.
  const words = new Set(
    normalForm(typed)
      .split(/[\s\p{Cc}]+/u)
      .flatMap((word) => WORD.exec(word) ?? []),
  );
  const quoted = [...words].slice(0, MAX_WORDS).map((word) => `"${word.replaceAll('"', '""')}"`);
  return quoted.length === 0 ? undefined : quoted.join(" ");
}

export class MessageSearch {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Indexes the next messages: at least one, whatever its length. @returns whether more are left. @throws SQLiteError */
  indexSome(): boolean {
    return this.#database
      .transaction(() => {
        const { from, last } = this.#database
          .query<{ from: number; last: number }, []>(
            `SELECT seq AS "from", coalesce((SELECT max(seq) FROM messages), 0) AS last FROM search_progress`,
          )
          .get() ?? { from: 0, last: 0 };
        if (from >= last) return false;
        const to = this.#endOfPiece(from, Math.min(last, from + INDEX_BATCH));
        this.#database.run(
          `INSERT INTO message_words (rowid, text)
           SELECT seq, text FROM messages WHERE seq > ? AND seq <= ? AND kind = 0 AND text <> ''`,
          [from, to],
        );
        this.#database.run("UPDATE search_progress SET seq = ?", [to]);
        return to < last;
      })
      .immediate();
  }

  /** The last `seq` after `from`, and not after `to`, up to which the texts are short enough for one commit. */
  #endOfPiece(from: number, to: number): number {
    const sizes = this.#database
      .query<{ seq: number; bytes: number }, [number, number]>(
        "SELECT seq, octet_length(text) AS bytes FROM messages WHERE seq > ? AND seq <= ? ORDER BY seq",
      )
      .all(from, to);
    let total = 0;
    for (const [index, { bytes }] of sizes.entries()) {
      total += bytes;
      if (index > 0 && total > INDEX_BYTES) return sizes[index - 1]?.seq ?? to;
    }
    return to;
  }

  /** Whether some messages are not indexed yet. */
  get isBehind(): boolean {
    return (
      this.#database
        .query("SELECT 1 FROM search_progress WHERE seq < (SELECT max(seq) FROM messages)")
        .get() !== null
    );
  }

  /** Indexes the rest. @throws SQLiteError */
  catchUp(): void {
    while (this.isBehind && this.indexSome());
  }

  /**
   * The messages that contain all these words, in any order, regardless of accents and case: the newest `limit`
   * of those with a `seq` below `before`, newest first.
   * @param query from `searchQuery`
   */
  newest(query: string, before: number, limit: number): StoredMessage[] {
    return this.#find(query, "rowid < ?2 ORDER BY rowid DESC", before, limit);
  }

  /** As `newest`, but the oldest of those with a `seq` above `after`, oldest first. */
  oldest(query: string, after: number, limit: number): StoredMessage[] {
    return this.#find(query, "rowid > ?2 ORDER BY rowid", after, limit);
  }

  #find(query: string, range: string, edge: number, limit: number): StoredMessage[] {
    return this.#database
      .query<MessageRow, [string, number, number]>(
        `SELECT ${MESSAGE_COLUMNS} FROM (SELECT rowid FROM message_words WHERE message_words MATCH ?1 AND ${range} LIMIT ?3)
         AS hit JOIN messages ON messages.seq = hit.rowid ORDER BY ${range.includes("DESC") ? "seq DESC" : "seq"}`,
      )
      .all(query, edge, limit)
      .map(messageOf);
  }
}
