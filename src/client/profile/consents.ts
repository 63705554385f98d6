/** Who may write to this account (PROTOCOL 5, «Consent»): contacts, strangers and their requests, and who was refused. */
import type { Database } from "bun:sqlite";

import { CONSENT } from "../disk/schema.ts";
import { lightly } from "../disk/write-ahead-log.ts";
import type { Contact } from "./contacts.ts";

/** What a stranger has sent so far. */
export type StrangerRequest = {
  /** When it began, ms since 1970. */
  readonly since: number;
  /** Where it came from, as `networkOf` gives it; empty: unknown. */
  readonly network: string;
  /** It consists of their messages with a greater `seq`. */
  readonly afterSeq: number;
  readonly texts: number;
  readonly actions: number;
  readonly bytes: number;
};
/** What somebody who was taken unasked has sent: in all, and on one day (days since 1970, UTC). */
export type Unasked = { readonly bytes: number; readonly day: number; readonly dayBytes: number };

export type Consent =
  /** Nothing of theirs is kept: this account has neither written to them nor accepted them. */
  | { readonly name: "stranger" }
  | { readonly name: "request"; readonly request: StrangerRequest }
  /** Accepted by itself, because anyone may write. */
  | { readonly name: "unasked"; readonly unasked: Unasked }
  /** Written to, or accepted. */
  | { readonly name: "contact" }
  | { readonly name: "declined" }
  | { readonly name: "blocked" };

type RequestCounts = { readonly all: number; readonly ofNetwork: number; readonly recent: number };

/** As people and programs see it. */
export type ContactState = "contact" | "request" | "declined" | "blocked" | "stranger";

export function contactState({ name }: Consent): ContactState {
  return name === "unasked" ? "contact" : name;
}

/** What a contact has to be told of being accepted. `told`: it was written on a link, and nothing of theirs has arrived since. */
export type Acceptance = "settled" | "untold" | "told";
/** The numbers of `contacts.acceptance`. */
const ACCEPTANCES: readonly Acceptance[] = ["settled", "untold", "told"];

/** What a person has said about our texts. */
export type Answer = "nothing" | "held" | "accepted";
/** The numbers of `contacts.answer`. */
const ANSWERS: readonly Answer[] = ["nothing", "held", "accepted"];

type ConsentRow = {
  consent: number;
  is_blocked: number;
  declined_until: number | null;
  since: number | null;
  network: string;
  after_seq: number;
  texts: number;
  actions: number;
  bytes: number;
  unasked_bytes: number | null;
  day: number;
  day_bytes: number;
};

const NOTHING_UNASKED: Unasked = { bytes: 0, day: 0, dayBytes: 0 };

/** The columns of a `ConsentRow`, and where they are. */
const COLUMNS = `consent, is_blocked, declined_until, since, network, after_seq, texts, actions, requests.bytes AS bytes,
  unasked.bytes AS unasked_bytes, day, day_bytes
  FROM contacts LEFT JOIN requests ON requests.contact = id LEFT JOIN unasked ON unasked.contact = id`;

function consentOf(row: ConsentRow, now: number): Consent {
  if (row.is_blocked === 1) return { name: "blocked" };
  if (row.consent === CONSENT.contact) return { name: "contact" };
  if (row.declined_until !== null && row.declined_until > now) return { name: "declined" };
  if (row.consent === CONSENT.unasked) {
    const { unasked_bytes: bytes, day, day_bytes: dayBytes } = row;
    return { name: "unasked", unasked: bytes === null ? NOTHING_UNASKED : { bytes, day, dayBytes } };
  }
  // Zero: it is over.
  if (row.since === null || row.since === 0) return { name: "stranger" };
  const { since, network, after_seq: afterSeq, texts, actions, bytes } = row;
  return { name: "request", request: { since, network, afterSeq, texts, actions, bytes } };
}

/** Every method throws SQLiteError when the disk fails. */
export class ConsentStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @param now ms since 1970 */
  of({ id }: Pick<Contact, "id">, now: number): Consent {
    const row = this.#database.query<ConsentRow, [number]>(`SELECT ${COLUMNS} WHERE id = ?`).get(id);
    return row === null ? { name: "stranger" } : consentOf(row, now);
  }

  /** Runs work of several stores in one transaction. */
  inOneCommit<T>(work: () => T): T {
    return lightly(this.#database, () => this.#database.transaction(work).immediate());
  }

  isContact(label: string): boolean {
    return this.#has(label, `consent = ${CONSENT.contact} AND is_blocked = 0`);
  }

  /** Of all people who may write. */
  contactLabels(): string[] {
    return this.#database
      .query<{ label: string }, []>(
        `SELECT label FROM contacts
         WHERE consent <> ${CONSENT.stranger} AND is_blocked = 0 AND id NOT IN (SELECT contact FROM groups)`,
      )
      .all()
      .map(({ label }) => label);
  }

  isBlocked(label: string): boolean {
    return this.#has(label, "is_blocked = 1");
  }

  #has(label: string, condition: string): boolean {
    return (
      this.#database.query(`SELECT 1 FROM contacts WHERE label = ? AND ${condition}`).get(label) !== null
    );
  }

  /** The last known addresses of all contacts. */
  contactAddresses(): string[] {
    return this.#database
      .query<{ ip: string }, []>(
        `SELECT json_extract(value, '$.ip') AS ip FROM contacts, json_each(targets)
         WHERE consent = ${CONSENT.contact} AND is_blocked = 0`,
      )
      .all()
      .map(({ ip }) => ip);
  }

  /**
   * A text to this person is being committed: that accepts them. Runs inside its transaction. Who was kept waiting has
   * to be told.
   */
  wroteTo({ id }: Contact): void {
    const { changes } = this.#database
      .query(
        `UPDATE contacts SET consent = ${CONSENT.contact}, declined_until = NULL,
           acceptance = iif(declined_until IS NOT NULL OR EXISTS (SELECT 1 FROM requests WHERE contact = ?1), 1, acceptance)
         WHERE id = ?1 AND consent <> ${CONSENT.contact}`,
      )
      .run(id);
    if (changes > 0) this.#accepted(id);
  }

  /** They may write from now on, and have to be told, unless they were a contact already. */
  accept({ id }: Contact): void {
    this.#database
      .transaction(() => {
        this.#database.run(
          `UPDATE contacts SET acceptance = iif(consent = ${CONSENT.contact}, acceptance, 1),
             consent = ${CONSENT.contact}, declined_until = NULL, is_blocked = 0 WHERE id = ?`,
          [id],
        );
        this.#accepted(id);
      })
      .immediate();
  }

  /** Their request's texts become unread messages. */
  #accepted(id: number): void {
    this.#database.run("DELETE FROM unasked WHERE contact = ?", [id]);
    const { changes } = this.#database.run("DELETE FROM requests WHERE contact = ?", [id]);
    if (changes > 0)
      this.#database.run("UPDATE messages SET printed = 0 WHERE contact = ? AND kind = 0 AND printed = 2", [
        id,
      ]);
  }

  /** Their request goes, and further texts are held until a time, ms since 1970. */
  decline(contact: Contact, until: number): void {
    this.#refuse(contact, `consent = ${CONSENT.stranger}, acceptance = 0, declined_until = ${Number(until)}`);
  }

  /** Their request goes, and nothing of theirs is taken until `unblock`. */
  block(contact: Contact): void {
    this.#refuse(contact, "is_blocked = 1");
  }

  /** They are again what they were before they were blocked. */
  unblock({ id }: Contact): void {
    this.#database.run("UPDATE contacts SET is_blocked = 0 WHERE id = ?", [id]);
  }

  /** They are a stranger again, whose next text is a request. */
  remove(contact: Contact): void {
    this.#refuse(contact, `consent = ${CONSENT.stranger}, acceptance = 0, declined_until = NULL`);
  }

  /** The request's texts are deleted little by little: see `over`. */
  #refuse({ id }: Contact, change: string): void {
    this.#database
      .transaction(() => {
        this.#database.run(`UPDATE contacts SET ${change} WHERE id = ?`, [id]);
        this.#database.run("UPDATE requests SET since = 0 WHERE contact = ?", [id]);
        this.#database.run("DELETE FROM unasked WHERE contact = ?", [id]);
      })
      .immediate();
  }

  /** A request of somebody that is over, because it was refused or began before `since` (ms since 1970). */
  over(since: number): { readonly contact: Pick<Contact, "id">; readonly afterSeq: number } | undefined {
    const row = this.#database
      .query<{ contact: number; after_seq: number }, [number]>(
        "SELECT contact, after_seq FROM requests WHERE since < ? LIMIT 1",
      )
      .get(since);
    return row === null ? undefined : { contact: { id: row.contact }, afterSeq: row.after_seq };
  }

  /** Its texts are deleted. */
  forgetRequest({ id }: Pick<Contact, "id">): void {
    this.#database.run("DELETE FROM requests WHERE contact = ?", [id]);
  }

  /** How many requests there are, how many of them came from one network, and how many began after `since` (ms since 1970). */
  requestCounts(network: string, since: number): RequestCounts {
    return this.#database
      .query<RequestCounts, [string, number]>(
        `SELECT count(*) AS "all", count(*) FILTER (WHERE network = ?) AS ofNetwork,
           count(*) FILTER (WHERE since > ?) AS recent FROM requests`,
      )
      .get(network, since) as RequestCounts;
  }

  /** The row numbers of who waits for an answer, with the number of their texts, in the order in which they came. */
  requests(): readonly { readonly contact: number; readonly texts: number }[] {
    return this.#database
      .query<{ contact: number; texts: number }, []>(
        "SELECT contact, texts FROM requests WHERE since > 0 ORDER BY since, contact",
      )
      .all();
  }

  /** What everybody is who is stored, by label. @param now ms since 1970 */
  all(
    now: number,
  ): ReadonlyMap<string, { readonly state: ContactState; readonly request: number | undefined }> {
    const rows = this.#database
      .query<ConsentRow & { label: string }, []>(`SELECT label, ${COLUMNS}`)
      .all()
      .map((row) => {
        const consent = consentOf(row, now);
        const request = consent.name === "request" ? consent.request.texts : undefined;
        return [row.label, { state: contactState(consent), request }] as const;
      });
    return new Map(rows);
  }

  /** Stores what a stranger has sent, whose messages are in the same commit. Runs inside its transaction. */
  save({ id }: Contact, consent: Extract<Consent, { name: "request" | "unasked" }>): void {
    if (consent.name === "request") {
      const { since, network, afterSeq, texts, actions, bytes } = consent.request;
      this.#database
        .query("INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?, ?, ?, ?)")
        .run(id, since, network, afterSeq, texts, actions, bytes);
      this.#database
        .query(
          "UPDATE messages SET printed = 2 WHERE contact = ? AND seq > ? AND kind = 0 AND outgoing = 0 AND printed = 0",
        )
        .run(id, afterSeq);
      return;
    }
    const { bytes, day, dayBytes } = consent.unasked;
    this.#database.query("INSERT OR REPLACE INTO unasked VALUES (?, ?, ?, ?)").run(id, bytes, day, dayBytes);
    this.#database.query(`UPDATE contacts SET consent = ${CONSENT.unasked} WHERE id = ?`).run(id);
  }

  /** Bytes of everybody who was taken unasked. */
  unaskedBytes(): number {
    return (
      this.#database
        .query<{ bytes: number }, []>("SELECT coalesce(sum(bytes), 0) AS bytes FROM unasked")
        .get()?.bytes ?? 0
    );
  }

  /** From now on anyone may write: all requests are accepted by itself. */
  acceptAll(): void {
    this.#database
      .transaction(() => {
        const ids = "SELECT contact FROM requests WHERE since > 0";
        this.#database.run(`UPDATE contacts SET consent = ${CONSENT.unasked} WHERE id IN (${ids})`);
        this.#database.run(
          `UPDATE messages SET printed = 0 WHERE kind = 0 AND printed = 2 AND contact IN (${ids})`,
        );
        this.#database.run(
          `INSERT OR REPLACE INTO unasked SELECT contact, bytes, 0, 0 FROM requests WHERE since > 0`,
        );
        this.#database.run("DELETE FROM requests WHERE since > 0");
      })
      .immediate();
  }

  acceptance({ id }: Contact): Acceptance {
    return ACCEPTANCES[this.#number(id, "acceptance")] ?? "settled";
  }

  saveAcceptance({ id }: Contact, acceptance: Acceptance): void {
    this.#saveNumber(id, "acceptance", ACCEPTANCES.indexOf(acceptance));
  }

  /** Row numbers of the contacts who have not been told that they were accepted. */
  untold(): number[] {
    return this.#database
      .query<{ id: number }, []>("SELECT id FROM contacts WHERE acceptance = 1 AND is_blocked = 0")
      .all()
      .map(({ id }) => id);
  }

  answer({ id }: Contact): Answer {
    return ANSWERS[this.#number(id, "answer")] ?? "nothing";
  }

  saveAnswer({ id }: Contact, answer: Answer): void {
    this.#saveNumber(id, "answer", ANSWERS.indexOf(answer));
  }

  #number(id: number, column: "acceptance" | "answer"): number {
    return (
      this.#database
        .query<{ number: number }, [number]>(`SELECT ${column} AS number FROM contacts WHERE id = ?`)
        .get(id)?.number ?? 0
    );
  }

  #saveNumber(id: number, column: "acceptance" | "answer", number: number): void {
    this.#database.run(`UPDATE contacts SET ${column} = ?1 WHERE id = ?2 AND ${column} <> ?1`, [number, id]);
  }
}
