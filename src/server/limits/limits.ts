/**
 * The limits that an operator can set, with defaults for a machine of two cores and 1 GiB, and for a classroom behind
 * one address.
 */

/** A token bucket: `burst` at once, then `perSecond`. Infinity: no limit. */
export type Rate = { readonly burst: number; readonly perSecond: number };

export type Limits = {
  /** Connections in all, and from one address (IPv6: one /64). */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Connections not logged in (PROTOCOL 4). */
  readonly anonymous: number;
  /** New connections of one address. */
  readonly connectionRate: Rate;
  /** Requests of one address; beyond it they wait and are not refused. */
  readonly requestRate: Rate;
  /** Registrations of one address, and of all together. */
  readonly registrationRate: Rate;
  readonly registrationRateTotal: Rate;
  /** Passwords tried by one address, right or wrong: each costs a hash. */
  readonly loginRate: Rate;
  /** Wrong passwords of one address for one account; a right one is not charged in the end. */
  readonly failureRate: Rate;
  /** Failures of one address for all accounts together: wrong passwords and tokens, and names that are taken. */
  readonly failureRatePerAddress: Rate;
  /**
   * Wrong passwords for one account from everywhere, beyond those that each address has free: a burst of
   * `failureRate` a day. From known networks neither this nor `failureRatePerAddress` counts.
   */
  readonly failureRatePerAccount: Rate;
  /** Sessions begun by one account, from everywhere. */
  readonly sessionRate: Rate;
  /** Lookups of one account, and of one address. */
  readonly lookupRate: Rate;
  readonly lookupRatePerAddress: Rate;
  /** Passwords that may wait for their hash; beyond it `server_busy`. */
  readonly waitingHashes: number;
};

export const NO_LIMIT: Rate = { burst: Infinity, perSecond: Infinity };

export const DEFAULT_LIMITS: Limits = {
  connections: 8_000,
  connectionsPerAddress: 2_000,
  anonymous: 1_000,
  connectionRate: { burst: 1_500, perSecond: 100 },
  requestRate: { burst: 20_000, perSecond: 5_000 },
  registrationRate: { burst: 120, perSecond: 0.1 },
  registrationRateTotal: { burst: 6_000, perSecond: 1 },
  loginRate: { burst: 1_200, perSecond: 20 },
  failureRate: { burst: 15, perSecond: 0.1 },
  failureRatePerAddress: { burst: 1_200, perSecond: 1 },
  failureRatePerAccount: { burst: 20, perSecond: 0.2 },
  sessionRate: { burst: 300, perSecond: 5 },
  lookupRate: { burst: 5_000, perSecond: 50 },
  lookupRatePerAddress: { burst: 20_000, perSecond: 1_000 },
  waitingHashes: 256,
};

/** What the relay passes for clients that cannot reach each other (PROTOCOL 7). */
export type RelayLimits = {
  /** Pairs in all; 0: no relay. */
  readonly pairs: number;
  /** Bytes a second of all pairs together. */
  readonly rate: number;
  /** Bytes of one user and day (UTC), in both directions; beyond them the user's pairs are slow. */
  readonly bytesPerDay: number;
};

export const MIB = 1024 * 1024;
export const DEFAULT_RELAY_LIMITS: RelayLimits = { pairs: 256, rate: 50 * MIB, bytesPerDay: 2_048 * MIB };

const SECONDS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["min", 60],
  ["h", 3_600],
]);
/** Largest burst and count of a rate. */
const MAX_AMOUNT = 1_000_000;

/** Reads `BURST:N/UNIT` (unit `s`, `min` or `h`), as `120:6/min`, or `off`; undefined for anything else. */
export function parseRate(text: string): Rate | undefined {
  if (text === "off") return NO_LIMIT;
  const [, burst, count, unit] = /^(\d{1,7}):(\d{1,7})\/(s|min|h)$/.exec(text) ?? [];
  const seconds = SECONDS.get(unit ?? "");
  if (burst === undefined || count === undefined || seconds === undefined) return undefined;
  const isInRange = [burst, count].every((each) => Number(each) >= 1 && Number(each) <= MAX_AMOUNT);
  return isInRange ? { burst: Number(burst), perSecond: Number(count) / seconds } : undefined;
}

/** The share of the descriptors for connections that served ones may use; the rest is for refused ones. */
const SERVED_SHARE = 7 / 8;
/** The share of served connections that may be not logged in, so that silent ones cannot keep users out. */
const ANONYMOUS_SHARE = 1 / 2;

/** The limits, with fewer connections if there are not enough descriptors for them. */
export function withinDescriptors(limits: Limits, descriptors: number): Limits {
  const connections = Math.floor(descriptors * SERVED_SHARE);
  if (limits.connections <= connections) return limits;
  const anonymous = Math.min(limits.anonymous, Math.floor(connections * ANONYMOUS_SHARE));
  return { ...limits, connections, anonymous };
}
