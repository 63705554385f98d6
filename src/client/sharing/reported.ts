/** What a face has reported of the stored messages, so that after a hand-over it can report what no process told of. */
import type { Archive } from "../archive.ts";
import type { MessengerEvent } from "../conversation/events.ts";

/** Messages read at a time. */
const PAGE = 500;
/** Unreceived messages of ours whose states are reported after a hand-over. */
const MAX_AWAITED = 10_000;

export class Reported {
  readonly #archive: Archive;
  /** `seq` of the newest stored message that was reported. */
  #newest: number;
  /** The recipients of our messages that were not received, by id. */
  readonly #awaited = new Map<string, string>();

  /** What is stored already needs no report. @throws SQLiteError */
  constructor(archive: Archive) {
    this.#archive = archive;
    this.#newest = archive.lastSeq();
  }

  /** To be called with every event that is reported. @throws SQLiteError */
  note(event: MessengerEvent): void {
    switch (event.name) {
      case "message":
        this.#newest = Math.max(this.#newest, event.message.seq);
        break;
      case "delivery":
        if (event.state === "queued") this.#newest = Math.max(this.#newest, this.#seqOf(event.to, event.id));
        if (event.state === "received" || event.state === "read") this.#awaited.delete(event.id);
        else if (this.#awaited.size < MAX_AWAITED) this.#awaited.set(event.id, event.to);
        break;
      case "cancelled":
        this.#awaited.delete(event.id);
        break;
      default:
    }
  }

  /** 0 for a change of a text, which is no message of its own. */
  #seqOf(to: string, id: string): number {
    return this.#archive.conversation(to)?.find(id)?.seq ?? 0;
  }

  /** The events about messages that were stored since, and the states that ours have reached. @throws SQLiteError */
  *missed(): Generator<MessengerEvent> {
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
    for (const [id, to] of [...this.#awaited]) {
      const found = this.#archive.conversation(to)?.stateOf(id);
      if (found !== undefined) yield { name: "delivery", to, id, ...found };
    }
  }
}
