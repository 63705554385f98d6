/** What was tried to reach somebody, in sentences. */
import type { Tried } from "../../client/peer/attempts.ts";
import type { Result } from "../../client/sharing/requests.ts";
import { showHostPort } from "../../protocol/ip-address.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import type { Texts } from "../texts/texts.ts";
import { ageOf, localClockSeconds } from "./local-time.ts";

/** Codes of an attempt that was abandoned, since another one has succeeded. */
const GIVEN_UP: ReadonlySet<string> = new Set(["lost_race", "abandoned"]);

/** As of a network without IPv6. */
const NO_ROUTE: ReadonlySet<string> = new Set(["EHOSTUNREACH", "ENETUNREACH"]);

/** One sentence for each step; what was tried more than once, with the same result, is said once. @param user as people see the name */
export function triedSentences(tried: readonly Tried[], user: string, texts: Texts): string[] {
  const said = new Map(tried.toReversed().map((each) => [JSON.stringify({ ...each, ms: 0 }), each]));
  return [...said.values()].toReversed().map((each) => `${markOf(each)} ${sentenceOf(each, user, texts)}`);
}

type Link = NonNullable<Result<"link">["link"]>;

/** By which way somebody is reached, or that they do not answer on their link, and what is known of the link. @param user as people see the name */
export function reachedSentence(
  { way, address, since, round_trip }: Link,
  user: string,
  texts: Texts,
): string {
  const reached = {
    direct: texts.doctorReachedDirect,
    mapped: texts.doctorReachedDirect,
    punched: texts.doctorReachedThrough,
    relayed: texts.doctorReachedByServer,
  }[way];
  const sentence = round_trip === null ? texts.doctorSilent : reached;
  const facts = [
    ...(address === null ? [] : [texts.chatInfoAddress(user, address)]),
    ...(round_trip === null ? [] : [texts.chatInfoRoundTrip(Math.max(1, Math.round(round_trip)))]),
    ...(since === null ? [] : [texts.chatInfoSince(localClockSeconds(Date.parse(since)))]),
  ];
  return `${sentence(user)}${facts.length === 0 ? "" : ` (${facts.join("; ")})`}.`;
}

function markOf(tried: Tried): string {
  if (tried.way === "meeting" && tried.step === "go") return "·";
  const code = "code" in tried ? tried.code : undefined;
  if (code === undefined) return "✔";
  return GIVEN_UP.has(code) || NO_ROUTE.has(code) || code === "gone" ? "·" : "✘";
}

function sentenceOf(tried: Tried, user: string, texts: Texts): string {
  switch (tried.way) {
    case "lookup":
      return lookupSentence(tried, user, texts);
    case "direct": {
      const sentence = {
        lan: texts.triedNearby,
        direct: texts.triedDirect,
        mapped: texts.triedMapped,
        known: texts.triedKnown,
      }[tried.kind];
      return sentence(showHostPort(tried.ip, tried.port), resultOf(tried.code, texts), took(tried.ms));
    }
    case "punched":
      return texts.triedPunched(
        showHostPort(tried.ip, tried.port),
        resultOf(tried.code, texts),
        took(tried.ms),
      );
    case "reversed":
      return texts.triedReversed(user, tried.ip);
    case "relayed":
      return texts.triedRelayed;
    case "meeting":
      return meetingSentence(tried, texts);
    default:
      return tried satisfies never;
  }
}

function lookupSentence({ code, ms }: Extract<Tried, { way: "lookup" }>, user: string, texts: Texts): string {
  if (code === undefined) return texts.triedLookup(user, took(ms));
  const sentence = {
    offline: texts.triedOffline,
    no_server: texts.triedNoServer,
    server_limits: texts.triedServerLimits,
  }[code];
  return sentence(user);
}

function meetingSentence(tried: Extract<Tried, { way: "meeting" }>, texts: Texts): string {
  switch (tried.step) {
    case "seat":
      return texts.triedSeat(`IPv${tried.family}`, resultOf(tried.code, texts), took(tried.ms));
    case "go":
      return tried.ip === undefined
        ? texts.triedMetForRelay(`IPv${tried.family}`)
        : texts.triedMet(`IPv${tried.family}`, tried.rtt_ms);
    case "end":
      return endSentence(tried.code, texts);
    default:
      return tried satisfies never;
  }
}

function endSentence(code: string, texts: Texts): string {
  switch (code) {
    case "no_seat":
      return texts.triedNoSeat;
    case "alone":
      return texts.triedAlone;
    case "gone":
      return texts.triedGone;
    case "relay_full":
      return texts.triedRelayFull;
    case "not_proven":
      return texts.triedNotProven;
    default:
      return texts.triedNoWay;
  }
}

/** What an address has answered. */
function resultOf(code: string | undefined, texts: Texts): string {
  if (code === undefined) return texts.triedAnswers;
  if (GIVEN_UP.has(code)) return texts.triedGivenUp;
  if (NO_ROUTE.has(code)) return texts.triedNoRoute;
  if (code.startsWith("key_")) return texts.triedOtherKey;
  switch (code) {
    case "ECONNREFUSED":
      return texts.triedRefuses;
    case "timeout":
    case "ETIMEDOUT":
    // It was connected, and said nothing.
    case "handshake_timeout":
      return texts.triedSilent;
    case "closed_in_handshake":
    case "other_name":
    case "own_certificate":
    case "bad_certificate":
    case "not_authorized":
      return texts.triedStranger;
    default:
      return quotedText(code);
  }
}

function took(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : ageOf(ms);
}
