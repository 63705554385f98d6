/**
 * Compares the two sources of the peer's presence, the server and the direct link, and prints a notice when they
 * disagree.
 */
import type { UnreachableReason } from "../../client/peer/dial.ts";
import { ageOf } from "../format/local-time.ts";
import type { Line } from "../format/printed-line.ts";
import type { ChatContext, ChatModel, PresenceNotice } from "./model.ts";
import { notice, peerName } from "./notices.ts";

/** The notice is printed when a silence reaches one of these ages, in ms. */
const NOTIFIED_AT: readonly number[] = [40_000, 120_000, 600_000, 3_600_000];
/** The server's «offline» is doubted only after this time, in ms: the link may notice later that the peer has gone. */
const OFFLINE_DOUBTED_AFTER = 5_000;

/** The peer gives no answer. */
const UNANSWERED: ReadonlySet<UnreachableReason> = new Set([
  "unreachable",
  "not_admitted",
  "no_greeting",
  "line_broke",
]);

type Comparison =
  | { readonly name: "agree" }
  /** `since`: time of the last answer, ms since 1970; undefined: there was none. */
  | { readonly name: "silent"; readonly since: number | undefined }
  | { readonly name: "answers" };

function compare({ link, presence }: ChatModel, now: number): Comparison {
  const { server, lastAnswerAt } = presence;
  if (link.name === "connected") {
    if (link.isSilent)
      return server.name === "offline" ? { name: "agree" } : { name: "silent", since: lastAnswerAt };
    const isDoubted = server.name === "offline" && now - server.since >= OFFLINE_DOUBTED_AFTER;
    return { name: isDoubted ? "answers" : "agree" };
  }
  const isUnanswered = link.name === "unreachable" && UNANSWERED.has(link.reason);
  return isUnanswered && server.name === "online"
    ? { name: "silent", since: lastAnswerAt }
    : { name: "agree" };
}

function silentSentence(chat: ChatModel, since: number | undefined, context: ChatContext): string {
  const { texts, now } = context;
  const user = peerName(chat, context);
  if (since === undefined) return texts.chatNeverAnswered(user);
  const age = ageOf(now - since);
  const isOnline = chat.presence.server.name === "online";
  return isOnline ? texts.chatSilentOnline(user, age) : texts.chatSilent(user, age);
}

function noticeOf(compared: Comparison, now: number): PresenceNotice {
  if (compared.name === "agree") return { name: "none" };
  if (compared.name === "answers") return { name: "answers" };
  const age = now - (compared.since ?? now);
  return { name: "silent", level: NOTIFIED_AT.filter((at) => age >= at).length };
}

function withNotified(chat: ChatModel, notified: PresenceNotice): ChatModel {
  return { ...chat, presence: { ...chat.presence, notified } };
}

/** A sentence to add to the line about a changed link; empty if the sources agree. */
export function doubtWithLink(
  before: ChatModel,
  context: ChatContext,
): { chat: ChatModel; sentence: string } {
  const compared = compare(before, context.now);
  const chat = withNotified(before, noticeOf(compared, context.now));
  const sentence = compared.name === "silent" ? silentSentence(chat, compared.since, context) : "";
  return { chat, sentence };
}

/** On a tick: a line if the comparison has changed, or if a silence has reached the next age. */
export function presenceDoubt(before: ChatModel, context: ChatContext): { chat: ChatModel; lines: Line[] } {
  const { now, texts } = context;
  const compared = compare(before, now);
  const { notified } = before.presence;
  const next = noticeOf(compared, now);
  const isLonger = next.name === "silent" && notified.name === "silent" && next.level > notified.level;
  if (next.name === notified.name && !isLonger) return { chat: before, lines: [] };
  const chat = withNotified(before, next);
  const user = peerName(chat, context);
  switch (compared.name) {
    case "silent":
      return { chat, lines: [notice(silentSentence(chat, compared.since, context))] };
    case "answers":
      return { chat, lines: [notice(texts.chatAnswersOffline(user))] };
    case "agree": {
      const { link } = chat;
      const isBack = notified.name === "silent" && link.name === "connected" && !link.isSilent;
      return { chat, lines: isBack ? [notice(texts.chatRespondsAgain(user))] : [] };
    }
    default:
      return compared satisfies never;
  }
}
