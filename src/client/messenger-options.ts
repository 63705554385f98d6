/** What a messenger is opened with. */
import type { MessengerEvent } from "./conversation/events.ts";
import type { Profile } from "./profile/profile.ts";
import type { RendezvousOptions } from "./rendezvous/session.ts";

export type MessengerOptions = Omit<RendezvousOptions, "events" | "p2pPort" | "random" | "now"> & {
  readonly profile: Profile;
  /** What this process is, for whoever finds the account locked. */
  readonly command: string;
  /** The port to listen on; undefined: the first free one of 9000–9099. */
  readonly p2pPort: number | undefined;
  /** The port that others are told to dial; undefined: the one listened on. */
  readonly announcedPort?: number;
  readonly onEvent: (event: MessengerEvent) => void;
  /** Whether `wire` events are wanted. */
  readonly trace?: boolean;
  /** ms since 1970 */
  readonly now?: () => number;
  readonly random?: () => number;
};
