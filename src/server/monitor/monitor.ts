/**
 * What an operator sees of the server over HTTP: `/healthz`, `/readyz`, `/metrics` and the status page. It
 * gives away no name, and takes nothing.
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
import { Readiness, type Running } from "./readiness.ts";
import { Sampler } from "./sampler.ts";
import { STATUS_PAGE, STATUS_PAGE_POLICY } from "./status-page.ts";
import { Vitals } from "./process-metrics.ts";

/** How long a port in use is waited for, in ms. */
const PORT_PATIENCE = 5_000;
/** What was found of the database is shown this long, in ms, and told to whoever asks for it alone. */
const SHOWN_CHECK_AGE = 10_000;
const TOLD_CHECK_AGE = 1_000;
/** Looks between two samples, for what is over quickly. */
const LOOKS_A_SAMPLE = 10;

export type MonitorOptions = {
  /** An IP literal. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Between two samples, in ms; `SAMPLE_INTERVAL` where it is absent. */
  readonly interval?: number;
};

export type Monitor = {
  readonly host: string;
  readonly port: number;
  /** The server has started: from now on it is ready, until it closes. */
  started(running: Running): void;
  stop(): void;
};

/** Begins before the server does, and says that it is not ready. @throws StartError for an address that cannot be listened on. */
export async function startMonitor(options: MonitorOptions): Promise<Monitor> {
  const { host, port, log } = options;
  const desk = new MonitorDesk(options);
  const listener = await listenWhenFree(host, PORT_PATIENCE, () =>
    listenHttp({
      host,
      port,
      answer: (request) => desk.answer(request),
      failed: (error) => log.error("monitor_failed", error),
    }),
  ).catch((error: unknown) => {
    desk.stop();
    throw error;
  });
  return {
    host,
    port: listener.port,
    started: (running) => desk.started(running),
    stop() {
      listener.stop();
      desk.stop();
    },
  };
}

class MonitorDesk {
  readonly #options: MonitorOptions;
  readonly #run = randomUUID();
  readonly #begun = performance.now();
  readonly #vitals = new Vitals();
  readonly #readiness: Readiness;
  readonly #sampler: Sampler;
  readonly #interval: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #looks = 0;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#readiness = new Readiness(() => performance.now(), options.log);
    this.#interval = options.interval ?? SAMPLE_INTERVAL;
    this.#sampler = new Sampler(options.metrics, this.#vitals, this.#uptime);
    this.#timer = setInterval(() => this.#tick(), this.#interval / LOOKS_A_SAMPLE);
    // Looking on keeps nobody alive.
    this.#timer.unref();
  }

  started(running: Running): void {
    this.#readiness.started(running);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#vitals.stop();
  }

  answer({ method, host, path, query }: HttpRequest): HttpAnswer {
    // A name that somebody else's page has made point here (DNS rebinding) is not ours.
    if (isLoopback(this.#options.host) && !isLocalHost(host)) return line(403, "forbidden host");
    if (method !== "GET" && method !== "HEAD") return line(405, "method not allowed", { allow: "GET, HEAD" });
    switch (path) {
      case "/healthz":
        return line(200, "ok");
      case "/readyz": {
        const state = this.#readiness.state(TOLD_CHECK_AGE);
        return line(state === "ready" ? 200 : 503, state);
      }
      case "/metrics": {
        const { metrics } = this.#options;
        const server = this.#readiness.running?.server;
        return answer(200, OPEN_METRICS_TYPE, exposition(metrics, this.#vitals, server));
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

  /** What is now, and the samples from number `after` on. */
  #status(after: string | null): HttpAnswer {
    if (after !== null && !/^\d{1,15}$/.test(after)) return line(400, "bad request");
    const server = this.#readiness.running?.server;
    const { hour } = this.#sampler;
    const status = {
      run: this.#run,
      version: packageJson.version,
      state: this.#readiness.state(SHOWN_CHECK_AGE),
      uptime: this.#uptime,
      interval: this.#interval,
      kept: MAX_SAMPLES,
      counts: server?.counts() ?? { plain: 0, tls: 0, online: 0 },
      next: hour.next,
      samples: hour.since(Number(after ?? 0)),
    };
    return answer(200, "application/json; charset=utf-8", JSON.stringify(status));
  }

  #tick(): void {
    const server = this.#readiness.running?.server;
    this.#sampler.look(server);
    if (++this.#looks % LOOKS_A_SAMPLE === 0) this.#sampler.take(this.#uptime, server);
  }

  /** Ms. */
  get #uptime(): number {
    return performance.now() - this.#begun;
  }
}

/** Whether a `Host` header names this machine for itself, or an address, which nobody can make point elsewhere. */
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
