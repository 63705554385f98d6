/** The commands that lead to other chats, and that make somebody quiet. */
import { MAX_MUTED } from "../../client/contact-choices.ts";
import { isSamePerson } from "../../identity/names.ts";
import { excerptOf } from "../format/excerpt.ts";
import { localClock, localDay } from "../format/local-time.ts";
import { shownName } from "../format/name-book.ts";
import { parseDuration } from "../format/past-time.ts";
import type { Texts } from "../texts/texts.ts";
import { countOffers, isUnread } from "./files/offers.ts";
import { chatMeant } from "./group/group-names.ts";
import { effects, print, type CommandResult, type Run } from "./message-commands.ts";
import type { ChatContext, ChatEvent, ChatModel, ChatStep, OtherChats } from "./model.ts";
import { notice, peerName, printing } from "./notices.ts";

/** ms */
const DAY = 86_400_000;

/** Until when nothing of a person is announced, ms since 1970; undefined: it is. */
export function mutedUntil(muted: OtherChats["muted"], username: string, now: number): number | undefined {
  return muted.values().find((each) => each.until > now && isSamePerson(each.username, username))?.until;
}

/** The unread messages and offers of all but those who are quiet. */
export function unreadCount(
  { unread, muted, offers }: Omit<OtherChats, "numbered" | "groups">,
  now: number,
): number {
  let sum = 0;
  for (const [contact, { count }] of unread) if (!isMuted(muted, contact, now)) sum += count;
  for (const offer of offers.values())
    if (isUnread(offer) && mutedUntil(muted, offer.file.peer, now) === undefined) sum++;
  return sum;
}

/** @param contact the row number */
export function isMuted(muted: OtherChats["muted"], contact: number, now: number): boolean {
  return (muted.get(contact)?.until ?? 0) > now;
}

/** How to go to a chat: `/2`, or `/chat NAME`. @param typed the name as it is typed */
export function wayTo(username: string, typed: string, { numbered }: Pick<OtherChats, "numbered">): string {
  const index = numbered.findIndex((each) => isSamePerson(each, username));
  return index < 0 ? `/chat ${typed}` : `/${index + 1}`;
}

function goTo(username: string, chat: ChatModel, { texts, names }: ChatContext): CommandResult {
  if (!isSamePerson(username, chat.username)) return effects({ name: "leave", to: username });
  return print(notice(texts.chatAlreadyHere(shownName(names, chat.username))));
}

/** `/chat NAME`; without the name, the chats with numbers. */
export const goToChat: Run = (typed, chat, context) => {
  if (typed === "") return effects({ name: "listChats" });
  const meant = chatMeant(typed, context);
  return "fault" in meant ? { name: "stays", sentence: meant.fault } : goTo(meant.username, chat, context);
};

/** `/1` … `/9`, or Alt with the digit. */
export function goToNumber(number: number, chat: ChatModel, context: ChatContext): CommandResult {
  const username = context.numbered[number - 1];
  if (username === undefined) return { name: "stays", sentence: context.texts.chatNoChat(number) };
  return goTo(username, chat, context);
}

/** `/unread`: to who has waited longest for a message to be read, then for an answer to an offer; those who are quiet come last. */
export const goToUnread: Run = (_argument, _chat, { unread, muted, offers, now, texts }) => {
  const offering = [...offers.values()].filter(isUnread).map(({ file }) => file.peer);
  const waiting = [...[...unread.values()].map(({ username }) => username), ...offering];
  const next = waiting.find((username) => mutedUntil(muted, username, now) === undefined) ?? waiting[0];
  if (next === undefined) return { name: "stays", sentence: texts.chatNothingUnread };
  return effects({ name: "leave", to: next });
};

/** `/mute 8h`, `/mute off`; alone it says how it is. */
export const mute: Run = (argument, chat, context) => {
  const { texts, muted, now } = context;
  if (argument === "") return print(notice(mutedText(mutedUntil(muted, chat.username, now), chat, context)));
  const seconds = mutedSeconds(argument);
  return seconds === undefined ? print(notice(texts.badMute(argument))) : effects({ name: "mute", seconds });
};

/** For how long somebody is to be quiet, as it was typed: `90m`, `8h`, `7d`, or `off`: 0. In s; undefined: it is neither. */
export function mutedSeconds(typed: string): number | undefined {
  if (typed.toLowerCase() === "off") return 0;
  const duration = (parseDuration(typed) ?? 0) / 1_000;
  return duration > 0 && duration <= MAX_MUTED ? duration : undefined;
}

export function mutedText(until: number | undefined, chat: ChatModel, context: ChatContext): string {
  const { texts, now } = context;
  return mutedSentence(peerName(chat, context), until, now, texts);
}

/** A time to come, with its day where the clock alone does not say which. @param time, now ms since 1970 */
export function untilText(time: number, now: number, texts: Texts): string {
  return time - now < DAY
    ? texts.mutedClock(localClock(time))
    : texts.mutedDay(localDay(time), localClock(time));
}

/** Whether somebody is quiet, in one sentence. @param user as shown */
export function mutedSentence(user: string, until: number | undefined, now: number, texts: Texts): string {
  return until === undefined ? texts.notMuted(user) : texts.mutedUntil(user, untilText(until, now, texts));
}

/** The chats with numbers, one in a row, and what waits in them. */
export function showChats(
  chat: ChatModel,
  { drafts }: ChatEvent & { readonly name: "chats" },
  { names, numbered, unread, muted, offers, now, texts }: ChatContext,
): ChatStep {
  const rows = numbered.map((username, index) => {
    const count = unread.values().find((each) => isSamePerson(each.username, username))?.count ?? 0;
    const offered = countOffers(offers, username);
    const until = mutedUntil(muted, username, now);
    const draft = drafts.get(username);
    const isHere = isSamePerson(username, chat.username);
    const notes = [
      ...(isHere ? [texts.chatHere] : []),
      ...(count > 0 ? [texts.menuNew(count)] : []),
      ...(offered > 0 ? [texts.offersNote(offered)] : []),
      ...(until === undefined ? [] : [texts.mutedNote(untilText(until, now, texts))]),
      ...(draft === undefined || isHere ? [] : [texts.draftNote(excerptOf(draft))]),
    ];
    return `/${index + 1} ${shownName(names, username)}${notes.map((note) => ` (${note})`).join("")}`;
  });
  return printing(chat, [notice([texts.chatNumbers, ...rows].join("\n"))]);
}
