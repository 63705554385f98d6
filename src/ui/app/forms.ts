/** The question for the server, the first menu, the forms for logging in and registering, and leaving what they begin. */
import { isNewName } from "../../identity/names.ts";
import { isEmailAcceptable, isPasswordAcceptable } from "../../protocol/account-rules.ts";
import { UsageError } from "../../protocol/options.ts";
import { RefusedError } from "../../client/errors.ts";
import { parseServer } from "../config.ts";
import { yesOrNo } from "../format/questions.ts";
import type { AppEffect, AppEvent, AppModel, AppStep, Entry, NewAccount, Next, Screen } from "./model.ts";
import { CHOICE, START, ending, failure, step, to, type AppContext } from "./steps.ts";

type Form = Extract<
  Screen,
  {
    name:
      | "serverName"
      | "start"
      | "chooseAccount"
      | "loginName"
      | "registerName"
      | "registerPassword"
      | "registerAgain"
      | "registerEmail"
      | "askPassword"
      | "askAuthority"
      | "askReplace";
  }
>;

/** Whether no server was given, used or reached yet, so that there is no menu to go back to. */
export function isFirstQuestion({ server }: AppModel): boolean {
  return server.serverFrom === "default";
}

export function logIn(model: AppModel, username: string): AppStep {
  const next = { ...model, lastName: username };
  return to(next, { name: "working", work: "loggingIn" }, { name: "logIn", username });
}

/** Asks for the first answer that is missing; with all of them, registers the account. */
function register(model: AppModel, answers: NewAccount): AppStep {
  const { username, password, email } = answers;
  if (username === undefined) return to(model, { name: "registerName", answers });
  if (password === undefined) return to(model, { name: "registerPassword", answers });
  if (email === undefined) return to(model, { name: "registerEmail", answers });
  const all = { username, password, email };
  return to(model, { name: "working", work: "registering", answers: all }, { name: "register", ...all });
}

/** Asks once more for the answer that the server has refused; the others stay. */
export function onAnswerRefused(
  model: AppModel,
  event: AppEvent & { name: "answerRefused" },
  { texts }: AppContext,
): AppStep {
  const { screen } = model;
  if (screen.name !== "working" || screen.work !== "registering") return step(model);
  const { [event.answer]: _refused, ...kept } = screen.answers;
  const answers: NewAccount = kept;
  const next = register({ ...model, newName: answers.username ?? "" }, answers);
  return step(next.model, failure(`${event.sentence} ${texts.menuRestKept}`), ...next.effects);
}

/** Contacts the server first, so that nobody answers questions for nothing. */
function contact(model: AppModel, next: Next, server = model.server): AppStep {
  return to(model, { name: "working", work: "contacting", next, server }, { name: "contact" });
}

/**
 * Asks for another server, unless one was given.
 * @param refused what stands in the line to be changed, unless it is offered anyway
 */
export function leaveServer(
  model: AppModel,
  next: Next,
  refused: string,
  ...effects: readonly AppEffect[]
): AppStep {
  const { server, serverFrom } = model.server;
  if (serverFrom === "given") return to(model, START, ...effects);
  const typed = refused === server ? "" : refused;
  return to(model, { name: "serverName", next, typed }, ...effects);
}

function answerServer(model: AppModel, next: Next, value: string, { language }: AppContext): AppStep {
  const typed = value.trim();
  try {
    return contact(model, next, { ...parseServer(typed, language), serverFrom: "typed" });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return leaveServer(model, next, typed, failure(error.message));
  }
}

export function onContacted(
  model: AppModel,
  { registration, accounts }: AppEvent & { name: "contacted" },
  { describe }: AppContext,
): AppStep {
  const { screen } = model;
  if (screen.name !== "working" || screen.work !== "contacting") return step(model);
  const { next, server } = screen;
  const known = { ...model, accounts, server };
  if (next !== "registerName") return to(known, { name: next });
  if (registration === "open") return register(known, {});
  const closed = failure(describe(new RefusedError("registration_closed", "")));
  return leaveServer(model, next, server.server, closed);
}

/** Offers the accounts of this machine, the last one used first. */
function chooseAccount(model: AppModel): AppStep {
  const { accounts, lastName } = model;
  if (accounts.length === 0) return contact(model, "loginName");
  const isLast = (name: string) => name === lastName;
  const sorted = [...accounts.filter(isLast), ...accounts.filter((name) => !isLast(name))];
  return to(model, { name: "chooseAccount", accounts: sorted });
}

function answerStart(model: AppModel, value: string): AppStep {
  if (value === CHOICE.logIn) return chooseAccount(model);
  if (value === CHOICE.register) return contact(model, "registerName");
  return value === CHOICE.quit ? ending(model, 0) : step(model);
}

/** Reports at once what the server would refuse later, with the sentence of that refusal. */
function refused(
  code: "invalid_username" | "weak_password" | "invalid_email",
  { describe }: AppContext,
): AppEffect {
  return failure(describe(new RefusedError(code, "")));
}

function answerNewName(model: AppModel, answers: NewAccount, value: string, context: AppContext): AppStep {
  if (value === "") return to(model, START);
  const username = value.trim();
  // An invalid name is not offered again.
  if (!isNewName(username)) return step({ ...model, newName: "" }, refused("invalid_username", context));
  return register({ ...model, newName: username }, { ...answers, username });
}

/** The person has answered the first menu, a form, or a question of the running task. */
export function answerForm(model: AppModel, screen: Form, value: string, context: AppContext): AppStep {
  switch (screen.name) {
    case "serverName":
      return answerServer(model, screen.next, value, context);
    case "start":
      return answerStart(model, value);
    case "chooseAccount":
      if (value === CHOICE.back) return to(model, START);
      if (value === CHOICE.otherAccount) return contact({ ...model, lastName: "" }, "loginName");
      return logIn(model, value);
    case "loginName": {
      if (value === "") return to(model, START);
      const username = value.trim();
      return username === "" ? step(model, failure(context.texts.badName(username))) : logIn(model, username);
    }
    case "registerName":
      return answerNewName(model, screen.answers, value, context);
    case "registerPassword": {
      if (value === "") return to(model, START);
      if (!isPasswordAcceptable(value)) return step(model, refused("weak_password", context));
      return to(model, { name: "registerAgain", answers: screen.answers, password: value });
    }
    case "registerAgain": {
      const { answers, password } = screen;
      if (value === password) return register(model, { ...answers, password });
      return to(model, { name: "registerPassword", answers }, failure(context.texts.passwordsDiffer));
    }
    case "registerEmail": {
      const email = value.trim();
      if (!isEmailAcceptable(email)) return step(model, refused("invalid_email", context));
      return register(model, { ...screen.answers, email });
    }
    case "askPassword":
      if (value === "") return backFromForm(model, screen);
      return to(model, { name: "working", ...screen.task }, { name: "answerPassword", password: value });
    case "askAuthority": {
      const trusted = value === "" ? false : yesOrNo(value, context.texts);
      if (trusted === undefined) return step(model, failure(context.texts.answerYesOrNo));
      return to(model, { name: "working", ...screen.task }, { name: "answerAuthority", trusted });
    }
    case "askReplace":
      if (value !== CHOICE.replace) return backFromForm(model, screen);
      return to(model, { name: "working", ...screen.task }, { name: "answerReplace" });
    default:
      return screen satisfies never;
  }
}

/**
 * Escape: back to the first menu, or to the question for the server; before the first menu, the end. If the running task
 * has asked, it is given up.
 */
export function backFromForm(model: AppModel, screen: Form): AppStep {
  if (screen.name === "serverName" && isFirstQuestion(model)) return ending(model, 0);
  return "task" in screen ? giveUp(model, screen.task) : to(model, START);
}

/** Gives up a task before the account is open. */
export function giveUp(model: AppModel, task: Entry): AppStep {
  const givenUp: AppEffect = { name: "giveUp" };
  if (task.work !== "contacting") return to(model, START, givenUp, { name: "closeAccount" });
  // From the first menu the server of the model itself is contacted.
  if (task.server === model.server) return to(model, START, givenUp);
  return leaveServer(model, task.next, task.server.server, givenUp);
}

/** Whether Escape leaves a task. An account that is being registered may be there already, whatever one does. */
export function canLeave({ work }: Screen & { name: "working" }): boolean {
  return work === "contacting" || work === "loggingIn" || work === "searching" || work === "listingPeople";
}

/** Escape while something is under way: back to where it was begun. */
export function backFromWork(model: AppModel, screen: Screen & { name: "working" }): AppStep {
  if (!canLeave(screen)) return step(model);
  if (!("account" in screen)) return giveUp(model, screen);
  const { account } = screen;
  const givenUp: AppEffect = { name: "giveUp" };
  if (screen.work === "searching")
    return to(model, { name: "searchWords", account, words: screen.words }, givenUp);
  return to(model, { name: "home", account }, givenUp);
}
