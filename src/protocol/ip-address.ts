/**
 * IP addresses as text: one spelling for each, and the ranges that the protocol treats differently
 * (PROTOCOL 2 and 4). Host names are never resolved here.
 */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

/** A list of ranges in CIDR notation. */
function ranges(...subnets: readonly `${string}/${number}`[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = "", bits] = subnet.split("/");
    list.addSubnet(network, Number(bits), `ipv${familyOf(network)}`);
  }
  return list;
}

export type Family = 4 | 6;

/** The family of an IP address, which may have a zone. */
export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

/** The address of the same family that names no host: to listen on it, or to connect from it, is to use any address. */
export function wildcardOf(address: string): string {
  return familyOf(address) === 6 ? "::" : "0.0.0.0";
}

const LOOPBACK = ranges("127.0.0.0/8", "::1/128");
/** RFC 1918, link-local, shared (RFC 6598) and unique local addresses. */
const PRIVATE = ranges(
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "100.64.0.0/10",
  "fc00::/7",
  "fe80::/10",
);
/** Unspecified, multicast, reserved and broadcast addresses. */
const NO_SINGLE_HOST = ranges("0.0.0.0/8", "224.0.0.0/3", "::/128", "ff00::/8");

function isIn(list: BlockList, address: string): boolean {
  const plain = normalizeAddress(address);
  return isIP(plain) !== 0 && list.check(plain, `ipv${familyOf(plain)}`);
}

/**
 * The address in the one spelling used everywhere: no zone, IPv4 inside IPv6 (`::ffff:`) as IPv4, IPv6 as in
 * RFC 5952. Other text is only put into lower case.
 */
export function normalizeAddress(address: string): string {
  // As a listener for both families names IPv4; the general way takes ten times as long.
  const [, mappedPlain] = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/.exec(address) ?? [];
  if (mappedPlain !== undefined && isIPv4(mappedPlain)) return mappedPlain;
  const plain = address.toLowerCase().replace(/%.*$/, "");
  if (!isIPv6(plain)) return plain;
  // Bun's `URL` refuses some IPv6 addresses with an IPv4 part, so that part becomes two groups first.
  const groups = plain.replace(/\d+\.\d+\.\d+\.\d+$/, (part) => {
    const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  // The URL standard spells IPv6 hosts as RFC 5952 does.
  const shortest = new URL(`http://[${groups}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(shortest);
  if (mapped === null) return shortest;
  const [high = 0, low = 0] = mapped.slice(1).map((group) => parseInt(group, 16));
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

export function isLoopback(address: string): boolean {
  return isIn(LOOPBACK, address);
}

/** RFC 1918, fc00::/7, fe80::/10, 169.254/16, 100.64/10 (PROTOCOL 2) and loopback. */
export function isPrivate(address: string): boolean {
  return isIn(PRIVATE, address) || isLoopback(address);
}

/** Whether an address, which may have a zone, is an IPv6 one of one link alone. */
export function isLinkLocal(address: string): boolean {
  return address.toLowerCase().startsWith("fe80:");
}

/** The eight groups of an IPv6 address, as `normalizeAddress` gives it, without leading zeros. */
export function ipv6Groups(address: string): readonly string[] {
  const [head = [], tail] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...new Array<string>(zeros).fill("0"), ...(tail ?? [])];
}

/** The address of 32 hexadecimal digits, as `normalizeAddress` spells it. */
export function addressOfHex(digits: string): string {
  return normalizeAddress(digits.match(/.{4}/g)?.join(":") ?? "");
}

/**
 * The network that one party can use as easily as one address: of IPv4 the address, of IPv6 its /64 (RFC 6177).
 * Takes what `normalizeAddress` gives.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  return `${ipv6Groups(address).slice(0, 4).join(":")}::/64`;
}

/**
 * The range that one customer may have: of IPv6 the /48, with 65,536 networks (RFC 6177), of IPv4 the address.
 * Takes what `normalizeAddress` or `networkOf` gives.
 */
export function siteOf(address: string): string {
  const network = networkOf(address);
  if (!network.endsWith("::/64")) return network;
  return `${network.split(":").slice(0, 3).join(":")}::/48`;
}

/**
 * An address at which one machine can be dialled: an IP literal that is not unspecified, multicast or
 * broadcast (PROTOCOL 4). Gives its one spelling, or undefined. A zone means nothing on another machine.
 */
export function parseDialableAddress(text: string): string | undefined {
  const address = normalizeAddress(text);
  const isDialable = !text.includes("%") && isIP(address) !== 0 && !isIn(NO_SINGLE_HOST, address);
  return isDialable ? address : undefined;
}

/** HOST:PORT as people write it; IPv6 goes into brackets. */
export function showHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
