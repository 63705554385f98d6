/** What became of messages that are on the screen already: edited, withdrawn, cancelled, deleted; and their times. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { localClock, localClockSeconds, localDay } from "../format/local-time.ts";
import type { Texts } from "../texts/texts.ts";
import type { ChatEvent, ChatModel, ChatStep, Refusal } from "./model.ts";
import { notice, peerName, type ChatScene } from "./notices.ts";
import { follow, forget, reword } from "./delivery-tracking.ts";
import { excerptOf, quotable } from "../format/excerpt.ts";
import { graphemes } from "../format/graphemes.ts";
import type { Line } from "../format/printed-line.ts";
import { shownName } from "../format/name-book.ts";

function printing(chat: ChatModel, line: Line): ChatStep {
  return { chat, effects: [{ name: "print", lines: [line] }] };
}

/** Characters of an edited text that are repeated. */
const MAX_SHOWN = 300;
/** UTF-16 units of it that are looked at for them. */
const MAX_SHOWN_SOURCE = 8_192;

/** A message by when it was written, as its writer sees it: «de las 14:05», with its day where that is not today. */
function timeOf({ receivedAt, sentAt }: StoredMessage, { now, texts }: ChatScene): string {
  const at = sentAt ?? receivedAt ?? now;
  const isToday = localDay(at) === localDay(now);
  return isToday ? texts.chatOfTime(localClock(at)) : texts.chatOfDay(localDay(at), localClock(at));
}

/** A sentence with an edited text in it, of which a long one only begins there. */
function withText(text: string, sentence: (shown: string) => string, { texts }: ChatScene): Line {
  const points = [...graphemes.segment(text.slice(0, MAX_SHOWN_SOURCE))].map(({ segment }) => segment);
  const isWhole = points.length <= MAX_SHOWN && text.length <= MAX_SHOWN_SOURCE;
  const begun = isWhole ? text : `${points.slice(0, MAX_SHOWN).join("")}…`;
  const said = sentence(visibleText(begun, { lines: true }));
  return notice(isWhole ? said : `${said} ${texts.chatWholeInList}`);
}

function onOwnChanged(
  before: ChatModel,
  { message, action }: MessengerEvent & { name: "changed" },
  old: string | undefined,
  scene: ChatScene,
): ChatStep {
  const { texts, now } = scene;
  const { id: target, text, state } = message;
  const when = timeOf(message, scene);
  const said = old === undefined ? undefined : quotable(old);
  if (message.withdrawnAt !== undefined) {
    const chat = forget(before, target, state === "queued" || state === "sent");
    const line = notice(texts.chatWithdrew(when, said));
    if (action === undefined) return printing(chat, line);
    return printing(follow(chat, { id: action, target, excerpt: texts.chatWithdrawal(when) }, now), line);
  }
  const chat = reword(before, target, text);
  const one = texts.chatOne(when, said);
  if (action === undefined)
    return printing(
      chat,
      withText(text, (shown) => texts.chatEditedUnsent(one, shown), scene),
    );
  const followed = follow(chat, { id: action, target, excerpt: excerptOf(text) }, now);
  return printing(
    followed,
    withText(text, (shown) => texts.chatEditedTo(one, shown), scene),
  );
}

/** A text of this chat was edited or withdrawn, by us or by them. @param old the beginning of what one of ours said */
export function onChanged(
  chat: ChatModel,
  event: MessengerEvent & { name: "changed" },
  old: string | undefined,
  scene: ChatScene,
): ChatStep {
  const { message } = event;
  if (message.outgoing) return onOwnChanged(chat, event, old, scene);
  const { texts } = scene;
  const [user, when] = [peerName(chat, scene), timeOf(message, scene)];
  if (message.withdrawnAt !== undefined) return printing(chat, notice(texts.chatTheyWithdrew(user, when)));
  return printing(
    chat,
    withText(message.text, (shown) => texts.chatTheyEdited(user, when, shown), scene),
  );
}

/** A text of ours was taken out of the outbox before it left. */
export function onCancelled(chat: ChatModel, id: string, { texts }: ChatScene): ChatStep {
  const excerpt = chat.waiting.find((each) => each.id === id)?.excerpt;
  const told = excerpt === undefined ? texts.chatCancelledOne : texts.chatCancelled(excerpt);
  return printing(forget(chat, id, true), notice(told));
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
      if (message.withdrawnAt !== undefined) return printing(chat, notice(texts.chatDeletedWithdrawn));
      const excerpt = excerptOf(message.text);
      const told = message.outgoing ? texts.chatDeletedOwn(excerpt) : texts.chatDeletedTheirs(excerpt);
      return printing(chat, notice(told));
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

/** The times of one message, a line each. @param other the other person of its conversation */
export function infoLine(message: StoredMessage, other: string, scene: ChatScene): Line {
  const { names, ownName, texts } = scene;
  const { changeWaits, outgoing, sentAt, leftAt, receivedAt, readAt, editedAt, withdrawnAt } = message;
  const [own, user] = [shownName(names, ownName), shownName(names, other)];
  const people = outgoing ? `${own} → ${user}` : `${user} → ${own}`;
  const withdrawn = changeWaits ? texts.chatWithdrawnWaits : texts.chatWithdrawn;
  const excerpt = withdrawnAt === undefined ? texts.chatQuoted(excerptOf(message.text)) : withdrawn;
  const times: readonly (readonly [string, number | undefined])[] = [
    [texts.chatInfoWritten, sentAt],
    [texts.chatInfoLeft, leftAt],
    [texts.chatInfoReceived, receivedAt],
    [texts.chatInfoRead, readAt],
    [texts.chatInfoEdited, editedAt],
    [texts.chatInfoWithdrawn, withdrawnAt],
  ];
  const rows = times.flatMap(([what, at]) =>
    at === undefined ? [] : [`${what}: ${localDay(at)} ${localClockSeconds(at)}`],
  );
  const isWaiting = outgoing && message.state === "queued" && withdrawnAt === undefined;
  if (isWaiting) rows.push(texts.chatInfoQueued);
  if (changeWaits) rows.push(texts.chatInfoChangeWaits);
  return notice([`${people}: ${excerpt}`, ...rows].join("\n"));
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
    cancel_not_own: texts.chatActionCancelNotOwn,
    only_change: texts.chatActionOnlyChange,
    no_reply: texts.chatActionNoReply,
  };
  return sentences[code];
}
