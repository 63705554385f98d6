/** The chat with one person, as a value: what the screen knows, what can happen, what is to be done. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { MessageState } from "../../client/disk/schema.ts";
import type { ActionFault } from "../../client/errors.ts";
import type { UnreachableReason } from "../../client/peer/dial.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type { Language } from "../../protocol/language.ts";
import type { NameBook } from "../format/name-book.ts";
import type { Line } from "../format/printed-line.ts";
import type { LineEvent } from "../line/input-line.ts";
import type { Texts } from "../texts/texts.ts";

/** What `updateChat` knows beside the model. */
export type ChatContext = {
  /** ms since 1970 */
  readonly now: number;
  readonly names: NameBook;
  /** The account that is online. */
  readonly ownName: string;
  readonly texts: Texts;
  readonly language: Language;
};

export type ChatModel = {
  readonly peer: Peer;
  readonly link: ChatLink;
  readonly presence: Presence;
  readonly deliveries: Deliveries;
  readonly transcript: Transcript;
  readonly notified: Notified;
};

/** The other person. */
export type Peer = {
  /** In the registered spelling as far as it is known. */
  readonly username: string;
  /** No proven link with anybody of this name was ever there: nothing arrived, nothing was received. */
  readonly isStranger: boolean;
  /** A key of theirs waits to be accepted. */
  readonly isKeyPending: boolean;
};

/** How the conversation stands; a line is printed only when this changes. Times are ms since 1970. */
export type ChatLink =
  | { readonly name: "connecting" }
  | {
      readonly name: "connected";
      /** The link is there, and does not answer. */
      readonly isSilent: boolean;
      /** When the peer last said that they type; undefined: they do not. */
      readonly peerTypingSince: number | undefined;
      /** When the peer was last notified that we type; undefined: we do not. */
      readonly ownTypingSince: number | undefined;
    }
  /** The other side said `bye`. */
  | { readonly name: "left" }
  /** The link broke; it is dialled again. */
  | { readonly name: "lost" }
  | { readonly name: "unreachable"; readonly reason: UnreachableReason; readonly retryIn?: number };

/** The two sources of the peer's presence, and what was said of them. */
export type Presence = {
  readonly server: ServerPresence;
  /** The last answer on a direct link, ms since 1970; undefined: none is known of. */
  readonly lastAnswerAt: number | undefined;
  readonly notified: PresenceNotice;
};

/** What the server last said of the peer's presence; unknown: nothing, or the server is gone. */
export type ServerPresence =
  | { readonly name: "unknown" }
  | { readonly name: "online" }
  /** `since`: ms since 1970. */
  | { readonly name: "offline"; readonly since: number };

/** How the two sources of presence disagree, as the person was last notified. */
export type PresenceNotice =
  | { readonly name: "none" }
  /** `level`: how many of the ages at which it is repeated had passed. */
  | { readonly name: "silent"; readonly level: number }
  | { readonly name: "answers" };

/** Our messages on their way. */
export type Deliveries = {
  /** Our last text, or change of one: its state stands in the prompt. */
  readonly last: OwnMessage | undefined;
  /** Our last texts, oldest first, at most MAX_OWN: what the prompt goes back to. */
  readonly own: readonly OwnMessage[];
  /** Oldest first, at most MAX_PENDING. */
  readonly pending: readonly PendingDelivery[];
  /** The person was notified that these wait, and they have arrived since the last tick. */
  readonly arrived: readonly Arrived[];
  readonly overflow: Overflow;
};

/** A text of ours, or a change of one (`target`), and how far it has come. */
export type OwnMessage = { readonly id: string; readonly state: MessageState; readonly target?: string };

/** A text of ours, or a change of one, that is not known to have arrived. */
export type PendingDelivery = {
  readonly id: string;
  /** Of a change: the id of the message. */
  readonly target?: string;
  readonly excerpt: string;
  /** When it was queued, ms since 1970. */
  readonly since: number;
  readonly state: MessageState;
  /** The person was notified that it waits, so they are notified when it arrives. */
  readonly notified: boolean;
};

export type Arrived = { readonly excerpt: string; readonly isChange: boolean };

/** Deliveries that are more than MAX_PENDING, of which only the number is known. */
export type Overflow = {
  readonly notified: number;
  readonly unnotified: number;
  /** When the first of the unnotified was queued, ms since 1970. */
  readonly since: number;
  /** What is among them. */
  readonly texts: boolean;
  readonly changes: boolean;
  /** The person was notified of these, and they have arrived since the last tick. */
  readonly arrived: number;
};

/** How much is in the outbox for this person. */
export type Outstanding = { readonly texts: number; readonly changes: number };

/** What stands on the screen. */
export type Transcript = {
  /** The day of the last message that was printed, `YYYY-MM-DD` in local time. */
  readonly day: string | undefined;
  /** `seq` of the oldest message shown; `/more` goes on before it. Undefined: nothing older is stored. */
  readonly oldest: number | undefined;
  /** `seq` of the newest message of theirs that was shown, so that none is shown twice; 0: none. */
  readonly newest: number;
  /** What #1, #2 … stand for: the last list that was printed, so that they never move. */
  readonly listed: readonly Listed[];
};

/** What the person was notified of, and is not notified of again too soon. */
export type Notified = {
  /** The link to the server is lost, or the server limits. */
  readonly server: "no" | "lost" | "limited";
  /** Our disk is full, ms since 1970; undefined: never. */
  readonly diskAt: number | undefined;
  /** Theirs is. */
  readonly peerDiskAt: number | undefined;
};

/** The excerpts of the messages that others answer, by id; of those that are still here. */
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
export type Refusal =
  | ActionFault
  | "none_own"
  | "none_theirs"
  | "none_waiting"
  /** It is another person's, and was never to be sent from here. */
  | "cancel_not_own"
  /** Only changes of messages that were already sent are waiting. */
  | "only_change"
  /** What was to be answered was withdrawn. */
  | "no_reply";

/** Stored messages, oldest first, with what they answer. */
export type StoredPage = {
  readonly messages: readonly StoredMessage[];
  /** There are older ones. */
  readonly isMore: boolean;
  readonly answered?: Answered;
};

/** A text of ours that was just committed; `answers`: the excerpt of what it answers. */
export type WrittenText = { readonly text: string; readonly answers: string | undefined };

/** What is known about an event of the messenger that does not stand in it. */
export type Known = {
  /** Of what a message answers, or of a changed one as it was before; undefined: that is not here. */
  readonly excerpt?: string | undefined;
  /** With the first `delivery` of a text that was written in this chat. */
  readonly written?: WrittenText | undefined;
};

export type ChatEvent =
  /** The stored messages that are shown on opening, oldest first; `waiting`: all that is in the outbox, with changes. */
  | ({ readonly name: "opened"; readonly waiting?: Outstanding } & StoredPage)
  /** Our messages to this person that another process wrote; `gone`: ids of those that it cancelled. */
  | ({
      readonly name: "elsewhere";
      readonly gone: readonly string[];
      readonly waiting: Outstanding;
    } & StoredPage)
  /** The page before, oldest first, as `/more` asked for. */
  | ({ readonly name: "page" } & StoredPage)
  | LineEvent
  /** Everything that the messenger emits; what other people write is announced by the application. */
  | { readonly name: "messenger"; readonly event: MessengerEvent; readonly known?: Known }
  /** About once a second. */
  | { readonly name: "tick" }
  /** The answers to effects. */
  | {
      readonly name: "online";
      readonly people: readonly string[];
      /** Since when the direct link of some of them is silent, ms since 1970. */
      readonly silent?: ReadonlyMap<string, number>;
    }
  | {
      readonly name: "safetyNumber";
      /** Twelve groups of five digits each; a pending key's last. */
      readonly numbers: readonly { readonly number: string; readonly pending: boolean }[];
    }
  | { readonly name: "keyAccepted"; readonly result: "accepted" | "none" | "changed_again" | "not_shown" }
  /** The answers to commands on messages. */
  | ({ readonly name: "listed" } & StoredPage)
  | {
      readonly name: "found";
      readonly words: string;
      /** Oldest first, each with the other person of its conversation. */
      readonly hits: readonly { readonly message: StoredMessage; readonly chat: string }[];
      readonly isMore: boolean;
    }
  | { readonly name: "info"; readonly message: StoredMessage; readonly chat: string }
  | { readonly name: "deleted"; readonly message: StoredMessage }
  | { readonly name: "deletingChat" }
  /** `waiting`: messages that stay, since they are still to be sent. */
  | { readonly name: "deletedChat"; readonly count: number; readonly waiting: number }
  | { readonly name: "exported"; readonly count: number; readonly file: string }
  /** `typed`: a line that is given back. */
  | { readonly name: "refused"; readonly code: Refusal; readonly typed?: string }
  | { readonly name: "failed"; readonly sentence: string; readonly typed?: string };

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
  /** Reads what another process has written; it may have cancelled some of these. */
  | { readonly name: "lookElsewhere"; readonly pending: readonly Pick<PendingDelivery, "id" | "target">[] }
  | { readonly name: "showSafetyNumber" }
  | { readonly name: "acceptKey" }
  | { readonly name: "list"; readonly count: number }
  | { readonly name: "search"; readonly words: string }
  | { readonly name: "info"; readonly target: Target }
  /** `typed`: the line, given back when nothing comes of it. */
  | { readonly name: "edit"; readonly target: Target; readonly text: string; readonly typed: string }
  | { readonly name: "reply"; readonly target: Target; readonly text: string; readonly typed: string }
  | { readonly name: "withdraw"; readonly target: Target }
  /** `last`: the last one that was not sent yet. */
  | { readonly name: "cancel"; readonly target: Target }
  | { readonly name: "delete"; readonly message: Listed }
  | { readonly name: "deleteChat" }
  | { readonly name: "export"; readonly file: string }
  /** A text that could not be sent goes back into the input line. */
  | { readonly name: "giveBack"; readonly text: string }
  /** Goes to the list of people, or straight to another chat. */
  | { readonly name: "leave"; readonly to: string | undefined };

/** The effects that the chat carries out, by name; leaving it is up to the application. */
type Performed = { readonly [E in Exclude<ChatEffect, { readonly name: "leave" }> as E["name"]]: E };
export type EffectName = keyof Performed;
export type EffectOf<N extends EffectName> = Performed[N];
/** Effect → the function that carries it out; a promise where that takes longer than this turn. */
export type EffectTable<N extends EffectName> = {
  readonly [K in N]: (effect: EffectOf<K>) => Promise<void> | void;
};

export type ChatStep = { readonly chat: ChatModel; readonly effects: readonly ChatEffect[] };
