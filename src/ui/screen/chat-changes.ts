/** What became of messages that are on the screen already: edited, withdrawn, cancelled, deleted; and their times. */
import type { MessengerEvent } from "../../client/messenger-events.ts";
import type { StoredMessage } from "../../client/stored-message.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { localClock, localDay } from "../local-time.ts";
import type { Texts } from "../texts.ts";
import type { ChatEvent, ChatModel, ChatStep, Refusal } from "./chat-model.ts";
import { notice, peerName, type ChatScene } from "./chat-notices.ts";
import { follow, forget, reword } from "./chat-waiting.ts";
import { excerptOf } from "../excerpt.ts";
import type { Line } from "./lines.ts";
import { shownName } from "./name-book.ts";

function printing(chat: ChatModel, line: Line): ChatStep {
  return { chat, effects: [{ name: "print", lines: [line] }] };
}

/** A message by its time: «de las 14:05», with its day where that is not today. */
function timeOf({ outgoing, receivedAt, sentAt }: StoredMessage, { now, texts }: ChatScene): string {
  const at = (outgoing ? sentAt : (receivedAt ?? sentAt)) ?? now;
  const isToday = localDay(at) === localDay(now);
  return isToday ? texts.chatOfTime(localClock(at)) : texts.chatOfDay(localDay(at), localClock(at));
}

function onOwnChanged(
  before: ChatModel,
  message: StoredMessage,
  action: string | undefined,
  scene: ChatScene,
): ChatStep {
  const { texts, now } = scene;
  const { id: target, text } = message;
  if (message.withdrawnAt !== undefined) {
    const chat = forget(before, target);
    const when = timeOf(message, scene);
    const line = notice(texts.chatWithdrew(when));
    if (action === undefined) return printing(chat, line);
    return printing(follow(chat, { id: action, target, excerpt: texts.chatWithdrawal(when) }, now), line);
  }
  const chat = reword(before, target, text);
  const shown = visibleText(text, { lines: true });
  if (action === undefined) return printing(chat, notice(texts.chatEditedUnsent(shown)));
  const followed = follow(chat, { id: action, target, excerpt: excerptOf(text) }, now);
  return printing(followed, notice(texts.chatEditedTo(shown)));
}

/** A text of this chat was edited or withdrawn, by us or by them. */
export function onChanged(
  chat: ChatModel,
  { message, action }: MessengerEvent & { name: "changed" },
  scene: ChatScene,
): ChatStep {
  if (message.outgoing) return onOwnChanged(chat, message, action, scene);
  const { texts } = scene;
  const [user, when] = [peerName(chat, scene), timeOf(message, scene)];
  const text = visibleText(message.text, { lines: true });
  const isWithdrawn = message.withdrawnAt !== undefined;
  const told = isWithdrawn ? texts.chatTheyWithdrew(user, when) : texts.chatTheyEdited(user, when, text);
  return printing(chat, notice(told));
}

/** A text of ours was taken out of the outbox before it left. */
export function onCancelled(chat: ChatModel, id: string, { texts }: ChatScene): ChatStep {
  const excerpt = chat.waiting.find((each) => each.id === id)?.excerpt;
  const told = excerpt === undefined ? texts.chatCancelledOne : texts.chatCancelled(excerpt);
  return printing(forget(chat, id), notice(told));
}

/** What was deleted here, and what is left. */
export function onDeleted(
  chat: ChatModel,
  event: Extract<ChatEvent, { name: "deleted" | "deletingChat" | "deletedChat" }>,
  scene: ChatScene,
): ChatStep {
  const { texts } = scene;
  switch (event.name) {
    case "deleted": {
      const { message } = event;
      const excerpt = message.withdrawnAt === undefined ? excerptOf(message.text) : texts.chatWithdrawn;
      return printing(chat, notice(texts.chatDeleted(excerpt)));
    }
    case "deletingChat":
      return printing(chat, notice(texts.chatDeleting));
    case "deletedChat": {
      const { count, waiting } = event;
      const left = waiting === 0 ? "" : ` ${texts.chatStillWaits(waiting)}`;
      const told = notice(texts.chatDeletedChat(count, peerName(chat, scene)) + left);
      return printing({ ...chat, listed: [], oldest: undefined }, told);
    }
    default:
      return event satisfies never;
  }
}

function exactTime(at: number): string {
  return `${localDay(at)} ${localClock(at)}:${String(new Date(at).getSeconds()).padStart(2, "0")}`;
}

/** The times of one message, a line each. @param other the other person of its conversation */
export function infoLine(message: StoredMessage, other: string, scene: ChatScene): Line {
  const { names, ownName, texts } = scene;
  const { outgoing, sentAt, leftAt, receivedAt, readAt, editedAt, withdrawnAt } = message;
  const [own, user] = [shownName(names, ownName), shownName(names, other)];
  const people = outgoing ? `${own} → ${user}` : `${user} → ${own}`;
  const excerpt = withdrawnAt === undefined ? texts.chatQuoted(excerptOf(message.text)) : texts.chatWithdrawn;
  const times: readonly (readonly [string, number | undefined])[] = [
    [texts.chatInfoWritten, sentAt],
    [texts.chatInfoLeft, leftAt],
    [texts.chatInfoReceived, receivedAt],
    [texts.chatInfoRead, readAt],
    [texts.chatInfoEdited, editedAt],
    [texts.chatInfoWithdrawn, withdrawnAt],
  ];
  const rows = times.flatMap(([what, at]) => (at === undefined ? [] : [`${what}: ${exactTime(at)}`]));
  const isWaiting = outgoing && message.state === "queued" && withdrawnAt === undefined;
  return notice([`${people}: ${excerpt}`, ...rows, ...(isWaiting ? [texts.chatInfoQueued] : [])].join("\n"));
}

/** Why nothing was done with a message, and what can be done. @param user as they are shown */
export function describeAction(code: Refusal, user: string, texts: Texts): string {
  const sentences: { readonly [C in Refusal]: string } = {
    unknown_message: texts.chatActionUnknown,
    not_own: texts.chatActionNotOwn,
    already_withdrawn: texts.chatActionWithdrawn,
    not_supported: texts.chatActionNotSupported(user),
    already_left: texts.chatActionLeft,
    still_waiting: texts.chatActionWaiting,
    none_own: texts.chatActionNoneOwn,
    none_theirs: texts.chatActionNoneTheirs(user),
    none_waiting: texts.chatActionNoneWaiting,
  };
  return sentences[code];
}
