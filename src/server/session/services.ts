/** The parts of the server that its sessions share. */
import type { PlainFrom } from "../config.ts";
import type { Attempts } from "../limits/attempts.ts";
import type { PasswordQueue } from "../limits/password-queue.ts";
import type { Throttle } from "../limits/throttle.ts";
import type { Unauthenticated } from "../limits/unauthenticated.ts";
import type { Log } from "../log/log.ts";
import type { MeetingPlace } from "../meeting/meeting-port.ts";
import type { Meetings } from "../meeting/meetings.ts";
import type { Observations } from "../meeting/observations.ts";
import type { Relay } from "../meeting/relay.ts";
import type { SecurityLog } from "../log/security-log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { OnlineUser, OwnUser } from "../presence/online-user.ts";
import type { Presence } from "../presence/presence.ts";
import type { Seats } from "../presence/seats.ts";
import type { SharedSeats } from "../shared/shared-seats.ts";
import type { UserDirectory } from "../presence/user-directory.ts";
import type { ServerAuthority } from "../store/authority.ts";
import type { Revocations } from "../store/revocations.ts";
import type { Store } from "../store/store.ts";
import type { MovedPush } from "./moved-push.ts";

export type Services = {
  readonly store: Store;
  /** Those of the store. */
  readonly revocations: Revocations;
  readonly passwords: PasswordQueue;
  /** Everybody online, and who watches whom; only `seats` changes who is in it. */
  readonly presence: Presence<OnlineUser, OwnUser>;
  readonly seats: Seats;
  /** The seats, where several servers share them. */
  readonly shared: SharedSeats | undefined;
  readonly directory: UserDirectory;
  readonly unauthenticated: Unauthenticated;
  readonly authority: ServerAuthority;
  readonly meetings: Meetings;
  readonly observations: Observations;
  readonly relay: Relay;
  readonly movedPush: MovedPush;
  readonly log: Log;
  readonly security: SecurityLog;
  readonly metrics: Metrics;
  readonly throttle: Throttle;
  readonly attempts: Attempts;
  /** Whether clients may register accounts. */
  readonly registration: "open" | "closed";
  /** Ms since 1970. */
  readonly now: () => number;
  readonly plainFrom: PlainFrom;
  /** The hash with which a password is compared if there is no such account. */
  readonly dummyHash: string;
  tlsPort(): number;
  /** Where the meeting port is, at most one place a family; none if there is no such port. */
  meetingPlaces(): readonly MeetingPlace[];
  isClosing(): boolean;
  /** Logs a handshake that failed, at most once a second. */
  logRefusal(address: string, reason: string): void;
  /** Counts a request that the store refused, and logs that at most once a second. */
  logBusyStore(code: string): void;
};
