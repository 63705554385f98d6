/** The chat with one person, as a value: what the screen knows, what can happen, what is to be done. */
import type { MessengerEvent, UnreachableReason } from "../../client/messenger-events.ts";
import type { ActionFault } from "../../client/message-actions.ts";
import type { MessageState, StoredMessage } from "../../client/stored-message.ts";
import type { NameBook } from "./name-book.ts";
import type { Line } from "./lines.ts";

/** What `update` knows beside the model. */
export type ChatContext = {
  /** ms since 1970 */
  readonly now: number;
  readonly names: NameBook;
  /** The account that is online. */
  readonly ownName: string;
};

/** How the conversation stands; a line is printed only when this changes. */
export type ChatLink =
  | { readonly name: "connecting" }
  | { readonly name: "connected"; readonly address: string }
  /** The other side said `bye`. */
  | { readonly name: "left" }
  /** The line died; it is dialled again. */
  | { readonly name: "lost" }
  | { readonly name: "unreachable"; readonly reason: UnreachableReason };

/** What the server last said of the peer's presence; unknown: nothing, or the server is gone. */
export type ServerWord =
  | { readonly name: "unknown" }
  | { readonly name: "online" }
  /** `since`: ms since 1970. */
  | { readonly name: "offline"; readonly since: number };

/** What was told of the server's word and of the last answer on the direct link, where they disagree. */
export type WitnessTold =
  | { readonly name: "nothing" }
  /** `level`: how many of the ages at which it is told again had passed. */
  | { readonly name: "silent"; readonly level: number }
  | { readonly name: "answers" };

/** A message of ours, or a change of one, that is not known to have arrived. */
export type Waiting = {
  readonly id: string;
  /** Of a change: the id of the message. */
  readonly target?: string;
  /** The beginning of its text, for the lines about it; visible text, not cut inside a grapheme. */
  readonly excerpt: string;
  /** When it was queued, ms since 1970. */
  readonly since: number;
  readonly state: MessageState;
  /** The person has been told that it waits, so they are told when it arrives. */
  readonly told: boolean;
};

/** The beginnings of the messages that others answer, by id, as they may be shown; of those that are still here. */
export type Answered = ReadonlyMap<string, string>;

/** A message that a list on the screen gives a number to. */
export type Listed = {
  readonly seq: number;
  readonly id: string;
  readonly outgoing: boolean;
  /** The other person of its conversation. */
  readonly chat: string;
};

/** Which message a command means; `last`: ours, or theirs for an answer. */
export type Target = { readonly name: "last" } | { readonly name: "listed"; readonly message: Listed };

/** Why a command on a message does nothing. */
export type Refusal = ActionFault | "none_own" | "none_theirs" | "none_waiting";

export type ChatModel = {
  /** The other person, in the registered spelling as far as it is known. */
  readonly peer: string;
  /** Nobody of this name was seen here before the chat. */
  readonly isStranger: boolean;
  readonly link: ChatLink;
  /** While a link is there it changes nothing. */
  readonly serverWord: ServerWord;
  /** The last answer on a direct link, ms since 1970; undefined: none is known of. */
  readonly heardAt: number | undefined;
  /** The link is there, and does not answer. */
  readonly isSilent: boolean;
  readonly witnessTold: WitnessTold;
  /** Our last message, or change of one (`target`); its state stands at the head of the input line. */
  readonly last: { readonly id: string; readonly state: MessageState; readonly target?: string } | undefined;
  /** What #1, #2 … stand for: the last list that was printed, so that they never move. */
  readonly listed: readonly Listed[];
  /** Oldest first; at most MAX_WAITING of them are followed. */
  readonly waiting: readonly Waiting[];
  /** Told of, and arrived since the last tick. */
  readonly arrived: readonly string[];
  /** ms since 1970 of the peer's last word that they type; undefined: they do not. */
  readonly peerTypingSince: number | undefined;
  /** ms since 1970 when we last told the peer that we type; undefined: we do not. */
  readonly ownTypingSince: number | undefined;
  /** The day of the last message that was printed, `YYYY-MM-DD` in local time. */
  readonly day: string | undefined;
  /** `seq` of the oldest message shown; `/more` goes on before it. Undefined: nothing older is stored. */
  readonly oldest: number | undefined;
  /** `seq` of the newest message of theirs that was shown, so that none is shown twice; 0: none. */
  readonly newest: number;
  /** A key of the peer's waits to be accepted. */
  readonly keyPending: boolean;
  /** The link to the server is lost; told once. */
  readonly serverLost: boolean;
  /** ms since 1970 when a full disk was told of last, ours and theirs; undefined: never. */
  readonly diskToldAt: number | undefined;
  readonly peerDiskToldAt: number | undefined;
};

/** Stored messages, oldest first, with what they answer. */
export type StoredPage = {
  readonly messages: readonly StoredMessage[];
  /** There are older ones. */
  readonly isMore: boolean;
  readonly answered?: Answered;
};

/** A message that a search has found, and the other person of its conversation. */
export type Hit = { readonly message: StoredMessage; readonly chat: string };

export type ChatEvent =
  /** The stored messages that are shown on opening, oldest first. */
  | ({ readonly name: "opened" } & StoredPage)
  /** The page before, oldest first, as `/more` asked for. */
  | ({ readonly name: "page" } & StoredPage)
  /** Enter: the line as it was typed, and what its pastes stand for put in. */
  | { readonly name: "line"; readonly typed: string; readonly expand: (text: string) => string }
  /** The line was edited. */
  | { readonly name: "edited"; readonly isEmpty: boolean }
  /** Ctrl-C or Ctrl-D on an empty line. */
  | { readonly name: "leaving" }
  /** A text of ours is on the disk. */
  | {
      readonly name: "written";
      readonly id: string;
      readonly text: string;
      /** The beginning of what it answers. */
      readonly answers?: string;
    }
  /**
   * Everything that the messenger tells; what other people write is announced by the application.
   * `answers`: the beginning of what a message answers; undefined: that is not here.
   */
  | { readonly name: "messenger"; readonly event: MessengerEvent; readonly answers?: string | undefined }
  /** About once a second. */
  | { readonly name: "tick" }
  /** The answers to effects: who is online; the safety number; whether a key was accepted; words of a failure. */
  | { readonly name: "online"; readonly people: readonly string[] }
  | {
      readonly name: "safetyNumber";
      /** Twelve groups of five digits each; a pending key's last. */
      readonly numbers: readonly { readonly number: string; readonly pending: boolean }[];
    }
  | { readonly name: "keyAccepted"; readonly result: "accepted" | "none" | "changed_again" | "not_shown" }
  /** The answers to commands on messages. `typed`: a line that is given back. */
  | ({ readonly name: "listed" } & StoredPage)
  | {
      readonly name: "found";
      readonly words: string;
      /** Oldest first. */
      readonly hits: readonly Hit[];
      readonly isMore: boolean;
    }
  | { readonly name: "info"; readonly message: StoredMessage; readonly chat: string }
  | { readonly name: "deleted"; readonly message: StoredMessage }
  | { readonly name: "deletingChat" }
  /** `waiting`: messages that stay, since they still have to leave. */
  | { readonly name: "deletedChat"; readonly count: number; readonly waiting: number }
  | { readonly name: "exported"; readonly count: number; readonly file: string }
  | { readonly name: "refused"; readonly code: Refusal; readonly typed?: string }
  | { readonly name: "failed"; readonly sentence: string; readonly typed?: string };

/** What a command does with stored messages. */
export type MessageEffect =
  | { readonly name: "list"; readonly count: number }
  | { readonly name: "search"; readonly words: string }
  | { readonly name: "info"; readonly target: Target }
  /** `typed`: the line, given back when nothing comes of it. */
  | { readonly name: "edit"; readonly target: Target; readonly text: string; readonly typed: string }
  | { readonly name: "reply"; readonly target: Target; readonly text: string; readonly typed: string }
  | { readonly name: "withdraw"; readonly target: Target }
  /** `last`: the last one that has not left. */
  | { readonly name: "cancel"; readonly target: Target }
  | { readonly name: "delete"; readonly message: Listed }
  | { readonly name: "deleteChat" }
  | { readonly name: "export"; readonly file: string };

export type ChatEffect =
  /** In one write, in order. */
  | { readonly name: "print"; readonly lines: readonly Line[] }
  /** These incoming messages have been shown. */
  | { readonly name: "markShown"; readonly sequences: readonly number[] }
  | { readonly name: "send"; readonly text: string }
  | { readonly name: "typing"; readonly active: boolean }
  /** The page of stored messages before `seq`. */
  | { readonly name: "page"; readonly before: number }
  | { readonly name: "listOnline" }
  | { readonly name: "showSafetyNumber" }
  | { readonly name: "acceptKey" }
  | MessageEffect
  /** A text that could not be sent goes back into the input line. */
  | { readonly name: "giveBack"; readonly text: string }
  /** Leaves this chat: for the people, or straight for another chat. */
  | { readonly name: "leave"; readonly to: string | undefined };

export type ChatStep = { readonly chat: ChatModel; readonly effects: readonly ChatEffect[] };
