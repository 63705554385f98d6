/** The conversations of this process, by the label of the other person. */
import { label as labelOf } from "../../identity/names.ts";
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
    return this.#byLabel.get(labelOf(username));
  }

  /** The conversation with this person, which is created if it is new. @throws SQLiteError */
  with(username: string): Conversation {
    const known = this.find(username);
    if (known !== undefined) return known;
    const conversation = new Conversation(this.#needs, this.#needs.profile.contacts.ensure(username));
    this.#byLabel.set(conversation.contact.label, conversation);
    return conversation;
  }

  /** Creates a conversation with every contact that has messages in the outbox. @returns the new ones */
  openOutbox(): Conversation[] {
    const { messages, contacts } = this.#needs.profile;
    return messages
      .contactsWithOutbox()
      .map((id) => contacts.byId(id))
      .filter((contact) => contact !== undefined)
      .filter(({ label }) => !this.#byLabel.has(label))
      .map(({ username }) => this.with(username));
  }

  /** The names of the people whose presence the server should report. */
  get wantingPresence(): string[] {
    return [...this].filter((each) => each.wantsPresence).map((each) => each.username);
  }

  /** Says `bye` on every link; nothing is dialled any more. */
  close(): void {
    for (const conversation of this) conversation.close();
  }

  /** Waits until the links have ended, and terminates those that take too long. */
  async end(): Promise<void> {
    const deadline = performance.now() + CLOSE_TIMEOUT;
    const isLinked = () => [...this].some(({ linkCount }) => linkCount > 0);
    while (performance.now() < deadline && isLinked()) await Bun.sleep(5);
    for (const conversation of this) conversation.terminate();
  }
}
