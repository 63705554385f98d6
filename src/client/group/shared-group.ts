/** A group and its people as screens and programs see them. Pure. */
import type { GroupMember, SharedGroup } from "../conversation/events.ts";
import { people } from "./sync/members.ts";
import { isAdmin, mayWrite, type Membership, type Term } from "./sync/membership.ts";
import type { StoredGroup } from "./store/group-store.ts";

/** What is kept of an invitation. */
export type StoredInvitation = {
  /** Who added us, as a person is told. */
  readonly by: string;
  /** Who said so, by label and by registered name. */
  readonly byLabel: string;
  readonly from: string;
  readonly history: "all" | "none";
  readonly people: number;
  readonly adds: SharedGroup["adds"];
  readonly writes: SharedGroup["writes"];
  /** The founding entry, as it travels. */
  readonly create: readonly [header: string, signature: string, body: string | null];
};

/** What is counted of a group. */
export type GroupFigures = Pick<SharedGroup, "unread" | "waiting" | "unshared" | "to_invite" | "muted_until">;

export function invitationOf({ invitation }: StoredGroup): StoredInvitation | undefined {
  // This program has written it.
  return invitation === undefined ? undefined : (JSON.parse(invitation) as StoredInvitation);
}

function roleOf({ level }: Term): NonNullable<SharedGroup["role"]> {
  if (level === 0) return "founder";
  return isAdmin({ level } as Term) ? "admin" : "member";
}

/** @param members undefined: what is stored of an invitation is all that is known */
export function sharedGroup(
  stored: StoredGroup,
  members: Membership | undefined,
  own: Term | undefined,
  figures: GroupFigures,
): SharedGroup {
  const { group, title, name, state, keepDays } = stored;
  const invitation = invitationOf(stored);
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
export type KnownPeople = {
  /** The label of this account. */
  readonly own: string;
  isOnline(label: string): boolean | null;
  /** Whether this key (base64) is one that is known of this person, or nothing is. */
  isKnownKey(label: string, spki: string): boolean;
  missing(feed: string): number;
};

/** The people of a group, and those who are to be invited. */
export function groupMembers(
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
      key: terms.every(({ spki }) => known.isKnownKey(label, spki)) ? "known" : "other",
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
