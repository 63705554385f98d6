import { networkOf } from "../../protocol/ip-address.ts";

/**
 * The range that one customer may have: of IPv6 the /48, with 65,536 networks (RFC 6177), of IPv4 the address.
 * @param address as `normalizeAddress` or `networkOf` gives it.
 */
export function siteOf(address: string): string {
  const network = networkOf(address);
  if (!network.endsWith("::/64")) return network;
  return `${network.split(":").slice(0, 3).join(":")}::/48`;
}
