/**
 * Full-text search over all conversations. Words are indexed while the program is idle and before a search, not
 * when a message is stored, so that conversations do not wait for it.
 */
import type { Database, Statement } from "bun:sqlite";

import { wordsOf } from "../../protocol/normal-form.ts";
import { MESSAGE_COLUMNS, messageOf, type MessageRow, type StoredMessage } from "./stored-message.ts";

/** Messages, and bytes of them, indexed in one commit: nothing else waits for it for more than about 10 ms. */
const INDEX_BATCH = 500;
const INDEX_BYTES = 64 * 1024;

/** Words that are searched; further ones are ignored. */
const MAX_WORDS = 32;

/** Words of one typed word, as of «l'eau» or of 上海, that are searched as a phrase. FTS5 takes a minute for one of thousands. */
const MAX_PHRASE = 32;

/** Texts whose words the tokenizer splits and folds as `wordsOf` does: those of Western Europe without `æ`, `ß` and the like. */
const PLAIN = /^[\t\n\r -~¡¿À-ÅÇ-ÏÑ-ÖÙ-Ýà-åç-ïñ-öù-ýÿ‘’“”…–—€]*$/;

/**
 * The typed words as an FTS5 query: each word is quoted, so that it is never an operator, and all must occur.
 * Undefined: there is no letter or digit.
 */
export function searchQuery(typed: string): string | undefined {
  const phrases = new Set<string>();
  for (const word of new Set(typed.split(/[\s\p{Cc}]+/u))) {
    const phrase = wordsOf(word).slice(0, MAX_PHRASE).join(" ");
    if (phrase !== "") phrases.add(`"${phrase}"`);
    if (phrases.size === MAX_WORDS) break;
  }
  return phrases.size === 0 ? undefined : [...phrases].join(" ");
}

type Text = { readonly seq: number; readonly text: string };

export class MessageSearch {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Indexes the next messages, if any: at least one, whatever its length. @returns whether more are left. @throws SQLiteError */
  indexSome(): boolean {
    this.#database.transaction(() => this.#indexChanged() || this.#indexNext()).immediate();
    return this.isBehind;
  }

  /** Indexes texts that were changed after they had been indexed. @returns false: there is none */
  #indexChanged(): boolean {
    const changed = this.#database.prepare<Text, []>(
      "SELECT seq, text FROM changed_texts JOIN messages USING (seq) ORDER BY seq",
    );
    const last = this.#index(changed);
    if (last === undefined) return false;
    this.#database.run("DELETE FROM changed_texts WHERE seq <= ?", [last]);
    return true;
  }

  #indexNext(): void {
    const next = this.#database.prepare<Text, []>(
      `SELECT seq, iif(kind = 0, text, '') AS text FROM messages
       WHERE seq > (SELECT seq FROM search_progress) ORDER BY seq`,
    );
    const last = this.#index(next);
    if (last !== undefined) this.#database.run("UPDATE search_progress SET seq = ?", [last]);
  }

  /** Indexes as many of these texts as one commit may. @returns the `seq` of the last one; undefined: there are none */
  #index(texts: Statement<Text, []>): number | undefined {
    const add = this.#database.query("INSERT INTO message_words (rowid, text) VALUES (?, ?)");
    const keep = this.#database.query("INSERT INTO folded_texts (seq, text) VALUES (?, ?)");
    let last: number | undefined;
    let count = 0;
    let bytes = 0;
    try {
      for (const { seq, text } of texts.iterate()) {
        const isPlain = PLAIN.test(text);
        const indexed = isPlain ? text : wordsOf(text).join(" ");
        bytes += Buffer.byteLength(indexed);
        if (count > 0 && (count === INDEX_BATCH || bytes > INDEX_BYTES)) break;
        count++;
        last = seq;
        if (text === "") continue;
        add.run(seq, indexed);
        if (!isPlain) keep.run(seq, indexed);
      }
    } finally {
      texts.finalize();
    }
    return last;
  }

  /** Whether some messages are not indexed yet. */
  get isBehind(): boolean {
    return (
      this.#database
        .query(
          `SELECT 1 FROM search_progress WHERE seq < (SELECT max(seq) FROM messages)
           UNION ALL SELECT 1 FROM changed_texts LIMIT 1`,
        )
        .get() !== null
    );
  }

  /** How much of the messages is indexed, in percent from 0 to 100. */
  get percentIndexed(): number {
    const row = this.#database
      .query<{ percent: number }, []>(
        "SELECT 100 * seq / max(1, (SELECT coalesce(max(seq), 0) FROM messages)) AS percent FROM search_progress",
      )
      .get();
    return row?.percent ?? 0;
  }

  /**
   * The messages that contain all these words, in any order, in the form that `wordsOf` gives them: the newest `limit`
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
