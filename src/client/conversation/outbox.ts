/**
 * Queues texts, changes of texts, and messages about transfers. All texts and changes of one turn of the event loop are
 * stored in one commit before any of them is sent, because a commit for each message would be slow.
 */
import { randomUUIDv7 } from "bun";

import { INVALID, utf8Text } from "../../protocol/fields.ts";
import { MAX_TEXT_BYTES, type FileControl } from "../../protocol/peer-messages.ts";
import type { Durability } from "../disk/durability.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { Contact } from "../profile/contacts.ts";
import type { Profile } from "../profile/profile.ts";
import type { NewOutgoing, OutboxMessage } from "../profile/stored-message.ts";
import type { MessengerEvent } from "./events.ts";
import { cancelMessage, checkNotSelf, prepareEdit, prepareWithdrawal } from "./message-actions.ts";

const isText = utf8Text(MAX_TEXT_BYTES);

/** @throws RangeError for a text that no peer would accept */
export function checkText(text: string): void {
  if (isText(text) === INVALID) throw new RangeError("the text is too long or not Unicode");
}

/** To whom messages are queued: the conversation with a person, or a group. */
export type Sender = {
  readonly contact: Contact;
  readonly username: string;
  /** Whether what is queued is written at once. */
  readonly isConnected: boolean;
  /** @throws ActionError, GroupError: why no texts are taken */
  checkSends(): void;
  /** @throws GroupError: why this text of ours, which was sent, can be changed no more */
  checkChanges(id: string): void;
  /** New messages have been stored. */
  committed(messages: readonly OutboxMessage[]): void;
  /** Messages of these ids were removed. @throws SQLiteError */
  cancelled(ids: readonly string[]): void;
};

type OutboxOptions = {
  readonly profile: Pick<Profile, "username" | "contacts" | "messages" | "history" | "removal" | "transfers">;
  /** ms since 1970 */
  readonly now: () => number;
  readonly conversation: (username: string) => Sender;
  readonly storage: StorageGuard;
  readonly durability: Durability;
  /** What was queued is told when it is on the disk. */
  readonly emit: (event: MessengerEvent) => void;
};

/** `id`: undefined: a new one. */
export type NewControl = { readonly id?: string; readonly control: FileControl };

/** `seq`: 0 until it is stored. */
type Queued = NewOutgoing & { seq: number };
type Batch = {
  readonly messages: Queued[];
  readonly conversations: Map<Contact, Sender>;
  /** For those who wait until it is on the disk; undefined: nobody does. */
  done: PromiseWithResolvers<void> | undefined;
};

function emptyBatch(): Batch {
  return { messages: [], conversations: new Map(), done: undefined };
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** The messages of this turn. */
  #batch = emptyBatch();
  #isScheduled = false;
  /** The recipient of the last message: the next message to the same name needs no hash. */
  #recipient: { readonly name: string; readonly conversation: Sender } | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Queues one text to a person. It is committed with everything else of this turn of the event loop, or by
   * `commit`, and sent as soon as there is a link.
   * @param text well-formed, at most 32 KiB of UTF-8
   * @param given the id; undefined: a new one. If a text to this person has it already, nothing is done
   * @returns its id
   * @throws SelfError, RangeError for a text that no peer would accept, ActionError if the person is blocked
   */
  send(to: string, text: string, replyTo?: string, given?: string): string {
    checkText(text);
    const conversation = this.#conversation(to);
    const { contact } = conversation;
    conversation.checkSends();
    if (given !== undefined && this.#isUsed(contact, given)) return given;
    const id = given ?? randomUUIDv7();
    const sentAt = this.#options.now();
    this.#add(conversation, { kind: "text", contact, id, text, sentAt, replyTo, seq: 0 });
    return id;
  }

  /**
   * Edits a text of ours: on this side at once, on the other side by an action in the outbox.
   * @returns the action's id; undefined: the text had not been sent, and is sent in its new form
   * @throws ActionError, RangeError, SQLiteError
   */
  edit(to: string, id: string, text: string): string | undefined {
    checkText(text);
    const { profile, now } = this.#options;
    const conversation = this.#conversation(to);
    const { contact } = conversation;
    // The text may have been queued in this turn; it must be stored to be edited.
    this.commit();
    conversation.checkChanges(id);
    const action = prepareEdit(profile, contact, { id, text }, now());
    if (action === undefined) this.#changed(contact, id, undefined);
    else this.#add(conversation, { ...action, seq: 0 });
    return action?.id;
  }

  /** Withdraws a text of ours on both sides, or cancels it if it had not been sent. @returns, @throws as `edit` */
  withdraw(to: string, id: string): string | undefined {
    const { profile, now } = this.#options;
    const conversation = this.#conversation(to);
    this.commit();
    conversation.checkChanges(id);
    const action = prepareWithdrawal(profile, conversation.contact, id, now());
    if (action === undefined) this.#cancelled(conversation, id);
    else this.#add(conversation, { ...action, seq: 0 });
    return action?.id;
  }

  /** Removes a text of ours from the outbox before it is sent. @throws ActionError, SQLiteError */
  cancel(to: string, id: string): void {
    const conversation = this.#conversation(to);
    this.commit();
    cancelMessage(this.#options.profile, conversation.contact, id);
    this.#cancelled(conversation, id);
  }

  /** Removes every text to this person from the outbox that was not tried yet. @returns their ids, oldest first */
  cancelAll(to: string): readonly string[] {
    const conversation = this.#conversation(to);
    this.commit();
    const cancelled = this.#options.profile.removal.cancelAll(conversation.contact);
    this.#cancelled(conversation, ...cancelled);
    return cancelled;
  }

  /**
   * Tells a person about transfers.
   * @param change is made in the same commit
   * @throws SelfError; what `change` throws, and SQLiteError: then nothing is kept
   */
  tell(to: string, controls: readonly NewControl[], change: () => void): void {
    const { profile, now, durability } = this.#options;
    const conversation = this.#conversation(to);
    const { contact } = conversation;
    this.commit();
    durability.check();
    const sentAt = now();
    const messages = controls.map(({ id = randomUUIDv7(), control }) => {
      return { kind: "control" as const, contact, id, control, sentAt, seq: 0 };
    });
    const linked = new Set(conversation.isConnected ? [contact] : []);
    const sequences = profile.transfers.inOneCommit(() => {
      change();
      return profile.messages.queue(messages, linked);
    });
    messages.forEach((message, index) => (message.seq = sequences[index] as number));
    conversation.committed(messages);
  }

  /** Commits everything that was queued in this turn; it comes to the disk next. @throws SQLiteError: then none of it is kept */
  commit(): void {
    const batch = this.#batch;
    this.#batch = emptyBatch();
    try {
      this.#store(batch);
    } catch (error) {
      batch.done?.reject(error);
      throw error;
    }
    if (batch.messages.length === 0) return;
    const { done } = batch;
    this.#options.durability.written(
      () => done?.resolve(),
      (error) => done?.reject(error),
    );
    this.#committed(batch);
  }

  /**
   * Resolves when everything that was queued until now is on the disk. @throws SQLiteError: then nothing of this turn is kept;
   * SyncError: it may be lost
   */
  committed(): Promise<void> {
    if (this.#batch.messages.length === 0) return this.#options.durability.settled();
    this.#batch.done ??= Promise.withResolvers();
    return this.#batch.done.promise;
  }

  #isUsed(contact: Contact, id: string): boolean {
    const isQueued = this.#batch.messages.some((each) => each.id === id && each.contact === contact);
    return isQueued || this.#options.profile.messages.stateOf(contact, id) !== undefined;
  }

  #add(conversation: Sender, message: Queued): void {
    this.#batch.messages.push(message);
    this.#batch.conversations.set(message.contact, conversation);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#options.storage.attempt(() => this.commit());
    });
  }

  /** @throws SQLiteError: then none of it is kept */
  #store({ messages, conversations }: Batch): void {
    if (messages.length === 0) return;
    this.#options.durability.check();
    const linked = [...conversations]
      .filter(([, { isConnected }]) => isConnected)
      .map(([contact]) => contact);
    const sequences = this.#options.profile.messages.queue(messages, new Set(linked));
    messages.forEach((message, index) => (message.seq = sequences[index] as number));
  }

  #committed({ messages, conversations }: Batch): void {
    const { emit } = this.#options;
    for (const [contact, conversation] of conversations) {
      const own =
        conversations.size === 1 ? messages : messages.filter((message) => message.contact === contact);
      for (const message of own) {
        const { id, sentAt: at } = message;
        if (message.kind === "edit" || message.kind === "withdraw")
          this.#changed(contact, message.target, id);
        emit({ name: "delivery", to: contact.username, id, state: "queued", at });
      }
      conversation.committed(own);
    }
  }

  /** @throws SelfError */
  #conversation(to: string): Sender {
    if (this.#recipient?.name !== to) {
      checkNotSelf(this.#options.profile, to);
      this.#recipient = { name: to, conversation: this.#options.conversation(to) };
    }
    return this.#recipient.conversation;
  }

  #cancelled(conversation: Sender, ...ids: readonly string[]): void {
    conversation.cancelled(ids);
    for (const id of ids) this.#options.emit({ name: "cancelled", to: conversation.username, id });
  }

  #changed(contact: Contact, id: string, action: string | undefined): void {
    const { profile, storage, emit } = this.#options;
    const message = storage.attempt(() => profile.history.find(contact, id));
    if (message === undefined) return;
    emit({ name: "changed", username: contact.username, message, action });
  }
}
