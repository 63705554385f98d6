/** Updates the chat after an event of the messenger. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { isSamePerson } from "../../identity/names.ts";
import { onCancelled, onChanged } from "./changes.ts";
import { advance } from "./delivery-tracking.ts";
import { onContact, onRequest } from "./consent.ts";
import { withFile, type FilesContext, type FilesStep } from "./files/tracked-files.ts";
import { onConnected, onDisconnected, onPresence, onUnreachable } from "./link.ts";
import type { ChatContext, ChatEffect, ChatEvent, ChatModel, ChatStep, Peer, WrittenText } from "./model.ts";
import {
  failure,
  isDiskNoticeDue,
  isPeerErrorDue,
  notice,
  peerName,
  printing,
  whyWaiting,
  withKeyWarning,
  withNotified,
} from "./notices.ts";
import { mutedText } from "./other-chats.ts";
import { showArrived, showWritten } from "./transcript.ts";
import { onVerification } from "./verification.ts";

function step(chat: ChatModel, ...effects: readonly ChatEffect[]): ChatStep {
  return { chat, effects };
}

function withPeer(chat: ChatModel, peer: Partial<Peer>): ChatModel {
  return { ...chat, peer: { ...chat.peer, ...peer } };
}

function onKeyPending(chat: ChatModel, isVerified: boolean, context: ChatContext): ChatStep {
  // On a link with the known key this is another machine of the peer, or an interceptor.
  if (chat.link.name === "connected") return withKeyWarning(chat, isVerified, context);
  return onUnreachable(chat, isVerified ? "verification_needed" : "key_pending", context);
}

/** A message of ours has a new state. A message written here is shown with its first event. */
function onDelivery(
  before: ChatModel,
  { id, state }: MessengerEvent & { name: "delivery" },
  written: WrittenText | undefined,
  context: ChatContext,
): ChatStep {
  const { chat, effects } = written === undefined ? step(before) : showWritten(before, id, written, context);
  // Whoever is written to is no stranger any more.
  const peer = chat.peer.state === "stranger" ? { ...chat.peer, state: "contact" as const } : chat.peer;
  return { chat: { ...chat, peer, deliveries: advance(chat.deliveries, id, state) }, effects };
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

export function filesContext(chat: ChatModel, context: ChatContext): FilesContext {
  const { now, texts } = context;
  return { now, texts, user: peerName(chat, context), why: whyWaiting(chat, context) };
}

export function withFiles(chat: ChatModel, { files, lines }: FilesStep): ChatStep {
  return printing({ ...chat, files }, lines);
}

/** The peer that an event is about; undefined: it is not about a peer. */
function personIn(event: MessengerEvent): string | undefined {
  if ("username" in event) return event.username;
  if ("to" in event) return event.to;
  if (event.name === "file") return event.file.peer;
  return "from" in event ? event.from : undefined;
}

/** Takes an event of the messenger; the application announces those of other people, of the server and of this machine. */
export function onMessenger(
  chat: ChatModel,
  { event, known = {} }: ChatEvent & { name: "messenger" },
  context: ChatContext,
): ChatStep {
  const { now, texts } = context;
  const person = personIn(event);
  if (person !== undefined && !isSamePerson(person, chat.peer.username)) return step(chat);
  switch (event.name) {
    case "message":
      return known.isShown === true ? step(chat) : showArrived(chat, event.message, known.excerpt, context);
    case "request":
      return onRequest(chat, event.count, known.fingerprint, context);
    case "held":
      if (chat.peer.holds) return step(chat);
      return printing(withPeer(chat, { holds: true }), [notice(texts.chatHeld(peerName(chat, context)))]);
    case "accepted":
      return printing(withPeer(chat, { holds: false }), [notice(texts.acceptedBy(peerName(chat, context)))]);
    case "contact":
      return onContact(chat, event.state, context);
    case "muted":
      return printing(chat, [notice(mutedText(event.until, chat, context))]);
    case "delivery":
      return onDelivery(chat, event, known.written, context);
    case "presence":
      return onPresence(chat, event.online);
    case "connected":
      return onConnected(chat, event.username, event, context);
    case "disconnected":
      return onDisconnected(chat, event.revoked === true);
    case "unreachable":
      return onUnreachable(chat, event.reason, context);
    case "keyPending":
      return onKeyPending(chat, event.isVerified, context);
    case "verification":
      return onVerification(chat, event, context);
    case "typing": {
      const { link } = chat;
      if (link.name !== "connected") return step(chat);
      return step({ ...chat, link: { ...link, peerTypingSince: event.active ? now : undefined } });
    }
    case "peerError":
      return onPeerError(chat, event.code, context);
    case "changed":
      return onChanged(chat, event, known.excerpt, context);
    case "cancelled":
      return onCancelled(chat, event.id, context);
    case "file":
      return withFiles(chat, withFile(chat.files, event.file, filesContext(chat, context)));
    case "silent": {
      const { link } = chat;
      if (link.name !== "connected") return step(chat);
      return step({ ...chat, link: { ...link, isSilent: event.since !== undefined } });
    }
    case "server":
    case "newKey":
    case "clockOffset":
    case "storageFailed":
    case "read":
    case "watched":
    case "profileHealth":
    case "refusal":
    case "wire":
      return step(chat);
    default:
      return event satisfies never;
  }
}
