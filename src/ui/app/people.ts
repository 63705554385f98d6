/** The list of people, and the chat that is opened from it. */
import { label as labelOf } from "../../identity/names.ts";
import type { Language } from "../../protocol/language.ts";
import {
  CHOICE,
  START,
  accountOf,
  chatOf,
  failure,
  inAccount,
  isChatOpen,
  notice,
  step,
  to,
  type AppContext,
} from "./steps.ts";
import { withoutBurst } from "../notifications/bursts.ts";
import type { Person } from "../../client/people.ts";
import type { AppEffect, AppEvent, AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import type { ChatEvent, ChatModel } from "../chat/model.ts";
import { openChat, updateChat } from "../chat/update.ts";
import { shownName } from "../format/name-book.ts";

/** Ticks after which an open list is fetched again. */
const FETCH_EVERY = 10;
/** How many people who went offline an open list keeps; with more of them it is built again. */
const MAX_GONE = 1_000;

/** Sorts people: online first, then those with new messages, then by name in the order of the language. */
function sortPeople(people: readonly Person[], language: Language): readonly Person[] {
  const { compare } = new Intl.Collator(language);
  const rank = ({ online, unread }: Person) => (online === true ? 0 : 2) + (unread > 0 ? 0 : 1);
  return [...people].sort((a, b) => rank(a) - rank(b) || compare(a.username, b.username));
}

/**
 * Merges the fetched list into the open one. The order stays, so that a number being typed keeps its person; new
 * people are added at the end.
 */
function inPlace(
  shown: readonly Person[],
  { people, failure }: AppEvent & { name: "people" },
  language: Language,
): readonly Person[] {
  const fetched = new Map(people.map((person) => [person.label, person]));
  const online = failure === undefined ? false : undefined;
  const absent = { online, unread: 0, secure: true, connected: false, silent_since: undefined };
  const kept = shown.map((person) => fetched.get(person.label) ?? { ...person, ...absent });
  const known = new Set(shown.map(({ label }) => label));
  const added = people.filter(({ label }) => !known.has(label));
  const isTooLong = kept.length + added.length - people.length > MAX_GONE;
  return isTooLong ? sortPeople(people, language) : [...kept, ...sortPeople(added, language)];
}

/** Opens the fetched list, or updates the open one. */
export function showPeople(
  model: AppModel,
  event: AppEvent & { name: "people" },
  { texts, language }: AppContext,
): AppStep {
  const { screen } = model;
  const isAwaited = screen.name === "working" && screen.work === "listingPeople";
  if (!isAwaited && screen.name !== "people") return step(model);
  const effects: AppEffect[] = [];
  // The failure is reported once, not at each fetch.
  const { server } = screen.account;
  const isNew = event.failure !== undefined && server !== "lost";
  if (isAwaited && isNew) effects.push(failure(event.failure));
  else if (isAwaited && event.people.length === 0) effects.push(notice(texts.nobodyOnline));
  const { names, unread } = event;
  const account = { ...screen.account, names, unread };
  if (screen.name === "people") {
    const people = inPlace(screen.people, event, language);
    return to(model, { ...screen, account, people, ticks: 0 }, ...effects);
  }
  const people = sortPeople(event.people, language);
  const { left } = screen;
  const opened = { name: "people", account, people, opened: people.length, ticks: 0 } as const;
  return to(model, left === undefined ? opened : { ...opened, left }, ...effects);
}

export function tickPeople(model: AppModel): AppStep {
  const { screen } = model;
  if (screen.name !== "people") return step(model);
  const isDue = screen.ticks + 1 >= FETCH_EVERY;
  const ticks = isDue ? 0 : screen.ticks + 1;
  return to(model, { ...screen, ticks }, ...(isDue ? [{ name: "listPeople" } as const] : []));
}

/** The person has chosen a row of the list; `value` is the name in it. */
export function answerPeople(
  model: AppModel,
  { people, account }: Screen & { name: "people" },
  value: string,
  { texts }: AppContext,
): AppStep {
  if (value === CHOICE.back) return to(model, { name: "home", account });
  const person = people.find(({ username }) => username === value);
  if (person === undefined) return step(model);
  if (person.online === true && !person.secure) {
    return step(model, notice(texts.peerInsecure(shownName(account.names, person.username))));
  }
  return opening(model, account, person.username);
}

/** @param from the chat that is open */
function opening(model: AppModel, account: OpenAccount, username: string, from?: ChatModel): AppStep {
  const chat = from === undefined ? {} : { from };
  const screen = { name: "working", work: "openingChat", account, ...chat } as const;
  return to(model, screen, { name: "openChat", username });
}

/** Opens a chat; its unread messages are now shown. */
export function showChat(model: AppModel, event: AppEvent & { name: "chatOpened" }): AppStep {
  const { username, contact, isStranger } = event;
  const account = accountOf(model);
  if (account === undefined) return step(model);
  const unread = new Map(account.unread);
  unread.delete(contact);
  const bursts = withoutBurst(account.bursts, username);
  const chat = openChat(username, isStranger);
  return to(model, { name: "chat", account: { ...account, unread, bursts }, chat });
}

/** Leaves the open chat for the list or for another chat; if the server has ended the session, closes the account. */
function leaveChat(
  model: AppModel,
  account: OpenAccount,
  chat: ChatModel,
  other: string | undefined,
): AppStep {
  const peer = chat.peer.username;
  const close: AppEffect = { name: "closeChat", username: peer };
  if (account.server === "stopped") return to(model, START, close, { name: "closeAccount" });
  if (other !== undefined) return opening(model, account, other, chat);
  const listing = { name: "working", work: "listingPeople", account, left: peer } as const;
  return to(model, listing, close, { name: "listPeople" });
}

/** Replaces the unread counts, also in an open list. Messages of the open chat are not unread. */
export function recount(model: AppModel, counted: OpenAccount["unread"]): AppModel {
  const unread = new Map([...counted].filter(([, { username }]) => !isChatOpen(model, username)));
  const next = inAccount(model, { unread });
  const { screen } = next;
  if (screen.name !== "people") return next;
  const counts = new Map([...unread.values()].map(({ username, count }) => [labelOf(username), count]));
  const people = screen.people.map((person) => ({ ...person, unread: counts.get(person.label) ?? 0 }));
  return { ...next, screen: { ...screen, people } };
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
  });
  const open = screen.name === "chat" ? { chat } : { from: chat };
  let next: AppModel = { ...model, screen: { ...screen, ...open } as Screen };
  const effects: AppEffect[] = [];
  for (const effect of ofChat) {
    if (effect.name !== "leave") effects.push(effect);
    else {
      const left = leaveChat(next, account, chat, effect.to);
      next = left.model;
      effects.push(...left.effects);
    }
  }
  return { model: next, effects };
}
