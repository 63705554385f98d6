/** The requests that read, mark and delete what is stored; the rows of `REQUESTS` that need no server and no peer. */
import { isNewName } from "../../identity/names.ts";
import { exactText, integer, list, oneOf, optional } from "../../protocol/fields.ts";
import { searchQuery, type Archive } from "../archive.ts";
import { ActionError, checkNotSelf } from "../conversation/message-actions.ts";
import { RequestError } from "../error-json.ts";
import { contactJson, partiesOf, storedMessageJson } from "../event-json.ts";
import type { Contact } from "../profile/contacts.ts";
import type { PrivacyStore } from "../profile/privacy.ts";
import type { StoredMessage } from "../profile/stored-message.ts";
import { id, name, person, row } from "./request-row.ts";

/** Most messages of one answer, so that it stays below 7 MB where texts are as long as they may be. */
const MAX_PAGE = 200;
const DEFAULT_PAGE = 100;

const seq = integer(0, Number.MAX_SAFE_INTEGER);
const choice = oneOf("on", "off", "default");
const limit = optional(integer(1, MAX_PAGE));

/** A message as `history --json` prints it, and its number. */
function json(archive: Archive, message: StoredMessage) {
  const [from, to] = partiesOf(message, archive.username, archive.usernameAt(message.contact));
  return { ...storedMessageJson(message, from, to), seq: message.seq };
}

function page(archive: Archive, messages: readonly StoredMessage[]) {
  return { messages: messages.map((message) => json(archive, message)) };
}

function choices(privacy: PrivacyStore, contact?: Contact) {
  return { read: privacy.chosen("read", contact), typing: privacy.chosen("typing", contact) };
}

/** @throws SelfError; RequestError if nobody can have this name, but for the accounts of an old server that are known here */
export function checkPerson(archive: Archive, username: string): void {
  checkNotSelf(archive, username);
  if (!isNewName(username) && archive.conversation(username) === undefined)
    throw new RequestError("bad_request", "username");
}

export const STORED_REQUESTS = {
  /** Everybody whom this account has met. */
  contacts: row({}, ({ archive }) => {
    const unread = archive.unread();
    const contacts = archive.contacts();
    return {
      contacts: contacts.map((each) =>
        contactJson(archive.conversationWith(each), unread.get(each.id)?.count ?? 0),
      ),
    };
  }),
  /** A page of a conversation, oldest first: from after a number on, or else the newest before a number, or of all. */
  history: row(
    { username: name, after: optional(seq), before: optional(seq), limit },
    ({ archive }, { username, after, before, limit: count = DEFAULT_PAGE }) => {
      const conversation = archive.conversation(username);
      if (conversation === undefined) return { messages: [] };
      return page(
        archive,
        after === undefined ? conversation.before(before, count).messages : conversation.after(after, count),
      );
    },
  ),
  /** One message of either side. */
  message: row({ username: name, message_id: id }, ({ archive }, { username, message_id }) => {
    const found = archive.conversation(username)?.find(message_id);
    return { message: found === undefined ? null : json(archive, found) };
  }),
  /** The messages of all conversations that contain all these words, oldest first, from after a number on. */
  search: row(
    { words: exactText(1, 1_000), after: optional(seq), limit },
    async ({ archive }, { words, after = 0, limit: count = DEFAULT_PAGE }) => {
      const query = searchQuery(words);
      if (query === undefined) throw new RequestError("bad_request", "words");
      const search = await archive.indexedSearch(new AbortController().signal, () => undefined);
      return page(archive, search.oldest(query, after, count));
    },
  ),
  /** The received messages that no program and no person has taken on this machine, oldest first. */
  unprinted: row({ limit }, ({ archive }, { limit: count = DEFAULT_PAGE }) =>
    page(archive, archive.history.unprinted(count)),
  ),
  mark_printed: row({ seqs: list(seq, MAX_PAGE) }, ({ archive }, { seqs }) => {
    archive.history.markPrinted(seqs);
    return {};
  }),
  /** Deletes one message, or a conversation but for what is in the outbox, on this machine. `kept`: how many are left. */
  delete: row({ username: name, message_id: optional(id) }, async ({ archive }, { username, message_id }) => {
    const conversation = archive.conversation(username);
    if (message_id !== undefined) {
      if (conversation === undefined) throw new ActionError("unknown_message");
      conversation.delete(message_id);
      return { count: 1, kept: 0 };
    }
    let count = 0;
    for (const { deleted } of conversation?.deleteAll() ?? []) {
      count += deleted;
      // Between two batches other requests are answered.
      await Bun.sleep(0);
    }
    return { count, kept: conversation?.outboxCounts().text ?? 0 };
  }),
  /** Whether others are told that messages were read, and that something is being typed; `people`: whose choice differs. */
  privacy: row({}, ({ account: { messenger } }) => {
    const { privacy, contacts } = messenger.profile;
    const people = contacts
      .all()
      .map((contact) => ({ username: contact.username, ...choices(privacy, contact) }))
      .filter(({ read, typing }) => read !== "default" || typing !== "default");
    return { ...choices(privacy), people };
  }),
  /** Sets it for everybody, or for one person. What is left out stays. */
  set_privacy: row(
    { username: optional(name), read: optional(choice), typing: optional(choice) },
    ({ account: { messenger }, archive }, { username, read, typing }) => {
      const { privacy, contacts } = messenger.profile;
      if (username !== undefined) checkPerson(archive, username);
      const contact = username === undefined ? undefined : contacts.ensure(username);
      if (read !== undefined) privacy.choose("read", read, contact);
      if (typing !== undefined) privacy.choose("typing", typing, contact);
      return {};
    },
  ),
  /** Of this account's own key. */
  fingerprint: row({}, ({ archive }) => ({
    username: archive.username,
    fingerprint: archive.safetyNumbers.ownFingerprint,
  })),
  /** One for each known key of a person, the pending one last. A pending key counts as shown to nobody. */
  safety_number: row({ username: person }, ({ archive }, { username: typed }) => {
    const { username, numbers } = archive.safetyNumbers.with(typed, { markShown: false });
    return {
      username,
      keys: numbers.map(({ number, ...key }) => ({ safety_number: number, ...key })),
    };
  }),
  /** The person counts as never verified from now on. */
  withdraw_verification: row({ username: person }, ({ archive }, { username }) => ({
    result: archive.safetyNumbers.withdrawVerification(username) ? ("withdrawn" as const) : ("none" as const),
  })),
};
