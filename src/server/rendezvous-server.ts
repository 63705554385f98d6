/** The rendezvous server: the database and the two links, joined (PROTOCOL 2 to 4). */
import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";

import { listen, ListenError, type Listener } from "../net/listener.ts";
import type { TlsIdentity } from "../net/tls.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../protocol/framing.ts";
import { Accounts } from "./accounts.ts";
import { ServerAuthority } from "./authority.ts";
import { StartError } from "./database.ts";
import { LinkSession } from "./link-session.ts";
import type { Log } from "./log.ts";
import { hashPassword, PasswordQueue } from "./passwords.ts";
import { Presence } from "./presence.ts";
import type { OnlineUser, PlainFrom, Services } from "./services.ts";
import { Tokens } from "./tokens.ts";

/** Connections not logged in; a further one is told `server_busy`. */
export const MAX_ANONYMOUS = 1_000;
/** Further ones that are told so before they go; past them a connection is ended at once. */
const MAX_SURPLUS = 200;
/** How often silent connections are looked for, in ms. */
const LIVENESS_INTERVAL = 5_000;
/** Failed handshakes are told this often at most, in ms. */
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
};

export type RendezvousServer = {
  /** Undefined when the plain port is closed. */
  readonly plain: Listener | undefined;
  readonly tls: Listener;
  /** SHA-256 of the authority's public key, in hexadecimal. */
  readonly fingerprint: string;
  /** Drops what has been silent too long; called by itself every few seconds. `now` is of `performance.now()`. */
  checkLiveness(now: number): void;
  /** Tells clients, finishes what is under way, closes connections and the database; within 5 s. */
  stop(): Promise<void>;
};

/** @throws StartError for a port that cannot be listened on. */
export async function startServer(options: RendezvousOptions): Promise<RendezvousServer> {
  const { database, now, log } = options;
  const sessions = new Set<LinkSession>();
  let anonymous = 0;
  let closing = false;
  let emptied: (() => void) | undefined;
  const passwords = new PasswordQueue();
  const tokens = new Tokens(database);
  const authority = new ServerAuthority(database, now, options.identity);
  const services: Services = {
    accounts: new Accounts(database),
    tokens,
    passwords,
    presence: new Presence<OnlineUser>(),
    authority,
    log,
    now,
    plainFrom: options.plainFrom,
    dummyHash: await hashPassword(randomBytes(32).toString("base64url")),
    tlsPort: () => tls.port,
    isClosing: () => closing,
    logRefusal: refusalLog(log),
    countAnonymous: (change) => {
      anonymous += change;
    },
  };

  function accept(plain: boolean): LinkSession | undefined {
    if (anonymous >= MAX_ANONYMOUS + MAX_SURPLUS) return undefined;
    const session = new TrackedSession(services, { plain, surplus: anonymous >= MAX_ANONYMOUS });
    sessions.add(session);
    return session;
  }

  /** Is forgotten with its connection. */
  class TrackedSession extends LinkSession {
    override closed(...event: Parameters<LinkSession["closed"]>): void {
      sessions.delete(this);
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
    accept: () => accept(false),
  });
  let plain: Listener | undefined;
  try {
    if (options.plainFrom !== "none") {
      plain = listenOrExplain({ ...common, port: options.port, accept: () => accept(true) });
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

  return { plain, tls, fingerprint: authority.fingerprint, checkLiveness, stop };
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
    throw new StartError(
      {
        es: `No se puede escuchar en el puerto ${port} (${code})`,
        en: `Cannot listen on port ${port} (${code})`,
      },
      error,
    );
  }
}

function refusalLog(log: Log): Services["logRefusal"] {
  let last = -Infinity;
  let untold = 0;
  return (address, reason) => {
    const now = performance.now();
    untold++;
    if (now - last < REFUSAL_LOG_INTERVAL) return;
    log.info("handshake_failed", { address, reason, count: untold });
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
