/** The commands on stored messages: resolves message numbers, and gives the effects. */
import { isSamePerson } from "../../identity/names.ts";
import { normalForm } from "../../protocol/normal-form.ts";
import { groupInfoLine } from "./group/group-lines.ts";
import { chatMeant, typedChat } from "./group/group-names.ts";
import type { GroupEffect } from "./group/model.ts";
import type { ChatContext, ChatEffect, ChatModel, Target } from "./model.ts";
import { failure, notice, peerName } from "./notices.ts";
import { excerptOf } from "../format/excerpt.ts";
import type { Line } from "../format/printed-line.ts";
import { shownName } from "../format/name-book.ts";

/** Messages that `/list` shows by default, and at most. */
const LISTED = 10;
const MAX_LISTED = 50;
/** UTF-16 units of a typed word that are read as a number: longer than any number, in whatever digits. */
const MAX_NUMBER = 9;

/** The result of a command: effects, or a text that is checked before it is sent or its effect is carried out. */
export type CommandResult =
  | { readonly name: "effects"; readonly effects: readonly ChatEffect[] }
  /** Nothing is done, and the line is given back. */
  | { readonly name: "fault"; readonly sentence: string }
  /** It is done if the next line is a yes. */
  | { readonly name: "asks"; readonly sentence: string; readonly effect: GroupEffect }
  /** The person wanted to go to another chat, and cannot. */
  | { readonly name: "stays"; readonly sentence: string }
  | { readonly name: "message"; readonly text: string }
  | {
      readonly name: "text";
      readonly text: string;
      /** @param text with its placeholders replaced @param typed the whole line */
      readonly effect: (text: string, typed: string) => ChatEffect;
    };

/** Runs a command. @param argument trimmed */
export type Run<C = ChatModel> = (argument: string, chat: C, context: ChatContext) => CommandResult;

export function effects(...list: readonly ChatEffect[]): CommandResult {
  return { name: "effects", effects: list };
}

export function print(...lines: readonly Line[]): CommandResult {
  return effects({ name: "print", lines });
}

type Chosen =
  | { readonly name: "target"; readonly target: Target; readonly rest: string }
  | { readonly name: "fault"; readonly sentence: string };

const LAST: Target = { name: "last" };

/** The message meant by a first word with `#`. Such a word is a number or a fault, never a text. */
function choose(argument: string, { transcript: { listed } }: ChatModel, { texts }: ChatContext): Chosen {
  if (!argument.startsWith("#")) return { name: "target", target: LAST, rest: argument };
  const [, word = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(argument) ?? [];
  const number = /^#[0-9]{1,3}$/.test(word) ? Number(word.slice(1)) : undefined;
  if (number === undefined) return { name: "fault", sentence: texts.chatNoNumber(excerptOf(word)) };
  if (listed.length === 0) return { name: "fault", sentence: texts.chatNoList };
  const message = listed[number - 1];
  if (message === undefined) return { name: "fault", sentence: texts.chatNotListed(number, listed.length) };
  return { name: "target", target: { name: "listed", message }, rest };
}

/** As `choose`, for commands that need the message's own chat. */
function chooseHere(argument: string, chat: ChatModel, context: ChatContext): Chosen {
  const chosen = choose(argument, chat, context);
  if (chosen.name === "fault" || chosen.target.name === "last") return chosen;
  const { chat: other } = chosen.target.message;
  if (isSamePerson(other, chat.username)) return chosen;
  const sentence = context.texts.chatOtherChat(shownName(context.names, other), typedChat(other, context));
  return { name: "fault", sentence };
}

/** `/copy`, `/withdraw` and `/cancel`. */
export function onTarget(name: "copy" | "withdraw" | "cancel"): Run {
  return (argument, chat, context) => {
    const chosen = (name === "copy" ? choose : chooseHere)(argument, chat, context);
    if (chosen.name === "fault") return print(failure(chosen.sentence));
    if (chosen.rest !== "") return print(notice(context.texts.chatOnlyNumber(`/${name}`)));
    return effects({ name, target: chosen.target });
  };
}

/** `/info` of the link, or of a message with a number. */
export const info: Run = (argument, chat, context) => {
  const chosen = choose(argument, chat, context);
  if (chosen.name === "fault") return print(failure(chosen.sentence));
  if (chosen.rest !== "") return print(notice(context.texts.chatOnlyNumber("/info")));
  const { target } = chosen;
  if (target.name !== "last") return effects({ name: "info", message: target.message });
  return chat.kind === "person"
    ? effects({ name: "linkInfo" })
    : print(groupInfoLine(chat.group, context.texts));
};

/** `/edit` and `/reply`: a text, optionally with a number before it. */
export function withText(name: "edit" | "reply"): Run {
  return (argument, chat, context) => {
    const { texts } = context;
    // People type the numbers of a list without `#`: ask, rather than send the number as text.
    const [word = ""] = /^\S+/.exec(argument) ?? [];
    const bare = argument.startsWith("#")
      ? undefined
      : /^#?([0-9]{1,3})[.:)]?$/.exec(normalForm(word.slice(0, MAX_NUMBER), "NFKC"))?.[1];
    const number = Number(bare ?? 0);
    if (number >= 1 && number <= chat.transcript.listed.length)
      return { name: "fault", sentence: texts.chatMeansNumber(number, word, name) };
    const chosen = chooseHere(argument, chat, context);
    if (chosen.name === "fault") return chosen;
    const { target, rest } = chosen;
    if (rest === "") return print(notice(texts.chatUsage(`/${name} #N ${texts.chatArgumentText}`)));
    return { name: "text", text: rest, effect: (text, typed) => ({ name, target, text, typed }) };
  };
}

export const list: Run = (argument, _chat, { texts }) => {
  const count = argument === "" ? LISTED : /^[0-9]{1,3}$/.test(argument) ? Number(argument) : 0;
  if (count < 1 || count > MAX_LISTED) return print(notice(texts.chatListRange(MAX_LISTED)));
  return effects({ name: "list", count });
};

/** `/delete #N`, or `/delete chat NAME`; without the name it explains what to type. */
export const remove: Run = (argument, chat, context) => {
  const { texts } = context;
  const user = peerName(chat, context);
  const whole = /^chat(?:\s+(.*))?$/is.exec(argument);
  if (whole !== null) {
    const name = whole[1];
    if (name === undefined)
      return print(notice(texts.chatDeleteAsk(user, typedChat(chat.username, context))));
    const meant = chatMeant(name, context);
    if ("username" in meant && isSamePerson(meant.username, chat.username))
      return effects({ name: "deleteChat" });
    return print(failure(texts.chatDeleteOther(user, typedChat(chat.username, context))));
  }
  if (!argument.startsWith("#")) return print(notice(texts.chatUsage("/delete #N, /delete chat")));
  const chosen = chooseHere(argument, chat, context);
  if (chosen.name === "fault") return print(failure(chosen.sentence));
  if (chosen.rest !== "" || chosen.target.name === "last") {
    return print(notice(texts.chatOnlyNumber("/delete")));
  }
  return effects({ name: "delete", message: chosen.target.message });
};
