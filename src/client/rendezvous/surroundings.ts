/** Notices events that may break every connection: the machine slept, or its addresses or routers changed. */
import { networkInterfaces } from "node:os";

import type { Clock } from "../../net/clock.ts";
import { errorCode } from "../../net/error-code.ts";
import { isLinkLocal, parseDialableAddress } from "../../protocol/ip-address.ts";
import { MAX_ADDRESSES } from "../../protocol/rendezvous-messages.ts";
import { defaultGateways } from "./gateways.ts";

/** The clocks drifted apart by this much, or a check is this late: the machine has slept. In ms. */
export const SLEPT = 10_000;

export type Surroundings = {
  /** ms since 1970 */
  readonly now: number;
  /** ms of a clock that may stop while the machine sleeps. */
  readonly monotonic: number;
  /** This machine's addresses and gateways: an address that comes back before its route leads nowhere yet. */
  readonly network: string;
};

let lastAddresses: string[] | undefined;

/**
 * This machine's own addresses, for peers in the same network; at most eight. Those of the last call while the system
 * gives none because this process has too many open files.
 */
export function ownAddresses(): string[] {
  try {
    lastAddresses = readAddresses();
  } catch (error) {
    if (errorCode(error) !== "ERR_SYSTEM_ERROR") throw error;
  }
  return lastAddresses ?? [];
}

/** As `ownAddresses`, as they were at the last look: a messenger looks every second, and it takes about 0.2 ms. */
export function recentAddresses(): readonly string[] {
  return lastAddresses ?? ownAddresses();
}

function readAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && !isLinkLocal(address.address))
    .map((address) => parseDialableAddress(address.address))
    .filter((address) => address !== undefined)
    .slice(0, MAX_ADDRESSES);
}

export function surroundings(clock: Clock): Surroundings {
  const { IPv4 = "", IPv6 = "" } = defaultGateways();
  const network = [...ownAddresses(), IPv4, IPv6].join(" ");
  return { now: clock.now(), monotonic: clock.monotonic(), network };
}

export type Change = "slept" | "moved";

/** What has changed between two checks. A clock that was set counts as sleep: a superfluous check is harmless. */
export function surroundingsChange(before: Surroundings, after: Surroundings): Change | undefined {
  if (before.network !== after.network) return "moved";
  const passed = after.monotonic - before.monotonic;
  const shown = after.now - before.now;
  return passed >= SLEPT || Math.abs(shown - passed) >= SLEPT ? "slept" : undefined;
}
