/** Takes samples: counts since the sample before, and current values. */
import { HistogramWindow } from "../metrics/histogram.ts";
import { RingBuffer } from "../metrics/ring-buffer.ts";
import { LOGIN_RESULTS, type LoginResult, type Metrics } from "../metrics/metrics.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";
import type { ProcessMetrics } from "./process-metrics.ts";

export class Sampler {
  readonly samples = new RingBuffer();
  readonly #metrics: Metrics;
  readonly #process: ProcessMetrics;
  readonly #requests: HistogramWindow;
  readonly #database: HistogramWindow;
  #takenAt: number;
  #answered: number;
  readonly #logins = new Map<LoginResult, number>();
  #mostWaiting = 0;

  /** @param now when counting begins, in ms that never go back. */
  constructor(metrics: Metrics, process: ProcessMetrics, now: number) {
    this.#metrics = metrics;
    this.#process = process;
    this.#requests = new HistogramWindow(metrics.allRequestSeconds);
    this.#database = new HistogramWindow(metrics.databaseSeconds);
    this.#takenAt = now;
    this.#answered = metrics.answered;
    for (const result of LOGIN_RESULTS) this.#logins.set(result, metrics.logins.of(result));
  }

  /** Records peaks between two samples. */
  look(server: RendezvousServer | undefined): void {
    this.#mostWaiting = Math.max(this.#mostWaiting, server?.services.passwords.waiting ?? 0);
  }

  /** @param now ms that never go back, later than at the sample before. */
  take(now: number, server: RendezvousServer | undefined): void {
    const metrics = this.#metrics;
    const { resident, heap } = this.#process.memory;
    this.look(server);
    this.#requests.next();
    this.#database.next();
    const longestDelay = this.#process.nextWindow();
    this.samples.add({
      at: now,
      online: server?.counts().online ?? 0,
      requests: ((metrics.answered - this.#answered) * 1_000) / (now - this.#takenAt),
      p50: this.#requests.quantile(0.5) * 1_000,
      p99: this.#requests.quantile(0.99) * 1_000,
      loginsOk: this.#newLogins("ok"),
      loginsResumed: this.#newLogins("resumed"),
      loginsWrong: this.#newLogins("wrong"),
      loginsLimited: this.#newLogins("limited"),
      loginsRefused: this.#newLogins("refused"),
      databaseP50: this.#database.quantile(0.5) * 1_000,
      databaseP99: this.#database.quantile(0.99) * 1_000,
      resident,
      heap,
      hashesWaiting: this.#mostWaiting,
      loopDelay: longestDelay * 1_000,
      relayedPairs: server?.services.relay.pairs ?? 0,
    });
    this.#takenAt = now;
    this.#answered = metrics.answered;
    this.#mostWaiting = 0;
  }

  #newLogins(result: LoginResult): number {
    const before = this.#logins.get(result) ?? 0;
    const now = this.#metrics.logins.of(result);
    this.#logins.set(result, now);
    return now - before;
  }
}
