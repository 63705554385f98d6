import { networkOf } from "../../protocol/ip-address.ts";

/**
 * All that one tunnel or line may hold: of IPv6 the /48, with 65,536 networks (RFC 6177), of IPv4 the address.
 * Takes what `normalizeAddress` or `networkOf` gives.
 */
export function siteOf(address: string): string {
  const network = networkOf(address);
  if (!network.endsWith("::/64")) return network;
  return `${network.split(":").slice(0, 3).join(":")}::/48`;
}
