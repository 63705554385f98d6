/** The networks to which this machine is connected directly. */
import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";

import { errorCode } from "../../../net/error-code.ts";
import { isLinkLocal } from "../../../protocol/ip-address.ts";

export type LocalInterface = {
  /** As `Multicast` names it: an IPv4 address of the interface, or «::%» and its name. */
  readonly via: string;
  readonly family: "IPv4" | "IPv6";
  /** The network of that address in CIDR notation. */
  readonly network: string;
};

/** One for each IPv4 network, and one for each interface with IPv6; undefined while the system gives none because this process has too many open files. */
export function localInterfaces(): readonly LocalInterface[] | undefined {
  try {
    const found = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
      addresses
        .filter(({ internal, family, address }) => !internal && (family === "IPv4" || isLinkLocal(address)))
        .map(({ family, address, cidr }) => ({
          via: family === "IPv4" ? address : `::%${name}`,
          family,
          network: cidr ?? `${address}/32`,
        })),
    );
    return [...new Map(found.map((each) => [each.via, each])).values()];
  } catch (error) {
    if (errorCode(error) !== "ERR_SYSTEM_ERROR") throw error;
    return undefined;
  }
}

/**
 * Tells whether an address is on one of these networks; no router passes on what a link-local one has sent. An address
 * elsewhere must not be dialled because somebody sends us from there a beacon that he has heard.
 */
export function onLink(interfaces: readonly LocalInterface[]): (ip: string) => boolean {
  const networks = new BlockList();
  for (const { family, network } of interfaces) {
    const [address = "", bits] = network.split("/");
    if (family === "IPv4") networks.addSubnet(address, Number(bits), "ipv4");
  }
  return (ip) => (ip.includes(":") ? isLinkLocal(ip) : networks.check(ip, "ipv4"));
}
