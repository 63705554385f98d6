/**
 * The messages that people see of a group's entries, each in the conversation of its group. All of it runs inside the
 * transaction that stores the entries.
 */
import type { Database, Statement } from "bun:sqlite";
import { hash } from "node:crypto";

import type { GroupFile, GroupText } from "../../../identity/group-body.ts";
import { parseBody, type GroupEntry } from "../../../identity/group-entry.ts";
import { KIND, STATE } from "../../disk/schema.ts";
import { IN_OUTBOX } from "../../profile/stored-message.ts";
import { TransferStore } from "../../profile/transfers.ts";
import type { Receipt } from "../sync/log.ts";

/** A feed of a group on the disk. */
export type StoredFeed = {
  readonly id: number;
  readonly feed: string;
  readonly label: string;
  readonly isOwn: boolean;
  /** As `TextLane.base`; undefined: no text of it is here. */
  readonly base: number | undefined;
};

/** What stands in the place of a body that was dropped here, and is not wanted any more. */
export const DROPPED = "";

/** A new entry of lane t. */
type NewEntry = {
  readonly entry: GroupEntry;
  /** Undefined: its body is not here, or not in order. */
  readonly said: GroupText | undefined;
  readonly feed: StoredFeed;
  /** The id of the own message that it is; undefined: another one's, or from before this copy of the profile. */
  readonly draft: string | undefined;
  /** It comes to the front of its lane. */
  readonly isEarlier: boolean;
  /** When what it is, or edits, was withdrawn, ms since 1970. */
  readonly withdrawnAt: number | undefined;
};

/** The id of the message that an entry of another one is. */
export function messageId(feed: string, number: number): string {
  return `${feed}/${number}`;
}

const SALT_BYTES = 12;

/**
 * What an own draft is salted with when it is signed, so that it is recognized if the entry comes back to a copy of the
 * profile in which it is still a draft. Only this profile knows the id.
 */
export function draftSalt(id: string): Uint8Array {
  return hash("sha256", `paloma draft 1\n${id}`, "buffer").subarray(0, SALT_BYTES);
}

type Value = string | number | null;

export class ShownTexts {
  readonly #database: Database;
  /** The group's row in `contacts`. */
  readonly #contact: number;
  /** The label of this account. */
  readonly #ownLabel: string;
  readonly #insert: Statement<unknown, Value[]>;
  readonly #transfers: TransferStore;

  constructor(database: Database, contact: number, ownLabel: string) {
    this.#database = database;
    this.#contact = contact;
    this.#ownLabel = ownLabel;
    this.#transfers = new TransferStore(database);
    // What this person wrote elsewhere is not unread, nor what somebody who is blocked writes.
    this.#insert = database.prepare(
      `INSERT INTO messages (contact, outgoing, id, text, reply_to, sent_at, received_at, state, tried, feed, number,
         edited_at, withdrawn_at, printed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ${STATE.received}, 1, ?, ?, ?, ?, ?
         OR EXISTS (SELECT 1 FROM contacts WHERE label = ? AND is_blocked = 1)) ON CONFLICT DO NOTHING`,
    );
  }

  /** Shows a new entry. @throws Error if its draft was cancelled */
  show(shown: NewEntry, now: number): void {
    const { entry, said, feed } = shown;
    const draft = shown.draft ?? (feed.isOwn ? this.#draftOf(entry) : undefined);
    if (draft !== undefined) {
      if (this.#sign(draft, entry, feed, said)) return;
      throw new Error(`the draft ${draft} was cancelled`);
    }
    if (said?.kind === "text" && this.#moveHere(entry, said, feed)) return;
    if (entry.kind === "text" && (said?.kind === "text" || entry.body === null)) this.#insertText(shown, now);
    else if (said?.kind === "edit") this.#edit(entry, said, feed);
  }

  /** The body of an entry that is stored has come. */
  fill(entry: GroupEntry, said: GroupText, feed: StoredFeed): void {
    if (said.kind === "edit") this.#edit(entry, said, feed);
    if (said.kind !== "text") return;
    const id = this.#messageOf(feed, entry.number);
    if (id !== undefined) this.#offer(id, said.file, entry.at, feed);
    this.#database
      .query(
        `UPDATE messages SET text = ?, reply_to = ? WHERE feed = ? AND number = ? AND kind = ${KIND.text}
           AND withdrawn_at IS NULL AND edited_at IS NULL`,
      )
      .run(said.text, this.#replyTo(said), feed.id, entry.number);
  }

  /** A text is withdrawn: its words go, and those of its edits. @param at ms since 1970 */
  withdraw(feed: StoredFeed, number: number, at: number): void {
    const { id } = feed;
    const message = this.#messageOf(feed, number);
    if (message !== undefined) this.#transfers.withdrawn({ id: this.#contact }, message);
    this.#database.run(
      `UPDATE messages SET text = '', reply_to = NULL, withdrawn_at = coalesce(withdrawn_at, ?), printed = 1
       WHERE feed = ? AND number = ? AND kind = ${KIND.text}`,
      [at, id, number],
    );
    this.#database.run(
      `UPDATE group_entries SET body = '${DROPPED}'
       WHERE feed = ? AND lane = 't' AND number = ? AND target IS NULL`,
      [id, number],
    );
    this.#database.run(
      `UPDATE group_entries SET body = '${DROPPED}' WHERE feed = ? AND target = ? AND instr(header, ' edit ') > 0`,
      [id, number],
    );
  }

  /** When a text was withdrawn by an entry that is here, ms since 1970. */
  withdrawnAt({ id }: StoredFeed, number: number): number | undefined {
    return this.#database
      .query<{ at: number }, [number, number]>(
        `SELECT at FROM group_entries WHERE feed = ? AND target = ? AND instr(header, ' withdraw ') > 0 LIMIT 1`,
      )
      .get(id, number)?.at;
  }

  /** What another term has of ours, by what it or somebody else has said. */
  receive({ received, read, isDirect }: Receipt, own: StoredFeed, term: StoredFeed, now: number): void {
    const before = this.#most(own).read;
    this.#database
      .query(
        `INSERT INTO group_peers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
           received = iif(excluded.is_direct, excluded.received, max(received, excluded.received)),
           read = iif(excluded.is_direct, excluded.read, max(read, excluded.read)),
           is_direct = max(is_direct, excluded.is_direct)`,
      )
      .run(own.id, term.id, received, read, isDirect ? 1 : 0);
    const most = this.#most(own);
    // The words of an edit are in the edited text; a copy would survive its deletion.
    this.#database
      .query(
        `UPDATE messages SET state = ${STATE.received}, received_at = ?1, left_at = coalesce(left_at, ?1)
         WHERE contact = ?2 AND ${IN_OUTBOX} AND feed = ?3 AND number <= ?4`,
      )
      .run(now, this.#contact, own.id, most.received);
    this.#database
      .query(
        `UPDATE messages SET state = ${STATE.read}, read_at = ?
         WHERE feed = ? AND number > ? AND number <= ? AND kind = ${KIND.text} AND state = ${STATE.received}
           AND withdrawn_at IS NULL`,
      )
      .run(now, own.id, before, most.read);
  }

  #most({ id }: StoredFeed): { readonly received: number; readonly read: number } {
    return (
      this.#database
        .query<{ received: number; read: number }, [number]>(
          "SELECT coalesce(max(received), 0) AS received, coalesce(max(read), 0) AS read FROM group_peers WHERE own = ?",
        )
        .get(id) ?? { received: 0, read: 0 }
    );
  }

  #insertText({ entry, said, feed, isEarlier, withdrawnAt }: NewEntry, now: number): void {
    const { at, number } = entry;
    const isGone = withdrawnAt !== undefined;
    const words = isGone || said?.kind !== "text" ? undefined : said;
    const edit = isEarlier && !isGone ? this.#lastEdit(feed, number) : undefined;
    this.#insert.run(
      this.#contact,
      feed.isOwn ? 1 : 0,
      messageId(entry.feed, number),
      edit?.text ?? words?.text ?? "",
      words === undefined ? null : this.#replyTo(words),
      ...[at, now, feed.id, number],
      edit?.at ?? null,
      withdrawnAt ?? null,
      feed.isOwn || isGone || feed.label === this.#ownLabel ? 1 : 0,
      feed.label,
    );
    this.#offer(messageId(entry.feed, number), words?.file, at, feed);
  }

  /** The file that a text names. @param message the text's id */
  #offer(message: string, file: GroupFile | undefined, at: number, { label }: StoredFeed): void {
    if (file === undefined || this.#isBlocked(label)) return;
    const { name, size } = file;
    const sha256 = Buffer.from(file.sha256, "base64url").toString("hex");
    this.#transfers.offeredToAll(this.#contact, { id: message, name, size, sha256, at });
  }

  #isBlocked(label: string): boolean {
    const blocked = this.#database.query("SELECT 1 FROM contacts WHERE label = ? AND is_blocked = 1");
    return blocked.get(label) !== null;
  }

  /** The id of the message that an entry is, unless it is withdrawn or deleted here. */
  #messageOf({ id }: StoredFeed, number: number): string | undefined {
    return this.#database
      .query<{ id: string }, [number, number]>(
        `SELECT id FROM messages WHERE feed = ? AND number = ? AND kind = ${KIND.text} AND withdrawn_at IS NULL`,
      )
      .get(id, number)?.id;
  }

  #edit(
    { at, number }: GroupEntry,
    { target, text }: Extract<GroupText, { kind: "edit" }>,
    feed: StoredFeed,
  ): void {
    if ((this.#lastEdit(feed, target)?.number ?? number) > number) return;
    this.#database.run(
      `UPDATE messages SET text = ?, edited_at = ?
       WHERE feed = ? AND number = ? AND kind = ${KIND.text} AND withdrawn_at IS NULL`,
      [text, at, feed.id, target],
    );
  }

  /** The last edit of a text whose words are here. */
  #lastEdit({ id }: StoredFeed, target: number): { number: number; at: number; text: string } | undefined {
    const row = this.#database
      .query<{ number: number; at: number; body: string }, [number, number]>(
        `SELECT number, at, body FROM group_entries
         WHERE feed = ? AND target = ? AND body <> '' AND instr(header, ' edit ') > 0 ORDER BY number DESC LIMIT 1`,
      )
      .get(id, target);
    const text = row === null ? undefined : parseBody(row.body)?.["text"];
    return row === null || typeof text !== "string" ? undefined : { number: row.number, at: row.at, text };
  }

  /** The id of the message that a text answers. */
  #replyTo({ reply_to }: Extract<GroupText, { kind: "text" }>): string | null {
    if (reply_to === undefined) return null;
    const [feed, number] = reply_to;
    // One of ours may have the id that it had as a draft.
    const known = this.#database
      .query<{ id: string }, [number, string, number]>(
        `SELECT messages.id FROM messages JOIN group_feeds ON group_feeds.id = messages.feed
         WHERE group_feeds.contact = ? AND group_feeds.feed = ? AND messages.number = ?`,
      )
      .get(this.#contact, feed, number);
    return known?.id ?? messageId(feed, number);
  }

  /**
   * A text that is shown, but counts no more because its author's feed has forked before it, and that the author has signed
   * again in a new term, stays where it is and is this entry from now on. @returns false: it is none
   */
  #moveHere(
    { body, number }: GroupEntry,
    said: Extract<GroupText, { kind: "text" }>,
    { id, label }: StoredFeed,
  ): boolean {
    const salt = body === null ? undefined : parseBody(body)?.["salt"];
    if (typeof salt !== "string") return false;
    const { changes } = this.#database
      .query(
        `UPDATE messages SET feed = ?1, number = ?2, text = ?6, reply_to = ?7, edited_at = NULL
         WHERE kind = ${KIND.text} AND withdrawn_at IS NULL AND seq IN (
           SELECT shown.seq FROM group_forks AS fork
           JOIN group_feeds ON group_feeds.id = fork.feed AND group_feeds.contact = ?3 AND label = ?4 AND group_feeds.id <> ?1
           JOIN group_entries AS early ON early.feed = fork.feed AND early.lane = 't'
             AND early.number >= fork.number AND instr(early.body, ?5) > 0
           JOIN messages AS shown ON shown.feed = early.feed AND shown.number = early.number
           WHERE fork.lane = 't')`,
      )
      .run(id, number, this.#contact, label, salt, said.text, this.#replyTo(said));
    return changes > 0;
  }

  /** The message that is a draft in this copy of the profile, but was signed as this entry. */
  #draftOf({ body }: GroupEntry): string | undefined {
    const salt = body === null ? undefined : parseBody(body)?.["salt"];
    return this.#database
      .query<{ id: string }, [number]>(
        `SELECT id FROM messages WHERE contact = ? AND ${IN_OUTBOX} AND tried = 0`,
      )
      .all(this.#contact)
      .find(({ id }) => Buffer.from(draftSalt(id)).toString("base64url") === salt)?.id;
  }

  /** The draft is a signed entry now. @returns false: there is no such draft */
  #sign(id: string, { number }: GroupEntry, feed: StoredFeed, said: GroupText | undefined): boolean {
    const isText = said?.kind === "text";
    const { changes } = this.#database
      .query(
        `UPDATE messages SET tried = 1, feed = ?, number = ?, text = ?
         WHERE contact = ? AND outgoing = 1 AND id = ? AND tried = 0 AND kind <> ${KIND.deleted}`,
      )
      .run(feed.id, number, isText ? said.text : "", this.#contact, id);
    return changes > 0;
  }
}
