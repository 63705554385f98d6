/** The context of the application's update and view, and the steps that several parts of the update share. */
import type { Language } from "../../protocol/language.ts";
import type { Texts } from "../texts/texts.ts";
import type { NameBook } from "../format/name-book.ts";
import type { AppEffect, AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import { isSamePerson } from "../../identity/names.ts";

export type AppContext = {
  /** ms since 1970 */
  readonly now: number;
  readonly texts: Texts;
  readonly language: Language;
  /** Host and port as shown to the person. */
  readonly server: string;
  /** Describes an error in one sentence that also says what to do next. */
  readonly describe: (error: unknown) => string;
};

export const START: Screen = { name: "start" };
export const HOME: Screen = { name: "home" };

/** The values of the menus' entries. The value of a person is their name. */
export const CHOICE = {
  logIn: "logIn",
  register: "register",
  quit: "quit",
  people: "people",
  logOut: "logOut",
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

/** Whether the chat with this person is on the screen. */
export function isChatOpen({ screen }: AppModel, username: string): boolean {
  return screen.name === "chat" && isSamePerson(screen.chat.peer.username, username);
}

const NO_NAMES: NameBook = new Map();

/** How names are shown. */
export function namesOf({ account }: AppModel): NameBook {
  return account?.names ?? NO_NAMES;
}

/** Changes fields of the open account, if there is one. */
export function inAccount(model: AppModel, change: Partial<OpenAccount>): AppModel {
  return model.account === undefined ? model : { ...model, account: { ...model.account, ...change } };
}

/** Removes the open account from the model. */
export function withoutAccount(model: AppModel, screen: Screen = START): AppModel {
  return { ...model, screen, account: undefined };
}

/** Ends the program. The account is closed; its stored session stays. */
export function ending(model: AppModel, exit: 0 | 130): AppStep {
  const effects: AppEffect[] = model.account === undefined ? [] : [{ name: "closeAccount" }];
  return { model: withoutAccount(model, { name: "ended", exit }), effects };
}
