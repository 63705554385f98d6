/**
 * Who has a place at the peer port (PROTOCOL 5, «Bounds at the port»). Pure.
 *
 * - Unfinished handshakes: some places are kept for the addresses of contacts. In a full port a random handshake gives
 *   way, so that whoever keeps many open shuts nobody out for long.
 * - Proven connections: strangers (everybody but contacts) hold only a part of the places. A
 *   stranger from whom no text was taken for a minute gives way to a newcomer, and everybody but a pinned contact gives
 *   way to a pinned contact.
 */
import { networkOf, siteOf } from "../../protocol/ip-address.ts";

/** Unfinished handshakes: in all, kept for the addresses of contacts, of one network, and of one site. */
export const MAX_HANDSHAKES = 64;
export const CONTACT_HANDSHAKES = 16;
export const MAX_HANDSHAKES_PER_NETWORK = 8;
export const MAX_HANDSHAKES_PER_SITE = 16;
/** Proven connections, in all and of one user. */
export const MAX_CONNECTIONS = 256;
export const MAX_CONNECTIONS_PER_USER = 4;
/** Proven connections of strangers: in all, of one user, and of one network. */
export const MAX_STRANGERS = 64;
export const MAX_CONNECTIONS_PER_STRANGER = 2;
export const MAX_STRANGERS_PER_NETWORK = 8;
/** What stands for the network of everybody who comes by way of the server: of strangers, and of contacts. */
export const RELAY = "relay";
export const CONTACTS_RELAY = "relay of contacts";
export const MAX_RELAYED_STRANGERS = 32;
/** How long a stranger keeps the place without a text that was taken, in ms. */
export const STRANGER_IDLE = 60_000;

/** How often it is looked up whether strangers have become contacts, in ms. */
const REFRESH_INTERVAL = 1_000;

/** A connection whose handshake is not finished. */
type Handshake = { readonly name: "handshake"; readonly isFromContact: boolean };
/** A proven connection. */
type Proven = {
  readonly name: "proven";
  readonly label: string;
  readonly fingerprint: string;
  /** Once true it stays so. */
  isContact: boolean;
  isPinned: boolean;
  /** When a text was last taken from it, and before the first when it was proven; of the monotonic clock. */
  textAt: number;
};

/** A connection that has a place. */
export type Caller = {
  readonly network: string;
  readonly site: string;
  /** Ends the connection, which has to give way. */
  readonly giveWay: () => void;
  state: Handshake | Proven;
};
type ProvenCaller = Caller & { readonly state: Proven };

/** Who is in a group with this account; perhaps somebody who is blocked. */
export interface GroupPeople {
  /** Whether this key is that of a live term of a group that one is in. */
  hasKey(fingerprint: string): boolean;
  /** Whether somebody of this name is; who they are is not proven. */
  hasLabel(label: string): boolean;
}

type AdmissionNeeds = {
  /** Whether the person with this label, and a key of this fingerprint, is a contact, or in a group with us. */
  readonly isContact: (peer: { readonly label: string; readonly fingerprint: string }) => boolean;
  /** In [0, 1). */
  readonly random: () => number;
  /** Ms, never set back. */
  readonly monotonic: () => number;
};

export class PeerAdmission {
  readonly #needs: AdmissionNeeds;
  readonly #callers = new Set<Caller>();
  /** When strangers were last looked up, by `monotonic`. */
  #refreshedAt = -Infinity;

  constructor(needs: AdmissionNeeds) {
    this.#needs = needs;
  }

  /** How many connections have a place. */
  get size(): number {
    return this.#callers.size;
  }

  /**
   * A connection from this address (as `normalizeAddress` gives it, `RELAY` or `CONTACTS_RELAY`) begins its handshake.
   * @param isFromContact whether it is the address of a contact
   * @returns undefined: there is no place for it
   */
  knock(address: string, isFromContact: boolean, giveWay: () => void): Caller | undefined {
    const network = networkOf(address);
    const site = siteOf(address);
    const handshakes = [...this.#callers].filter(({ state }) => state.name === "handshake");
    if (
      handshakes.filter((each) => each.network === network).length >= MAX_HANDSHAKES_PER_NETWORK ||
      handshakes.filter((each) => each.site === site).length >= MAX_HANDSHAKES_PER_SITE
    ) {
      return undefined;
    }
    const isOfContact = ({ state }: Caller) => state.name === "handshake" && state.isFromContact;
    const others = handshakes.filter((each) => !isOfContact(each));
    const isFull = isFromContact
      ? handshakes.length >= MAX_HANDSHAKES
      : handshakes.length >= MAX_HANDSHAKES || others.length >= MAX_HANDSHAKES - CONTACT_HANDSHAKES;
    if (isFull) {
      // Below their share, the others are not why the port is full.
      const isShareOver = others.length >= MAX_HANDSHAKES - CONTACT_HANDSHAKES;
      const from =
        others.length > 0 && (isFromContact || isShareOver) ? others : handshakes.filter(isOfContact);
      this.#remove(from[Math.floor(this.#needs.random() * from.length)] as Caller);
    }
    const caller: Caller = { network, site, giveWay, state: { name: "handshake", isFromContact } };
    this.#callers.add(caller);
    return caller;
  }

  /**
   * The handshake of `caller` is finished, and has proven who it is.
   * @param isPinned whether the key is pinned
   * @returns false: there is no place for it
   */
  prove(
    caller: Caller,
    peer: { readonly label: string; readonly fingerprint: string },
    isPinned: boolean,
  ): boolean {
    if (!this.#callers.delete(caller)) return false;
    const { label, fingerprint } = peer;
    const isContact = this.#needs.isContact(peer);
    const textAt = this.#needs.monotonic();
    const proven: ProvenCaller = Object.assign(caller, {
      state: { name: "proven" as const, label, fingerprint, isContact, isPinned, textAt },
    });
    const leaving = this.#makeRoom(proven);
    if (leaving === undefined) return false;
    for (const each of leaving) this.#remove(each);
    this.#callers.add(proven);
    return true;
  }

  /** The key of a proven connection is pinned now. */
  pinned({ state }: Caller): void {
    if (state.name === "proven") state.isPinned = true;
  }

  /** A text of a proven connection was taken. */
  tookText({ state }: Caller): void {
    if (state.name === "proven") state.textAt = this.#needs.monotonic();
  }

  /** The connection is closed. */
  leave(caller: Caller): void {
    this.#callers.delete(caller);
  }

  #remove(caller: Caller): void {
    this.#callers.delete(caller);
    caller.giveWay();
  }

  /** @returns the connections that give way to the newcomer; undefined: it must not come in */
  #makeRoom(newcomer: ProvenCaller): ProvenCaller[] | undefined {
    const { label, isContact } = newcomer.state;
    const all = [...this.#callers].filter(isProven);
    this.#refresh(all);
    const leaving: ProvenCaller[] = [];
    const fits = (limit: number, isCounted: (caller: ProvenCaller) => boolean): boolean => {
      const counted = all.filter((each) => isCounted(each) && !leaving.includes(each));
      if (counted.length < limit) return true;
      const first = this.#firstToLeave(counted, newcomer);
      if (first !== undefined) leaving.push(first);
      return first !== undefined;
    };
    const isSameUser = ({ state }: ProvenCaller) => state.label === label;
    const isStranger = ({ state }: ProvenCaller) => !state.isContact;
    const { network } = newcomer;
    const ofNetwork = network === RELAY ? MAX_RELAYED_STRANGERS : MAX_STRANGERS_PER_NETWORK;
    const hasRoom = isContact
      ? fits(MAX_CONNECTIONS_PER_USER, isSameUser)
      : fits(MAX_CONNECTIONS_PER_STRANGER, isSameUser) &&
        fits(ofNetwork, (each) => isStranger(each) && each.network === network) &&
        fits(MAX_STRANGERS, isStranger);
    return hasRoom && fits(MAX_CONNECTIONS, () => true) ? leaving : undefined;
  }

  /** Strangers who have been written to since they came are contacts now. Many may come, so they are looked up now and then. */
  #refresh(all: readonly ProvenCaller[]): void {
    const now = this.#needs.monotonic();
    if (now - this.#refreshedAt < REFRESH_INTERVAL) return;
    this.#refreshedAt = now;
    for (const { state } of all) state.isContact ||= this.#needs.isContact(state);
  }

  /** The one that gives way to the newcomer: a stranger before a contact, and the one without a text for longest. */
  #firstToLeave(callers: readonly ProvenCaller[], newcomer: ProvenCaller): ProvenCaller | undefined {
    const now = this.#needs.monotonic();
    const isPinnedContact = ({ state }: ProvenCaller) => state.isContact && state.isPinned;
    const givesWay = (each: ProvenCaller) =>
      (!each.state.isContact && now - each.state.textAt >= STRANGER_IDLE) ||
      (isPinnedContact(newcomer) && !isPinnedContact(each));
    const rank = ({ state }: ProvenCaller) => (state.isContact ? 1 : 0);
    const [first] = callers
      .filter(givesWay)
      .sort((a, b) => rank(a) - rank(b) || a.state.textAt - b.state.textAt);
    return first;
  }
}

function isProven(caller: Caller): caller is ProvenCaller {
  return caller.state.name === "proven";
}
