/** The groups and their people as screens and programs see them. */
import type { Clock } from "../../net/clock.ts";
import type { GroupMember, SharedGroup } from "../conversation/events.ts";
import type { Profile } from "../profile/profile.ts";
import type { LiveGroup } from "./live-group.ts";
import { people, type Person } from "./sync/members.ts";
import { isAdmin, mayWrite, type Membership, type Term } from "./sync/membership.ts";
import type { GroupStore, StoredGroup } from "./store/group-store.ts";

type SharedGroupsNeeds = {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly store: GroupStore;
  /** The label of this account. */
  readonly own: string;
  /** By id. */
  readonly live: ReadonlyMap<string, LiveGroup>;
  /** Whether the server says that somebody is there; undefined: it does not say. */
  readonly presence: (username: string) => boolean | undefined;
};

/** Every method throws GroupError, and SQLiteError when the disk fails. `group` is an id. */
export class SharedGroups {
  readonly #needs: SharedGroupsNeeds;

  constructor(needs: SharedGroupsNeeds) {
    this.#needs = needs;
  }

  all(): readonly SharedGroup[] {
    return this.#needs.store.all().map((stored) => this.#shared(stored));
  }

  one(group: string): SharedGroup {
    return this.#shared(this.#needs.store.existing(group));
  }

  #shared(stored: StoredGroup): SharedGroup {
    const { profile, clock, store } = this.#needs;
    const { contact, group } = stored;
    const live = this.#needs.live.get(group);
    const until = profile.contacts.mutedUntil(contact, clock.now());
    return sharedGroup(stored, live?.membership, live?.own, {
      unread: profile.history.unreadCounts().get(contact.id) ?? 0,
      // What had left when one went may never be confirmed, and does not go again.
      waiting: stored.state === "joined" ? profile.messages.outboxCounts(contact).text : 0,
      held_until: live === undefined || live.heldFor === 0 ? null : isoTime(clock.now() + live.heldFor),
      unshared: live?.unshared ?? 0,
      to_invite: store.invitees(group).map(({ name }) => name),
      doubtful: live === undefined ? [] : this.#doubtful(people(live.membership)),
      muted_until: until === undefined ? null : isoTime(until),
    });
  }

  #doubtful(all: readonly Person[]): string[] {
    const isKnownKey = this.#knownKeys(all);
    const terms = all.flatMap((person) => person.terms);
    return [...new Set(terms.filter((term) => !isKnownKey(term)).map(({ name }) => name))];
  }

  /** Tells whether a key is one that is known here of its name, or nothing is. */
  #knownKeys(all: readonly Person[]): (term: Term) => boolean {
    const { profile, own } = this.#needs;
    const pins = profile.contacts.pinsOf(all.map(({ label }) => label));
    return ({ label, spki }) => label === own || pins.get(label)?.has(spki) !== false;
  }

  members(group: string): readonly GroupMember[] {
    const { store, own } = this.#needs;
    const live = this.#needs.live.get(group);
    if (live === undefined) {
      store.existing(group);
      return [];
    }
    return groupMembers(live.membership, store.invitees(group), {
      own,
      isOnline: (label) => this.#isOnline(live, label),
      isKnownKey: this.#knownKeys(people(live.membership)),
      missing: (feed) => live.missing(feed),
    });
  }

  #isOnline(live: LiveGroup, label: string): boolean | null {
    if (live.synced.isLinked(label)) return true;
    const person = people(live.membership).find((each) => each.label === label);
    return person === undefined ? null : (this.#needs.presence(person.name) ?? null);
  }
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

/** What is counted of a group. */
type GroupFigures = Pick<
  SharedGroup,
  "unread" | "waiting" | "held_until" | "unshared" | "to_invite" | "doubtful" | "muted_until"
>;

function roleOf({ level }: Term): NonNullable<SharedGroup["role"]> {
  if (level === 0) return "founder";
  return isAdmin({ level } as Term) ? "admin" : "member";
}

/** @param members undefined: what is stored of an invitation is all that is known */
function sharedGroup(
  stored: StoredGroup,
  members: Membership | undefined,
  own: Term | undefined,
  figures: GroupFigures,
): SharedGroup {
  const { group, title, name, state, keepDays, invitation } = stored;
  const count = members === undefined ? 0 : people(members).filter((each) => each.state === "member").length;
  const isIn = state === "joined" && own?.state === "member";
  return {
    ...{ group, title, name, state },
    // Until what admits us has come, only the founder is known.
    people: isIn || invitation === undefined ? count : Math.max(count, invitation.people),
    role: isIn ? roleOf(own) : null,
    adds: members?.adds ?? invitation?.adds ?? "admins",
    writes: members?.writes ?? invitation?.writes ?? "all",
    may_write: state === "joined" && (own === undefined || (members !== undefined && mayWrite(members, own))),
    invited_by: invitation?.by ?? null,
    history: invitation?.history ?? null,
    ...figures,
    keep_days: keepDays ?? null,
  };
}

/** What is known of people besides their membership. */
type KnownPeople = {
  /** The label of this account. */
  readonly own: string;
  isOnline(label: string): boolean | null;
  /** Whether this key (base64) is one that is known of this person, or nothing is. */
  isKnownKey(term: Term): boolean;
  missing(feed: string): number;
};

/** The people of a group, and those who are to be invited. */
function groupMembers(
  membership: Membership,
  toInvite: readonly { readonly label: string; readonly name: string }[],
  known: KnownPeople,
): GroupMember[] {
  const all = people(membership);
  const labels = new Set(all.map(({ label }) => label));
  const members = all.map(({ label, name, state, terms }): GroupMember => {
    const [term] = terms;
    return {
      username: name,
      role: roleOf(term),
      state,
      online: label === known.own ? true : known.isOnline(label),
      invited_by: term.by === undefined ? null : (membership.terms.get(term.by)?.name ?? null),
      key: terms.every((term) => known.isKnownKey(term)) ? "known" : "other",
      missing: terms.reduce((sum, { feed }) => sum + known.missing(feed), 0),
      is_self: label === known.own,
    };
  });
  const waiting = toInvite
    .filter(({ label }) => !labels.has(label))
    .map(({ label, name }): GroupMember => {
      const online = known.isOnline(label);
      const nothing = { invited_by: null, key: "known", missing: 0, is_self: false } as const;
      return { username: name, role: "member", state: "to_invite", online, ...nothing };
    });
  return [...members, ...waiting];
}
