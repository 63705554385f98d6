/** The rendezvous server: the database and the two links, joined (PROTOCOL 2 to 4). */
import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";

import { listen, ListenError, type Listener } from "../net/listener.ts";
import type { TlsIdentity } from "../net/tls.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../protocol/framing.ts";
import { normalizeAddress, showHostPort } from "../protocol/ip-address.ts";
import { Accounts } from "./accounts.ts";
import { ServerAuthority } from "./authority.ts";
import { StartError } from "./database.ts";
import { LinkSession, type SessionOptions } from "./link-session.ts";
import { Door } from "./door.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Lobby } from "./lobby.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { hashPassword, PasswordQueue } from "./passwords.ts";
import { Presence } from "./presence.ts";
import { withoutAudit, type SecurityLog } from "./security-log.ts";
import type { OnlineUser, PlainFrom, Services } from "./services.ts";
import { Throttle } from "./throttle.ts";
import { Tokens } from "./tokens.ts";

/** How often silent connections are looked for, in ms. */
const LIVENESS_INTERVAL = 5_000;
/** Handshakes that were not done are told this often at most, in ms. */
const REFUSAL_LOG_INTERVAL = 1_000;
/** How long a stop waits for hashes under way, in ms, and then for connections to end. */
const STOP_WORK_TIMEOUT = 3_000;
const STOP_CLOSE_TIMEOUT = 1_000;

export type RendezvousOptions = {
  readonly database: Database;
  readonly host: string | undefined;
  readonly port: number;
  readonly plainFrom: PlainFrom;
  readonly tlsPort: number;
  readonly identity: TlsIdentity | undefined;
  readonly log: Log;
  /** Ms since 1970. */
  readonly now: () => number;
  /** Ms that never go back, for silences; `performance.now` where it is absent. */
  readonly clock?: () => number;
  /** `DEFAULT_LIMITS` where they are absent. */
  readonly limits?: Limits;
  /** `open` where it is absent. */
  readonly registration?: Services["registration"];
  /** Without it security events are in the log alone. */
  readonly security?: SecurityLog;
  readonly metrics?: Metrics;
};

/** Connections now. */
export type ConnectionCounts = { readonly plain: number; readonly tls: number; readonly online: number };

export type RendezvousServer = {
  /** Undefined when the plain port is closed. */
  readonly plain: Listener | undefined;
  readonly tls: Listener;
  /** SHA-256 of the authority's public key, in hexadecimal. */
  readonly fingerprint: string;
  /** What its connections use, for the operator's commands and for what is measured. */
  readonly services: Services;
  counts(): ConnectionCounts;
  /** Drops what has been silent too long; called by itself every few seconds. `now` is of `performance.now()`. */
  checkLiveness(now: number): void;
  /** Tells clients, finishes what is under way, closes connections and the database; within 5 s. */
  stop(): Promise<void>;
};

/** @throws StartError for a port that cannot be listened on. */
export async function startServer(options: RendezvousOptions): Promise<RendezvousServer> {
  const { database, now, log, limits = DEFAULT_LIMITS } = options;
  const clock = options.clock ?? (() => performance.now());
  const metrics = options.metrics ?? new Metrics();
  const throttle = new Throttle(limits, clock);
  const sessions = new Set<LinkSession>();
  let closing = false;
  let emptied: (() => void) | undefined;
  const passwords = new PasswordQueue({
    limit: limits.waitingHashes,
    observe: (waited, took) => metrics.hash(waited, took),
  });
  const tokens = new Tokens(database);
  const authority = new ServerAuthority(database, now, options.identity);
  const services: Services = {
    accounts: new Accounts(database),
    tokens,
    passwords,
    presence: new Presence<OnlineUser>(),
    lobby: new Lobby(limits.anonymous, clock, ({ madeWay, refused }) =>
      log.warn("too_many_not_logged_in", { limit: limits.anonymous, made_way: madeWay, refused }),
    ),
    authority,
    log,
    security: options.security ?? withoutAudit(log),
    metrics,
    throttle,
    registration: options.registration ?? "open",
    now,
    plainFrom: options.plainFrom,
    dummyHash: await hashPassword(randomBytes(32).toString("base64url")),
    tlsPort: () => tls.port,
    isClosing: () => closing,
    logRefusal: refusalLog(log),
  };

  const door = new Door({
    limits,
    throttle,
    hasRoom: () => services.lobby.hasRoom(),
    online: () => services.presence.size,
  });
  const open = { plain: 0, tls: 0 };
  let number = 0;

  function accept(link: keyof typeof open, remoteAddress: string): LinkSession | undefined {
    const address = normalizeAddress(remoteAddress);
    const entry = door.admit(address);
    if (entry === undefined) return undefined;
    const options = { number: ++number, isPlain: link === "plain", refusal: entry.refusal };
    const session = new TrackedSession(services, options, () => {
      door.left(address);
      open[link]--;
    });
    open[link]++;
    sessions.add(session);
    return session;
  }

  /** Is forgotten with its connection. */
  class TrackedSession extends LinkSession {
    readonly #left: () => void;

    constructor(services: Services, options: SessionOptions, left: () => void) {
      super(services, options);
      this.#left = left;
    }

    override closed(...event: Parameters<LinkSession["closed"]>): void {
      sessions.delete(this);
      this.#left();
      super.closed(...event);
      if (sessions.size === 0) emptied?.();
    }
  }

  const common = { host: options.host, objectLimit: RENDEZVOUS_OBJECT_LIMIT };
  // Encrypted first: a plain request is told its port.
  const tls = listenOrExplain({
    ...common,
    port: options.tlsPort,
    tls: () => authority.context(),
    accept: (address) => accept("tls", address),
  });
  let plain: Listener | undefined;
  try {
    if (options.plainFrom !== "none") {
      plain = listenOrExplain({
        ...common,
        port: options.port,
        accept: (address) => accept("plain", address),
      });
    }
  } catch (error) {
    tls.stop();
    throw error;
  }

  const checkLiveness = (at: number) => {
    for (const session of [...sessions]) session.checkLiveness(at);
  };
  const sweep = setInterval(() => checkLiveness(performance.now()), LIVENESS_INTERVAL);

  async function stop(): Promise<void> {
    if (closing) return;
    closing = true;
    clearInterval(sweep);
    plain?.stop();
    tls.stop();
    for (const session of sessions) session.tellClosing();
    await within(STOP_WORK_TIMEOUT, passwords.close());
    for (const session of [...sessions]) session.end("server_closing");
    if (sessions.size > 0) {
      await within(STOP_CLOSE_TIMEOUT, new Promise<void>((resolve) => (emptied = resolve)));
    }
    for (const session of [...sessions]) session.terminate("server_closing");
    try {
      tokens.writeUses();
    } catch (error) {
      // A full disk: tokens seem used an hour earlier than they were, and nothing else is lost.
      log.error("token_uses_not_written", error);
    }
    database.close();
  }

  const counts = () => ({ ...open, online: services.presence.size });
  return { plain, tls, fingerprint: authority.fingerprint, services, counts, checkLiveness, stop };
}

function listenOrExplain(options: Parameters<typeof listen>[0]): Listener {
  try {
    return listen(options);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const { port, code } = error;
    if (code === "EADDRINUSE") {
      throw new StartError(
        { es: `El puerto ${port} ya está en uso`, en: `Port ${port} is already in use` },
        error,
      );
    }
    const { host } = options;
    // EINVAL: a link-local address without its interface.
    if (host !== undefined && (code === "EADDRNOTAVAIL" || code === "EINVAL")) {
      throw new StartError(
        {
          es: `No se puede escuchar en ${host}: no es una dirección de este equipo (${code})`,
          en: `Cannot listen on ${host}: it is not an address of this machine (${code})`,
        },
        error,
      );
    }
    const place = showHostPort(host ?? "0.0.0.0", port);
    throw new StartError(
      { es: `No se puede escuchar en ${place} (${code})`, en: `Cannot listen on ${place} (${code})` },
      error,
    );
  }
}

/** Handshakes that the other side left: a client that has only looked at our certificate does so. */
const LEFT: ReadonlySet<string> = new Set(["ECONNRESET", "closed_in_handshake"]);

function refusalLog(log: Log): Services["logRefusal"] {
  const left = rarely((address, _reason, count) => log.info("left_in_handshake", { address, count }));
  const failed = rarely((address, reason, count) => log.info("handshake_failed", { address, reason, count }));
  return (address, reason) => (LEFT.has(reason) ? left : failed)(address, reason);
}

/** Tells the last of several refusals, with their number. */
function rarely(
  tell: (address: string, reason: string, count: number) => void,
): (address: string, reason: string) => void {
  let last = -Infinity;
  let untold = 0;
  return (address, reason) => {
    const now = performance.now();
    untold++;
    if (now - last < REFUSAL_LOG_INTERVAL) return;
    tell(address, reason, untold);
    last = now;
    untold = 0;
  };
}

async function within(limit: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
