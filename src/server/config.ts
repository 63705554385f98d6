/** Reads the flags and variables of the server (CLI.md), and those of its operator's commands. */
import { BlockList, isIP, isIPv4 } from "node:net";

import type { Environment } from "../protocol/environment.ts";
import { normalHost, parseHostPort, withoutUrl } from "../protocol/host-name.ts";
import type { Language } from "../protocol/language.ts";
import { nearestWord } from "../protocol/nearest-word.ts";
import { readOptions, UsageError, variableOf, type OptionValues } from "../protocol/options.ts";
import { quotedText } from "../protocol/quoted-text.ts";
import {
  DEFAULT_LIMITS,
  DEFAULT_RELAY_LIMITS,
  MIB,
  parseRate,
  type Limits,
  type Rate,
  type RelayLimits,
} from "./limits/limits.ts";
import type { LogStyle } from "./log/log.ts";
import { readPlace, readPostgresUrl, type Place, type Say } from "./place.ts";

/** More descriptors than a process can have. */
const MOST_CONNECTIONS = 1_000_000;

const LIMIT_OPTIONS = {
  "max-connections": { type: "integer", min: 1, max: MOST_CONNECTIONS },
  "max-connections-per-address": { type: "integer", min: 1, max: MOST_CONNECTIONS },
  "max-anonymous": { type: "integer", min: 1, max: MOST_CONNECTIONS },
  "max-waiting-hashes": { type: "integer", min: 1, max: 100_000 },
  "connection-rate": { type: "text" },
  "request-rate": { type: "text" },
  "register-rate": { type: "text" },
  "register-rate-total": { type: "text" },
  "login-rate": { type: "text" },
  "failure-rate": { type: "text" },
  "failure-rate-per-address": { type: "text" },
  "failure-rate-per-account": { type: "text" },
  "session-rate": { type: "text" },
  "lookup-rate": { type: "text" },
  "lookup-rate-per-address": { type: "text" },
} as const;

const OPTIONS = {
  host: { type: "text" },
  port: { type: "integer", min: 0, max: 65_535 },
  "plain-from": { type: "choice", of: ["loopback", "private", "any", "none"] },
  "tls-port": { type: "integer", min: 0, max: 65_535 },
  "proxy-protocol": { type: "text" },
  "tls-cert": { type: "path" },
  "tls-key": { type: "path" },
  db: { type: "path" },
  shared: { type: "text" },
  register: { type: "choice", of: ["open", "closed"] },
  log: { type: "choice", of: ["pretty", "json"] },
  "audit-log": { type: "path" },
  "meeting-port": { type: "text" },
  "meeting-host": { type: "text" },
  "relay-pairs": { type: "integer", min: 0, max: 100_000 },
  "relay-rate": { type: "integer", min: 1, max: 100_000 },
  "relay-bytes-per-day": { type: "integer", min: 0, max: Number.MAX_SAFE_INTEGER },
  "metrics-port": { type: "integer", min: 0, max: 65_535 },
  "metrics-host": { type: "text" },
  ...LIMIT_OPTIONS,
  lang: { type: "choice", of: ["es", "en"] },
  help: { type: "switch" },
  version: { type: "switch" },
} as const;

/** Options of `admin`. */
const ADMIN_OPTIONS = {
  db: { type: "path" },
  shared: { type: "text" },
  to: { type: "text" },
  "audit-log": { type: "path" },
  json: { type: "switch" },
  yes: { type: "switch" },
  from: { type: "path" },
  lang: { type: "choice", of: ["es", "en"] },
  help: { type: "switch" },
  version: { type: "switch" },
} as const;

/** Who may use the plain link (PROTOCOL 2). */
export type PlainFrom = "loopback" | "private" | "any" | "none";

export type MeetingConfig = {
  /** 0 takes a free one. */
  readonly port: number;
  /** The operator has named the port, so that the server does not start without it. */
  readonly isAsked: boolean;
  /** The addresses at which clients reach it, at most one a family; none: that of the rendezvous link. */
  readonly hosts: readonly string[];
  readonly relay: RelayLimits;
};

export type ServerConfig = {
  /** An IP literal, or undefined for all addresses. */
  readonly host: string | undefined;
  /** 0 takes a free one, as for `tlsPort`. */
  readonly port: number;
  readonly plainFrom: PlainFrom;
  readonly tlsPort: number;
  /** Networks of the balancers in front of that port, which write a PROXY header; undefined: there are none. */
  readonly balancers: BlockList | undefined;
  /** Undefined: no meeting port. */
  readonly meeting: MeetingConfig | undefined;
  /** Paths of the operator's PEM files. */
  readonly tlsFiles: { readonly certificate: string; readonly key: string } | undefined;
  readonly place: Place;
  readonly registration: "open" | "closed";
  /** Undefined: pretty on a terminal, else JSON. */
  readonly logStyle: LogStyle | undefined;
  /** Undefined: beside the database's file, and none with PostgreSQL; `off`: none. */
  readonly auditPath: string | undefined;
  /** Where the HTTP server with `/metrics` listens; undefined: there is none. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly limits: Limits;
};

export type AdminConfig = {
  readonly place: Place;
  /** As for the server; changes without a running server are recorded there. */
  readonly auditPath: string | undefined;
  /** Prints one JSON object per line. */
  readonly json: boolean;
  /** Does not ask before a deletion. */
  readonly yes: boolean;
  /** The file of the accounts to add. */
  readonly from: string | undefined;
  /** The PostgreSQL to which `move` moves the database. */
  readonly to: string | undefined;
  /** The command and its arguments. */
  readonly words: readonly string[];
};

export type Invocation =
  | { readonly name: "help" }
  | { readonly name: "version" }
  | { readonly name: "run"; readonly config: ServerConfig }
  | { readonly name: "adminHelp" }
  | { readonly name: "admin"; readonly config: AdminConfig };

/** @throws UsageError in `language`. */
export function readConfig(
  args: readonly string[],
  environment: Environment,
  language: Language,
): Invocation {
  const say: Say = (es, en) => new UsageError(language === "es" ? es : en);
  if (args[0] === "admin") return readAdminConfig(args.slice(1), environment, language, say);
  const { values, positionals } = readOptions(OPTIONS, args, environment, language);
  if (values.help === true) return { name: "help" };
  if (values.version === true) return { name: "version" };
  const [extra] = positionals;
  if (extra !== undefined) {
    if (extra === "help") return { name: "help" };
    const meant = nearestWord(extra, ["admin", "help"]);
    const [es, en] =
      meant === undefined ? ["", ""] : [`; ¿quiere decir ${meant}?`, `; did you mean ${meant}?`];
    throw say(
      `Argumento desconocido: «${quotedText(extra)}»${es}`,
      `Unknown argument: “${quotedText(extra)}”${en}`,
    );
  }
  const certificate = values["tls-cert"];
  const key = values["tls-key"];
  if ((certificate === undefined) !== (key === undefined)) {
    throw say("--tls-cert y --tls-key van juntos", "--tls-cert and --tls-key go together");
  }
  const port = values.port ?? 8080;
  const tlsPort = values["tls-port"] ?? 8443;
  const plainFrom = values["plain-from"] ?? "loopback";
  const metricsPort = values["metrics-port"];
  if (metricsPort === undefined && values["metrics-host"] !== undefined) {
    throw say("--metrics-host requiere --metrics-port", "--metrics-host needs --metrics-port");
  }
  const nameOf = (flag: string) => writtenAs(flag, args);
  const host = addressOf(nameOf("host"), values.host, say);
  const metricsHost = addressOf(nameOf("metrics-host"), values["metrics-host"], say) ?? "127.0.0.1";
  const meeting = meetingOf(values, nameOf, say);
  const place = readPlace(values, say);
  if (place.name === "cluster" && meeting?.hosts.length === 0) {
    throw say(
      "--shared requiere --meeting-host, con la dirección de este servidor, o --meeting-port off",
      "--shared needs --meeting-host, with the address of this server itself, or --meeting-port off",
    );
  }
  const ports = [
    { flag: "--port", host, port: plainFrom === "none" ? undefined : port },
    { flag: "--tls-port", host, port: tlsPort },
    { flag: "--meeting-port", host, port: meeting?.isAsked === true ? meeting.port : undefined },
    { flag: "--metrics-port", host: metricsHost, port: metricsPort },
  ];
  for (const [index, first] of ports.entries()) {
    const second = ports.slice(index + 1).find((other) => isSamePlace(first, other));
    if (second !== undefined)
      throw say(
        `${first.flag} y ${second.flag} tienen que ser distintos`,
        `${first.flag} and ${second.flag} must differ`,
      );
  }
  return {
    name: "run",
    config: {
      host,
      port,
      plainFrom,
      tlsPort,
      balancers: balancersOf(values["proxy-protocol"], plainFrom, nameOf, say),
      meeting,
      tlsFiles: certificate === undefined || key === undefined ? undefined : { certificate, key },
      place,
      registration: values.register ?? "open",
      logStyle: values.log,
      auditPath: values["audit-log"],
      metrics: metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort },
      limits: limitsOf(values, nameOf, say),
    },
  };
}

function readAdminConfig(
  args: readonly string[],
  environment: Environment,
  language: Language,
  say: Say,
): Invocation {
  const { values, positionals } = readOptions(ADMIN_OPTIONS, args, environment, language);
  if (values.version === true) return { name: "version" };
  if (values.help === true || positionals.length === 0 || isHelp(positionals)) return { name: "adminHelp" };
  return {
    name: "admin",
    config: {
      place: readPlace(values, say),
      auditPath: values["audit-log"],
      json: values.json === true,
      yes: values.yes === true,
      from: values.from,
      to: values.to === undefined ? undefined : readPostgresUrl("--to", values.to, say),
      words: positionals,
    },
  };
}

function isHelp([word, ...others]: readonly string[]): boolean {
  return word === "help" && others.length === 0;
}

/** The name by which an option was given: its flag or its variable. */
function writtenAs(flag: string, args: readonly string[]): string {
  const isFlag = args.some((arg) => arg === `--${flag}` || arg.startsWith(`--${flag}=`));
  return isFlag ? `--${flag}` : variableOf(flag);
}

function addressOf(shown: string, value: string | undefined, say: Say): string | undefined {
  if (value === undefined || isIP(value) !== 0) return value;
  if (normalHost(value) === "localhost") return "127.0.0.1";
  const meant = parseHostPort(withoutUrl(value))?.host;
  const [es, en] =
    meant === undefined || isIP(meant) === 0
      ? [", como 192.0.2.1 o ::1", ", such as 192.0.2.1 or ::1"]
      : [`; ¿quiere decir ${meant}?`, `; did you mean ${meant}?`];
  throw say(`${shown}: se esperaba una dirección IP${es}`, `${shown}: expected an IP address${en}`);
}

function balancersOf(
  text: string | undefined,
  plainFrom: PlainFrom,
  nameOf: (flag: string) => string,
  say: Say,
): BlockList | undefined {
  if (text === undefined) return undefined;
  if (plainFrom === "private" || plainFrom === "any") {
    throw say(
      "--proxy-protocol no va con --plain-from private ni any: en el puerto sin cifrar no se sabe quién llega",
      "--proxy-protocol does not go with --plain-from private or any: on the unencrypted port nobody says who comes",
    );
  }
  const list = new BlockList();
  for (const each of text.split(",")) {
    const [address = "", length, ...more] = each.split("/");
    const family = isIP(address);
    const bits = Number(length ?? (family === 4 ? 32 : 128));
    const isLength = length === undefined || /^\d{1,3}$/.test(length);
    if (family === 0 || !isLength || bits > (family === 4 ? 32 : 128) || more.length > 0) {
      throw say(
        `${nameOf("proxy-protocol")}: se esperaban direcciones o redes, como 10.0.0.0/8,2001:db8::7`,
        `${nameOf("proxy-protocol")}: expected addresses or networks, such as 10.0.0.0/8,2001:db8::7`,
      );
    }
    list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

const MEETING_PORT = 8444;

function meetingOf(
  values: OptionValues<typeof OPTIONS>,
  nameOf: (flag: string) => string,
  say: Say,
): MeetingConfig | undefined {
  const text = values["meeting-port"];
  if (text === "off") return undefined;
  if (text !== undefined && !(/^\d{1,5}$/.test(text) && Number(text) <= 65_535)) {
    throw say(
      `${nameOf("meeting-port")}: se esperaba un puerto de 0 a 65535, u off`,
      `${nameOf("meeting-port")}: expected a port from 0 to 65535, or off`,
    );
  }
  const hosts = values["meeting-host"]?.split(",") ?? [];
  const isOnePerFamily = new Set(hosts.map((host) => isIP(host))).size === hosts.length;
  if (hosts.some((host) => isIP(host) === 0) || !isOnePerFamily) {
    throw say(
      `${nameOf("meeting-host")}: se esperaba una dirección IPv4, una IPv6, o las dos separadas por una coma`,
      `${nameOf("meeting-host")}: expected an IPv4 address, an IPv6 address, or both with a comma between them`,
    );
  }
  const rate = values["relay-rate"];
  return {
    port: text === undefined ? MEETING_PORT : Number(text),
    isAsked: text !== undefined,
    hosts,
    relay: {
      pairs: values["relay-pairs"] ?? DEFAULT_RELAY_LIMITS.pairs,
      rate: rate === undefined ? DEFAULT_RELAY_LIMITS.rate : rate * MIB,
      bytesPerDay: values["relay-bytes-per-day"] ?? DEFAULT_RELAY_LIMITS.bytesPerDay,
    },
  };
}

/** Where one port is listened on. `host`: undefined for all addresses. */
type PortPlace = { readonly host: string | undefined; readonly port: number | undefined };

/** Whether two ports cannot both be open. */
function isSamePlace(one: PortPlace, other: PortPlace): boolean {
  if (one.port !== other.port || one.port === undefined || one.port === 0) return false;
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host);
}

/** Whether `wide` stands for all addresses of its kind, and `host` is one of them. */
function covers(wide: string | undefined, host: string | undefined): boolean {
  if (wide === undefined || wide === "::") return true;
  return wide === "0.0.0.0" && host !== undefined && isIPv4(host);
}

function limitsOf(
  values: OptionValues<typeof LIMIT_OPTIONS>,
  nameOf: (flag: string) => string,
  say: Say,
): Limits {
  const rate = (flag: keyof typeof LIMIT_OPTIONS & `${string}rate${string}`, otherwise: Rate): Rate => {
    const text = values[flag];
    if (text === undefined) return otherwise;
    const read = parseRate(text);
    if (read !== undefined) return read;
    throw say(
      `${nameOf(flag)}: se esperaba CUÁNTOS:N/UNIDAD, como 120:6/min (s, min o h), u off`,
      `${nameOf(flag)}: expected BURST:N/UNIT, such as 120:6/min (s, min or h), or off`,
    );
  };
  const byDefault = DEFAULT_LIMITS;
  return {
    connections: values["max-connections"] ?? byDefault.connections,
    connectionsPerAddress: values["max-connections-per-address"] ?? byDefault.connectionsPerAddress,
    anonymous: values["max-anonymous"] ?? byDefault.anonymous,
    waitingHashes: values["max-waiting-hashes"] ?? byDefault.waitingHashes,
    connectionRate: rate("connection-rate", byDefault.connectionRate),
    requestRate: rate("request-rate", byDefault.requestRate),
    registrationRate: rate("register-rate", byDefault.registrationRate),
    registrationRateTotal: rate("register-rate-total", byDefault.registrationRateTotal),
    loginRate: rate("login-rate", byDefault.loginRate),
    failureRate: rate("failure-rate", byDefault.failureRate),
    failureRatePerAddress: rate("failure-rate-per-address", byDefault.failureRatePerAddress),
    failureRatePerAccount: rate("failure-rate-per-account", byDefault.failureRatePerAccount),
    sessionRate: rate("session-rate", byDefault.sessionRate),
    lookupRate: rate("lookup-rate", byDefault.lookupRate),
    lookupRatePerAddress: rate("lookup-rate-per-address", byDefault.lookupRatePerAddress),
  };
}
