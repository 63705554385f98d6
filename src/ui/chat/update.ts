/** The chat's update and the prompt of its input line: pure, so that every moment of it can be tried. */
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { Texts } from "../texts/texts.ts";
import { runCommand } from "./commands.ts";
import { onMessenger, printing } from "./on-event.ts";
import { describeAction, infoLine, onDeleted } from "./changes.ts";
import { showElsewhere, showFound, showListed, showOpened, showPage } from "./transcript.ts";
import type { ChatEffect, ChatEvent, ChatModel, ChatStep } from "./model.ts";
import { failure, notice, onlineLine, peerName, safetyLines, type ChatScene } from "./notices.ts";
import { NONE_BEYOND, tellOfWaiting } from "./delivery-tracking.ts";
import { notifyOfPresence } from "./presence-doubt.ts";
import { faultOf, parseLine } from "./typed-line.ts";
import { stateMark } from "../format/message-format.ts";
import type { Line } from "../format/printed-line.ts";

export type { ChatScene } from "./notices.ts";

/** The peer is told at most so often that we type, in ms. */
const TYPING_TOLD_EVERY = 4_000;
/** So long after it was told last, in ms, it is taken back: 4 to 8 s after the last key. */
const OWN_TYPING_ENDS = 8_000;
/** The peer's word that they type holds so long, in ms. */
const PEER_TYPING_ENDS = 10_000;

/** A chat that nothing is known of yet. @param peer in the registered spelling, as far as it is known @param isStranger no link with them was ever there */
export function openChat(peer: string, isStranger = false): ChatModel {
  return {
    peer,
    isStranger,
    link: { name: "connecting" },
    serverWord: { name: "unknown" },
    heardAt: undefined,
    isSilent: false,
    presenceNotified: { name: "nothing" },
    last: undefined,
    own: [],
    listed: [],
    waiting: [],
    arrived: [],
    beyond: NONE_BEYOND,
    peerTypingSince: undefined,
    ownTypingSince: undefined,
    day: undefined,
    oldest: undefined,
    newest: 0,
    keyPending: false,
    serverLost: "no",
    diskToldAt: undefined,
    peerDiskToldAt: undefined,
  };
}

/** What stands before the text being typed: the state of our last message, and whether the other one types. */
export function chatPrompt(chat: ChatModel, texts: Texts): string {
  const mark = chat.last === undefined ? "" : `${stateMark(chat.last.state, texts)} `;
  const typing = chat.peerTypingSince === undefined ? "" : `${texts.chatTyping} `;
  return `${mark}${typing}> `;
}

/** Ends our typing, if the peer believes in it. */
function stopTyping(chat: ChatModel): { chat: ChatModel; effects: ChatEffect[] } {
  if (chat.ownTypingSince === undefined) return { chat, effects: [] };
  const effects: ChatEffect[] = chat.link.name === "connected" ? [{ name: "typing", active: false }] : [];
  return { chat: { ...chat, ownTypingSince: undefined }, effects };
}

function onEdited(chat: ChatModel, isEmpty: boolean, now: number): ChatStep {
  if (isEmpty) return stopTyping(chat);
  const { ownTypingSince: since, link } = chat;
  const isTold = since !== undefined && Math.abs(now - since) < TYPING_TOLD_EVERY;
  if (isTold || link.name !== "connected") return { chat, effects: [] };
  return { chat: { ...chat, ownTypingSince: now }, effects: [{ name: "typing", active: true }] };
}

/** Says why nothing was done; the line, if it is worth it, goes back. */
function givingBack(sentence: string, typed: string | undefined): ChatEffect[] {
  const told: ChatEffect = { name: "print", lines: [failure(sentence)] };
  return typed === undefined ? [told] : [told, { name: "giveBack", text: typed }];
}

function send(text: string): ChatEffect {
  return { name: "send", text };
}

/** What is done with a text; or says why no peer would take it, and gives it back as it was typed. */
function sending(
  text: string,
  typed: string,
  effect: (text: string, typed: string) => ChatEffect,
  { texts }: ChatScene,
): ChatEffect[] {
  if (text.trim() === "") return [];
  const fault = faultOf(text);
  if (fault === undefined) return [effect(text, typed)];
  const { name } = fault;
  const sentence = name === "tooLong" ? texts.chatTooLong(fault.bytes, MAX_TEXT_BYTES) : texts.chatNotText;
  return givingBack(sentence, typed);
}

function onLine(
  chat: ChatModel,
  { typed, expand }: { readonly typed: string; readonly expand: (text: string) => string },
  scene: ChatScene,
): ChatStep {
  const stopped = stopTyping(chat);
  const then = (...effects: readonly ChatEffect[]): ChatStep => ({
    chat: stopped.chat,
    effects: [...stopped.effects, ...effects],
  });
  const line = parseLine(typed);
  switch (line.name) {
    case "nothing":
      return stopped;
    case "leave":
      return then({ name: "leave", to: undefined });
    case "message":
      return then(...sending(expand(line.text), typed, send, scene));
    case "command": {
      const result = runCommand(line, chat, scene);
      switch (result.name) {
        case "text":
          return then(...sending(expand(result.text), typed, result.effect, scene));
        case "leave":
          return then(result);
        case "fault":
          return then(...givingBack(result.sentence, typed));
        case "effects":
          return then(...result.effects);
        default:
          return result satisfies never;
      }
    }
    default:
      return line satisfies never;
  }
}

function onTick(chat: ChatModel, scene: ChatScene): ChatStep {
  const { now } = scene;
  const own = chat.ownTypingSince;
  const isIdle = own !== undefined && Math.abs(now - own) >= OWN_TYPING_ENDS;
  const { chat: typed, effects } = isIdle ? stopTyping(chat) : { chat, effects: [] };
  const peer = typed.peerTypingSince;
  const isQuiet = peer !== undefined && Math.abs(now - peer) >= PEER_TYPING_ENDS;
  const quiet = isQuiet ? { ...typed, peerTypingSince: undefined } : typed;
  const { chat: waiting, lines } = tellOfWaiting(quiet, scene);
  const { chat: told, lines: notifications } = notifyOfPresence(waiting, scene);
  const printed = printing(told, [...lines, ...notifications]);
  return { chat: printed.chat, effects: [...effects, ...printed.effects] };
}

function onKeyAnswer(
  chat: ChatModel,
  result: (ChatEvent & { name: "keyAccepted" })["result"],
  scene: ChatScene,
): ChatStep {
  const { texts } = scene;
  const user = peerName(chat, scene);
  switch (result) {
    case "accepted": {
      const { link } = chat;
      const isFree = link.name === "unreachable" && link.reason === "key_pending";
      const next: ChatModel = { ...chat, keyPending: false, link: isFree ? { name: "connecting" } : link };
      return printing(next, [notice(texts.keyAccepted(user))]);
    }
    case "none":
      return printing({ ...chat, keyPending: false }, [notice(texts.noPendingKey(user))]);
    case "not_shown":
      return printing(chat, [notice(texts.chatNotShown(user))]);
    case "changed_again": {
      const { effects } = printing(chat, [failure(texts.keyChangedAgain(user))]);
      return { chat: { ...chat, keyPending: true }, effects: [...effects, { name: "showSafetyNumber" }] };
    }
    default:
      return result satisfies never;
  }
}

/** The chat after one event, and what is to be done, in order. */
export function updateChat(chat: ChatModel, event: ChatEvent, scene: ChatScene): ChatStep {
  switch (event.name) {
    case "opened":
      return showOpened(chat, event, scene);
    case "elsewhere":
      return showElsewhere(chat, event, scene);
    case "page":
      return showPage(chat, event, scene);
    case "line":
      return onLine(chat, event, scene);
    case "edited":
      return onEdited(chat, event.isEmpty, scene.now);
    case "leaving": {
      const { chat: stopped, effects } = stopTyping(chat);
      return { chat: stopped, effects: [...effects, { name: "leave", to: undefined }] };
    }
    case "messenger":
      return onMessenger(chat, event, scene);
    case "tick":
      return onTick(chat, scene);
    case "online":
      return printing(chat, [onlineLine(event, scene)]);
    case "safetyNumber": {
      const lines: Line[] = safetyLines(chat, event.numbers, scene);
      return printing(chat, lines);
    }
    case "keyAccepted":
      return onKeyAnswer(chat, event.result, scene);
    case "listed":
      return showListed(chat, event, scene);
    case "found":
      return showFound(chat, event, scene);
    case "info":
      return printing(chat, [infoLine(event.message, event.chat, scene)]);
    case "deleted":
    case "deletingChat":
    case "deletedChat":
      return onDeleted(chat, event, scene);
    case "exported":
      return printing(chat, [notice(scene.texts.exported(event.count, visibleText(event.file)))]);
    case "refused": {
      const sentence = describeAction(event.code, peerName(chat, scene), scene.texts);
      return { chat, effects: givingBack(sentence, event.typed) };
    }
    case "failed":
      return { chat, effects: givingBack(event.sentence, event.typed) };
    default:
      return event satisfies never;
  }
}
