/** The chat with a person or a group: its state, its events and its effects. */
import type { Unread } from "../../client/archive.ts";
import type { ContactState, Decision } from "../../client/contact-choices.ts";
import type {
  GroupCounts,
  GroupNotice,
  MessengerEvent,
  SharedGroup,
} from "../../client/conversation/events.ts";
import type { LinkInfo } from "../../client/conversation/shown-link.ts";
import type { MessageState } from "../../client/disk/schema.ts";
import type { ActionFault } from "../../client/errors.ts";
import type { UnreachableReason } from "../../client/peer/dial.ts";
import type { Muted } from "../../client/profile/contacts.ts";
import type { OfferedFile, StoredMessage } from "../../client/profile/stored-message.ts";
import type { ToldAddresses } from "../../client/reach/reach.ts";
import type { Acceptance } from "../../client/safety-numbers.ts";
import type { Language } from "../../protocol/language.ts";
import type { NameBook } from "../format/name-book.ts";
import type { Line } from "../format/printed-line.ts";
import type { LineEvent } from "../line/input-line.ts";
import type { Attention } from "../terminal/attention.ts";
import type { CopyResult } from "../terminal/clipboard.ts";
import type { Texts } from "../texts/texts.ts";
import type { Offers } from "./files/offers.ts";
import type { FileEffect, FileEvent } from "./files/model.ts";
import type { GroupEffect, GroupEvent, GroupState } from "./group/model.ts";
import type { TrackedFiles } from "./files/tracked-files.ts";

/** The context of `updateChat`. */
export type ChatContext = {
  /** ms since 1970 */
  readonly now: number;
  readonly names: NameBook;
  /** The account that is online. */
  readonly ownName: string;
  readonly attention: Attention;
  readonly texts: Texts;
  readonly language: Language;
} & OtherChats;

/** What is known of all conversations of the account. */
export type OtherChats = {
  /** The people who are reached by the numbers from 1 on, by name. */
  readonly numbered: readonly string[];
  /** By the contact's row number; who has waited longest is first. The open chat is left out. */
  readonly unread: ReadonlyMap<number, Unread>;
  /** Those of whom nothing is announced, by the contact's row number; some may be past. */
  readonly muted: ReadonlyMap<number, Muted>;
  /** The offers of files that wait for an answer. */
  readonly offers: Offers;
  /** By the names of their chats. */
  readonly groups: ReadonlyMap<string, SharedGroup>;
};

export type ChatModel = PersonChat | GroupChat;

/** What a chat with a person and one with a group have alike. */
type Conversation = {
  /** Of a person in the registered spelling, if it is known; of a group `#` and its id. */
  readonly username: string;
  readonly deliveries: Deliveries;
  readonly transcript: Transcript;
  /** The transfers with the person, or of the group. */
  readonly files: TrackedFiles;
  /** The last line was a `/chat` that failed; undefined: it was not, or what is typed now was begun after it was seen. */
  readonly stayed: Stayed | undefined;
  readonly draft: DraftState;
  /** When a draft was put into the line, ms since 1970; undefined: none was, or Enter was typed since. */
  readonly restoredAt: number | undefined;
};

export type PersonChat = Conversation & {
  readonly kind: "person";
  readonly peer: Peer;
  readonly link: ChatLink;
  readonly notified: Notified;
  readonly verifying: Verifying;
};

export type GroupChat = Conversation & { readonly kind: "group" } & GroupState;

/** Whether what stands in the line is stored. `isStored`: perhaps a draft is; if not, certainly none is. */
export type DraftState =
  | { readonly name: "settled"; readonly isStored: boolean }
  /** The line was changed since, first at `since` and last at `at`; ms since 1970. */
  | { readonly name: "changed"; readonly isStored: boolean; readonly since: number; readonly at: number };

/** `at`: when it failed, ms since 1970. */
export type Stayed = {
  readonly at: number;
  /** What stands in the line was begun before the failure can have been read. */
  readonly isTypedBlind: boolean;
};

/** The other person. */
export type Peer = {
  /** There was never a proven link with a person of this name. */
  readonly isStranger: boolean;
  /** They were verified by a code. */
  readonly isVerified: boolean;
  /** What they are to us. */
  readonly state: ContactState;
  /** They hold what we write until they accept us. */
  readonly holds: boolean;
};

/** The verification of the peer. */
export type Verifying =
  | { readonly name: "none" }
  /** Only the peer has opened it. */
  | { readonly name: "asked" }
  /** The peer is awaited. */
  | { readonly name: "waiting" }
  /** Whether the peer sees the same code is asked. */
  | { readonly name: "comparing"; readonly code: string }
  /** Ours is answered; the peer's answer is awaited. */
  | { readonly name: "answered" };

/** The state of the link, which the prompt shows. Times are ms since 1970. */
export type ChatLink =
  /** `reason`: why the last attempt failed; undefined: that is not known, or it may be different by now. */
  | { readonly name: "away"; readonly reason: UnreachableReason | undefined }
  | {
      readonly name: "connected";
      /** The peer has stopped answering on the link. */
      readonly isSilent: boolean;
      readonly way: SaidWay;
      /** Since when it is this one. */
      readonly waySince: number;
      /** When the peer last notified us that they are typing; undefined: they are not. */
      readonly peerTypingSince: number | undefined;
      /** When we last notified the peer that we are typing; undefined: we are not. */
      readonly ownTypingSince: number | undefined;
    };

/** What is said of the way of a link. `relayedForNow`: a direct one is looked for. */
export type SaidWay = "direct" | "router" | "relayed" | "relayedForNow";

/** The delivery of our messages and changes. */
export type Deliveries = {
  /** Our last message, or change of one: the prompt shows its state. */
  readonly last: OwnMessage | undefined;
  /** Our last messages, oldest first, at most MAX_OWN; the prompt returns to them after a change. */
  readonly own: readonly OwnMessage[];
  /** Oldest first, at most MAX_PENDING. */
  readonly pending: readonly PendingDelivery[];
  /** Number of those beyond MAX_PENDING. */
  readonly more: number;
  readonly wait: Wait;
};

/** Whether it was said that something of ours waits: for each reason that is said once until nothing waits any more. */
export type Wait =
  | { readonly name: "unsaid" }
  /** `arrived`: number of those that have arrived since. `reasons`: the sentences that were said; `at`: when the last one was. */
  | {
      readonly name: "said";
      readonly arrived: number;
      readonly reasons: readonly string[];
      readonly at: number;
    };

/** A message of ours, or a change of one (`target`), and its state. */
export type OwnMessage = {
  readonly id: string;
  readonly state: MessageState;
  /** How many of a group have it. */
  readonly counts?: GroupCounts | undefined;
  readonly target?: string;
};

/** A message of ours, or a change of one (`target`), that was not received yet. */
export type PendingDelivery = {
  readonly id: string;
  readonly target?: string;
  /** Of a message. */
  readonly excerpt?: string;
  /** When it was queued, or shown as queued, ms since 1970. */
  readonly since: number;
};

/** What was printed on the screen. */
export type Transcript = {
  /** The day of the last message that was printed, `YYYY-MM-DD` in local time. */
  readonly day: string | undefined;
  /** `seq` of the oldest message shown; `/more` continues before it. Undefined: nothing older is stored. */
  readonly oldest: number | undefined;
  /** `seq` of the newest message of the peer that was shown, so that none is shown twice; 0: none. */
  readonly newest: number;
  /** How many messages of the peer were shown while nobody was known to look. */
  readonly unseen: number;
  /** When somebody last opened the chat, typed, or looked again; ms since 1970. */
  readonly seenAt: number;
  /** The messages that #1, #2 … refer to: those of the last printed list. */
  readonly listed: readonly Listed[];
};

/** The last notices, so that they are not repeated too soon. */
export type Notified = {
  /** When the peer's full disk was last reported, ms since 1970; undefined: never. */
  readonly peerDiskAt: number | undefined;
  /** When another error of the peer was last reported, likewise. */
  readonly peerErrorAt: number | undefined;
  /** When the peer's new key was last reported, likewise. */
  readonly keyAt: number | undefined;
  /** The way of the link that was said last; undefined: none was. */
  readonly way: SaidWay | undefined;
  /** It was said that nobody may have the peer's name. */
  readonly perhapsNobody: boolean;
  /**
   * Since when the line with which the chat with a stranger opens waits for what the server says of them, ms since 1970;
   * undefined: it was printed.
   */
  readonly openingSince: number | undefined;
};

/** Excerpts of the messages that are replied to, by id, as far as they are stored. */
export type Answered = ReadonlyMap<string, string>;

/** A message with a number in a printed list. */
export type Listed = {
  readonly seq: number;
  readonly id: string;
  readonly outgoing: boolean;
  /** The other person of its conversation. */
  readonly chat: string;
};

/** The message that a command is about; `last`: our last one, for a reply or a copy the peer's last one. */
export type Target = { readonly name: "last" } | { readonly name: "listed"; readonly message: Listed };

/** Why a command on a message does nothing. */
export type Refusal =
  | ActionFault
  | "none_own"
  | "none_theirs"
  | "none_waiting"
  /** The message is the peer's, so it cannot be cancelled. */
  | "cancel_not_own"
  /** Only changes of messages that were already sent are waiting. */
  | "only_change"
  /** The message to reply to was withdrawn. */
  | "no_reply"
  /** The message to copy was withdrawn. */
  | "no_copy";

/** Stored messages, oldest first, with the excerpts of what they reply to. */
export type StoredPage = {
  readonly messages: readonly StoredMessage[];
  /** There are older ones. */
  readonly isMore: boolean;
  readonly answered?: Answered;
  /** Who has our texts for a group, by their ids. */
  readonly counts?: ReadonlyMap<string, GroupCounts>;
  /** `seq` of the first that was not shown before. */
  readonly unreadFrom?: number | undefined;
};

/** What is known of a chat that is opened. */
export type OpenedChat = StoredPage & {
  /** Number of all messages and changes in the outbox. */
  readonly waiting?: number;
  readonly isVerified?: boolean;
  /** Another key of theirs waits to be accepted or verified. */
  readonly isKeyPending?: boolean;
  readonly hasDraft?: boolean;
  readonly state?: ContactState;
  /** Of their key, 64 hexadecimal digits. */
  readonly fingerprint?: string | undefined;
  /** What has happened in the group since that was shown last. */
  readonly notices?: readonly GroupNotice[];
};

/** A message written in this chat; `answers`: excerpt of the message that it replies to; `offer`: the file that it offers to all. */
export type WrittenText = {
  readonly text: string;
  readonly answers: string | undefined;
  readonly offer?: OfferedFile | undefined;
};

/** What the update needs to know about an event of the messenger beyond its fields. */
export type Known = {
  /** Excerpt of the message replied to, or of our message before its change; undefined: it is not stored. */
  readonly excerpt?: string | undefined;
  /** The message, with the first `delivery` of one that was written in this chat. */
  readonly written?: WrittenText | undefined;
  /** The message is on the screen already. */
  readonly isShown?: boolean;
  /** Of the key of who asks to write, 64 hexadecimal digits. */
  readonly fingerprint?: string | undefined;
};

/** Answers to effects that only a chat with a person has. */
export type PersonEvent =
  | {
      readonly name: "safetyNumber";
      /** Twelve groups of five digits each; the number of a pending key is last. */
      readonly numbers: readonly { readonly number: string; readonly pending: boolean }[];
    }
  | { readonly name: "keyAccepted"; readonly result: Acceptance["result"] }
  /** What they are after our decision. */
  | { readonly name: "decided"; readonly state: ContactState }
  /** No code may be compared before so many seconds. */
  | { readonly name: "verificationTooSoon"; readonly seconds: number }
  | { readonly name: "verificationAnswered" }
  /** `wasVerified`: false: there was nothing to withdraw. */
  | { readonly name: "verificationOff"; readonly wasVerified: boolean }
  /** The answer to `/info` without a number, as of the request `link`. */
  | {
      readonly name: "linkInfo";
      readonly link: (LinkInfo & { readonly roundTrip: number | undefined }) | undefined;
      readonly told: ToldAddresses | undefined;
      readonly hasServer: boolean;
      /** Until when links can be opened without one, ms since 1970; undefined: they cannot. */
      readonly linksUntil: number | undefined;
    };

/** What chats with persons and with groups take in their own ways. */
export type KindEvent =
  | PersonEvent
  | Exclude<GroupEvent, { readonly name: "founded" }>
  | Extract<ChatEvent, { readonly name: "opened" | "messenger" }>;

export type ChatEvent =
  /** The messages shown when the chat opens. */
  | ({ readonly name: "opened" } & OpenedChat)
  /** The answer to `/more`. */
  | ({ readonly name: "page" } & StoredPage)
  | LineEvent
  /** Any event of the messenger. */
  | { readonly name: "messenger"; readonly event: MessengerEvent; readonly known?: Known }
  | PersonEvent
  | FileEvent
  | GroupEvent
  /** About once a second. */
  | { readonly name: "tick" }
  /** Somebody looks at the terminal. */
  | { readonly name: "seen" }
  /** The answers to effects. */
  | {
      readonly name: "online";
      readonly people: readonly string[];
      /** For those whose direct link is silent: since when, ms since 1970. */
      readonly silent?: ReadonlyMap<string, number>;
    }
  /** The answer to `/chat` without a name. `drafts`: the beginnings of what stands in the lines, by name. */
  | { readonly name: "chats"; readonly drafts: ReadonlyMap<string, string> }
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
  /** The answer to `/copy`. `chat`: the other person of the message's conversation. */
  | {
      readonly name: "copied";
      readonly message: StoredMessage;
      readonly chat: string;
      readonly result: CopyResult;
    }
  | { readonly name: "deleted"; readonly message: StoredMessage }
  /** A search waits until the words of all messages are indexed. */
  | { readonly name: "indexing"; readonly percent: number }
  | { readonly name: "deletingChat" }
  /** `waiting`: number of messages that were kept, since they are unsent. */
  | { readonly name: "deletedChat"; readonly count: number; readonly waiting: number }
  | { readonly name: "exported"; readonly count: number; readonly file: string }
  /** `typed`: the line to give back. */
  | { readonly name: "refused"; readonly code: Refusal; readonly typed?: string }
  | { readonly name: "failed"; readonly sentence: string; readonly typed?: string }
  /** Another chat could not be opened, so that this one stays. */
  | { readonly name: "stays"; readonly sentence: string };

export type ChatEffect =
  /** Prints lines in one write. */
  | { readonly name: "print"; readonly lines: readonly Line[] }
  /** These incoming messages have been shown. */
  | { readonly name: "markShown"; readonly sequences: readonly number[] }
  /** Those up to this `seq` were seen: the peer is told, unless an older one was not shown yet. */
  | { readonly name: "markSeen"; readonly seq: number }
  | { readonly name: "send"; readonly text: string }
  | { readonly name: "typing"; readonly active: boolean }
  /** Reads the page before the message with this `seq`. */
  | { readonly name: "page"; readonly before: number }
  | { readonly name: "listOnline" }
  | { readonly name: "showSafetyNumber" }
  | { readonly name: "acceptKey" }
  | { readonly name: "decide"; readonly decision: Decision }
  | { readonly name: "openVerification" }
  | { readonly name: "answerVerification"; readonly same: boolean }
  | { readonly name: "closeVerification" }
  | { readonly name: "withdrawVerification" }
  | { readonly name: "listChats" }
  /** Nothing of the peer is announced for so long; 0: it is. */
  | { readonly name: "mute"; readonly seconds: number }
  | { readonly name: "list"; readonly count: number }
  | { readonly name: "search"; readonly words: string }
  | { readonly name: "linkInfo" }
  | { readonly name: "info"; readonly message: Listed }
  | { readonly name: "copy"; readonly target: Target }
  /** `typed`: the line, which is given back if this fails. */
  | { readonly name: "edit"; readonly target: Target; readonly text: string; readonly typed: string }
  | { readonly name: "reply"; readonly target: Target; readonly text: string; readonly typed: string }
  | { readonly name: "withdraw"; readonly target: Target }
  /** `last`: the last message that was not sent yet. */
  | { readonly name: "cancel"; readonly target: Target }
  | { readonly name: "delete"; readonly message: Listed }
  | { readonly name: "deleteChat" }
  | { readonly name: "export"; readonly file: string }
  | FileEffect
  | GroupEffect
  /** Puts a text that could not be sent back into the input line. */
  | { readonly name: "giveBack"; readonly text: string }
  /** Stores what stands in the input line. */
  | { readonly name: "keepDraft" }
  /** Leaves for the list of people, or for another chat. */
  | { readonly name: "leave"; readonly to: string | undefined };

/** The effects that the chat carries out, by name; the application carries out the others. */
type Performed = {
  readonly [
    E in Exclude<ChatEffect, { readonly name: "print" | "giveBack" | "keepDraft" | "leave" }> as E["name"]
  ]: E;
};
export type EffectName = keyof Performed;
export type EffectOf<N extends EffectName> = Performed[N];
/** Effect → the function that carries it out; asynchronous if it takes longer than one turn of the event loop. */
export type EffectTable<N extends EffectName> = {
  readonly [K in N]: (effect: EffectOf<K>) => Promise<void> | void;
};

export type ChatStep<C extends ChatModel = ChatModel> = {
  readonly chat: C;
  readonly effects: readonly ChatEffect[];
};

/** What the effects of an open chat need from the program. */
export type ChatNeeds = {
  readonly texts: Texts;
  readonly dispatch: (event: ChatEvent) => void;
  /** Describes an error in one sentence. */
  readonly describe: (error: unknown) => string;
  /** Puts a text of a message into the clipboard. */
  readonly copy: (text: string) => CopyResult;
  /** Gives a name as people see it. */
  readonly shown: (username: string) => string;
  /** Where files are put, unless a folder is named. */
  readonly downloads: string;
};
