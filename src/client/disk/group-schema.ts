/**
 * Version 12 of the schema of profiles: groups, their signed entries, whose texts are messages too, and what the others
 * have of ours. It never changes, not even its comments.
 */
export const VERSION_12 = `-- A group is a conversation: its contact has '#' and the group's id as its label and name.
CREATE TABLE groups (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  title TEXT NOT NULL,
  -- 'invited', 'joined', 'left', 'removed' or 'declined'.
  state TEXT NOT NULL,
  -- The feed that this account writes, or would write if it accepted.
  own_feed TEXT NOT NULL,
  -- The last invitation, JSON.
  invitation TEXT,
  -- How long texts are kept; NULL: for ever.
  keep_days INTEGER,
  -- Texts from before it are not wanted, ms since 1970.
  since INTEGER NOT NULL DEFAULT 0,
  -- The person was told of the control entries up to this seq.
  noticed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE group_feeds (
  id INTEGER PRIMARY KEY,
  contact INTEGER NOT NULL REFERENCES groups(contact),
  feed TEXT NOT NULL,
  -- Whose it is, as the entry says that admits it; empty: that entry is not here.
  label TEXT NOT NULL,
  name TEXT NOT NULL,
  -- 1: this account's key writes it.
  is_own INTEGER NOT NULL,
  -- The number with which its texts began here; those before it came later. NULL: there are none.
  base INTEGER,
  -- Up to which number its texts were read here.
  read INTEGER NOT NULL DEFAULT 0,
  UNIQUE (contact, feed)
) STRICT;
CREATE TABLE group_entries (
  -- The order of arrival; a number never comes again.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  contact INTEGER NOT NULL REFERENCES groups(contact),
  feed INTEGER NOT NULL REFERENCES group_feeds(id),
  -- 'c' or 't'.
  lane TEXT NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  size INTEGER NOT NULL,
  -- Of an edit or a withdrawal: the number of the text that it is about.
  target INTEGER,
  header TEXT NOT NULL,
  signature TEXT NOT NULL,
  -- NULL: it came without one, and is wanted; empty: it was dropped here.
  body TEXT,
  UNIQUE (feed, lane, number)
) STRICT;
CREATE INDEX group_arrivals ON group_entries (contact);
CREATE INDEX group_control ON group_entries (contact) WHERE lane = 'c';
CREATE INDEX group_actions ON group_entries (feed, target) WHERE target IS NOT NULL;
CREATE INDEX group_bodiless ON group_entries (contact) WHERE body IS NULL;
-- Proofs that somebody has signed two entries of one number: the lowest of each lane.
CREATE TABLE group_forks (
  feed INTEGER NOT NULL REFERENCES group_feeds(id),
  lane TEXT NOT NULL,
  number INTEGER NOT NULL,
  -- A JSON list of both, as they travel.
  entries TEXT NOT NULL,
  -- 1: the person was told of it.
  shown INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (feed, lane)
) STRICT, WITHOUT ROWID;
-- Up to which number of a feed of ours another term has the texts, and has read them.
CREATE TABLE group_peers (
  own INTEGER NOT NULL REFERENCES group_feeds(id),
  term INTEGER NOT NULL REFERENCES group_feeds(id),
  received INTEGER NOT NULL,
  read INTEGER NOT NULL,
  -- 1: that term has said so itself.
  is_direct INTEGER NOT NULL,
  PRIMARY KEY (own, term)
) STRICT, WITHOUT ROWID;
-- Who is to be invited once their key is known.
CREATE TABLE group_invitees (
  contact INTEGER NOT NULL REFERENCES groups(contact),
  label TEXT NOT NULL,
  name TEXT NOT NULL,
  -- 'all' or 'none'.
  history TEXT NOT NULL,
  PRIMARY KEY (contact, label)
) STRICT, WITHOUT ROWID;
-- Of a group's text, and of our edits and withdrawals: the entry; NULL: it is not signed yet.
ALTER TABLE messages ADD COLUMN feed INTEGER REFERENCES group_feeds(id);
ALTER TABLE messages ADD COLUMN number INTEGER;
CREATE UNIQUE INDEX group_texts ON messages (feed, number) WHERE feed IS NOT NULL;
CREATE TRIGGER group_text_deleted AFTER UPDATE OF kind ON messages
WHEN new.kind = 3 AND new.feed IS NOT NULL BEGIN
  UPDATE group_entries SET body = '' WHERE feed = new.feed AND lane = 't' AND number = new.number;
  -- A withdrawal stays readable for the others.
  UPDATE group_entries SET body = ''
    WHERE feed = new.feed AND target = new.number AND instr(header, ' edit ') > 0;
END;
CREATE TRIGGER group_body_dropped AFTER UPDATE OF body ON group_entries
WHEN old.body <> '' AND new.body = '' BEGIN
  UPDATE wipes SET deletions = deletions + 1;
END;
CREATE TRIGGER group_entry_deleted AFTER DELETE ON group_entries
WHEN old.body <> '' BEGIN
  UPDATE wipes SET deletions = deletions + 1;
END;
CREATE TRIGGER group_read AFTER UPDATE OF read_here ON contacts
WHEN substr(new.label, 1, 1) = '#' BEGIN
  UPDATE group_feeds SET read = max(read, seen.number) FROM (
    SELECT feed, max(number) AS number FROM messages
    WHERE kind = 0 AND contact = new.id AND seq > old.read_here AND seq <= new.read_here AND feed IS NOT NULL
    GROUP BY feed) AS seen
  WHERE group_feeds.id = seen.feed;
END;`;
