/**
 * What may be dialled, and how often. The addresses of people come from the server, which may be hostile: it must not
 * make this client, and a thousand others, connect to somebody who is no peer.
 */
import type { Target } from "../../net/dialler.ts";
import { isLoopback, parseDialableAddress } from "../../protocol/ip-address.ts";
import { MIN_CANDIDATE_PORT } from "../../protocol/rendezvous-messages.ts";

/** Dials to one user, and to one address of another machine, within `DIAL_PERIOD` (PROTOCOL 3, «Candidates»). */
export const MAX_DIALS = 8;
/** In ms. */
export const DIAL_PERIOD = 10_000;
/** Users and addresses whose dials are remembered; beyond it nothing is dialled for a while. */
const MAX_REMEMBERED = 4_096;

/** This client, as far as it limits what it dials. */
export type OwnPlace = {
  /** The server is reached on loopback: only then are other people's loopback addresses on this machine. */
  readonly isServerLocal: boolean;
  /** The port on which this client listens; undefined: on none. */
  readonly port: number | undefined;
  readonly addresses: readonly string[];
};

function isOwn(ip: string, own: OwnPlace): boolean {
  return isLoopback(ip) || own.addresses.includes(ip);
}

/** Those of a user's addresses at which a client of theirs may listen: not ours, and no service of the system. */
export function peerTargets<T extends Target>(targets: readonly T[], own: OwnPlace): T[] {
  return targets.filter(({ ip, port }) => {
    if (port < MIN_CANDIDATE_PORT || parseDialableAddress(ip) !== ip) return false;
    if (isLoopback(ip) && !own.isServerLocal) return false;
    return port !== own.port || !isOwn(ip, own);
  });
}

export class DialBudget {
  readonly #monotonic: () => number;
  /** When the last dials were made, by user or address, the oldest first. */
  readonly #dials = new Map<string, number[]>();

  /** @param monotonic ms, never set back */
  constructor(monotonic = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /**
   * Takes one dial to `ip` for a user. One's own machine is limited for each user only.
   * @param user any text that no address equals
   * @returns how long until it is possible, in ms; 0: it was taken
   */
  take(user: string, ip: string, own: OwnPlace): number {
    const now = this.#monotonic();
    const keys = isOwn(ip, own) ? [user] : [user, ip];
    this.#forgetOld(now);
    if (this.#dials.size + keys.length > MAX_REMEMBERED) return DIAL_PERIOD;
    const wait = Math.max(...keys.map((key) => this.#wait(key, now)));
    if (wait > 0) return wait;
    for (const key of keys) {
      const dials = this.#dials.get(key) ?? [];
      // The key that was dialled last is the last.
      this.#dials.delete(key);
      this.#dials.set(key, [...dials.slice(1 - MAX_DIALS), now]);
    }
    return 0;
  }

  #wait(key: string, now: number): number {
    const dials = this.#dials.get(key) ?? [];
    const [oldest = now] = dials;
    return dials.length < MAX_DIALS ? 0 : Math.max(0, oldest + DIAL_PERIOD - now);
  }

  #forgetOld(now: number): void {
    for (const [key, dials] of this.#dials) {
      if ((dials.at(-1) ?? 0) + DIAL_PERIOD > now) return;
      this.#dials.delete(key);
    }
  }
}

/** The dials of all accounts that are opened in this process. */
export const DIALS_OF_PROCESS = new DialBudget();
/** Those to meeting ports that are not at the server's address, and those that a `go` asks for, counted apart. */
export const MEETING_DIALS_OF_PROCESS = new DialBudget();
