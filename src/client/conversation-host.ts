import type { MessengerEvent } from "./messenger-events.ts";
import type { DialHost } from "./peer-dial.ts";
import type { Profile } from "./profile.ts";

/** What a conversation needs of the messenger. */
export interface ConversationHost extends DialHost {
  readonly profile: Profile;
  random(): number;
  emit(event: MessengerEvent): void;
  /** Which conversations want news of presence has changed. */
  wantsChanged(): void;
}
