/** Updates the chat after an event of the messenger. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { RefusedError } from "../../client/errors.ts";
import { isSamePerson } from "../../identity/names.ts";
import { isCode, sentenceFor } from "../../protocol/codes.ts";
import { clockWarning, isLimiting, nextAttempt, withoutServer } from "../format/server-words.ts";
import { onCancelled, onChanged } from "./changes.ts";
import { advance } from "./delivery-tracking.ts";
import { linkTo } from "./link-lines.ts";
import type {
  ChatContext,
  ChatEffect,
  ChatEvent,
  ChatLink,
  ChatModel,
  ChatStep,
  Presence,
  ServerPresence,
  WrittenText,
} from "./model.ts";
import {
  failure,
  isDiskNoticeDue,
  isKeyNoticeDue,
  isPeerErrorDue,
  notice,
  peerName,
  printing,
  storageSentence,
  withNotified,
} from "./notices.ts";
import { showArrived, showWritten } from "./transcript.ts";

const CONNECTED: ChatLink = {
  name: "connected",
  isSilent: false,
  peerTypingSince: undefined,
  ownTypingSince: undefined,
};

function step(chat: ChatModel, ...effects: readonly ChatEffect[]): ChatStep {
  return { chat, effects };
}

function withPresence(chat: ChatModel, presence: Partial<Presence>): ChatModel {
  return { ...chat, presence: { ...chat.presence, ...presence } };
}

/** The server has reported the peer's presence. This changes the link's state only if there is no link. */
function onPresence(before: ChatModel, online: boolean, context: ChatContext): ChatStep {
  const { link, presence } = before;
  const since = presence.server.name === "offline" ? presence.server.since : context.now;
  const server: ServerPresence = online ? { name: "online" } : { name: "offline", since };
  const chat = withPresence(before, { server });
  if (link.name === "connected") return step(chat);
  if (!online) return linkTo(chat, { name: "unreachable", reason: "offline" }, context);
  const wasOffline = link.name === "unreachable" && link.reason === "offline";
  return wasOffline ? linkTo(chat, { name: "connecting" }, context) : step(chat);
}

function onConnected(before: ChatModel, username: string, context: ChatContext): ChatStep {
  const { link, presence } = before;
  // The server's «offline» is older than the link.
  const server: ServerPresence = presence.server.name === "offline" ? { name: "unknown" } : presence.server;
  const chat = {
    ...withPresence(before, { server, lastAnswerAt: context.now, notified: { name: "none" } }),
    // The link gives the registered spelling.
    peer: { ...before.peer, username, isStranger: false },
  };
  if (link.name === "connected") return step({ ...chat, link: { ...link, isSilent: false } });
  return linkTo(chat, CONNECTED, context);
}

/** If the server had reported the peer offline before the link ended, that is printed now, too. */
function onDisconnected(
  before: ChatModel,
  { bye, revoked, heardAt }: MessengerEvent & { name: "disconnected" },
  context: ChatContext,
): ChatStep {
  const heard = withPresence(before, { lastAnswerAt: heardAt });
  const link: ChatLink =
    revoked === true ? { name: "unreachable", reason: "revoked" } : { name: bye ? "left" : "lost" };
  const { chat, effects } = linkTo(heard, link, context);
  if (chat.presence.server.name !== "offline") return { chat, effects };
  const offline = linkTo(chat, { name: "unreachable", reason: "offline" }, context);
  return { chat: offline.chat, effects: [...effects, ...offline.effects] };
}

/** The silence is reported on the next tick, since its end may also mean that the link is gone. */
function onSilent({ link, ...rest }: ChatModel, since: number | undefined): ChatModel {
  const next = link.name === "connected" ? { ...link, isSilent: since !== undefined } : link;
  const chat = { ...rest, link: next };
  return since === undefined ? chat : withPresence(chat, { lastAnswerAt: since });
}

function onUnreachable(
  before: ChatModel,
  { reason, heardAt, retryIn }: MessengerEvent & { name: "unreachable" },
  context: ChatContext,
): ChatStep {
  const isKeyPending =
    before.peer.isKeyPending || reason === "key_pending" || reason === "verification_needed";
  const chat = withPresence({ ...before, peer: { ...before.peer, isKeyPending } }, { lastAnswerAt: heardAt });
  const retry = retryIn === undefined ? {} : { retryIn };
  return linkTo(chat, { name: "unreachable", reason, ...retry }, context);
}

function onKeyPending(
  before: ChatModel,
  { isVerified }: MessengerEvent & { name: "keyPending" },
  context: ChatContext,
): ChatStep {
  const { texts } = context;
  const chat = { ...before, peer: { ...before.peer, isKeyPending: true } };
  if (before.link.name !== "connected") {
    const reason = isVerified ? "verification_needed" : "key_pending";
    return linkTo(chat, { name: "unreachable", reason }, context);
  }
  // There is a link with the known key, so this is another machine of the peer, or an interceptor.
  if (before.peer.isKeyPending || !isKeyNoticeDue(before.notified.keyAt, context.now)) return step(chat);
  const sentence = isVerified ? texts.chatNotVerified : texts.chatKeyPending;
  const line = failure(sentence(peerName(chat, context)));
  return printing(withNotified(chat, { keyAt: context.now }), [line]);
}

/** A message of ours has a new state. A message written here is shown with its first event. */
function onDelivery(
  before: ChatModel,
  { id, state }: MessengerEvent & { name: "delivery" },
  written: WrittenText | undefined,
  context: ChatContext,
): ChatStep {
  const { chat, effects } = written === undefined ? step(before) : showWritten(before, id, written, context);
  return { chat: { ...chat, deliveries: advance(chat.deliveries, id, state) }, effects };
}

function onServer(
  before: ChatModel,
  { state, linksUntil }: MessengerEvent & { name: "server" },
  { texts, language, now }: ChatContext,
): ChatStep {
  const chat = withPresence(before, { server: { name: "unknown" } });
  const { server: notified } = before.notified;
  switch (state.name) {
    case "waiting": {
      const limits = isLimiting(state);
      if (notified === "limited" || (notified === "lost" && !limits)) return step(chat);
      const what = limits
        ? `${texts.serverLimits} ${nextAttempt(state, now, texts)}`.trimEnd()
        : texts.chatServerLost;
      const line = notice(`${what} ${withoutServer(linksUntil, now, texts)}`);
      return printing(withNotified(chat, { server: limits ? "limited" : "lost" }), [line]);
    }
    case "online":
      if (notified === "no") return step(before);
      return printing(withNotified(chat, { server: "no" }), [notice(texts.serverBack)]);
    case "stopped": {
      // Each process that takes the account tries the session again.
      if (notified === "stopped") return step(chat);
      const { why } = state;
      const reason =
        why instanceof RefusedError && isCode(why.code) ? `${sentenceFor(why.code, language)}. ` : "";
      const line = failure(reason + texts.chatServerStopped);
      return printing(withNotified(chat, { server: "stopped" }), [line]);
    }
    case "offline":
    case "connecting":
      return step(before);
    default:
      return state satisfies never;
  }
}

/** The peer has reported an error, which is printed only now and then: it comes as often as the peer likes. */
function onPeerError(chat: ChatModel, code: string, context: ChatContext): ChatStep {
  const { texts, now } = context;
  const user = peerName(chat, context);
  if (code !== "storage_failed") {
    if (!isPeerErrorDue(chat.notified.peerErrorAt, now)) return step(chat);
    return printing(withNotified(chat, { peerErrorAt: now }), [failure(texts.peerToldError(user, code))]);
  }
  if (!isDiskNoticeDue(chat.notified.peerDiskAt, now)) return step(chat);
  return printing(withNotified(chat, { peerDiskAt: now }), [failure(texts.chatPeerDiskFull(user))]);
}

/** The peer that an event is about; undefined: it is not about a peer. */
function personIn(event: MessengerEvent): string | undefined {
  if ("username" in event) return event.username;
  if ("to" in event) return event.to;
  return "from" in event ? event.from : undefined;
}

/** Takes an event of the messenger; events of other people are ignored, since the application announces them. */
export function onMessenger(
  chat: ChatModel,
  { event, known = {} }: ChatEvent & { name: "messenger" },
  context: ChatContext,
): ChatStep {
  const { texts, now } = context;
  const person = personIn(event);
  if (person !== undefined && !isSamePerson(person, chat.peer.username)) return step(chat);
  switch (event.name) {
    case "message":
      return known.isShown === true ? step(chat) : showArrived(chat, event.message, known.excerpt, context);
    case "delivery":
      return onDelivery(chat, event, known.written, context);
    case "presence":
      return onPresence(chat, event.online, context);
    case "connected":
      return onConnected(chat, event.username, context);
    case "disconnected":
      return onDisconnected(chat, event, context);
    case "unreachable":
      return onUnreachable(chat, event, context);
    case "keyPending":
      return onKeyPending(chat, event, context);
    case "typing": {
      const { link } = chat;
      if (link.name !== "connected") return step(chat);
      return step({ ...chat, link: { ...link, peerTypingSince: event.active ? now : undefined } });
    }
    case "peerError":
      return onPeerError(chat, event.code, context);
    case "storageFailed": {
      if (!isDiskNoticeDue(chat.notified.diskAt, now)) return step(chat);
      return printing(withNotified(chat, { diskAt: now }), [failure(storageSentence(event.error, texts))]);
    }
    case "clockOffset": {
      const warning = clockWarning(event.offset, texts);
      return printing(chat, warning === undefined ? [] : [notice(warning)]);
    }
    case "newKey":
      return printing(chat, [notice(texts.newKeyWarning)]);
    case "server":
      return onServer(chat, event, context);
    case "changed":
      return onChanged(chat, event, known.excerpt, context);
    case "cancelled":
      return onCancelled(chat, event.id, context);
    case "silent":
      return step(onSilent(chat, event.since));
    case "read":
    case "watched":
    case "verification":
    case "profileHealth":
    case "refusal":
    case "wire":
      return step(chat);
    default:
      return event satisfies never;
  }
}
