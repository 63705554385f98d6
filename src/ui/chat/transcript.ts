/** Prints messages: stored ones, arriving ones, and our own when they are committed. */
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { excerptOf } from "../format/excerpt.ts";
import { fileWhat } from "../format/file-words.ts";
import { localDay } from "../format/local-time.ts";
import { changeOf, isNameAlone, offerOf } from "../format/message-format.ts";
import { shownName } from "../format/name-book.ts";
import type { Line } from "../format/printed-line.ts";
import { beginDeliveries, follow, followStored } from "./delivery-tracking.ts";
import { stateLines } from "./consent.ts";
import type {
  ChatContext,
  ChatEffect,
  ChatEvent,
  ChatModel,
  ChatStep,
  Listed,
  OpenedChat,
  PersonChat,
  StoredPage,
  Transcript,
  WrittenText,
} from "./model.ts";
import { authorOf, notice, peerName, printing, withKeyWarning, withNotified } from "./notices.ts";
import type { Attention } from "../terminal/attention.ts";

/** The line with which the chat with a stranger opens waits so long for what the server says of them, in ms. */
const OPENING_WAITS = 2_000;
/** A message that arrived this much after it was written shows when it was written, in ms. */
const LATE_AFTER = 2 * 60 * 1_000;
/** Who has typed so recently is taken to look, where the terminal does not report; in ms. */
const STAYS = 60_000;

type MessageLine = Line & { name: "message" };

function howToGet(number: number): string {
  return `/get #${number}`;
}

/** @param other the name of its conversation */
function lineOf(
  message: StoredMessage,
  other: string,
  context: ChatContext,
  { answered, counts }: Pick<StoredPage, "answered" | "counts">,
): MessageLine {
  const { isMissing, outgoing, receivedAt, replyTo, sentAt, state, text } = message;
  const at = (outgoing ? sentAt : (receivedAt ?? sentAt)) ?? context.now;
  const isLate = !outgoing && sentAt !== undefined && at - sentAt > LATE_AFTER;
  return {
    name: "message",
    at,
    writtenAt: isLate ? sentAt : undefined,
    from: outgoing ? shownName(context.names, context.ownName) : authorOf(message, other, context),
    isOwn: outgoing,
    text: isMissing ? context.texts.groupNoText : isNameAlone(message) ? "" : text,
    offer: offerOf(message, howToGet, context.texts),
    state: outgoing ? state : undefined,
    counts: counts?.get(message.id),
    change: changeOf(message),
    changeWaits: message.changeWaits,
    answers: replyTo === undefined ? undefined : { excerpt: answered?.get(replyTo) },
  };
}

/**
 * Adds a line before each new day, and one before the first unread message.
 * @param before day of the last line printed before
 * @param firstUnread its index; -1: there is none
 * @returns `day` of the last message
 */
function withDays(
  messages: readonly MessageLine[],
  before: string | undefined,
  firstUnread = -1,
): { lines: Line[]; day: string | undefined } {
  const lines: Line[] = [];
  let day = before;
  for (const [index, message] of messages.entries()) {
    const its = localDay(message.at);
    if (its !== day) lines.push({ name: "day", at: message.at });
    if (index === firstUnread) lines.push({ name: "unread" });
    day = its;
    lines.push(message);
  }
  return { lines, day };
}

function withTranscript<C extends ChatModel>(chat: C, transcript: Partial<Transcript>): C {
  return { ...chat, transcript: { ...chat.transcript, ...transcript } };
}

/** These messages of others are on the screen, or folded. @param isSeen somebody looks at it */
export function withShown<C extends ChatModel>(
  chat: C,
  sequences: readonly number[],
  isSeen: boolean,
): ChatStep<C> {
  if (sequences.length === 0) return { chat, effects: [] };
  const newest = Math.max(chat.transcript.newest, ...sequences);
  const unseen = isSeen ? 0 : chat.transcript.unseen + sequences.length;
  const seen: readonly ChatEffect[] = isSeen ? [{ name: "markSeen", seq: newest }] : [];
  return {
    chat: withTranscript(chat, { newest, unseen }),
    effects: [{ name: "markShown", sequences }, ...seen],
  };
}

/** Somebody has seen what is on the screen. */
export function withSeen(before: ChatModel, seenAt: number): ChatStep {
  const { newest, unseen } = before.transcript;
  const chat = withTranscript(before, { unseen: 0, seenAt });
  return { chat, effects: unseen === 0 ? [] : [{ name: "markSeen", seq: newest }] };
}

/** Whether somebody is likely to look at the chat now. */
export function isLookedAt({ transcript }: ChatModel, attention: Attention, now: number): boolean {
  return attention === "focused" || (attention === "unknown" && Math.abs(now - transcript.seenAt) < STAYS);
}

/** Whether messages stand there that nobody has seen, and nobody who is likely to look now. */
export function isMissed(chat: ChatModel, attention: Attention, now: number): boolean {
  return chat.transcript.unseen > 0 && !isLookedAt(chat, attention, now);
}

/** Prints stored messages between other lines, and tracks those of ours that were not received. */
export function printStored<C extends ChatModel>(
  chat: C,
  page: StoredPage,
  around: { readonly before: readonly Line[]; readonly after: readonly Line[] },
  context: ChatContext,
): ChatStep<C> {
  const { messages, isMore, unreadFrom = Infinity } = page;
  const { transcript } = chat;
  const shown = messages.map((message) => lineOf(message, chat.username, context, page));
  const firstUnread = messages.findIndex(({ seq }) => seq >= unreadFrom);
  const { lines, day } = withDays(shown, transcript.day, firstUnread);
  const incoming = messages.filter(({ outgoing }) => !outgoing).map(({ seq }) => seq);
  const oldest = isMore ? (messages[0]?.seq ?? transcript.oldest) : undefined;
  // Who has asked for them looks at them, unless the terminal reports otherwise.
  const isSeen = context.attention !== "away";
  const marked = withShown(withTranscript(chat, { day, oldest, seenAt: context.now }), incoming, isSeen);
  return {
    chat: { ...marked.chat, deliveries: followStored(chat.deliveries, messages, context.now) },
    effects: [{ name: "print", lines: [...around.before, ...lines, ...around.after] }, ...marked.effects],
  };
}

/** The first lines of a chat with a person: whom it is with, and the newest messages. */
export function showOpened(before: PersonChat, page: OpenedChat, context: ChatContext): ChatStep<PersonChat> {
  const { texts } = context;
  const { isVerified = false, isKeyPending = false, state = "stranger", hasDraft = false } = page;
  const isNew = before.peer.isStranger && state === "stranger" && page.messages.length === 0;
  const openedAll = before.peer.isStranger ? texts.chatOpenedStranger : texts.chatOpened;
  const opened = page.isMore ? texts.chatOpenedMore : openedAll;
  const lines = isNew ? [] : [notice(opened(peerName(before, context)))];
  const { chat, effects } = printStored(before, page, { before: lines, after: [] }, context);
  const deliveries = beginDeliveries(page, page.waiting ?? 0, context.now);
  const opening: PersonChat = {
    ...withNotified(chat, { openingSince: isNew ? context.now : undefined }),
    peer: { ...chat.peer, isVerified, state },
    deliveries,
    draft: { name: "settled", isStored: hasDraft },
    restoredAt: hasDraft ? context.now : undefined,
  };
  const said =
    isKeyPending && state === "contact"
      ? withKeyWarning(opening, isVerified, context)
      : printing(opening, stateLines(opening, page, context));
  return { chat: said.chat, effects: [...effects, ...said.effects] };
}

/** Prints the line with which the chat with a stranger opens, before what comes first, or when nothing comes for a while. */
export function withOpening(
  { chat, effects }: ChatStep,
  { name }: ChatEvent,
  context: ChatContext,
): ChatStep {
  if (chat.kind === "group") return { chat, effects };
  const { notified, link, peer } = chat;
  const { openingSince: since } = notified;
  if (since === undefined || name === "opened") return { chat, effects };
  const isLate = name === "tick" && Math.abs(context.now - since) >= OPENING_WAITS;
  if (!isLate && link.name !== "connected" && !effects.some((effect) => effect.name === "print"))
    return { chat, effects };
  const { chatOpened, chatOpenedStranger } = context.texts;
  const sentence = (peer.isStranger ? chatOpenedStranger : chatOpened)(peerName(chat, context));
  const opened = printing(withNotified(chat, { openingSince: undefined }), [notice(sentence)]);
  return { chat: opened.chat, effects: [...opened.effects, ...effects] };
}

/** Prints the page before the oldest message shown. */
export function showPage(chat: ChatModel, page: StoredPage, context: ChatContext): ChatStep {
  const { texts } = context;
  const { oldest } = chat.transcript;
  // A page that was asked for twice is shown once.
  if (oldest === undefined) return { chat, effects: [] };
  const messages = page.messages.filter(({ seq }) => seq < oldest);
  if (messages.length === 0 && page.messages.length > 0) return { chat, effects: [] };
  if (messages.length === 0)
    return printing(withTranscript(chat, { oldest: undefined }), [notice(texts.chatNothingEarlier)]);
  const around = {
    before: [notice(texts.chatPage(messages.length))],
    after: [notice(page.isMore ? texts.chatPageEnd : texts.chatPageLast)],
  };
  // A page always begins with its day.
  const fresh = withTranscript(chat, { day: undefined });
  return printStored(fresh, { ...page, messages }, around, context);
}

/** Prints a message that has arrived. @param answers excerpt of the message that it replies to */
export function showArrived<C extends ChatModel>(
  chat: C,
  message: StoredMessage,
  answers: string | undefined,
  context: ChatContext,
): ChatStep<C> {
  const { transcript } = chat;
  if (message.seq <= transcript.newest) return { chat, effects: [] };
  const { replyTo } = message;
  const answered = new Map(replyTo === undefined || answers === undefined ? [] : [[replyTo, answers]]);
  const line = lineOf(message, chat.username, context, { answered });
  const { lines, day } = withDays([line], transcript.day);
  const marked = withShown(withTranscript(chat, { day }), [message.seq], context.attention === "focused");
  return { chat: marked.chat, effects: [{ name: "print", lines }, ...marked.effects] };
}

/** Prints a message of ours that was committed, and shows its state in the prompt. */
export function showWritten<C extends ChatModel>(
  chat: C,
  id: string,
  { text, answers, offer }: WrittenText,
  context: ChatContext,
): ChatStep<C> {
  const message: MessageLine = {
    name: "message",
    at: context.now,
    writtenAt: undefined,
    from: shownName(context.names, context.ownName),
    isOwn: true,
    text: isNameAlone({ file: offer, text }) ? "" : text,
    offer: offer && context.texts.fileToAll(fileWhat({ ...offer, entries: null }, context.texts)),
    state: undefined,
    answers: answers === undefined ? undefined : { excerpt: answers },
  };
  const { lines, day } = withDays([message], chat.transcript.day);
  const deliveries = follow(chat.deliveries, { id, excerpt: excerptOf(text) }, context.now);
  return printing(withTranscript({ ...chat, deliveries }, { day }), lines);
}

function listedOf({ id, outgoing, seq }: StoredMessage, chat: string): Listed {
  return { id, outgoing, seq, chat };
}

/** Prints the last messages of this chat with numbers. */
export function showListed(chat: ChatModel, page: StoredPage, context: ChatContext): ChatStep {
  const { messages } = page;
  if (messages.length === 0)
    return printing(withTranscript(chat, { listed: [] }), [notice(context.texts.chatNothingStored)]);
  const numbered = messages.map((message, index) => ({
    ...lineOf(message, chat.username, context, page),
    number: index + 1,
  }));
  // A list always begins with its day.
  const { lines, day } = withDays(numbered, undefined);
  const listed = messages.map((message) => listedOf(message, chat.username));
  return printing(withTranscript(chat, { day, listed }), lines);
}

/** Prints the messages that a search has found, with numbers. */
export function showFound(
  chat: ChatModel,
  { words, hits, isMore }: ChatEvent & { readonly name: "found" },
  context: ChatContext,
): ChatStep {
  const { texts, names } = context;
  const sought = excerptOf(words);
  const title = isMore ? texts.chatFoundMore(hits.length, sought) : texts.chatFound(hits.length, sought);
  const lines: Line[] = [notice(hits.length === 0 ? texts.chatFoundNothing(sought) : title)];
  hits.forEach(({ message, chat: other }, index) => {
    // Of a group's message both who wrote it and where is said.
    const isTo = message.outgoing || message.author !== undefined;
    const found = { to: isTo ? shownName(names, other) : undefined };
    // The message that it replies to may belong to another chat.
    const { answers: _, ...line } = lineOf(message, other, context, {});
    lines.push({ ...line, number: index + 1, found });
  });
  // This replaces the numbers of an older list, even if nothing was found.
  const listed = hits.map((hit) => listedOf(hit.message, hit.chat));
  return printing(withTranscript(chat, { listed }), lines);
}
