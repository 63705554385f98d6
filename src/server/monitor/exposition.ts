/** The text of `/metrics`. Names follow OpenMetrics: they end in the unit, seconds or bytes. */
import packageJson from "../../../package.json" with { type: "json" };
import { CODES } from "../../protocol/codes.ts";
import {
  COUNTED_ACTIONS,
  DROP_REASONS,
  LOGIN_RESULTS,
  MEETING_OUTCOMES,
  MEETING_WAYS,
  type Metrics,
} from "../metrics/metrics.ts";
import { OpenMetricsText } from "./open-metrics.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";
import type { SharedSeats } from "../shared/shared-seats.ts";
import type { ProcessMetrics } from "./process-metrics.ts";

/** Seconds since 1970. */
const STARTED_AT = (performance.timeOrigin / 1_000).toFixed(3);

/** @param server undefined while it starts; then its connections are left out. */
export function exposition(
  metrics: Metrics,
  process: ProcessMetrics,
  server: RendezvousServer | undefined,
): string {
  const text = new OpenMetricsText();
  text
    .family({ name: "paloma_build", type: "info", help: "Version of the server and of Bun" })
    .sample("_info", { version: packageJson.version, bun: Bun.version }, 1);
  writeProcess(text, process);
  if (server !== undefined) writeConnections(text, server);
  if (server?.services.shared !== undefined) {
    writeShared(text, server.services.shared, server.services.presence.size);
  }
  writeCounts(text, metrics);
  writeTimes(text, metrics);
  return text.end();
}

function writeProcess(text: OpenMetricsText, process: ProcessMetrics): void {
  const { resident, heap } = process.memory;
  const { median, p99, max } = process.loopDelay;
  const seconds = { unit: "seconds" } as const;
  const bytes = { unit: "bytes" } as const;
  text
    .family({
      name: "process_start_time_seconds",
      type: "gauge",
      ...seconds,
      help: "When the process started, since 1970",
    })
    .sample("", {}, Number(STARTED_AT))
    .family({ name: "process_cpu_seconds", type: "counter", ...seconds, help: "Processor time used" })
    .sample("_total", {}, process.processorSeconds)
    .family({ name: "process_resident_memory_bytes", type: "gauge", ...bytes, help: "Memory in use" })
    .sample("", {}, resident)
    .family({ name: "paloma_heap_bytes", type: "gauge", ...bytes, help: "Memory of JavaScript objects" })
    .sample("", {}, heap)
    .family({
      name: "paloma_event_loop_delay_seconds",
      type: "summary",
      ...seconds,
      help: "How late the event loop was in the last ten seconds; the longest delay is of the last minute",
    })
    .sample("", { quantile: "0.5" }, median)
    .sample("", { quantile: "0.99" }, p99)
    .sample("", { quantile: "1.0" }, max);
}

function writeConnections(text: OpenMetricsText, server: RendezvousServer): void {
  const { plain, tls, online } = server.counts();
  const { passwords, relay, seats } = server.services;
  let onlinePlain = 0;
  for (const { session } of seats.own()) if (session.isPlain) onlinePlain++;
  const onlineTls = online - onlinePlain;
  text
    .family({ name: "paloma_connections", type: "gauge", help: "Open connections" })
    .sample("", { link: "plain", logged_in: "true" }, onlinePlain)
    .sample("", { link: "plain", logged_in: "false" }, plain - onlinePlain)
    .sample("", { link: "tls", logged_in: "true" }, onlineTls)
    .sample("", { link: "tls", logged_in: "false" }, tls - onlineTls)
    .family({ name: "paloma_users_online", type: "gauge", help: "People who are online" })
    .sample("", {}, online)
    .family({ name: "paloma_relayed_pairs", type: "gauge", help: "Pairs of clients that are relayed" })
    .sample("", {}, relay.pairs)
    .family({ name: "paloma_hashes_waiting", type: "gauge", help: "Password hashes waiting" })
    .sample("", {}, passwords.waiting)
    .family({ name: "paloma_hashes_running", type: "gauge", help: "Password hashes being computed" })
    .sample("", {}, passwords.running);
}

/** What one of several servers knows of the others. @param online users, at all of them */
function writeShared(text: OpenMetricsText, shared: SharedSeats, online: number): void {
  const { counts, valkey } = shared;
  const gauges = [
    ["paloma_shared_lease", "Whether this server may let people log in", shared.isLeased ? 1 : 0],
    ["paloma_shared_directory_users", "People online at all servers, as this one knows them", online],
    ["paloma_shared_lag_events", "Changes that other servers told and this one has not read", shared.lag],
    ["paloma_shared_owed_leaves", "Ended sessions that Valkey has not been told of", shared.owed],
  ] as const;
  const counters = [
    ["paloma_shared_gaps", "Times that changes were missing in the stream", counts.gaps],
    ["paloma_shared_snapshots", "Times that everybody online was read", counts.snapshots],
    ["paloma_shared_reentered", "Sessions that entered again, after Valkey had lost them", counts.reentered],
    ["paloma_shared_replaced", "Sessions that ended because the person logged in elsewhere", counts.replaced],
    ["paloma_shared_reaped", "Sessions of dead servers that this one removed, about", counts.reaped],
    ["paloma_valkey_commands", "Commands to Valkey", valkey.commands],
    ["paloma_valkey_errors", "Commands to Valkey that failed", valkey.errors],
  ] as const;
  for (const [name, help, value] of gauges) text.family({ name, type: "gauge", help }).sample("", {}, value);
  for (const [name, help, value] of counters) {
    text.family({ name, type: "counter", help }).sample("_total", {}, value);
  }
  text
    .family({
      name: "paloma_valkey_seconds",
      type: "counter",
      unit: "seconds",
      help: "How long commands to Valkey took; a wait for changes counts",
    })
    .sample("_total", {}, valkey.seconds)
    .family({
      name: "paloma_clock_skew_seconds",
      type: "gauge",
      unit: "seconds",
      help: "By how much the clock of this machine is ahead of Valkey's",
    })
    .sample("", {}, shared.skew / 1_000);
}

function writeCounts(text: OpenMetricsText, metrics: Metrics): void {
  text.family({ name: "paloma_logins", type: "counter", help: "Logins, by result" });
  for (const result of LOGIN_RESULTS) text.sample("_total", { result }, metrics.logins.of(result));
  text.family({
    name: "paloma_meetings",
    type: "counter",
    help: "Meetings, by how far they came and how they ended",
  });
  for (const way of MEETING_WAYS) {
    for (const outcome of MEETING_OUTCOMES) {
      const count = metrics.meetings.of(`${way} ${outcome}`);
      // Most pairs never occur. A way's `left` of 0 shows that nobody went it.
      if (count > 0 || outcome === "left") text.sample("_total", { way, outcome }, count);
    }
  }
  text
    .family({
      name: "paloma_relayed_bytes",
      type: "counter",
      unit: "bytes",
      help: "Bytes passed on between clients, in both directions",
    })
    .sample("_total", {}, metrics.relayedBytes);
  text.family({
    name: "paloma_dropped_connections",
    type: "counter",
    help: "Connections refused or dropped by the server",
  });
  for (const reason of DROP_REASONS) text.sample("_total", { reason }, metrics.drops.of(reason));
  text.family({ name: "paloma_requests", type: "counter", help: "Answered requests" });
  for (const action of COUNTED_ACTIONS) {
    for (const code of CODES) {
      const count = metrics.requests(action, code);
      // Most pairs never occur. A series `ok` of 0 shows that an action was never requested.
      if (count > 0 || (code === "ok" && action !== "none")) text.sample("_total", { action, code }, count);
    }
  }
}

function writeTimes(text: OpenMetricsText, metrics: Metrics): void {
  text.family({
    name: "paloma_request_seconds",
    type: "histogram",
    unit: "seconds",
    help: "From reading a request to its answer, of requests that could be handled",
  });
  for (const action of COUNTED_ACTIONS) {
    if (action !== "none") text.histogram({ action }, metrics.requestSeconds(action));
  }
  const histogram = { type: "histogram", unit: "seconds" } as const;
  text
    .family({ name: "paloma_hash_wait_seconds", ...histogram, help: "How long a password hash waited" })
    .histogram({}, metrics.hashWaitSeconds)
    .family({ name: "paloma_hash_seconds", ...histogram, help: "How long a password hash took" })
    .histogram({}, metrics.hashSeconds)
    .family({
      name: "paloma_database_seconds",
      ...histogram,
      help: "How long reading or writing accounts and tokens took",
    })
    .histogram({}, metrics.databaseSeconds)
    .family({
      name: "paloma_database_refusals",
      type: "counter",
      help: "Requests answered server_busy because the database could not be used",
    })
    .sample("_total", {}, metrics.refusedByStore)
    .family({
      name: "paloma_database_pools_replaced",
      type: "counter",
      help: "How often the connections to PostgreSQL were replaced because nothing came from it",
    })
    .sample("_total", {}, metrics.poolsReplaced);
}
