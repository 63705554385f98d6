/** The rendezvous server: the store and the two links, joined (PROTOCOL 2 to 4). */
import { systemClock, unwatchDeadlines, watchDeadlines } from "../net/clock.ts";
import { descriptorLimit, descriptorsForConnections } from "../net/descriptors.ts";
import { listen, type Listener, type ListenOptions } from "../net/listener.ts";
import { DESCRIPTORS, listenBehind } from "../net/proxied/proxied-listener.ts";
import type { TlsIdentity } from "../net/tls.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../protocol/framing.ts";
import { networkOf } from "../protocol/ip-address.ts";
import type { MeetingConfig, PlainFrom, ServerConfig } from "./config.ts";
import { hashOfNone } from "./database/password-hash.ts";
import { Attempts } from "./limits/attempts.ts";
import { Admission } from "./limits/admission.ts";
import { DEFAULT_LIMITS, DEFAULT_RELAY_LIMITS, withinDescriptors, type Limits } from "./limits/limits.ts";
import { overBudget } from "./limits/memory-budget.ts";
import { PasswordQueue } from "./limits/password-queue.ts";
import { Throttle } from "./limits/throttle.ts";
import { Unauthenticated } from "./limits/unauthenticated.ts";
import { listenWhenFree } from "./listening.ts";
import { LimitedLog, LimitedLogByAddress } from "./log/limited-log.ts";
import type { Log } from "./log/log.ts";
import { dialBack } from "./meeting/dial-back.ts";
import { openMeetingPort, type MeetingPort } from "./meeting/meeting-port.ts";
import { Meetings } from "./meeting/meetings.ts";
import { Observations } from "./meeting/observations.ts";
import { Relay } from "./meeting/relay.ts";
import { withoutAudit, type SecurityLog } from "./log/security-log.ts";
import { Metrics } from "./metrics/metrics.ts";
import type { OnlineUser, OwnUser } from "./presence/online-user.ts";
import { Presence } from "./presence/presence.ts";
import { OwnSeats } from "./presence/seats.ts";
import { UserDirectory } from "./presence/user-directory.ts";
import { ClientConnection, type Link } from "./requests/client-connection.ts";
import { MovedPush } from "./session/moved-push.ts";
import { recheck } from "./session/recheck.ts";
import { RevocationPush } from "./session/revocation-push.ts";
import type { Services } from "./session/services.ts";
import { ValkeyBuckets } from "./shared/valkey-buckets.ts";
import { SharedSeats, type SharedSeatsOptions } from "./shared/shared-seats.ts";
import { ServerAuthority } from "./store/authority.ts";
import { MAX_OWN_REVOCATIONS, Revocations, type StoredRevocation } from "./store/revocations.ts";
import type { Store } from "./store/store.ts";

/** How often silent connections are dropped, in ms. */
const LIVENESS_INTERVAL = 5_000;
/** How often the memory of all connections is checked, in ms. */
const BUDGET_INTERVAL = 1_000;
/** How often a store is read that others change too, in ms, as the news of a change may be lost. */
const RECHECK_INTERVAL = 60_000;
/** How often failed handshakes, and requests that the store refused, are logged, at most, in ms. */
const REFUSAL_LOG_INTERVAL = 1_000;
/** How often dropped revocations are logged, at most, in ms. */
const DROPPED_LOG_INTERVAL = 60_000;
/** How long to wait for a port in use, in ms. */
const PORT_PATIENCE = 3_000;
/** How long a stop waits for hashes under way, in ms, and then for connections to end. */
const STOP_WORK_TIMEOUT = 3_000;
const STOP_CLOSE_TIMEOUT = 1_000;

type Balancers = ServerConfig["balancers"];

export type RendezvousOptions = {
  /** The server closes it when it stops. */
  readonly store: Store;
  readonly host: string | undefined;
  readonly port: number;
  readonly plainFrom: PlainFrom;
  readonly tlsPort: number;
  /** Networks whose balancers write a PROXY header before each encrypted connection; then nobody else may come. */
  readonly balancers?: Balancers;
  /** Undefined: no meeting port. */
  readonly meeting?: MeetingConfig | undefined;
  readonly identity: TlsIdentity | undefined;
  readonly log: Log;
  /** Ms since 1970. */
  readonly now: () => number;
  /** Ms that never go back, for limits and intervals; `performance.now` by default. */
  readonly clock?: () => number;
  /** `DEFAULT_LIMITS` by default. */
  readonly limits?: Limits;
  /** `open` by default. */
  readonly registration?: Services["registration"];
  /** Where this server is one of several. */
  readonly shared?: SharedOptions | undefined;
  /** By default security events are only in the log. */
  readonly security?: SecurityLog;
  readonly metrics?: Metrics;
};

/** Valkey (or Redis) with which several servers share who is online, and the name of this one in it. */
export type SharedOptions = Pick<SharedSeatsOptions, "url" | "name" | "clock" | "times">;

/** Open connections by link, and users online. */
type ConnectionCounts = { readonly plain: number; readonly tls: number; readonly online: number };

export type RendezvousServer = {
  /** Undefined when the plain port is closed. */
  readonly plain: Listener | undefined;
  readonly tls: Listener;
  /** SHA-256 of the authority's public key, in hexadecimal. */
  readonly fingerprint: string;
  /** For the operator's commands and the monitor. */
  readonly services: Services;
  counts(): ConnectionCounts;
  /** Drops connections that have been silent too long, as the server itself does every few seconds. `now` is of `performance.now()`. */
  checkLiveness(now: number): void;
  /** Notifies clients, finishes requests being answered, closes connections and the store; within 5 s. */
  stop(): Promise<void>;
};

/** Starts the server, waiting a few seconds for ports in use. @throws StartError for a port that cannot be listened on. */
export async function startServer(options: RendezvousOptions): Promise<RendezvousServer> {
  const { store, now, log } = options;
  const limits = fittingLimits(
    options.limits ?? DEFAULT_LIMITS,
    log,
    options.balancers === undefined ? 1 : DESCRIPTORS,
  );
  const clock = options.clock ?? (() => performance.now());
  const metrics = options.metrics ?? new Metrics();
  const security = options.security ?? withoutAudit(log);
  const limited = new LimitedLogByAddress(clock, (event) => security.record("rate_limited", event));
  const throttle = new Throttle(limits, clock, { onLimited: (what, network) => limited.note(what, network) });
  const passwords = new PasswordQueue({
    limit: limits.waitingHashes,
    observe: (waited, took) => metrics.hash(waited, took),
  });
  const authority = new ServerAuthority(store.authority, now, options.identity);
  const presence = new Presence<OnlineUser, OwnUser>();
  const movedPush = new MovedPush(presence, clock, systemClock(now).after);
  const moved = (fold: string) => movedPush.moved(fold);
  const shared =
    options.shared &&
    new SharedSeats({
      ...options.shared,
      presence,
      moved,
      changed: (user) => directory.forget(user),
      gone: (user) => meetings.left(user),
      revoked: (json) => revocations.add(JSON.parse(json) as StoredRevocation),
      missed: () => void recheck(services),
      log,
    });
  const seats = shared ?? new OwnSeats(presence, moved);
  const revocationPush = new RevocationPush(seats, systemClock(now).after);
  const busyStore = new LimitedLog(REFUSAL_LOG_INTERVAL, clock, { count: 0 }, ({ count }, code: string) =>
    log.error("store_busy", code, { count }),
  );
  const droppedRevocations = new LimitedLog(DROPPED_LOG_INTERVAL, clock, { count: 0 }, ({ count }) =>
    log.warn("revocations_dropped", { count, limit: MAX_OWN_REVOCATIONS }),
  );
  const revocations = new Revocations(await store.revocations(), {
    now,
    made: (revocation) => revocationPush.add(revocation),
    tell: (revocation) => shared?.revoked(JSON.stringify(revocation)),
    dropped: (count) => droppedRevocations.note("count", undefined, count),
  });
  const directory = new UserDirectory(presence);
  const relay = new Relay(options.meeting?.relay ?? DEFAULT_RELAY_LIMITS, metrics, now);
  const meetings = new Meetings({ presence, relay, metrics, clock });
  const observations = new Observations({
    changed(user) {
      directory.forget(user);
      seats.changed(user);
    },
    dialBack: (target, user) => dialBack(target, user, authority.certificatePem),
    clock,
  });
  const services: Services = {
    store,
    revocations,
    passwords,
    presence,
    seats,
    shared,
    directory,
    meetings,
    observations,
    relay,
    movedPush,
    unauthenticated: new Unauthenticated(limits.anonymous, clock, ({ evicted, refused }) =>
      log.warn("too_many_not_logged_in", { limit: limits.anonymous, made_way: evicted, refused }),
    ),
    authority,
    log,
    security,
    metrics,
    throttle,
    attempts: new Attempts(throttle, shared && new ValkeyBuckets(shared.commands)),
    registration: options.registration ?? "open",
    now,
    plainFrom: options.plainFrom,
    dummyHash: hashOfNone(),
    tlsPort: () => tls.port,
    meetingPlaces: () => meetingPort?.places ?? [],
    isClosing: () => phase === "closing",
    logRefusal: refusalLog(log, clock),
    logBusyStore(code) {
      metrics.refusedByStore++;
      busyStore.note("count", code);
    },
  };

  shared?.start();

  const admission = new Admission({
    limits,
    throttle,
    metrics,
    clock,
    makeRoom: (address) => services.unauthenticated.makeRoom(address),
    warn: ({ tooMany, tooFast }) => log.warn("connections_refused", { too_many: tooMany, too_fast: tooFast }),
  });
  const connections = new Set<ClientConnection>();
  const open = { plain: 0, tls: 0 };
  let number = 0;
  /** No client is served before both ports are open. */
  let phase = "starting" as "starting" | "serving" | "closing";
  let allClosed: (() => void) | undefined;

  function accept(link: Link, remoteAddress: string): ClientConnection | undefined {
    if (phase === "starting") return undefined;
    const network = networkOf(remoteAddress);
    const verdict = admission.admit(network);
    if (verdict.name === "dropped") return undefined;
    const refusal = verdict.name === "refused" ? verdict.refusal : undefined;
    const connection = new ClientConnection(services, { number: ++number, link, network, refusal, onClosed });
    open[link]++;
    connections.add(connection);
    return connection;
  }

  function onClosed(connection: ClientConnection): void {
    connections.delete(connection);
    admission.closed(connection.network, connection.isRefused ? "refused" : "served");
    open[connection.link]--;
    if (connections.size === 0) allClosed?.();
  }

  const outOfDescriptors = new LimitedLog(
    REFUSAL_LOG_INTERVAL,
    clock,
    { count: 0 },
    ({ count }, address: string) => log.warn("out_of_descriptors", { address, count }),
  );
  type Port = Pick<ListenOptions, "port" | "tls" | "accept"> & { readonly balancers?: Balancers };
  const listenOn = ({ balancers, ...link }: Port) =>
    listenWhenFree(options.host, PORT_PATIENCE, () => {
      const all: ListenOptions = {
        ...link,
        host: options.host,
        objectLimit: RENDEZVOUS_OBJECT_LIMIT,
        outOfDescriptors: (address) => outOfDescriptors.note("count", address),
      };
      const { tls: acceptance } = all;
      const isDirect = balancers === undefined || acceptance === undefined;
      return isDirect ? listen(all) : listenBehind(balancers, { ...all, tls: acceptance });
    });
  // The encrypted port first: answers to plain requests name it.
  const tls = await listenOn({
    port: options.tlsPort,
    balancers: options.balancers,
    tls: () => authority.acceptance(),
    accept: (address) => accept("tls", address),
  });
  let plain: Listener | undefined;
  let meetingPort: MeetingPort | undefined;
  try {
    if (options.meeting !== undefined) {
      const place = { host: options.host, patience: PORT_PATIENCE };
      meetingPort = await openMeetingPort(options.meeting, place, { meetings, observations, log });
    }
    if (options.plainFrom !== "none") {
      plain = await listenOn({
        port: options.port,
        accept: (address) => accept("plain", address),
      });
    }
  } catch (error) {
    tls.stop();
    meetingPort?.stop();
    await shared?.stop();
    throw error;
  }

  phase = "serving";

  const checkLiveness = (at: number) => {
    for (const connection of [...connections]) connection.checkLiveness(at);
  };
  const meetingDeadlines = {
    checkDeadlines(at: number) {
      meetingPort?.checkDeadlines(at);
      meetings.checkDeadlines(at);
      relay.checkDeadlines(at);
    },
  };
  watchDeadlines(meetingDeadlines);
  const sweeps = [
    ...(store.isShared ? [setInterval(() => void recheck(services), RECHECK_INTERVAL)] : []),
    setInterval(() => checkLiveness(performance.now()), LIVENESS_INTERVAL),
    setInterval(() => overBudget(connections).forEach((each) => each.dropAsSlow()), BUDGET_INTERVAL),
  ];

  async function stop(): Promise<void> {
    if (phase === "closing") return;
    phase = "closing";
    sweeps.forEach((sweep) => clearInterval(sweep));
    unwatchDeadlines(meetingDeadlines);
    plain?.stop();
    tls.stop();
    meetingPort?.stop();
    relay.stop();
    revocationPush.flush();
    for (const connection of connections) connection.announceClosing();
    // Hashes that wait are refused; requests whose hash is being computed are answered before the end.
    const worked = passwords.close();
    for (const connection of [...connections]) connection.endIfIdle("server_closing");
    await within(STOP_WORK_TIMEOUT, worked);
    if (connections.size > 0) {
      await within(STOP_CLOSE_TIMEOUT, new Promise<void>((resolve) => (allClosed = resolve)));
    }
    for (const connection of [...connections]) connection.terminate("server_closing");
    limited.close();
    await shared?.stop();
    await store.close();
  }

  const counts = () => ({ ...open, online: seats.own().length });
  return { plain, tls, fingerprint: authority.fingerprint, services, counts, checkLiveness, stop };
}

/** @param each descriptors that one connection needs */
function fittingLimits(wanted: Limits, log: Log, each: number): Limits {
  const descriptors = descriptorLimit();
  const limits = withinDescriptors(wanted, Math.floor(descriptorsForConnections(descriptors) / each));
  if (limits !== wanted) log.warn("few_descriptors", { descriptors, connections: limits.connections });
  return limits;
}

/** Handshakes that the other side ended, as clients do that only look at our certificate. */
const ENDED_BY_CLIENT: ReadonlySet<string> = new Set(["ECONNRESET", "closed_in_handshake"]);

function refusalLog(log: Log, clock: () => number): Services["logRefusal"] {
  const ended = new LimitedLog(REFUSAL_LOG_INTERVAL, clock, { count: 0 }, ({ count }, address: string) =>
    log.info("left_in_handshake", { address, count }),
  );
  const failed = new LimitedLog(
    REFUSAL_LOG_INTERVAL,
    clock,
    { count: 0 },
    ({ count }, latest: { address: string; reason: string }) =>
      log.info("handshake_failed", { ...latest, count }),
  );
  return (address, reason) => {
    if (ENDED_BY_CLIENT.has(reason)) ended.note("count", address);
    else failed.note("count", { address, reason });
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
