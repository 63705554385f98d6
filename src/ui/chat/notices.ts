/** The notices of a chat as lines to be printed. */
import { FileMovedError, isDamage, isLowDisk } from "../../client/errors.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { describeUnreachable } from "../failures.ts";
import type { Texts } from "../texts/texts.ts";
import type {
  ChatContext,
  ChatEvent,
  ChatLink,
  ChatModel,
  ChatStep,
  Notified,
  Overflow,
  PendingDelivery,
} from "./model.ts";
import type { Line } from "../format/printed-line.ts";
import { ageOf } from "../format/local-time.ts";
import { shownName } from "../format/name-book.ts";

/** Names that `/users` lists; the others are counted. */
const MAX_NAMES_LISTED = 100;
/** Up to this many messages of one tick get a line each; more get one line with their number. */
const MAX_SINGLE_LINES = 3;

export function notice(text: string): Line {
  return { name: "notice", text };
}

export function failure(text: string): Line {
  return { name: "failure", text };
}

/** A step that prints lines, if there are any. */
export function printing(chat: ChatModel, lines: readonly Line[]): ChatStep {
  return { chat, effects: lines.length === 0 ? [] : [{ name: "print", lines }] };
}

export function withNotified(chat: ChatModel, notified: Partial<Notified>): ChatModel {
  return { ...chat, notified: { ...chat.notified, ...notified } };
}

/** Whether a notice may be repeated after `interval` ms. @param lastAt of the last one, ms since 1970; undefined: none */
function isDueAfter(interval: number): (lastAt: number | undefined, now: number) => boolean {
  // The clock may have been set back.
  return (lastAt, now) => lastAt === undefined || Math.abs(now - lastAt) >= interval;
}

/** Notices about the same full disk. */
export const isDiskNoticeDue = isDueAfter(60_000);
/** Warnings about new keys of the peer. */
export const isKeyNoticeDue = isDueAfter(3_600_000);
/** Other errors that a peer reports. */
export const isPeerErrorDue = isDueAfter(60_000);

/** The sentence about a failure of storage. */
export function storageSentence(error: Error, texts: Texts): string {
  if (error instanceof FileMovedError) return texts.storeMoved(quotedText(error.file));
  return isDamage(error) ? texts.chatFileDamaged : texts.storageFailed(storageReason(error, texts));
}

/** Why something could not be stored, as a part of a sentence. */
export function storageReason(error: Error, texts: Texts): string {
  if (isLowDisk(error)) return texts.diskLow;
  return error instanceof FileMovedError ? texts.fileMoved : quotedText(error.message);
}

/** The peer's name as shown. */
export function peerName(chat: ChatModel, context: ChatContext): string {
  return shownName(context.names, chat.peer.username);
}

/** Why there is no link, and what happens to messages. @param more a sentence about it; may be empty */
function unreachableLine(
  { reason, retryIn }: ChatLink & { readonly name: "unreachable" },
  chat: ChatModel,
  more: string,
  context: ChatContext,
): Line {
  const { texts } = context;
  const user = peerName(chat, context);
  const before = chat.link;
  if (reason === "key_pending") return failure(texts.chatKeyPending(user));
  if (reason === "verification_needed") return failure(texts.chatNotVerified(user));
  // The server gives the same answer for a name that is not registered.
  const isPerhapsNobody = chat.peer.isStranger && reason === "offline" && before.name === "connecting";
  // A stranger has no known address.
  const isUnknown = chat.peer.isStranger && reason === "no_server";
  const why = isPerhapsNobody
    ? texts.perhapsNobody(user)
    : isUnknown
      ? texts.chatNoServerStranger(user)
      : describeUnreachable(reason, chat.peer.username, context.names, texts, retryIn).sentence;
  const then = reason === "server_limits" ? texts.limitWaitedOut : "";
  const sentence = [why, then, more].filter((part) => part !== "").join(" ");
  // That messages are queued is said once, not with each new reason; and not if the peer's client cannot encrypt.
  const isKnown = before.name === "unreachable" || reason === "insecure";
  return notice(isKnown ? sentence : `${sentence} ${texts.chatWaitsMeanwhile}`);
}

/** The line for a new state of the link. @param more a further sentence for an unreachable peer; may be empty */
export function linkLine(chat: ChatModel, link: ChatLink, more: string, context: ChatContext): Line {
  const { texts } = context;
  const user = peerName(chat, context);
  const wasLinked = chat.link.name === "left" || chat.link.name === "lost";
  switch (link.name) {
    case "connecting":
      return notice(texts.chatCameOnline(user));
    case "connected":
      return notice(wasLinked ? texts.chatConnectedAgain(user) : texts.chatConnected(user));
    case "left":
      return notice(texts.chatLeft(user));
    case "lost":
      return notice(texts.chatLost(user));
    case "unreachable":
      return unreachableLine(link, chat, more, context);
    default:
      return link satisfies never;
  }
}

/** When the waiting messages will be sent. @param sent the verb of the sentence, «se enviará» */
function whenLine(link: ChatLink, sent: string, user: string, texts: Texts): string {
  if (link.name === "connected") return texts.chatWhenPossible(sent);
  if (link.name !== "unreachable") return texts.chatWhenConnected(sent, user);
  switch (link.reason) {
    case "offline":
      return texts.chatWhenOnline(sent, user);
    case "key_pending":
      return texts.chatWhenAccepted(sent, user);
    case "verification_needed":
      return texts.chatWhenVerified(sent, user);
    case "insecure":
      return texts.chatWhenSecure(sent, user);
    default:
      return texts.chatWhenConnected(sent, user);
  }
}

/** The number of messages and changes in words. @param areChanges one entry for each tracked one @param more number of the others */
function countOf(areChanges: readonly boolean[], more: number, overflow: Overflow, texts: Texts): string {
  const count = areChanges.length + more;
  if (!areChanges.includes(true) && !(more > 0 && overflow.changes)) return texts.chatCountMessages(count);
  const hasTexts = areChanges.includes(false) || (more > 0 && overflow.texts);
  return hasTexts ? texts.chatCountBoth(count) : texts.chatCountChanges(count);
}

/** Lines about waiting messages: one each for a few, one for many. @param more number of those that are only counted */
export function waitingLines(
  { deliveries, link, peer }: ChatModel,
  waiting: readonly PendingDelivery[],
  more: number,
  { names, texts }: ChatContext,
): Line[] {
  const when = (sent: string) => whenLine(link, sent, shownName(names, peer.username), texts);
  if (more > 0 || waiting.length > MAX_SINGLE_LINES) {
    const areChanges = waiting.map(({ target }) => target !== undefined);
    const what = countOf(areChanges, more, deliveries.overflow, texts);
    return [notice(texts.chatManyWait(what, when(texts.chatWillBeSent(waiting.length + more))))];
  }
  return waiting.map(({ excerpt, state }) =>
    notice(
      state === "sent"
        ? texts.chatUnconfirmed(excerpt, when(texts.chatWillBeSentAgain))
        : texts.chatQueued(excerpt, when(texts.chatWillBeSent(1))),
    ),
  );
}

/** Lines about reported messages that have arrived: one each for a few, one for many. */
export function arrivedLines({ deliveries }: ChatModel, { texts }: ChatContext): Line[] {
  const { arrived, overflow } = deliveries;
  if (overflow.arrived === 0 && arrived.length <= MAX_SINGLE_LINES)
    return arrived.map(({ excerpt }) => notice(texts.chatReceived(excerpt)));
  const areChanges = arrived.map(({ isChange }) => isChange);
  const what = countOf(areChanges, overflow.arrived, overflow, texts);
  return [notice(texts.chatManyReceived(arrived.length + overflow.arrived, what))];
}

/** Who is online, in one sentence. */
export function onlineLine(
  { people, silent }: ChatEvent & { readonly name: "online" },
  { names, now, texts }: ChatContext,
): Line {
  if (people.length === 0) return notice(texts.nobodyOnline);
  const listed = people.slice(0, MAX_NAMES_LISTED).map((username) => {
    const since = silent?.get(username);
    const name = shownName(names, username);
    return since === undefined ? name : `${name} (${texts.menuSilent(ageOf(now - since))})`;
  });
  const rest = people.length - listed.length;
  return notice(texts.chatOnline(texts.list(rest > 0 ? [...listed, texts.chatMorePeople(rest)] : listed)));
}

/** The safety numbers of the conversation, and how to compare them. */
export function safetyLines(
  chat: ChatModel,
  numbers: readonly { readonly number: string; readonly pending: boolean }[],
  context: ChatContext,
): Line[] {
  const { texts } = context;
  const user = peerName(chat, context);
  if (numbers.length === 0) return [notice(texts.noKnownKey(user))];
  const shown = numbers.map(({ number, pending }) =>
    notice(`${pending ? texts.pendingSafetyNumber(user) : texts.safetyNumber(user)}\n${number}`),
  );
  const advice = [notice(texts.chatCompare(user))];
  if (numbers.some(({ pending }) => pending)) advice.push(notice(texts.chatThenAccept));
  return [...shown, ...advice];
}
