/** What the application's update and view know beside the model, and the steps they share. */
import type { Language } from "../../protocol/language.ts";
import type { Texts } from "../texts/texts.ts";
import type { NameBook } from "../format/name-book.ts";
import type { AppEffect, AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import type { Line } from "../format/printed-line.ts";

export type AppContext = {
  /** ms since 1970 */
  readonly now: number;
  readonly texts: Texts;
  readonly language: Language;
  /** Host and port as they are shown. */
  readonly server: string;
  /** A failure as one sentence that says what to do next. */
  readonly describe: (error: unknown) => string;
};

export const START: Screen = { name: "start" };
export const HOME: Screen = { name: "home" };

/** The values of the menus' entries; a person's is their name, which is never empty. */
export const CHOICE = {
  logIn: "logIn",
  register: "register",
  quit: "quit",
  people: "people",
  logOut: "logOut",
  back: "",
  /** No name holds a space at its beginning. */
  otherAccount: " other",
} as const;

export function step(model: AppModel, ...effects: readonly AppEffect[]): AppStep {
  return { model, effects };
}

/** The same model with another screen. */
export function to(model: AppModel, screen: Screen, ...effects: readonly AppEffect[]): AppStep {
  return { model: { ...model, screen }, effects };
}

/** The effect that prints these lines. */
export function printed(...lines: readonly Line[]): AppEffect {
  return { name: "print", lines };
}

export function notice(text: string): AppEffect {
  return printed({ name: "notice", text });
}

export function failure(text: string): AppEffect {
  return printed({ name: "failure", text });
}

const NO_NAMES: NameBook = new Map();

/** How names are shown while this account is open. */
export function namesOf({ account }: AppModel): NameBook {
  return account?.names ?? NO_NAMES;
}

/** The model with this changed in the open account; the same model where none is open. */
export function inAccount(model: AppModel, change: Partial<OpenAccount>): AppModel {
  return model.account === undefined ? model : { ...model, account: { ...model.account, ...change } };
}

/** The model once nobody is logged in any more. */
export function withoutAccount(model: AppModel, screen: Screen = START): AppModel {
  return { ...model, screen, account: undefined };
}

/** The end: the account is closed, and its stored session stays. */
export function ending(model: AppModel, exit: 0 | 130): AppStep {
  const effects: AppEffect[] = model.account === undefined ? [] : [{ name: "closeAccount" }];
  return { model: withoutAccount(model, { name: "ended", exit }), effects };
}
