/** The chat's update and its prompt, pure functions; what chats with persons and groups take in their own ways stands beside it. */
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { isBlank } from "../../protocol/visible-text.ts";
import { fileName, leftOutSentence } from "../format/file-words.ts";
import { shownName, type NameBook } from "../format/name-book.ts";
import type { LinePrompt } from "../line/line-prompt.ts";
import type { Texts } from "../texts/texts.ts";
import { copiedLine, describeAction, infoLine, onDeleted } from "./changes.ts";
import { runCommand } from "./commands.ts";
import { cannotWrite } from "./group/group-lines.ts";
import { filesLine, getsAlwaysLine } from "./files/file-lines.ts";
import { answerInGroup, groupPrompt, tickGroup, updateGroup } from "./group-update.ts";
import type { CommandResult } from "./message-commands.ts";
import type { ChatContext, ChatEffect, ChatEvent, ChatModel, ChatStep } from "./model.ts";
import { failure, notice, onlineLine, peerName, printing } from "./notices.ts";
import { goToNumber, goToUnread, showChats } from "./other-chats.ts";
import {
  onTyped,
  personPrompt,
  stopTyping as stopTypingTo,
  tickPerson,
  updatePerson,
} from "./person-update.ts";
import { showFound, showListed, showPage, withOpening, withSeen } from "./transcript.ts";
import { parseLine, type ParsedLine } from "./typed-line.ts";
import { answerOf } from "./verification.ts";

/** A draft is stored when no key was typed for so long, or so long after its first change; in ms. */
const DRAFT_KEPT_AFTER = 2_000;
const DRAFT_KEPT_EVERY = 10_000;
/** Nobody has read a notice before it has stood this long, in ms. */
const SEEN_AFTER = 1_000;

/** The prompt of the open chat. @param waiting unread messages in other chats */
export function chatPrompt(chat: ChatModel, names: NameBook, texts: Texts, waiting = 0): LinePrompt {
  return chat.kind === "person"
    ? personPrompt(chat, names, texts, waiting)
    : groupPrompt(chat, names, texts, waiting);
}

function stopTyping(chat: ChatModel): ChatStep {
  return chat.kind === "person" ? stopTypingTo(chat) : { chat, effects: [] };
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
  return chat.kind === "person" ? onTyped(chat, now) : { chat, effects: [] };
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

/** What is typed while something is asked. */
function answerIn(text: string, chat: ChatModel, context: ChatContext): CommandResult | undefined {
  return chat.kind === "person" ? answerOf(text, chat, context) : answerInGroup(text, chat, context);
}

/** What the next line answers: after a fault what it did before. */
function withAsked(chat: ChatModel, result: { readonly name: string } | CommandResult): ChatModel {
  if (chat.kind === "person" || result.name === "fault") return chat;
  return { ...chat, asked: "effect" in result && result.name === "asks" ? result.effect : undefined };
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
  const answer = line.name === "message" ? answerIn(line.text, chat, context) : undefined;
  const result =
    answer ?? (line.name === "command" ? runCommand(line.word, line.argument, chat, context) : line);
  if (result.name === "stays") {
    const stays = onStays(chat, result.sentence, context);
    return { chat: stays.chat, effects: [...effects, ...stays.effects] };
  }
  if (result.name === "message" && chat.kind === "group" && !chat.group.may_write) {
    const refusal = givingBack(cannotWrite(chat.group, texts), event.typed);
    return { chat, effects: [...effects, ...refusal] };
  }
  const isTyped = line.name === "message";
  return {
    chat: withAsked({ ...chat, stayed: undefined }, result),
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
    case "asks":
      return [{ name: "print", lines: [notice(result.sentence)] }];
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

function onTick(before: ChatModel, context: ChatContext): ChatStep {
  const { chat, effects } =
    before.kind === "person" ? tickPerson(before, context) : tickGroup(before, context);
  const kept = keepDraft(chat, context.now);
  return { chat: kept.chat, effects: [...effects, ...kept.effects] };
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
    case "files":
      return printing(chat, [
        filesLine(event, (username) => shownName(context.names, username), context.texts),
      ]);
    case "counting":
      return printing(chat, [notice(context.texts.fileCounting(fileName(event.file)))]);
    case "leftOut":
      return printing(chat, [notice(leftOutSentence(event.folder, event, context.texts))]);
    case "tick":
      return onTick(chat, context);
    case "getsAlways":
      return printing(chat, [getsAlwaysLine(event, peerName(chat, context), context.texts)]);
    case "founded":
      return { chat, effects: [{ name: "leave", to: event.username }] };
    case "seen":
      return withSeen(chat, context.now);
    case "online":
      return printing(chat, [onlineLine(event, context)]);
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
      return chat.kind === "person" ? updatePerson(chat, event, context) : updateGroup(chat, event, context);
  }
}
