/** The chat with a person: its prompt, and its update after what it takes in its own way. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { isSamePerson } from "../../identity/names.ts";
import { ageOf } from "../format/local-time.ts";
import { stateMark } from "../format/message-format.ts";
import { conversationOf, shownName, type NameBook } from "../format/name-book.ts";
import { shownCode } from "../format/people-words.ts";
import type { LinePrompt } from "../line/line-prompt.ts";
import type { Texts } from "../texts/texts.ts";
import { onCancelled, onChanged } from "./changes.ts";
import { onContact, onDecided, onRequest } from "./consent.ts";
import { advance, NO_DELIVERIES, tellOfWait } from "./delivery-tracking.ts";
import {
  NO_FILES,
  progressMark,
  tickFiles,
  withFile,
  type FilesContext,
  type FilesStep,
} from "./files/tracked-files.ts";
import { linkLine, onConnected, onDisconnected, onPresence, onUnreachable, tellWay } from "./link.ts";
import type {
  ChatContext,
  ChatEffect,
  ChatEvent,
  ChatStep,
  Known,
  Peer,
  KindEvent,
  PersonChat,
  WrittenText,
} from "./model.ts";
import {
  failure,
  isDiskNoticeDue,
  isKeyAwaited,
  isPeerErrorDue,
  notice,
  peerName,
  printing,
  safetyLines,
  whyWaiting,
  withKeyWarning,
  withNotified,
} from "./notices.ts";
import { mutedText } from "./other-chats.ts";
import { showArrived, showOpened, showWritten } from "./transcript.ts";
import { onAnswered, onVerification } from "./verification.ts";

/** Time between two typing notifications to the peer, in ms. */
const TYPING_NOTIFIED_EVERY = 4_000;
/** Without further keys our typing ends this long after the last notification, in ms: 4 to 8 s after the last key. */
const OWN_TYPING_ENDS = 8_000;
/** The peer counts as typing for this long after their last notification, in ms. */
const PEER_TYPING_ENDS = 10_000;
/** A chat with a person that was just opened. @param username in the registered spelling, if known @param isStranger there was never a proven link */
export function openChat(username: string, isStranger = false): PersonChat {
  return {
    kind: "person",
    username,
    peer: { isStranger, isVerified: false, state: "stranger", holds: false },
    link: { name: "away", reason: undefined },
    deliveries: NO_DELIVERIES,
    transcript: { day: undefined, oldest: undefined, newest: 0, unseen: 0, seenAt: 0, listed: [] },
    notified: {
      peerDiskAt: undefined,
      peerErrorAt: undefined,
      keyAt: undefined,
      way: undefined,
      perhapsNobody: false,
      openingSince: undefined,
    },
    verifying: { name: "none" },
    files: NO_FILES,
    stayed: undefined,
    draft: { name: "settled", isStored: false },
    restoredAt: undefined,
  };
}

/**
 * The prompt: to whom one writes, whether they are verified, the state of our last message, how far their files are, what
 * waits in other chats, and whether they are typing; or the question whether they see the same code.
 * @param waiting unread messages in other chats
 */
export function personPrompt(
  { username, deliveries: { last }, files, link, peer, verifying }: PersonChat,
  names: NameBook,
  texts: Texts,
  waiting: number,
): LinePrompt {
  if (verifying.name === "comparing") {
    const name = texts.chatSameCode(shownCode(verifying.code));
    return { name, isAway: false, mark: "", waiting: 0, sign: "" };
  }
  const name = shownName(names, username);
  return {
    name: peer.isVerified ? `${name} ✔` : name,
    isAway: link.name !== "connected" || link.isSilent,
    mark: [last === undefined ? "" : stateMark(last.state, texts), progressMark(files, texts)]
      .join(" ")
      .trim(),
    waiting,
    sign: link.name === "connected" && link.peerTypingSince !== undefined ? texts.chatTyping : "",
  };
}

function step(chat: PersonChat, ...effects: readonly ChatEffect[]): ChatStep<PersonChat> {
  return { chat, effects };
}

function withPeer(chat: PersonChat, peer: Partial<Peer>): PersonChat {
  return { ...chat, peer: { ...chat.peer, ...peer } };
}

function onKeyPending(chat: PersonChat, isVerified: boolean, context: ChatContext): ChatStep<PersonChat> {
  // On a link with the known key this is another machine of the peer, or an interceptor.
  if (chat.link.name === "connected") return withKeyWarning(chat, isVerified, context);
  return onUnreachable(chat, isVerified ? "verification_needed" : "key_pending", context);
}

/** A message of ours has a new state. A message written here is shown with its first event. */
function onDelivery(
  before: PersonChat,
  { id, state }: MessengerEvent & { name: "delivery" },
  written: WrittenText | undefined,
  context: ChatContext,
): ChatStep<PersonChat> {
  const { chat, effects } = written === undefined ? step(before) : showWritten(before, id, written, context);
  // Whoever is written to is no stranger any more.
  const peer = chat.peer.state === "stranger" ? { ...chat.peer, state: "contact" as const } : chat.peer;
  return { chat: { ...chat, peer, deliveries: advance(chat.deliveries, id, state) }, effects };
}

function onMessage(chat: PersonChat, message: StoredMessage, known: Known, context: ChatContext) {
  if (known.isShown === true) return step(chat);
  const { link } = chat;
  const quiet = link.name === "connected" ? { ...chat, link: { ...link, peerTypingSince: undefined } } : chat;
  return showArrived(quiet, message, known.excerpt, context);
}

/** The peer has reported an error, which is printed only now and then: it comes as often as the peer likes. */
function onPeerError(chat: PersonChat, code: string, context: ChatContext): ChatStep<PersonChat> {
  const { texts, now } = context;
  const user = peerName(chat, context);
  if (code !== "storage_failed") {
    if (!isPeerErrorDue(chat.notified.peerErrorAt, now)) return step(chat);
    return printing(withNotified(chat, { peerErrorAt: now }), [failure(texts.peerToldError(user, code))]);
  }
  if (!isDiskNoticeDue(chat.notified.peerDiskAt, now)) return step(chat);
  return printing(withNotified(chat, { peerDiskAt: now }), [failure(texts.chatPeerDiskFull(user))]);
}

function filesContext(chat: PersonChat, context: ChatContext): FilesContext {
  const { now, texts } = context;
  return { now, texts, shown: () => peerName(chat, context), why: whyWaiting(chat, context) };
}

function withFiles(chat: PersonChat, { files, lines }: FilesStep): ChatStep<PersonChat> {
  return printing({ ...chat, files }, lines);
}

/** Takes an event of the messenger; the application announces those of other people, of the server and of this machine. */
function onMessenger(
  chat: PersonChat,
  { event, known = {} }: ChatEvent & { name: "messenger" },
  context: ChatContext,
): ChatStep<PersonChat> {
  const { now, texts } = context;
  const other = conversationOf(event);
  if (other !== undefined && !isSamePerson(other, chat.username)) return step(chat);
  switch (event.name) {
    case "message":
      return onMessage(chat, event.message, known, context);
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
    case "group":
    case "groupNotice":
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

/** No key is pending: the next one is reported at once. */
function withoutPendingKey(chat: PersonChat): PersonChat {
  return withNotified(chat, { keyAt: undefined });
}

function onKeyAnswer(
  chat: PersonChat,
  result: (ChatEvent & { name: "keyAccepted" })["result"],
  context: ChatContext,
): ChatStep<PersonChat> {
  const { texts } = context;
  const user = peerName(chat, context);
  switch (result) {
    case "accepted": {
      const { link } = chat;
      const isFree = link.name === "away" && isKeyAwaited(link.reason);
      const next = isFree ? { ...chat, link: { ...link, reason: undefined } } : chat;
      return printing(withoutPendingKey(next), [notice(texts.keyAccepted(user))]);
    }
    case "none":
      return printing(withoutPendingKey(chat), [notice(texts.noPendingKey(user))]);
    case "not_shown":
      return printing(chat, [notice(texts.chatNotShown(user))]);
    case "verification_needed":
      return printing(chat, [failure(texts.chatAcceptNeedsVerification(user))]);
    case "changed_again": {
      const { effects } = printing(chat, [failure(texts.keyChangedAgain(user))]);
      return { chat, effects: [...effects, { name: "showSafetyNumber" }] };
    }
    default:
      return result satisfies never;
  }
}

/** Ends our typing if the peer was notified of it. */
export function stopTyping(chat: PersonChat): ChatStep<PersonChat> {
  const { link } = chat;
  if (link.name !== "connected" || link.ownTypingSince === undefined) return { chat, effects: [] };
  const effects = [{ name: "typing", active: false } as const];
  return { chat: { ...chat, link: { ...link, ownTypingSince: undefined } }, effects };
}

/** Something is being typed: the peer is notified of it now and then. */
export function onTyped(chat: PersonChat, now: number): ChatStep<PersonChat> {
  const { link, verifying } = chat;
  if (link.name !== "connected" || verifying.name === "comparing") return { chat, effects: [] };
  const since = link.ownTypingSince;
  if (since !== undefined && Math.abs(now - since) < TYPING_NOTIFIED_EVERY) return { chat, effects: [] };
  const effects = [{ name: "typing", active: true } as const];
  return { chat: { ...chat, link: { ...link, ownTypingSince: now } }, effects };
}

/** Ends the typing of either side when it has timed out. */
function endTyping(chat: PersonChat, now: number): ChatStep<PersonChat> {
  const { link } = chat;
  if (link.name !== "connected") return { chat, effects: [] };
  const { ownTypingSince: own, peerTypingSince: peer } = link;
  const isQuiet = peer !== undefined && Math.abs(now - peer) >= PEER_TYPING_ENDS;
  const quiet = isQuiet ? { ...chat, link: { ...link, peerTypingSince: undefined } } : chat;
  const isIdle = own !== undefined && Math.abs(now - own) >= OWN_TYPING_ENDS;
  return isIdle ? stopTyping(quiet) : { chat: quiet, effects: [] };
}

/** What has lasted, or has ended with time. */
export function tickPerson(before: PersonChat, context: ChatContext): ChatStep<PersonChat> {
  const typing = endTyping(before, context.now);
  const waiting = tellOfWait(typing.chat, context);
  const { chat, effects } = printing(waiting.chat, waiting.lines);
  const way = tellWay(chat, context);
  const files = withFiles(way.chat, tickFiles(way.chat.files, filesContext(chat, context)));
  return { chat: files.chat, effects: [typing.effects, effects, way.effects, files.effects].flat() };
}

/** Takes an event that a chat with a person takes in its own way. */
export function updatePerson(chat: PersonChat, event: KindEvent, context: ChatContext): ChatStep<PersonChat> {
  switch (event.name) {
    case "opened":
      return showOpened(chat, event, context);
    case "messenger":
      return onMessenger(chat, event, context);
    case "linkInfo":
      return printing(chat, [linkLine(event, chat, context)]);
    case "safetyNumber":
      return printing(chat, safetyLines(chat, event.numbers, context));
    case "keyAccepted":
      return onKeyAnswer(chat, event.result, context);
    case "decided":
      return onDecided(chat, event);
    case "verificationTooSoon": {
      const sentence = context.texts.verificationTooSoon(ageOf(event.seconds * 1_000));
      return printing(chat, [notice(sentence)]);
    }
    case "verificationAnswered":
      return onAnswered(chat, context);
    case "verificationOff": {
      const { verificationOff, notVerified } = context.texts;
      const sentence = (event.wasVerified ? verificationOff : notVerified)(peerName(chat, context));
      return printing({ ...chat, peer: { ...chat.peer, isVerified: false } }, [notice(sentence)]);
    }
    default:
      // The others are answers to what only a chat with a group asks.
      return step(chat);
  }
}
