/**
 * Host names and addresses as people type them, and the one form of a name for the name service, TLS and what is
 * stored. Nothing is resolved here.
 */
import { isIP, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";

import { isLoopback } from "./ip-address.ts";

/** Characters that end or structure a host in an address of the web, or cannot be seen; none is part of a name. */
const NO_NAME = /[\s:[\]/@\\?#%\p{C}]/u;

/**
 * The normal form of a host: in lower case, without a final dot, each international label as its A-label (UTS 46). An
 * address stays as it is, with its zone. Undefined: `typed` is neither a name nor an address.
 */
export function normalHost(typed: string): string | undefined {
  if (isIP(typed) !== 0) return typed;
  if (NO_NAME.test(typed)) return undefined;
  // Names in ASCII are left to the name service, which also takes `_` and numbers.
  const ascii = /^\p{ASCII}*$/u.test(typed) ? typed.toLowerCase() : domainToASCII(typed);
  const name = ascii.replace(/\.$/, "");
  return name === "" ? undefined : name;
}

export type HostPort = {
  /** In its normal form. */
  readonly host: string;
  /** As it was typed, without brackets. */
  readonly typed: string;
  /** 1 to 65535; undefined: none was typed. */
  readonly port: number | undefined;
};

/** Reads HOST, HOST:PORT, [IPv6] or [IPv6]:PORT. @returns undefined for another text */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[(.+)\]|([^:[\]]+))(?::(\d{1,5}))?$/u.exec(text);
  const typed = match?.[1] ?? match?.[2] ?? "";
  const host = match?.[1] === undefined || isIPv6(typed) ? normalHost(typed) : undefined;
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  return { host, typed, port };
}

/** What stands for HOST:PORT in an address of the web (`https://user@HOST:PORT/path`) or in a part of one. */
export function withoutUrl(text: string): string {
  return text
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/[/?#].*$/s, "")
    .replace(/^.*@/s, "");
}

/** Whether a host in its normal form is this machine, as far as its text says. */
export function isThisMachine(host: string): boolean {
  return host === "localhost" || isLoopback(host);
}
