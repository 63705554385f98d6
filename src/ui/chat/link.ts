/** What a chat knows and says of its link: whether there is one, by which way, and why not. */
import type { ShownWay } from "../../client/conversation/shown-link.ts";
import type { UnreachableReason } from "../../client/peer/dial.ts";
import { describeUnreachable } from "../failures.ts";
import { localClockSeconds, localDay } from "../format/local-time.ts";
import type { Line } from "../format/printed-line.ts";
import { linksWithoutServer } from "../format/server-words.ts";
import type { Texts } from "../texts/texts.ts";
import type { ChatContext, ChatEvent, ChatLink, ChatStep, PersonChat, SaidWay } from "./model.ts";
import { isKeyAwaited, notice, peerName, printing, withKeyWarning, withNotified } from "./notices.ts";

/** A relayed link is said once it has lasted so long, in ms: a direct one may be about to replace it. */
const RELAYED_LASTS = 2_000;
/** So long where a direct one was said before: links come and go. */
const RELAYED_AGAIN_LASTS = 60_000;

function away(chat: PersonChat, reason: UnreachableReason | undefined): PersonChat {
  return { ...chat, link: { name: "away", reason } };
}

/** No link is left. */
export function onDisconnected(chat: PersonChat, isRevoked: boolean): ChatStep<PersonChat> {
  return { chat: away(chat, isRevoked ? "revoked" : undefined), effects: [] };
}

/** The server has reported the peer's presence, which matters only while there is no link. */
export function onPresence(chat: PersonChat, online: boolean): ChatStep<PersonChat> {
  const { link } = chat;
  if (link.name === "connected" || (online && link.reason !== "offline")) return { chat, effects: [] };
  return { chat: away(chat, online ? undefined : "offline"), effects: [] };
}

/** There is a link, or it goes by another way. */
export function onConnected(
  before: PersonChat,
  username: string,
  shown: ShownWay,
  context: ChatContext,
): ChatStep<PersonChat> {
  const { link } = before;
  const way = said(shown);
  const isSame = link.name === "connected" && link.way === way;
  const typing = link.name === "connected" ? link : { peerTypingSince: undefined, ownTypingSince: undefined };
  const connected: ChatLink = {
    ...typing,
    name: "connected",
    isSilent: false,
    way,
    waySince: isSame ? link.waySince : context.now,
  };
  // The link gives the registered spelling.
  const peer = { ...before.peer, isStranger: false };
  return tellWay({ ...before, username, peer, link: connected }, context);
}

export function onUnreachable(
  before: PersonChat,
  reason: UnreachableReason,
  context: ChatContext,
): ChatStep<PersonChat> {
  const chat = away(before, reason);
  if (isKeyAwaited(reason)) return withKeyWarning(chat, reason === "verification_needed", context);
  const { deliveries, notified, peer } = chat;
  // The server answers the same where nobody has the name: one that was just typed may be misspelt.
  const isNew = peer.isStranger && deliveries.last === undefined;
  if (reason !== "offline" || !isNew || notified.perhapsNobody) return { chat, effects: [] };
  const { chatOpenedNobody, chatPerhapsNobody } = context.texts;
  const sentence = notified.openingSince === undefined ? chatPerhapsNobody : chatOpenedNobody;
  const told = withNotified(chat, { perhapsNobody: true, openingSince: undefined });
  return printing(told, [notice(sentence(peerName(chat, context)))]);
}

/** What is said of a way. Where only this side knows of a router, only this side speaks of it. */
function said({ way, seeksDirect }: ShownWay): SaidWay {
  switch (way) {
    case "direct":
      return "direct";
    case "mapped":
    case "punched":
      return "router";
    case "relayed":
      return seeksDirect ? "relayedForNow" : "relayed";
    default:
      return way satisfies never;
  }
}

function isRelayed(way: SaidWay): boolean {
  return way === "relayed" || way === "relayedForNow";
}

function wayText(way: SaidWay, texts: Texts): string {
  const {
    wayDirect: direct,
    wayRouter: router,
    wayRelayed: relayed,
    wayRelayedForNow: relayedForNow,
  } = texts;
  return { direct, router, relayed, relayedForNow }[way];
}

/** Says by which way they are connected, if that is news and lasts. To be called on each tick, too. */
export function tellWay(chat: PersonChat, context: ChatContext): ChatStep<PersonChat> {
  const { link, notified } = chat;
  if (link.name !== "connected") return { chat, effects: [] };
  const { way: before } = notified;
  const isByServer = isRelayed(link.way);
  // By which direct way, and whether one is looked for, is told by `/info`.
  if (before !== undefined && isRelayed(before) === isByServer) return { chat, effects: [] };
  const lasts = !isByServer ? 0 : before === undefined ? RELAYED_LASTS : RELAYED_AGAIN_LASTS;
  const { now, texts } = context;
  // The clock may have been set back.
  if (Math.abs(now - link.waySince) < lasts) return { chat, effects: [] };
  const sentence = before === undefined ? texts.chatConnected : texts.chatConnectedNow;
  const line = notice(sentence(peerName(chat, context), wayText(link.way, texts)));
  return printing(withNotified(chat, { way: link.way }), [line]);
}

/** The answer of `/info` without a number: how they are connected, and what they are told of where we are. */
export function linkLine(
  { link, told, hasServer, linksUntil }: ChatEvent & { readonly name: "linkInfo" },
  chat: PersonChat,
  context: ChatContext,
): Line {
  const { names, texts } = context;
  const user = peerName(chat, context);
  const rows: string[] = [];
  if (link === undefined) {
    const reason = chat.link.name === "away" ? chat.link.reason : undefined;
    const why = reason === undefined ? "" : describeUnreachable(reason, chat.username, names, texts).sentence;
    rows.push(`${texts.chatInfoNoLink(user)} ${why}`.trimEnd());
  } else {
    const { address, roundTrip } = link;
    const since = `${localDay(link.since)} ${localClockSeconds(link.since)}`;
    rows.push(
      texts.chatConnected(user, wayText(said(link), texts)),
      texts.chatInfoSince(since),
      address === undefined ? texts.chatInfoNoAddress : texts.chatInfoAddress(user, address),
      roundTrip === undefined
        ? texts.chatInfoNoAnswer
        : texts.chatInfoRoundTrip(Math.max(1, Math.round(roundTrip))),
    );
  }
  if (told !== undefined) {
    const { everyone, nearby } = told;
    const isNobody = everyone.length + nearby.length === 0;
    if (isNobody) rows.push(texts.chatInfoToldNobody);
    if (everyone.length > 0) rows.push(texts.chatInfoTold(user, texts.list([...everyone])));
    if (nearby.length > 0) rows.push(texts.chatInfoToldNearby(user, texts.list([...nearby])));
  }
  if (!hasServer)
    rows.push(`${texts.chatInfoNoServer} ${linksWithoutServer(linksUntil, context.now, texts)}`);
  return notice(rows.join("\n"));
}
