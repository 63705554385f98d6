/** The types in which messages are written to this disk and read from it. */
import type { FileControl, FileMessage } from "../../protocol/peer-messages.ts";
import { KIND, MESSAGE_STATES, STATE, type MessageState } from "../disk/schema.ts";
import type { Contact } from "./contacts.ts";

/** Exactly the condition of the index `outbox`, so that SQLite uses the index. */
export const IN_OUTBOX = `outgoing = 1 AND state < ${STATE.received} AND kind <> ${KIND.deleted} AND withdrawn_at IS NULL`;

/** A text to send, or an action on an earlier text of ours. */
export type OutgoingContent =
  | { readonly kind: "text"; readonly text: string; readonly replyTo: string | undefined }
  | { readonly kind: "edit"; readonly target: string; readonly text: string }
  | { readonly kind: "withdraw"; readonly target: string };
/** A message about a transfer. */
export type OutgoingControl = { readonly kind: "control"; readonly control: FileControl };

export type OutboxMessage = (OutgoingContent | OutgoingControl) & {
  readonly seq: number;
  readonly id: string;
  readonly sentAt: number;
  /** Whether it is marked as sent on the disk. */
  readonly wasSent?: boolean;
};

export type NewOutgoing = (OutgoingContent | OutgoingControl) & {
  readonly contact: Contact;
  readonly id: string;
  readonly sentAt: number;
};

export type NewIncoming =
  | {
      readonly kind: "text";
      readonly id: string;
      readonly text: string;
      readonly sentAt: number | undefined;
      readonly replyTo: string | undefined;
    }
  | { readonly kind: "edit"; readonly id: string; readonly target: string; readonly text: string }
  | { readonly kind: "withdraw"; readonly id: string; readonly target: string }
  /** `key`: the fingerprint of their key. */
  | { readonly kind: "control"; readonly id: string; readonly message: FileMessage; readonly key: string };

/** A text of a conversation in its current form. Times in ms since 1970. */
export type StoredMessage = {
  /** Its number in the order of writing (outgoing) and arrival (incoming). */
  readonly seq: number;
  /** The contact's row number. */
  readonly contact: number;
  readonly outgoing: boolean;
  /** Who wrote it, of another one's text for a group; undefined: it is ours, or the other person's. */
  readonly author: string | undefined;
  /** Of a group's text: where its author has signed it; undefined: it is not signed yet, or of a conversation of two. */
  readonly entry: { readonly feed: string; readonly number: number } | undefined;
  readonly id: string;
  /** With the last edit applied; empty once it is withdrawn, and where `isMissing`. */
  readonly text: string;
  readonly replyTo: string | undefined;
  /** When it was typed; undefined: the sender gave no plausible time. */
  readonly sentAt: number | undefined;
  /** Outgoing: when it was first written on a link. */
  readonly leftAt: number | undefined;
  /** When it was stored on the recipient's disk. */
  readonly receivedAt: number | undefined;
  /** Outgoing: when the peer reported that it was read. */
  readonly readAt: number | undefined;
  readonly editedAt: number | undefined;
  readonly withdrawnAt: number | undefined;
  /** Outgoing: the peer has not stored its edit or withdrawal yet, and still has the earlier text. */
  readonly changeWaits: boolean;
  /** Of a group's text: nobody who gave it had its words. They may come later. */
  readonly isMissing: boolean;
  /** Of a group's text: the file that it offers to all. */
  readonly file?: OfferedFile;
  readonly state: MessageState;
};

/** A file as its transfer is stored. `number`: how a person names it; `size`: bytes. */
export type OfferedFile = {
  readonly number: number;
  readonly name: string;
  readonly size: number;
  /** Whether it waits for our answer. */
  readonly isOpen: boolean;
};

export type MessageRow = {
  seq: number;
  contact: number;
  outgoing: number;
  id: string;
  text: string;
  reply_to: string | null;
  sent_at: number | null;
  left_at: number | null;
  received_at: number | null;
  read_at: number | null;
  edited_at: number | null;
  withdrawn_at: number | null;
  change_waits: number;
  state: number;
  /** Of a group's text, as `number`. */
  feed: string | null;
  author: string | null;
  number: number | null;
  is_missing: number;
  /** A JSON list. */
  file: string | null;
};

/** The columns of a `MessageRow`. */
export const MESSAGE_COLUMNS = `seq, contact, outgoing, id, text, reply_to, sent_at, left_at, received_at, read_at, edited_at, withdrawn_at, state,
  number, (SELECT author.feed FROM group_feeds AS author WHERE author.id = messages.feed) AS feed,
  (SELECT author.name FROM group_feeds AS author WHERE author.id = messages.feed AND outgoing = 0) AS author,
  CASE WHEN feed IS NULL OR text <> '' OR withdrawn_at IS NOT NULL THEN 0 ELSE EXISTS (
    SELECT 1 FROM group_entries AS entry WHERE entry.feed = messages.feed AND entry.lane = 't'
      AND entry.number = messages.number AND entry.body IS NULL) END AS is_missing,
  (SELECT json_array(offer.number, offer.name, offer.size, offer.outgoing = 0 AND offer.state = 'offered')
    FROM transfers AS offer WHERE offer.id = messages.id AND offer.contact = messages.contact) AS file,
  CASE WHEN outgoing = 1 AND coalesce(edited_at, withdrawn_at) IS NOT NULL THEN EXISTS (
    SELECT 1 FROM messages AS action WHERE action.contact = messages.contact AND action.target = messages.id
      AND action.outgoing = 1 AND action.state < 2 AND action.kind IN (1, 2)) ELSE 0 END AS change_waits`;

export function messageOf(row: MessageRow): StoredMessage {
  return {
    seq: row.seq,
    contact: row.contact,
    outgoing: row.outgoing === 1,
    author: row.author ?? undefined,
    entry: row.feed === null || row.number === null ? undefined : { feed: row.feed, number: row.number },
    id: row.id,
    text: row.text,
    replyTo: row.reply_to ?? undefined,
    sentAt: row.sent_at ?? undefined,
    leftAt: row.left_at ?? undefined,
    receivedAt: row.received_at ?? undefined,
    readAt: row.read_at ?? undefined,
    editedAt: row.edited_at ?? undefined,
    withdrawnAt: row.withdrawn_at ?? undefined,
    changeWaits: row.change_waits === 1,
    isMissing: row.is_missing === 1,
    ...(row.file === null ? {} : { file: offeredFile(row.file) }),
    state: MESSAGE_STATES[row.state] ?? "queued",
  };
}

function offeredFile(json: string): OfferedFile {
  const [number, name, size, isOpen] = JSON.parse(json) as [number, string, number, number];
  return { number, name, size, isOpen: isOpen === 1 };
}

/** A text that has just been stored. @param contact the row number @param now ms since 1970 */
export function arrivedMessage(
  contact: number,
  seq: number,
  { id, text, replyTo, sentAt }: NewIncoming & { readonly kind: "text" },
  now: number,
): StoredMessage {
  return {
    seq,
    contact,
    outgoing: false,
    author: undefined,
    entry: undefined,
    id,
    text,
    replyTo,
    sentAt,
    leftAt: undefined,
    receivedAt: now,
    readAt: undefined,
    editedAt: undefined,
    withdrawnAt: undefined,
    changeWaits: false,
    isMissing: false,
    state: "received",
  };
}
