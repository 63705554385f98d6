/**
 * The HTTP server for the operator: `/healthz`, `/readyz`, `/metrics` and the status page. It shows no names of users,
 * and changes nothing.
 */
import { randomUUID } from "node:crypto";
import { isIP } from "node:net";

import packageJson from "../../../package.json" with { type: "json" };
import { listenHttp, type HttpAnswer, type HttpRequest } from "../../net/http-listener.ts";
import { isLoopback } from "../../protocol/ip-address.ts";
import { listenWhenFree } from "../listening.ts";
import { exposition } from "./exposition.ts";
import { MAX_SAMPLES, SAMPLE_INTERVAL } from "../metrics/ring-buffer.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { OPEN_METRICS_TYPE } from "./open-metrics.ts";
import { Readiness } from "./readiness.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";
import { Sampler } from "./sampler.ts";
import { STATUS_PAGE, STATUS_PAGE_POLICY } from "./status-page.ts";
import { ProcessMetrics } from "./process-metrics.ts";

/** How long a port in use is waited for, in ms. */
const PORT_PATIENCE = 5_000;
/** Longest age of a check of the database, in ms: on the status page, and for `/readyz`. */
const SHOWN_CHECK_AGE = 10_000;
const READY_CHECK_AGE = 1_000;
/** Looks per sample, to catch short peaks. */
const LOOKS_PER_SAMPLE = 10;

export type MonitorOptions = {
  /** An IP literal. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Ms between two samples; `SAMPLE_INTERVAL` by default. */
  readonly interval?: number;
};

export type Monitor = {
  readonly host: string;
  readonly port: number;
  /** The server has started. */
  started(server: RendezvousServer): void;
  stop(): void;
};

/**
 * Starts before the server, and reports `starting` until `started` is called.
 * @throws StartError for an address that it cannot listen on
 */
export async function startMonitor(options: MonitorOptions): Promise<Monitor> {
  const { host, port, log } = options;
  const handler = new MonitorHandler(options);
  const listener = await listenWhenFree(host, PORT_PATIENCE, () =>
    listenHttp({
      host,
      port,
      answer: (request) => handler.answer(request),
      failed: (error) => log.error("monitor_failed", error),
    }),
  ).catch((error: unknown) => {
    handler.stop();
    throw error;
  });
  return {
    host,
    port: listener.port,
    started: (server) => handler.started(server),
    stop() {
      listener.stop();
      handler.stop();
    },
  };
}

class MonitorHandler {
  readonly #options: MonitorOptions;
  readonly #run = randomUUID();
  readonly #begun = performance.now();
  readonly #process = new ProcessMetrics(() => performance.now());
  readonly #readiness: Readiness;
  readonly #sampler: Sampler;
  readonly #interval: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #looks = 0;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#readiness = new Readiness(() => performance.now(), options.log);
    this.#interval = options.interval ?? SAMPLE_INTERVAL;
    this.#sampler = new Sampler(options.metrics, this.#process, this.#uptime);
    this.#timer = setInterval(() => this.#tick(), this.#interval / LOOKS_PER_SAMPLE);
    this.#timer.unref();
  }

  started(server: RendezvousServer): void {
    this.#readiness.started(server);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#process.stop();
  }

  async answer({ method, host, path, query }: HttpRequest): Promise<HttpAnswer> {
    // Against DNS rebinding: the name of another site may point to this address.
    if (isLoopback(this.#options.host) && !isLocalHost(host)) return line(403, "forbidden host");
    if (method !== "GET" && method !== "HEAD") return line(405, "method not allowed", { allow: "GET, HEAD" });
    switch (path) {
      case "/healthz":
        return line(200, "ok");
      case "/readyz": {
        const state = await this.#readiness.state(READY_CHECK_AGE);
        return line(state === "ready" ? 200 : 503, state);
      }
      case "/metrics": {
        const { metrics } = this.#options;
        const server = this.#readiness.server;
        return answer(200, OPEN_METRICS_TYPE, exposition(metrics, this.#process, server));
      }
      case "/status.json":
        return this.#status(query.get("after"));
      case "/":
        return answer(200, "text/html; charset=utf-8", STATUS_PAGE, {
          "content-security-policy": STATUS_PAGE_POLICY,
        });
      default:
        return line(404, "not found");
    }
  }

  /** The current figures, and the samples from number `after` on. */
  async #status(after: string | null): Promise<HttpAnswer> {
    if (after !== null && !/^\d{1,15}$/.test(after)) return line(400, "bad request");
    const server = this.#readiness.server;
    const { samples } = this.#sampler;
    const status = {
      run: this.#run,
      version: packageJson.version,
      state: await this.#readiness.state(SHOWN_CHECK_AGE),
      uptime: this.#uptime,
      interval: this.#interval,
      kept: MAX_SAMPLES,
      counts: server?.counts() ?? { plain: 0, tls: 0, online: 0 },
      next: samples.next,
      samples: samples.since(Number(after ?? 0)),
    };
    return answer(200, "application/json; charset=utf-8", JSON.stringify(status));
  }

  #tick(): void {
    const server = this.#readiness.server;
    this.#sampler.look(server);
    if (++this.#looks % LOOKS_PER_SAMPLE === 0) this.#sampler.take(this.#uptime, server);
  }

  /** Ms. */
  get #uptime(): number {
    return performance.now() - this.#begun;
  }
}

/** Whether a `Host` header is `localhost` or an address, which no other site can use as its name. */
function isLocalHost(host: string): boolean {
  const name = host.replace(/:\d*$/, "").toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return isIP(name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name) !== 0;
}

function line(status: number, text: string, headers: HttpAnswer["headers"] = {}): HttpAnswer {
  return answer(status, "text/plain; charset=utf-8", `${text}\n`, headers);
}

function answer(status: number, type: string, body: string, headers: HttpAnswer["headers"] = {}): HttpAnswer {
  return {
    status,
    headers: {
      "content-type": type,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      ...headers,
    },
    body,
  };
}
