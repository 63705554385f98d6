/**
 * Notices what may have broken every connection: the machine slept, or its addresses changed.
 */
import { networkInterfaces } from "node:os";

import type { Clock } from "../../net/clock.ts";
import { parseDialableAddress } from "../../protocol/ip-address.ts";
import { MAX_ADDRESSES } from "../../protocol/rendezvous-messages.ts";

/** The machine slept when the clocks drift apart by this, or a check comes this late, in ms. */
export const SLEPT = 10_000;

export type Surroundings = {
  /** ms since 1970 */
  readonly now: number;
  /** ms of a clock that may stand still while the machine sleeps. */
  readonly monotonic: number;
  /** The addresses of this machine, joined. */
  readonly addresses: string;
};

/** This machine's own addresses, for peers in the same network; at most eight. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && !address.address.toLowerCase().startsWith("fe80:"))
    .map((address) => parseDialableAddress(address.address))
    .filter((address) => address !== undefined)
    .slice(0, MAX_ADDRESSES);
}

/** What is around this machine now. */
export function surroundings(clock: Clock): Surroundings {
  return { now: clock.now(), monotonic: clock.monotonic(), addresses: ownAddresses().join(" ") };
}

export type Change = "slept" | "moved";

/** What has changed between two checks. A clock that was set counts as sleep: one check too many does no harm. */
export function surroundingsChange(before: Surroundings, after: Surroundings): Change | undefined {
  if (before.addresses !== after.addresses) return "moved";
  const passed = after.monotonic - before.monotonic;
  const shown = after.now - before.now;
  return passed >= SLEPT || Math.abs(shown - passed) >= SLEPT ? "slept" : undefined;
}

export class SurroundingsWatch {
  readonly #look: () => Surroundings;
  #before: Surroundings;

  constructor(look: () => Surroundings) {
    this.#look = look;
    this.#before = look();
  }

  /** To be called about once a second. @returns what has changed since the call before */
  check(): Change | undefined {
    const before = this.#before;
    this.#before = this.#look();
    return surroundingsChange(before, this.#before);
  }
}
