/** Takes the samples of the last hour: what was counted since the sample before, and what is now. */
import { HistogramWindow } from "../metrics/histogram.ts";
import { Hour } from "../metrics/ring-buffer.ts";
import { LOGIN_RESULTS, type LoginResult, type Metrics } from "../metrics/metrics.ts";
import type { RendezvousServer } from "../rendezvous-server.ts";
import type { Vitals } from "./process-metrics.ts";

export class Sampler {
  readonly hour = new Hour();
  readonly #metrics: Metrics;
  readonly #vitals: Vitals;
  readonly #requests: HistogramWindow;
  readonly #database: HistogramWindow;
  #takenAt: number;
  #answered: number;
  readonly #logins = new Map<LoginResult, number>();
  #mostWaiting = 0;

  /** @param now when it begins to count, in ms that never go back. */
  constructor(metrics: Metrics, vitals: Vitals, now: number) {
    this.#metrics = metrics;
    this.#vitals = vitals;
    this.#requests = new HistogramWindow(metrics.allRequestSeconds);
    this.#database = new HistogramWindow(metrics.databaseSeconds);
    this.#takenAt = now;
    this.#answered = metrics.answered;
    for (const result of LOGIN_RESULTS) this.#logins.set(result, metrics.logins(result));
  }

  /** Looks at what comes and goes between two samples. */
  look(server: RendezvousServer | undefined): void {
    this.#mostWaiting = Math.max(this.#mostWaiting, server?.services.passwords.waiting ?? 0);
  }

  /** Takes a sample; `now` in ms that never go back, later than the one before. */
  take(now: number, server: RendezvousServer | undefined): void {
    const metrics = this.#metrics;
    const { resident, heap } = this.#vitals.memory;
    this.look(server);
    this.#requests.next();
    this.#database.next();
    this.#vitals.nextWindow();
    this.hour.add({
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
      loopDelay: this.#vitals.loopDelay.max * 1_000,
    });
    this.#takenAt = now;
    this.#answered = metrics.answered;
    this.#mostWaiting = 0;
  }

  #newLogins(result: LoginResult): number {
    const before = this.#logins.get(result) ?? 0;
    const now = this.#metrics.logins(result);
    this.#logins.set(result, now);
    return now - before;
  }
}
