/**
 * The stored conversations of one account, for screens and commands to read and change. The archive needs no
 * network and no lock: it may be open while another process has the account online.
 */
import { setTimeout } from "node:timers/promises";

import { deleteMessage } from "./conversation/message-actions.ts";
import type { MessageState } from "./disk/schema.ts";
import { isDamage, isStorageFailure } from "./disk/sqlite.ts";
import { GroupStore, type StoredGroup, type TextCounts } from "./group/store/group-store.ts";
import { localFolder, type AccountPlace } from "./local-accounts.ts";
import { contactState, type ContactState } from "./profile/consents.ts";
import type { Contact, Muted } from "./profile/contacts.ts";
import type { Draft } from "./profile/drafts.ts";
import type { MessageHistory, MessagePage } from "./profile/message-history.ts";
import type { MessageSearch } from "./profile/message-search.ts";
import type { OutboxCounts } from "./profile/message-store.ts";
import { Profile } from "./profile/profile.ts";
import type { RelayUse } from "./disk/schema.ts";
import type { StoredMessage } from "./profile/stored-message.ts";
import { authorityFingerprint } from "./rendezvous/trust.ts";
import { SafetyNumbers } from "./safety-numbers.ts";

export { searchQuery } from "./profile/message-search.ts";

/** How many messages of one contact were not shown on this machine yet. */
export type Unread = { readonly username: string; readonly count: number };

export type { StoredGroup } from "./group/store/group-store.ts";

type Use<T> = (archive: Archive) => T | Promise<T>;

/**
 * Opens the archive of the account that `place` selects, runs `use`, and closes it. If `use` meets damage, the next
 * start checks the file.
 * @throws AccountError, StoreError, and what `use` throws
 */
export function withArchive<T>(place: AccountPlace, use: Use<T>): Promise<T> {
  return closedAfter(() => Profile.open(localFolder(place)), use);
}

/** As `withArchive`, also if nothing can be written: on a full or read-only disk, or without permission. */
export function withReadableArchive<T>(place: AccountPlace, use: Use<T>): Promise<T> {
  return closedAfter(() => Profile.openToRead(localFolder(place)), use);
}

async function closedAfter<T>(open: () => Profile, use: Use<T>): Promise<T> {
  const profile = open();
  try {
    return await use(new Archive(profile));
  } catch (error) {
    profile.noteDamage(error);
    throw error;
  } finally {
    profile.close();
  }
}

/** When the progress of indexing is told for the first time, and how long after that again; ms. */
const FIRST_PROGRESS = 1_000;
const NEXT_PROGRESS = 5_000;
/**
 * Pause between two steps, ms: one step takes about 10. Another process that has to write asks for its turn only
 * every 100 ms, and would fail after 5 s.
 */
const PAUSE = 5;

/** Every method throws SQLiteError when the disk fails. */
export class Archive {
  /** Single messages and unread ones. */
  readonly history: MessageHistory;
  readonly safetyNumbers: SafetyNumbers;
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
    this.history = profile.history;
    this.safetyNumbers = new SafetyNumbers(profile);
  }

  /**
   * Indexes what is not indexed yet, in steps between which other work goes on; a million messages take about half a minute.
   * If the index cannot be written, as on a full disk, the rest of it is made in memory.
   * @param signal ends it early
   * @param tell is called with the indexed share in percent: after a second, and then every five
   * @param monotonic ms, never set back
   * @returns the search of all conversations as they are now; `searchQuery` makes the queries
   */
  async indexedSearch(
    signal: AbortSignal,
    tell: (percent: number) => void,
    monotonic = () => performance.now(),
  ): Promise<MessageSearch> {
    let { search } = this.#profile;
    let next = monotonic() + FIRST_PROGRESS;
    while (!signal.aborted && search.isBehind) {
      try {
        if (!search.indexSome()) break;
      } catch (error) {
        const inMemory = search !== this.#profile.search;
        if (inMemory || isDamage(error) || !isStorageFailure(error)) throw error;
        search = this.#profile.searchInMemory();
      }
      if (monotonic() >= next) {
        tell(search.percentIndexed);
        next = monotonic() + NEXT_PROGRESS;
      }
      await setTimeout(PAUSE);
    }
    return search;
  }

  /**
   * Wipes what deleted texts have left in the file, in steps between which other work goes on; with a million messages
   * that takes a second or two. If another process is in the way, the messenger does the rest later.
   * @param signal ends it early
   */
  async wipe(signal: AbortSignal): Promise<void> {
    const { wipe } = this.#profile;
    wipe.rewriteSmall();
    while (!signal.aborted && wipe.step() === "more") await setTimeout(PAUSE);
  }

  /** The name of the account. */
  get username(): string {
    return this.#profile.username;
  }

  /** The folder with its files. */
  get folder(): string {
    return this.#profile.folder;
  }

  /** The fingerprint of its server's authority: 64 hexadecimal digits. */
  get authority(): string {
    return authorityFingerprint(this.#profile.authority);
  }

  /** When the account was exported to another machine, ms since 1970; undefined: it lives here. */
  get movedAt(): number | undefined {
    return this.#profile.movedAt;
  }

  /** Whether the local network is told that this client is there, and its router asked for a port. */
  get usesLan(): boolean {
    return this.#profile.usesLan;
  }

  /** Which ways the account uses. */
  get relay(): RelayUse {
    return this.#profile.relay;
  }

  /** Whether a stored session may log in without a password. */
  get hasSession(): boolean {
    return this.#profile.sessionToken !== undefined;
  }

  /** The registered spelling of a name if it is known; otherwise as it was typed. */
  nameOf(typed: string): string {
    return this.#profile.contacts.find(typed)?.username ?? typed;
  }

  /** The name of the contact in this row; empty: there is no such row. */
  usernameAt(contact: number): string {
    return this.#profile.contacts.byId(contact)?.username ?? "";
  }

  /** As `ContactStore.known`. */
  contacts(): readonly Contact[] {
    return this.#profile.contacts.known(Date.now());
  }

  /** The stored conversation with a person, or of a group (`#` and its id); undefined: there is no such contact. */
  conversation(username: string): StoredConversation | undefined {
    const contact = this.#profile.contacts.find(username);
    return contact && new StoredConversation(this.#profile, contact);
  }

  conversationWith(contact: Contact): StoredConversation {
    return new StoredConversation(this.#profile, contact);
  }

  /** The message that a reply refers to; undefined: it is not a reply, or that message is not stored. */
  repliedTo({ contact, replyTo }: StoredMessage): StoredMessage | undefined {
    return replyTo === undefined ? undefined : this.history.find({ id: contact }, replyTo);
  }

  /** The `seq` of the newest message; 0: there is none. */
  lastSeq(): number {
    return this.#profile.messages.lastSeq();
  }

  /** How many messages were not shown yet, by the contact's row number; who has waited longest is first, contacts without any are left out. */
  unread(): ReadonlyMap<number, Unread> {
    const counts = [...this.history.unreadCounts()];
    return new Map(
      counts.map(([contact, count]) => [contact, { username: this.usernameAt(contact), count }]),
    );
  }

  /** As `ContactStore.muted`. */
  muted(): ReadonlyMap<number, Muted> {
    return this.#profile.contacts.muted(Date.now());
  }

  /** As `ContactStore.recent`. */
  recent(limit: number): readonly Contact[] {
    return this.#profile.contacts.recent(limit);
  }

  /** As `DraftStore.beginnings`. */
  drafts(): ReadonlyMap<number, string> {
    return this.#profile.drafts.beginnings();
  }

  /** All groups, invitations and those that were left among them. */
  groups(): readonly StoredGroup[] {
    return new GroupStore(this.#profile).all();
  }

  /** Who asks to write, with the number of their texts, in the order in which they came. */
  requests(): readonly { readonly from: string; readonly count: number }[] {
    return this.#profile.consents
      .requests()
      .map(({ contact, texts }) => ({ from: this.usernameAt(contact), count: texts }));
  }

  /** If the error says that the profile's file is damaged, the next start checks it. */
  noteDamage(error: unknown): void {
    this.#profile.noteDamage(error);
  }
}

/** The stored texts of one conversation, with a person or in a group. Every method throws SQLiteError when the disk fails. */
export class StoredConversation {
  readonly contact: Contact;
  readonly #profile: Profile;
  readonly #groups: GroupStore;

  constructor(profile: Profile, contact: Contact) {
    this.#profile = profile;
    this.#groups = new GroupStore(profile);
    this.contact = contact;
  }

  /** The other person's name, in the registered spelling if it is known; of a group `#` and its id. */
  get username(): string {
    return this.contact.username;
  }

  /** Whether no link with this person was ever proven. */
  get isStranger(): boolean {
    const { contacts } = this.#profile;
    return contacts.pins(this.contact).length === 0 && contacts.pendingKey(this.contact) === undefined;
  }

  /** What is known of their key. A changed one waits for the person to accept it. */
  get keyState(): "known" | "key_changed" | "unknown" {
    if (this.isStranger) return "unknown";
    return this.#profile.contacts.pendingKey(this.contact) === undefined ? "known" : "key_changed";
  }

  /** Of their known key, 64 hexadecimal digits. */
  get fingerprint(): string | undefined {
    return this.#profile.contacts.pins(this.contact)[0]?.fingerprint;
  }

  /** Whether they were verified by the code. */
  get isVerified(): boolean {
    return this.#profile.verifications.verifiedAt(this.contact) !== undefined;
  }

  /** What the person is to this account. */
  get state(): ContactState {
    return contactState(this.#profile.consents.of(this.contact, Date.now()));
  }

  /** Until when nothing of theirs is announced, ms since 1970; undefined: it is. */
  get mutedUntil(): number | undefined {
    return this.#profile.contacts.mutedUntil(this.contact, Date.now());
  }

  /** What stands unsent in the input line. */
  get draft(): Draft {
    return this.#profile.drafts.of(this.contact);
  }

  /** Blank drafts are not kept. */
  keepDraft(draft: Draft): void {
    this.#profile.drafts.save(this.contact, draft);
  }

  /** Whether the texts that wait for them are held until they accept, as they have said last. */
  get isHeld(): boolean {
    return this.#profile.consents.answer(this.contact) === "held" && this.outboxCounts().text > 0;
  }

  /** When they were last heard of, by the texts that are stored; ms since 1970. */
  lastHeard(): number | undefined {
    return this.#profile.history.lastHeard(this.contact);
  }

  /**
   * The `seq` of the first of the newest `last` texts that are not older than `since` (ms since 1970); undefined: there
   * is none. Each may be undefined: then it sets no limit.
   */
  first({ last, since }: { last: number | undefined; since: number | undefined }): number | undefined {
    const { history } = this.#profile;
    const firstSince = since === undefined ? 0 : history.firstSince(this.contact, since);
    if (firstSince === undefined || last === undefined) return firstSince;
    return Math.max(firstSince, history.firstOfLast(this.contact, last) ?? 0);
  }

  /** Oldest first, from after `seq` on. @param limit messages, at least 1 */
  after(seq: number, limit: number): readonly StoredMessage[] {
    return this.#profile.history.after(this.contact, seq, limit);
  }

  /** The page before `seq`, oldest first; undefined: the newest page. @param limit messages, at least 1 */
  before(seq: number | undefined, limit: number): MessagePage {
    return this.#profile.history.before(this.contact, seq, limit);
  }

  /** The text of this id, ours or theirs; of two with the same id, ours. */
  find(id: string): StoredMessage | undefined {
    return this.#profile.history.find(this.contact, id);
  }

  /** Their messages that were not printed yet, oldest first. @param limit messages, at least 1 */
  unprinted(limit: number): readonly StoredMessage[] {
    return this.#profile.history.unprintedOf(this.contact, limit);
  }

  /** The lowest `seq` of their messages that were not shown yet; undefined: all were. */
  unreadFrom(): number | undefined {
    return this.#profile.history.unreadFrom(this.contact);
  }

  /**
   * Stores in one commit that these were shown, and that the person has read up to `seen`, unless an older one was not shown.
   * @returns whether they have
   */
  markShown(shown: readonly number[], seen: number | undefined): boolean {
    const { consents, contacts, history } = this.#profile;
    return consents.inOneCommit(() => {
      history.markPrinted(shown);
      if (seen === undefined || (this.unreadFrom() ?? Infinity) <= seen) return false;
      contacts.saveReadHere(this.contact, seen);
      return true;
    });
  }

  /** How many messages of each kind are not acknowledged. */
  outboxCounts(): OutboxCounts {
    return this.#profile.messages.outboxCounts(this.contact);
  }

  /** The state of a message or change of ours; `at`: ms since 1970. Undefined: none has this id. */
  stateOf(id: string): { readonly state: MessageState; readonly at: number } | undefined {
    return this.#profile.messages.stateOf(this.contact, id);
  }

  /** Who in the group has a text of ours; undefined: it is not signed yet, not ours, or of a conversation of two. */
  counts(message: StoredMessage): TextCounts | undefined {
    return this.#groups.counts(message);
  }

  /** Deletes one text on this side; its id stays, so that it is not received again. @throws ActionError */
  delete(id: string): void {
    deleteMessage(this.#profile, this.contact, this.find(id));
  }

  /** As `delete`. @returns the deleted text. @throws ActionError */
  deleteBySeq(seq: number): StoredMessage {
    return deleteMessage(this.#profile, this.contact, this.#profile.history.bySeq(seq));
  }

  /**
   * Deletes the draft and, batch by batch, every text that is stored when the deletion begins and is not in the outbox. The caller
   * can do other work between two batches, and stop early.
   */
  *deleteAll(): Generator<{ readonly deleted: number; readonly isMore: boolean }> {
    const { drafts, messages, removal } = this.#profile;
    drafts.delete(this.contact);
    const last = messages.lastSeq();
    for (let isMore = true; isMore;) {
      const batch = removal.deleteSome(this.contact, last);
      ({ isMore } = batch);
      yield batch;
    }
  }
}
