/** Records the messages of the demonstration, and prints them below each step. */
import pc from "picocolors";

import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { visibleText } from "../../protocol/visible-text.ts";

/** How long one step may take, in ms; all steps together take about one second. */
const STEP_TIMEOUT = 8_000;
/** Width of the table if standard output is not a terminal, and its smallest width; in columns. */
const USUAL_WIDTH = 100;
const MIN_WIDTH = 60;
const INDENT = 4;
const LINK_WIDTH = 20;
const READERS_WIDTH = 17;
/** Fields whose values are not shown: secrets, and values that are long. */
const SHORTENED: readonly string[] = [
  "password",
  "session_token",
  "certificate",
  "authority",
  "public_key",
  "key_proof",
  "challenge",
  "fingerprint",
];

type WireMessage = { readonly from: string; readonly to: string; readonly message: JsonObject };

/** Records each message once, in order, and the events of the messengers. */
export class Recorder {
  readonly messages: WireMessage[] = [];
  readonly #serverName: string;
  readonly #waiting = new Set<() => void>();
  readonly #events: { readonly who: string; readonly event: MessengerEvent }[] = [];

  constructor(serverName: string) {
    this.#serverName = serverName;
  }

  /** @param other the peer of `who` */
  take(who: string, other: string, event: MessengerEvent): void {
    if (event.name === "wire") {
      if (event.link === "rendezvous") {
        const [from, to] = event.direction === "out" ? [who, this.#serverName] : [this.#serverName, who];
        this.messages.push({ from, to, message: event.message });
      } else if (event.direction === "out")
        this.messages.push({ from: who, to: other, message: event.message });
    } else this.#events.push({ who, event });
    for (const check of this.#waiting) check();
  }

  /** Resolves when the messenger of `who` has emitted a fitting event, now or before. Rejects after STEP_TIMEOUT. */
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

/** A message on one line, without its secrets and long values. */
function shortened(message: JsonObject): string {
  const shown = Object.fromEntries(
    Object.entries(message)
      .filter(([name, value]) => value !== undefined && name !== "id" && name !== "sent_at")
      .map(([name, value]) => [name, SHORTENED.includes(name) ? "…" : value]),
  );
  return JSON.stringify(shown);
}

export class Table {
  readonly #recorder: Recorder;
  #shown = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Prints one row: a link, the message on it, and who could read it. */
  row(link: string, message: string, readers: string, paint: (text: string) => string): void {
    const width =
      Math.max(process.stdout.columns ?? USUAL_WIDTH, MIN_WIDTH) - INDENT - LINK_WIDTH - READERS_WIDTH - 4;
    const text = visibleText(message);
    const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    const line = `${" ".repeat(INDENT)}${link.padEnd(LINK_WIDTH)}  ${cut.padEnd(width)}  ${readers}`;
    console.log(paint(line.trimEnd()));
  }

  /** Prints what a person did, and below it the messages since the last step. */
  step(what: string): void {
    const fresh = this.#recorder.messages.slice(this.#shown);
    this.#shown = this.#recorder.messages.length;
    console.log(pc.bold(what));
    for (const { from, to, message } of fresh) {
      this.row(`${from} → ${to}`, shortened(message), `${from}, ${to}`, pc.dim);
    }
  }
}
