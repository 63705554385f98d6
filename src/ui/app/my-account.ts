/**
 * The update of «My account»:
 *
 * 1. menu → currentPassword → newPassword → newPasswordAgain → working → menu
 * 2. menu → deletionName → deletionPassword → working → the first menu
 * 3. menu → signs → signsOfWhom → signsOf; each choice is stored, and the page is shown again
 */
import type { Sign, SignChoice } from "../../client/profile/privacy.ts";
import { RefusedError } from "../../client/errors.ts";
import { showFingerprint } from "../../identity/fingerprint.ts";
import { isSamePerson } from "../../identity/names.ts";
import { isPasswordAcceptable } from "../../protocol/account-rules.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { shownName } from "../format/name-book.ts";
import type { AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import {
  signsOf,
  type MyAccountEvent,
  type MyAccountPage,
  type SignChange,
  type Signs,
} from "./my-account-model.ts";
import { accountOf, CHOICE, failure, notice, START, step, to, type AppContext } from "./steps.ts";

type MyAccount = Screen & { readonly name: "myAccount" };

/** The values of the pages' entries. */
export const ENTRY = {
  password: "password",
  signs: "signs",
  fingerprint: "fingerprint",
  deletion: "deletion",
  read: "read",
  typing: "typing",
  readOf: "readOf",
  typingOf: "typingOf",
  /** No name begins with a space. */
  person: " person",
} as const;

/** The choice that follows when an entry is chosen again. */
const NEXT = { default: "on", on: "off", off: "default" } as const satisfies {
  [C in SignChoice]: SignChoice;
};

export function myAccountPage(model: AppModel, account: OpenAccount, page: MyAccountPage): AppStep {
  return to(model, { name: "myAccount", account, page });
}

function answerMenu(model: AppModel, { account }: MyAccount, value: string): AppStep {
  switch (value) {
    case ENTRY.password:
      return myAccountPage(model, account, { name: "currentPassword" });
    case ENTRY.signs:
      return reading(model, account, undefined);
    case ENTRY.fingerprint:
      return step(model, { name: "myAccount", task: { name: "showFingerprint" } });
    case ENTRY.deletion:
      return myAccountPage(model, account, { name: "deletionName" });
    default:
      return to(model, { name: "home", account });
  }
}

/** @param change stored first */
function reading(model: AppModel, account: OpenAccount, change: SignChange | undefined): AppStep {
  const task = { name: "readSigns", change } as const;
  return to(model, { name: "working", work: "readingSigns", account }, { name: "myAccount", task });
}

function answerSigns(model: AppModel, { account }: MyAccount, signs: Signs, value: string): AppStep {
  const { privacy } = signs;
  const change = (sign: Sign) => {
    const choice = privacy[sign] === "off" ? "on" : "off";
    return reading(model, account, { username: undefined, sign, choice });
  };
  switch (value) {
    case ENTRY.read:
      return change("read");
    case ENTRY.typing:
      return change("typing");
    case ENTRY.person:
      return myAccountPage(model, account, { name: "signsOfWhom", signs });
    default:
      return myAccountPage(model, account, { name: "menu" });
  }
}

/** The person has answered a page. */
export function answerMyAccount(
  model: AppModel,
  screen: MyAccount,
  value: string,
  context: AppContext,
): AppStep {
  const { account, page } = screen;
  const { texts, describe } = context;
  const go = (next: MyAccountPage) => myAccountPage(model, account, next);
  switch (page.name) {
    case "menu":
      return answerMenu(model, screen, value);
    case "currentPassword":
      return value === "" ? go({ name: "menu" }) : go({ name: "newPassword", current: value });
    case "newPassword":
      if (value === "") return go({ name: "menu" });
      if (!isPasswordAcceptable(value)) {
        return step(model, failure(describe(new RefusedError("weak_password", ""))));
      }
      return go({ name: "newPasswordAgain", current: page.current, next: value });
    case "newPasswordAgain": {
      const { current, next } = page;
      if (value === next) {
        const task = { name: "changePassword", current, next } as const;
        return to(model, { name: "working", work: "changingPassword", account }, { name: "myAccount", task });
      }
      const again = go({ name: "newPassword", current });
      return step(again.model, failure(texts.passwordsDiffer));
    }
    case "deletionName":
      if (isSamePerson(value.trim(), account.username)) return go({ name: "deletionPassword" });
      return step(go({ name: "menu" }).model, failure(texts.accountDeletionDeclined));
    case "deletionPassword": {
      if (value === "") return go({ name: "menu" });
      const task = { name: "deleteAccount", password: value } as const;
      return to(model, { name: "working", work: "deletingAccount", account }, { name: "myAccount", task });
    }
    case "signs":
      return answerSigns(model, screen, page.signs, value);
    case "signsOfWhom": {
      const { signs } = page;
      if (value === CHOICE.back) return go({ name: "signs", signs, marked: undefined });
      return go({ name: "signsOf", signs, username: value, marked: undefined });
    }
    case "signsOf": {
      const { signs, username } = page;
      const own = signsOf(signs, username);
      const change = (sign: Sign) => reading(model, account, { username, sign, choice: NEXT[own[sign]] });
      if (value === ENTRY.readOf) return change("read");
      if (value === ENTRY.typingOf) return change("typing");
      return go({ name: "signsOfWhom", signs });
    }
    default:
      return page satisfies never;
  }
}

/** Escape. */
export function backInMyAccount(model: AppModel, { account, page }: MyAccount): AppStep {
  switch (page.name) {
    case "menu":
      return to(model, { name: "home", account });
    case "signsOfWhom":
      return myAccountPage(model, account, { name: "signs", signs: page.signs, marked: undefined });
    case "signsOf":
      return myAccountPage(model, account, { name: "signsOfWhom", signs: page.signs });
    default:
      return myAccountPage(model, account, { name: "menu" });
  }
}

/** What a page has asked for was carried out. */
export function onMyAccount(model: AppModel, event: MyAccountEvent, { texts }: AppContext): AppStep {
  const account = accountOf(model);
  if (account === undefined) return step(model);
  const menu = myAccountPage(model, account, { name: "menu" }).model;
  switch (event.name) {
    case "passwordChanged":
      return step(menu, notice(texts.passwordChanged));
    case "passwordWrong":
      return step(menu, failure(texts.passwordWrong));
    case "deleted": {
      const { username, folder } = event;
      const accounts = model.accounts.filter((each) => !isSamePerson(each, username));
      const deleted = texts.accountDeleted(shownName(account.names, username), quotedText(folder));
      return to({ ...model, accounts, lastName: "" }, START, { name: "closeAccount" }, notice(deleted));
    }
    case "fingerprint": {
      const title = texts.ownFingerprint(shownName(account.names, account.username));
      return step(model, notice(`${title}\n${showFingerprint(event.fingerprint)}`));
    }
    case "signs": {
      const { signs, change } = event;
      const [username, marked] = [change?.username, change?.sign];
      if (username === undefined) return myAccountPage(model, account, { name: "signs", signs, marked });
      return myAccountPage(model, account, { name: "signsOf", signs, username, marked });
    }
    default:
      return event satisfies never;
  }
}
