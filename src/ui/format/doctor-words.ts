/** What `doctor` has found out, in sentences. */
import type { CheckLine, Hint, NatKind, Verdict } from "../../client/reach/doctor/report.ts";
import type { RelayUse } from "../../client/disk/schema.ts";
import { familyOf, showHostPort } from "../../protocol/ip-address.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import type { Texts } from "../texts/texts.ts";
import { ageOf, localClock, localDay } from "./local-time.ts";

const MARKS = { good: "✔", weak: "!", bad: "✘", unknown: "·" } as const;
/** Clocks that differ by less are right, in ms. */
const CLOCK_RIGHT = 2_000;

type Line<C extends CheckLine["check"]> = Extract<CheckLine, { check: C }>;

/**
 * A check and its evidence in one line.
 * @param problem describes why the server is not there. @param shown gives a name as people see it
 */
export function checkSentence(
  line: CheckLine,
  texts: Texts,
  problem: (error: object) => string,
  shown: (username: string) => string,
): string {
  return `${MARKS[line.state]} ${sentenceOf(line, texts, problem, shown)}`;
}

function sentenceOf(
  line: CheckLine,
  texts: Texts,
  problem: (error: object) => string,
  shown: (username: string) => string,
): string {
  switch (line.check) {
    case "server":
      return "error" in line ? texts.doctorNoServer(problem(line.error)) : serverSentence(line, texts);
    case "addresses": {
      const { addresses, gateways, vpn } = line;
      return [
        addresses.length === 0 ? texts.doctorNoAddress : texts.doctorAddresses(texts.list(addresses)),
        ...(gateways.length === 0 ? [] : [texts.doctorGateways(texts.list(gateways))]),
        ...(vpn.length === 0 ? [] : [texts.doctorVpn(texts.list(vpn))]),
      ].join(" ");
    }
    case "port":
      return line.state === "bad"
        ? texts.doctorNoCertificate
        : line.port === undefined
          ? texts.doctorNoPort
          : texts.doctorPort(line.port, line.command, line.pid);
    case "nat":
      return natSentence(line.kind, texts);
    case "router":
      return routerSentence(line, texts);
    case "dial_back":
      return dialledSentence(line, texts);
    case "local_network":
      return localSentence(line, texts, shown);
    default:
      return line satisfies never;
  }
}

function addressesOf(
  addresses: readonly { readonly ip: string; readonly port: number }[],
  texts: Texts,
): string {
  return texts.list(addresses.map(({ ip, port }) => showHostPort(ip, port)));
}

function serverSentence(line: Exclude<Line<"server">, { error: unknown }>, texts: Texts): string {
  const { ip, ms, observed, meeting } = line;
  const answering = meeting.filter(({ answers }) => answers).map(({ family }) => `IPv${family}`);
  const silent = line.has_meeting_port ? texts.doctorMeetingSilent : texts.doctorMeetingNone;
  const meets = answering.length === 0 ? silent : texts.doctorMeeting(texts.list(answering));
  const seen = texts.list(observed.map((each) => each.ip));
  return `${seen === "" ? texts.doctorOldServer(ip, ms) : texts.doctorServer(ip, ms, seen)} ${meets}`;
}

function natSentence(kind: NatKind, texts: Texts): string {
  return {
    none: texts.doctorNatNone,
    same: texts.doctorNatSame,
    varies: texts.doctorNatVaries,
    second: texts.doctorNatSecond,
    carrier: texts.doctorNatCarrier,
    unknown: texts.doctorNatUnknown,
  }[kind];
}

const WAYS = { pcp: "PCP", nat_pmp: "NAT-PMP", upnp: "UPnP" } as const;

function routerSentence({ asked, answers, state }: Line<"router">, texts: Texts): string {
  if (!asked) return texts.doctorRouterOff;
  if (answers.length === 0) return texts.doctorRouterNone;
  const opened = answers.find((answer) => "ip" in answer);
  if (opened !== undefined && "ip" in opened) {
    const [address, way] = [showHostPort(opened.ip, opened.port), WAYS[opened.way]];
    const minutes = Math.round(opened.lifetime / 60);
    return state === "good"
      ? texts.doctorRouterOpen(address, way, minutes)
      : texts.doctorRouterUseless(address, way);
  }
  const words = answers.flatMap((answer) =>
    "code" in answer
      ? [
          `${WAYS[answer.way]}${familyOf(answer.gateway) === 6 ? " (IPv6)" : ""}: ${wordOf(answer.code, texts)}`,
        ]
      : [],
  );
  return texts.doctorRouterClosed(words.join("; "));
}

function wordOf(code: string, texts: Texts): string {
  switch (code) {
    case "ECONNREFUSED":
      return texts.doctorWayOff;
    case "no_answer":
      return texts.doctorWaySilent;
    case "not_authorized":
    case "upnp_606":
      return texts.doctorWayForbidden;
    case "network_failure":
    case "upnp_501":
    case "no_outer_address":
      return texts.doctorWayNoAddress;
    case "no_resources":
      return texts.doctorWayUnable;
    default:
      return quotedText(code);
  }
}

function dialledSentence({ asked, results }: Line<"dial_back">, texts: Texts): string {
  if (!asked) return texts.doctorDialledNever;
  const open = results.filter((each) => each.open);
  if (open.length > 0) return texts.doctorDialled(addressesOf(open, texts));
  return results.length > 0 ? texts.doctorDialledInVain(addressesOf(results, texts)) : texts.doctorNotDialled;
}

function localSentence(
  { on, interfaces, heard }: Line<"local_network">,
  texts: Texts,
  shown: (username: string) => string,
): string {
  if (!on) return texts.doctorLanOff;
  const good = interfaces.filter(({ fault }) => fault === undefined).map(({ via }) => via);
  return [
    good.length === 0 ? texts.doctorLanNone : texts.doctorLan(texts.list(good)),
    ...interfaces.flatMap(({ via, fault }) =>
      fault === undefined ? [] : [texts.doctorLanFault(via, fault)],
    ),
    ...(heard.length === 0 ? [] : [texts.doctorHeard(texts.list(heard.map(shown)))]),
  ].join(" ");
}

/** By which way others reach this client. */
export function verdictSentence(verdict: Verdict, relay: RelayUse, texts: Texts): string {
  return {
    direct: texts.doctorDirect,
    punched: relay === "never" ? texts.doctorPunchedOnly : texts.doctorPunched,
    punched_ipv6: texts.doctorPunchedIPv6,
    relayed: relay === "only" ? texts.doctorRelayedOnly : texts.doctorRelayed,
    relay_empty: texts.doctorRelayEmpty,
    local: texts.doctorLocal,
    none: texts.doctorNone,
  }[verdict];
}

/** What else matters to whoever is reached. @param relayBytesLeft null: none is of use. @param certificateUntil ms since 1970 */
export function factsSentence(
  relay: RelayUse,
  relayBytesLeft: number | null,
  clockOffset: number | null,
  certificateUntil: number | undefined,
  texts: Texts,
): string {
  const clock = (offset: number) =>
    Math.abs(offset) < CLOCK_RIGHT ? texts.doctorClockRight : texts.doctorClockWrong(ageOf(Math.abs(offset)));
  return [
    ...(relay === "only" ? [texts.doctorRelayOnly] : []),
    ...(relay === "never" ? [texts.doctorRelayNever] : []),
    ...(relayBytesLeft === null || relay === "never"
      ? []
      : [
          relayBytesLeft === 0
            ? texts.doctorRelayNothing
            : texts.doctorRelayLeft(Math.floor(relayBytesLeft / 2 ** 20)),
        ]),
    ...(clockOffset === null ? [] : [clock(clockOffset)]),
    ...(certificateUntil === undefined
      ? []
      : [texts.doctorCertificate(localDay(certificateUntil), localClock(certificateUntil))]),
  ].join(" ");
}

/** @param port on which this client listens */
export function hintSentence(hint: Hint, port: number, texts: Texts): string {
  const what = {
    network: texts.hintNetwork,
    server: texts.hintServer,
    log_in: texts.hintLogIn,
    certificate: texts.hintCertificate,
    clock: texts.hintClock,
    meeting_port: texts.hintMeetingPort,
    no_meeting_port: texts.hintNoMeetingPort,
    vpn: texts.hintVpn,
    carrier: texts.hintCarrier,
    second_router: texts.hintSecondRouter,
    firewall: texts.hintFirewall(port),
    lan_on: texts.hintLanOn,
    upnp: texts.hintUpnp,
    upnp_or_ipv6: texts.hintUpnpOrIPv6,
    forward: texts.hintForward(port),
    relay_auto: texts.hintRelayAuto,
    relay_empty: texts.hintRelayEmpty,
  }[hint];
  return texts.doctorHelps(what);
}
