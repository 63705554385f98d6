/**
 * One group that this account is in: keeps it in step with those who are linked, signs what was written here, and says
 * what has changed.
 *
 * 1. What a read of a link has brought is committed at its end; once it is on the disk it is acknowledged and passed on.
 * 2. A text is a draft until it may be signed (GROUPS 6): somebody else must have told what they have of our feed.
 */
import { readText } from "../../identity/group-body.ts";
import { signEntry, type GroupEntry } from "../../identity/group-entry.ts";
import type { Clock } from "../../net/clock.ts";
import type { GroupMessage } from "../../protocol/peer-messages.ts";
import type { GroupNotice, MessengerEvent } from "../conversation/events.ts";
import type { Durability } from "../disk/durability.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Contact } from "../profile/contacts.ts";
import type { Profile } from "../profile/profile.ts";
import type { OutboxMessage, StoredMessage } from "../profile/stored-message.ts";
import { GroupError } from "./group-error.ts";
import type { GroupLink, SyncMessage } from "./sync/group-link.ts";
import type { GroupChanges } from "./sync/holdings.ts";
import { invitationChain } from "./invitation.ts";
import { isActive, termOfKey, people } from "./sync/members.ts";
import { mayWrite, membership, type Membership, type Term } from "./sync/membership.ts";
import { Gaps } from "./gaps.ts";
import { AWAKE_TIME, NO_NEIGHBOURS, type Neighbourhood } from "./neighbours.ts";
import { noticesBetween } from "./notices.ts";
import { countsOf, OwnTexts, type Progress } from "./store/own-texts.ts";
import { draftSalt } from "./store/shown-texts.ts";
import type { GroupStore, StoredGroup } from "./store/group-store.ts";
import { GroupSync } from "./sync/sync.ts";
import { forgetChanges, unsign } from "./store/unsent-texts.ts";

/** Texts that are signed in one commit. */
const SIGNED_AT_ONCE = 60;
/** Of how many texts it is told at once that somebody has them: of the newest. */
const TOLD_AT_ONCE = 256;

/** How long nothing is begun after the disk has failed, in ms. */
const REST_TIME = 30_000;

export type LiveNeeds = {
  readonly profile: Profile;
  readonly store: GroupStore;
  readonly storage: StorageGuard;
  readonly durability: Durability;
  readonly clock: Clock;
  /** Ms since 1970, by the server's clock where it is known. */
  readonly serverNow: () => number;
  readonly emit: (event: MessengerEvent) => void;
  /** The label of this account. */
  readonly own: string;
  readonly isBlocked: (label: string) => boolean;
  /** Who belongs, or what is shared of ours, may have changed. */
  readonly changed: (group: LiveGroup) => void;
};

export class LiveGroup {
  readonly group: string;
  readonly contact: Contact;
  readonly #needs: LiveNeeds;
  /** Our own, as in terms. */
  readonly #key: string;
  readonly #links = new Map<PeerLink, GroupLink>();
  /** What was said on a link to somebody who is invited. */
  readonly #invitedOn = new WeakMap<PeerLink, string>();
  readonly #texts: OwnTexts;
  readonly #gaps = new Gaps();
  /** The feed that we write, once what admits it is here. */
  #ownFeed: string;
  #sync: GroupSync;
  /** Of our own feed. */
  #progress: Map<string, Progress>;
  /** The last number of our lane c that somebody else is known to have. */
  #sharedControl = 0;
  #awakeUntil: number;
  openChats = 0;
  neighbourhood: Neighbourhood = NO_NEIGHBOURS;
  /** The disk has failed: nothing is begun here until then, of the monotonic clock. */
  #restUntil = -Infinity;
  #isClosed = false;

  /** @throws SQLiteError */
  constructor(needs: LiveNeeds, { group, contact, ownFeed }: StoredGroup) {
    this.group = group;
    this.contact = contact;
    this.#ownFeed = ownFeed;
    this.#needs = needs;
    this.#key = needs.profile.keys.spki.toString("base64");
    this.#texts = new OwnTexts(needs.profile.database, contact);
    this.#awakeUntil = needs.clock.monotonic() + AWAKE_TIME;
    this.#sync = this.#load();
    this.#progress = this.#loadProgress();
  }

  get name(): string {
    return this.contact.username;
  }

  get membership(): Membership {
    return this.#sync.membership;
  }

  /** Our own term; undefined: what admits us is not here yet. */
  get own(): Term | undefined {
    return this.#sync.own;
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
    return this.#sync.control;
  }

  /** How many texts of a feed others are known to have that are not here. */
  missing(feed: string): number {
    return this.#sync.missing(feed);
  }

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
    const received = Math.max(0, ...[...this.#progress.values()].map((each) => each.received));
    return Math.max(0, lastControl - this.#sharedControl) + Math.max(0, lastText - received);
  }

  #lasts({ feed }: Term): { lastControl: number; lastText: number } {
    const now = this.#needs.serverNow();
    return {
      lastControl: this.#sync.next(feed, "c", now).number - 1,
      lastText: this.#sync.next(feed, "t", now).number - 1,
    };
  }

  /** Whether links are wanted (GROUPS 9). */
  get isAwake(): boolean {
    return this.openChats > 0 || this.#needs.clock.monotonic() < this.#awakeUntil || this.#hasUnsent;
  }

  get #hasUnsent(): boolean {
    return this.unshared > 0 || (this.hasOthers && this.#drafts(1).length > 0);
  }

  wake(): void {
    this.#awakeUntil = this.#needs.clock.monotonic() + AWAKE_TIME;
  }

  #load(): GroupSync {
    return new GroupSync(this.group, this.#key, this.#needs.store.log(this.group));
  }

  #loadProgress(): Map<string, Progress> {
    return this.own === undefined ? new Map() : this.#texts.progress(this.own.feed);
  }

  // What links bring.

  linkUp(link: PeerLink): void {
    if (this.#links.has(link)) return;
    const groupLink: GroupLink = {
      key: link.peer.spki.toString("base64"),
      get queuedBytes() {
        return link.isOpen ? link.queuedBytes : Infinity;
      },
      send: (message) => {
        link.send(message);
        if (message.action === "group_entries") this.#gave(message.entries.map(([header]) => header));
      },
    };
    this.#links.set(link, groupLink);
    this.#attempt(() => {
      this.#sync.linkUp(groupLink, this.#needs.serverNow());
      this.#inviteOn(link);
    });
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

  linkDown(link: PeerLink): void {
    const groupLink = this.#links.get(link);
    if (groupLink === undefined) return;
    this.#links.delete(link);
    this.#sync.linkDown(groupLink);
  }

  /** Somebody who is linked. */
  linkTo(label: string): PeerLink | undefined {
    return [...this.#links.keys()].find((link) => link.isOpen && link.peer.label === label);
  }

  /** Whether somebody with this label is linked. */
  isLinked(label: string): boolean {
    return this.linkTo(label) !== undefined;
  }

  take(message: SyncMessage & GroupMessage, link: PeerLink): void {
    const groupLink = this.#links.get(link);
    if (groupLink === undefined) return;
    const isHonest = this.#attempt(() => this.#sync.take(groupLink, message, this.#needs.serverNow()));
    if (isHonest === undefined) link.refuse("storage_failed");
    else if (!isHonest) link.refuse("bad_request");
    else if (message.action === "group_heads") this.#noteShared(message, groupLink.key, link.peer.label);
  }

  /** Whoever has the same sum has all of ours; who names our feed, so much of it. */
  #noteShared({ sum, heads }: SyncMessage & { action: "group_heads" }, key: string, label: string): void {
    const { own } = this;
    const isMember = termOfKey(this.membership, key)?.state === "member";
    if (own === undefined || !isMember || label === this.#needs.own) return;
    const { lastControl } = this.#lasts(own);
    const named = heads?.find(([feed]) => feed === own.feed)?.[1] ?? 0;
    const shared = sum === this.#sync.sum ? lastControl : Math.min(named, lastControl);
    if (shared <= this.#sharedControl) return;
    this.#sharedControl = shared;
    this.#needs.changed(this);
  }

  /** All of one read was taken. */
  readEnd(link: PeerLink): void {
    if (!this.#links.has(link)) return;
    if (this.#attempt(() => (this.#commit(), true)) === undefined) {
      link.refuse("storage_failed");
      return;
    }
    this.work();
  }

  drained(link: PeerLink): void {
    if (this.#links.has(link)) this.#attempt(() => this.#sync.pump(this.#needs.serverNow()));
  }

  /** Signs what may be signed, and writes what links take. To be called about once a second. */
  work(): void {
    if (this.#needs.clock.monotonic() < this.#restUntil) return;
    this.#attempt(() => {
      this.#joinAnew();
      this.#sign();
      this.#sync.pump(this.#needs.serverNow());
      for (const link of this.#links.keys()) this.#inviteOn(link);
      this.#tellGaps();
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const groupLink of this.#links.values()) this.#sync.linkDown(groupLink);
    this.#links.clear();
  }

  /** @returns undefined: the disk has failed; what was not stored is forgotten, and its links begin anew */
  #attempt<T>(work: () => T): T | undefined {
    if (this.#isClosed) return undefined;
    const { storage } = this.#needs;
    try {
      return work();
    } catch (error) {
      storage.failed(error);
      this.#restUntil = this.#needs.clock.monotonic() + REST_TIME;
      storage.attempt(() => this.#begin());
      return undefined;
    }
  }

  /** Begins anew from what is on the disk. @throws SQLiteError */
  #begin(): void {
    this.#sync = this.#load();
    for (const groupLink of this.#links.values()) this.#sync.linkUp(groupLink, this.#needs.serverNow());
  }

  // What is written here.

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
    return this.#sync.maySign(this.#needs.serverNow());
  }

  /** Writes control entries of ours, as many as the budget allows. @throws GroupError; SQLiteError: then none is kept */
  write(entries: readonly { readonly kind: string; readonly body: object }[]): void {
    const own = this.ownMember();
    if (!this.maySign) throw new GroupError("limited");
    let written = 0;
    for (const { kind, body } of entries) {
      // Beyond the budget nobody would take anything of this lane any more.
      if (this.#sync.budgetWait(own.feed, "c", this.#needs.serverNow(), 0) > 0) break;
      this.#put(own.feed, "c", kind, body);
      written++;
    }
    if (written > 0) this.#storeWritten();
    if (written < entries.length) throw new GroupError("limited");
  }

  /** The `end` of a term. @param c the last number of its lane c that is to count; undefined: all that is here */
  endOf(feed: string, c: number | undefined): { kind: string; body: object } {
    const now = this.#needs.serverNow();
    const control = this.#sync.next(feed, "c", now);
    const texts = this.#sync.next(feed, "t", now);
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
    const position = this.#sync.next(feed, lane, this.#needs.serverNow());
    const { privateKey } = this.#needs.profile.keys;
    // A copy of the profile that was put back knows its own draft again.
    const salt = draft === undefined ? undefined : () => draftSalt(draft);
    this.#sync.write(signEntry(this.group, { feed, lane, kind, ...position }, body, privateKey, salt), draft);
  }

  /** @throws SQLiteError: then nothing of it is kept */
  #storeWritten(): void {
    try {
      this.#commit();
    } catch (error) {
      this.#needs.storage.attempt(() => this.#begin());
      throw error;
    }
    this.wake();
    this.work();
  }

  /**
   * Whoever was admitted anew while in the group, after an end or a fork, joins without a question: the same key has agreed
   * before.
   */
  #joinAnew(): void {
    const ours = [...this.membership.terms.values()].filter(({ spki }) => spki === this.#key);
    const anew = ours.find(({ state, isForked }) => state === "invited" && !isForked);
    if (anew === undefined || ours.some(isActive) || !ours.some(hasAgreed)) return;
    this.#put(anew.feed, "c", "join", {});
    // They go out in the new feed.
    for (const term of ours) unsign(this.#needs.profile, this.contact, term);
    // What others have of ours is counted of this feed.
    this.#needs.store.save(this.group, { ownFeed: anew.feed });
    this.#ownFeed = anew.feed;
    // They are about texts of the feed before.
    forgetChanges(this.#needs.profile, this.contact);
    this.#commit();
  }

  #drafts(limit: number): OutboxMessage[] {
    return this.#needs.profile.messages.unclaimed(this.contact, limit);
  }

  /** Signs texts, as many as the budget allows. */
  #sign(): void {
    const { own } = this;
    if (own === undefined || !this.#sync.mayWrite(this.#needs.serverNow())) return;
    let signed = 0;
    for (const draft of this.#drafts(SIGNED_AT_ONCE)) {
      const body = this.#bodyOf(draft);
      if (body === undefined) break;
      const size = Buffer.byteLength(JSON.stringify(body.content)) + 64;
      if (this.#sync.budgetWait(own.feed, "t", this.#needs.serverNow(), size) > 0) break;
      this.#put(own.feed, "t", body.kind, body.content, draft.id);
      signed++;
    }
    if (signed === 0) return;
    this.#commit();
    this.wake();
    this.#needs.changed(this);
  }

  /** Undefined: what it is about has to be signed first. */
  #bodyOf(draft: OutboxMessage): { kind: string; content: object } | undefined {
    const { history } = this.#needs.profile;
    const entryOf = (id: string) => history.find(this.contact, id)?.entry;
    switch (draft.kind) {
      case "text": {
        const replied = draft.replyTo === undefined ? undefined : entryOf(draft.replyTo);
        const reply_to = replied === undefined ? undefined : [replied.feed, replied.number];
        return { kind: "text", content: { text: draft.text, ...(reply_to && { reply_to }) } };
      }
      case "edit": {
        const target = entryOf(draft.target)?.number;
        return target === undefined ? undefined : { kind: "edit", content: { target, text: draft.text } };
      }
      case "withdraw": {
        const target = entryOf(draft.target)?.number;
        return target === undefined ? undefined : { kind: "withdraw", content: { target } };
      }
      default:
        return undefined;
    }
  }

  /** The others are told up to where the person has read. */
  tellRead(): void {
    this.#attempt(() => {
      for (const { feed, read } of this.#texts.readHere()) this.#sync.read(feed, read);
      this.#sync.pump(this.#needs.serverNow());
    });
  }

  /** Deletes texts from before this time (ms since 1970). @returns whether there may be more of them */
  trim(since: number): boolean {
    return this.#attempt(() => this.#sync.trim(since)) === true;
  }

  // What has changed.

  /** @throws SQLiteError */
  #commit(): void {
    const { durability, serverNow } = this.#needs;
    durability.check();
    const changes = this.#sync.commit();
    if (changes === undefined) return;
    durability.written(() => this.#attempt(() => this.#sync.stored(changes.seq, serverNow())));
    this.#tell(changes);
  }

  #tell(changes: GroupChanges): void {
    const { store } = this.#needs;
    const { before, after, entries, receipts } = changes;
    if (entries.length > 0) this.wake();
    for (const entry of entries) this.#tellText(entry);
    const ownFeed = this.own?.feed;
    if (receipts.length > 0 && ownFeed !== undefined) this.#tellReceipts(ownFeed, changes);
    const seq = entries.findLast(({ lane }) => lane === "c")?.seq ?? changes.seq;
    if (before !== after) {
      // What was before one belonged is no news.
      if (this.#isMember(after) && !this.#isMember(before)) store.save(this.group, { noticed: seq });
      if (after.title !== before.title) store.save(this.group, { title: after.title });
      for (const notice of this.#noticesOf(before, after, seq))
        this.#needs.emit({ name: "groupNotice", notice });
    }
    this.#needs.changed(this);
  }

  #isMember(membership: Membership): boolean {
    return termOfKey(membership, this.#key)?.state === "member";
  }

  #noticesOf(before: Membership, after: Membership, seq: number): GroupNotice[] {
    const { group, control } = this;
    return noticesBetween(before, after, control, this.#needs.own).map((content) => ({
      group,
      title: after.title,
      seq,
      ...content,
    }));
  }

  /** What has happened since the control entry of this `seq`, and what else the person was not told of. */
  noticesSince(seq: number): GroupNotice[] {
    const { control, forks } = this.#sync;
    const unshown = this.#needs.store.unshownForks(this.group);
    const before = membership(
      control.filter((entry) => entry.seq <= seq),
      forks.filter(({ feed }) => !unshown.has(feed)),
    );
    const notices = before === undefined ? [] : this.#noticesOf(before, this.membership, this.lastControl);
    return [...notices, ...this.#gapNotices(this.#gaps.unshown)];
  }

  /** The person was told of all forks and gaps. */
  noticesShown(): void {
    this.#gaps.shown();
    this.#needs.store.forksShown(this.group);
  }

  /** The `seq` of the last control entry that came. */
  get lastControl(): number {
    return Math.max(...this.#sync.control.map(({ seq }) => seq));
  }

  #tellGaps(): void {
    const { own } = this;
    if (own?.state !== "member") return;
    const due = this.#gaps.look(this.#sync.gaps, this.#needs.clock.monotonic());
    for (const notice of this.#gapNotices(due)) this.#needs.emit({ name: "groupNotice", notice });
  }

  #gapNotices(feeds: readonly string[]): GroupNotice[] {
    const { gaps } = this.#sync;
    return feeds.flatMap((feed) => {
      const term = this.membership.terms.get(feed);
      const { own, isBlocked } = this.#needs;
      if (term === undefined || term.label === own || isBlocked(term.label)) return [];
      const [number, title] = [gaps.get(feed) ?? 1, this.membership.title];
      const of = { group: this.group, title, seq: this.lastControl };
      return [{ ...of, kind: "missing", by: null, names: [term.name], number }];
    });
  }

  /** Of a text of somebody else, or a change of one. */
  #tellText(entry: GroupEntry): void {
    const text = readText(entry);
    const term = this.membership.terms.get(entry.feed);
    const { emit, isBlocked } = this.#needs;
    if (text === undefined || term === undefined || entry.feed === this.own?.feed || isBlocked(term.label))
      return;
    const number = text.kind === "text" ? entry.number : text.target;
    const message = this.#message(`${entry.feed}/${number}`);
    if (message === undefined) return;
    const of = { group: this.group, title: this.membership.title };
    if (text.kind === "text") emit({ name: "message", from: term.name, message, ...of });
    else emit({ name: "changed", username: this.name, message, action: undefined });
  }

  #message(id: string): StoredMessage | undefined {
    return this.#needs.profile.history.find(this.contact, id);
  }

  #tellReceipts(ownFeed: string, { receipts }: GroupChanges): void {
    const known = new Map(this.#progress);
    let [from, to] = [Infinity, 0];
    for (const { term, received, read } of receipts) {
      const before = known.get(term) ?? { received: 0, read: 0 };
      if (received > before.received)
        [from, to] = [Math.min(from, before.received + 1), Math.max(to, received)];
      if (read > before.read) [from, to] = [Math.min(from, before.read + 1), Math.max(to, read)];
    }
    this.#progress = this.#texts.progress(ownFeed);
    const at = this.#needs.clock.now();
    for (const { id, entry } of this.#texts.between(ownFeed, Math.max(from, to - TOLD_AT_ONCE), to)) {
      if (entry === undefined) continue;
      const counts = countsOf(this.membership, this.#progress, entry.number, this.#needs.own);
      const earlier = countsOf(this.membership, known, entry.number, this.#needs.own);
      if (counts.received === 0 || (counts.received === earlier.received && counts.read === earlier.read))
        continue;
      const told = { name: "delivery", to: this.name, id, at, counts } as const;
      if (earlier.received === 0) this.#needs.emit({ ...told, state: "sent" });
      this.#needs.emit({ ...told, state: counts.read > 0 ? "read" : "received" });
    }
  }

  // Invitations.

  /** Invites whoever is linked and has not answered. */
  #inviteOn(link: PeerLink): void {
    if (!link.isOpen) return;
    const term = termOfKey(this.membership, link.peer.spki.toString("base64"));
    if (term?.state !== "invited" || term.label !== link.peer.label || this.own?.state !== "member") return;
    const { title } = this.membership;
    const members = people(this.membership).filter(({ state }) => state === "member").length;
    const said = `${term.feed} ${members} ${title}`;
    if (this.#invitedOn.get(link) === said) return;
    const chain = invitationChain(this.membership, this.control, term.feed);
    if (chain === undefined) return;
    this.#invitedOn.set(link, said);
    link.send({
      action: "group_invite",
      group: this.group,
      feed: term.feed,
      title,
      by: this.#needs.profile.username,
      people: Math.max(1, members),
      entries: chain.map(({ header, signature, body }) => [header, signature, body]),
    });
    link.flush();
  }
}

/** Whether it has joined once. */
function hasAgreed({ state, isForked, cutC }: Term): boolean {
  return state === "member" || isForked || (state === "ended" && cutC > 0);
}
