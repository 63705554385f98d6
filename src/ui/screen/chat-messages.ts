/** Messages as they are printed: those of the store, those that arrive, and our own once they are on the disk. */
import type { StoredMessage } from "../../client/message-store.ts";
import type { ChatModel, ChatStep } from "./chat-model.ts";
import { notice, peerName, type ChatScene } from "./chat-notices.ts";
import { follow, followStored } from "./chat-waiting.ts";
import type { Line } from "./lines.ts";
import { shownName } from "./name-book.ts";
import { localDay } from "../local-time.ts";

/** A message that was written so much before it arrived says when, in ms. */
const LATE_AFTER = 2 * 60 * 1_000;

function lineOf(chat: ChatModel, message: StoredMessage, scene: ChatScene): Line & { name: "message" } {
  const { outgoing, receivedAt, sentAt, state, text } = message;
  if (outgoing) {
    const from = shownName(scene.names, scene.ownName);
    return {
      name: "message",
      at: sentAt ?? scene.now,
      writtenAt: undefined,
      from,
      isOwn: true,
      text,
      state,
    };
  }
  const at = receivedAt ?? sentAt ?? scene.now;
  const isLate = sentAt !== undefined && at - sentAt > LATE_AFTER;
  const from = peerName(chat, scene);
  return {
    name: "message",
    at,
    writtenAt: isLate ? sentAt : undefined,
    from,
    isOwn: false,
    text,
    state: undefined,
  };
}

/** Messages with a line before each new day; `day`: the last one's. */
function withDays(
  messages: readonly (Line & { name: "message" })[],
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
  { messages, isMore }: { readonly messages: readonly StoredMessage[]; readonly isMore: boolean },
  around: { readonly before: readonly Line[]; readonly after: readonly Line[] },
  scene: ChatScene,
): ChatStep {
  const { lines, day } = withDays(
    messages.map((message) => lineOf(chat, message, scene)),
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

type Page = { readonly messages: readonly StoredMessage[]; readonly isMore: boolean };

/** The chat begins: with whom it is, and the newest messages. */
export function showOpened(chat: ChatModel, page: Page, scene: ChatScene): ChatStep {
  const { texts } = scene;
  const before = [notice(texts.chatOpened(peerName(chat, scene)))];
  if (page.isMore) before.push(notice(texts.chatMoreStored));
  const newest = page.messages.findLast(({ outgoing }) => outgoing);
  const last = newest === undefined ? undefined : { id: newest.id, state: newest.state };
  return printStored({ ...chat, last }, page, { before, after: [] }, scene);
}

/** The page before the oldest message that was shown. */
export function showPage(chat: ChatModel, page: Page, scene: ChatScene): ChatStep {
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

/** A message of the other person has arrived. */
export function showArrived(chat: ChatModel, message: StoredMessage, scene: ChatScene): ChatStep {
  if (message.seq <= chat.newest) return { chat, effects: [] };
  const { lines, day } = withDays([lineOf(chat, message, scene)], chat.day);
  return {
    chat: { ...chat, day, newest: message.seq, peerTypingSince: undefined },
    effects: [
      { name: "print", lines },
      { name: "markShown", sequences: [message.seq] },
    ],
  };
}

/** A text of ours is on the disk: now it is shown, and its state stands at the head of the input line. */
export function showWritten(chat: ChatModel, id: string, text: string, scene: ChatScene): ChatStep {
  const message: Line & { name: "message" } = {
    name: "message",
    at: scene.now,
    writtenAt: undefined,
    from: shownName(scene.names, scene.ownName),
    isOwn: true,
    text,
    state: undefined,
  };
  const { lines, day } = withDays([message], chat.day);
  return { chat: { ...follow(chat, id, text, scene.now), day }, effects: [{ name: "print", lines }] };
}
