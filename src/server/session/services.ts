/** What one connection's link needs of the whole server. */
import type { Accounts } from "../database/accounts.ts";
import type { ServerAuthority } from "../database/authority.ts";
import type { PlainFrom } from "../config.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import type { LinkSession } from "./session.ts";
import type { Lobby } from "../limits/unauthenticated.ts";
import type { Lookups } from "../presence/user-directory.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { PasswordQueue } from "../limits/password-queue.ts";
import type { Presence } from "../presence/presence.ts";
import type { SecurityLog } from "../log/security-log.ts";
import type { Throttle } from "../limits/throttle.ts";
import type { Tokens } from "../database/tokens.ts";

export type Services = {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly passwords: PasswordQueue;
  readonly presence: Presence<OnlineUser>;
  readonly lookups: Lookups;
  /** Those not logged in. */
  readonly lobby: Lobby<LinkSession>;
  readonly authority: ServerAuthority;
  readonly log: Log;
  readonly security: SecurityLog;
  readonly metrics: Metrics;
  readonly throttle: Throttle;
  /** Whether anyone may make an account. */
  readonly registration: "open" | "closed";
  /** Ms since 1970. */
  readonly now: () => number;
  readonly plainFrom: PlainFrom;
  /** What a password is compared with where there is no such user. */
  readonly dummyHash: string;
  tlsPort(): number;
  isClosing(): boolean;
  /** A handshake that was not done; told once a second at most. */
  logRefusal(address: string, reason: string): void;
};
