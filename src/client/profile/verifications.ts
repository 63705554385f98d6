/**
 * Who was verified by the code, and how soon the next code may be compared. The pinned keys of a contact are verified all
 * or none: a key that nobody has verified counts no more once another one of the same person is.
 */
import type { Database } from "bun:sqlite";

import type { Contact, ContactKey, ContactStore } from "./contacts.ts";

/** The wait after the first code that did not verify, after the second one, and so on, in ms; the last one stays. */
export const GUESS_WAITS: readonly number[] = [10_000, 60_000, 600_000, 3_600_000];

export class VerificationStore {
  readonly #database: Database;
  readonly #contacts: ContactStore;

  constructor(database: Database, contacts: ContactStore) {
    this.#database = database;
    this.#contacts = contacts;
  }

  /** When the person was last verified, ms since 1970; undefined: they are not verified. @throws SQLiteError */
  verifiedAt(contact: Contact): number | undefined {
    const row = this.#database
      .query<{ at: number | null }, [number]>("SELECT max(verified_at) AS at FROM pins WHERE contact = ?")
      .get(contact.id);
    return row?.at ?? undefined;
  }

  /** The labels of all who are verified. @throws SQLiteError */
  verifiedLabels(): ReadonlySet<string> {
    const rows = this.#database
      .query<{ label: string }, []>(
        "SELECT label FROM contacts WHERE id IN (SELECT contact FROM pins WHERE verified_at IS NOT NULL)",
      )
      .all();
    return new Set(rows.map(({ label }) => label));
  }

  /** Pins this key as verified, drops those that are not, and forgets the guesses. @throws SQLiteError */
  verify(contact: Contact, key: ContactKey, now: number): void {
    this.#database.transaction(() => {
      this.#contacts.pin(contact, key, now);
      this.#database.run("UPDATE pins SET verified_at = ? WHERE contact = ? AND fingerprint = ?", [
        now,
        contact.id,
        key.fingerprint,
      ]);
      this.#database.run("DELETE FROM pins WHERE contact = ? AND verified_at IS NULL", [contact.id]);
      this.#database.run("UPDATE contacts SET guesses = 0, guessed_at = NULL WHERE id = ?", [contact.id]);
    })();
  }

  /** From now on the person counts as never verified; their keys stay pinned. @throws SQLiteError */
  withdraw(contact: Contact): void {
    this.#database.run("UPDATE pins SET verified_at = NULL WHERE contact = ?", [contact.id]);
  }

  /** Somebody in the middle could now have made one more guess. @throws SQLiteError */
  noteGuess(contact: Contact, now: number): void {
    this.#database.run("UPDATE contacts SET guesses = guesses + 1, guessed_at = ? WHERE id = ?", [
      now,
      contact.id,
    ]);
  }

  /** The code of the last guess was not confirmed: the wait begins now. After a verification there is none. @throws SQLiteError */
  noteEnd(contact: Contact, now: number): void {
    this.#database.run("UPDATE contacts SET guessed_at = ? WHERE id = ? AND guesses > 0", [now, contact.id]);
  }

  /** How long no further code may be compared, in ms; 0: it may. @param now ms since 1970 @throws SQLiteError */
  waitLeft(contact: Contact, now: number): number {
    const row = this.#database
      .query<{ guesses: number; at: number | null }, [number]>(
        "SELECT guesses, guessed_at AS at FROM contacts WHERE id = ?",
      )
      .get(contact.id);
    if (row === null || row.guesses === 0 || row.at === null) return 0;
    const wait = GUESS_WAITS[Math.min(row.guesses, GUESS_WAITS.length) - 1] as number;
    if (row.at <= now) return Math.max(row.at + wait - now, 0);
    // The clock was set back: the wait begins anew.
    this.#database.run("UPDATE contacts SET guessed_at = ? WHERE id = ?", [now, contact.id]);
    return wait;
  }
}
