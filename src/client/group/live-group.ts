/**
 * One group that this account is in: signs what was written here, says what has changed, and invites who is linked.
 *
 * A text is a draft until it may be signed (GROUPS 6): somebody else must have told what they have of our feed.
 */
import { readText } from "../../identity/group-body.ts";
import { isCreate, signEntry, type GroupEntry } from "../../identity/group-entry.ts";
import type { GroupNotice } from "../conversation/events.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Contact } from "../profile/contacts.ts";
import type { Profile } from "../profile/profile.ts";
import { GroupNotices, lastSeq, type NoticeNeeds } from "./group-notices.ts";
import { invitationMessage, signJoin } from "./invitation.ts";
import { AWAKE_TIME, NO_NEIGHBOURS, type Neighbourhood } from "./neighbours.ts";
import { GroupError } from "./store/group-error.ts";
import type { StoredGroup } from "./store/group-store.ts";
import { OwnTexts } from "./store/own-texts.ts";
import { draftSalt } from "./store/shown-texts.ts";
import { forgetChanges, unsign } from "./store/unsent-texts.ts";
import type { SyncMessage } from "./sync/group-link.ts";
import type { GroupChanges } from "./sync/holdings.ts";
import { isActive, termOfKey } from "./sync/members.ts";
import { mayWrite, type Membership, type Term } from "./sync/membership.ts";
import { SyncedGroup, type SyncedNeeds } from "./synced-group.ts";

/** Texts that are signed in one commit. */
const SIGNED_AT_ONCE = 60;

export type LiveNeeds = SyncedNeeds &
  NoticeNeeds & {
    readonly profile: Profile;
    /** What is stored of the file that this text names, if it names one, may have changed. @throws SQLiteError */
    readonly fileStored: (message: string) => void;
    /** Who belongs, or what is shared of ours, may have changed. */
    readonly changed: (group: LiveGroup) => void;
  };

export class LiveGroup {
  readonly group: string;
  readonly contact: Contact;
  readonly synced: SyncedGroup;
  readonly #needs: LiveNeeds;
  /** Our own, as in terms. */
  readonly #key: string;
  /** Whom somebody linked was invited as, and when that was looked at. */
  readonly #invitedOn = new WeakMap<PeerLink, { readonly asOf: Membership; readonly said: string }>();
  readonly #texts: OwnTexts;
  readonly #notices: GroupNotices;
  /** The feed that we write, once what admits it is here. */
  #ownFeed: string;
  /** The last number of our lane c that somebody else is known to have. */
  #sharedControl = 0;
  #awakeUntil: number;
  openChats = 0;
  neighbourhood: Neighbourhood = NO_NEIGHBOURS;

  /** @throws SQLiteError */
  constructor(needs: LiveNeeds, { group, contact, ownFeed }: StoredGroup) {
    const { profile, clock } = needs;
    this.group = group;
    this.contact = contact;
    this.#ownFeed = ownFeed;
    this.#needs = needs;
    this.#key = profile.keys.spki.toString("base64");
    this.#texts = new OwnTexts(profile, contact, needs.own);
    this.#notices = new GroupNotices(needs, group);
    this.#awakeUntil = clock.monotonic() + AWAKE_TIME;
    this.synced = new SyncedGroup(needs, group, this.#key, {
      linkUp: (link) => this.#inviteOn(link),
      gave: (headers) => this.#gave(headers),
      heads: (message, link) => this.#noteShared(message, link),
      readEnd: () => this.work(),
      committed: (changes) => this.#tell(changes),
    });
    if (this.own !== undefined) this.#texts.follow(this.own.feed);
  }

  get name(): string {
    return this.contact.username;
  }

  get membership(): Membership {
    return this.synced.held.membership;
  }

  /** Our own term; undefined: what admits us is not here yet. */
  get own(): Term | undefined {
    return this.synced.held.own;
  }

  /** Whether what admits us is not here yet. */
  get isJoining(): boolean {
    return !this.membership.terms.has(this.#ownFeed);
  }

  /** Whether we belong to it no longer. */
  get isEnded(): boolean {
    return !this.isJoining && this.own?.state === "ended";
  }

  /** All control entries. */
  get control(): readonly GroupEntry[] {
    return this.synced.held.control;
  }

  /** The `seq` of the last control entry that came. */
  get lastControl(): number {
    return lastSeq(this.synced.held);
  }

  /** How many texts of a feed others are known to have that are not here. */
  missing(feed: string): number {
    return this.synced.held.missing(feed);
  }

  // What others have of ours.

  /** Whether somebody else has joined. */
  get hasOthers(): boolean {
    return [...this.membership.terms.values()].some(
      ({ label, state }) => label !== this.#needs.own && state === "member",
    );
  }

  /** Whether something of ours waits for somebody who takes it. */
  get isWaiting(): boolean {
    const { own } = this;
    return this.unshared > 0 || (own !== undefined && !this.hasOthers && this.#lasts(own).lastText > 0);
  }

  /** Entries of ours that nobody else is known to have; 0 where nobody else has joined. */
  get unshared(): number {
    const { own } = this;
    if (own === undefined || this.isJoining) return 1;
    if (!this.hasOthers) return 0;
    const { lastControl, lastText } = this.#lasts(own);
    return Math.max(0, lastControl - this.#sharedControl) + Math.max(0, lastText - this.#texts.received);
  }

  #lasts({ feed }: Term): { lastControl: number; lastText: number } {
    const { held } = this.synced;
    const now = this.#needs.serverNow();
    return {
      lastControl: held.next(feed, "c", now).number - 1,
      lastText: held.next(feed, "t", now).number - 1,
    };
  }

  /** Nobody tells who has left what they have of them. */
  #gave(headers: readonly string[]): void {
    const { own } = this;
    if (own?.state !== "ended") return;
    const { lastControl } = this.#lasts(own);
    if (!headers.some((header) => header.startsWith(`${own.feed} c ${lastControl} `))) return;
    this.#sharedControl = lastControl;
    this.#needs.changed(this);
  }

  /** Whoever has the same sum has all of ours; who names our feed, so much of it. */
  #noteShared({ sum, heads }: SyncMessage & { action: "group_heads" }, { peer }: PeerLink): void {
    const { own } = this;
    const isMember = termOfKey(this.membership, peer.spki.toString("base64"))?.state === "member";
    if (own === undefined || !isMember || peer.label === this.#needs.own) return;
    const { lastControl } = this.#lasts(own);
    const named = heads?.find(([feed]) => feed === own.feed)?.[1] ?? 0;
    const shared = sum === this.synced.held.sum ? lastControl : Math.min(named, lastControl);
    if (shared <= this.#sharedControl) return;
    this.#sharedControl = shared;
    this.#needs.changed(this);
  }

  // When links are wanted (GROUPS 9).

  get isAwake(): boolean {
    return this.openChats > 0 || this.#needs.clock.monotonic() < this.#awakeUntil || this.#hasUnsent;
  }

  get #hasUnsent(): boolean {
    return this.unshared > 0 || (this.hasOthers && this.#texts.drafts(1).length > 0);
  }

  wake(): void {
    this.#awakeUntil = this.#needs.clock.monotonic() + AWAKE_TIME;
  }

  /** Signs what may be signed, and writes what links take. To be called about once a second. */
  work(): void {
    if (this.synced.isResting) return;
    this.synced.attempt(() => {
      this.#joinAnew();
      this.#follow();
      this.#sign();
      this.synced.pump();
      for (const link of this.synced.links) this.#inviteOn(link);
      this.#notices.tellGaps(this.synced.held);
    });
  }

  // What is written here.

  /** Texts, or changes of texts, were queued. */
  written(): void {
    this.#texts.written();
    this.work();
  }

  /** @throws GroupError: why no texts of ours are taken */
  checkWrites(): void {
    const { own, membership } = this;
    if (own === undefined || this.isJoining) return;
    if (!mayWrite(membership, this.ownMember())) throw new GroupError("only_admins_write");
  }

  /** Our own term, as which we may write. @throws GroupError */
  ownMember(): Term {
    const { own } = this;
    if (own?.state !== "member") throw new GroupError("not_a_member");
    if (own.isForked) throw new GroupError("forked");
    return own;
  }

  /** Whether entries of lane c may be signed now. */
  get maySign(): boolean {
    return this.mayRemove(undefined);
  }

  /** Whether the removal of somebody may be signed now: that of the only other one needs nobody who confirms. */
  mayRemove(label: string | undefined): boolean {
    return this.synced.held.maySign(this.#needs.serverNow(), label);
  }

  /**
   * Writes control entries of ours, as many as the budget allows.
   * @param removed who is removed by them
   * @throws GroupError; SQLiteError: then none is kept
   */
  write(entries: readonly { readonly kind: string; readonly body: object }[], removed?: string): void {
    const own = this.ownMember();
    if (!this.mayRemove(removed)) throw new GroupError("limited");
    let written = 0;
    for (const { kind, body } of entries) {
      // Beyond the budget nobody would take anything of this lane any more.
      if (this.synced.held.budgetWait(own.feed, "c", this.#needs.serverNow(), 0) > 0) break;
      this.#put(own.feed, "c", kind, body);
      written++;
    }
    if (written > 0) this.#storeWritten();
    if (written < entries.length) throw new GroupError("limited");
  }

  /** The `end` of a term. @param c the last number of its lane c that is to count; undefined: all that is here */
  endOf(feed: string, c: number | undefined): { kind: string; body: object } {
    const now = this.#needs.serverNow();
    const control = this.synced.held.next(feed, "c", now);
    const texts = this.synced.held.next(feed, "t", now);
    const last = c ?? control.number - 1;
    const at = this.control.find((entry) => entry.feed === feed && entry.number === last);
    const cid = last === 0 ? feed : (at?.id ?? control.prev);
    const body = { feed, c: last, t: texts.number - 1, cid, tid: texts.prev };
    return { kind: "end", body };
  }

  /** We leave. @throws SQLiteError */
  leave(): void {
    const { own } = this;
    if (own?.state !== "member" || !this.maySign) return;
    const { lastText } = this.#lasts(own);
    this.#put(own.feed, "c", "leave", { t: lastText });
    this.#storeWritten();
  }

  #put(feed: string, lane: "c" | "t", kind: string, body: object, draft?: string): void {
    const { held } = this.synced;
    const position = held.next(feed, lane, this.#needs.serverNow());
    const { privateKey } = this.#needs.profile.keys;
    // A copy of the profile that was put back knows its own draft again.
    const salt = draft === undefined ? undefined : () => draftSalt(draft);
    held.write(signEntry(this.group, { feed, lane, kind, ...position }, body, privateKey, salt), draft);
  }

  /** @throws SQLiteError: then nothing of it is kept */
  #storeWritten(): void {
    this.synced.commitWritten();
    this.wake();
    this.work();
  }

  /**
   * Whoever is in the group has agreed to it, so they join without a question where another `add` than they knew admits
   * them: after an end or a fork, or when what they were shown as an invitation does not count.
   */
  #joinAnew(): void {
    const ours = [...this.membership.terms.values()].filter(({ spki }) => spki === this.#key);
    const anew = ours.find(({ state, isForked }) => state === "invited" && !isForked);
    const create = this.control.find(isCreate);
    if (anew === undefined || create === undefined || ours.some(isActive)) return;
    if (this.#needs.store.find(this.group)?.state !== "joined") return;
    this.synced.held.write(signJoin(create, anew.feed, this.#needs.profile.keys.privateKey));
    this.synced.commit();
    this.#goOnIn(anew.feed, 0);
  }

  /** A later life of this profile had joined anew, before an older copy was put back: its term has come from the others. */
  #follow(): void {
    const { own } = this;
    if (own === undefined || own.feed === this.#ownFeed || !isActive(own)) return;
    this.#goOnIn(own.feed, this.#lasts(own).lastControl);
  }

  /** From now on we write this feed. @param shared the last number of its lane c that others have */
  #goOnIn(feed: string, shared: number): void {
    // What counts for nobody goes out in the new feed.
    for (const term of this.membership.terms.values()) if (term.spki === this.#key) this.unsign(term);
    // They are about texts of the feed before.
    forgetChanges(this.#needs.profile, this.contact);
    this.#needs.store.save(this.group, { ownFeed: feed });
    this.#ownFeed = feed;
    this.#sharedControl = shared;
    this.#texts.follow(feed);
  }

  /** Texts of this term that were signed and count for nobody are drafts again. @throws SQLiteError */
  unsign(term: Term): void {
    unsign(this.#needs.profile, this.contact, term);
    this.#texts.written();
  }

  /** Signs texts, as many as the budget allows. */
  #sign(): void {
    const { own } = this;
    if (own === undefined || !this.synced.held.mayWrite(this.#needs.serverNow())) return;
    let signed = 0;
    for (const draft of this.#texts.drafts(SIGNED_AT_ONCE)) {
      const entry = this.#texts.entryOf(draft);
      if (entry === undefined) break;
      if (this.#budgetWait(own, entry.body) > 0) break;
      this.#put(own.feed, "t", entry.kind, entry.body, draft.id);
      signed++;
    }
    if (signed === 0) return;
    this.synced.commit();
    this.wake();
    this.#needs.changed(this);
  }

  #budgetWait({ feed }: Term, body: object): number {
    const size = Buffer.byteLength(JSON.stringify(body)) + 64;
    return this.synced.held.budgetWait(feed, "t", this.#needs.serverNow(), size);
  }

  /** How long the next draft still waits because so much was written, in ms; 0: it does not wait for that. */
  get heldFor(): number {
    const { own } = this;
    if (own === undefined || !this.synced.held.mayWrite(this.#needs.serverNow())) return 0;
    const [draft] = this.#texts.drafts(1);
    const entry = draft && this.#texts.entryOf(draft);
    return entry === undefined ? 0 : this.#budgetWait(own, entry.body);
  }

  /** The others are told up to where the person has read. */
  tellRead(): void {
    this.synced.attempt(() => {
      for (const { feed, read } of this.#texts.readHere()) this.synced.held.read(feed, read);
      this.synced.pump();
    });
  }

  /** Deletes texts from before this time (ms since 1970). @returns whether there may be more of them */
  trim(since: number): boolean {
    return this.synced.attempt(() => this.synced.held.trim(since)) === true;
  }

  // What has changed.

  #tell({ before, after, entries, receipts, ...changes }: GroupChanges): void {
    const { store } = this.#needs;
    if (entries.length > 0) this.wake();
    for (const entry of entries) this.#tellText(entry);
    if (receipts.length > 0 && this.own !== undefined) this.#tellReceipts(this.own, receipts);
    const seq = entries.findLast(({ lane }) => lane === "c")?.seq ?? changes.seq;
    if (before !== after) {
      // What was before one belonged is no news.
      const isNew = this.#isMember(after) && !this.#isMember(before);
      if (isNew) store.save(this.group, { noticed: seq });
      // Until now it was called as who has invited us called it.
      if (isNew || after.title !== before.title) store.save(this.group, { title: after.title });
      this.#notices.tell(this.synced.held, before, after, seq);
    }
    this.#needs.changed(this);
  }

  #isMember(membership: Membership): boolean {
    return termOfKey(membership, this.#key)?.state === "member";
  }

  /** What has happened since the control entry of this `seq`, and what else the person was not told of. */
  noticesSince(seq: number): GroupNotice[] {
    return this.#notices.since(this.synced.held, seq);
  }

  /** The person was told of all forks and gaps. */
  noticesShown(): void {
    this.#notices.shown();
  }

  /** Of a text of somebody else, or a change of one. */
  #tellText(entry: GroupEntry): void {
    const text = readText(entry);
    const term = this.membership.terms.get(entry.feed);
    const { profile, store, emit, isBlocked } = this.#needs;
    if (text === undefined || term === undefined || entry.feed === this.own?.feed || isBlocked(term.label))
      return;
    // A text that was shown already keeps its id though its author has signed it again.
    const message =
      text.kind === "text"
        ? profile.history.find(this.contact, `${entry.feed}/${entry.number}`)
        : store.message(this.group, entry.feed, text.target);
    if (message === undefined) return;
    const of = { group: this.group, title: this.membership.title };
    if (text.kind === "text") emit({ name: "message", from: term.name, message, ...of });
    else emit({ name: "changed", username: this.name, message, action: undefined });
    this.#needs.fileStored(message.id);
  }

  #tellReceipts({ feed }: Term, receipts: GroupChanges["receipts"]): void {
    const { emit, clock } = this.#needs;
    const at = clock.now();
    for (const { id, counts, isFirst } of this.#texts.takeReceipts(feed, receipts, this.membership)) {
      const told = { name: "delivery", to: this.name, id, at, counts } as const;
      if (isFirst) emit({ ...told, state: "sent" });
      emit({ ...told, state: counts.read > 0 ? "read" : "received" });
    }
  }

  /** Invites whoever is linked and has not answered. */
  #inviteOn(link: PeerLink): void {
    const { membership: asOf, control, own } = this;
    const before = this.#invitedOn.get(link);
    if (!link.isOpen || own?.state !== "member" || before?.asOf === asOf) return;
    const { spki, label } = link.peer;
    const to = { key: spki.toString("base64"), label, by: this.#needs.profile.username };
    const message = invitationMessage(asOf, control, to);
    const said = message === undefined ? "" : `${message.feed} ${message.people} ${message.title}`;
    this.#invitedOn.set(link, { asOf, said });
    if (message === undefined || before?.said === said) return;
    link.send(message);
    link.flush();
  }
}
