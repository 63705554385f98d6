/**
 * Which contacts are on the local network, from the beacons that arrive. Anybody there can send thousands: each address
 * is heard a few times a second, and the tags that are computed have a budget.
 */
import type { Target } from "../../../net/dialler.ts";
import { isOf, readBeacon, type Beacon } from "./beacon.ts";

/** How long an address counts after its last beacon, in ms. */
export const HEARD_FOR = 90_000;
/** Addresses that are kept of one contact; another one replaces the one that was not heard for longest. */
export const MAX_ADDRESSES = 4;
/** Tags that may be computed in a second. */
export const TAGS_A_SECOND = 20_000;
/** In this time, in ms, an address is heard SENDER_BEACONS times. */
const SENDER_INTERVAL = 1_000;
/** The accounts of one machine share its address, also this client's own, and all of them send at the same pace. */
export const SENDER_BEACONS = 8;
/** Addresses whose beacons are counted; beyond it no other one is heard for a while. */
export const MAX_SENDERS = 4_096;

type Heard = { readonly target: Target; readonly at: number };

export class Nearby {
  readonly #contacts: () => readonly string[];
  /** By label; the address that was heard last is the last. */
  readonly #heard = new Map<string, readonly Heard[]>();
  /** Since when the beacons of an address are counted, the oldest first. */
  readonly #senders = new Map<string, { readonly since: number; beacons: number }>();
  #tags = TAGS_A_SECOND;
  #tagsAt = -Infinity;

  /** @param labels gives those of the contacts */
  constructor(labels: () => readonly string[]) {
    this.#contacts = labels;
  }

  /**
   * @param from the address that has sent it, with its zone if it is link-local. @param now ms, never set back
   * @returns the label of the contact who is there; undefined: none of them, or nothing is known
   */
  take(datagram: Buffer, from: string, now: number): string | undefined {
    const beacon = readBeacon(datagram);
    if (beacon === undefined || !this.#isDue(from, now)) return undefined;
    const label = this.#senderOf(beacon, from, now);
    if (label === undefined) return undefined;
    const target = { ip: from, port: beacon.port };
    const others = this.#current(label, now).filter((each) => !isSame(each.target, target));
    this.#heard.set(label, [...others.slice(1 - MAX_ADDRESSES), { target, at: now }]);
    return label;
  }

  /** The addresses of a contact on the local network, the one heard last first. @param now as for `take` */
  targets(label: string, now: number): Target[] {
    return this.#current(label, now)
      .map(({ target }) => target)
      .reverse();
  }

  /** Of the contacts on the local network. @param now as for `take` */
  labels(now: number): string[] {
    return [...this.#heard.keys()].filter((label) => this.#current(label, now).length > 0);
  }

  #current(label: string, now: number): readonly Heard[] {
    return (this.#heard.get(label) ?? []).filter(({ at }) => now - at < HEARD_FOR);
  }

  #isDue(from: string, now: number): boolean {
    for (const [sender, { since }] of this.#senders) {
      if (now - since < SENDER_INTERVAL) break;
      this.#senders.delete(sender);
    }
    const sender = this.#senders.get(from);
    if (sender !== undefined) return ++sender.beacons <= SENDER_BEACONS;
    if (this.#senders.size >= MAX_SENDERS) return false;
    this.#senders.set(from, { since: now, beacons: 1 });
    return true;
  }

  /** Whoever was heard from that address is tried first. */
  #senderOf(beacon: Beacon, from: string, now: number): string | undefined {
    this.#tags = Math.min(TAGS_A_SECOND, this.#tags + ((now - this.#tagsAt) * TAGS_A_SECOND) / 1_000);
    this.#tagsAt = now;
    if (this.#tags < 1) return undefined;
    for (const label of this.#heard.keys()) {
      if (this.#current(label, now).length === 0) this.#heard.delete(label);
    }
    const before = [...this.#heard].filter(([, heard]) => heard.some(({ target }) => target.ip === from));
    for (const label of [...before.map(([label]) => label), ...this.#contacts()]) {
      if (this.#tags < 1) return undefined;
      this.#tags--;
      if (isOf(label, beacon)) return label;
    }
    return undefined;
  }
}

function isSame(one: Target, other: Target): boolean {
  return one.ip === other.ip && one.port === other.port;
}
