/**
 * Contacts: the people with whom this account has exchanged messages, their keys and last addresses. Each group has a
 * row here too, because it is a conversation as well: its label and its name are `#` and its id.
 */
import type { Database } from "bun:sqlite";

import { label as labelOf } from "../../identity/names.ts";
import type { Target } from "../../net/dialler.ts";
import { CONSENT } from "../disk/schema.ts";
import { lightly } from "../disk/write-ahead-log.ts";

export type Contact = {
  /** Row number in this profile; 0: not stored. */
  readonly id: number;
  readonly label: string;
  /** The registered spelling as last received; before that, as it was typed. */
  readonly username: string;
};
/** `until`: ms since 1970 */
export type Muted = { readonly username: string; readonly until: number };
export type ContactKey = { readonly fingerprint: string; readonly spki: Buffer };
/** A key that the person has not accepted yet. `shown`: the fingerprint last shown to them, maybe of an earlier key. */
type PendingKey = ContactKey & { readonly shown: string | undefined };

/** What the contact of this name has as its label. An id of a group is not folded. */
function contactLabel(username: string): string {
  return isGroup({ label: username }) ? username : labelOf(username);
}

/** Whether it is a group; no label of a person begins so. */
export function isGroup({ label }: Pick<Contact, "label">): boolean {
  return label.startsWith("#");
}

/** Somebody who is not stored: what is read of them is nothing, and no row has this number. */
export function unstored(username: string): Contact {
  return { id: 0, label: contactLabel(username), username };
}

/** Limit of pinned keys of one contact: one for each device, and room for abandoned ones. */
export const MAX_PINS = 32;

const CONTACTS = "SELECT id, label, username FROM contacts";

const IS_PERSON = "label NOT GLOB '#*'";
const IS_LISTED = `(consent <> ${CONSENT.stranger} AND is_blocked = 0
  OR EXISTS (SELECT 1 FROM messages WHERE contact = contacts.id AND kind = 0))`;

type KeyRow = { fingerprint: string; spki: Uint8Array };

function keyOf(row: KeyRow): ContactKey {
  return { fingerprint: row.fingerprint, spki: Buffer.from(row.spki) };
}

export class ContactStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The contact of this name, which is made if it is new. */
  ensure(username: string): Contact {
    const label = contactLabel(username);
    this.#database.run("INSERT INTO contacts (label, username) VALUES (?, ?) ON CONFLICT DO NOTHING", [
      label,
      username,
    ]);
    return this.byLabel(label) as Contact;
  }

  find(username: string): Contact | undefined {
    return this.byLabel(contactLabel(username));
  }

  byLabel(label: string): Contact | undefined {
    return this.#database.query<Contact, [string]>(`${CONTACTS} WHERE label = ?`).get(label) ?? undefined;
  }

  byId(id: number): Contact | undefined {
    return this.#database.query<Contact, [number]>(`${CONTACTS} WHERE id = ?`).get(id) ?? undefined;
  }

  /** People and groups. */
  all(): Contact[] {
    return this.#database.query<Contact, []>(CONTACTS).all();
  }

  /** The people who may write, and those with at least one stored message, to them or from them. */
  listed(): Contact[] {
    return this.#database.query<Contact, []>(`${CONTACTS} WHERE ${IS_PERSON} AND ${IS_LISTED}`).all();
  }

  /**
   * Everybody of whom something is known: also those who have shown a key, ask to write, were refused, have a draft, are
   * quiet, or have signs of their own. @param now ms since 1970
   */
  known(now: number): Contact[] {
    return this.#database
      .query<Contact, [number]>(
        `${CONTACTS} WHERE ${IS_PERSON} AND (
           is_blocked = 1 OR declined_until > ?1 OR muted_until > ?1 OR ${IS_LISTED}
           OR id IN (SELECT contact FROM pins UNION ALL SELECT contact FROM pending_keys
             UNION ALL SELECT contact FROM requests WHERE since > 0
             UNION ALL SELECT contact FROM drafts UNION ALL SELECT contact FROM privacy))`,
      )
      .all(now);
  }

  /**
   * The groups, and those whom this person knows, with whom there are messages, or a draft: the newest message first.
   * @param limit at least 1
   */
  recent(limit: number): Contact[] {
    return this.#database
      .query<Contact, [number]>(
        `SELECT id, label, username FROM (
           SELECT *, (SELECT max(seq) FROM messages WHERE contact = contacts.id AND kind = 0) AS last
           FROM contacts WHERE is_blocked = 0)
         WHERE consent <> ${CONSENT.stranger} AND last IS NOT NULL OR id IN (SELECT contact FROM drafts)
         ORDER BY last DESC NULLS LAST, id LIMIT ?`,
      )
      .all(limit);
  }

  /** Nothing of theirs is announced until then, ms since 1970; undefined: it is. */
  mute(contact: Contact, until: number | undefined): void {
    this.#database.run("UPDATE contacts SET muted_until = ? WHERE id = ?", [until ?? null, contact.id]);
  }

  /** Until when nothing of theirs is announced, ms since 1970; undefined: it is. */
  mutedUntil({ id }: Contact, now: number): number | undefined {
    return this.#database
      .query<{ until: number }, [number, number]>(
        "SELECT muted_until AS until FROM contacts WHERE id = ? AND muted_until > ?",
      )
      .get(id, now)?.until;
  }

  /** The people and groups of whom nothing is announced, and until when, by the row number; times are ms since 1970. */
  muted(now: number): ReadonlyMap<number, Muted> {
    const rows = this.#database
      .query<{ id: number } & Muted, [number]>(
        "SELECT id, username, muted_until AS until FROM contacts WHERE muted_until > ?",
      )
      .all(now);
    return new Map(rows.map(({ id, ...muted }) => [id, muted]));
  }

  rename(contact: Contact, username: string): void {
    if (contact.username === username || labelOf(username) !== contact.label) return;
    this.#database.run("UPDATE contacts SET username = ? WHERE id = ?", [username, contact.id]);
  }

  targets(contact: Contact): readonly Target[] {
    return this.#list<Target>(contact, "targets") ?? [];
  }

  saveTargets(contact: Contact, targets: readonly Target[]): void {
    this.#saveList(contact, "targets", targets);
  }

  /** The features that their client named on the last link; undefined: unknown. */
  features(contact: Contact): readonly string[] | undefined {
    return this.#list(contact, "features");
  }

  saveFeatures(contact: Contact, features: readonly string[]): void {
    this.#saveList(contact, "features", features);
  }

  #list<T>(contact: Contact, column: "targets" | "features"): readonly T[] | undefined {
    const row = this.#database
      .query<{ list: string | null }, [number]>(`SELECT ${column} AS list FROM contacts WHERE id = ?`)
      .get(contact.id);
    return row === null || row.list === null ? undefined : (JSON.parse(row.list) as T[]);
  }

  #saveList(contact: Contact, column: "targets" | "features", list: readonly unknown[]): void {
    this.#database
      .query(`UPDATE contacts SET ${column} = ?1 WHERE id = ?2 AND ${column} IS NOT ?1`)
      .run(JSON.stringify(list), contact.id);
  }

  /** The id of their newest message that a person has read here. */
  readHere(contact: Contact): string | undefined {
    return this.#database
      .query<{ id: string }, [number]>(
        "SELECT messages.id FROM contacts JOIN messages ON seq = read_here WHERE contacts.id = ?",
      )
      .get(contact.id)?.id;
  }

  /**
   * The person has read up to `seq`; an earlier `seq` changes nothing. If `seq` is not a text of this contact,
   * their newest text before it is stored: a message that was withdrawn before it arrived is not in their order.
   */
  saveReadHere(contact: Contact, seq: number): void {
    const save = this.#database.query(
      `UPDATE contacts SET read_here = theirs.seq FROM (
         SELECT max(seq) AS seq FROM (
           SELECT seq FROM messages WHERE seq = ?2 AND contact = ?1 AND outgoing = 0
             AND (kind = 0 OR kind = 3 AND withdrawn_at IS NULL)
           UNION ALL SELECT * FROM (
             SELECT seq FROM messages WHERE kind = 0 AND contact = ?1 AND seq <= ?2 AND outgoing = 0
             ORDER BY seq DESC LIMIT 1))) AS theirs
       WHERE id = ?1 AND read_here < theirs.seq`,
    );
    lightly(this.#database, () => save.run(contact.id, seq));
  }

  pins(contact: Contact): ContactKey[] {
    return this.#database
      .query<KeyRow, [number]>("SELECT fingerprint, spki FROM pins WHERE contact = ? ORDER BY pinned_at DESC")
      .all(contact.id)
      .map(keyOf);
  }

  /** The pinned keys of these people, base64, by label; those of whom none is pinned are left out. */
  pinsOf(labels: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
    const rows = this.#database
      .query<{ label: string; spki: Uint8Array }, [string]>(
        `SELECT label, spki FROM pins JOIN contacts ON id = contact WHERE label IN (SELECT value FROM json_each(?))`,
      )
      .all(JSON.stringify(labels));
    const pins = Map.groupBy(rows, ({ label }) => label);
    return new Map(
      [...pins].map(([label, all]) => [
        label,
        new Set(all.map(({ spki }) => Buffer.from(spki).toString("base64"))),
      ]),
    );
  }

  hasPins(contact: Contact): boolean {
    return this.#database.query("SELECT 1 FROM pins WHERE contact = ? LIMIT 1").get(contact.id) !== null;
  }

  isPinned(label: string, fingerprint: string): boolean {
    return (
      this.#database
        .query(
          "SELECT 1 FROM pins JOIN contacts ON contacts.id = contact WHERE label = ? AND fingerprint = ?",
        )
        .get(label, fingerprint) !== null
    );
  }

  pin(contact: Contact, key: ContactKey, now: number): void {
    this.#database.transaction(() => {
      this.#database.run(
        "INSERT OR IGNORE INTO pins (contact, spki, fingerprint, pinned_at) VALUES (?, ?, ?, ?)",
        [contact.id, key.spki, key.fingerprint, now],
      );
      this.#database.run("DELETE FROM pending_keys WHERE contact = ? AND fingerprint = ?", [
        contact.id,
        key.fingerprint,
      ]);
      this.#database.run(
        `DELETE FROM pins WHERE contact = ? AND fingerprint NOT IN
         (SELECT fingerprint FROM pins WHERE contact = ? ORDER BY pinned_at DESC LIMIT ?)`,
        [contact.id, contact.id, MAX_PINS],
      );
    })();
  }

  pendingKey(contact: Contact): PendingKey | undefined {
    const row = this.#database
      .query<KeyRow & { shown: string | null }, [number]>(
        "SELECT fingerprint, spki, shown FROM pending_keys WHERE contact = ?",
      )
      .get(contact.id);
    return row === null ? undefined : { ...keyOf(row), shown: row.shown ?? undefined };
  }

  /** Stores a key that the person has to accept. @returns false: it was pending already */
  savePendingKey(contact: Contact, key: ContactKey, now: number): boolean {
    if (this.pendingKey(contact)?.fingerprint === key.fingerprint) return false;
    this.#database.run(
      `INSERT INTO pending_keys (contact, spki, fingerprint, seen_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET spki = excluded.spki, fingerprint = excluded.fingerprint, seen_at = excluded.seen_at`,
      [contact.id, key.spki, key.fingerprint, now],
    );
    return true;
  }

  /** This fingerprint was shown to the person. */
  markShown(contact: Contact, fingerprint: string): void {
    this.#database.run("UPDATE pending_keys SET shown = ? WHERE contact = ?", [fingerprint, contact.id]);
  }
}
