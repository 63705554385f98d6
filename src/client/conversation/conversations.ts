/** The conversations of this process, by the label of the other person. */
import { label as labelOf } from "../../identity/names.ts";
import { unstored, type Contact } from "../profile/contacts.ts";
import { Conversation } from "./conversation.ts";
import type { ConversationNeeds } from "./needs.ts";

/** How long links may take to end after `bye`, in ms. */
const CLOSE_TIMEOUT = 1_000;

export class Conversations {
  readonly #needs: ConversationNeeds;
  readonly #byLabel = new Map<string, Conversation>();

  constructor(needs: ConversationNeeds) {
    this.#needs = needs;
  }

  [Symbol.iterator](): IterableIterator<Conversation> {
    return this.#byLabel.values();
  }

  /** The conversation with this person, if there is one. */
  find(username: string): Conversation | undefined {
    return this.withLabel(labelOf(username));
  }

  withLabel(label: string): Conversation | undefined {
    return this.#byLabel.get(label);
  }

  /** The conversation with this person, who is stored if they are new. @throws SQLiteError */
  with(username: string): Conversation {
    const known = this.find(username);
    known?.store();
    return known ?? this.#open(this.#needs.profile.contacts.ensure(username));
  }

  /** The conversation with somebody who has dialled us. Nobody is stored for that. @throws SQLiteError */
  withCaller(username: string): Conversation {
    const known = this.find(username);
    return known ?? this.#open(this.#needs.profile.contacts.find(username) ?? unstored(username));
  }

  #open(contact: Contact): Conversation {
    const conversation = new Conversation(this.#needs, contact);
    this.#byLabel.set(contact.label, conversation);
    return conversation;
  }

  /** To be called about once a second. */
  tick(): void {
    for (const conversation of this) {
      conversation.tick();
      if (conversation.isOver) this.#byLabel.delete(conversation.contact.label);
    }
  }

  /**
   * Creates a conversation with every contact that has messages in the outbox, or does not know that they were accepted.
   * @returns the new ones
   */
  openOutbox(): Conversation[] {
    const { messages, contacts, consents } = this.#needs.profile;
    return [...new Set([...messages.contactsWithOutbox(), ...consents.untold()])]
      .map((id) => contacts.byId(id))
      .filter((contact) => contact !== undefined)
      .filter(({ label }) => !this.#byLabel.has(label))
      .map(({ username }) => this.with(username));
  }

  /** Lists the names of the people whose presence the server should report. */
  listPresence(): string[] {
    return [...this].filter(({ wants }) => wants.listPresence()).map(({ username }) => username);
  }

  /** Says `bye` on every link; nothing is dialled any more. */
  close(): void {
    for (const conversation of this) conversation.close();
  }

  /** Waits until the links have ended, and terminates those that take too long. */
  async end(): Promise<void> {
    const deadline = performance.now() + CLOSE_TIMEOUT;
    const isLinked = () => [...this].some(({ transport }) => transport.count > 0);
    while (performance.now() < deadline && isLinked()) await Bun.sleep(5);
    for (const conversation of this) conversation.terminate();
  }
}
