/**
 * IP addresses as text: one spelling for each, and the classes on which the protocol decides
 * (PROTOCOL 2 and 4). Pure; names are never resolved here.
 */
import { isIPv4, isIPv6 } from "node:net";

/**
 * The address in the one spelling used everywhere: no zone, IPv4 inside IPv6 (`::ffff:`) as IPv4, IPv6 as in
 * RFC 5952. What is no address is only put into lower case.
 */
export function normalizeAddress(address: string): string {
  const plain = address.toLowerCase().replace(/%.*$/, "");
  if (!isIPv6(plain)) return plain;
  const groups = ipv6Groups(plain);
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:65535") {
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
  }
  const text = `:${groups.map((group) => group.toString(16)).join(":")}:`;
  // The longest run of two or more zeros, the first of equals, becomes `::`.
  const [longest] = (text.match(/(?::0){2,}(?=:)/g) ?? []).sort((a, b) => b.length - a.length);
  const short = longest === undefined ? text : text.replace(`${longest}:`, "::");
  return short.replace(/^:(?!:)/, "").replace(/(?<!:):$/, "");
}

function ipv4Bytes(address: string): number[] {
  return address.split(".").map(Number);
}

/** The eight 16-bit groups of an IPv6 address; the caller has checked `isIPv6`. */
export function ipv6Groups(address: string): number[] {
  let plain = address.toLowerCase().replace(/%.*$/, "");
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  if (embedded !== null) {
    const [, head = "", a, b, c, d] = embedded;
    const high = ((Number(a) << 8) | Number(b)).toString(16);
    const low = ((Number(c) << 8) | Number(d)).toString(16);
    plain = `${head}${high}:${low}`;
  }
  const [head = "", tail] = plain.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)));
  const first = groups(head);
  if (tail === undefined) return first;
  const last = groups(tail);
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

export function isLoopback(address: string): boolean {
  const plain = normalizeAddress(address);
  return isIPv4(plain)
    ? plain.startsWith("127.")
    : isIPv6(plain) && ipv6Groups(plain).join(":") === "0:0:0:0:0:0:0:1";
}

/** RFC 1918, fc00::/7, fe80::/10, 169.254/16, 100.64/10 (PROTOCOL 2) and loopback. */
export function isPrivate(address: string): boolean {
  const plain = normalizeAddress(address);
  if (isLoopback(plain)) return true;
  if (isIPv4(plain)) {
    const [a = 0, b = 0] = ipv4Bytes(plain);
    return (
      a === 10 ||
      (a === 172 && b >= 16 && b <= 31) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b <= 127)
    );
  }
  if (!isIPv6(plain)) return false;
  const first = ipv6Groups(plain)[0] ?? 0;
  return (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
}

/**
 * The network that one party holds as easily as one address: the address itself, of IPv6 its /64 (RFC 6177).
 * Takes what `normalizeAddress` gives.
 */
export function networkOf(address: string): string {
  if (!address.includes(":") || !isIPv6(address)) return address;
  const groups = ipv6Groups(address).slice(0, 4);
  return `${groups.map((group) => group.toString(16)).join(":")}::/64`;
}

/**
 * An address at which one machine can be dialled: an IP literal that is not unspecified, multicast or
 * broadcast (PROTOCOL 4). Gives its one spelling, or undefined. A zone means nothing on another machine.
 */
export function parseDialableAddress(text: string): string | undefined {
  if (text.includes("%")) return undefined;
  const address = normalizeAddress(text);
  if (isIPv4(address)) {
    const [first = 0] = ipv4Bytes(address);
    return first === 0 || first >= 224 ? undefined : address;
  }
  if (!isIPv6(address)) return undefined;
  const groups = ipv6Groups(address);
  if (groups.every((group) => group === 0)) return undefined;
  return ((groups[0] ?? 0) & 0xff00) === 0xff00 ? undefined : address;
}

/** HOST:PORT as people write it; IPv6 goes into brackets. */
export function showHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
