/**
 * What a person says to others: texts, and changes of texts. All of one turn of the event loop is
 * committed together before anything of it leaves.
 */
import { randomUUIDv7 } from "bun";

import { label as labelOf } from "../../identity/names.ts";
import { INVALID, utf8Text } from "../../protocol/fields.ts";
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import type { Contact } from "../profile/contacts.ts";
import type { Conversation } from "./conversation.ts";
import { SelfError } from "../local-accounts.ts";
import { cancelMessage, prepareEdit, prepareWithdrawal } from "./message-actions.ts";
import type { MessengerEvent } from "./events.ts";
import { OutgoingBatch } from "./outgoing-batch.ts";
import type { Profile } from "../profile/profile.ts";
import type { NewOutgoing, OutboxMessage } from "../profile/stored-message.ts";

const isText = utf8Text(MAX_TEXT_BYTES);

/** @throws RangeError for a text that no peer would take. */
export function checkText(text: string): void {
  if (isText(text) === INVALID) throw new RangeError("the text is too long or not Unicode");
}

export type OutboxOptions = {
  readonly profile: Profile;
  /** ms since 1970 */
  readonly now: () => number;
  readonly conversation: (username: string) => Conversation;
  readonly emit: (event: MessengerEvent) => void;
  /** Something waits that did not, or does not wait any more. */
  readonly changed: () => void;
};

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #batch: OutgoingBatch;
  /** Whom the last message is to: the next one to the same name costs no hash. */
  #addressee: { readonly name: string; readonly conversation: Conversation } | undefined;

  constructor(options: OutboxOptions) {
    const { profile, emit } = options;
    this.#options = options;
    this.#batch = new OutgoingBatch(profile.messages, {
      isLinked: (contact) => this.#conversationOf(contact).isConnected,
      committed: (contact, messages) => this.#committed(contact, messages),
      failed: (messages, error) => {
        for (const message of messages) {
          const text = message.kind === "withdraw" ? undefined : message.text;
          emit({ name: "sendFailed", to: message.contact.username, id: message.id, text, error });
        }
      },
    });
  }

  /** As `Messenger.send`. */
  send(to: string, text: string, replyTo?: string): string {
    checkText(text);
    const { contact } = this.#conversation(to);
    const id = randomUUIDv7();
    this.#batch.add({ kind: "text", contact, id, text, sentAt: this.#options.now(), replyTo });
    return id;
  }

  /** As `Messenger.edit`. */
  edit(to: string, id: string, text: string): string | undefined {
    checkText(text);
    const { profile, now } = this.#options;
    const { contact } = this.#conversation(to);
    // What was written in this turn has to be on the disk to be changed there.
    this.commitOrTell();
    const action = prepareEdit(profile, contact, { id, text }, now());
    if (action === undefined) this.#tellChanged(contact, id, undefined);
    return this.#add(action);
  }

  /** As `Messenger.withdraw`. */
  withdraw(to: string, id: string): string | undefined {
    const { profile, now } = this.#options;
    const { contact } = this.#conversation(to);
    this.commitOrTell();
    const action = prepareWithdrawal(profile, contact, id, now());
    if (action === undefined) this.#cancelled(contact, id);
    return this.#add(action);
  }

  /** As `Messenger.cancel`. */
  cancel(to: string, id: string): void {
    const { contact } = this.#conversation(to);
    this.commitOrTell();
    cancelMessage(this.#options.profile, contact, id);
    this.#cancelled(contact, id);
  }

  /** As `Messenger.commit`. */
  commit(): void {
    this.#batch.commit();
  }

  /** As `commit`; a failure is an event. */
  commitOrTell(): void {
    this.#batch.commitOrTell();
  }

  #add(action: NewOutgoing | undefined): string | undefined {
    if (action !== undefined) this.#batch.add(action);
    return action?.id;
  }

  /** @throws SelfError */
  #conversation(to: string): Conversation {
    if (this.#addressee?.name !== to) {
      if (labelOf(to) === labelOf(this.#options.profile.username)) throw new SelfError();
      this.#addressee = { name: to, conversation: this.#options.conversation(to) };
    }
    return this.#addressee.conversation;
  }

  /** Mostly the last addressee. */
  #conversationOf(contact: Contact): Conversation {
    const last = this.#addressee?.conversation;
    return last?.contact === contact ? last : this.#options.conversation(contact.username);
  }

  #cancelled(contact: Contact, id: string): void {
    const { emit, changed } = this.#options;
    this.#conversationOf(contact).delivery.recount();
    emit({ name: "cancelled", to: contact.username, id });
    changed();
  }

  #committed(contact: Contact, messages: readonly OutboxMessage[]): void {
    const { emit, changed } = this.#options;
    for (const message of messages) {
      if (message.kind !== "text") this.#tellChanged(contact, message.target, message.id);
      const { id, sentAt: at } = message;
      emit({ name: "delivery", to: contact.username, id, state: "queued", at });
    }
    this.#conversationOf(contact).committed(messages);
    changed();
  }

  #tellChanged(contact: Contact, id: string, action: string | undefined): void {
    const { profile, emit } = this.#options;
    const message = profile.history.find(contact, id);
    if (message === undefined) return;
    emit({ name: "changed", username: contact.username, message, action });
  }
}
