/**
 * What a person does in groups: founding, inviting, joining, leaving, administering. What changes a group is signed only
 * after another member's copy was compared with this one; for that, and for those who are to hear of it, it is waited.
 */
import { MAX_RENAMES } from "../../identity/group-body.ts";
import { readEntry, signCreate } from "../../identity/group-entry.ts";
import { label as labelOf } from "../../identity/names.ts";
import type { Clock } from "../../net/clock.ts";
import type { SharedGroup } from "../conversation/events.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Profile } from "../profile/profile.ts";
import { signJoin } from "./invitation.ts";
import type { Inviting } from "./inviting.ts";
import type { LiveGroup } from "./live-group.ts";
import type { Seeking } from "./seeking.ts";
import { GroupError } from "./store/group-error.ts";
import type { GroupStore, StoredGroup } from "./store/group-store.ts";
import { people, removal } from "./sync/members.ts";
import { isAdmin, mayAdd, mayEnd, mayGrant, type Term } from "./sync/membership.ts";

/** How long a person waits at most for somebody to be there with whom something can be done, in ms. */
const PATIENCE = 10_000;

/** What became of the people whom one wanted to add. */
export type AddedPeople = {
  readonly group: SharedGroup;
  readonly added: readonly string[];
  /** They are invited as soon as they are reached. */
  readonly waiting: readonly string[];
  readonly failed: readonly { readonly username: string; readonly code: string }[];
};

type ActionNeeds = {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly store: GroupStore;
  readonly seeking: Seeking;
  readonly inviting: Inviting;
  /** The label of this account. */
  readonly own: string;
  /** Ms since 1970, by the server's clock where it is known. */
  readonly serverNow: () => number;
  /** Keeps a group in step from now on. @throws SQLiteError */
  readonly open: (stored: StoredGroup) => LiveGroup;
  /** By id. */
  readonly live: ReadonlyMap<string, LiveGroup>;
  /** What is not signed when one goes stays as the draft of the line. @throws SQLiteError */
  readonly setAside: (group: string) => void;
  readonly linkTo: (label: string) => PeerLink | undefined;
  /** What a group is once all is on the disk. @throws SQLiteError */
  readonly settled: (group: string) => Promise<SharedGroup>;
};

/** Every method throws GroupError, and SQLiteError when the disk fails. `group` is an id. */
export class GroupActions {
  readonly #needs: ActionNeeds;
  /** Those who wait for something. */
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(needs: ActionNeeds) {
    this.#needs = needs;
  }

  /** The group, which this person is in. */
  joined(group: string): LiveGroup {
    const { state, title } = this.#needs.store.existing(group);
    const live = this.#needs.live.get(group);
    if (state === "left" || state === "removed") throw new GroupError(state, title);
    if (state !== "joined" || live === undefined) throw new GroupError("not_a_member");
    return live;
  }

  async create(title: string, adds: "admins" | "all", writes: "all" | "admins"): Promise<SharedGroup> {
    const { profile, store, own: label } = this.#needs;
    const { privateKey, spki } = profile.keys;
    const own = { label, name: profile.username, spki: spki.toString("base64") };
    const create = signCreate(
      this.#needs.serverNow(),
      { version: 1, ...own, title, adds, writes },
      privateKey,
    );
    store.save(create.id, { title, state: "joined", ownFeed: create.id }, [create]);
    const live = this.#needs.open(store.existing(create.id));
    store.save(create.id, { noticed: live.lastControl });
    return await this.#needs.settled(create.id);
  }

  async add(group: string, usernames: readonly string[], history: "all" | "none"): Promise<AddedPeople> {
    const { store, seeking, inviting } = this.#needs;
    const live = this.joined(group);
    const own = live.ownMember();
    if (!mayAdd(live.membership, own, { label: "", role: "member" })) throw new GroupError("not_an_admin");
    const failed: { username: string; code: string }[] = [];
    const wanted = new Map<string, string>();
    for (const username of usernames) {
      const code = inviting.whyNot(live, username, wanted.size);
      if (code !== undefined) failed.push({ username, code });
      else wanted.set(labelOf(username), username);
    }
    for (const [label, username] of wanted) {
      store.invite(group, username, history);
      // They are tried anew, whatever became of the last attempt.
      seeking.reached(label);
    }
    live.wake();
    inviting.addInvitees(live);
    seeking.seek();
    // Whoever is there hears of it before this is answered.
    await this.#until(() => [...wanted.keys()].every((label) => this.#isAnswered(live, label)));
    const waiting = new Set(store.invitees(group).map(({ label }) => label));
    const isWaiting = (label: string) => waiting.has(label);
    return {
      group: await this.#needs.settled(group),
      added: [...wanted].filter(([label]) => !isWaiting(label)).map(([, username]) => username),
      waiting: [...wanted].filter(([label]) => isWaiting(label)).map(([, username]) => username),
      failed,
    };
  }

  /** They are invited, and have heard of it or cannot be reached. */
  #isAnswered(live: LiveGroup, label: string): boolean {
    if (this.#needs.seeking.isUnreached(label)) return true;
    const isWaiting = this.#needs.store.invitees(live.group).some((each) => each.label === label);
    return !isWaiting && live.synced.isLinked(label);
  }

  async remove(group: string, username: string): Promise<SharedGroup> {
    const { store } = this.#needs;
    const live = this.joined(group);
    const label = labelOf(username);
    if (label === this.#needs.own) throw new GroupError("not_above");
    const isWaiting = store.invitees(group).some((each) => each.label === label);
    const ends = () => removal(live.membership, live.control, live.ownMember(), label);
    if (ends()?.length !== 0) {
      const own = await this.#signing(live, label);
      const written = ends();
      if (written === undefined) throw new GroupError(isAdmin(own) ? "not_above" : "not_an_admin");
      const bodies = written.map(({ feed, c }) => live.endOf(feed, c));
      live.write(bodies, label);
    } else if (!isWaiting) throw new GroupError("no_such_member");
    store.uninvite(group, label);
    return await this.#needs.settled(group);
  }

  async leave(group: string): Promise<SharedGroup> {
    const live = this.joined(group);
    this.#needs.store.save(group, { state: "left" });
    this.#needs.setAside(group);
    await this.#compare(live);
    this.leaveLater(live);
    return await this.#needs.settled(group);
  }

  /** The others are told that one has left, as soon as that may be signed. */
  leaveLater(live: LiveGroup): void {
    if (live.own?.state === "member" && this.#needs.store.existing(live.group).state === "left") live.leave();
  }

  async accept(group: string): Promise<SharedGroup> {
    const { store, profile } = this.#needs;
    const { state, invitation, ownFeed } = store.existing(group);
    if (state === "joined" || invitation === undefined) throw new GroupError("not_invited");
    const create = readEntry(group, invitation.create);
    if (create === undefined) throw new GroupError("not_supported");
    const join = signJoin(create, ownFeed, profile.keys.privateKey);
    // Who comes back has much of it.
    const { control } = store.log(group).load();
    const held = new Set(control.map(({ id }) => id));
    const entries = [create, join].filter(({ id }) => !held.has(id));
    store.save(group, { state: "joined" }, entries);
    this.#needs.open(store.existing(group));
    this.#needs.seeking.seek();
    return await this.#needs.settled(group);
  }

  async decline(group: string): Promise<SharedGroup> {
    const { state, invitation, ownFeed } = this.#needs.store.existing(group);
    if (state !== "invited") throw new GroupError("not_invited");
    this.#needs.store.save(group, { state: "declined" });
    const link = invitation === undefined ? undefined : this.#needs.linkTo(invitation.byLabel);
    link?.send({ action: "group_decline", group, feed: ownFeed });
    link?.flush();
    return await this.#needs.settled(group);
  }

  async makeAdmin(group: string, username: string): Promise<SharedGroup> {
    const live = this.joined(group);
    const own = await this.#signing(live);
    if (!isAdmin(own)) throw new GroupError("not_an_admin");
    const label = labelOf(username);
    const person = people(live.membership).find((each) => each.label === label);
    if (person === undefined) throw new GroupError("no_such_member");
    const [term] = person.terms;
    if (isAdmin(term)) throw new GroupError("already_admin");
    if (mayGrant(live.membership, own, term)) live.write([{ kind: "grant", body: { feed: term.feed } }]);
    else if (mayEnd(own, term) && mayAdd(live.membership, own, { label, role: "admin" })) {
      const { name, spki, history } = term;
      live.write([
        live.endOf(term.feed, undefined),
        { kind: "add", body: { label, name, spki, role: "admin", history } },
      ]);
    } else throw new GroupError("not_above");
    return await this.#needs.settled(group);
  }

  async rename(group: string, title: string): Promise<SharedGroup> {
    const live = this.joined(group);
    const own = await this.#signing(live);
    if (!isAdmin(own)) throw new GroupError("not_an_admin");
    // Behind the last one the lower level wins, so that nobody below can keep a title for ever.
    const n = Math.min(live.membership.renames + 1, MAX_RENAMES);
    live.write([{ kind: "set", body: { n, title } }]);
    return await this.#needs.settled(group);
  }

  async copy(group: string): Promise<SharedGroup> {
    const { title } = this.#needs.store.existing(group);
    const live = this.#needs.live.get(group);
    if (live === undefined) throw new GroupError("not_a_member");
    const { membership } = live;
    const copy = await this.create(title, membership.adds, membership.writes);
    const others = people(membership).filter(({ label }) => label !== this.#needs.own);
    const names = others.map(({ name }) => name);
    return (await this.add(copy.group, names, "all")).group;
  }

  /** Waits until control entries may be signed. @param removed who is removed by them */
  async #signing(live: LiveGroup, removed?: string): Promise<Term> {
    await this.#compare(live);
    if (!live.mayRemove(removed)) throw new GroupError("nobody_online");
    return live.ownMember();
  }

  /** Waits until another member's copy was compared with this one, or nobody of the group is there. */
  async #compare(live: LiveGroup): Promise<void> {
    const { seeking } = this.#needs;
    seeking.ask(live.group);
    live.wake();
    seeking.seek();
    await this.#until(() => live.maySign || seeking.isAlone(live.group));
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

  /** Links, members or what may be signed have changed. */
  recheck(): void {
    for (const check of this.#waiting) check();
  }

  close(): void {
    this.#isClosed = true;
    this.recheck();
  }
}
