/** The state of the terminal: the open screen, with the account that it needs, and its events and effects. */
import type { Unread } from "../../client/archive.ts";
import type { SharedGroup } from "../../client/conversation/events.ts";
import type { Person } from "../../client/people.ts";
import type { Server } from "../config.ts";
import type { ExitCode } from "../failures.ts";
import type { ChatEffect, ChatEvent, ChatModel, OtherChats } from "../chat/model.ts";
import type { Found } from "../chat/history-effects.ts";
import type { Bursts, Told } from "../notifications/bursts.ts";
import type { AuthorityAsked } from "../format/questions.ts";
import type { NameBook } from "../format/name-book.ts";
import type { MyAccountEvent, MyAccountPage, MyAccountTask } from "./my-account-model.ts";
import type { PersonRow } from "./people-list.ts";
import type { LineEvent } from "../line/input-line.ts";
import type { Attention, AttentionSign } from "../terminal/attention.ts";

/** What was answered for a new account; what is missing is asked for. */
export type NewAccount = {
  readonly username?: string;
  readonly password?: string;
  /** May be empty. */
  readonly email?: string;
};

/** What is asked once the server has answered. */
export type Next = "start" | "loginName" | "registerName";

/** The running tasks that may ask the person. */
export type Entry =
  /** `server` is used if it answers. */
  | { readonly work: "contacting"; readonly next: Next; readonly server: Server }
  | { readonly work: "loggingIn" }
  /** `answers`: all of them, of which the server may refuse one. */
  | { readonly work: "registering"; readonly answers: Required<NewAccount> };

export type Screen =
  /**
   * The server, if none was given, and none was used before or that one cannot be used. `typed`: one that was refused, to
   * be changed.
   */
  | { readonly name: "serverName"; readonly next: Next; readonly typed: string }
  /** Not logged in: the first menu. */
  | { readonly name: "start" }
  /** Choose an account of this machine, or another one. */
  | { readonly name: "chooseAccount"; readonly accounts: readonly string[] }
  | { readonly name: "loginName" }
  | { readonly name: "registerName"; readonly answers: NewAccount }
  | { readonly name: "registerPassword"; readonly answers: NewAccount }
  | { readonly name: "registerAgain"; readonly answers: NewAccount; readonly password: string }
  | { readonly name: "registerEmail"; readonly answers: NewAccount }
  /** A running task, which can be interrupted. */
  | ({ readonly name: "working" } & Entry)
  /** A question of the running task, which continues with the answer. */
  | { readonly name: "askPassword"; readonly username: string; readonly task: Entry }
  | { readonly name: "askAuthority"; readonly asked: AuthorityAsked; readonly task: Entry }
  /** Another machine has the account online. */
  | { readonly name: "askReplace"; readonly username: string; readonly task: Entry }
  | ({ readonly account: OpenAccount } & AccountScreen)
  | { readonly name: "ended"; readonly exit: ExitCode };

/** The screens of the account that is logged in. */
export type AccountScreen =
  /** The second menu. */
  | { readonly name: "home" }
  /** `left`: the person whose chat was left for the list. */
  | { readonly name: "working"; readonly work: "listingPeople"; readonly left?: string }
  /** `from`: the chat that is left as soon as the other one is open. */
  | { readonly name: "working"; readonly work: "openingChat"; readonly from?: ChatModel }
  | { readonly name: "working"; readonly work: "loggingOut" }
  | {
      readonly name: "working";
      readonly work: "changingPassword" | "deletingAccount" | "readingSigns";
    }
  | { readonly name: "myAccount"; readonly page: MyAccountPage }
  /** Asks to whom to write, also somebody who is offline or not known here. `typed`: a name that was refused. */
  | { readonly name: "writeTo"; readonly from: "home" | "people"; readonly typed: string }
  /** Asks for the words of a search in all conversations. */
  | { readonly name: "searchWords"; readonly words: string }
  | { readonly name: "working"; readonly work: "searching"; readonly words: string }
  | ({ readonly name: "hits"; readonly words: string } & Found)
  /** While the list is open, people keep their rows, even if they go offline. */
  | {
      readonly name: "people";
      readonly people: readonly PersonRow[];
      /** Number of people when it was opened. */
      readonly opened: number;
      /** Whether the server has said who is online. */
      readonly isKnown: boolean;
      /** Ticks since the list was fetched. */
      readonly ticks: number;
      /** The person whose chat was left for the list. */
      readonly left?: string;
    }
  /** `listed`: the names of their chats. `left`: the group whose chat was left for the list. */
  | { readonly name: "groups"; readonly listed: readonly string[]; readonly left: string | undefined }
  /** Asks for the title of a new group. `typed`: one that was refused. */
  | { readonly name: "groupTitle"; readonly typed: string }
  | { readonly name: "chat"; readonly chat: ChatModel };

/** The account that is logged in. */
export type OpenAccount = {
  readonly username: string;
  /** The labels of those who ask to write, and came while the account was open. */
  readonly asking: ReadonlySet<string>;
  /** The names, by label, of those of them whose request was not announced yet. */
  readonly unannounced: ReadonlyMap<string, string>;
  /** When requests were last announced, ms since 1970; undefined: never. */
  readonly requestsAnnouncedAt: number | undefined;
  /** Of the messages that nobody was seen to look at. */
  readonly bursts: Bursts;
  /** The contacts of whom lists say that they have written, while that is unread: the one announced last at the end. */
  readonly announced: ReadonlySet<number>;
  readonly names: NameBook;
  /** The state of the server as last reported to the person. */
  readonly server: "online" | "lost" | "stopped";
  /** When a menu last reported a failed write, ms since 1970; undefined: never. */
  readonly diskNotifiedAt: number | undefined;
} & OtherChats;

export type AppModel = {
  readonly screen: Screen;
  readonly attention: Attention;
  /** The last one that answered, or the first one that is tried; offered where one is asked for. */
  readonly server: Server;
  /** The accounts of this machine at the server. */
  readonly accounts: readonly string[];
  /** What the name prompt offers: the account registered or used last; empty: none. */
  readonly lastName: string;
  /** The name typed for a new account, until it is registered; empty: none. */
  readonly newName: string;
};

export type AppEvent =
  /** There is an account with a stored session: log in without a question. */
  | { readonly name: "resumed"; readonly username: string }
  /** `typed`: what the chosen entry of a list is to take. */
  | { readonly name: "answered"; readonly value: string; readonly typed?: string }
  | { readonly name: "back" }
  | { readonly name: "interrupted" }
  /** SIGINT, SIGTERM, SIGHUP. */
  | { readonly name: "signalled" }
  | { readonly name: "attention"; readonly sign: AttentionSign }
  /** The server has answered. `accounts`: of this machine, there. */
  | {
      readonly name: "contacted";
      readonly registration: "open" | "closed";
      readonly accounts: readonly string[];
    }
  /** The running task asks. */
  | { readonly name: "passwordAsked"; readonly username: string }
  | { readonly name: "authorityAsked"; readonly asked: AuthorityAsked }
  | { readonly name: "replaceAsked"; readonly username: string }
  /** The running task has ended. `failure`: the account is open without the server, which is tried again. */
  | {
      readonly name: "loggedIn";
      readonly username: string;
      /** Undefined: online. `linksUntil`: until when new links can be opened, ms since 1970; undefined: they cannot. */
      readonly failure: { readonly sentence: string; readonly linksUntil: number | undefined } | undefined;
      readonly unread: ReadonlyMap<number, Unread>;
      readonly muted: OtherChats["muted"];
      readonly offers: OtherChats["offers"];
      readonly groups: readonly SharedGroup[];
      readonly names: NameBook;
    }
  /** The account is registered, and is being logged in. */
  | { readonly name: "registered"; readonly username: string }
  /** The server refuses one answer for a new account. `sentence`: why. */
  | { readonly name: "answerRefused"; readonly answer: keyof NewAccount; readonly sentence: string }
  | { readonly name: "myAccount"; readonly event: MyAccountEvent }
  | { readonly name: "loggedOut"; readonly isServerNotified: boolean }
  /** `failure`: why the server could not be asked, in one sentence; `people` are then only the stored contacts. */
  | {
      readonly name: "people";
      readonly people: readonly Person[];
      readonly unread: ReadonlyMap<number, Unread>;
      readonly names: NameBook;
      readonly failure: string | undefined;
    }
  /** The search has ended. */
  | ({ readonly name: "found" } & Found)
  /** So much of the messages is indexed for the search, in percent. */
  | { readonly name: "indexing"; readonly percent: number }
  /** The running task has failed. `sentence`: why, and what to do next. */
  | { readonly name: "failed"; readonly sentence: string }
  /** The chat is open; its events follow. */
  | {
      readonly name: "chatOpened";
      readonly username: string;
      readonly contact: number;
      /** There has never been a proven link with a person of this name. */
      readonly isStranger: boolean;
      /** Undefined: the chat is with a person. */
      readonly group?: SharedGroup | undefined;
      /** The chats with the last activity, at most as many as have numbers. */
      readonly recent: readonly string[];
    }
  | { readonly name: "groupFounded"; readonly username: string }
  | Extract<ChatEvent, { readonly name: "messenger" }>
  /** The unread messages were counted again, and those who are quiet were read again. */
  | {
      readonly name: "recounted";
      readonly unread: ReadonlyMap<number, Unread>;
      readonly muted: OtherChats["muted"];
    }
  | LineEvent
  /** An event of the open chat. */
  | { readonly name: "chat"; readonly event: ChatEvent }
  /** The name book has changed. */
  | { readonly name: "named"; readonly names: NameBook }
  /** About once a second. */
  | { readonly name: "tick" };

export type AppEffect =
  | { readonly name: "bell" }
  /** Tells of messages or offers outside this terminal. `shown`: their author; `excerpt`: visible text. */
  | { readonly name: "notify"; readonly shown: string; readonly excerpt: string; readonly gathered: Told }
  /** Contacts the server of the model. */
  | { readonly name: "contact" }
  | { readonly name: "logIn"; readonly username: string }
  /** Registers the account and logs in to it. */
  | ({ readonly name: "register" } & Required<NewAccount>)
  /** Answers a question of the running task. */
  | { readonly name: "answerPassword"; readonly password: string }
  | { readonly name: "answerAuthority"; readonly trusted: boolean }
  | { readonly name: "answerReplace" }
  /** The person went back: gives up the running task. */
  | { readonly name: "giveUp" }
  | { readonly name: "myAccount"; readonly task: MyAccountTask }
  | { readonly name: "listPeople" }
  | { readonly name: "searchAll"; readonly words: string }
  | { readonly name: "openChat"; readonly username: string }
  /** Founds a group and opens its chat. */
  | { readonly name: "foundGroup"; readonly title: string }
  | { readonly name: "closeChat"; readonly username: string }
  | { readonly name: "logOut" }
  /** Closes the account without ending its stored session. */
  | { readonly name: "closeAccount" }
  /** The effects of the chat, `print` among them, which the menus have too. */
  | Exclude<ChatEffect, { readonly name: "leave" }>;

export type AppStep = { readonly model: AppModel; readonly effects: readonly AppEffect[] };
