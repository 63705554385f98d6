/** What the open chat does with messages that leave: writing, answering, changing and cancelling them. */
import type { Conversation } from "../../client/conversation.ts";
import { ActionError } from "../../client/message-actions.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { MessengerEvent } from "../../client/messenger-events.ts";
import type { StoredMessage } from "../../client/stored-message.ts";
import type { ChatWorkHost } from "./chat-work.ts";
import type { Answered, ChatEffect, MessageEffect, Target } from "./chat-model.ts";
import { RefusalError, StoredWork } from "./stored-work.ts";

/** Messages that are looked through, from the newest on, for one that can be cancelled. */
const MAX_LOOKED_THROUGH = 2_000;

type Writing = { readonly text: string; readonly answers: string | undefined };

export class MessageWork {
  readonly #messenger: Messenger;
  readonly #conversation: Conversation;
  readonly #host: ChatWorkHost;
  /** Texts that are on their way to the disk, by id. */
  readonly #writing = new Map<string, Writing>();
  /** Ids of the last messages on this screen. */
  #ownLast: string | undefined;
  #theirLast: string | undefined;
  readonly #stored: StoredWork;
  #closed = false;

  constructor(messenger: Messenger, conversation: Conversation, host: ChatWorkHost) {
    this.#messenger = messenger;
    this.#conversation = conversation;
    this.#host = host;
    this.#stored = new StoredWork(messenger.profile, conversation, {
      dispatch: (event) => host.dispatch(event),
      failed: (error) => this.#failed(error),
      texts: host.texts,
    });
  }

  /** The beginnings of what these messages answer. */
  answeredBy(messages: readonly StoredMessage[]): Answered {
    return this.#stored.answeredBy(messages);
  }

  /** The chat begins with these messages on the screen, oldest first. */
  opened(messages: readonly StoredMessage[]): void {
    this.#ownLast = messages.findLast(({ outgoing }) => outgoing)?.id;
    this.#theirLast = messages.findLast(({ outgoing }) => !outgoing)?.id;
  }

  run(effect: MessageEffect | (ChatEffect & { readonly name: "send" })): void {
    switch (effect.name) {
      case "send":
        this.#send(effect.text, undefined);
        return;
      case "info":
        this.#attempt(undefined, () => this.#info(effect.target));
        return;
      case "edit":
      case "withdraw":
      case "cancel":
        this.#change(effect);
        return;
      case "reply":
        this.#attempt(effect.typed, () => this.#reply(effect.target, effect.text));
        return;
      default:
        this.#attempt(undefined, () => this.#stored.run(effect));
    }
  }

  /** What the messenger told, before the screen takes it. @returns the beginning of what a message answers */
  observe(event: MessengerEvent): string | undefined {
    if (event.name === "message") {
      const { contact, id, replyTo } = event.message;
      if (contact !== this.#conversation.contact.id) return undefined;
      this.#theirLast = id;
      return replyTo === undefined ? undefined : this.#stored.excerpt(replyTo);
    }
    if (event.name !== "delivery" && event.name !== "sendFailed") return undefined;
    const written = this.#writing.get(event.id);
    if (written === undefined) return undefined;
    this.#writing.delete(event.id);
    const { text, answers } = written;
    if (event.name === "delivery") {
      const more = answers === undefined ? {} : { answers };
      this.#host.dispatch({ name: "written", id: event.id, text, ...more });
    }
    return undefined;
  }

  #send(text: string, answered: { readonly id: string; readonly excerpt: string } | undefined): void {
    const id = this.#messenger.send(this.#conversation.username, text, answered?.id);
    this.#writing.set(id, { text, answers: answered?.excerpt });
    this.#ownLast = id;
  }

  #reply(target: Target, text: string): void {
    const id = target.name === "listed" ? target.message.id : this.#theirLast;
    if (id === undefined) throw new RefusalError("none_theirs");
    const excerpt = this.#stored.excerpt(id);
    if (excerpt === undefined) throw new RefusalError("unknown_message");
    this.#send(text, { id, excerpt });
  }

  /** Does it, or says why not. @param typed a line that goes back then */
  #attempt(typed: string | undefined, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error, typed);
    }
  }

  #failed(error: unknown, line?: string): void {
    if (this.#closed) return;
    const typed = line === undefined ? {} : { typed: line };
    if (error instanceof ActionError || error instanceof RefusalError) {
      this.#host.dispatch({ name: "refused", code: error.code, ...typed });
    } else this.#host.dispatch({ name: "failed", sentence: this.#host.describe(error), ...typed });
  }

  /** Which message is meant is settled at once; what was written just before is on the disk by then. */
  #change(effect: MessageEffect & { readonly name: "edit" | "withdraw" | "cancel" }): void {
    const { target } = effect;
    const id = target.name === "listed" ? target.message.id : this.#ownLast;
    const typed = effect.name === "edit" ? effect.typed : undefined;
    const change = () => this.#attempt(typed, () => this.#changeStored(effect, id));
    if (this.#writing.size === 0) change();
    else setImmediate(change);
  }

  #changeStored(
    effect: MessageEffect & { readonly name: "edit" | "withdraw" | "cancel" },
    id: string | undefined,
  ): void {
    const { username } = this.#conversation;
    if (effect.name === "cancel" && effect.target.name === "last") return this.#cancelLast();
    if (id === undefined) throw new RefusalError("none_own");
    if (effect.name === "cancel") return this.#messenger.cancel(username, id);
    if (effect.name === "edit") this.#messenger.edit(username, id, effect.text);
    else this.#messenger.withdraw(username, id);
    // Now, so that a disk that takes nothing gives the line back, and not the text alone.
    this.#messenger.commit();
  }

  /** Cancels the newest message that is on no wire. */
  #cancelLast(): void {
    const { history } = this.#messenger.profile;
    const { contact, username } = this.#conversation;
    const { messages } = history.before(contact, undefined, MAX_LOOKED_THROUGH);
    const queued = messages.filter(
      ({ outgoing, state, withdrawnAt }) => outgoing && state === "queued" && withdrawnAt === undefined,
    );
    for (const { id } of queued.reverse()) {
      try {
        this.#messenger.cancel(username, id);
        return;
      } catch (error) {
        if (!(error instanceof ActionError) || error.code !== "already_left") throw error;
      }
    }
    throw new RefusalError(queued.length === 0 ? "none_waiting" : "already_left");
  }

  #info(target: Target): void {
    const { history } = this.#messenger.profile;
    const { contact, username } = this.#conversation;
    if (target.name === "last" && this.#ownLast === undefined) throw new RefusalError("none_own");
    const isListed = target.name === "listed";
    const message = isListed ? history.bySeq(target.message.seq) : history.find(contact, this.#ownLast ?? "");
    if (message === undefined) throw new RefusalError("unknown_message");
    this.#host.dispatch({ name: "info", message, chat: isListed ? target.message.chat : username });
  }

  /** The chat was left. */
  close(): void {
    this.#stored.close();
    this.#closed = true;
  }
}
