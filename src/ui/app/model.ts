/** The whole terminal as a value: which screen is open, and what stands behind it. */
import type { Unread } from "../../client/archive.ts";
import type { LinkPresence } from "../../client/peer/link-watch.ts";
import type { Person } from "../../client/people.ts";
import type { ExitCode } from "../failures.ts";
import type { ChatEvent, ChatModel, EffectName, EffectOf } from "../chat/model.ts";
import type { Line } from "../format/printed-line.ts";
import type { AuthorityAsked } from "../format/questions.ts";
import type { NameBook } from "../format/name-book.ts";

/** A row of the list; `linkPresence`: what the direct link says of the person's presence. */
export type ListedPerson = Person & { readonly linkPresence?: LinkPresence | undefined };

/** What is under way, and can be interrupted. */
export type Work = "loggingIn" | "registering" | "listingPeople" | "loggingOut";

export type Screen =
  /** Not logged in: the seed's first menu. */
  | { readonly name: "start" }
  /** Which account of this machine, or another one. */
  | { readonly name: "chooseAccount"; readonly accounts: readonly string[] }
  | { readonly name: "loginName" }
  | { readonly name: "registerName" }
  | { readonly name: "registerPassword"; readonly username: string }
  | { readonly name: "registerAgain"; readonly username: string; readonly password: string }
  | { readonly name: "registerEmail"; readonly username: string; readonly password: string }
  /** `left`: whose chat was left for the list. */
  | { readonly name: "working"; readonly work: Work; readonly left?: string }
  /** Asked by what is under way, which goes on with the answer. */
  | { readonly name: "askPassword"; readonly username: string; readonly work: Work }
  | { readonly name: "askAuthority"; readonly asked: AuthorityAsked; readonly work: Work }
  /** Logged in: the seed's second menu. */
  | { readonly name: "home" }
  /** While it is open, everybody in the list keeps their place, also those who go offline. */
  | {
      readonly name: "people";
      readonly people: readonly ListedPerson[];
      /** How many it opened with, which decides how one chooses from it. */
      readonly opened: number;
      /** Since the list was fetched. */
      readonly ticks: number;
      /** Whose chat was left for it. */
      readonly left?: string;
    }
  | { readonly name: "chat"; readonly chat: ChatModel }
  | { readonly name: "ended"; readonly exit: ExitCode };

/** The account that is logged in, and what is known while it is. */
export type OpenAccount = {
  readonly username: string;
  /** By the contact's row number. */
  readonly unread: ReadonlyMap<number, Unread>;
  /** Contacts of whom a message was announced since the last tick: the bell rings once, the rest is counted. */
  readonly announced: ReadonlySet<number>;
  readonly names: NameBook;
  /** What was said of the server last: once that it is lost, once that it limits, once that it is back. */
  readonly server: "online" | "lost" | "limited" | "stopped";
  /** When a menu last said that this disk is full, ms since 1970; undefined: never. */
  readonly diskNotifiedAt: number | undefined;
};

export type AppModel = {
  readonly screen: Screen;
  /** The accounts that were used on this machine. */
  readonly accounts: readonly string[];
  /** Undefined: nobody is logged in. */
  readonly account: OpenAccount | undefined;
  /** What the name prompt offers: the account that was just made, or used before. */
  readonly lastName: string;
  /** What was typed as the name of a new account, until there is that account; empty: nothing. */
  readonly newName: string;
};

export type AppEvent =
  /** The account of a stored session is being opened, without a question. */
  | { readonly name: "resumed"; readonly username: string }
  | { readonly name: "answered"; readonly value: string }
  | { readonly name: "back" }
  | { readonly name: "interrupted" }
  /** SIGINT, SIGTERM, SIGHUP. */
  | { readonly name: "signalled" }
  /** What is under way asks. */
  | { readonly name: "passwordAsked"; readonly username: string }
  | { readonly name: "authorityAsked"; readonly asked: AuthorityAsked }
  /** What was under way has ended. `failure`: the account is open, and the server is still being tried. */
  | {
      readonly name: "loggedIn";
      readonly username: string;
      /** Why there is no server, in one sentence. */
      readonly failure: string | undefined;
      readonly unread: ReadonlyMap<number, Unread>;
      readonly names: NameBook;
    }
  | { readonly name: "registered"; readonly username: string }
  | { readonly name: "loggedOut"; readonly sentence: string | undefined }
  /** `failure`: why the server could not be asked, in one sentence; then these are the contacts of this machine. */
  | {
      readonly name: "people";
      readonly people: readonly ListedPerson[];
      readonly unread: ReadonlyMap<number, Unread>;
      readonly names: NameBook;
      readonly failure: string | undefined;
    }
  /** One sentence that says what to do next; the menu comes back. */
  | { readonly name: "failed"; readonly sentence: string }
  /** The chat is open; what happens in it follows. */
  | {
      readonly name: "chatOpened";
      readonly username: string;
      readonly contact: number;
      /** No link with anybody of this name was ever there. */
      readonly isStranger: boolean;
    }
  | Extract<ChatEvent, { readonly name: "messenger" }>
  /** What was never shown, counted again. */
  | { readonly name: "recounted"; readonly unread: ReadonlyMap<number, Unread> }
  | { readonly name: "chat"; readonly event: ChatEvent }
  /** The name book has grown. */
  | { readonly name: "named"; readonly names: NameBook }
  /** About once a second. */
  | { readonly name: "tick" };

export type AppEffect =
  | { readonly name: "print"; readonly lines: readonly Line[] }
  | { readonly name: "bell" }
  | { readonly name: "logIn"; readonly username: string }
  | {
      readonly name: "register";
      readonly username: string;
      readonly password: string;
      readonly email: string;
    }
  /** Answers to what is under way; undefined: the person went back, so it is given up. */
  | { readonly name: "answerPassword"; readonly password: string | undefined }
  | { readonly name: "answerAuthority"; readonly trusted: boolean | undefined }
  | { readonly name: "listPeople" }
  | { readonly name: "openChat"; readonly username: string }
  | { readonly name: "closeChat"; readonly username: string }
  | { readonly name: "logOut" }
  /** Closes the account without ending its stored session. */
  | { readonly name: "closeAccount" }
  | { readonly name: "chat"; readonly effect: EffectOf<EffectName> };

export type AppStep = { readonly model: AppModel; readonly effects: readonly AppEffect[] };
