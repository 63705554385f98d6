/** The group of a chat: what the chat knows of it, and the effects and events that only chats with groups have. */
import type { GroupNotice, SharedGroup } from "../../../client/conversation/events.ts";
import type { StoredMessage } from "../../../client/profile/stored-message.ts";

export type GroupState = {
  readonly group: SharedGroup;
  /** What is done if the next line is a yes. */
  readonly asked: GroupEffect | undefined;
  /** Who came and went, which is said together; `at`: when the last of it came, ms since 1970. */
  readonly held: { readonly notices: readonly GroupNotice[]; readonly at: number };
  /** How many texts of each author the catch-up that goes on has shown; `at`: when the last text came, ms since 1970. */
  readonly rush: { readonly shown: ReadonlyMap<string, number>; readonly at: number };
  /** Texts that were folded, which `/more` shows, and of how many of them that was said. */
  readonly folded: {
    readonly messages: readonly { readonly author: string; readonly seq: number }[];
    readonly said: number;
  };
};

/** What is done with the group of the chat, but for `createGroup`. Names are as they were typed. */
export type GroupEffect =
  | { readonly name: "createGroup"; readonly title: string; readonly typed: string }
  | { readonly name: "addToGroup"; readonly username: string; readonly history: "all" | "none" }
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
  /** Reads texts that were folded. */
  | { readonly name: "unfold"; readonly sequences: readonly number[] }
  /** The notices up to this one were printed. */
  | { readonly name: "noticesShown"; readonly seq: number };

export type GroupMember = {
  readonly username: string;
  readonly role: "founder" | "admin" | "member";
  readonly state: "member" | "invited" | "to_invite";
  /** Null: that is not known. */
  readonly online: boolean | null;
  readonly invited_by: string | null;
  /** `other`: not the key that is known here as theirs. */
  readonly key: "known" | "other";
  /** How many of their texts are known to be missing here. */
  readonly missing: number;
  readonly is_self: boolean;
};

/** The answers to effects; a group that was founded is opened by whichever chat is open. */
export type GroupEvent =
  | { readonly name: "declinedGroup" }
  | { readonly name: "keepsTexts"; readonly days: number | null }
  | { readonly name: "unfolded"; readonly messages: readonly StoredMessage[] }
  | { readonly name: "members"; readonly members: readonly GroupMember[] }
  /** A group was founded, or copied from the one of the chat. */
  | { readonly name: "founded"; readonly username: string }
  | {
      readonly name: "addedToGroup";
      readonly added: readonly string[];
      /** Who is invited as soon as there is a link with them. */
      readonly waiting: readonly string[];
    };
