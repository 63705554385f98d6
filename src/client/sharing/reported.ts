/**
 * Reports a face's events, and after a hand-over what no process told of:
 *
 * 1. Between the end of one process and the place in the next, events about messages are held.
 * 2. Then what was stored meanwhile is reported, and behind it what was held, each message once, and requests that have
 *    come or grown.
 */
import type { Archive } from "../archive.ts";
import { ABOUT_MESSAGES, type MessengerEvent } from "../conversation/events.ts";

/** Messages read at a time. */
const PAGE = 500;
/** Unreceived messages of ours whose states are reported after a hand-over. */
const MAX_AWAITED = 10_000;

export class Reported {
  readonly #archive: Archive;
  readonly #onEvent: (event: MessengerEvent) => void;
  /** `seq` of the newest stored message that was reported. */
  #newest: number;
  /** The recipients of our messages that were not received, by id. */
  readonly #awaited = new Map<string, string>();
  /** How many texts the requests have that were reported or stored before, by the name. */
  readonly #requests: Map<string, number>;
  /** Events between two processes; undefined: not between two. */
  #held: MessengerEvent[] | undefined;
  /** `seq` of each message whose event may still come, although it was reported after the last hand-over. */
  #early: ReadonlySet<number> = new Set();

  /** What is stored already needs no report. @throws SQLiteError */
  constructor(archive: Archive, onEvent: (event: MessengerEvent) => void) {
    this.#archive = archive;
    this.#onEvent = onEvent;
    this.#newest = archive.lastSeq();
    this.#requests = new Map(archive.requests().map(({ from, count }) => [from, count]));
  }

  /** Reports an event of the account. @throws SQLiteError */
  event(event: MessengerEvent): void {
    if (this.#held !== undefined && ABOUT_MESSAGES.has(event.name)) {
      this.#held.push(event);
      return;
    }
    const seq = this.#seqOf(event);
    if (!this.#early.has(seq)) this.#report(event, seq);
  }

  /** The process that was online has ended. */
  hold(): void {
    this.#held ??= [];
  }

  /** There is a place in the next process. @throws SQLiteError */
  catchUp(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    const early = new Set<number>();
    for (const event of this.#missed()) {
      const seq = this.#seqOf(event);
      if (seq > 0) early.add(seq);
      this.#report(event, seq);
    }
    this.#early = early;
    for (const event of held) this.event(event);
  }

  #report(event: MessengerEvent, seq: number): void {
    this.#newest = Math.max(this.#newest, seq);
    if (event.name === "request") this.#requests.set(event.from, event.count);
    if (event.name === "contact") this.#requests.delete(event.username);
    if (event.name === "cancelled") this.#awaited.delete(event.id);
    if (event.name === "delivery") {
      if (event.state === "received" || event.state === "read") this.#awaited.delete(event.id);
      else if (this.#awaited.size < MAX_AWAITED) this.#awaited.set(event.id, event.to);
    }
    this.#onEvent(event);
  }

  /** Of a message with the first event about it; 0 for any other event. */
  #seqOf(event: MessengerEvent): number {
    if (event.name === "message") return event.message.seq;
    if (event.name !== "delivery" || event.state !== "queued") return 0;
    // A change of a text is no message of its own.
    return this.#archive.conversation(event.to)?.find(event.id)?.seq ?? 0;
  }

  /** The events about messages that were stored since, and the states that ours have reached. */
  *#missed(): Generator<MessengerEvent> {
    for (;;) {
      const page = this.#archive.history.since(this.#newest, PAGE);
      for (const message of page) {
        const { id, outgoing, sentAt: at = 0, seq } = message;
        const person = this.#archive.usernameAt(message.contact);
        if (outgoing) yield { name: "delivery", to: person, id, state: "queued", at };
        else yield { name: "message", from: person, message };
        this.#newest = seq;
      }
      if (page.length < PAGE) break;
    }
    for (const { from, count } of this.#archive.requests()) {
      if (this.#requests.get(from) !== count) yield { name: "request", from, count };
    }
    for (const [id, to] of [...this.#awaited]) {
      const found = this.#archive.conversation(to)?.stateOf(id);
      if (found !== undefined && found.state !== "queued") yield { name: "delivery", to, id, ...found };
    }
  }
}
