/** The events of the messenger, for a screen, a command or a test. */
import type { JsonObject } from "../../protocol/framing.ts";
import type { ProfileHealth } from "../disk/check.ts";
import type { UnreachableReason } from "../peer/dial.ts";
import type { MessageState } from "../disk/schema.ts";
import type { StoredMessage } from "../profile/stored-message.ts";
import type { RendezvousState } from "../rendezvous/session.ts";

export type MessengerEvent =
  /** Another process of this account has written to the profile: sent, changed, cancelled or accepted something. */
  | { readonly name: "changedElsewhere" }
  /** No event is emitted for a server that is back within 10 s. */
  | {
      readonly name: "server";
      readonly state: RendezvousState;
      /** Until when new links can be had without a server: the end of our certificate, ms since 1970. */
      readonly linksUntil: number | undefined;
    }
  | { readonly name: "clockOffset"; readonly offset: number }
  | { readonly name: "newKey" }
  /** After an unclean end: the profile is being checked, or its indexes were wrong and have been rebuilt. */
  | { readonly name: "profileHealth"; readonly health: ProfileHealth }
  /** Stored and acknowledged; `from` is the registered name. */
  | { readonly name: "message"; readonly from: string; readonly message: StoredMessage }
  /**
   * A text was edited or withdrawn. `action`: the id of the action that is sent for it; undefined when the
   * text is the peer's, or had not been sent yet.
   */
  | {
      readonly name: "changed";
      readonly username: string;
      readonly message: StoredMessage;
      readonly action: string | undefined;
    }
  /** A text of ours was taken out of the outbox before it was sent. */
  | { readonly name: "cancelled"; readonly to: string; readonly id: string }
  /** `id`: of a text or of an action on one. */
  | {
      readonly name: "delivery";
      readonly to: string;
      readonly id: string;
      readonly state: MessageState;
      /** ms since 1970 */
      readonly at: number;
    }
  /** It could not be stored. `text`: of a text or an edit. */
  | {
      readonly name: "sendFailed";
      readonly to: string;
      readonly id: string;
      readonly text: string | undefined;
      readonly error: Error;
    }
  /** As the server says; those who were online before it restarted are reported only if they do not come back. */
  | { readonly name: "presence"; readonly username: string; readonly online: boolean }
  | { readonly name: "connected"; readonly username: string; readonly address: string }
  /** No link is left; `bye`: the other side ended on purpose. `heardAt`: as in `unreachable`. */
  | {
      readonly name: "disconnected";
      readonly username: string;
      readonly bye: boolean;
      readonly heardAt: number | undefined;
    }
  /** The link is there, and nothing was heard on it since, ms since 1970; undefined: it answers again. */
  | { readonly name: "silent"; readonly username: string; readonly since: number | undefined }
  | {
      readonly name: "unreachable";
      readonly username: string;
      readonly reason: UnreachableReason;
      /** ms until the next attempt; undefined: it waits for the person or the server. */
      readonly retryIn: number | undefined;
      /** The last answer on a direct link, ms since 1970; undefined: none since this program began. */
      readonly heardAt: number | undefined;
    }
  | { readonly name: "keyPending"; readonly username: string; readonly fingerprint: string }
  | { readonly name: "typing"; readonly username: string; readonly active: boolean }
  /** A fault that the other side reported. */
  | { readonly name: "peerError"; readonly username: string; readonly code: string }
  /** A write failed. What arrived and could not be stored was not acknowledged, and will come again. */
  | { readonly name: "storageFailed"; readonly error: Error }
  /** A connection to the peer port that proved nothing. */
  | { readonly name: "refusal"; readonly address: string; readonly code: string }
  /** Every message on the wire, where that is wanted; never part of a log. */
  | {
      readonly name: "wire";
      readonly link: "rendezvous" | "peer";
      readonly direction: "in" | "out";
      readonly message: JsonObject;
    };
