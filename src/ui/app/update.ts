/**
 * The application's update, a pure function. The screens follow each other so:
 *
 * 1. Before the first menu, if no server is known, and before the first question for an account: serverName → working
 *    (→ askAuthority → working). A server that cannot be used leads back to serverName, or to start if it was given;
 *    Escape in start leads there, too, and back; Escape at the first question ends the program.
 * 2. start → registerName → registerPassword → registerAgain → registerEmail → working → people; the one answer that the
 *    server refuses is asked for again
 * 3. start → chooseAccount or loginName → working (→ askPassword, askReplace → working) → people
 * 4. people → chat → working → people → home → working → people; chat → working → chat; home or people → writeTo → chat; home → searchWords →
 *    working → hits → chat
 * 5. home → groups → chat → groups; groups → groupTitle → working → chat
 * 6. home → myAccount, see my-account.ts
 * 7. home → working → start, or home → ended. Ctrl-C ends the program anywhere but in a chat.
 */
import type { Server } from "../config.ts";
import { quotedName } from "../../protocol/quoted-text.ts";
import { announce, announceGathered } from "./announcements.ts";
import {
  CHOICE,
  START,
  accountOf,
  chatOf,
  ending,
  failure,
  inAccount,
  notice,
  step,
  to,
  type AppContext,
} from "./steps.ts";
import {
  answerForm,
  backFromForm,
  backFromWork,
  leaveServer,
  logIn,
  onAnswerRefused,
  onContacted,
} from "./forms.ts";
import { answerGroups, answerGroupTitle, openGroups } from "./groups.ts";
import { answerMyAccount, backInMyAccount, myAccountPage, onMyAccount } from "./my-account.ts";
import type { AttentionSign } from "../terminal/attention.ts";
import type { AppEvent, AppModel, AppStep, OpenAccount, Screen } from "./model.ts";
import {
  answerPeople,
  answerWriteTo,
  backFromWriteTo,
  inChat,
  newsOfPeople,
  openPeople,
  recount,
  showChat,
  showPeople,
  tickPeople,
} from "./people.ts";
import { answerHits, answerSearchWords, backFromHits, showHits } from "./search.ts";
import { withSeenOffers } from "../chat/files/offers.ts";
import { shownName } from "../format/name-book.ts";
import { linksWithoutServer } from "../format/server-words.ts";
import { withoutBurst } from "../notifications/bursts.ts";

/**
 * The model at the start.
 * @param accounts that were used on this machine
 * @param lastName the name that a prompt offers; empty: none
 */
export function firstModel(accounts: readonly string[], lastName: string, server: Server): AppModel {
  const isKnown = server.serverFrom !== "default";
  const screen: Screen = isKnown ? START : { name: "serverName", next: "start", typed: "" };
  return { screen, attention: "unknown", server, accounts, lastName, newName: "" };
}

/** The model once an account was used on this machine. */
function withAccount(model: AppModel, username: string): AppModel {
  const { accounts } = model;
  const all = accounts.includes(username) ? accounts : [...accounts, username];
  return { ...model, accounts: all, lastName: username, newName: "" };
}

function answerHome(model: AppModel, account: OpenAccount, value: string, context: AppContext): AppStep {
  if (value === CHOICE.people) return openPeople(model, account);
  if (value === CHOICE.write) return to(model, { name: "writeTo", account, from: "home", typed: "" });
  if (value === CHOICE.groups) return openGroups(model, account, context);
  if (value === CHOICE.search) return to(model, { name: "searchWords", account, words: "" });
  if (value === CHOICE.logOut) {
    return to(model, { name: "working", work: "loggingOut", account }, { name: "logOut" });
  }
  if (value === CHOICE.myAccount) return myAccountPage(model, account, { name: "menu" });
  return value === CHOICE.quit ? ending(model, 0) : step(model);
}

function onAnswer(model: AppModel, answered: AppEvent & { name: "answered" }, context: AppContext): AppStep {
  const { screen } = model;
  const { value } = answered;
  switch (screen.name) {
    case "home":
      return answerHome(model, screen.account, value, context);
    case "people":
      return answerPeople(model, screen, answered, context);
    case "writeTo":
      return answerWriteTo(model, screen, value, context);
    case "searchWords":
      return answerSearchWords(model, screen, value, context);
    case "hits":
      return answerHits(model, screen, value);
    case "groups":
      return answerGroups(model, screen, value);
    case "groupTitle":
      return answerGroupTitle(model, screen, value, context);
    case "myAccount":
      return answerMyAccount(model, screen, value, context);
    case "working":
    case "chat":
    case "ended":
      return step(model);
    default:
      return answerForm(model, screen, value, context);
  }
}

function onBack(model: AppModel, context: AppContext): AppStep {
  const { screen } = model;
  switch (screen.name) {
    case "people":
    case "groups":
    case "searchWords":
      return to(model, { name: "home", account: screen.account });
    case "groupTitle":
      return openGroups(model, screen.account, context);
    case "writeTo":
      return backFromWriteTo(model, screen);
    case "hits":
      return backFromHits(model, screen);
    case "myAccount":
      return backInMyAccount(model, screen);
    case "start":
      return leaveServer(model, "start", "");
    case "working":
      return backFromWork(model, screen);
    case "home":
    case "chat":
    case "ended":
      return step(model);
    default:
      return backFromForm(model, screen);
  }
}

/** The list of people follows. */
function onLoggedIn(
  model: AppModel,
  event: AppEvent & { name: "loggedIn" },
  { texts, now }: AppContext,
): AppStep {
  const { username, failure: why, unread, muted, offers, groups, names } = event;
  const account: OpenAccount = {
    username,
    numbered: [],
    unread,
    muted,
    offers,
    groups: new Map(groups.map((group) => [`#${group.group}`, group])),
    asking: new Set(),
    unannounced: new Map(),
    requestsAnnouncedAt: undefined,
    bursts: new Map(),
    announced: new Set(),
    names,
    // The failure is reported here, so that the loss is not reported again.
    server: why === undefined ? "online" : "lost",
    diskNotifiedAt: undefined,
  };
  const user = shownName(names, username);
  const how =
    why === undefined
      ? [notice(texts.menuLoggedIn(user))]
      : [
          failure(why.sentence),
          notice(`${texts.menuOpenedOffline(user)} ${linksWithoutServer(why.linksUntil, now, texts)}`),
        ];
  const { model: next, effects } = openPeople(withAccount(model, username), account);
  return step(next, ...how, ...effects);
}

/** The account was registered, and is being logged in. */
function onRegistered(model: AppModel, username: string, { texts }: AppContext): AppStep {
  const { screen } = model;
  const next = withAccount(model, username);
  const registered = notice(texts.registered(quotedName(username)));
  if (screen.name !== "working" || screen.work !== "registering") return step(next, registered);
  return to(next, { name: "working", work: "loggingIn" }, registered);
}

/** Prints the failure and returns to the menu, or to the chat from which another one was to be opened. */
function onFailed(model: AppModel, sentence: string, context: AppContext): AppStep {
  const effects = sentence === "" ? [] : [failure(sentence)];
  const [account, chat] = [accountOf(model), chatOf(model)];
  if (model.screen.name === "working" && account !== undefined && chat !== undefined) {
    const back: AppModel = { ...model, screen: { name: "chat", account, chat } };
    return inChat(back, { name: "stays", sentence }, context);
  }
  const { screen } = model;
  switch (screen.name) {
    case "working":
    case "askPassword":
    case "askAuthority":
    case "askReplace": {
      if ("account" in screen) return to(model, { name: "home", account: screen.account }, ...effects);
      const task = screen.name === "working" ? screen : screen.task;
      return task.work === "contacting"
        ? leaveServer(model, task.next, task.server.server, ...effects)
        : to(model, START, ...effects);
    }
    default:
      return step(model, ...effects);
  }
}

function onQuestion(
  model: AppModel,
  event: AppEvent & { name: "passwordAsked" | "authorityAsked" | "replaceAsked" },
): AppStep {
  const { screen } = model;
  if (screen.name !== "working" || "account" in screen) return step(model);
  const { name: _working, ...task } = screen;
  switch (event.name) {
    case "passwordAsked":
      return to(model, { name: "askPassword", username: event.username, task });
    case "authorityAsked":
      return to(model, { name: "askAuthority", asked: event.asked, task });
    case "replaceAsked":
      return to(model, { name: "askReplace", username: event.username, task });
    default:
      return event satisfies never;
  }
}

/** A key changes nothing of what the terminal reports, which may be wrong: somebody has seen what stood there, once. */
function onAttention(before: AppModel, sign: AttentionSign, context: AppContext): AppStep {
  if (sign === "key") return onSeen(before, context);
  const model = { ...before, attention: sign === "continued" ? "unknown" : sign } as const;
  return sign === "focused" ? onSeen(model, context) : step(model);
}

function onSeen(model: AppModel, context: AppContext): AppStep {
  const { screen } = model;
  if (screen.name !== "chat") return step(model);
  const bursts = withoutBurst(screen.account.bursts, screen.chat.username);
  const offers = withSeenOffers(screen.account.offers, screen.chat.username);
  return inChat(inAccount(model, { bursts, offers }), { name: "seen" }, context);
}

function onTick(model: AppModel, context: AppContext): AppStep {
  const { model: announced, effects } = announceGathered(model, context);
  const isChat = announced.screen.name === "chat";
  const next = isChat ? inChat(announced, { name: "tick" }, context) : tickPeople(announced, context);
  return step(next.model, ...effects, ...next.effects);
}

/** The model after one event, and the effects in the order in which they are carried out. */
export function updateApp(model: AppModel, event: AppEvent, context: AppContext): AppStep {
  if (model.screen.name === "ended") return step(model);
  switch (event.name) {
    case "resumed":
      return logIn(model, event.username);
    case "answered":
      return onAnswer(model, event, context);
    case "back":
      return onBack(model, context);
    case "interrupted":
    case "signalled":
      return ending(model, 130);
    case "attention":
      return onAttention(model, event.sign, context);
    case "contacted":
      return onContacted(model, event, context);
    case "passwordAsked":
    case "authorityAsked":
    case "replaceAsked":
      return onQuestion(model, event);
    case "loggedIn":
      return onLoggedIn(model, event, context);
    case "registered":
      return onRegistered(model, event.username, context);
    case "answerRefused":
      return onAnswerRefused(model, event, context);
    case "loggedOut": {
      const { loggedOut, loggedOutHere } = context.texts;
      return to(model, START, notice(event.isServerNotified ? loggedOut : loggedOutHere));
    }
    case "myAccount":
      return onMyAccount(model, event.event, context);
    case "people":
      return showPeople(model, event, context);
    case "found":
      return showHits(model, event, context);
    case "indexing":
      return step(model, notice(context.texts.searchIndexing(event.percent)));
    case "failed":
      return onFailed(model, event.sentence, context);
    case "chatOpened":
      return showChat(model, event);
    case "groupFounded":
      return step(model, { name: "openChat", username: event.username });
    case "messenger": {
      const announced = announce(model, event.event, context);
      const listed = newsOfPeople(announced.model, event.event, context);
      const { model: next, effects } = inChat(listed.model, event, context);
      return step(next, ...announced.effects, ...listed.effects, ...effects);
    }
    case "recounted":
      return step(recount(model, event));
    case "line":
    case "edited":
    case "goTo":
    case "leaving":
      return inChat(model, event, context);
    case "chat":
      return inChat(model, event.event, context);
    case "named":
      return step(inAccount(model, { names: event.names }));
    case "tick":
      return onTick(model, context);
    default:
      return event satisfies never;
  }
}
