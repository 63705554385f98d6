/** The group of a chat: what the chat knows of it, and the effects and events that only chats with groups have. */
import type { GroupMember, GroupNotice, SharedGroup } from "../../../client/conversation/events.ts";
import type { StoredMessage } from "../../../client/profile/stored-message.ts";

export type GroupState = {
  readonly group: SharedGroup;
  /** What is done if the next line is a yes. */
  readonly asked: GroupEffect | undefined;
  /** Who came and went, which is said together; `at`: when the last of it came, ms since 1970. */
  readonly held: { readonly notices: readonly GroupNotice[]; readonly at: number };
  /** The catch-up that goes on: how many texts of each author have come. `at`: when the last text came, ms since 1970. */
  readonly rush: { readonly from: number; readonly counts: ReadonlyMap<string, number>; readonly at: number };
  /** Texts that were folded, which `/more` shows, and whether that was said of all. */
  readonly folded: { readonly runs: readonly Folded[]; readonly isSaid: boolean };
};

/** `count` texts of one author, and all of theirs from one number in the store to another. */
export type Folded = {
  readonly author: string;
  readonly from: number;
  readonly to: number;
  readonly count: number;
};

/** What is done with the group of the chat, but for `createGroup`. Names are as they were typed. */
export type GroupEffect =
  | { readonly name: "createGroup"; readonly title: string; readonly typed: string }
  | {
      readonly name: "addToGroup";
      readonly usernames: readonly string[];
      readonly history: "all" | "none";
    }
  | { readonly name: "removeFromGroup"; readonly username: string }
  | { readonly name: "leaveGroup" }
  | { readonly name: "acceptGroup" }
  | { readonly name: "declineGroup" }
  | { readonly name: "makeAdmin"; readonly username: string }
  | { readonly name: "renameGroup"; readonly title: string }
  /** `days`: null: texts stay. */
  | { readonly name: "keepGroup"; readonly days: number | null }
  | { readonly name: "copyGroup" }
  | { readonly name: "listMembers" }
  /** Reads texts that were folded, the first `limit` of the run. */
  | { readonly name: "unfold"; readonly run: Folded; readonly limit: number }
  /** What was set aside of our texts is put into the line. */
  | { readonly name: "takeUpDraft" }
  /** The notices up to this one were printed. */
  | { readonly name: "noticesShown"; readonly seq: number };

/** The answers to effects; a group that was founded is opened by whichever chat is open. */
export type GroupEvent =
  | { readonly name: "declinedGroup" }
  /** Texts of ours are never sent, and stand in the draft. */
  | { readonly name: "unsent"; readonly text: string }
  | { readonly name: "keepsTexts"; readonly days: number | null }
  | { readonly name: "unfolded"; readonly messages: readonly StoredMessage[] }
  | { readonly name: "members"; readonly members: readonly GroupMember[] }
  /** A group was founded, or copied from the one of the chat. */
  | { readonly name: "founded"; readonly username: string }
  | {
      readonly name: "addedToGroup";
      /** Who is invited as soon as there is a link with them. */
      readonly waiting: readonly string[];
      readonly failed: readonly { readonly username: string; readonly code: string }[];
    };
