import type { VerifiedSide } from "../../identity/verification-code.ts";
import type { Clock } from "../../net/clock.ts";
import type { Durability } from "../disk/durability.ts";
import type { GroupMessage, StreamMessage } from "../../protocol/peer-messages.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { GroupPeople } from "../peer/admission.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { Greet, UnreachableReason } from "../peer/dial.ts";
import type { PeerLink } from "../peer/link.ts";
import type { ProvenStream } from "../peer/proven-connection.ts";
import type { LinkReading } from "../peer/link-reading.ts";
import type { Profile } from "../profile/profile.ts";
import type { Meetings } from "../reach/meetings.ts";
import type { TakenControls } from "./receiving.ts";
import type { MessengerEvent } from "./events.ts";
import type { Intake } from "./intake.ts";

/** What is wanted of a person (`Wants`). */
type PersonWants = { readonly hasPresenceChanged: boolean; readonly isAwaited: boolean };

/** What the transfers of files are told of the conversations. */
export interface TransferEvents {
  /** What the peer has said about transfers is on the disk. */
  took(username: string, controls: TakenControls): void;
  /** The current link has changed, or whether they may write. */
  linkChanged(username: string): void;
  /** Our person has blocked them. */
  blocked(username: string): void;
  /** They have dialled us for the bytes of a transfer. */
  stream(username: string, asked: StreamMessage, stream: ProvenStream): void;
}

/** What the groups are told of the conversations. */
export interface GroupEvents extends GroupPeople {
  /** A link is complete, whose other side knows groups. */
  linkUp(link: PeerLink): void;
  take(message: GroupMessage, link: PeerLink): void;
  /** All of one read was taken. */
  readEnd(link: PeerLink): void;
  drained(link: PeerLink): void;
  linkDown(link: PeerLink): void;
  /** As the server reports, of those whose presence is watched. */
  presence(username: string, online: boolean): void;
  /** Nothing leads to them now: the last dial has failed. */
  unreachable(username: string): void;
}

/** The parts of the messenger that conversations use. */
export type ConversationNeeds = {
  readonly profile: Pick<
    Profile,
    "username" | "contacts" | "consents" | "messages" | "revocations" | "privacy" | "relay" | "verifications"
  >;
  readonly intake: Intake;
  /** This account's label and key. */
  readonly own: VerifiedSide;
  readonly clock: Clock;
  readonly reading: LinkReading;
  /** Whether `wire` events are emitted. */
  readonly isTraced: boolean;
  /** In [0, 1). */
  readonly random: () => number;
  readonly emit: (event: MessengerEvent) => void;
  readonly transfers: TransferEvents;
  readonly groups: GroupEvents;
  /** Called after what is wanted of a person may have changed. */
  readonly wantsChanged: (username: string, wants: PersonWants) => void;
  readonly storage: StorageGuard;
  readonly durability: Durability;
  /** How long the server will accept no lookups, in ms; 0: it accepts them now. */
  readonly serverLimitedFor: () => number;
  /** As `dialPeer`. */
  readonly dial: (
    record: ContactRecord,
    signal: AbortSignal,
    greet: Greet,
  ) => Promise<UnreachableReason | undefined>;
  /** As `Meetings.answer`. */
  readonly meet: Meetings["answer"];
  /** As `Meetings.move`. */
  readonly move: Meetings["move"];
};
