/**
 * The two sources of the peer's presence, the server's word and the last answer on the direct link:
 * what is said when they disagree.
 */
import type { ChatModel, PresenceNotified } from "./model.ts";
import { notice, peerName, type ChatScene } from "./notices.ts";
import { ageOf } from "../format/local-time.ts";
import type { Line } from "../format/printed-line.ts";

/** Ages of a silence, in ms, at which it is told again; in between and later it is not. */
const TOLD_AT: readonly number[] = [40_000, 120_000, 600_000, 3_600_000];
/** A link outlives the server's word that its other side has gone by less than that, in ms. */
const OFFLINE_DOUBTED_AFTER = 5_000;

type Comparison =
  | { readonly name: "agree" }
  /** `since`: the last answer, ms since 1970; undefined: there was none. */
  | { readonly name: "silent"; readonly since: number | undefined }
  | { readonly name: "answers" };

function compareSources({ link, serverWord, heardAt, isSilent }: ChatModel, now: number): Comparison {
  if (link.name === "connected") {
    if (isSilent)
      return serverWord.name === "offline" ? { name: "agree" } : { name: "silent", since: heardAt };
    const isDoubted = serverWord.name === "offline" && now - serverWord.since >= OFFLINE_DOUBTED_AFTER;
    return { name: isDoubted ? "answers" : "agree" };
  }
  const isDeaf =
    link.name === "unreachable" && (link.reason === "unreachable" || link.reason === "not_admitted");
  return isDeaf && serverWord.name === "online" ? { name: "silent", since: heardAt } : { name: "agree" };
}

function silentSentence(chat: ChatModel, since: number | undefined, scene: ChatScene): string {
  const { texts, now } = scene;
  const user = peerName(chat, scene);
  if (since === undefined) return texts.chatNeverAnswered(user);
  const age = ageOf(now - since);
  return chat.serverWord.name === "online" ? texts.chatSilentOnline(user, age) : texts.chatSilent(user, age);
}

function toldOf(comparison: Comparison, now: number): PresenceNotified {
  if (comparison.name === "agree") return { name: "nothing" };
  if (comparison.name === "answers") return { name: "answers" };
  const age = now - (comparison.since ?? now);
  return { name: "silent", level: TOLD_AT.filter((at) => age >= at).length };
}

/** What the two say, as part of the line about a link that has changed; empty: they agree. */
export function tellWithLink(chat: ChatModel, scene: ChatScene): { chat: ChatModel; sentence: string } {
  const comparison = compareSources(chat, scene.now);
  const told = { ...chat, presenceNotified: toldOf(comparison, scene.now) };
  if (comparison.name !== "silent") return { chat: told, sentence: "" };
  return { chat: told, sentence: silentSentence(chat, comparison.since, scene) };
}

/** What there is to tell of the two on a tick: each change once, and a silence at a few ages. */
export function notifyOfPresence(before: ChatModel, scene: ChatScene): { chat: ChatModel; lines: Line[] } {
  const { now, texts } = scene;
  const comparison = compareSources(before, now);
  const told = before.presenceNotified;
  const next = toldOf(comparison, now);
  if (
    next.name === told.name &&
    (next.name !== "silent" || told.name !== "silent" || next.level <= told.level)
  )
    return { chat: before, lines: [] };
  const chat = { ...before, presenceNotified: next };
  const user = peerName(chat, scene);
  switch (comparison.name) {
    case "silent":
      return { chat, lines: [notice(silentSentence(chat, comparison.since, scene))] };
    case "answers":
      return { chat, lines: [notice(texts.chatAnswersOffline(user))] };
    case "agree": {
      const isBack = told.name === "silent" && chat.link.name === "connected" && !chat.isSilent;
      return { chat, lines: isBack ? [notice(texts.chatRespondsAgain(user))] : [] };
    }
    default:
      return comparison satisfies never;
  }
}
