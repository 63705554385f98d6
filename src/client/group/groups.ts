/**
 * The groups of an account: what its person does in them, what links bring to them, and with whom links are wanted.
 * `group` is an id, `name` its conversation's: `#` and the id.
 */
import { readEntry, signCreate, signEntry } from "../../identity/group-entry.ts";
import { fingerprint } from "../../identity/fingerprint.ts";
import { label as labelOf } from "../../identity/names.ts";
import type { GroupMessage } from "../../protocol/peer-messages.ts";
import type { GroupMember, GroupNotice, SharedGroup } from "../conversation/events.ts";
import type { GroupEvents } from "../conversation/needs.ts";
import type { Sender } from "../conversation/outbox.ts";
import type { Durability } from "../disk/durability.ts";
import type { PeerLink } from "../peer/link.ts";
import { GroupError } from "./group-error.ts";
import { Inviting } from "./inviting.ts";
import { LiveGroup } from "./live-group.ts";
import { people, removal } from "./sync/members.ts";
import { isAdmin, mayAdd, mayEnd, mayGrant, type Membership, type Term } from "./sync/membership.ts";
import { Seeking, type SeekingNeeds } from "./seeking.ts";
import { groupMembers, invitationOf, sharedGroup } from "./shared-group.ts";
import { GroupStore, type StoredGroup } from "./store/group-store.ts";
import { forgetChanges, setAside, unsign } from "./store/unsent-texts.ts";

/** How long a person waits at most for somebody to be there with whom something can be done, in ms. */
const PATIENCE = 10_000;
const DAY = 86_400_000;
/** How often texts are looked for that are older than they are kept, in ms. */
const TRIM_INTERVAL = 60_000;

/** What became of the people whom one wanted to add. */
export type AddedPeople = {
  readonly group: SharedGroup;
  readonly added: readonly string[];
  /** They are invited as soon as they are reached. */
  readonly waiting: readonly string[];
  readonly failed: readonly { readonly username: string; readonly code: string }[];
};

type GroupsNeeds = Omit<SeekingNeeds, "store" | "own" | "sought" | "live"> & {
  readonly durability: Durability;
};

/** Every method throws GroupError, and SQLiteError when the disk fails. */
export class Groups implements GroupEvents {
  readonly #needs: GroupsNeeds;
  readonly #store: GroupStore;
  readonly #own: string;
  readonly #live = new Map<string, LiveGroup>();
  readonly #links = new Set<PeerLink>();
  readonly #seeking: Seeking;
  readonly #inviting: Inviting;
  /** What was told of each group last. */
  readonly #told = new Map<string, string>();
  readonly #toTell = new Set<string>();
  /** Who belonged when the people of all groups were counted. */
  readonly #counted = new WeakMap<LiveGroup, Membership>();
  #isClosed = false;
  /** When texts are trimmed next, of the monotonic clock. */
  #trimAt = -Infinity;
  /** Those who wait for something. */
  readonly #waiting = new Set<() => void>();
  /** Undefined: to be made anew. */
  #people: { readonly keys: ReadonlySet<string>; readonly labels: ReadonlySet<string> } | undefined;

  constructor(needs: GroupsNeeds) {
    this.#needs = needs;
    this.#store = new GroupStore(needs.profile, () => needs.clock.now());
    this.#own = labelOf(needs.profile.username);
    this.#inviting = new Inviting({
      ...needs,
      store: this.#store,
      own: this.#own,
      live: this.#live,
      changed: (group) => this.#changedId(group),
    });
    this.#seeking = new Seeking({
      ...needs,
      store: this.#store,
      own: this.#own,
      live: this.#live,
      sought: () => this.#recheck(),
    });
  }

  /** Begins with what is stored. @throws SQLiteError */
  begin(): void {
    for (const stored of this.#store.all()) {
      if (stored.state === "joined") this.#open(stored);
      if (stored.state === "left" && this.#open(stored).own?.state !== "member") this.#close(stored.group);
    }
  }

  #open(stored: StoredGroup): LiveGroup {
    const { profile, storage, durability, clock, emit } = this.#needs;
    const live = new LiveGroup(
      {
        ...{ profile, storage, durability, clock, emit, store: this.#store, own: this.#own },
        serverNow: () => this.#now(),
        isBlocked: (label) => profile.consents.isBlocked(label),
        changed: (group) => this.#changed(group),
      },
      stored,
    );
    this.#live.get(stored.group)?.close();
    this.#live.set(stored.group, live);
    this.#people = undefined;
    for (const link of this.#links) live.linkUp(link);
    return live;
  }

  #now(): number {
    return this.#needs.clock.now() + (this.#needs.clockOffset() ?? 0);
  }

  // What is asked.

  list(): readonly SharedGroup[] {
    return this.#store.all().map((stored) => this.#shared(stored));
  }

  async create(title: string, adds: "admins" | "all", writes: "all" | "admins"): Promise<SharedGroup> {
    const { profile } = this.#needs;
    const { privateKey, spki } = profile.keys;
    const own = { label: this.#own, name: profile.username, spki: spki.toString("base64") };
    const create = signCreate(this.#now(), { version: 1, ...own, title, adds, writes }, privateKey);
    this.#store.save(create.id, { title, state: "joined", ownFeed: create.id }, [create]);
    const live = this.#open(this.#stored(create.id));
    this.#store.save(create.id, { noticed: live.lastControl });
    return await this.#result(create.id);
  }

  async add(group: string, usernames: readonly string[], history: "all" | "none"): Promise<AddedPeople> {
    const live = this.#joined(group);
    const own = live.ownMember();
    if (!mayAdd(live.membership, own, { label: "", role: "member" })) throw new GroupError("not_an_admin");
    const failed: { username: string; code: string }[] = [];
    const wanted = new Map<string, string>();
    for (const username of usernames) {
      const code = this.#inviting.whyNot(live, username, wanted.size);
      if (code !== undefined) failed.push({ username, code });
      else wanted.set(labelOf(username), username);
    }
    for (const [label, username] of wanted) {
      this.#store.invite(group, username, history);
      // They are tried anew, whatever became of the last attempt.
      this.#seeking.reached(label);
    }
    live.wake();
    this.#inviting.addInvitees(live);
    this.#seeking.seek();
    // Whoever is there hears of it before this is answered.
    await this.#until(() => [...wanted.keys()].every((label) => this.#isAnswered(live, label)));
    const waiting = new Set(this.#store.invitees(group).map(({ label }) => label));
    const isWaiting = (label: string) => waiting.has(label);
    return {
      group: await this.#result(group),
      added: [...wanted].filter(([label]) => !isWaiting(label)).map(([, username]) => username),
      waiting: [...wanted].filter(([label]) => isWaiting(label)).map(([, username]) => username),
      failed,
    };
  }

  /** They are invited, and have heard of it or cannot be reached. */
  #isAnswered(live: LiveGroup, label: string): boolean {
    if (this.#seeking.isUnreached(label)) return true;
    const isWaiting = this.#store.invitees(live.group).some((each) => each.label === label);
    return !isWaiting && live.isLinked(label);
  }

  async remove(group: string, username: string): Promise<SharedGroup> {
    const live = this.#joined(group);
    const label = labelOf(username);
    if (label === this.#own) throw new GroupError("not_above");
    const isWaiting = this.#store.invitees(group).some((each) => each.label === label);
    const ends = () => removal(live.membership, live.control, live.ownMember(), label);
    if (ends()?.length !== 0) {
      const own = await this.#signing(live);
      const written = ends();
      if (written === undefined) throw new GroupError(isAdmin(own) ? "not_above" : "not_an_admin");
      live.write(written.map(({ feed, c }) => live.endOf(feed, c)));
    } else if (!isWaiting) throw new GroupError("not_a_member");
    this.#store.uninvite(group, label);
    return await this.#result(group);
  }

  async leave(group: string): Promise<SharedGroup> {
    const live = this.#joined(group);
    this.#store.save(group, { state: "left" });
    this.#setAside(group);
    await this.#compare(live);
    this.#leaveLater(live);
    return await this.#result(group);
  }

  /** What is not signed when one goes stays as the draft of the line. */
  #setAside(group: string): void {
    const { contact } = this.#stored(group);
    const { profile, emit } = this.#needs;
    for (const id of setAside(profile, contact)) emit({ name: "cancelled", to: contact.username, id });
  }

  /** The others are told that one has left, as soon as that may be signed. */
  #leaveLater(live: LiveGroup): void {
    if (live.own?.state === "member" && this.#stored(live.group).state === "left") live.leave();
  }

  async accept(group: string): Promise<SharedGroup> {
    const stored = this.#stored(group);
    const invitation = invitationOf(stored);
    if (stored.state === "joined" || invitation === undefined) throw new GroupError("already_member");
    const { privateKey } = this.#needs.profile.keys;
    const { ownFeed } = stored;
    const create = readEntry(group, invitation.create);
    if (create === undefined) throw new GroupError("not_supported");
    const position = {
      feed: ownFeed,
      lane: "c",
      number: 1,
      prev: ownFeed,
      kind: "join",
      at: this.#now(),
    } as const;
    const join = signEntry(group, position, {}, privateKey);
    // Who comes back has much of it.
    const held = new Set(
      this.#store
        .log(group)
        .load()
        .control.map(({ id }) => id),
    );
    this.#store.save(
      group,
      { state: "joined" },
      [create, join].filter(({ id }) => !held.has(id)),
    );
    this.#open(this.#stored(group));
    this.#seeking.seek();
    return await this.#result(group);
  }

  async decline(group: string): Promise<SharedGroup> {
    const stored = this.#stored(group);
    if (stored.state !== "invited") throw new GroupError("already_member");
    this.#store.save(group, { state: "declined" });
    const label = invitationOf(stored)?.byLabel;
    const link = [...this.#links].find((each) => each.isOpen && each.peer.label === label);
    link?.send({ action: "group_decline", group, feed: stored.ownFeed });
    link?.flush();
    return await this.#result(group);
  }

  async makeAdmin(group: string, username: string): Promise<SharedGroup> {
    const live = this.#joined(group);
    const own = await this.#signing(live);
    if (!isAdmin(own)) throw new GroupError("not_an_admin");
    const label = labelOf(username);
    const person = people(live.membership).find((each) => each.label === label);
    if (person === undefined) throw new GroupError("not_a_member");
    const [term] = person.terms;
    if (isAdmin(term)) throw new GroupError("already_member");
    if (mayGrant(live.membership, own, term)) live.write([{ kind: "grant", body: { feed: term.feed } }]);
    else if (mayEnd(own, term) && mayAdd(live.membership, own, { label, role: "admin" })) {
      const { name, spki, history } = term;
      live.write([
        live.endOf(term.feed, undefined),
        { kind: "add", body: { label, name, spki, role: "admin", history } },
      ]);
    } else throw new GroupError("not_above");
    return await this.#result(group);
  }

  async rename(group: string, title: string): Promise<SharedGroup> {
    const live = this.#joined(group);
    const own = await this.#signing(live);
    if (!isAdmin(own)) throw new GroupError("not_an_admin");
    live.write([{ kind: "set", body: { n: live.membership.renames + 1, title } }]);
    this.#store.save(group, { title });
    return await this.#result(group);
  }

  async keep(group: string, days: number | undefined): Promise<SharedGroup> {
    this.#stored(group);
    this.#store.save(group, { keepDays: days });
    this.#trimAt = -Infinity;
    this.#trim();
    return await this.#result(group);
  }

  async copy(group: string): Promise<SharedGroup> {
    const stored = this.#stored(group);
    const live = this.#live.get(group);
    if (live === undefined) throw new GroupError("not_a_member");
    const { adds, writes } = live.membership;
    const copy = await this.create(stored.title, adds, writes);
    const others = people(live.membership).filter(({ label }) => label !== this.#own);
    const added = await this.add(
      copy.group,
      others.map(({ name }) => name),
      "all",
    );
    return added.group;
  }

  members(group: string): readonly GroupMember[] {
    const live = this.#live.get(group);
    if (live === undefined) {
      this.#stored(group);
      return [];
    }
    return groupMembers(live.membership, this.#store.invitees(group), {
      own: this.#own,
      isOnline: (label) => this.#isOnline(live, label),
      isKnownKey: (label, spki) => {
        const keys = this.#inviting.keysOf(label);
        return keys.length === 0 || keys.includes(spki) || label === this.#own;
      },
      missing: (feed) => live.missing(feed),
    });
  }

  #isOnline(live: LiveGroup, label: string): boolean | null {
    if (live.isLinked(label)) return true;
    const person = people(live.membership).find((each) => each.label === label);
    return person === undefined ? null : (this.#needs.presence(person.name) ?? null);
  }

  notices(group: string): readonly GroupNotice[] {
    const stored = this.#stored(group);
    return this.#live.get(group)?.noticesSince(stored.noticed) ?? [];
  }

  noticesShown(group: string, seq: number): void {
    if (seq > this.#stored(group).noticed) this.#store.save(group, { noticed: seq });
    this.#live.get(group)?.noticesShown();
  }

  // What conversations of two have, too.

  /** Whom texts to this group are queued for. */
  sender(name: string): Sender {
    const { contact, group } = this.#stored(name.slice(1));
    return {
      contact,
      username: contact.username,
      isConnected: false,
      checkSends: () => this.#joined(group).checkWrites(),
      checkChanges: (id) => {
        const { entry, outgoing } = this.#needs.profile.history.find(contact, id) ?? {};
        // Nothing is added any more to what was written in an earlier stay.
        if (entry !== undefined && outgoing === true && entry.feed !== this.#joined(group).own?.feed)
          throw new GroupError("not_a_member");
      },
      committed: () => {
        // They may have been written in the turn in which one left.
        if (this.#stored(group).state !== "joined") this.#setAside(group);
        this.#live.get(group)?.work();
        this.#seeking.seek();
        this.#changedId(group);
      },
      cancelled: () => this.#changedId(group),
    };
  }

  /** A chat is on a screen, until `closeChat` was called as often. */
  openChat(name: string): undefined {
    const { group } = this.#stored(name.slice(1));
    const live = this.#live.get(group);
    if (live === undefined) return undefined;
    live.openChats++;
    this.#seeking.seek();
    return undefined;
  }

  closeChat(name: string): void {
    const live = this.#live.get(name.slice(1));
    if (live !== undefined && live.openChats > 0) live.openChats--;
  }

  /** The person has read the texts up to `seq`. */
  markRead(name: string, seq: number): void {
    const { contact, group } = this.#stored(name.slice(1));
    const { profile, emit } = this.#needs;
    profile.contacts.saveReadHere(contact, seq);
    if (profile.privacy.tells("read", contact)) this.#live.get(group)?.tellRead();
    emit({ name: "read", username: name });
    this.#changedId(group);
  }

  mute(name: string, until: number | undefined): void {
    const { contact, group } = this.#stored(name.slice(1));
    this.#needs.profile.contacts.mute(contact, until);
    this.#needs.emit({ name: "muted", username: name, until });
    this.#changedId(group);
  }

  // What links bring.

  hasKey(key: string): boolean {
    return this.#known().keys.has(key);
  }

  hasLabel(label: string): boolean {
    return this.#known().labels.has(label);
  }

  #known(): { readonly keys: ReadonlySet<string>; readonly labels: ReadonlySet<string> } {
    if (this.#people !== undefined) return this.#people;
    // Links with whoever is blocked end elsewhere.
    const all = [...this.#live.values()]
      .flatMap(({ membership }) => people(membership))
      .filter(({ label }) => label !== this.#own);
    const terms = all.flatMap((person) => person.terms);
    this.#people = {
      keys: new Set(terms.map(({ spki }) => fingerprint(Buffer.from(spki, "base64")))),
      labels: new Set(all.map(({ label }) => label)),
    };
    return this.#people;
  }

  linkUp(link: PeerLink): void {
    this.#links.add(link);
    this.#seeking.reached(link.peer.label);
    for (const live of this.#live.values()) {
      live.linkUp(link);
      this.#needs.storage.attempt(() => this.#inviting.addInvitees(live));
    }
    this.#recheck();
  }

  linkDown(link: PeerLink): void {
    if (!this.#links.delete(link)) return;
    for (const live of this.#live.values()) live.linkDown(link);
  }

  take(message: GroupMessage, link: PeerLink): void {
    if (!this.#links.has(link)) return;
    if (message.action === "group_invite")
      this.#needs.storage.attempt(() => this.#inviting.invited(message, link));
    else if (message.action === "group_decline")
      this.#needs.storage.attempt(() => this.#inviting.declined(message, link));
    else this.#live.get(message.group)?.take(message, link);
  }

  readEnd(link: PeerLink): void {
    for (const live of this.#live.values()) live.readEnd(link);
    this.#recheck();
  }

  drained(link: PeerLink): void {
    for (const live of this.#live.values()) live.drained(link);
  }

  presence(username: string, online: boolean): void {
    if (online) this.#seeking.reached(labelOf(username));
    this.#seeking.seek();
  }

  unreachable(username: string): void {
    this.#seeking.unreached(labelOf(username));
    this.#seeking.seek();
    this.#recheck();
  }

  // With whom links are wanted.

  /** To be called about once a second. */
  tick(): void {
    for (const live of this.#live.values()) {
      live.work();
      this.#needs.storage.attempt(() => {
        this.#inviting.addInvitees(live);
        this.#leaveLater(live);
      });
    }
    this.#needs.storage.attempt(() => this.#trim());
    this.#seeking.seek();
    this.#recheck();
  }

  /** The account is at the server: whatever was missed is fetched. */
  online(): void {
    for (const live of this.#live.values()) live.wake();
    this.#seeking.seek();
  }

  /** Now and then, and in steps. */
  #trim(): void {
    const now = this.#needs.clock.monotonic();
    if (now < this.#trimAt) return;
    const isMore = this.#store.all().map(({ group, keepDays }) => {
      const since = keepDays === undefined ? undefined : this.#now() - keepDays * DAY;
      return since !== undefined && this.#live.get(group)?.trim(since) === true;
    });
    this.#trimAt = isMore.includes(true) ? now : now + TRIM_INTERVAL;
  }

  // What is told.

  #stored(group: string): StoredGroup {
    const stored = this.#store.find(group);
    if (stored === undefined) throw new GroupError("no_such_group");
    return stored;
  }

  #joined(group: string): LiveGroup {
    const { state } = this.#stored(group);
    const live = this.#live.get(group);
    if (state === "left" || state === "removed") throw new GroupError(state);
    if (state !== "joined" || live === undefined) throw new GroupError("not_a_member");
    return live;
  }

  /** Waits until control entries may be signed. */
  async #signing(live: LiveGroup): Promise<Term> {
    await this.#compare(live);
    if (!live.maySign) throw new GroupError("nobody_online");
    return live.ownMember();
  }

  /** Waits until another member's copy was compared with this one, or nobody of the group is there. */
  async #compare(live: LiveGroup): Promise<void> {
    this.#seeking.ask(live.group);
    live.wake();
    this.#seeking.seek();
    await this.#until(() => live.maySign || this.#seeking.isAlone(live.group));
  }

  /** Resolves when it holds, or after the patience of a person. */
  #until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (this.#isClosed) reject(new Error("the account is closed"));
      else if (isMet()) resolve();
    };
    this.#waiting.add(check);
    const cancel = this.#needs.clock.after(PATIENCE, resolve);
    return promise.finally(() => {
      cancel();
      this.#waiting.delete(check);
    });
  }

  #recheck(): void {
    for (const check of this.#waiting) check();
  }

  /** What a request answers with, once it is on the disk. */
  async #result(group: string): Promise<SharedGroup> {
    await this.#needs.durability.settled();
    this.#changedId(group);
    return this.#shared(this.#stored(group));
  }

  #shared(stored: StoredGroup): SharedGroup {
    const { profile, clock } = this.#needs;
    const live = this.#live.get(stored.group);
    const { contact, group } = stored;
    const until = profile.contacts.mutedUntil(contact, clock.now());
    return sharedGroup(stored, live?.membership, live?.own, {
      unread: profile.history.unreadCounts().get(contact.id) ?? 0,
      waiting: profile.messages.outboxCounts(contact).text,
      unshared: live?.unshared ?? 0,
      to_invite: this.#store.invitees(group).map(({ name }) => name),
      muted_until: until === undefined ? null : new Date(until).toISOString(),
    });
  }

  #changed(live: LiveGroup): void {
    if (this.#counted.get(live) !== live.membership) this.#people = undefined;
    this.#counted.set(live, live.membership);
    if (live.isEnded && this.#stored(live.group).state === "joined") {
      this.#store.save(live.group, { state: "removed" });
      if (live.own !== undefined) unsign(this.#needs.profile, live.contact, live.own);
      this.#setAside(live.group);
    }
    this.#changedId(live.group);
    this.#recheck();
  }

  /** Many changes of one turn are told at once. */
  #changedId(group: string): void {
    if (this.#toTell.size === 0) setImmediate(() => this.#needs.storage.attempt(() => this.#tellChanged()));
    this.#toTell.add(group);
  }

  #tellChanged(): void {
    if (this.#isClosed) return;
    const changed = [...this.#toTell];
    this.#toTell.clear();
    for (const group of changed) {
      const shared = this.#shared(this.#stored(group));
      const json = JSON.stringify(shared);
      if (this.#told.get(group) !== json) this.#needs.emit({ name: "group", group: shared });
      this.#told.set(group, json);
      const live = this.#live.get(group);
      const hasLeft = shared.state === "left" && live?.own?.state !== "member" && shared.unshared === 0;
      const isOver = shared.state === "removed" || hasLeft;
      if (live !== undefined && isOver) {
        forgetChanges(this.#needs.profile, live.contact);
        this.#close(group);
      }
    }
    this.#seeking.seek();
  }

  #close(group: string): void {
    this.#live.get(group)?.close();
    this.#live.delete(group);
    this.#people = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#seeking.close();
    for (const live of this.#live.values()) live.close();
    this.#live.clear();
    this.#recheck();
  }
}
