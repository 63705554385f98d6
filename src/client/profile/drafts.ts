/** Drafts: what stands unsent in the input lines of chats. */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";

/** What was typed and what was pasted, in turn, beginning with what was typed; empty: nothing. */
export type Draft = readonly string[];

/** Characters of a draft that a list needs. */
const BEGINNING = 512;

/** Every method throws SQLiteError when the disk fails. */
export class DraftStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  of({ id }: Contact): Draft {
    const row = this.#database
      .query<{ parts: string }, [number]>("SELECT parts FROM drafts WHERE contact = ?")
      .get(id);
    return row === null ? [] : (JSON.parse(row.parts) as string[]);
  }

  /** Blank ones are not kept. */
  save({ id }: Contact, draft: Draft): void {
    if (draft.join("").trim() === "") this.#database.run("DELETE FROM drafts WHERE contact = ?", [id]);
    else this.#database.run("INSERT OR REPLACE INTO drafts VALUES (?, ?)", [id, JSON.stringify(draft)]);
  }

  /** As for a deleted text, nothing of it stays in the files (`TextWipe`). */
  delete({ id }: Contact): void {
    this.#database
      .transaction(() => {
        const { changes } = this.#database.run("DELETE FROM drafts WHERE contact = ?", [id]);
        if (changes > 0) this.#database.run("UPDATE wipes SET deletions = deletions + 1");
      })
      .immediate();
  }

  /** The beginnings of all drafts, by the contact's row number. */
  beginnings(): ReadonlyMap<number, string> {
    const rows = this.#database
      .query<{ contact: number; beginning: string }, []>(
        `SELECT contact, substr(group_concat(value, ''), 1, ${BEGINNING}) AS beginning
         FROM drafts, json_each(parts) GROUP BY contact`,
      )
      .all();
    return new Map(rows.map(({ contact, beginning }) => [contact, beginning]));
  }
}
