/**
 * The groups of an account: what links bring to them, with whom links are wanted, and what is told of them.
 * `group` is an id, `name` its conversation's: `#` and the id.
 */
import { fingerprint } from "../../identity/fingerprint.ts";
import { label as labelOf } from "../../identity/names.ts";
import type { GroupMessage } from "../../protocol/peer-messages.ts";
import type { GroupNotice, SharedGroup } from "../conversation/events.ts";
import type { GroupEvents } from "../conversation/needs.ts";
import type { Sender } from "../conversation/outbox.ts";
import type { Durability } from "../disk/durability.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Contact } from "../profile/contacts.ts";
import { GroupActions } from "./group-actions.ts";
import { Inviting } from "./inviting.ts";
import { LiveGroup, type LiveNeeds } from "./live-group.ts";
import { Seeking, type SeekingNeeds } from "./seeking.ts";
import { SharedGroups } from "./shared-group.ts";
import { GroupError } from "./store/group-error.ts";
import { GroupStore, type StoredGroup } from "./store/group-store.ts";
import { forgetChanges, setAside } from "./store/unsent-texts.ts";
import { people } from "./sync/members.ts";
import type { Membership, Term } from "./sync/membership.ts";

const DAY = 86_400_000;
/** How often texts are looked for that are older than they are kept, in ms. */
const TRIM_INTERVAL = 60_000;

type GroupsNeeds = Omit<SeekingNeeds, "store" | "own" | "sought" | "live"> & {
  readonly durability: Durability;
  /** Whether nothing of strangers is taken. */
  readonly refusesStrangers: () => boolean;
  readonly fileStored: LiveNeeds["fileStored"];
  /** This account belongs to the group no longer: its files are neither given nor received. @throws SQLiteError */
  readonly filesEnded: (contact: Contact) => void;
};

/** Every method throws GroupError, and SQLiteError when the disk fails. */
export class Groups implements GroupEvents {
  readonly actions: GroupActions;
  readonly shown: SharedGroups;
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
  readonly #memberKeys = new WeakMap<Membership, ReadonlyMap<string, Term>>();
  #isClosed = false;
  /** When texts are trimmed next, of the monotonic clock. */
  #trimAt = -Infinity;
  /** Undefined: to be made anew. */
  #people: { readonly keys: ReadonlySet<string>; readonly labels: ReadonlySet<string> } | undefined;

  constructor(needs: GroupsNeeds) {
    this.#needs = needs;
    this.#store = new GroupStore(needs.profile, () => needs.clock.now());
    this.#own = labelOf(needs.profile.username);
    const shared = { ...needs, store: this.#store, own: this.#own, live: this.#live };
    this.#inviting = new Inviting({
      ...shared,
      changed: (group) => this.#changedId(group),
      hasKey: (key) => this.hasKey(key),
    });
    this.#seeking = new Seeking({ ...shared, sought: () => this.actions.recheck() });
    this.shown = new SharedGroups(shared);
    this.actions = new GroupActions({
      ...shared,
      seeking: this.#seeking,
      inviting: this.#inviting,
      serverNow: () => this.#now(),
      open: (stored) => this.#open(stored),
      setAside: (group) => this.#setAside(group),
      linkTo: (label) => [...this.#links].find((each) => each.isOpen && each.peer.label === label),
      settled: (group) => this.#result(group),
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
    const { profile, storage, durability, clock, emit, fileStored } = this.#needs;
    const live = new LiveGroup(
      {
        ...{ profile, storage, durability, clock, fileStored, store: this.#store, own: this.#own },
        emit: (event) => {
          // Who belongs, and whose key is another one, is told before what they write.
          const live = event.name === "message" ? this.#live.get(stored.group) : undefined;
          if (live !== undefined && this.#count(live)) this.#tellGroup(stored.group);
          emit(event);
        },
        serverNow: () => this.#now(),
        isBlocked: (label) => profile.consents.isBlocked(label),
        changed: (group) => this.#changed(group),
      },
      stored,
    );
    this.#live.get(stored.group)?.synced.close();
    this.#live.set(stored.group, live);
    this.#people = undefined;
    for (const link of this.#links) live.synced.linkUp(link);
    return live;
  }

  #now(): number {
    return this.#needs.clock.now() + (this.#needs.clockOffset() ?? 0);
  }

  /** What is not signed when one goes stays as the draft of the line. */
  #setAside(group: string): void {
    const { contact } = this.#store.existing(group);
    const { profile, emit } = this.#needs;
    for (const id of setAside(profile, contact))
      emit({ name: "cancelled", to: contact.username, id, kept: true });
    this.#needs.filesEnded(contact);
  }

  async keep(group: string, days: number | undefined): Promise<SharedGroup> {
    this.#store.existing(group);
    this.#store.save(group, { keepDays: days });
    this.#trimAt = -Infinity;
    this.#trim();
    return await this.#result(group);
  }

  notices(group: string): readonly GroupNotice[] {
    const stored = this.#store.existing(group);
    return this.#live.get(group)?.noticesSince(stored.noticed) ?? [];
  }

  noticesShown(group: string, seq: number): void {
    if (seq > this.#store.existing(group).noticed) this.#store.save(group, { noticed: seq });
    this.#live.get(group)?.noticesShown();
  }

  // What conversations of two have, too.

  /** Whom texts to this group are queued for. */
  sender(name: string): Sender {
    const { contact, group } = this.#store.existing(name.slice(1));
    return {
      contact,
      username: contact.username,
      isConnected: false,
      checkSends: () => this.actions.joined(group).checkWrites(),
      checkChanges: (id) => {
        const { entry, outgoing } = this.#needs.profile.history.find(contact, id) ?? {};
        // Nothing is added any more to what was written in an earlier stay.
        if (entry !== undefined && outgoing === true && entry.feed !== this.actions.joined(group).own?.feed)
          throw new GroupError("not_a_member");
      },
      committed: (messages) => {
        // They may have been written in the turn in which one left.
        if (this.#store.existing(group).state !== "joined") this.#setAside(group);
        this.#live.get(group)?.written();
        this.#seeking.seek();
        for (const each of messages) if (each.kind === "withdraw") this.#needs.fileStored(each.target);
        this.#changedId(group);
      },
      cancelled: (ids) => {
        for (const id of ids) this.#needs.fileStored(id);
        this.#changedId(group);
      },
    };
  }

  /** A chat is on a screen, until `closeChat` was called as often. */
  openChat(name: string): void {
    const { group } = this.#store.existing(name.slice(1));
    const live = this.#live.get(group);
    if (live === undefined) return;
    live.openChats++;
    this.#seeking.seek();
  }

  closeChat(name: string): void {
    const live = this.#live.get(name.slice(1));
    if (live !== undefined && live.openChats > 0) live.openChats--;
  }

  /** The person has read the texts up to `seq`. */
  markRead(name: string, seq: number): void {
    const { contact, group } = this.#store.existing(name.slice(1));
    const { profile, emit } = this.#needs;
    profile.contacts.saveReadHere(contact, seq);
    if (profile.privacy.tells("read", contact)) this.#live.get(group)?.tellRead();
    emit({ name: "read", username: name });
    this.#changedId(group);
  }

  mute(name: string, until: number | undefined): void {
    const { contact, group } = this.#store.existing(name.slice(1));
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
      live.synced.linkUp(link);
      this.#needs.storage.attempt(() => this.#inviting.addInvitees(live));
    }
    this.actions.recheck();
  }

  linkDown(link: PeerLink): void {
    if (!this.#links.delete(link)) return;
    for (const live of this.#live.values()) live.synced.linkDown(link);
  }

  take(message: GroupMessage, link: PeerLink): void {
    if (!this.#links.has(link)) return;
    const live = this.#live.get(message.group);
    if (message.action === "group_invite") {
      this.#needs.storage.attempt(() => this.#inviting.invited(message, link));
      live?.synced.invitedAgain(link);
    } else if (message.action === "group_decline")
      this.#needs.storage.attempt(() => this.#inviting.declined(message, link));
    else live?.synced.take(message, link);
  }

  readEnd(link: PeerLink): void {
    for (const live of this.#live.values()) live.synced.readEnd(link);
    this.actions.recheck();
  }

  drained(link: PeerLink): void {
    for (const live of this.#live.values()) live.synced.drained(link);
  }

  presence(username: string, online: boolean): void {
    if (online) this.#seeking.reached(labelOf(username));
    this.#seeking.seek();
  }

  unreachable(username: string): void {
    this.#seeking.unreached(labelOf(username));
    this.#seeking.seek();
    this.actions.recheck();
  }

  titleOf(group: string): string {
    return this.#store.existing(group).title;
  }

  /** The others who have joined a group that we belong to, by the fingerprint of each key; none: we do not. */
  memberKeys(group: string): ReadonlyMap<string, Term> {
    const live = this.#live.get(group);
    if (live?.own?.state !== "member") return new Map();
    const { membership } = live;
    const known = this.#memberKeys.get(membership);
    if (known !== undefined) return known;
    const others = [...membership.terms.values()].filter(
      ({ label, state }) => label !== this.#own && state === "member",
    );
    const keys = new Map(others.map((term) => [fingerprint(Buffer.from(term.spki, "base64")), term]));
    this.#memberKeys.set(membership, keys);
    return keys;
  }

  // With whom links are wanted.

  /** Whether somebody may be reached, as far as that is known. */
  mayBeThere(username: string): boolean {
    return this.#seeking.mayBeThere(username);
  }

  /** Its people are looked for, for a while. */
  wake(group: string): void {
    this.#live.get(group)?.wake();
  }

  /** To be called about once a second. */
  tick(): void {
    for (const live of this.#live.values()) {
      live.work();
      this.#needs.storage.attempt(() => {
        this.#inviting.addInvitees(live);
        this.actions.leaveLater(live);
      });
    }
    this.#needs.storage.attempt(() => this.#trim());
    this.#seeking.seek();
    this.actions.recheck();
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

  /** What a request answers with, once it is on the disk. */
  async #result(group: string): Promise<SharedGroup> {
    await this.#needs.durability.settled();
    this.#changedId(group);
    return this.shown.one(group);
  }

  #changed(live: LiveGroup): void {
    this.#count(live);
    if (live.isEnded && this.#store.existing(live.group).state === "joined") {
      this.#store.save(live.group, { state: "removed" });
      if (live.own !== undefined) live.unsign(live.own);
      this.#setAside(live.group);
    }
    this.#changedId(live.group);
    this.actions.recheck();
  }

  /** @returns whether other people belong to it than when this was called last */
  #count(live: LiveGroup): boolean {
    if (this.#counted.get(live) === live.membership) return false;
    this.#people = undefined;
    this.#counted.set(live, live.membership);
    return true;
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
      const shared = this.#tellGroup(group);
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

  #tellGroup(group: string): SharedGroup {
    const shared = this.shown.one(group);
    const json = JSON.stringify(shared);
    if (this.#told.get(group) !== json) this.#needs.emit({ name: "group", group: shared });
    this.#told.set(group, json);
    return shared;
  }

  #close(group: string): void {
    this.#live.get(group)?.synced.close();
    this.#live.delete(group);
    this.#people = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#seeking.close();
    for (const live of this.#live.values()) live.synced.close();
    this.#live.clear();
    this.actions.close();
  }
}
