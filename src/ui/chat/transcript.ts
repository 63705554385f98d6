/** Messages as they are printed: those of the store, those that arrive, and our own once they are on the disk. */
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type {
  Answered,
  ChatEvent,
  ChatModel,
  ChatStep,
  Hit,
  Listed,
  StoredPage,
  WrittenText,
} from "./model.ts";
import type { Outstanding } from "./waiting.ts";
import { notice, peerName, type ChatScene } from "./notices.ts";
import {
  beginWaiting,
  follow,
  followElsewhere,
  followStored,
  forget,
  recountBeyond,
} from "./delivery-tracking.ts";
import { excerptOf } from "../format/excerpt.ts";
import type { Line } from "../format/printed-line.ts";
import { shownName } from "../format/name-book.ts";
import { localDay } from "../format/local-time.ts";

/** A message that was written so much before it arrived says when, in ms. */
const LATE_AFTER = 2 * 60 * 1_000;

type MessageLine = Line & { name: "message" };

/** What stands beside a message that is not the text of it. */
function notesOf(message: StoredMessage, answered: Answered | undefined) {
  const { changeWaits, editedAt, replyTo, withdrawnAt } = message;
  const isChanged = editedAt !== undefined || withdrawnAt !== undefined;
  const change = withdrawnAt === undefined ? ("edited" as const) : ("withdrawn" as const);
  return {
    ...(isChanged ? { change, changeWaits } : {}),
    ...(replyTo === undefined ? {} : { answers: { excerpt: answered?.get(replyTo) } }),
  };
}

/** @param peer the other person, as they are shown */
function lineOf(
  message: StoredMessage,
  peer: string,
  scene: ChatScene,
  answered: Answered | undefined,
): MessageLine {
  const { outgoing, receivedAt, sentAt, state, text } = message;
  const at = (outgoing ? sentAt : (receivedAt ?? sentAt)) ?? scene.now;
  const isLate = !outgoing && sentAt !== undefined && at - sentAt > LATE_AFTER;
  return {
    name: "message",
    at,
    writtenAt: isLate ? sentAt : undefined,
    from: outgoing ? shownName(scene.names, scene.ownName) : peer,
    isOwn: outgoing,
    text,
    state: outgoing ? state : undefined,
    ...notesOf(message, answered),
  };
}

/** Messages with a line before each new day; `day`: the last one's. */
function withDays(
  messages: readonly MessageLine[],
  before: string | undefined,
): { lines: Line[]; day: string | undefined } {
  const lines: Line[] = [];
  let day = before;
  for (const message of messages) {
    const its = localDay(message.at);
    if (its !== day) lines.push({ name: "day", at: message.at });
    day = its;
    lines.push(message);
  }
  return { lines, day };
}

/** Prints stored messages between other lines, and follows those of ours that have not arrived. */
function printStored(
  chat: ChatModel,
  { messages, isMore, answered }: StoredPage,
  around: { readonly before: readonly Line[]; readonly after: readonly Line[] },
  scene: ChatScene,
): ChatStep {
  const { lines, day } = withDays(
    messages.map((message) => lineOf(message, peerName(chat, scene), scene, answered)),
    chat.day,
  );
  const incoming = messages.filter(({ outgoing }) => !outgoing).map(({ seq }) => seq);
  const followed = followStored(chat, messages);
  return {
    chat: {
      ...followed,
      day,
      oldest: isMore ? (messages[0]?.seq ?? chat.oldest) : undefined,
      newest: Math.max(chat.newest, incoming.at(-1) ?? 0),
    },
    effects: [
      { name: "print", lines: [...around.before, ...lines, ...around.after] },
      ...(incoming.length === 0 ? [] : [{ name: "markShown" as const, sequences: incoming }]),
    ],
  };
}

/** The chat begins: with whom it is, and the newest messages. */
export function showOpened(
  chat: ChatModel,
  page: StoredPage & { readonly waiting?: Outstanding },
  scene: ChatScene,
): ChatStep {
  const { texts } = scene;
  const before = [notice(texts.chatOpened(peerName(chat, scene)))];
  if (page.isMore) before.push(notice(texts.chatMoreStored));
  const printed = printStored(chat, page, { before, after: [] }, scene);
  const begun = beginWaiting(printed.chat, page.messages, page.waiting ?? { texts: 0, changes: 0 });
  return { chat: begun, effects: printed.effects };
}

/** The page before the oldest message that was shown. */
export function showPage(chat: ChatModel, page: StoredPage, scene: ChatScene): ChatStep {
  const { texts } = scene;
  const { oldest } = chat;
  // Asked for twice, it is shown once.
  if (oldest === undefined) return { chat, effects: [] };
  const messages = page.messages.filter(({ seq }) => seq < oldest);
  if (messages.length === 0 && page.messages.length > 0) return { chat, effects: [] };
  if (messages.length === 0) {
    const lines = [notice(texts.chatNothingEarlier)];
    return { chat: { ...chat, oldest: undefined }, effects: [{ name: "print", lines }] };
  }
  const around = {
    before: [notice(texts.chatPage(messages.length))],
    after: [notice(page.isMore ? texts.chatPageEnd : texts.chatPageLast)],
  };
  // A page begins with its day, whatever stands above it.
  return printStored({ ...chat, day: undefined }, { ...page, messages }, around, scene);
}

/** A message of the other person has arrived. @param answers the beginning of what it answers */
export function showArrived(
  chat: ChatModel,
  message: StoredMessage,
  answers: string | undefined,
  scene: ChatScene,
): ChatStep {
  if (message.seq <= chat.newest) return { chat, effects: [] };
  const { replyTo } = message;
  const answered = replyTo === undefined || answers === undefined ? undefined : new Map([[replyTo, answers]]);
  const { lines, day } = withDays([lineOf(message, peerName(chat, scene), scene, answered)], chat.day);
  return {
    chat: { ...chat, day, newest: message.seq, peerTypingSince: undefined },
    effects: [
      { name: "print", lines },
      { name: "markShown", sequences: [message.seq] },
    ],
  };
}

/** A text of ours is on the disk: now it is shown, and its state stands in the prompt. */
export function showWritten(
  chat: ChatModel,
  id: string,
  { text, answers }: WrittenText,
  scene: ChatScene,
): ChatStep {
  const message: MessageLine = {
    name: "message",
    at: scene.now,
    writtenAt: undefined,
    from: shownName(scene.names, scene.ownName),
    isOwn: true,
    text,
    state: undefined,
    ...(answers === undefined ? {} : { answers: { excerpt: answers } }),
  };
  const { lines, day } = withDays([message], chat.day);
  const followed = follow(chat, { id, excerpt: excerptOf(text) }, scene.now);
  return { chat: { ...followed, day }, effects: [{ name: "print", lines }] };
}

/** Another process of this account wrote to this person: shown with their states, and followed from here. */
export function showElsewhere(
  chat: ChatModel,
  { messages, gone, waiting, answered }: ChatEvent & { readonly name: "elsewhere" },
  scene: ChatScene,
): ChatStep {
  const known = gone.reduce((next, id) => forget(next, id, true), chat);
  const left = recountBeyond(known, waiting);
  if (messages.length === 0) return { chat: left, effects: [] };
  const shown = messages.map((message) => lineOf(message, peerName(chat, scene), scene, answered));
  const { lines, day } = withDays(shown, chat.day);
  const followed = messages
    .filter(({ withdrawnAt }) => withdrawnAt === undefined)
    .reduce((next, message) => followElsewhere(next, message, scene.now), left);
  return { chat: { ...followed, day }, effects: [{ name: "print", lines }] };
}

function listedOf({ id, outgoing, seq }: StoredMessage, chat: string): Listed {
  return { id, outgoing, seq, chat };
}

/** The last messages of this chat, with numbers. */
export function showListed(chat: ChatModel, { messages, answered }: StoredPage, scene: ChatScene): ChatStep {
  if (messages.length === 0) {
    const lines = [notice(scene.texts.chatNothingStored)];
    return { chat: { ...chat, listed: [] }, effects: [{ name: "print", lines }] };
  }
  const numbered = messages.map((message, index) => ({
    ...lineOf(message, peerName(chat, scene), scene, answered),
    number: index + 1,
  }));
  // A list begins with its day, whatever stands above it.
  const { lines, day } = withDays(numbered, undefined);
  const listed = messages.map((message) => listedOf(message, chat.peer));
  return { chat: { ...chat, day, listed }, effects: [{ name: "print", lines }] };
}

type Found = { readonly words: string; readonly hits: readonly Hit[]; readonly isMore: boolean };

/** What a search has found in all chats, with numbers. */
export function showFound(chat: ChatModel, { words, hits, isMore }: Found, scene: ChatScene): ChatStep {
  const { texts, names } = scene;
  const sought = excerptOf(words);
  const told = isMore ? texts.chatFoundMore(hits.length, sought) : texts.chatFound(hits.length, sought);
  const lines: Line[] = [notice(hits.length === 0 ? texts.chatFoundNothing(sought) : told)];
  hits.forEach(({ message, chat: other }, index) => {
    const user = shownName(names, other);
    const found = { to: message.outgoing ? user : undefined };
    const line = lineOf(message, user, scene, undefined);
    // What it answers stands in its own chat.
    const { answers: _, ...bare } = line;
    lines.push({ ...bare, number: index + 1, found });
  });
  // Nothing found is no list: then a number of an older one means nothing any more.
  const listed = hits.map((hit) => listedOf(hit.message, hit.chat));
  return { chat: { ...chat, listed }, effects: [{ name: "print", lines }] };
}
