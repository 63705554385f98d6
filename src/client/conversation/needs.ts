import type { Clock } from "../../net/clock.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { Greet, UnreachableReason } from "../peer/dial.ts";
import type { Profile } from "../profile/profile.ts";
import type { MessengerEvent } from "./events.ts";

/** What a conversation needs of the messenger. */
export type ConversationNeeds = {
  readonly profile: Pick<Profile, "username" | "contacts" | "messages">;
  readonly ownLabel: string;
  readonly clock: Clock;
  /** Whether `wire` events are wanted. */
  readonly isTraced: boolean;
  /** In [0, 1). */
  readonly random: () => number;
  readonly emit: (event: MessengerEvent) => void;
  /** Which conversations want to hear of presence has changed. */
  readonly wantsChanged: () => void;
  /** A write failed. Throws what is no failure of the disk. */
  readonly storageFailed: (error: unknown) => void;
  /** For how long the server answers no question of where somebody is, in ms; 0: it does. */
  readonly serverLimitedFor: () => number;
  /** As `dialPeer`. */
  readonly dial: (
    record: ContactRecord,
    signal: AbortSignal,
    greet: Greet,
  ) => Promise<UnreachableReason | undefined>;
};
