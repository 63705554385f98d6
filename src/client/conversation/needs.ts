import type { Clock } from "../../net/clock.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import type { MessengerEvent, UnreachableReason } from "./events.ts";
import type { PeerLink } from "../peer/link.ts";
import type { Profile } from "../profile/profile.ts";

/** What a conversation needs of the messenger. */
export interface ConversationHost {
  readonly profile: Pick<Profile, "username" | "contacts" | "messages">;
  readonly ownLabel: string;
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  emit(event: MessengerEvent): void;
  /** Which conversations want news of presence has changed. */
  wantsChanged(): void;
  /** The disk took something not. Throws what is no failure of the disk. */
  storageFailed(error: unknown): void;
  /** For how long the server answers no question of where somebody is, in ms; 0: it does. */
  serverLimitedFor(): number;
  /** Finds `record`'s person and greets them on `link`; as `dialPeer`. */
  dial(
    record: ContactRecord,
    link: PeerLink,
    won: () => void,
    signal: AbortSignal,
  ): Promise<UnreachableReason | undefined>;
}
