/** The default gateways of this machine. Known on Linux; elsewhere there are none. */
import { readFileSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { addressOfHex, isLinkLocal } from "../../protocol/ip-address.ts";

export type Gateways = {
  readonly IPv4: string | undefined;
  /** With its zone if it is link-local. */
  readonly IPv6: string | undefined;
};

/** Flags of a route (`linux/route.h`): it is up, it leads to a gateway, it refuses. */
const UP = 0x1;
const GATEWAY = 0x2;
const REJECT = 0x200;

type Route = { readonly metric: number; readonly flags: number; readonly gateway: string };

/** Of the best default route; undefined: there is none, or it leads to no gateway, as that of a VPN. */
function gatewayOf(routes: readonly Route[]): string | undefined {
  const [best] = routes
    .filter(({ flags }) => (flags & UP) !== 0 && (flags & REJECT) === 0)
    .sort((one, other) => one.metric - other.metric);
  return best === undefined || (best.flags & GATEWAY) === 0 ? undefined : best.gateway;
}

/** The IPv4 gateway in the text of `/proc/net/route`, whose addresses are numbers of a little-endian machine. */
export function ipv4Gateway(table: string): string | undefined {
  const routes = rowsOf(table)
    .filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")
    .map(([, , gateway = "", flags = "", , , metric = ""]) => ({
      metric: Number(metric),
      flags: parseInt(flags, 16),
      gateway: [...Buffer.from(gateway, "hex")].reverse().join("."),
    }));
  return gatewayOf(routes);
}

/** The IPv6 gateway in the text of `/proc/net/ipv6_route`. */
export function ipv6Gateway(table: string): string | undefined {
  const routes = rowsOf(table)
    .filter(([destination = "", prefix]) => /^0{32}$/.test(destination) && prefix === "00")
    .map(([, , , , nextHop = "", metric = "", , , flags = "", name = ""]) => {
      const address = addressOfHex(nextHop);
      return {
        metric: parseInt(metric, 16),
        flags: parseInt(flags, 16),
        gateway: isLinkLocal(address) ? `${address}%${name}` : address,
      };
    });
  return gatewayOf(routes);
}

function rowsOf(table: string): string[][] {
  return table.split("\n").map((line) => line.trim().split(/\s+/));
}

export function defaultGateways(): Gateways {
  return {
    IPv4: ipv4Gateway(read("/proc/net/route")),
    IPv6: ipv6Gateway(read("/proc/net/ipv6_route")),
  };
}

/** The text of each file when it was read last. */
const lastTexts = new Map<string, string>();

/** Empty: this system has no such file. While this process has too many open files, it is the text of before. */
function read(path: string): string {
  try {
    lastTexts.set(path, readFileSync(path, "latin1"));
  } catch (error) {
    const code = errorCode(error);
    if (!/^E[A-Z]+$/.test(code)) throw error;
    if (code !== "EMFILE" && code !== "ENFILE") lastTexts.delete(path);
  }
  return lastTexts.get(path) ?? "";
}
