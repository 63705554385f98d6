/**
 * Stores the transfers of files (PROTOCOL 6): what was offered, by whom, what has become of it, and whose offers are
 * accepted without a question.
 *
 * A transfer goes `offered` → `accepted` → `done`, or ends before that as `declined`, `cancelled` or `failed`. A method
 * that changes it returns what it is then, or undefined if it was in no state for that. The change is made in one commit
 * with the message that causes it, or that tells the other side.
 */
import type { Database } from "bun:sqlite";

import type { FileMessage } from "../../protocol/peer-messages.ts";
import { lightly } from "../disk/write-ahead-log.ts";
import type { Contact } from "./contacts.ts";

/** Transfers of one contact to us that have not ended: offers that wait for an answer, and those that are accepted. */
export const MAX_UNFINISHED = 100;
/** Files that were offered to all of a group and wait for our answer, so many of them: the offers of the oldest end. */
export const MAX_OFFERED_TO_ALL = 1_000;
/** Transfers with one contact that have ended and are kept, so many of them; the oldest go. */
const MAX_ENDED = 1_000;

export type TransferState = "offered" | "accepted" | "done" | "declined" | "cancelled" | "failed";

/** Sizes in bytes; times in ms since 1970. */
export type Transfer = {
  readonly number: number;
  readonly id: string;
  /** The contact's row number. */
  readonly contact: number;
  /** Whether it is ours to send. */
  readonly outgoing: boolean;
  /** As its sender names it. */
  readonly name: string;
  /** Of a folder with its listing; undefined: unknown until the end. */
  readonly size: number | undefined;
  /** Undefined: it is no folder. */
  readonly entries: number | undefined;
  /** RFC 3339, as its sender says. */
  readonly modified: string | undefined;
  readonly state: TransferState;
  /** Why it was declined or cancelled, or has failed. */
  readonly reason: string | undefined;
  /** Ours: the source. Theirs: what was received, once it is done. */
  readonly path: string | undefined;
  /** Ours: what the source was like when it was offered. Theirs: what names the parts that have arrived. */
  readonly stamp: string | undefined;
  /** Theirs, once it is accepted: where it is received. */
  readonly folder: string | undefined;
  /** The fingerprint of the key that has offered or accepted it. */
  readonly key: string | undefined;
  /** What the sender has said when everything was sent. */
  readonly end: { readonly size: number; readonly digest: string } | undefined;
  readonly wantsSha256: boolean;
  readonly sha256: string | undefined;
  /** Bytes that had arrived when that was last stored. */
  readonly done: number;
  readonly at: number;
};

type TransferRow = {
  number: number;
  id: string;
  contact: number;
  outgoing: number;
  name: string;
  size: number | null;
  entries: number | null;
  modified: string | null;
  state: TransferState;
  reason: string | null;
  path: string | null;
  stamp: string | null;
  folder: string | null;
  key: string | null;
  end_size: number | null;
  digest: string | null;
  wants_sha256: number;
  sha256: string | null;
  done: number;
  at: number;
};

function transferOf(row: TransferRow): Transfer {
  const { end_size: size, digest } = row;
  return {
    number: row.number,
    id: row.id,
    contact: row.contact,
    outgoing: row.outgoing === 1,
    name: row.name,
    size: row.size ?? undefined,
    entries: row.entries ?? undefined,
    modified: row.modified ?? undefined,
    state: row.state,
    reason: row.reason ?? undefined,
    path: row.path ?? undefined,
    stamp: row.stamp ?? undefined,
    folder: row.folder ?? undefined,
    key: row.key ?? undefined,
    end: size === null || digest === null ? undefined : { size, digest },
    wantsSha256: row.wants_sha256 === 1,
    sha256: row.sha256 ?? undefined,
    done: row.done,
    at: row.at,
  };
}

/** What we offer. */
export type NewTransfer = Pick<
  Transfer,
  "id" | "name" | "size" | "entries" | "modified" | "stamp" | "wantsSha256" | "at"
> & { readonly path: string };

/** Offers of a contact that are accepted without a question. */
export type AcceptedOffers = {
  /** Bytes of one offer; undefined: of any size. */
  readonly most: number | undefined;
  readonly folder: string;
};

/** Offers that are accepted as long as a face is there. */
export type FaceOffers = AcceptedOffers & { readonly wantsSha256?: boolean };

/** What becomes of a transfer when its other side cancels it. */
function cancelledState(reason: string): TransferState {
  return reason === "stopped" ? "cancelled" : "failed";
}

export class TransferStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  inOneCommit<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }

  /** All of them, oldest first. */
  all(): Transfer[] {
    return this.#select("TRUE ORDER BY number");
  }

  find(id: string): Transfer | undefined {
    return this.#select("id = ?", id)[0];
  }

  /** The file that this entry of a group names, unless it is withdrawn. @param feed, number of the entry */
  ofEntry(feed: string, number: number): Transfer | undefined {
    const named = `SELECT messages.id FROM messages JOIN group_feeds ON group_feeds.id = messages.feed
      WHERE group_feeds.feed = ? AND messages.number = ? AND messages.contact = transfers.contact
        AND withdrawn_at IS NULL`;
    return this.#select(`id IN (${named})`, feed, number)[0];
  }

  /** Whether an entry of a group, in lane t, came here after this term had joined. @param feed, number of the entry */
  isAfterJoin(feed: string, number: number, term: string): boolean {
    return (
      this.#database
        .query(
          `SELECT 1 FROM group_feeds AS author JOIN group_entries AS text ON text.feed = author.id AND text.lane = 't'
           JOIN group_feeds AS reader ON reader.contact = author.contact
           JOIN group_entries AS joined ON joined.feed = reader.id AND joined.lane = 'c' AND joined.number = 1
           WHERE author.feed = ? AND text.number = ? AND reader.feed = ? AND text.seq > joined.seq`,
        )
        .get(feed, number, term) !== null
    );
  }

  /** Whose text names a file for all of a group; undefined: ours does. */
  authorOf({ contact, id, outgoing }: Transfer): string | undefined {
    if (outgoing) return undefined;
    return this.#database
      .query<{ name: string }, [number, string]>(
        "SELECT name FROM group_feeds WHERE contact = ? AND feed = ?",
      )
      .get(contact, id.split("/")[0] ?? "")?.name;
  }

  /** Those that are accepted and have not ended. */
  underWay(): Transfer[] {
    return this.#select("state = 'accepted' ORDER BY number");
  }

  /** The offers of a contact that wait for our answer. */
  offers({ id }: Contact): Transfer[] {
    return this.#select("contact = ? AND state = 'offered' AND outgoing = 0 ORDER BY number", id);
  }

  /** All offers that wait for our answer. */
  allOffers(): Transfer[] {
    return this.#select("state = 'offered' AND outgoing = 0 ORDER BY number");
  }

  #select(condition: string, ...values: (string | number)[]): Transfer[] {
    return this.#database
      .query<TransferRow, (string | number)[]>(`SELECT * FROM transfers WHERE ${condition}`)
      .all(...values)
      .map(transferOf);
  }

  /** We offer something. @param sha256 of a file for all of a group, in hexadecimal */
  offer(contact: Contact, offer: NewTransfer, sha256?: string): void {
    const { path, stamp, wantsSha256: wants } = offer;
    this.#insert(contact, true, offer, { path, stamp, wants, ...(sha256 !== undefined && { sha256 }) });
  }

  /**
   * A file that somebody gives to all of a group. Runs in the commit that stores the text that names it.
   * @param of the row number of the group's contact
   * @param offer `id`: that of the text's message; `sha256`: of the whole, in hexadecimal
   */
  offeredToAll(of: number, offer: Pick<Transfer, "id" | "name" | "size" | "at"> & { sha256: string }): void {
    const { sha256, ...rest } = offer;
    this.#insert({ id: of }, false, { ...rest, entries: undefined, modified: undefined }, { sha256 });
    this.#database
      .query(
        `UPDATE transfers SET state = 'cancelled', reason = 'too_many_offers'
         WHERE contact = ?1 AND state = 'offered' AND outgoing = 0 AND number <= (
           SELECT number FROM transfers WHERE contact = ?1 AND state = 'offered' AND outgoing = 0
           ORDER BY number DESC LIMIT 1 OFFSET ${MAX_OFFERED_TO_ALL})`,
      )
      .run(of);
  }

  #insert(
    { id: contact }: Pick<Contact, "id">,
    outgoing: boolean,
    { id, name, size, entries, modified, at }: Omit<NewTransfer, "path" | "stamp" | "wantsSha256">,
    own: { path?: string; stamp?: string | undefined; wants?: boolean; key?: string; sha256?: string },
  ): Transfer | undefined {
    const { path = null, stamp = null, key = null, wants = false, sha256 = null } = own;
    const row = this.#database
      .query<TransferRow, (string | number | null)[]>(
        `INSERT INTO transfers (id, contact, outgoing, name, size, entries, modified, state, path, stamp, key, wants_sha256, sha256, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'offered', ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING *`,
      )
      .get(
        id,
        contact,
        outgoing ? 1 : 0,
        name,
        size ?? null,
        entries ?? null,
        modified ?? null,
        path,
        stamp,
        key,
        wants ? 1 : 0,
        sha256,
        at,
      );
    this.#database
      .query(
        `DELETE FROM transfers WHERE contact = ?1 AND state NOT IN ('offered', 'accepted') AND number <= (
           SELECT number FROM transfers WHERE contact = ?1 AND state NOT IN ('offered', 'accepted')
           ORDER BY number DESC LIMIT 1 OFFSET ${MAX_ENDED})`,
      )
      .run(contact);
    return row === null ? undefined : transferOf(row);
  }

  #unfinishedOf({ id }: Contact): number {
    const row = this.#database
      .query<{ count: number }, [number]>(
        `SELECT COUNT(*) AS count FROM transfers
         WHERE contact = ? AND state IN ('offered', 'accepted') AND outgoing = 0`,
      )
      .get(id);
    return row?.count ?? 0;
  }

  /** We accept an offer. @param key of `Place` */
  accept(
    id: string,
    { folder, key, wantsSha256 }: { folder: string; key: string; wantsSha256: boolean },
  ): Transfer | undefined {
    return this.#change(
      "state = 'accepted', folder = ?, stamp = ?, wants_sha256 = ?",
      [folder, key, wantsSha256 ? 1 : 0],
      "id = ? AND outgoing = 0 AND state = 'offered'",
      [id],
    );
  }

  /** We decline, cancel or give up a transfer. @param reason undefined: a person has stopped it here */
  end(
    id: string,
    state: Extract<TransferState, "declined" | "cancelled" | "failed">,
    reason: string | undefined,
  ): Transfer | undefined {
    return this.#change(
      "state = ?, reason = ?",
      [state, reason ?? null],
      "id = ? AND state IN ('offered', 'accepted')",
      [id],
    );
  }

  /** A text of this contact is withdrawn, or was never sent: the file that it names for all of a group goes with it. */
  withdrawn({ id: contact }: Pick<Contact, "id">, text: string): void {
    this.#change(
      "state = 'cancelled', reason = 'withdrawn'",
      [],
      "id = ? AND contact = ? AND sha256 IS NOT NULL AND state IN ('offered', 'accepted')",
      [text, contact],
    );
  }

  /**
   * We end everything that is unfinished with a contact, and of what they offer to all of a group.
   * @param reason as of `end` @returns what has ended
   */
  endAll({ id, label }: Pick<Contact, "id" | "label">, reason?: string): Transfer[] {
    return this.#database
      .query<TransferRow, [string | null, number, string]>(
        `UPDATE transfers SET state = 'cancelled', reason = ?
         WHERE state IN ('offered', 'accepted') AND (contact = ? OR outgoing = 0 AND EXISTS (
           SELECT 1 FROM group_feeds AS author
           WHERE author.contact = transfers.contact AND author.label = ? AND author.feed = substr(transfers.id, 1, 43)))
         RETURNING *`,
      )
      .all(reason ?? null, id, label)
      .map(transferOf);
  }

  /** We have sent everything. */
  sent(
    id: string,
    { size, digest, sha256 }: { size: number; digest: string; sha256: string | undefined },
  ): Transfer | undefined {
    return this.#change(
      "end_size = ?, digest = ?, sha256 = ?",
      [size, digest, sha256 ?? null],
      "id = ? AND outgoing = 1 AND state = 'accepted' AND digest IS NULL",
      [id],
    );
  }

  /** We have received everything. @param path where it is */
  received(id: string, { path, sha256 }: { path: string; sha256: string | undefined }): Transfer | undefined {
    return this.#change(
      "state = 'done', path = ?, sha256 = ?, done = coalesce(end_size, size)",
      [path, sha256 ?? null],
      "id = ? AND outgoing = 0 AND state = 'accepted'",
      [id],
    );
  }

  /** So many bytes have arrived: a power cut may forget it. */
  saveDone(id: string, done: number): void {
    const change = "UPDATE transfers SET done = ? WHERE id = ? AND state = 'accepted'";
    lightly(this.#database, () => this.#database.run(change, [done, id]));
  }

  /**
   * Applies what a contact has said. Runs in the commit that stores the message.
   * @param key the fingerprint of the key on whose link it was said
   * @param now ms since 1970
   * @returns the transfer as it is then; "refused": too many of theirs have not ended; undefined: nothing has changed
   */
  take(contact: Contact, message: FileMessage, key: string, now: number): Transfer | "refused" | undefined {
    if (message.action === "file_offer") {
      if (this.#unfinishedOf(contact) >= MAX_UNFINISHED) return "refused";
      const { id, name, entries, modified } = message;
      const size = message.size ?? undefined;
      return this.#insert(contact, false, { id, name, size, entries, modified, at: now }, { key });
    }
    const ours = "id = ? AND contact = ? AND outgoing = 1";
    const theirs = "id = ? AND contact = ? AND outgoing = 0";
    const of = [message.transfer, contact.id];
    switch (message.action) {
      case "file_accept":
        return this.#change("state = 'accepted', key = ?", [key], `${ours} AND state = 'offered'`, of);
      case "file_decline":
        return this.#change(
          "state = 'declined', reason = ?",
          [message.reason],
          `${ours} AND state IN ('offered', 'accepted')`,
          of,
        );
      case "file_end":
        return this.#change(
          "end_size = ?, digest = ?",
          [message.size, message.digest],
          `${theirs} AND state = 'accepted' AND digest IS NULL`,
          of,
        );
      case "file_done":
        return this.#change(
          "state = 'done', done = end_size",
          [],
          `${ours} AND state = 'accepted' AND digest IS NOT NULL`,
          of,
        );
      case "file_cancel":
        return this.#change(
          "state = ?, reason = ?",
          [cancelledState(message.reason), message.reason],
          "id = ? AND contact = ? AND state IN ('offered', 'accepted')",
          of,
        );
      default:
        return message satisfies never;
    }
  }

  #change(
    changes: string,
    values: (string | number | null)[],
    condition: string,
    of: (string | number)[],
  ): Transfer | undefined {
    const row = this.#database
      .query<TransferRow, (string | number | null)[]>(
        `UPDATE transfers SET ${changes} WHERE ${condition} RETURNING *`,
      )
      .get(...values, ...of);
    return row === null ? undefined : transferOf(row);
  }

  /** Whose offers of what size are accepted without a question; undefined: of this contact none. */
  acceptedOffers({ id }: Contact): AcceptedOffers | undefined {
    const row = this.#database
      .query<{ most: number | null; folder: string }, [number]>(
        "SELECT most, folder FROM accepted_offers WHERE contact = ?",
      )
      .get(id);
    return row === null ? undefined : { most: row.most ?? undefined, folder: row.folder };
  }

  /** @param offers undefined: each one is asked about */
  acceptOffers({ id }: Contact, offers: AcceptedOffers | undefined): void {
    if (offers === undefined) this.#database.run("DELETE FROM accepted_offers WHERE contact = ?", [id]);
    else
      this.#database.run("INSERT OR REPLACE INTO accepted_offers (contact, most, folder) VALUES (?, ?, ?)", [
        id,
        offers.most ?? null,
        offers.folder,
      ]);
  }
}
