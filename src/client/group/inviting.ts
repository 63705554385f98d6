/** Who is invited to groups, by us and by others (GROUPS 8). */
import { readControl } from "../../identity/group-body.ts";
import { fingerprint } from "../../identity/fingerprint.ts";
import { label as labelOf } from "../../identity/names.ts";
import { GROUP_FEATURE } from "../../protocol/group-messages.ts";
import type { GroupMessage } from "../../protocol/peer-messages.ts";
import { Budget } from "../peer/limits/budget.ts";
import type { PeerLink } from "../peer/link.ts";
import { contactState } from "../profile/consents.ts";
import type { Profile } from "../profile/profile.ts";
import { readInvitation } from "./invitation.ts";
import { judgeInvitation } from "./invitations.ts";
import type { LiveGroup } from "./live-group.ts";
import type { SeekingNeeds } from "./seeking.ts";
import { GroupError } from "./store/group-error.ts";
import type { StoredInvitation } from "./store/group-store.ts";
import { isActive, needsTerm, people } from "./sync/members.ts";
import { MAX_PEOPLE, mayEnd } from "./sync/membership.ts";

/** The pinned keys of somebody, base64. @throws SQLiteError */
function pinnedKeys({ contacts }: Pick<Profile, "contacts">, label: string): readonly string[] {
  const contact = contacts.byLabel(label);
  return contact === undefined ? [] : contacts.pins(contact).map(({ spki }) => spki.toString("base64"));
}

/** Invitations that are read on one link at once, and then in a second. Each may be stored. */
const INVITATIONS_AT_ONCE = 16;
const INVITATIONS_A_SECOND = 1;

type InvitingNeeds = Pick<SeekingNeeds, "profile" | "clock" | "store" | "own" | "live" | "conversation"> & {
  /** What is known of a group has changed. */
  readonly changed: (group: string) => void;
  /** Whether nothing of strangers is taken. */
  readonly refusesStrangers: () => boolean;
  /** Whether this key has a live term in a group that this account is in. */
  readonly hasKey: (fingerprint: string) => boolean;
};

/** Every method throws SQLiteError when the disk fails. */
export class Inviting {
  readonly #needs: InvitingNeeds;
  readonly #budgets = new WeakMap<PeerLink, Budget>();

  constructor(needs: InvitingNeeds) {
    this.#needs = needs;
  }

  /** Why somebody cannot be added; undefined: they can. @param others who are to be added with them */
  whyNot(live: LiveGroup, username: string, others: number): string | undefined {
    const { profile } = this.#needs;
    const label = labelOf(username);
    if (label === this.#needs.own) return "to_oneself";
    if (profile.consents.isBlocked(label)) return "blocked";
    const { transport, record } = this.#needs.conversation(username);
    const features = transport.current?.features ?? record.features;
    if (features?.includes(GROUP_FEATURE) === false) return "not_supported";
    const all = people(live.membership);
    if (all.length + others >= MAX_PEOPLE) return "group_full";
    const known = all.find((person) => person.label === label);
    const keys = this.#keysFor(live, label);
    const isNewKey = keys.some((key) => needsTerm(live.membership, key));
    const contact = profile.contacts.byLabel(label);
    if (!isNewKey && contact !== undefined && profile.contacts.pendingKey(contact) !== undefined)
      return "key_changed";
    return known?.terms.some(isActive) === true && !isNewKey ? "already_member" : undefined;
  }

  /** The keys with which somebody may be added, base64: that of their link, and the pinned ones, the last one first. */
  #keysFor(live: LiveGroup, label: string): readonly string[] {
    const linked = live.synced.linkTo(label)?.peer.spki.toString("base64");
    return [
      ...(linked === undefined ? [] : [linked]),
      ...pinnedKeys(this.#needs.profile, label).toReversed(),
    ];
  }

  /** Somebody who is linked invites us, or says so again. @throws SQLiteError */
  invited(message: GroupMessage & { action: "group_invite" }, link: PeerLink): void {
    const { group, feed, entries } = message;
    const { profile, store } = this.#needs;
    if (!this.#isHeard(link)) return;
    const isContact = (label: string) => profile.consents.isContact(label);
    const verdict = judgeInvitation(store.all(), message, link.peer.label, isContact);
    if (verdict === "renew") this.#renew(message);
    if (verdict === "decline") link.send({ action: "group_decline", group, feed });
    if (verdict !== "keep") return;
    const read = readInvitation(group, feed, entries, profile.keys.spki.toString("base64"));
    const founding = read === undefined ? undefined : readControl(read.create);
    if (read === undefined || founding?.kind !== "create") {
      link.refuse("bad_request");
      return;
    }
    const { create, history } = read;
    // Names in the chain are what others call a key; only that of a pin, or of this link, is shown as it is.
    const isProven =
      profile.contacts.isPinned(read.by.label, fingerprint(read.by.spki)) ||
      (read.by.spki.equals(link.peer.spki) && read.by.label === link.peer.label);
    const invitation: StoredInvitation = {
      by: isProven ? read.by.name : `${read.by.name} (?)`,
      byLabel: link.peer.label,
      from: link.peer.name,
      ...{ history, people: message.people, adds: founding.adds, writes: founding.writes },
      create: [create.header, create.signature, create.body],
    };
    store.save(group, { title: message.title, state: "invited", ownFeed: feed, invitation });
    this.#needs.changed(group);
  }

  /** Whether an invitation on this link is read. People of a group of ours are, whatever our person thinks of strangers. */
  #isHeard(link: PeerLink): boolean {
    const { profile, clock, hasKey, refusesStrangers } = this.#needs;
    const budget = this.#budgets.get(link) ?? new Budget(INVITATIONS_AT_ONCE, INVITATIONS_A_SECOND);
    this.#budgets.set(link, budget);
    if (!budget.take(clock.monotonic())) return false;
    const { label, fingerprint: key } = link.peer;
    const contact = profile.contacts.byLabel(label);
    const state =
      contact === undefined ? "stranger" : contactState(profile.consents.of(contact, clock.now()));
    if (state === "contact" || state === "blocked") return state === "contact";
    return hasKey(key) || (state !== "declined" && !refusesStrangers());
  }

  /** Who has invited us says so again, and perhaps there are more people now. */
  #renew({ group, title, people: count }: GroupMessage & { action: "group_invite" }): void {
    const { store } = this.#needs;
    const stored = store.find(group);
    const { invitation } = stored ?? {};
    if (invitation === undefined) return;
    if (invitation.people === count && stored?.title === title) return;
    store.save(group, { title, invitation: { ...invitation, people: count } });
    this.#needs.changed(group);
  }

  /** Whom we have invited does not want to join. */
  declined({ group, feed }: GroupMessage & { action: "group_decline" }, link: PeerLink): void {
    const live = this.#needs.live.get(group);
    const term = live?.membership.terms.get(feed);
    const isTheirs = term?.state === "invited" && term.spki === link.peer.spki.toString("base64");
    const own = live?.own;
    if (live === undefined || !isTheirs || own === undefined || !mayEnd(own, term) || !live.maySign) return;
    try {
      live.write([live.endOf(feed, undefined)]);
    } catch (error) {
      // They say so again when they are invited again.
      if (!(error instanceof GroupError)) throw error;
    }
  }

  /** Adds those who are to be invited and whose key is known now. @throws SQLiteError */
  addInvitees(live: LiveGroup): void {
    const { own, group } = live;
    if (own?.state !== "member" || !live.maySign) return;
    const adds: { readonly kind: string; readonly body: object }[] = [];
    const done: string[] = [];
    const count = people(live.membership).length;
    for (const { label, name, history } of this.#needs.store.invitees(group)) {
      const keys = this.#keysFor(live, label);
      if (keys.length === 0 || count + adds.length >= MAX_PEOPLE) continue;
      // Whoever has forked writes no more until they have a new term.
      const spki = keys.find((key) => needsTerm(live.membership, key));
      if (spki !== undefined)
        adds.push({ kind: "add", body: { label, name, spki, role: "member", history } });
      done.push(label);
    }
    try {
      if (adds.length > 0) live.write(adds);
    } catch (error) {
      // Some wait for tomorrow; who was added has a term, and is found to be done then.
      if (!(error instanceof GroupError)) throw error;
      return;
    }
    for (const label of done) this.#needs.store.uninvite(group, label);
  }
}
