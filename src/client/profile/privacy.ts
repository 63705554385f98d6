/** What other people are told of this person: that a message was read, and that something is being typed. */
import type { Database } from "bun:sqlite";

import type { Contact } from "./contacts.ts";

export type Sign = "read" | "typing";
/** `default`: as for everybody; for everybody itself, `on`. */
export type SignChoice = "on" | "off" | "default";

/** Stands for everybody who has no choice of their own; no contact has this row number. */
const EVERYBODY = 0;

export class PrivacyStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether this contact is told. @throws SQLiteError */
  tells(sign: Sign, contact: Contact): boolean {
    const own = this.chosen(sign, contact);
    return (own === "default" ? this.chosen(sign) : own) !== "off";
  }

  /** What was chosen for one contact, or for everybody. @throws SQLiteError */
  chosen(sign: Sign, contact?: Contact): SignChoice {
    const row = this.#database
      .query<{ told: number }, [number, string]>("SELECT told FROM privacy WHERE contact = ? AND sign = ?")
      .get(contact?.id ?? EVERYBODY, sign);
    if (row === null) return "default";
    return row.told === 1 ? "on" : "off";
  }

  /** @throws SQLiteError */
  choose(sign: Sign, choice: SignChoice, contact?: Contact): void {
    const id = contact?.id ?? EVERYBODY;
    if (choice === "default")
      this.#database.run("DELETE FROM privacy WHERE contact = ? AND sign = ?", [id, sign]);
    else {
      const told = choice === "on" ? 1 : 0;
      this.#database.run("INSERT OR REPLACE INTO privacy VALUES (?, ?, ?)", [id, sign, told]);
    }
  }
}
