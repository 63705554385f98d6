/** What one connection's link needs of the whole server. */
import type { Accounts } from "../database/accounts.ts";
import type { ServerAuthority } from "../database/authority.ts";
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

/** A user who is logged in, for as long as the connection is. */
export type OnlineUser = {
  readonly userId: number;
  readonly username: string;
  readonly fold: string;
  /** When this session began, in ms since 1970. */
  readonly since: number;
  /** The address that the server saw. */
  readonly ip: string;
  readonly p2pPort: number;
  /** Further addresses that the client named, a space between them: one text is smaller than an array of them. */
  readonly addresses: string;
  /** Absent for a client of the seed, which has no key. */
  readonly key: OnlineKey | undefined;
  readonly session: LinkSession;
};

/** As text: a buffer of its own costs several times its bytes, for as long as the user is online. */
export type OnlineKey = {
  /** SHA-256 of its DER SubjectPublicKeyInfo, in hexadecimal: two keys are one where these are. */
  readonly fingerprint: string;
  /** SHA-256 of the session's token, in hexadecimal. */
  readonly tokenHash: string;
};

/** Who may use the plain link (PROTOCOL 2). */
export type PlainFrom = "loopback" | "private" | "any" | "none";

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
