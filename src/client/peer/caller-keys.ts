/**
 * Asks the server for the keys of people who call at the peer port and whose key is not pinned (PROTOCOL 3, step 5).
 * Strangers and contacts who call each have a budget of lookups of their own, and what the server says is remembered, so
 * that strangers can neither use up this account's lookups, nor make the server limit them, nor keep out a contact.
 */
import type { Whereabouts } from "../rendezvous/directory.ts";
import { Budget } from "./limits/budget.ts";
import { keyReport, type KeyReport, type ProvenPeer } from "./proof.ts";

/** Lookups for strangers, and for contacts, who call: so many at once, and one more in each interval, in ms. */
export const CALLER_LOOKUP_BURST = 20;
export const CALLER_LOOKUP_INTERVAL = 200;
/** How long a report that names the caller's key is remembered, and any other report of the server, in ms. */
export const AGREEMENT_MEMORY = 10 * 60_000;
export const OTHER_REPORT_MEMORY = 10_000;
/** Remembered reports; the oldest gives way. */
export const MAX_REMEMBERED = 1_000;

const budget = () => new Budget(CALLER_LOOKUP_BURST, 1_000 / CALLER_LOOKUP_INTERVAL);

export type CallerKind = "contact" | "stranger";

type Remembered = { readonly report: KeyReport; readonly until: number };

export class CallerKeys {
  readonly #lookUp: (username: string) => Promise<Whereabouts>;
  readonly #monotonic: () => number;
  /** By label and fingerprint, the oldest first. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #lookups = { contact: budget(), stranger: budget() };

  /** @param lookUp resolves within five seconds. @param monotonic ms, never set back */
  constructor(lookUp: (username: string) => Promise<Whereabouts>, monotonic: () => number) {
    this.#lookUp = lookUp;
    this.#monotonic = monotonic;
  }

  /** What the server says about this caller's key; `notNow` if the budget is used up. Resolves within five seconds. */
  async report({ name, label, fingerprint }: ProvenPeer, kind: CallerKind): Promise<KeyReport> {
    const key = `${label} ${fingerprint}`;
    const known = this.#remembered.get(key);
    if (known !== undefined && this.#monotonic() < known.until) return known.report;
    if (!this.#lookups[kind].take(this.#monotonic())) return { name: "notNow" };
    const where = await this.#lookUp(name);
    const report = keyReport(where);
    // Without an answer there is nothing to remember: the next caller may be answered.
    if (where.name === "online" || where.name === "offline") {
      const agrees = report.name === "key" && report.fingerprint === fingerprint;
      this.#remember(key, report, agrees ? AGREEMENT_MEMORY : OTHER_REPORT_MEMORY);
    }
    return report;
  }

  #remember(key: string, report: KeyReport, duration: number): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { report, until: this.#monotonic() + duration });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}
