/**
 * The schema of `profile.db`, version by version. A version never changes, not even its comments, which SQLite
 * stores with the tables; new versions are added.
 */
import { VERSION_12 } from "./group-schema.ts";
import type { Schema } from "./sqlite.ts";

/** Stored here, written on a link, stored by the peer, seen by the person there. A message never goes back. */
export type MessageState = "queued" | "sent" | "received" | "read";
/** The numbers of `messages.state`. */
export const STATE = { queued: 0, sent: 1, received: 2, read: 3 } as const satisfies {
  [name in MessageState]: number;
};
/** The state of each number. */
export const MESSAGE_STATES: readonly MessageState[] = ["queued", "sent", "received", "read"];
/** The numbers of `contacts.consent`. */
export const CONSENT = { stranger: 0, unasked: 1, contact: 2 } as const;
/** The numbers of `messages.kind`. */
export const KIND = { text: 0, edit: 1, withdraw: 2, deleted: 3, control: 4 } as const;
/**
 * Which ways an account uses: `only`: those through the server's relay, so that nobody but the server learns an address of
 * it; `never`: those without it. As in `account.relay`.
 */
export const RELAY_USES = ["auto", "only", "never"] as const;
export type RelayUse = (typeof RELAY_USES)[number];

const VERSION_1 = `CREATE TABLE account (
  username TEXT NOT NULL,
  private_key TEXT NOT NULL,
  authority TEXT NOT NULL,
  certificate TEXT,
  certificate_received_at INTEGER,
  certificate_expires_at INTEGER,
  session_token TEXT,
  has_been_online INTEGER NOT NULL DEFAULT 0,
  -- 1: the account was made from here, so its first key is no news to anybody.
  registered_here INTEGER NOT NULL
) STRICT;
CREATE TABLE contacts (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL UNIQUE,
  username TEXT NOT NULL,
  targets TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE TABLE pins (
  contact INTEGER NOT NULL REFERENCES contacts(id),
  spki BLOB NOT NULL,
  fingerprint TEXT NOT NULL,
  pinned_at INTEGER NOT NULL,
  PRIMARY KEY (contact, fingerprint)
) STRICT;
CREATE TABLE pending_keys (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  spki BLOB NOT NULL,
  fingerprint TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  -- The fingerprint that was last shown to the person, of this key or of one before it.
  shown TEXT
) STRICT;
CREATE TABLE messages (
  -- The order of writing (outgoing) and of arrival (incoming).
  seq INTEGER PRIMARY KEY,
  contact INTEGER NOT NULL REFERENCES contacts(id),
  outgoing INTEGER NOT NULL,
  id TEXT NOT NULL,
  text TEXT NOT NULL,
  reply_to TEXT,
  sent_at INTEGER,
  -- On the disk of the one who received it: ours for incoming, the peer's for outgoing.
  received_at INTEGER,
  -- 0 queued, 1 sent, 2 received.
  state INTEGER NOT NULL,
  printed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (contact, outgoing, id)
) STRICT;
CREATE INDEX messages_by_contact ON messages (contact, seq);
CREATE INDEX outbox ON messages (contact, seq) WHERE outgoing = 1 AND state < 2;
CREATE INDEX unprinted ON messages (seq) WHERE outgoing = 0 AND printed = 0;`;

/**
 * SQLite knows the symbols of Unicode 6.1 and treats later ones as letters: without these separators «hola🥰»
 * and «₽500» are one word each.
 */
const LATER_SYMBOLS = [
  [0x20ba, 0x20cf],
  [0x1f000, 0x1faff],
]
  .map(([first = 0, last = 0]) =>
    Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index)).join(""),
  )
  .join("");

/** Times and `read` for states; edits and withdrawals; deletion that keeps ids; full-text search. */
const VERSION_2 = `-- 0 text; 1 edit and 2 withdrawal: actions on another message; 3 deleted: only its id is kept, for ever.
ALTER TABLE messages ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
-- Of an action: the id of the message that it is about.
ALTER TABLE messages ADD COLUMN target TEXT;
-- Outgoing. 0: certainly on no wire yet, so it can be changed or cancelled here alone.
ALTER TABLE messages ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
-- Outgoing: when it was first written on a link (state 1), and when the peer had read it (state 3).
ALTER TABLE messages ADD COLUMN left_at INTEGER;
ALTER TABLE messages ADD COLUMN read_at INTEGER;
ALTER TABLE messages ADD COLUMN edited_at INTEGER;
ALTER TABLE messages ADD COLUMN withdrawn_at INTEGER;
-- The older program did not say what it had begun to send.
UPDATE messages SET tried = 1 WHERE outgoing = 1 AND state < 2;
-- As its last link said: a JSON list; NULL: no link was seen since this is kept.
ALTER TABLE contacts ADD COLUMN features TEXT;
-- seq of our newest message that they have read, and of their newest one that a person has read here.
ALTER TABLE contacts ADD COLUMN read_by_peer INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN read_here INTEGER NOT NULL DEFAULT 0;
DROP INDEX messages_by_contact;
DROP INDEX outbox;
DROP INDEX unprinted;
CREATE INDEX messages_by_contact ON messages (contact, seq) WHERE kind = 0;
CREATE INDEX outbox ON messages (contact, seq)
  WHERE outgoing = 1 AND state < 2 AND kind < 3 AND withdrawn_at IS NULL;
-- With the contact: of whom something is unread is answered without a look at the messages.
CREATE INDEX unprinted ON messages (seq, contact) WHERE outgoing = 0 AND printed = 0 AND kind = 0;
CREATE INDEX actions_by_target ON messages (contact, target) WHERE target IS NOT NULL;
-- Words are indexed later than they are stored, up to this seq.
CREATE TABLE search_progress (seq INTEGER NOT NULL) STRICT;
INSERT INTO search_progress VALUES (0);
-- What the index holds, so that it can be checked. An empty text, as of a withdrawn message, is not in it.
CREATE VIEW message_texts AS SELECT seq, text FROM messages
  WHERE kind = 0 AND text <> '' AND seq <= (SELECT seq FROM search_progress);
CREATE VIRTUAL TABLE message_words USING fts5(
  text, content = 'message_texts', content_rowid = 'seq',
  tokenize = "unicode61 remove_diacritics 2 separators '${LATER_SYMBOLS}'"
);
INSERT INTO message_words(message_words, rank) VALUES ('secure-delete', 1);
-- An index that forgot other words than it had learnt would be broken, so both happen in one place.
CREATE TRIGGER words_changed AFTER UPDATE OF text ON messages
WHEN old.kind = 0 AND old.text <> new.text AND old.seq <= (SELECT seq FROM search_progress) BEGIN
  INSERT INTO message_words(message_words, rowid, text) SELECT 'delete', old.seq, old.text WHERE old.text <> '';
  INSERT INTO message_words(rowid, text) SELECT new.seq, new.text WHERE new.text <> '';
END;`;

/** Certificates of other people and of this account that the server has taken back. */
const VERSION_3 = `CREATE TABLE revocations (
  label TEXT NOT NULL,
  -- Seconds since 1970: certificates that were made before it do not count.
  before INTEGER NOT NULL,
  -- The fingerprint of a key whose certificates still count.
  except_key TEXT,
  PRIMARY KEY (label, before)
) STRICT, WITHOUT ROWID;`;

/** The search finds folded words (`wordsOf`): everything is indexed anew. */
const VERSION_4 = `DROP TRIGGER words_changed;
DROP TABLE message_words;
DROP VIEW message_texts;
UPDATE search_progress SET seq = 0;
-- The folded words of a text, where they differ from what the tokenizer makes of the text itself.
CREATE TABLE folded_texts (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
-- Texts up to \`search_progress\` that were changed and have to be indexed again.
CREATE TABLE changed_texts (seq INTEGER PRIMARY KEY) STRICT;
-- What the index holds, so that it can be checked. An empty text, as of a withdrawn message, is not in it.
CREATE VIEW message_texts AS
  SELECT messages.seq, coalesce(folded_texts.text, messages.text) AS text
  FROM messages LEFT JOIN folded_texts ON folded_texts.seq = messages.seq
  WHERE kind = 0 AND messages.text <> '' AND messages.seq <= (SELECT seq FROM search_progress)
    AND messages.seq NOT IN (SELECT seq FROM changed_texts);
CREATE VIRTUAL TABLE message_words USING fts5(
  text, content = 'message_texts', content_rowid = 'seq',
  tokenize = "unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
);
INSERT INTO message_words(message_words, rank) VALUES ('secure-delete', 1);
-- An index that forgot other words than it had learnt would be broken, so it is told the stored ones.
CREATE TRIGGER words_changed AFTER UPDATE OF text ON messages
WHEN old.kind = 0 AND old.text <> new.text AND old.seq <= (SELECT seq FROM search_progress) BEGIN
  INSERT INTO message_words(message_words, rowid, text)
    SELECT 'delete', old.seq, coalesce((SELECT text FROM folded_texts WHERE seq = old.seq), old.text)
    WHERE old.text <> '' AND old.seq NOT IN (SELECT seq FROM changed_texts);
  DELETE FROM folded_texts WHERE seq = old.seq;
  DELETE FROM changed_texts WHERE seq = old.seq;
  INSERT INTO changed_texts SELECT new.seq WHERE new.text <> '';
END;`;

/** Wipes (`TextWipe`) are stored as due together with the deletions. */
const VERSION_5 = `-- How often a text was deleted or changed; how many of these deletions a wipe has covered, and how many the
-- last rewriting of the file.
CREATE TABLE wipes (deletions INTEGER NOT NULL, covered INTEGER NOT NULL, rewritten INTEGER NOT NULL) STRICT;
-- The older program did not see whether the write-ahead log could be emptied.
INSERT INTO wipes SELECT EXISTS (SELECT 1 FROM messages), 0, 0;
CREATE TRIGGER text_deleted AFTER UPDATE OF text ON messages
WHEN old.text <> '' AND old.text <> new.text BEGIN
  UPDATE wipes SET deletions = deletions + 1;
END;`;

/** What other people are told of this person. */
const VERSION_6 = `CREATE TABLE privacy (
  -- 0: everybody who has no row of their own.
  contact INTEGER NOT NULL,
  -- 'read': that a message was read; 'typing': that something is being typed.
  sign TEXT NOT NULL,
  told INTEGER NOT NULL,
  PRIMARY KEY (contact, sign)
) STRICT, WITHOUT ROWID;`;

const VERSION_7 = `-- When the account was exported to another machine, ms since 1970: it does not go online here any more.
ALTER TABLE account ADD COLUMN moved_at INTEGER;`;

/** Keys that two people have verified by the code, and how often they tried. */
const VERSION_8 = `-- When the person behind this key was verified; NULL: was not. The keys of a contact are verified all or none.
ALTER TABLE pins ADD COLUMN verified_at INTEGER;
-- Codes that somebody in the middle could have guessed since the last verification, and when the last one was.
ALTER TABLE contacts ADD COLUMN guesses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN guessed_at INTEGER;`;

/** Who may write to this account, who is quiet, what was begun to be written, and who is told that it is there. */
const VERSION_9 = `-- Whether the local network is told that this client is there, and its router asked for a port.
ALTER TABLE account ADD COLUMN lan INTEGER NOT NULL DEFAULT 1;
-- With which the router is asked (PCP); NULL: it was not.
ALTER TABLE account ADD COLUMN mapping_nonce BLOB;
-- 0 stranger; 1 taken unasked (\`--who anyone\`); 2 contact: was written to or accepted.
ALTER TABLE contacts ADD COLUMN consent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN is_blocked INTEGER NOT NULL DEFAULT 0;
-- Until when a declined person's texts are held without being shown, ms since 1970.
ALTER TABLE contacts ADD COLUMN declined_until INTEGER;
-- Whether a contact has to be told of the acceptance: 0 no; 1 not told yet; 2 told, and no text of theirs has arrived since.
ALTER TABLE contacts ADD COLUMN acceptance INTEGER NOT NULL DEFAULT 0;
-- What they have said about our texts: 0 nothing; 1 that they hold them; 2 that they have accepted us.
ALTER TABLE contacts ADD COLUMN answer INTEGER NOT NULL DEFAULT 0;
-- Until when nothing of theirs is announced, ms since 1970; NULL: it is.
ALTER TABLE contacts ADD COLUMN muted_until INTEGER;
-- What stands unsent in the input line of a chat.
CREATE TABLE drafts (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  -- A JSON list: what was typed and what was pasted, in turn.
  parts TEXT NOT NULL
) STRICT;
-- What strangers have sent. Their unread texts have \`printed\` = 2, and 0 once they are accepted.
CREATE TABLE requests (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  -- When it began, ms since 1970; 0: it is over, and its texts are being deleted.
  since INTEGER NOT NULL,
  -- Where it came from: an IPv4 address or an IPv6 /64; empty: unknown.
  network TEXT NOT NULL,
  -- It consists of their texts with a greater seq.
  after_seq INTEGER NOT NULL,
  texts INTEGER NOT NULL,
  actions INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
-- What people who were taken unasked have sent: in all, and on one day (days since 1970, UTC).
CREATE TABLE unasked (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  bytes INTEGER NOT NULL,
  day INTEGER NOT NULL,
  day_bytes INTEGER NOT NULL
) STRICT;
-- Everybody to whom the account has written is a contact; whoever else has written is a request that begins now.
UPDATE contacts SET consent = 2
  WHERE EXISTS (SELECT 1 FROM messages WHERE contact = contacts.id AND outgoing = 1);
INSERT INTO requests
  SELECT contact, unixepoch() * 1000, '', coalesce(max(seq) FILTER (WHERE printed = 1), 0),
    count(*), 0, sum(octet_length(text))
  FROM messages JOIN contacts ON contacts.id = contact
  WHERE consent = 0 AND outgoing = 0 AND kind = 0 AND withdrawn_at IS NULL GROUP BY contact;
UPDATE messages SET printed = 2
  WHERE outgoing = 0 AND kind = 0 AND printed = 0 AND contact IN (SELECT contact FROM requests);`;

/** Which ways are used to reach people. */
const VERSION_10 = `-- 'auto'; 'only': the relay alone; 'never': not the relay.
ALTER TABLE account ADD COLUMN relay TEXT NOT NULL DEFAULT 'auto';`;

/** Transfers of files, and the messages about them. */
const VERSION_11 = `-- kind 4: a message about a transfer, JSON in \`text\` where it is ours.
DROP INDEX outbox;
CREATE INDEX outbox ON messages (contact, seq)
  WHERE outgoing = 1 AND state < 2 AND kind <> 3 AND withdrawn_at IS NULL;
CREATE TABLE transfers (
  -- The order in which they were offered.
  number INTEGER PRIMARY KEY,
  -- Of the message that has offered it.
  id TEXT NOT NULL UNIQUE,
  contact INTEGER NOT NULL REFERENCES contacts(id),
  outgoing INTEGER NOT NULL,
  name TEXT NOT NULL,
  -- In bytes; of a folder with its listing; NULL: unknown until the end.
  size INTEGER,
  -- Of a folder: how many it contains; NULL: a file.
  entries INTEGER,
  -- When the file was changed last, RFC 3339.
  modified TEXT,
  -- 'offered', 'accepted', 'done', 'declined', 'cancelled' or 'failed'.
  state TEXT NOT NULL,
  -- Why it was declined or cancelled, or has failed.
  reason TEXT,
  -- Ours: what is sent. Theirs: what was received.
  path TEXT,
  -- Ours: what the source was like when it was offered. Theirs: what names the parts that have arrived.
  stamp TEXT,
  -- Theirs: where it is to be received.
  folder TEXT,
  -- The fingerprint of the key that has offered or accepted it.
  key TEXT,
  -- What the sender has said at the end.
  end_size INTEGER,
  digest TEXT,
  -- Whether a SHA-256 is wanted, and the SHA-256 once it is known.
  wants_sha256 INTEGER NOT NULL DEFAULT 0,
  sha256 TEXT,
  -- Bytes that have arrived, as last stored.
  done INTEGER NOT NULL DEFAULT 0,
  -- When it was offered, ms since 1970.
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX transfers_by_contact ON transfers (contact, state);
-- Whose offers are accepted without a question.
CREATE TABLE accepted_offers (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  -- Bytes of one offer; NULL: of any size.
  most INTEGER,
  folder TEXT NOT NULL
) STRICT;`;

/** Clears the index of words and what it was made from; everything has to be indexed anew. */
export const CLEAR_WORDS = [
  "INSERT INTO message_words(message_words) VALUES ('delete-all')",
  "DELETE FROM folded_texts",
  "DELETE FROM changed_texts",
  "UPDATE search_progress SET seq = 0",
];

export const PROFILE_SCHEMA: Schema = {
  applicationId: 0x70616c6f,
  versions: [
    VERSION_1,
    VERSION_2,
    VERSION_3,
    VERSION_4,
    VERSION_5,
    VERSION_6,
    VERSION_7,
    VERSION_8,
    VERSION_9,
    VERSION_10,
    VERSION_11,
    VERSION_12,
  ],
};
