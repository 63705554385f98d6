/**
 * The PROXY protocol, versions 1 and 2: what a balancer writes before the bytes of a connection, so that whoever is behind
 * it learns from where the connection comes.
 */
import { isIP } from "node:net";

import { normalizeAddress } from "../../protocol/ip-address.ts";

/** Longest header of version 1, in bytes, its line end included. */
const MAX_TEXT = 107;
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Bytes of version 2 before the addresses. */
const FIXED = 16;
const VERSION_2 = 0x20;
const LOCAL = 0;
const PROXY = 1;
const TCP_4 = 0x11;
const TCP_6 = 0x21;

type Endpoint = { readonly ip: string; readonly port: number };

/** The two ends of a connection as the balancer has them. */
export type Told = { readonly from: Endpoint; readonly to: Endpoint };

export type ProxyHeader =
  | { readonly name: "incomplete" }
  | { readonly name: "wrong" }
  /** `length`: in bytes. `told`: undefined where the connection is the balancer's own, to see whether we are there. */
  | { readonly name: "header"; readonly length: number; readonly told: Told | undefined };

const INCOMPLETE: ProxyHeader = { name: "incomplete" };
const WRONG: ProxyHeader = { name: "wrong" };

/** Reads the header at the beginning of what has come so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const signed = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.subarray(0, signed).equals(SIGNATURE.subarray(0, signed))) {
    return bytes.length < FIXED ? INCOMPLETE : readBinary(bytes);
  }
  const text = bytes.subarray(0, MAX_TEXT).toString("latin1");
  const end = text.indexOf("\r\n");
  if (end >= 0) return readText(text.slice(0, end));
  const begun = "PROXY ".slice(0, text.length);
  return bytes.length < MAX_TEXT && text.startsWith(begun) ? INCOMPLETE : WRONG;
}

function readText(line: string): ProxyHeader {
  const length = line.length + 2;
  const [proxy, family, ...rest] = line.split(" ");
  if (proxy !== "PROXY") return WRONG;
  if (family === "UNKNOWN") return { name: "header", length, told: undefined };
  const [from = "", to = "", fromPort = "", toPort = ""] = rest;
  const version = family === "TCP4" ? 4 : 6;
  const isWhole = rest.length === 4 && (family === "TCP4" || family === "TCP6");
  if (!isWhole || isIP(from) !== version || isIP(to) !== version) return WRONG;
  if (!isPort(fromPort) || !isPort(toPort)) return WRONG;
  return { name: "header", length, told: toldOf(from, Number(fromPort), to, Number(toPort)) };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Buffer): ProxyHeader {
  const command = bytes.readUInt8(12) - VERSION_2;
  if (command !== LOCAL && command !== PROXY) return WRONG;
  const length = FIXED + bytes.readUInt16BE(14);
  if (bytes.length < length) return INCOMPLETE;
  const addresses = bytes.subarray(FIXED, length);
  const kind = bytes.readUInt8(13);
  if (command === LOCAL || kind === 0) return { name: "header", length, told: undefined };
  if (kind === TCP_4 && addresses.length >= 12) {
    const ip = (at: number) => [...addresses.subarray(at, at + 4)].join(".");
    const told = toldOf(ip(0), addresses.readUInt16BE(8), ip(4), addresses.readUInt16BE(10));
    return { name: "header", length, told };
  }
  if (kind === TCP_6 && addresses.length >= 36) {
    const ip = (at: number) =>
      addresses
        .subarray(at, at + 16)
        .toString("hex")
        .replaceAll(/(.{4})(?=.)/g, "$1:");
    const told = toldOf(ip(0), addresses.readUInt16BE(32), ip(16), addresses.readUInt16BE(34));
    return { name: "header", length, told };
  }
  return WRONG;
}

function toldOf(from: string, fromPort: number, to: string, toPort: number): Told {
  return {
    from: { ip: normalizeAddress(from), port: fromPort },
    to: { ip: normalizeAddress(to), port: toPort },
  };
}
