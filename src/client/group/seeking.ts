/** With whom links are wanted for groups, and whose coming and going (GROUPS 9). */
import { label as labelOf } from "../../identity/names.ts";
import type { Clock } from "../../net/clock.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { MessengerEvent } from "../conversation/events.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { Profile } from "../profile/profile.ts";
import type { LiveGroup } from "./live-group.ts";
import { asked, neighbours, withinLimit } from "./neighbours.ts";
import type { GroupStore } from "./store/group-store.ts";
import { people, type Person } from "./sync/members.ts";

/** How long somebody who was not reached is not asked for, in ms. */
const UNREACHED_TIME = 30_000;
/** Names that are watched for groups. */
const MAX_WATCHED = 1_000;

export type SeekingNeeds = {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly random: () => number;
  readonly storage: StorageGuard;
  readonly emit: (event: MessengerEvent) => void;
  /** The conversation with somebody, who is not stored for that. @throws SQLiteError */
  readonly conversation: (username: string) => Conversation;
  /** By how much the server's clock is ahead, in ms; undefined: there is no server. */
  readonly clockOffset: () => number | undefined;
  /** Whether the server says that somebody is there; undefined: it does not say. */
  readonly presence: (username: string) => boolean | undefined;
  readonly store: GroupStore;
  /** The label of this account. */
  readonly own: string;
  /** By id. */
  readonly live: ReadonlyMap<string, LiveGroup>;
  /** Links were asked for. */
  readonly sought: () => void;
};

export class Seeking {
  readonly #needs: SeekingNeeds;
  /** Those with whom a link is asked for, and who are watched, by label. */
  readonly #held = new Map<string, Conversation>();
  readonly #watched = new Map<string, Conversation>();
  /** Until when somebody is not asked for, by label; of the monotonic clock. */
  readonly #unreached = new Map<string, number>();
  /** Groups of which nobody can be reached, and whether that was told. */
  readonly #alone = new Map<string, "known" | "told">();
  /** Whether it is about to be asked anew. */
  #isDue = false;
  #isClosed = false;

  constructor(needs: SeekingNeeds) {
    this.#needs = needs;
  }

  /** They are there. */
  reached(label: string): void {
    this.#unreached.delete(label);
  }

  /** Nothing leads to them now. */
  unreached(label: string): void {
    this.#unreached.set(label, this.#needs.clock.monotonic() + UNREACHED_TIME);
  }

  isUnreached(label: string): boolean {
    return (this.#unreached.get(label) ?? -Infinity) > this.#needs.clock.monotonic();
  }

  /** Whether somebody to whom there is no link may be reached, as far as that is known. */
  mayBeThere(username: string): boolean {
    if (this.isUnreached(labelOf(username))) return false;
    return this.#needs.presence(username) ?? this.#needs.clockOffset() === undefined;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Whether somebody can be reached is not known, until links are asked for again. */
  ask(group: string): void {
    this.#alone.delete(group);
  }

  /** Whether nobody of an awake group can be reached, as far as that is known. */
  isAlone(group: string): boolean {
    return this.#alone.has(group);
  }

  /** Soon, and once for all that has changed in one turn. */
  seek(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#seekNow();
    });
  }

  /** Asks for the links that are wanted now, and for no others. */
  #seekNow(): void {
    if (this.#isClosed) return;
    this.#needs.storage.attempt(() => {
      const awake = [...this.#needs.live.values()]
        .filter(({ isAwake }) => isAwake)
        .toSorted((one, other) => other.openChats - one.openChats);
      const names = new Map<string, string>();
      const watched: string[] = [];
      const givenUp = new Set<string>();
      const wanted = awake.map((live) => this.#wantedBy(live, names, watched, givenUp));
      this.#set(this.#held, withinLimit(wanted), names, (each, isIn, label) => {
        if (!isIn && givenUp.has(label)) each.letGo("group");
        else each.hold("group", isIn);
      });
      const seen = new Set(watched.slice(0, MAX_WATCHED));
      this.#set(this.#watched, seen, names, (each, isIn) => each.watch("group", isIn));
    });
    this.#needs.sought();
  }

  /**
   * @param names gets the names of all, by label. @param watched gets the labels of all
   * @param givenUp gets the labels of those with whom links are too many
   */
  #wantedBy(
    live: LiveGroup,
    names: Map<string, string>,
    watched: string[],
    givenUp: Set<string>,
  ): readonly string[] {
    const { profile, clock, random, presence } = this.#needs;
    const isFree = (label: string) => label !== this.#needs.own && !profile.consents.isBlocked(label);
    const all = people(live.membership).filter(({ label }) => isFree(label));
    const invitees = this.#needs.store.invitees(live.group).filter(({ label }) => isFree(label));
    const invitation = live.isJoining ? this.#needs.store.find(live.group)?.invitation : undefined;
    for (const { label, name } of [...all, ...invitees]) {
      names.set(label, name);
      watched.push(label);
    }
    if (invitation !== undefined) names.set(invitation.byLabel, invitation.from);
    const mayBeThere = (label: string) =>
      live.synced.isLinked(label) || this.mayBeThere(names.get(label) ?? "");
    const members = all.filter(({ state }) => state === "member");
    const online = members.map(({ label }) => label).filter(mayBeThere);
    const linked = new Set(online.filter((label) => live.synced.isLinked(label)));
    const before = live.neighbourhood;
    live.neighbourhood = neighbours(
      before,
      { group: live.group, own: this.#needs.own, online, linked },
      clock.monotonic(),
      random,
    );
    const neighboursNow = new Set(asked(live.neighbourhood));
    // Whoever was removed is told so first, and who has gone has no link.
    for (const label of asked(before)) if (!neighboursNow.has(label) && linked.has(label)) givenUp.add(label);
    // Just after the login nothing is known yet.
    const isUnknown = ({ label, name }: Person) => !this.isUnreached(label) && presence(name) === undefined;
    const hasServer = this.#needs.clockOffset() !== undefined;
    // Where nobody has joined, whoever was invited may have, while this account was away.
    const others = members.length > 0 ? members : all;
    const isAsking = hasServer && others.some(isUnknown);
    this.#noteAlone(live, !isAsking && !others.some(({ label }) => mayBeThere(label)));
    const invited = all
      .filter(({ state, label }) => state === "invited" && mayBeThere(label))
      .map(({ label }) => label);
    const toInvite = invitees.filter(({ label }) => !this.isUnreached(label));
    return [
      ...asked(live.neighbourhood),
      ...(invitation === undefined ? [] : [invitation.byLabel]),
      // Whoever has a link has got the invitation on it, and takes the place of nobody who has not got it yet.
      ...toInvite.map(({ label }) => label),
      ...invited.filter((label) => !live.synced.isLinked(label)),
      ...invited.filter((label) => live.synced.isLinked(label)),
    ];
  }

  #set(
    current: Map<string, Conversation>,
    wanted: ReadonlySet<string>,
    names: ReadonlyMap<string, string>,
    set: (conversation: Conversation, isIn: boolean, label: string) => void,
  ): void {
    for (const [label, conversation] of current) {
      if (wanted.has(label)) continue;
      current.delete(label);
      set(conversation, false, label);
    }
    for (const label of wanted) {
      const name = names.get(label);
      if (current.has(label) || name === undefined) continue;
      const conversation = this.#needs.conversation(name);
      current.set(label, conversation);
      set(conversation, true, label);
    }
  }

  /** If something waits here, that is told once. */
  #noteAlone(live: LiveGroup, isAlone: boolean): void {
    const { emit, clockOffset } = this.#needs;
    const before = this.#alone.get(live.group);
    if (!isAlone) {
      this.#alone.delete(live.group);
      return;
    }
    const { isWaiting } = live;
    this.#alone.set(live.group, isWaiting ? "told" : "known");
    if (!isWaiting || before === "told") return;
    const reason = clockOffset() === undefined && live.hasOthers ? "no_server" : "offline";
    emit({ name: "unreachable", username: live.name, reason, retryIn: undefined, heardAt: undefined });
  }
}
