/**
 * From what was found out about this machine's networks to what a person is told: one line for each check, by which way
 * others reach this client, and the one thing that would help. Pure, and plain data throughout: it is printed as JSON.
 */
import type { JsonObject } from "../../../protocol/framing.ts";
import { familyOf, isPrivate, type Family } from "../../../protocol/ip-address.ts";
import type { RelayUse } from "../../disk/schema.ts";

type Address = { readonly ip: string; readonly port: number };

/** `via`: the interface, or its address. `fault`: the code of why nothing is heard or sent there. */
type BeaconInterface = { readonly via: string; readonly fault?: string | undefined };

/** What a gateway said when it was asked to open a port. */
type RouterAnswer = { readonly way: "pcp" | "nat_pmp" | "upnp"; readonly gateway: string } & (
  | (Address & { readonly lifetime: number })
  /** Why it has opened none. */
  | { readonly code: string }
);

type ServerEvidence =
  | { readonly error: JsonObject }
  | {
      readonly ip: string;
      /** Until the TLS handshake was done, in ms. */
      readonly ms: number;
      /** Where it sees this client. */
      readonly observed: readonly Address[];
      readonly has_meeting_port: boolean;
      readonly meeting: readonly { readonly family: Family; readonly answers: boolean }[];
    };

/** What was found out. Times in ms, or in ms since 1970. */
export type Evidence = {
  readonly server: ServerEvidence;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  /** Interfaces that look like those of a VPN. */
  readonly vpn: readonly string[];
  /** Who listens for peers; at no port where only the relay is used. */
  readonly listener: { readonly port?: number; readonly command: string; readonly pid: number };
  readonly relay: RelayUse;
  /** Whether the NAT of IPv4 gives each connection the same port outside; undefined: not known. */
  readonly mapping: "same" | "varies" | undefined;
  /** Undefined: no router was asked, since the person does not want it. */
  readonly router: { readonly answers: readonly RouterAnswer[]; readonly isOpen: boolean } | undefined;
  /** Where the server has dialled the peer port; undefined: not known. */
  readonly checked: readonly (Address & { readonly open: boolean })[] | undefined;
  /** Undefined: it is off. */
  readonly localNetwork:
    | {
        readonly interfaces: readonly BeaconInterface[];
        /** Names of the contacts who are there. */
        readonly heard: readonly string[];
      }
    | undefined;
  /** Whether others may reach this client: its certificate is good. */
  readonly isCertified: boolean;
  readonly certificateUntil: number | undefined;
  readonly relayBytesLeft: number | undefined;
  /** The server's clock minus ours. */
  readonly clockOffset: number | undefined;
};

/** `weak`: others reach this client nevertheless. `unknown`: it was not looked at, or does not matter. */
type CheckState = "good" | "weak" | "bad" | "unknown";

type Check =
  | ({ readonly check: "server" } & ServerEvidence)
  | ({ readonly check: "addresses" } & Pick<Evidence, "addresses" | "gateways" | "vpn">)
  | ({ readonly check: "port" } & Evidence["listener"])
  | { readonly check: "nat"; readonly kind: NatKind }
  | { readonly check: "router"; readonly asked: boolean; readonly answers: readonly RouterAnswer[] }
  | {
      readonly check: "dial_back";
      readonly asked: boolean;
      readonly results: NonNullable<Evidence["checked"]>;
    }
  | {
      readonly check: "local_network";
      readonly on: boolean;
      readonly interfaces: readonly BeaconInterface[];
      readonly heard: readonly string[];
    };

/** `second`: the router is behind another one, or behind a carrier's. */
export type NatKind = "none" | "same" | "varies" | "second" | "carrier" | "unknown";
export type CheckLine = Check & { readonly state: CheckState };

/** By which way others reach this client. */
export type Verdict =
  | "direct"
  | "punched"
  /** Only those who have IPv6 can punch. */
  | "punched_ipv6"
  | "relayed"
  /** No other way is left, and it passes nothing on, or little: today's share is used up, or the server relays nothing. */
  | "relay_empty"
  /** Only contacts on the local network. */
  | "local"
  | "none";

/** What would help. */
export type Hint =
  | "network"
  | "server"
  | "log_in"
  | "certificate"
  | "clock"
  /** It does not answer. */
  | "meeting_port"
  | "no_meeting_port"
  | "vpn"
  | "carrier"
  | "second_router"
  | "firewall"
  | "lan_on"
  | "upnp"
  | "upnp_or_ipv6"
  | "forward"
  | "relay_auto"
  | "relay_empty";

export type Report = {
  readonly checks: readonly CheckLine[];
  readonly verdict: Verdict;
  /** The check that is the worst, or `clock`; absent: there is nothing to do. */
  readonly worst?: CheckLine["check"] | "clock" | "relay";
  readonly hint?: Hint;
};

/** Clocks may differ by this much, in ms (PROTOCOL 4). */
const CLOCK_TOLERANCE = 300_000;

/** Answers of a router that has no public address itself (measured with miniupnpd; RFC 6886, 3.5; RFC 6887, 7.4). */
const NO_PUBLIC_ADDRESS: ReadonlySet<string> = new Set(["network_failure", "upnp_501", "no_outer_address"]);
/** A router that does not answer in a way does not know it, or it is switched off. */
const NO_ANSWER: ReadonlySet<string> = new Set(["no_answer", "ECONNREFUSED", "no_service", "no_address"]);

function isCarriers(ip: string): boolean {
  return ip.startsWith("100.") && isPrivate(ip);
}

/** The kind of the NAT between this machine and the server. */
function natKind({ server, addresses, mapping, router }: Evidence): NatKind {
  const observed = "error" in server ? [] : server.observed.map(({ ip }) => ip);
  if (observed.some((ip) => addresses.includes(ip) && familyOf(ip) === 4)) return "none";
  const answers = router?.answers ?? [];
  const outer = answers.flatMap((answer) => ("ip" in answer && familyOf(answer.ip) === 4 ? [answer.ip] : []));
  if ([...outer, ...addresses].some(isCarriers)) return "carrier";
  const isBehindAnother = (ip: string) => isPrivate(ip) || (observed.length > 0 && !observed.includes(ip));
  const hasNone = answers.some((answer) => "code" in answer && NO_PUBLIC_ADDRESS.has(answer.code));
  return hasNone || outer.some(isBehindAnother) ? "second" : (mapping ?? "unknown");
}

/** Whether people can meet at the server. */
function canMeet({ server }: Evidence): boolean {
  return !("error" in server) && server.meeting.some(({ answers }) => answers);
}

function verdictOf(evidence: Evidence): Verdict {
  const { server, checked, router, localNetwork, isCertified, mapping, relay, relayBytesLeft } = evidence;
  if (!isCertified) return "none";
  const local = (localNetwork?.heard.length ?? 0) > 0 ? "local" : "none";
  if ("error" in server) return local;
  // Until the server has dialled it, the router is believed.
  const isBelieved = (answer: RouterAnswer) =>
    "ip" in answer && !checked?.some(({ ip, port }) => ip === answer.ip && port === answer.port);
  const isOpen =
    checked?.some(({ open }) => open) === true ||
    (router?.isOpen === true && router.answers.some(isBelieved));
  if (isOpen) return "direct";
  if (!canMeet(evidence)) return local;
  if (relay !== "only") {
    if (mapping !== "varies") return "punched";
    const hasIPv6 = server.meeting.some(({ family, answers }) => family === 6 && answers);
    if (hasIPv6 && server.observed.some(({ ip }) => familyOf(ip) === 6)) return "punched_ipv6";
  }
  if (relay === "never") return local;
  if (relayBytesLeft !== 0) return "relayed";
  return local === "local" ? local : "relay_empty";
}

function hintOf(evidence: Evidence, verdict: Verdict, kind: NatKind): Pick<Report, "worst" | "hint"> {
  const {
    server,
    addresses,
    vpn,
    router,
    relay,
    checked,
    isCertified,
    clockOffset = 0,
    relayBytesLeft,
  } = evidence;
  const hint = (worst: Report["worst"], hint: Hint) => ({ ...(worst && { worst }), hint });
  if ("error" in server) {
    if (addresses.length === 0) return hint("addresses", "network");
    const { kind: what, code } = server.error;
    if (what === "password") return hint("server", "log_in");
    // What else the server says has its remedy in its sentence.
    return code === "server_unreachable" || code === "server_timeout"
      ? hint("server", "server")
      : { worst: "server" };
  }
  if (Math.abs(clockOffset) > CLOCK_TOLERANCE) return hint("clock", "clock");
  if (!isCertified) return hint("port", "certificate");
  if (verdict === "direct") return {};
  if (!canMeet(evidence)) return hint("server", server.has_meeting_port ? "meeting_port" : "no_meeting_port");
  const isRelayEmpty = relayBytesLeft === 0;
  if (isRelayEmpty && relay !== "never" && verdict !== "punched") return hint("relay", "relay_empty");
  if (relay === "only") return {};
  if (!isRelayEmpty && relay === "never" && verdict !== "punched") return hint("relay", "relay_auto");
  if (vpn.length > 0) return hint("addresses", "vpn");
  if (kind === "carrier") return hint("nat", "carrier");
  if (kind === "second") return hint("nat", "second_router");
  if (kind === "none" || router?.isOpen === true)
    return checked === undefined ? {} : hint("dial_back", "firewall");
  if (router === undefined) return hint("router", "lan_on");
  const isSilent = router.answers.every((answer) => "code" in answer && NO_ANSWER.has(answer.code));
  if (!isSilent) return hint("router", "forward");
  return hint("router", verdict === "relayed" ? "upnp_or_ipv6" : "upnp");
}

/** What a person is told. */
export function reportOf(evidence: Evidence): Report {
  const { server, addresses, gateways, vpn, listener, relay, router, checked, localNetwork, isCertified } =
    evidence;
  const verdict = verdictOf(evidence);
  const kind = natKind(evidence);
  const advice = hintOf(evidence, verdict, kind);
  const isDirect = verdict === "direct";
  const hasWay = verdict !== "none" && verdict !== "local" && verdict !== "relay_empty";
  /** @param isGood undefined: it is not known, or does not matter */
  const line = (isGood: boolean | undefined, check: Check): CheckLine => {
    if (isGood === undefined) return { ...check, state: "unknown" };
    return { ...check, state: isGood ? "good" : hasWay ? "weak" : "bad" };
  };
  const { answers = [] } = router ?? {};
  const isEasy = kind === "none" || kind === "same";
  const { interfaces = [], heard = [] } = localNetwork ?? {};
  return {
    checks: [
      line(canMeet(evidence), { check: "server", ...server }),
      line(addresses.length > 0 && (isDirect || vpn.length === 0), {
        check: "addresses",
        addresses,
        gateways,
        vpn,
      }),
      line(isCertified && relay === "only" ? undefined : isCertified, { check: "port", ...listener }),
      line(isEasy || (isDirect || kind === "unknown" ? undefined : false), { check: "nat", kind }),
      line(router?.isOpen === true || (isDirect || answers.length === 0 ? undefined : false), {
        check: "router",
        asked: router !== undefined,
        answers,
      }),
      line(
        checked?.some(({ open }) => open),
        { check: "dial_back", asked: relay !== "only", results: checked ?? [] },
      ),
      line(localNetwork && interfaces.some(({ fault }) => fault === undefined), {
        check: "local_network",
        on: localNetwork !== undefined,
        interfaces,
        heard,
      }),
    ],
    verdict,
    ...advice,
  };
}
