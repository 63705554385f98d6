/** The context of the application's update and view, and the steps that several parts of the update share. */
import type { Language } from "../../protocol/language.ts";
import type { ChatModel } from "../chat/model.ts";
import type { Server } from "../config.ts";
import type { Texts } from "../texts/texts.ts";
import type { AppEffect, AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import { isSamePerson } from "../../identity/names.ts";

export type AppContext = {
  /** ms since 1970 */
  readonly now: number;
  readonly texts: Texts;
  readonly language: Language;
  /** Describes an error in one sentence that also says what to do next. */
  readonly describe: (error: unknown) => string;
};

export const START: Screen = { name: "start" };

/** The values of the menus' entries. The value of a person is their name. */
export const CHOICE = {
  logIn: "logIn",
  register: "register",
  quit: "quit",
  people: "people",
  logOut: "logOut",
  /** No name begins with a space. */
  write: " write",
  search: "search",
  groups: "groups",
  /** No name of a chat begins with a space. */
  newGroup: " new",
  myAccount: "myAccount",
  replace: "replace",
  /** No name is empty. */
  back: "",
  /** No name begins with a space. */
  otherAccount: " other",
} as const;

export function step(model: AppModel, ...effects: readonly AppEffect[]): AppStep {
  return { model, effects };
}

/** Changes the screen. */
export function to(model: AppModel, screen: Screen, ...effects: readonly AppEffect[]): AppStep {
  return { model: { ...model, screen }, effects };
}

export function notice(text: string): AppEffect {
  return { name: "print", lines: [{ name: "notice", text }] };
}

export function failure(text: string): AppEffect {
  return { name: "print", lines: [{ name: "failure", text }] };
}

/** Opens a chat. @param from the chat that is open */
export function openingChat(
  model: AppModel,
  account: OpenAccount,
  username: string,
  from?: ChatModel,
): AppStep {
  const chat = from === undefined ? {} : { from };
  const screen = { name: "working", work: "openingChat", account, ...chat } as const;
  return to(model, screen, { name: "openChat", username });
}

/** The server that is used: the one that is being contacted, or the last one that answered. */
export function usedServer({ screen, server }: AppModel): Server {
  const task = screen.name === "working" ? screen : "task" in screen ? screen.task : undefined;
  return task?.work === "contacting" ? task.server : server;
}

/** The chat on the screen, or to which the person comes back if another one cannot be opened. */
export function chatOf({ screen }: AppModel): ChatModel | undefined {
  if (screen.name === "chat") return screen.chat;
  return screen.name === "working" && screen.work === "openingChat" ? screen.from : undefined;
}

/** Whether the chat with this person is open. */
export function isChatOpen(model: AppModel, username: string): boolean {
  const chat = chatOf(model);
  return chat !== undefined && isSamePerson(chat.username, username);
}

/** The account that is logged in; undefined: nobody is. */
export function accountOf({ screen }: AppModel): OpenAccount | undefined {
  return "account" in screen ? screen.account : undefined;
}

/** Changes fields of the open account, if there is one. */
export function inAccount(model: AppModel, change: Partial<OpenAccount>): AppModel {
  const { screen } = model;
  if (!("account" in screen)) return model;
  return { ...model, screen: { ...screen, account: { ...screen.account, ...change } } };
}

/** Ends the program. The account is closed; its stored session stays. */
export function ending(model: AppModel, exit: 0 | 130): AppStep {
  const effects: AppEffect[] = accountOf(model) === undefined ? [] : [{ name: "closeAccount" }];
  return to(model, { name: "ended", exit }, ...effects);
}
