/** The first menu, and the forms for logging in and registering. */
import { isNewName } from "../../identity/names.ts";
import { isEmailAcceptable, isPasswordAcceptable } from "../../protocol/account-rules.ts";
import { RefusedError } from "../../client/errors.ts";
import { isYes } from "../format/questions.ts";
import type { AppEffect, AppModel, AppStep, Screen } from "./model.ts";
import { CHOICE, START, ending, failure, step, to, type AppContext } from "./steps.ts";

type Form = Extract<
  Screen,
  {
    name:
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

export function logIn(model: AppModel, username: string): AppStep {
  const next = { ...model, lastName: username };
  return to(next, { name: "working", work: "loggingIn" }, { name: "logIn", username });
}

/** Offers the accounts of this machine, the last one used first. */
function chooseAccount(model: AppModel): AppStep {
  const { accounts, lastName } = model;
  if (accounts.length === 0) return to(model, { name: "loginName" });
  const isLast = (name: string) => name === lastName;
  const sorted = [...accounts.filter(isLast), ...accounts.filter((name) => !isLast(name))];
  return to(model, { name: "chooseAccount", accounts: sorted });
}

function answerStart(model: AppModel, value: string): AppStep {
  if (value === CHOICE.logIn) return chooseAccount(model);
  if (value === CHOICE.register) return to(model, { name: "registerName" });
  return value === CHOICE.quit ? ending(model, 0) : step(model);
}

/** Reports at once what the server would refuse later, with the sentence of that refusal. */
function refused(
  code: "invalid_username" | "weak_password" | "invalid_email",
  { describe }: AppContext,
): AppEffect {
  return failure(describe(new RefusedError(code, "")));
}

function answerNewName(model: AppModel, value: string, context: AppContext): AppStep {
  const username = value.trim();
  if (username === "") return to(model, START);
  // An invalid name is not offered again.
  if (!isNewName(username)) return step({ ...model, newName: "" }, refused("invalid_username", context));
  const next = { ...model, newName: username };
  return to(next, { name: "registerPassword", username });
}

/** The person has answered the first menu, a form, or a question of the running task. */
export function answerForm(model: AppModel, screen: Form, value: string, context: AppContext): AppStep {
  switch (screen.name) {
    case "start":
      return answerStart(model, value);
    case "chooseAccount":
      if (value === CHOICE.back) return to(model, START);
      if (value === CHOICE.otherAccount) return to({ ...model, lastName: "" }, { name: "loginName" });
      return logIn(model, value);
    case "loginName": {
      const username = value.trim();
      return username === "" ? to(model, START) : logIn(model, username);
    }
    case "registerName":
      return answerNewName(model, value, context);
    case "registerPassword": {
      if (value === "") return to(model, START);
      if (!isPasswordAcceptable(value)) return step(model, refused("weak_password", context));
      return to(model, { name: "registerAgain", username: screen.username, password: value });
    }
    case "registerAgain": {
      const { username, password } = screen;
      if (value === password) return to(model, { name: "registerEmail", username, password });
      return to(model, { name: "registerPassword", username }, failure(context.texts.passwordsDiffer));
    }
    case "registerEmail": {
      const { username, password } = screen;
      const account = { username, password, email: value.trim() };
      if (!isEmailAcceptable(account.email)) return step(model, refused("invalid_email", context));
      return to(model, { name: "working", work: "registering" }, { name: "register", ...account });
    }
    case "askPassword":
      if (value === "") return backFromForm(model, screen);
      return to(model, { name: "working", work: screen.work }, { name: "answerPassword", password: value });
    case "askAuthority":
      return to(
        model,
        { name: "working", work: screen.work },
        { name: "answerAuthority", trusted: isYes(value, context.texts) },
      );
    case "askReplace":
      if (value !== CHOICE.replace) return backFromForm(model, screen);
      return to(model, { name: "working", work: screen.work }, { name: "answerReplace", replace: true });
    default:
      return screen satisfies never;
  }
}

/** Escape: back to the first menu. If the running task has asked, it is given up. */
export function backFromForm(model: AppModel, screen: Form): AppStep {
  if (screen.name === "askPassword") {
    return to(model, START, { name: "answerPassword", password: undefined });
  }
  if (screen.name === "askAuthority") {
    return to(model, START, { name: "answerAuthority", trusted: undefined });
  }
  if (screen.name === "askReplace") return to(model, START, { name: "answerReplace", replace: false });
  return to(model, START);
}
