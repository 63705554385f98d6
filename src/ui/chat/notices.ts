/** The notices of a chat as lines to be printed. */
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type { UnreachableReason } from "../../client/peer/dial.ts";
import { FileMovedError, isDamage, isLowDisk } from "../../client/errors.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { describeUnreachable } from "../failures.ts";
import type { Texts } from "../texts/texts.ts";
import type { ChatContext, ChatEvent, ChatModel, ChatStep, Notified, PersonChat } from "./model.ts";
import type { Line } from "../format/printed-line.ts";
import { ageOf } from "../format/local-time.ts";
import { shownName } from "../format/name-book.ts";

/** Names that `/users` lists; the others are counted. */
const MAX_NAMES_LISTED = 100;

export function notice(text: string): Line {
  return { name: "notice", text };
}

export function failure(text: string): Line {
  return { name: "failure", text };
}

/** A step that prints lines, if there are any. */
export function printing<C extends ChatModel>(chat: C, lines: readonly Line[]): ChatStep<C> {
  return { chat, effects: lines.length === 0 ? [] : [{ name: "print", lines }] };
}

export function withNotified(chat: PersonChat, notified: Partial<Notified>): PersonChat {
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
const isKeyNoticeDue = isDueAfter(3_600_000);
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

/** The name of the peer or the group as shown. */
export function peerName(chat: ChatModel, context: ChatContext): string {
  return shownName(context.names, chat.username);
}

/** Behind a name under which another key writes than the one that is known. */
const DOUBT = " (?)";

/** Who wrote a message that is not ours, as shown. @param other the name of its conversation */
export function authorOf(
  { author = undefined }: StoredMessage,
  other: string,
  { names, groups }: ChatContext,
): string {
  const isDoubtful = author !== undefined && groups.get(other)?.doubtful.includes(author) === true;
  return shownName(names, author ?? other) + (isDoubtful ? DOUBT : "");
}

/** Warns of a new key, which the peer and the server can bring up as often as they like. */
export function withKeyWarning(
  chat: PersonChat,
  isVerified: boolean,
  context: ChatContext,
): ChatStep<PersonChat> {
  const { now, texts } = context;
  if (!isKeyNoticeDue(chat.notified.keyAt, now)) return { chat, effects: [] };
  const sentence = isVerified ? texts.chatNotVerified : texts.chatKeyPending;
  return printing(withNotified(chat, { keyAt: now }), [failure(sentence(peerName(chat, context)))]);
}

/** Whether there is no link because a new key waits to be accepted or verified. */
export function isKeyAwaited(reason: UnreachableReason | undefined): boolean {
  return reason === "key_pending" || reason === "verification_needed";
}

/**
 * Why what we write waits, in one sentence; undefined: it is on its way, it is not known yet, or another line has said it:
 * that they hold it, that nobody may have the name, or the warning of a new key.
 */
export function whyWaiting(
  { username, link, notified, peer }: PersonChat,
  { names, texts }: ChatContext,
): string | undefined {
  const user = shownName(names, username);
  if (peer.holds) return undefined;
  if (link.name === "connected") return link.isSilent ? texts.peerSilent(user) : undefined;
  const { reason } = link;
  if (reason === undefined || isKeyAwaited(reason)) return undefined;
  // The server gives the same answer for a name that is not registered.
  if (peer.isStranger && reason === "offline")
    return notified.perhapsNobody ? undefined : texts.perhapsNobody(user);
  // A stranger has no known address.
  if (peer.isStranger && reason === "no_server") return texts.chatNoServerStranger(user);
  return describeUnreachable(reason, username, names, texts).sentence;
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
