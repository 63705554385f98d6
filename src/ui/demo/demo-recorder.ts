/** What travels in the demonstration: recorded as it happens, and shown beside what people did. */
import pc from "picocolors";

import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { visibleText } from "../../protocol/visible-text.ts";

/** Each step must be done in this time, in ms; the whole takes about one second. */
const STEP_TIMEOUT = 8_000;
/** Columns where standard output is no terminal. */
const DEFAULT_WIDTH = 100;
const INDENT = 4;
const LINK_WIDTH = 20;
const READERS_WIDTH = 17;
const SECRETS: readonly string[] = [
  "password",
  "session_token",
  "certificate",
  "authority",
  "public_key",
  "fingerprint",
];

export type Wire = { readonly from: string; readonly to: string; readonly message: JsonObject };

/** What travelled, in the order in which it did; each message once. */
export class Recorder {
  readonly wires: Wire[] = [];
  readonly #serverName: string;
  readonly #waiting = new Set<() => void>();
  readonly #events: { readonly who: string; readonly event: MessengerEvent }[] = [];

  constructor(serverName: string) {
    this.#serverName = serverName;
  }

  take(who: string, other: string, event: MessengerEvent): void {
    if (event.name === "wire") {
      if (event.link === "rendezvous") {
        const [from, to] = event.direction === "out" ? [who, this.#serverName] : [this.#serverName, who];
        this.wires.push({ from, to, message: event.message });
      } else if (event.direction === "out") this.wires.push({ from: who, to: other, message: event.message });
    } else this.#events.push({ who, event });
    for (const check of this.#waiting) check();
  }

  /** Resolves when `who` has seen an event that fits, from the first one on. */
  async seen(who: string, fits: (event: MessengerEvent) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (this.#events.some((each) => each.who === who && fits(each.event))) resolve();
    };
    const timer = setTimeout(
      () => reject(new Error(`${who}: the expected event did not come`)),
      STEP_TIMEOUT,
    );
    this.#waiting.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }

  forgetEvents(): void {
    this.#events.length = 0;
  }
}

/** One message in one line, secrets shortened. */
function shorten(message: JsonObject): string {
  const shown = Object.fromEntries(
    Object.entries(message)
      .filter(([name, value]) => value !== undefined && name !== "id" && name !== "sent_at")
      .map(([name, value]) => [name, SECRETS.includes(name) ? "…" : value]),
  );
  return JSON.stringify(shown);
}

export class Table {
  readonly #recorder: Recorder;
  #shown = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** One message: the link that it travelled on, what it was, and who could read it. */
  row(link: string, message: string, readers: string, paint: (text: string) => string): void {
    const width =
      Math.max(process.stdout.columns ?? DEFAULT_WIDTH, 60) - INDENT - LINK_WIDTH - READERS_WIDTH - 4;
    const text = visibleText(message);
    const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    const line = `${" ".repeat(INDENT)}${link.padEnd(LINK_WIDTH)}  ${cut.padEnd(width)}  ${readers}`;
    console.log(paint(line.trimEnd()));
  }

  /** What somebody did, and below it everything that travelled since the last step. */
  step(what: string): void {
    const fresh = this.#recorder.wires.slice(this.#shown);
    this.#shown = this.#recorder.wires.length;
    console.log(pc.bold(what));
    for (const { from, to, message } of fresh) {
      this.row(`${from} → ${to}`, shorten(message), `${from}, ${to}`, pc.dim);
    }
  }
}
