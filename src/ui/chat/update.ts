/** The chat's update and its prompt, pure functions. */
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { isBlank } from "../../protocol/visible-text.ts";
import { leftOutSentence } from "../format/file-words.ts";
import { ageOf } from "../format/local-time.ts";
import { stateMark } from "../format/message-format.ts";
import { shownName, type NameBook } from "../format/name-book.ts";
import { shownCode } from "../format/people-words.ts";
import type { LinePrompt } from "../line/line-prompt.ts";
import type { Texts } from "../texts/texts.ts";
import { copiedLine, describeAction, infoLine, onDeleted } from "./changes.ts";
import { runCommand } from "./commands.ts";
import { onDecided } from "./consent.ts";
import { linkLine, tellWay } from "./link.ts";
import type { CommandResult } from "./message-commands.ts";
import { filesLine, getsAlwaysLine } from "./files/file-lines.ts";
import { NO_FILES, progressMark, tickFiles } from "./files/tracked-files.ts";
import { NO_DELIVERIES, tellOfWait } from "./delivery-tracking.ts";
import type { ChatContext, ChatEffect, ChatEvent, ChatModel, ChatStep } from "./model.ts";
import {
  failure,
  isKeyAwaited,
  notice,
  onlineLine,
  peerName,
  printing,
  safetyLines,
  withNotified,
} from "./notices.ts";
import { filesContext, onMessenger, withFiles } from "./on-event.ts";
import { showFound, showListed, showOpened, showPage, withOpening, withSeen } from "./transcript.ts";
import { goToNumber, goToUnread, showChats } from "./other-chats.ts";
import { parseLine, type ParsedLine } from "./typed-line.ts";
import { answerOf, onAnswered } from "./verification.ts";

/** Time between two typing notifications to the peer, in ms. */
const TYPING_NOTIFIED_EVERY = 4_000;
/** Without further keys our typing ends this long after the last notification, in ms: 4 to 8 s after the last key. */
const OWN_TYPING_ENDS = 8_000;
/** The peer counts as typing for this long after their last notification, in ms. */
const PEER_TYPING_ENDS = 10_000;
/** A draft is stored when no key was typed for so long, or so long after its first change; in ms. */
const DRAFT_KEPT_AFTER = 2_000;
const DRAFT_KEPT_EVERY = 10_000;
/** Nobody has read a notice before it has stood this long, in ms. */
const SEEN_AFTER = 1_000;

/** A chat that was just opened. @param username in the registered spelling, if known @param isStranger there was never a proven link */
export function openChat(username: string, isStranger = false): ChatModel {
  return {
    peer: { username, isStranger, isVerified: false, state: "stranger", holds: false },
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
export function chatPrompt(
  { deliveries: { last }, files, link, peer, verifying }: ChatModel,
  names: NameBook,
  texts: Texts,
  waiting = 0,
): LinePrompt {
  if (verifying.name === "comparing") {
    const name = texts.chatSameCode(shownCode(verifying.code));
    return { name, isAway: false, mark: "", waiting: 0, sign: "" };
  }
  const name = shownName(names, peer.username);
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

/** Ends our typing if the peer was notified of it. */
function stopTyping(chat: ChatModel): ChatStep {
  const { link } = chat;
  if (link.name !== "connected" || link.ownTypingSince === undefined) return { chat, effects: [] };
  const effects = [{ name: "typing", active: false } as const];
  return { chat: { ...chat, link: { ...link, ownTypingSince: undefined } }, effects };
}

function isUnseen(at: number, now: number): boolean {
  return Math.abs(now - at) < SEEN_AFTER;
}

/** Remembers whether a text was begun before the failure of a `/chat` can have been seen. */
function withBlindness(chat: ChatModel, isEmpty: boolean, now: number): ChatModel {
  const { stayed } = chat;
  if (stayed === undefined) return chat;
  if (isUnseen(stayed.at, now)) return { ...chat, stayed: { ...stayed, isTypedBlind: !isEmpty } };
  return stayed.isTypedBlind && !isEmpty ? chat : { ...chat, stayed: undefined };
}

/** What stands in the line was changed. */
function withChanged(chat: ChatModel, now: number): ChatModel {
  const { draft } = chat;
  const since = draft.name === "changed" ? draft.since : now;
  return { ...chat, draft: { name: "changed", isStored: draft.isStored, since, at: now } };
}

/** Stores the draft once nobody types for a moment, or has been typing for long. */
function keepDraft(chat: ChatModel, now: number): ChatStep {
  const { draft } = chat;
  if (draft.name === "settled") return { chat, effects: [] };
  const isDue =
    Math.abs(now - draft.at) >= DRAFT_KEPT_AFTER || Math.abs(now - draft.since) >= DRAFT_KEPT_EVERY;
  if (!isDue) return { chat, effects: [] };
  return { chat: { ...chat, draft: { name: "settled", isStored: true } }, effects: [{ name: "keepDraft" }] };
}

function onEdited(before: ChatModel, isEmpty: boolean, now: number): ChatStep {
  const chat = withChanged(withBlindness(before, isEmpty, now), now);
  if (isEmpty) return stopTyping(chat);
  const { link, verifying } = chat;
  if (link.name !== "connected" || verifying.name === "comparing") return { chat, effects: [] };
  const since = link.ownTypingSince;
  if (since !== undefined && Math.abs(now - since) < TYPING_NOTIFIED_EVERY) return { chat, effects: [] };
  const effects = [{ name: "typing", active: true } as const];
  return { chat: { ...chat, link: { ...link, ownTypingSince: now } }, effects };
}

/** Prints why nothing was done. @param typed the line that goes back into the input line, if any */
function givingBack(sentence: string, typed: string | undefined): ChatEffect[] {
  const print: ChatEffect = { name: "print", lines: [failure(sentence)] };
  return typed === undefined ? [print] : [print, { name: "giveBack", text: typed }];
}

/** Another chat cannot be opened. */
function onStays(chat: ChatModel, sentence: string, context: ChatContext): ChatStep {
  const { now, texts } = context;
  const said = failure(`${sentence} ${texts.chatStillWith(peerName(chat, context))}`);
  return printing({ ...chat, stayed: { at: now, isTypedBlind: false } }, [said]);
}

/** Whether a line leads to another chat. */
function isGoing(line: ParsedLine): boolean {
  if (line.name !== "command") return false;
  return (
    /^(?:chat|unread|[1-9])$/i.test(line.word) && (line.argument !== "" || line.word.toLowerCase() !== "chat")
  );
}

/** A typed line. What was meant for the person of a `/chat` that failed is not sent to this one unseen. */
function onLine(
  event: ChatEvent & { readonly name: "line" },
  before: ChatModel,
  context: ChatContext,
): ChatStep {
  const { now, texts } = context;
  const { chat: stopped, effects: ended } = stopTyping(before);
  const { stayed, restoredAt, draft } = stopped;
  const isStored = false;
  const chat: ChatModel = { ...stopped, draft: { name: "settled", isStored }, restoredAt: undefined };
  const effects: readonly ChatEffect[] = draft.isStored ? [...ended, { name: "keepDraft" }] : ended;
  const line = parseLine(event.typed);
  const isMove = line.name === "nothing" || line.name === "leave" || isGoing(line);
  // Keys that were typed while the chat was being opened stand behind the draft.
  if (restoredAt !== undefined && !isMove && isUnseen(restoredAt, now)) {
    return { chat, effects: [...effects, ...givingBack(texts.chatDraftNotSent, event.typed)] };
  }
  if (stayed !== undefined && !isMove && (stayed.isTypedBlind || isUnseen(stayed.at, now))) {
    const refusal = givingBack(texts.chatNotSentHere(peerName(chat, context)), event.typed);
    return { chat: { ...chat, stayed: { at: now, isTypedBlind: false } }, effects: [...effects, ...refusal] };
  }
  const answer = line.name === "message" ? answerOf(line.text, chat, context) : undefined;
  const result =
    answer ?? (line.name === "command" ? runCommand(line.word, line.argument, chat, context) : line);
  if (result.name === "stays") {
    const stays = onStays(chat, result.sentence, context);
    return { chat: stays.chat, effects: [...effects, ...stays.effects] };
  }
  const isTyped = line.name === "message";
  return {
    chat: { ...chat, stayed: undefined },
    effects: [...effects, ...resultEffects(result, event, isTyped, context)],
  };
}

/**
 * The effects of a typed line. If its text cannot be sent, prints why and gives the line back.
 * @param isTyped the line is a message, not a command
 */
function resultEffects(
  result:
    Exclude<ParsedLine, { readonly name: "command" }> | Exclude<CommandResult, { readonly name: "stays" }>,
  { typed, expand }: ChatEvent & { readonly name: "line" },
  isTyped: boolean,
  context: ChatContext,
): readonly ChatEffect[] {
  switch (result.name) {
    case "nothing":
      return [];
    case "leave":
      return [{ name: "leave", to: undefined }];
    case "perhapsCommand": {
      const sentence = context.texts.chatPerhapsCommand(result.word, result.command);
      return [{ name: "print", lines: [notice(sentence)] }];
    }
    case "effects":
      return result.effects;
    case "fault":
      return givingBack(result.sentence, typed);
    case "message":
    case "text": {
      const { texts } = context;
      const text = expand(result.text);
      if (isBlank(text)) return isTyped ? [] : givingBack(texts.textEmpty, typed);
      if (!text.isWellFormed()) return givingBack(texts.chatNotText, typed);
      const bytes = Buffer.byteLength(text, "utf8");
      if (bytes > MAX_TEXT_BYTES) return givingBack(texts.chatTooLong(bytes, MAX_TEXT_BYTES), typed);
      return [result.name === "message" ? { name: "send", text } : result.effect(text, typed)];
    }
    default:
      return result satisfies never;
  }
}

/** Ends the typing of either side when it has timed out. */
function endTyping(chat: ChatModel, now: number): ChatStep {
  const { link } = chat;
  if (link.name !== "connected") return { chat, effects: [] };
  const { ownTypingSince: own, peerTypingSince: peer } = link;
  const isQuiet = peer !== undefined && Math.abs(now - peer) >= PEER_TYPING_ENDS;
  const quiet = isQuiet ? { ...chat, link: { ...link, peerTypingSince: undefined } } : chat;
  const isIdle = own !== undefined && Math.abs(now - own) >= OWN_TYPING_ENDS;
  return isIdle ? stopTyping(quiet) : { chat: quiet, effects: [] };
}

function onTick(before: ChatModel, context: ChatContext): ChatStep {
  const typing = endTyping(before, context.now);
  const waiting = tellOfWait(typing.chat, context);
  const { chat, effects } = printing(waiting.chat, waiting.lines);
  const way = tellWay(chat, context);
  const files = withFiles(way.chat, tickFiles(way.chat.files, filesContext(chat, context)));
  const kept = keepDraft(files.chat, context.now);
  const all = [typing.effects, effects, way.effects, files.effects, kept.effects];
  return { chat: kept.chat, effects: all.flat() };
}

/** No key is pending: the next one is reported at once. */
function withoutPendingKey(chat: ChatModel): ChatModel {
  return withNotified(chat, { keyAt: undefined });
}

function onKeyAnswer(
  chat: ChatModel,
  result: (ChatEvent & { name: "keyAccepted" })["result"],
  context: ChatContext,
): ChatStep {
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

/** A key leads to another chat: the line stays as the draft. */
function onGoTo(before: ChatModel, to: number | "unread", context: ChatContext): ChatStep {
  const { chat, effects } = stopTyping(before);
  const result = to === "unread" ? goToUnread("", chat, context) : goToNumber(to, chat, context);
  if (result.name === "stays") {
    const stays = onStays(chat, result.sentence, context);
    return { chat: stays.chat, effects: [...effects, ...stays.effects] };
  }
  return { chat, effects: result.name === "effects" ? [...effects, ...result.effects] : effects };
}

/** The chat after one event, and the effects in the order in which they are carried out. */
export function updateChat(before: ChatModel, event: ChatEvent, context: ChatContext): ChatStep {
  const { chat, effects } = withOpening(update(before, event, context), event, context);
  const isGivenBack = effects.some(({ name }) => name === "giveBack");
  return { chat: isGivenBack ? withChanged(chat, context.now) : chat, effects };
}

function update(chat: ChatModel, event: ChatEvent, context: ChatContext): ChatStep {
  switch (event.name) {
    case "opened":
      return showOpened(chat, event, context);
    case "page":
      return showPage(chat, event, context);
    case "line":
      return onLine(event, chat, context);
    case "edited":
      return onEdited(chat, event.isEmpty, context.now);
    case "goTo":
      return onGoTo(chat, event.chat, context);
    case "leaving": {
      const { chat: stopped, effects } = stopTyping(chat);
      return { chat: stopped, effects: [...effects, { name: "leave", to: undefined }] };
    }
    case "messenger":
      return onMessenger(chat, event, context);
    case "files":
      return printing(chat, [
        filesLine(event, (username) => shownName(context.names, username), context.texts),
      ]);
    case "leftOut":
      return printing(chat, [notice(leftOutSentence(event.folder, event, context.texts))]);
    case "getsAlways":
      return printing(chat, [getsAlwaysLine(event, peerName(chat, context), context.texts)]);
    case "tick":
      return onTick(chat, context);
    case "seen":
      return withSeen(chat, context.now);
    case "online":
      return printing(chat, [onlineLine(event, context)]);
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
    case "chats":
      return showChats(chat, event, context);
    case "listed":
      return showListed(chat, event, context);
    case "found":
      return showFound(chat, event, context);
    case "indexing":
      return printing(chat, [notice(context.texts.searchIndexing(event.percent))]);
    case "info":
      return printing(chat, [infoLine(event.message, event.chat, context)]);
    case "linkInfo":
      return printing(chat, [linkLine(event, chat, context)]);
    case "copied":
      return printing(chat, [copiedLine(event, context)]);
    case "deleted":
    case "deletingChat":
    case "deletedChat":
      return onDeleted(chat, event, context);
    case "exported":
      return printing(chat, [notice(context.texts.exported(event.count, quotedText(event.file)))]);
    case "refused": {
      const sentence = describeAction(event.code, peerName(chat, context), context.texts);
      return { chat, effects: givingBack(sentence, event.typed) };
    }
    case "failed":
      return { chat, effects: givingBack(event.sentence, event.typed) };
    case "stays":
      return onStays(chat, event.sentence, context);
    default:
      return event satisfies never;
  }
}
