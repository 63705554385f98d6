/** The chat with one person, as a value: what the screen knows, what can happen, what is to be done. */
import type { MessengerEvent, UnreachableReason } from "../../client/messenger-events.ts";
import type { MessageState, StoredMessage } from "../../client/message-store.ts";
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

/** A message of ours that is not known to have arrived. */
export type Waiting = {
  readonly id: string;
  /** The beginning of its text, for the lines about it; visible text, not cut inside a grapheme. */
  readonly excerpt: string;
  /** When it was queued, ms since 1970. */
  readonly since: number;
  readonly state: MessageState;
  /** The person has been told that it waits, so they are told when it arrives. */
  readonly told: boolean;
};

export type ChatModel = {
  /** The other person, in the registered spelling as far as it is known. */
  readonly peer: string;
  /** Nobody of this name was seen here before the chat. */
  readonly isStranger: boolean;
  readonly link: ChatLink;
  /** The server's last word was that the peer is offline; while a link is there it changes nothing. */
  readonly isOffline: boolean;
  /** Our last message; its state stands at the head of the input line. */
  readonly last: { readonly id: string; readonly state: MessageState } | undefined;
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
};

export type ChatEvent =
  /** The stored messages that are shown on opening, oldest first. */
  | { readonly name: "opened"; readonly messages: readonly StoredMessage[]; readonly isMore: boolean }
  /** The page before, oldest first, as `/more` asked for. */
  | { readonly name: "page"; readonly messages: readonly StoredMessage[]; readonly isMore: boolean }
  /** Enter: the line as it was typed, and what its pastes stand for put in. */
  | { readonly name: "line"; readonly typed: string; readonly expand: (text: string) => string }
  /** The line was edited. */
  | { readonly name: "edited"; readonly isEmpty: boolean }
  /** Ctrl-C or Ctrl-D on an empty line. */
  | { readonly name: "leaving" }
  /** A text of ours is on the disk. */
  | { readonly name: "written"; readonly id: string; readonly text: string }
  /** Everything that the messenger tells; what other people write is announced by the application. */
  | { readonly name: "messenger"; readonly event: MessengerEvent }
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
  | { readonly name: "failed"; readonly sentence: string };

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
  /** A text that could not be sent goes back into the input line. */
  | { readonly name: "giveBack"; readonly text: string }
  /** Leaves this chat: for the people, or straight for another chat. */
  | { readonly name: "leave"; readonly to: string | undefined };

export type ChatStep = { readonly chat: ChatModel; readonly effects: readonly ChatEffect[] };
