/** Who may write, in a chat: what is said of it, and `/accept`, `/decline` and `/block`. */
import type { ContactState } from "../../client/contact-choices.ts";
import { showFingerprint } from "../../identity/fingerprint.ts";
import { decisionSentence } from "../format/people-words.ts";
import type { Line } from "../format/printed-line.ts";
import { effects, print, type Run } from "./message-commands.ts";
import type { ChatContext, ChatEvent, ChatStep, OpenedChat, PersonChat } from "./model.ts";
import { isKeyAwaited, notice, peerName, printing } from "./notices.ts";

/** Hexadecimal digits of a fingerprint that a request shows. */
const SHOWN_DIGITS = 16;

function withState(chat: PersonChat, state: ContactState): PersonChat {
  return { ...chat, peer: { ...chat.peer, state } };
}

/** @param hasText false: their first text was too long to be shown */
function requestLine(
  chat: PersonChat,
  fingerprint: string | undefined,
  hasText: boolean,
  context: ChatContext,
): Line {
  const { texts } = context;
  const key = fingerprint === undefined ? undefined : showFingerprint(fingerprint.slice(0, SHOWN_DIGITS));
  const request = texts.chatRequest(peerName(chat, context), key);
  return notice(hasText ? request : `${request} ${texts.chatRequestTooLong}`);
}

/** Says in a chat that is opened what has to be known before one writes. */
export function stateLines(
  chat: PersonChat,
  { fingerprint, messages }: OpenedChat,
  context: ChatContext,
): readonly Line[] {
  const { texts } = context;
  switch (chat.peer.state) {
    case "request":
      return [requestLine(chat, fingerprint, messages.length > 0, context)];
    case "declined":
      return [notice(texts.chatDeclined(peerName(chat, context)))];
    case "blocked":
      return [notice(texts.chatBlocked(peerName(chat, context)))];
    case "contact":
    case "stranger":
      return [];
    default:
      return chat.peer.state satisfies never;
  }
}

/** They ask to write, or have written more. */
export function onRequest(
  before: PersonChat,
  count: number,
  fingerprint: string | undefined,
  context: ChatContext,
): ChatStep<PersonChat> {
  if (before.peer.state === "request") return { chat: before, effects: [] };
  const chat = withState(before, "request");
  return printing(chat, [requestLine(chat, fingerprint, count > 0, context)]);
}

/** It was decided whether they may write, in this chat or elsewhere. */
export function onContact(
  before: PersonChat,
  state: ContactState,
  context: ChatContext,
): ChatStep<PersonChat> {
  const isNews = state !== before.peer.state && state !== "request";
  const chat = withState(before, state);
  return printing(
    chat,
    isNews ? [notice(decisionSentence(peerName(chat, context), state, context.texts))] : [],
  );
}

/** The chat with somebody who was refused here is left, so that no line is taken for an answer, which would accept. */
export function onDecided(
  chat: PersonChat,
  { state }: ChatEvent & { readonly name: "decided" },
): ChatStep<PersonChat> {
  const isRefused = state === "declined" || state === "blocked";
  return { chat, effects: isRefused ? [{ name: "leave", to: undefined }] : [] };
}

/** Accepts a new key that waits, and otherwise who asks or was refused. */
export const accept: Run<PersonChat> = (_argument, { link, peer }) => {
  const isKey = peer.state === "contact" || (link.name === "away" && isKeyAwaited(link.reason));
  return effects(isKey ? { name: "acceptKey" } : { name: "decide", decision: "accept" });
};

/** Only a request is declined; everybody else can be blocked. */
export const decline: Run<PersonChat> = (_argument, chat, context) =>
  chat.peer.state === "request"
    ? effects({ name: "decide", decision: "decline" })
    : print(notice(context.texts.chatNoRequest(peerName(chat, context))));

export const block: Run<PersonChat> = (_argument, chat, context) =>
  chat.peer.state === "blocked"
    ? print(notice(context.texts.chatBlocked(peerName(chat, context))))
    : effects({ name: "decide", decision: "block" });
