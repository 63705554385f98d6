/** Notices about messages that were edited, withdrawn, cancelled or deleted, and the answer of `/info`. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { excerptOf } from "../format/excerpt.ts";
import { graphemesOf } from "../format/graphemes.ts";
import { localClock, localClockSeconds, localDay } from "../format/local-time.ts";
import { shownName } from "../format/name-book.ts";
import type { Line } from "../format/printed-line.ts";
import { MAX_COPIED_BYTES } from "../terminal/clipboard.ts";
import type { Texts } from "../texts/texts.ts";
import { follow, forget, reword } from "./delivery-tracking.ts";
import type { ChatContext, ChatEvent, ChatModel, ChatStep, Deliveries, Refusal } from "./model.ts";
import { authorOf, failure, notice, peerName, printing } from "./notices.ts";

/** Graphemes of an edited text that a notice shows. */
const MAX_SHOWN = 300;
/** UTF-16 units of the text that are read for them. */
const MAX_SHOWN_SOURCE = 8_192;

/** When a message was written: «de las 14:05», with its day unless that is today. */
function timeOf({ receivedAt, sentAt }: StoredMessage, { now, texts }: ChatContext): string {
  const at = sentAt ?? receivedAt ?? now;
  const isToday = localDay(at) === localDay(now);
  return isToday ? texts.chatOfTime(localClock(at)) : texts.chatOfDay(localDay(at), localClock(at));
}

/** A notice that contains an edited text; a long text is cut, and the notice says so. */
function withText(text: string, sentence: (shown: string) => string, { texts }: ChatContext): Line {
  const points = [...graphemesOf(text.slice(0, MAX_SHOWN_SOURCE))].map(({ segment }) => segment);
  const isWhole = points.length <= MAX_SHOWN && text.length <= MAX_SHOWN_SOURCE;
  const begun = isWhole ? text : `${points.slice(0, MAX_SHOWN).join("")}…`;
  const shown = sentence(begun);
  return notice(isWhole ? shown : `${shown} ${texts.chatWholeInList}`);
}

function onOwnChanged<C extends ChatModel>(
  chat: C,
  { message, action }: MessengerEvent & { name: "changed" },
  old: string | undefined,
  context: ChatContext,
): ChatStep<C> {
  const { texts, now } = context;
  const { id: target, text, state, withdrawnAt } = message;
  const when = timeOf(message, context);
  const changed = (deliveries: Deliveries, line: Line): ChatStep<C> => {
    // Nobody tells who of a group has a change.
    const isTold = action !== undefined && chat.kind === "person";
    const followed = isTold ? follow(deliveries, { id: action, target }, now) : deliveries;
    return printing({ ...chat, deliveries: followed }, [line]);
  };
  if (withdrawnAt !== undefined) {
    const deliveries = forget(chat.deliveries, target, state === "queued" || state === "sent");
    return changed(deliveries, notice(texts.chatWithdrew(when, old)));
  }
  const one = texts.chatOne(when, old);
  const sentence = action === undefined ? texts.chatEditedUnsent : texts.chatEditedTo;
  const line = withText(text, (shown) => sentence(one, shown), context);
  return changed(reword(chat.deliveries, target, text), line);
}

/** A message was edited or withdrawn, by us or by the peer. @param old excerpt of our message before the change, if known */
export function onChanged<C extends ChatModel>(
  chat: C,
  event: MessengerEvent & { name: "changed" },
  old: string | undefined,
  context: ChatContext,
): ChatStep<C> {
  const { message } = event;
  if (message.outgoing) return onOwnChanged(chat, event, old, context);
  const { texts } = context;
  const [user, when] = [authorOf(message, chat.username, context), timeOf(message, context)];
  if (message.withdrawnAt !== undefined) return printing(chat, [notice(texts.chatTheyWithdrew(user, when))]);
  return printing(chat, [
    withText(message.text, (shown) => texts.chatTheyEdited(user, when, shown), context),
  ]);
}

/** A message of ours was removed from the outbox before it was sent. */
export function onCancelled<C extends ChatModel>(chat: C, id: string, { texts }: ChatContext): ChatStep<C> {
  const excerpt = chat.deliveries.pending.find((each) => each.id === id)?.excerpt;
  const sentence = excerpt === undefined ? texts.chatCancelledOne : texts.chatCancelled(excerpt);
  return printing({ ...chat, deliveries: forget(chat.deliveries, id, true) }, [notice(sentence)]);
}

/** Reports a deletion on this side. */
export function onDeleted(
  chat: ChatModel,
  event: Extract<ChatEvent, { name: "deleted" | "deletingChat" | "deletedChat" }>,
  context: ChatContext,
): ChatStep {
  const { texts } = context;
  switch (event.name) {
    case "deleted": {
      const { message } = event;
      if (message.withdrawnAt !== undefined) return printing(chat, [notice(texts.chatDeletedWithdrawn)]);
      const excerpt = excerptOf(message.text);
      const sentence = message.outgoing ? texts.chatDeletedOwn(excerpt) : texts.chatDeletedTheirs(excerpt);
      return printing(chat, [notice(sentence)]);
    }
    case "deletingChat":
      return printing(chat, [notice(texts.chatDeleting)]);
    case "deletedChat": {
      const { count, waiting } = event;
      const left = waiting === 0 ? "" : ` ${texts.chatStillWaits(waiting)}`;
      const line = notice(texts.chatDeletedChat(count, peerName(chat, context)) + left);
      return printing({ ...chat, transcript: { ...chat.transcript, listed: [], oldest: undefined } }, [line]);
    }
    default:
      return event satisfies never;
  }
}

/** The answer of `/info`: the times of a message, one per row. @param other the other person of its conversation */
export function infoLine(message: StoredMessage, other: string, context: ChatContext): Line {
  const { names, ownName, texts } = context;
  const { changeWaits, outgoing, sentAt, leftAt, receivedAt, readAt, editedAt, withdrawnAt } = message;
  const [own, user] = [shownName(names, ownName), shownName(names, other)];
  const from = authorOf(message, other, context);
  const people = outgoing ? `${own} → ${user}` : `${from} → ${message.author === undefined ? own : user}`;
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

/** Why a command on a message did nothing, and what to do instead. @param user the peer's name as shown */
export function describeAction(code: Refusal, user: string, texts: Texts): string {
  const sentences: { readonly [C in Refusal]: string } = {
    unknown_message: texts.chatActionUnknown,
    not_own: texts.chatActionNotOwn,
    already_withdrawn: texts.alreadyWithdrawn,
    not_supported: texts.chatActionNotSupported(user),
    already_left: texts.chatActionLeft,
    still_waiting: texts.chatActionWaiting,
    blocked: texts.chatBlocked(user),
    none_own: texts.chatActionNoneOwn,
    none_theirs: texts.chatActionNoneTheirs(user),
    none_waiting: texts.chatActionNoneWaiting,
    cancel_not_own: texts.chatActionCancelNotOwn,
    only_change: texts.chatActionOnlyChange,
    no_reply: texts.chatActionNoReply,
    no_copy: texts.chatActionNoCopy,
  };
  return sentences[code];
}

/** The answer of `/copy`, in one sentence: what was copied and how, or why it was not. */
export function copiedLine(
  { message, chat, result }: ChatEvent & { readonly name: "copied" },
  context: ChatContext,
): Line {
  const { names, ownName, texts } = context;
  const from = message.outgoing ? shownName(names, ownName) : authorOf(message, chat, context);
  switch (result.name) {
    case "given":
      return notice(texts.chatCopied(excerptOf(message.text), from, result.lines));
    case "too_long":
      return failure(texts.chatCopyTooLong(MAX_COPIED_BYTES / 1024));
    case "unknown":
      return failure(texts.chatCopyUnknown);
    default:
      return result satisfies never;
  }
}
