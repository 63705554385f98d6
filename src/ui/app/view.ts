/** The application's view: what is on the screen, as a pure function of the model. */
import { visibleText } from "../../protocol/visible-text.ts";
import { quotedName } from "../../protocol/quoted-text.ts";
import type { Texts } from "../texts/texts.ts";
import { newsIn } from "./announcements.ts";
import { accountOf, CHOICE, type AppContext } from "./steps.ts";
import type { Person } from "../../client/people.ts";
import type { AppModel, OpenAccount, Screen } from "./model.ts";
import { viewMyAccount } from "./my-account-view.ts";
import { canLeave, isFirstQuestion } from "./forms.ts";
import { groupList, groupsEntry } from "./groups.ts";
import { hitList } from "./search.ts";
import { asking, input, list, password, type View } from "./prompt-views.ts";
import type { ChatModel } from "../chat/model.ts";
import { countOffers } from "../chat/files/offers.ts";
import { mutedUntil, unreadCount } from "../chat/other-chats.ts";
import { chatPrompt } from "../chat/update.ts";
import { excerptOf } from "../format/excerpt.ts";
import { authorityQuestion } from "../format/questions.ts";
import { ageOf } from "../format/local-time.ts";
import { shownName } from "../format/name-book.ts";
import { isList, type Choice } from "../prompts/prompt.ts";
import { isSamePerson } from "../../identity/names.ts";

/**
 * The terminal's title: who is logged in, and how many messages nobody has seen, but for those of people who are quiet; undefined: nobody is logged in.
 * @param now ms since 1970
 */
export function titleOf(model: AppModel, now: number): string | undefined {
  const account = accountOf(model);
  if (account === undefined) return undefined;
  const { screen } = model;
  const count = unreadCount(account, now) + (screen.name === "chat" ? unseen(screen.chat, account, now) : 0);
  const name = visibleText(shownName(account.names, account.username));
  return count === 0 ? `${name} — Paloma` : `(${count}) ${name} — Paloma`;
}

function unseen({ username, transcript }: ChatModel, { muted }: OpenAccount, now: number): number {
  return mutedUntil(muted, username, now) === undefined ? transcript.unseen : 0;
}

function homeMenu(account: OpenAccount, context: AppContext): View {
  const { texts, now } = context;
  const { username, names } = account;
  // The others are counted beside the entry of the groups.
  const unread = new Map([...account.unread].filter(([, each]) => !account.groups.has(each.username)));
  const count = unreadCount({ ...account, unread }, now);
  const notes = [
    ...(count === 0 ? [] : [texts.menuNew(count)]),
    ...(account.asking.size === 0 ? [] : [texts.menuRequests(account.asking.size)]),
  ];
  const note = notes.length === 0 ? {} : { note: `(${notes.join(", ")})` };
  return asking({
    name: "select",
    message: texts.menuHome(shownName(names, username)),
    choices: [
      { value: CHOICE.people, name: texts.menuPeople, ...note },
      { value: CHOICE.logOut, name: texts.menuLogOut },
      { value: CHOICE.write, name: texts.menuWrite },
      { value: CHOICE.search, name: texts.menuSearch },
      { value: CHOICE.myAccount, name: texts.myAccount },
      groupsEntry(account, context),
      { value: CHOICE.quit, name: texts.menuQuit },
    ],
    keys: texts.menuKeys,
  });
}

function startMenu({ server, accounts, lastName }: AppModel, { texts }: AppContext): View {
  return asking({
    name: "select",
    message: texts.menuStart(server.server),
    choices: [
      { value: CHOICE.logIn, name: texts.menuLogIn },
      { value: CHOICE.register, name: texts.menuRegister },
      { value: CHOICE.quit, name: texts.menuQuit },
    ],
    // Whoever has given a name to log in has an account, though none is here yet.
    marked: accounts.length === 0 && lastName === "" ? CHOICE.register : CHOICE.logIn,
    keys: server.serverFrom === "given" ? texts.menuKeys : texts.menuStartKeys,
  });
}

function chooseAccount(accounts: readonly string[], context: AppContext): View {
  const { texts } = context;
  const choices = [
    ...accounts.map((account) => ({ value: account, name: quotedName(account) })),
    { value: CHOICE.otherAccount, name: texts.menuOtherAccount },
  ];
  return asking(list(texts.menuAccount, choices, context));
}

/**
 * A person's presence in words; if the server and the direct link disagree, both. Who is away was last heard of so
 * long ago. Undefined: online.
 */
function presenceNote(
  { online, connected, silent_since, last_seen }: Person,
  { now, texts }: AppContext,
): string | undefined {
  const silentSince = silent_since === undefined ? undefined : Date.parse(silent_since);
  if (online === true) {
    return silentSince === undefined ? undefined : texts.menuSilent(ageOf(now - silentSince));
  }
  const answers = connected && silentSince === undefined;
  if (answers) return online === false ? texts.menuOfflineAnswers : texts.menuAnswers;
  if (last_seen === undefined) return online === false ? texts.menuOffline : undefined;
  // In minutes, so that the row does not change each second.
  const age = now - Date.parse(last_seen);
  return age < 60_000 ? texts.menuJustNow : texts.menuSeen(ageOf(age));
}

function isQuiet({ muted_until: until }: Person, now: number): boolean {
  return until !== undefined && Date.parse(until) > now;
}

function personRow(person: Person, { names, offers }: OpenAccount, context: AppContext): Choice {
  const { texts, now } = context;
  // Nothing is shown of who was blocked.
  const aside = person.state === "blocked" ? undefined : presenceNote(person, context);
  const offered = countOffers(offers, person.username);
  const notes = [
    ...(person.unread > 0 ? [texts.menuNew(person.unread)] : []),
    ...(offered > 0 ? [texts.offersNote(offered)] : []),
    ...(person.secure ? [] : [texts.legacyOnly]),
    ...(person.state === "request" ? [texts.requestNote(person.request ?? 0)] : []),
    ...(person.state === "blocked" ? [texts.blockedNote] : []),
    ...(person.state === "declined" ? [texts.declinedNote] : []),
    ...(isQuiet(person, now) ? [texts.quietNote] : []),
    ...(person.draft === undefined ? [] : [texts.draftNote(excerptOf(person.draft))]),
  ];
  const shown = [...(person.verified ? ["✔"] : []), ...notes.map((note) => `(${note})`)];
  return {
    value: person.username,
    name: shownName(names, person.username),
    ...(shown.length === 0 ? {} : { note: shown.join(" ") }),
    ...(aside === undefined ? {} : { aside }),
  };
}

function peopleList(screen: Screen & { name: "people" }, context: AppContext): View {
  const { texts } = context;
  const { account, people, opened, isKnown, left } = screen;
  const choices = people.map((person) => personRow(person, account, context));
  // If presence is unknown, the question says so: people without a note would seem to be online.
  const unknown = account.server === "online" ? texts.menuWhomRefused : texts.menuWhomUnknown;
  const known = people.length === 0 ? `${texts.nobodyOnline} ${texts.menuWhom}` : texts.menuWhom;
  const entries = [{ value: CHOICE.write, name: texts.menuWrite }];
  const prompt = list(isKnown ? known : unknown, choices, context, { opened, entries, takes: CHOICE.write });
  const leftPerson = people.find(({ username }) => left !== undefined && isSamePerson(username, left));
  return asking(leftPerson === undefined ? prompt : { ...prompt, marked: leftPerson.username });
}

function workText({ work }: Screen & { name: "working" }, texts: Texts): string {
  switch (work) {
    case "contacting":
      return texts.menuContacting;
    case "loggingIn":
      return texts.menuLoggingIn;
    case "registering":
      return texts.menuRegistering;
    case "listingPeople":
      return texts.menuListing;
    case "searching":
      return texts.menuSearching;
    case "openingChat":
      return texts.menuOpeningChat;
    case "loggingOut":
      return texts.menuLoggingOut;
    case "changingPassword":
      return texts.changingPassword;
    case "readingSigns":
      return texts.readingSigns;
    case "deletingAccount":
      return texts.deletingAccount;
    default:
      return work satisfies never;
  }
}

/** What is under way, with what Escape does: see `onBack`. */
function working(screen: Screen & { name: "working" }, texts: Texts): View {
  const text = workText(screen, texts);
  if (!canLeave(screen)) return { name: "working", text, back: "later" };
  return { name: "working", text: `${text} ${texts.menuEscapes}`, back: "now" };
}

/** What the screen shows; above a list stands who has written. */
export function viewApp(model: AppModel, context: AppContext): View {
  const view = viewScreen(model, context);
  const account = accountOf(model);
  if (account === undefined || view.name !== "prompt" || !isList(view.prompt)) return view;
  const news = newsIn(account, context);
  return news.length === 0 ? view : asking({ ...view.prompt, news });
}

function viewScreen(model: AppModel, context: AppContext): View {
  const { screen } = model;
  const { texts } = context;
  switch (screen.name) {
    case "serverName":
      return asking({
        name: "input",
        message: isFirstQuestion(model) ? texts.menuFirstServer : texts.menuServer,
        offered: model.server.server,
        begun: screen.typed,
      });
    case "start":
      return startMenu(model, context);
    case "chooseAccount":
      return chooseAccount(screen.accounts, context);
    case "loginName":
      return input(texts.menuName, model.lastName);
    case "registerName":
      return input(texts.menuName, model.newName);
    case "registerPassword":
      return password(texts.menuPassword);
    case "registerAgain":
      return password(texts.passwordAgain);
    case "registerEmail":
      return input(texts.menuEmail);
    case "working":
      return working(screen, texts);
    case "askPassword":
      return password(texts.passwordPrompt(quotedName(screen.username)));
    case "askAuthority":
      return input(authorityQuestion(screen.asked, texts));
    case "askReplace": {
      const choices = [{ value: CHOICE.replace, name: texts.menuReplaceYes }];
      return asking(list(texts.menuReplace(quotedName(screen.username)), choices, context));
    }
    case "myAccount":
      return viewMyAccount(screen.page, screen.account, context);
    case "home":
      return homeMenu(screen.account, context);
    case "people":
      return peopleList(screen, context);
    case "writeTo": {
      const { typed } = screen;
      return asking({
        name: "input",
        message: texts.menuWriteTo,
        offered: "",
        begun: typed,
        completes: true,
      });
    }
    case "searchWords": {
      const { words } = screen;
      return asking({ name: "input", message: texts.menuSearchWords, offered: "", begun: words });
    }
    case "hits":
      return hitList(screen, context);
    case "groups":
      return groupList(screen, context);
    case "groupTitle": {
      const { typed } = screen;
      return asking({ name: "input", message: texts.menuNewGroupTitle, offered: "", begun: typed });
    }
    case "chat": {
      const { chat, account } = screen;
      const waiting = unreadCount(account, context.now);
      return { name: "chat", prompt: chatPrompt(chat, account.names, texts, waiting) };
    }
    case "ended":
      return { name: "ended" };
    default:
      return screen satisfies never;
  }
}
