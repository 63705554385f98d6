/** The events of the messenger, for a screen, a command or a test. */
import type { JsonObject } from "../../protocol/framing.ts";
import type { ProfileHealth } from "../disk/check.ts";
import type { UnreachableReason } from "../peer/dial.ts";
import type { LinkWay } from "../peer/proven-connection.ts";
import type { MessageState } from "../disk/schema.ts";
import type { ContactState } from "../profile/consents.ts";
import type { StoredMessage } from "../profile/stored-message.ts";
import type { RendezvousState } from "../rendezvous/session.ts";

/** How a verification that our person had opened has ended. */
export type VerificationEnding =
  | "verified"
  /** The codes differ, or a nonce was not the committed one. */
  | "wrong"
  /** The other side has ended it without an answer. */
  | "ended"
  /** Our side has. */
  | "closed"
  /** The link was lost while the codes were compared. */
  | "lost"
  /** The other side's program knows no verification. */
  | "not_supported"
  /** It could not be stored. */
  | "storage_failed";

/** What becomes of the verification of a person. */
export type VerificationNews =
  /** The other person has opened it, and ours has not; then, that they have closed it. */
  | { readonly state: "asked" | "withdrawn" }
  /** Our person has opened it, and the other one is awaited. */
  | { readonly state: "waiting" }
  /** `code`: six digits, to be compared with the other screen. */
  | { readonly state: "code"; readonly code: string }
  /** `retryAt`: when a code may be compared again, ms since 1970; undefined: at once. */
  | { readonly state: VerificationEnding; readonly retryAt: number | undefined };

/** A transfer as screens and programs see it. Sizes in bytes. */
export type SharedFile = {
  readonly id: string;
  /** How a person names it in this profile. */
  readonly number: number;
  readonly peer: string;
  readonly direction: "in" | "out";
  /** As its sender names it: remote text. */
  readonly name: string;
  /** Null: unknown until the end. */
  readonly size: number | null;
  /** Null: it is no folder. */
  readonly entries: number | null;
  /** What has arrived. */
  readonly done: number;
  /** In a second, over the last few; null: unknown. */
  readonly rate: number | null;
  /** `running` and `paused`: accepted, with bytes on their way, and held up by `reason`. */
  readonly state:
    "offered" | "accepted" | "running" | "paused" | "done" | "declined" | "cancelled" | "failed";
  /** A code; null of what was stopped here. */
  readonly reason: string | null;
  /** Of the source, or of what was received once it is done. */
  readonly path: string | null;
  readonly sha256: string | null;
  /** When it was offered, RFC 3339. */
  readonly at: string;
} & Partial<FileOfGroup>;

/** Of a file that is given to all of a group; its `peer` is `#` and the id. */
export type FileOfGroup = {
  readonly group: string;
  readonly title: string;
  /** Whose text names it; null: ours. */
  readonly from: string | null;
  /** Who gives it at present; null: nobody. */
  readonly giver: string | null;
};

/** A group as screens and programs see it. */
export type SharedGroup = {
  /** Its id, 43 characters. */
  readonly group: string;
  readonly title: string;
  /** As one types it: `#Familia`, of equal titles `#` and the first letters of the id. */
  readonly name: string;
  readonly state: "invited" | "joined" | "left" | "removed" | "declined";
  readonly people: number;
  readonly role: "founder" | "admin" | "member" | null;
  readonly adds: "admins" | "all";
  readonly writes: "all" | "admins";
  readonly may_write: boolean;
  readonly invited_by: string | null;
  readonly history: "all" | "none" | null;
  readonly unread: number;
  /** Texts of ours that nobody else has. */
  readonly waiting: number;
  /** Until when the next of them waits because so much was written, RFC 3339; null: it does not wait for that. */
  readonly held_until: string | null;
  /** Entries of ours that nobody else has, also those that are no texts; 0 where nobody else has joined. */
  readonly unshared: number;
  readonly to_invite: readonly string[];
  /** Names under which a key writes, or could, that is another one than is known here of that name. */
  readonly doubtful: readonly string[];
  readonly keep_days: number | null;
  readonly muted_until: string | null;
};

/** Somebody of a group, or who is invited to it. `missing`: how many of their texts others have and we do not. */
export type GroupMember = {
  readonly username: string;
  readonly role: "founder" | "admin" | "member";
  /** `to_invite`: asked for here, and not reached yet. */
  readonly state: "member" | "invited" | "to_invite";
  readonly online: boolean | null;
  readonly invited_by: string | null;
  /** `other`: the group has another key of this name than the one that is known here. */
  readonly key: "known" | "other";
  readonly missing: number;
  readonly is_self: boolean;
};

/** What is said of those who come and go, and of gaps and forks. */
export type GroupNotice = {
  readonly group: string;
  readonly title: string;
  readonly seq: number;
  readonly kind:
    | "joined"
    | "removed"
    | "left"
    | "renamed"
    | "admin"
    | "added"
    | "fork"
    /** Whose texts had forked may write again. */
    | "readmitted"
    | "dropped_out"
    | "missing"
    | "removed_self"
    | "one_admin";
  /** Who did it; null: nobody else. */
  readonly by: string | null;
  /** Whom it is about. */
  readonly names: readonly string[];
  /** How many texts are missing, or the number of the text from which they fork. */
  readonly number: number | null;
};

/** How many of the other people of a group have a text of ours, and have read it. */
export type GroupCounts = { readonly received: number; readonly read: number; readonly of: number };

export type MessengerEvent =
  /** A group has changed, or somebody invites to it. */
  | { readonly name: "group"; readonly group: SharedGroup }
  | { readonly name: "groupNotice"; readonly notice: GroupNotice }
  /** No event is emitted for a server that is back within 10 s. */
  | {
      readonly name: "server";
      readonly state: RendezvousState;
      /** Until when new links can be opened without a server: the end of our certificate, ms since 1970. */
      readonly linksUntil: number | undefined;
    }
  | { readonly name: "clockOffset"; readonly offset: number }
  | { readonly name: "newKey" }
  /** The profile was not shut down cleanly: it is being checked, or its indexes were damaged and rebuilt. */
  | { readonly name: "profileHealth"; readonly health: ProfileHealth }
  /** A stranger asks to write: their first texts, of which there are `count` now, are stored. None: the first was too long, or the offer of a file. */
  | { readonly name: "request"; readonly from: string; readonly count: number }
  /** The peer takes no more texts of ours until they accept. */
  | { readonly name: "held"; readonly to: string }
  /** The peer has accepted us. */
  | { readonly name: "accepted"; readonly username: string }
  /** Our person has changed who may write. */
  | { readonly name: "contact"; readonly username: string; readonly state: ContactState }
  /** Nothing of theirs is to be announced until then, ms since 1970; undefined: it is. */
  | { readonly name: "muted"; readonly username: string; readonly until: number | undefined }
  /** A text was stored and acknowledged; `from` is the registered name. `group` and `title`: of the group to which it was written. */
  | {
      readonly name: "message";
      readonly from: string;
      readonly message: StoredMessage;
      readonly group?: string;
      readonly title?: string;
    }
  /**
   * A text was edited or withdrawn. `action`: the id of the action in the outbox; undefined: the text is the peer's,
   * or had not been sent yet.
   */
  | {
      readonly name: "changed";
      readonly username: string;
      readonly message: StoredMessage;
      readonly action: string | undefined;
    }
  /** A text of ours was removed from the outbox before it was sent. `kept`: its words are in the draft of the chat. */
  | { readonly name: "cancelled"; readonly to: string; readonly id: string; readonly kept?: true }
  /** `id`: of a text or of an action on one. */
  | {
      readonly name: "delivery";
      readonly to: string;
      readonly id: string;
      readonly state: MessageState;
      /** ms since 1970 */
      readonly at: number;
      /** Of a text for a group. */
      readonly counts?: GroupCounts;
    }
  /** The person has read this contact's messages, here or on another screen. */
  | { readonly name: "read"; readonly username: string }
  /** As the server reports; after its restart only those who do not return are reported offline. */
  | { readonly name: "presence"; readonly username: string; readonly online: boolean }
  /** As `presence`, of somebody in a list that a screen shows (`watch_people`). */
  | { readonly name: "watched"; readonly username: string; readonly online: boolean }
  /**
   * There is a link, or it goes by another way now. `address`: with its port; undefined: the peer's address is not known
   * here, since the link is relayed. `seeksDirect`: it is, and a direct way is looked for.
   */
  | {
      readonly name: "connected";
      readonly username: string;
      readonly way: LinkWay;
      readonly seeksDirect: boolean;
      readonly address: string | undefined;
    }
  /**
   * No link is left. `bye`: the peer has ended it on purpose. `revoked`: we have ended it because the server has taken
   * the peer's certificate back. `heardAt`: as in `unreachable`.
   */
  | {
      readonly name: "disconnected";
      readonly username: string;
      readonly bye: boolean;
      readonly revoked?: true;
      readonly heardAt: number | undefined;
    }
  /** Nothing was received on the link since then, ms since 1970; undefined: the peer answers again. */
  | { readonly name: "silent"; readonly username: string; readonly since: number | undefined }
  | {
      readonly name: "unreachable";
      readonly username: string;
      readonly reason: UnreachableReason;
      /** ms until the next attempt; undefined: it waits for the person or the server. */
      readonly retryIn: number | undefined;
      /** When something was last received on a direct link, ms since 1970; undefined: nothing in this process. */
      readonly heardAt: number | undefined;
    }
  /** `isVerified`: the person was verified, with another key. */
  | {
      readonly name: "keyPending";
      readonly username: string;
      readonly fingerprint: string;
      readonly isVerified: boolean;
    }
  | ({ readonly name: "verification"; readonly username: string } & VerificationNews)
  /** A transfer has changed, or makes progress. */
  | { readonly name: "file"; readonly file: SharedFile }
  | { readonly name: "typing"; readonly username: string; readonly active: boolean }
  /** The peer reports a fault of ours. */
  | { readonly name: "peerError"; readonly username: string; readonly code: string }
  /** A write failed. Messages that could not be stored were not acknowledged, so the peer sends them again. */
  | { readonly name: "storageFailed"; readonly error: Error }
  /** A connection to the peer port was refused. */
  | { readonly name: "refusal"; readonly address: string; readonly code: string }
  /** A message on the wire, if the messenger was opened with `trace`. Must not be logged. */
  | {
      readonly name: "wire";
      readonly link: "rendezvous" | "peer";
      readonly direction: "in" | "out";
      readonly message: JsonObject;
    };

/** The events that say of a message that it is stored. */
export const ABOUT_MESSAGES: ReadonlySet<MessengerEvent["name"]> = new Set([
  "message",
  "changed",
  "cancelled",
  "delivery",
]);
