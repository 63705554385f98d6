/**
 * What is written in one turn of the event loop, committed to the outbox together: throughput does not
 * pay for durability one message at a time.
 */
import type { Contact } from "../profile/contacts.ts";
import type { MessageStore } from "../profile/message-store.ts";
import type { NewOutgoing, OutboxMessage } from "../profile/stored-message.ts";

export interface OutgoingBatchEvents {
  /** Whether a link is there, so that what is stored now leaves at once. */
  isLinked(contact: Contact): boolean;
  /** These are on the disk, in the order in which they were written. */
  committed(contact: Contact, messages: readonly OutboxMessage[]): void;
  /** The disk took none of these. */
  failed(messages: readonly NewOutgoing[], error: Error): void;
}

export class OutgoingBatch {
  readonly #store: MessageStore;
  readonly #events: OutgoingBatchEvents;
  #messages: NewOutgoing[] = [];
  #scheduled = false;

  constructor(store: MessageStore, events: OutgoingBatchEvents) {
    this.#store = store;
    this.#events = events;
  }

  /** Takes one message; it is committed at the end of this turn, or by `commit`. */
  add(message: NewOutgoing): void {
    this.#messages.push(message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.commitOrTell();
    });
  }

  /** @throws SQLiteError: then nothing of it is kept. */
  commit(): void {
    const messages = this.#take();
    this.#tell(messages, this.#queue(messages));
  }

  /** As `commit`; a failure is an event. */
  commitOrTell(): void {
    const messages = this.#take();
    let sequences: number[];
    try {
      sequences = this.#queue(messages);
    } catch (error) {
      this.#events.failed(messages, error as Error);
      return;
    }
    this.#tell(messages, sequences);
  }

  #take(): NewOutgoing[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  #queue(messages: readonly NewOutgoing[]): number[] {
    if (messages.length === 0) return [];
    return this.#store.queue(messages, (contact) => this.#events.isLinked(contact));
  }

  #tell(messages: readonly NewOutgoing[], sequences: readonly number[]): void {
    const byContact = new Map<Contact, OutboxMessage[]>();
    messages.forEach((message, index) => {
      const own = byContact.get(message.contact) ?? [];
      own.push({ ...message, seq: sequences[index] as number });
      byContact.set(message.contact, own);
    });
    for (const [contact, own] of byContact) this.#events.committed(contact, own);
  }
}
