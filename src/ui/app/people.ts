/** The list of people, «Write to someone…», and the chat that is opened from them. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import {
  CHOICE,
  START,
  accountOf,
  chatOf,
  failure,
  inAccount,
  isChatOpen,
  notice,
  openingChat,
  step,
  to,
  type AppContext,
} from "./steps.ts";
import { openGroups } from "./groups.ts";
import { isSamePerson } from "../../identity/names.ts";
import { withoutBurst } from "../notifications/bursts.ts";
import type { AppEffect, AppEvent, AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import type { ChatEvent, ChatModel } from "../chat/model.ts";
import { withSeenOffers } from "../chat/files/offers.ts";
import { chatMeant } from "../chat/group/group-names.ts";
import { openGroupChat } from "../chat/group-update.ts";
import { openChat } from "../chat/person-update.ts";
import { updateChat } from "../chat/update.ts";
import { conversationOf, shownName } from "../format/name-book.ts";
import { mergedPeople, peopleAfter, sortPeople, withGone, withUnread } from "./people-list.ts";

/** As many chats have numbers, one digit each. */
export const MAX_NUMBERED = 9;
type ChatOpened = AppEvent & { readonly name: "chatOpened" };
/** Ticks after which an open list is fetched again, for those who are new at the server: nothing tells of them. */
const FETCH_EVERY = 60;
/** The same while nobody is online. */
const FETCH_EVERY_ALONE = 10;

/** Fetches and opens the list. */
export function openPeople(model: AppModel, account: OpenAccount): AppStep {
  return to(model, { name: "working", work: "listingPeople", account }, { name: "listPeople" });
}

/** Opens the fetched list, or updates the open one. */
export function showPeople(
  model: AppModel,
  event: AppEvent & { name: "people" },
  { language, now }: AppContext,
): AppStep {
  const { screen } = model;
  const { names, unread, failure: why } = event;
  const isKnown = why === undefined;
  const requests = event.people.filter(({ state }) => state === "request");
  const asking = new Set(requests.map(({ label }) => label));
  if (screen.name === "people") {
    const account = { ...screen.account, names, unread, asking };
    const people = mergedPeople(screen.people, event.people, isKnown ? false : undefined, language, now);
    return to(model, { ...screen, account, people, isKnown, ticks: 0 });
  }
  if (screen.name !== "working" || screen.work !== "listingPeople") return step(model);
  const account = { ...screen.account, names, unread, asking };
  const people = sortPeople(event.people, language);
  const { left } = screen;
  const opened = { name: "people", account, people, opened: people.length, isKnown, ticks: 0 } as const;
  const { server } = screen.account;
  // A lost server was reported already.
  const isNew = why !== undefined && server !== "lost";
  return to(model, left === undefined ? opened : { ...opened, left }, ...(isNew ? [failure(why)] : []));
}

export function tickPeople(model: AppModel, { now }: AppContext): AppStep {
  const { screen } = model;
  if (screen.name !== "people") return step(model);
  const people = withGone(screen.people, now);
  const isAlone = !people.some(({ online }) => online === true);
  const isDue = screen.ticks + 1 >= (isAlone ? FETCH_EVERY_ALONE : FETCH_EVERY);
  const ticks = isDue ? 0 : screen.ticks + 1;
  return to(model, { ...screen, people, ticks }, ...(isDue ? [{ name: "listPeople" } as const] : []));
}

/** Shows an event in the open list. If it is about somebody else, or the server is back, the list is fetched. */
export function newsOfPeople(model: AppModel, event: MessengerEvent, { now }: AppContext): AppStep {
  const { screen } = model;
  if (screen.name !== "people") return step(model);
  if (event.name === "server") {
    if (event.state.name === "online") return step(model, { name: "listPeople" });
    if (event.state.name !== "waiting") return step(model);
    const people = screen.people.map((person) => ({ ...person, online: undefined }));
    return to(model, { ...screen, people, isKnown: false });
  }
  const isOfPerson = event.name === "message" || "username" in event;
  const username = isOfPerson ? conversationOf(event) : undefined;
  if (username === undefined) return step(model);
  const people = peopleAfter(screen.people, username, event, screen.opened, now);
  if (people !== undefined) return to(model, { ...screen, people });
  const isOfGroup = username.startsWith("#");
  return step(model, ...(event.name === "message" && !isOfGroup ? [{ name: "listPeople" } as const] : []));
}

/** The names of those in the open list, whose presence is to be watched. */
export function watchedIn({ screen }: AppModel): readonly string[] {
  if (screen.name !== "people") return [];
  return screen.people.filter(({ state }) => state !== "blocked").map(({ username }) => username);
}

/** The person has chosen a row of the list, by the name in it, or typed a name that is in none. */
export function answerPeople(
  model: AppModel,
  { people, account }: Screen & { name: "people" },
  { value, typed = "" }: AppEvent & { name: "answered" },
  { texts }: AppContext,
): AppStep {
  if (value === CHOICE.back) return to(model, { name: "home", account });
  if (value === CHOICE.write) return to(model, { name: "writeTo", account, from: "people", typed });
  const person = people.find(({ username }) => username === value);
  if (person === undefined) return step(model);
  if (person.online === true && !person.secure) {
    return step(model, notice(texts.peerInsecure(shownName(account.names, person.username))));
  }
  return openingChat(model, account, person.username);
}

/** The person has typed to whom they want to write. */
export function answerWriteTo(
  model: AppModel,
  screen: Screen & { name: "writeTo" },
  value: string,
  { texts }: AppContext,
): AppStep {
  const { account } = screen;
  if (value === "") return backFromWriteTo(model, screen);
  const typed = value.trim();
  const meant = chatMeant(typed, { ...account, ownName: account.username, texts });
  if ("username" in meant) return openingChat(model, account, meant.username);
  return to(model, { ...screen, typed }, failure(meant.fault));
}

export function backFromWriteTo(model: AppModel, { account, from }: Screen & { name: "writeTo" }): AppStep {
  return from === "people" ? openPeople(model, account) : to(model, { name: "home", account });
}

/** The people with numbers, one more if there is a number left. */
export function withNumber(numbered: readonly string[], username: string): readonly string[] {
  const has = numbered.some((each) => isSamePerson(each, username));
  return has || numbered.length >= MAX_NUMBERED ? numbered : [...numbered, username];
}

/**
 * The numbers that lead to chats: those of the last activity when the first chat was opened. They stay as long as one goes
 * from chat to chat, so that a number that was read leads to the same person.
 */
function numberedOn({ screen }: AppModel, before: readonly string[], event: ChatOpened): readonly string[] {
  const isFirst = screen.name !== "working" || screen.work !== "openingChat" || screen.from === undefined;
  if (!isFirst) return withNumber(before, event.username);
  const isIn = event.recent.some((each) => isSamePerson(each, event.username));
  return withNumber(isIn ? event.recent : event.recent.slice(0, MAX_NUMBERED - 1), event.username);
}

/** Opens a chat; its unread messages are now shown. */
export function showChat(model: AppModel, event: ChatOpened): AppStep {
  const { username, contact, isStranger } = event;
  const account = accountOf(model);
  if (account === undefined) return step(model);
  const unread = new Map(account.unread);
  unread.delete(contact);
  const bursts = withoutBurst(account.bursts, username);
  const offers = withSeenOffers(account.offers, username);
  const numbered = numberedOn(model, account.numbered, event);
  const { group } = event;
  const groups = group === undefined ? account.groups : new Map(account.groups).set(username, group);
  const chat = group === undefined ? openChat(username, isStranger) : openGroupChat(group);
  return to(model, { name: "chat", account: { ...account, numbered, unread, offers, bursts, groups }, chat });
}

/** Leaves the open chat for the list of its kind or for another chat; if the server has ended the session, closes the account. */
function leaveChat(
  model: AppModel,
  account: OpenAccount,
  chat: ChatModel,
  other: string | undefined,
  context: AppContext,
): AppStep {
  const { username } = chat;
  const close: AppEffect = { name: "closeChat", username };
  if (account.server === "stopped") return to(model, START, close, { name: "closeAccount" });
  if (other !== undefined) return openingChat(model, account, other, chat);
  if (chat.kind === "group") {
    const { model: next, effects } = openGroups(model, account, context, username);
    return step(next, close, ...effects);
  }
  const listing = { name: "working", work: "listingPeople", account, left: username } as const;
  return to(model, listing, close, { name: "listPeople" });
}

/** Replaces the unread counts and those who are quiet, also in an open list. Messages of the open chat are not unread. */
export function recount(model: AppModel, counted: AppEvent & { readonly name: "recounted" }): AppModel {
  const unread = new Map([...counted.unread].filter(([, { username }]) => !isChatOpen(model, username)));
  const next = inAccount(model, { unread, muted: counted.muted });
  const { screen } = next;
  if (screen.name !== "people") return next;
  return { ...next, screen: { ...screen, people: withUnread(screen.people, unread.values()) } };
}

/** Updates the open chat, if there is one; if it is left, the screen changes. */
export function inChat(model: AppModel, event: ChatEvent, context: AppContext): AppStep {
  const { screen } = model;
  const [before, account] = [chatOf(model), accountOf(model)];
  if (before === undefined || account === undefined) return step(model);
  const { now, texts, language } = context;
  const { chat, effects: ofChat } = updateChat(before, event, {
    now,
    texts,
    language,
    names: account.names,
    ownName: account.username,
    attention: model.attention,
    numbered: account.numbered,
    unread: account.unread,
    muted: account.muted,
    offers: account.offers,
    groups: account.groups,
  });
  const open = screen.name === "chat" ? { chat } : { from: chat };
  let next: AppModel = { ...model, screen: { ...screen, ...open } as Screen };
  const effects: AppEffect[] = [];
  for (const effect of ofChat) {
    if (effect.name !== "leave") effects.push(effect);
    else {
      const left = leaveChat(next, account, chat, effect.to, context);
      next = left.model;
      effects.push(...left.effects);
    }
  }
  return { model: next, effects };
}
