/**
 * Everybody online, as this node has them in memory: events are applied strictly in their order, or a snapshot in the
 * place of what was missed. Those who watch are notified of what changes here, so that a replacement tells nobody.
 */
import type { OnlineUser, OwnUser } from "../presence/online-user.ts";
import type { Presence } from "../presence/presence.ts";
import { enter, leave, type Claim, type Claims, type Moved } from "../presence/seats.ts";
import type { Event } from "./news.ts";
import { ownerIn, RemoteUser, type RemoteNode } from "./record.ts";

/** A session of this node that has, or asks for, a seat. */
export type OwnSeat = {
  readonly claim: Claim;
  readonly sid: string;
  readonly user: OwnUser;
  /** Valkey has confirmed it. */
  isEntered: boolean;
  /** It was confirmed before what is read now: another owner who is read has come after it. */
  isSeen: boolean;
};

export type ReplicaNeeds = {
  readonly presence: Presence<OnlineUser, OwnUser>;
  readonly claims: Claims;
  /** The seats of this node, by `sid`. */
  readonly own: ReadonlyMap<string, OwnSeat>;
  seatOf(claim: Claim): OwnSeat | undefined;
  node(name: string): RemoteNode;
  readonly moved: Moved;
  /** The record of somebody at another node has changed. */
  readonly changed: (user: OnlineUser) => void;
  /** Somebody at another node has gone, or was replaced. */
  readonly gone: (user: OnlineUser) => void;
  /** Another session has this seat now. */
  readonly replaced: (seat: OwnSeat) => void;
  /** Valkey has a session of this node that is not there: a login that came too late. */
  readonly unknown: (fold: string, sid: string) => void;
  /** A revocation, as JSON. */
  readonly revoked: (json: string) => void;
};

export class Replica {
  readonly #me: string;
  readonly #needs: ReplicaNeeds;

  constructor(me: string, needs: ReplicaNeeds) {
    this.#me = me;
    this.#needs = needs;
  }

  apply(event: Event): void {
    switch (event.name) {
      case "on":
        this.#replaceOwn(event.was, event.record);
        this.is(event.fold, event.record);
        return;
      case "off":
        this.#off(event.fold, event.was);
        return;
      case "end":
        for (const claim of this.#needs.claims.of(event.fold)) claim.end(event.why);
        return;
      case "revoked":
        this.#needs.revoked(event.json);
        return;
      case "unknown":
        return;
      default:
        event satisfies never;
    }
  }

  /** Somebody is online with this record. */
  is(fold: string, record: string): void {
    const { presence, claims, own, seatOf, moved } = this.#needs;
    const { node, sid } = ownerIn(record);
    const isMine = node === this.#me;
    for (const claim of claims.of(fold)) {
      const seat = seatOf(claim);
      if (seat?.isSeen === true && !(isMine && seat.sid === sid)) this.#needs.replaced(seat);
    }
    const known = presence.find(fold);
    if (isMine) {
      const seat = own.get(sid);
      if (seat !== undefined) {
        seat.isSeen = true;
        if (known !== seat.user) this.#enter(seat.user, known);
        return;
      }
      this.#leave(known);
      this.#needs.unknown(fold, sid);
    } else if (known instanceof RemoteUser && known.node.name === node && known.sid === sid) {
      const hasMoved = known.move(record);
      this.#needs.changed(known);
      if (hasMoved) moved(fold);
    } else this.#enter(new RemoteUser(fold, record, this.#needs.node(node)), known);
  }

  /** A snapshot begins: what it says is later than all that was confirmed. */
  begin(): void {
    for (const seat of this.#needs.own.values()) if (seat.isEntered) seat.isSeen = true;
  }

  /**
   * Nobody else is online.
   * @param seen the names whose records were given to `is` since the snapshot began
   * @returns the seats of this node that are missing in it
   */
  only(seen: ReadonlySet<string>): OwnSeat[] {
    const { presence, own } = this.#needs;
    // A session of this node that was replaced may still stand here, if its successor was not read.
    const seated = new Set<OnlineUser>([...own.values()].map(({ user }) => user));
    for (const user of presence.all()) {
      if (!seen.has(user.fold) && !seated.has(user)) this.#leave(user);
    }
    return [...own.values()].filter(({ isSeen, user }) => isSeen && !seen.has(user.fold));
  }

  #off(fold: string, was: string): void {
    const known = this.#needs.presence.find(fold);
    // A session of this node that is still there enters again: its lease had lapsed.
    if (known instanceof RemoteUser && `${known.node.name}:${known.sid}` === was) this.#leave(known);
  }

  #replaceOwn(was: string, record: string): void {
    if (!was.startsWith(`${this.#me}:`)) return;
    const sid = was.slice(this.#me.length + 1);
    const seat = this.#needs.own.get(sid);
    const by = ownerIn(record);
    if (seat !== undefined && !(by.node === this.#me && by.sid === sid)) this.#needs.replaced(seat);
  }

  #enter(user: OnlineUser, previous: OnlineUser | undefined): void {
    enter(this.#needs.presence, user, this.#needs.moved);
    if (previous instanceof RemoteUser) this.#needs.gone(previous);
  }

  #leave(user: OnlineUser | undefined): void {
    if (user === undefined) return;
    leave(this.#needs.presence, user);
    if (user instanceof RemoteUser) this.#needs.gone(user);
  }
}
