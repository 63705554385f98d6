/**
 * Who may be online: a name has one seat. A login claims the name before it reads the account, takes the seat once it
 * knows who is there, and leaves it at the end of the session; what the operator ends meanwhile reaches the claim.
 */
import type { OnlineSession, OnlineUser, OwnUser } from "./online-user.ts";
import type { Presence } from "./presence.ts";

/** A session that asks for a name, or has its seat. */
export class Claim {
  readonly fold: string;
  readonly session: OnlineSession;
  #state: "asking" | "bound" | "ended" = "asking";

  constructor(fold: string, session: OnlineSession) {
    this.fold = fold;
    this.session = session;
  }

  /** Ended while it asked: the login must not go on. */
  get isEnded(): boolean {
    return this.#state === "ended";
  }

  /** The session is logged in, and can be ended itself. */
  bound(): void {
    this.#state = "bound";
  }

  end(why: string): void {
    if (this.#state === "bound") this.session.end(why);
    else this.#state = "ended";
  }
}

export type Taken = "ok" | "already_connected" | "busy";

export interface Seats {
  /** Whether it can be decided now who may be online; if not, nobody logs in, registers or gets a certificate. */
  readonly isOpen: boolean;
  /** Before the account is read. */
  claim(fold: string, session: OnlineSession): Claim;
  /**
   * From `ok` on `user` is online. The same key is the same device, whose older session is replaced.
   * @param replaces whether a session of another device is, too
   * @returns busy: nobody can tell now who is online
   */
  take(claim: Claim, user: OwnUser, replaces: boolean): Promise<Taken>;
  /** Gives up the seat, or the claim to it; does nothing the second time. Never waits. */
  leave(claim: Claim): void;
  /** The addresses of a user of this process have changed. */
  changed(user: OnlineUser): void;
  /** Ends every session of this name, and logins under way, wherever they are. Never fails. */
  end(fold: string, why: string): Promise<void>;
  /** The users whose sessions are here; a copy. */
  own(): readonly OwnUser[];
}

/** The claims of this process, by name. */
export class Claims {
  readonly #byFold = new Map<string, Set<Claim>>();

  add(claim: Claim): void {
    const others = this.#byFold.get(claim.fold);
    if (others === undefined) this.#byFold.set(claim.fold, new Set([claim]));
    else others.add(claim);
  }

  delete(claim: Claim): void {
    const others = this.#byFold.get(claim.fold);
    others?.delete(claim);
    if (others?.size === 0) this.#byFold.delete(claim.fold);
  }

  /** A copy. */
  of(fold: string): readonly Claim[] {
    return [...(this.#byFold.get(fold) ?? [])];
  }
}

/** Somebody comes, or replaces another session of the name: those who watch them are notified. */
export function enter(presence: Presence<OnlineUser, OwnUser>, user: OnlineUser, moved: Moved): void {
  const previous = presence.find(user.fold);
  for (const { session } of presence.enter(user)) session.pushPresence(user.username, true);
  if (previous !== undefined && !isAtSamePlace(previous, user)) moved(user.fold);
}

/** Somebody goes, unless another session has replaced theirs: those who watch them are notified. */
export function leave(presence: Presence<OnlineUser, OwnUser>, user: OnlineUser): void {
  for (const { session } of presence.leave(user)) session.pushPresence(user.username, false);
}

/** Somebody who stays online has other addresses. */
export type Moved = (fold: string) => void;

function isAtSamePlace(one: OnlineUser, other: OnlineUser): boolean {
  return one.ip === other.ip && one.p2pPort === other.p2pPort && one.addresses === other.addresses;
}

/** The seats of a server that is alone: whoever is online is so here. */
export class OwnSeats implements Seats {
  readonly isOpen = true;
  readonly #presence: Presence<OnlineUser, OwnUser>;
  readonly #moved: Moved;
  readonly #claims = new Claims();
  readonly #users = new Map<Claim, OwnUser>();

  constructor(presence: Presence<OnlineUser, OwnUser>, moved: Moved) {
    this.#presence = presence;
    this.#moved = moved;
  }

  claim(fold: string, session: OnlineSession): Claim {
    const claim = new Claim(fold, session);
    this.#claims.add(claim);
    return claim;
  }

  async take(claim: Claim, user: OwnUser, replaces: boolean): Promise<Taken> {
    const previous = this.#presence.find(user.fold);
    if (previous !== undefined && !replaces && !isSameDevice(previous, user)) return "already_connected";
    const others = previous === undefined ? [] : this.#claims.of(user.fold);
    const replaced = others.filter((each) => this.#users.get(each) === previous);
    this.#users.set(claim, user);
    enter(this.#presence, user, this.#moved);
    for (const each of replaced) {
      this.#drop(each);
      each.session.replaced();
    }
    return "ok";
  }

  leave(claim: Claim): void {
    const user = this.#users.get(claim);
    this.#drop(claim);
    if (user !== undefined) leave(this.#presence, user);
  }

  changed(): void {
    // Whoever asks is answered from the user itself.
  }

  async end(fold: string, why: string): Promise<void> {
    for (const claim of this.#claims.of(fold)) claim.end(why);
  }

  own(): readonly OwnUser[] {
    return [...this.#users.values()];
  }

  #drop(claim: Claim): void {
    this.#claims.delete(claim);
    this.#users.delete(claim);
  }
}

function isSameDevice({ key }: OnlineUser, other: OnlineUser): boolean {
  return key !== undefined && key.fingerprint === other.key?.fingerprint;
}
