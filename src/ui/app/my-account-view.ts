/** The view of «My account». */
import type { Sign, SignChoice } from "../../client/profile/privacy.ts";
import { nameOrder, shownName } from "../format/name-book.ts";
import type { Choice } from "../prompts/prompt.ts";
import type { Texts } from "../texts/texts.ts";
import type { OpenAccount } from "./model.ts";
import { ENTRY } from "./my-account.ts";
import { signsOf, type MyAccountPage, type Signs } from "./my-account-model.ts";
import { asking, input, list, password, type View } from "./prompt-views.ts";
import type { AppContext } from "./steps.ts";

const SIGN_NAME = { read: "signRead", typing: "signTyping" } as const satisfies { [S in Sign]: keyof Texts };

const OWN_ENTRY = { read: ENTRY.readOf, typing: ENTRY.typingOf } as const;

function toldText(choice: SignChoice, texts: Texts): string {
  return choice === "off" ? texts.signNo : texts.signYes;
}

function signsPage({ privacy }: Signs, marked: Sign | undefined, context: AppContext): View {
  const { texts } = context;
  const row = (sign: Sign): Choice => ({
    value: ENTRY[sign],
    name: texts[SIGN_NAME[sign]],
    note: `(${toldText(privacy[sign], texts)})`,
  });
  const person = { value: ENTRY.person, name: texts.signsOfPerson };
  const prompt = list(texts.signsQuestion, [row("read"), row("typing"), person], context);
  return asking(marked === undefined ? prompt : { ...prompt, marked: ENTRY[marked] });
}

function signsOfWhom({ privacy, contacts }: Signs, { names }: OpenAccount, context: AppContext): View {
  const own = new Set(privacy.people.map(({ username }) => username));
  const choices = contacts.toSorted(nameOrder(context.language)).map((username) => ({
    value: username,
    name: shownName(names, username),
    ...(own.has(username) ? { note: `(${context.texts.signsOwn})` } : {}),
  }));
  return asking(list(context.texts.signsOfWhom, choices, context));
}

function signsOfPerson(
  { signs, username, marked }: MyAccountPage & { readonly name: "signsOf" },
  { names }: OpenAccount,
  context: AppContext,
): View {
  const { texts } = context;
  const own = signsOf(signs, username);
  const row = (sign: Sign): Choice => {
    const everybody = toldText(signs.privacy[sign], texts);
    const told = own[sign] === "default" ? texts.signAsForAll(everybody) : toldText(own[sign], texts);
    return { value: OWN_ENTRY[sign], name: texts[SIGN_NAME[sign]], note: `(${told})` };
  };
  const question = texts.signsOfQuestion(shownName(names, username));
  const prompt = list(question, [row("read"), row("typing")], context);
  return asking(marked === undefined ? prompt : { ...prompt, marked: OWN_ENTRY[marked] });
}

export function viewMyAccount(page: MyAccountPage, account: OpenAccount, context: AppContext): View {
  const { texts } = context;
  const user = shownName(account.names, account.username);
  switch (page.name) {
    case "menu": {
      const entries = [
        { value: ENTRY.password, name: texts.myAccountPassword },
        { value: ENTRY.signs, name: texts.myAccountSigns },
        { value: ENTRY.fingerprint, name: texts.myAccountFingerprint },
        { value: ENTRY.deletion, name: texts.myAccountDeletion },
      ];
      return asking(list(texts.myAccountQuestion(user), entries, context));
    }
    case "currentPassword":
      return password(texts.passwordCurrent);
    case "newPassword":
      return password(texts.passwordNew);
    case "newPasswordAgain":
      return password(texts.passwordAgain);
    case "deletionName":
      return input(texts.accountDeletionQuestion(user));
    case "deletionPassword":
      return password(texts.passwordPrompt(user));
    case "signs":
      return signsPage(page.signs, page.marked, context);
    case "signsOfWhom":
      return signsOfWhom(page.signs, account, context);
    case "signsOf":
      return signsOfPerson(page, account, context);
    default:
      return page satisfies never;
  }
}
