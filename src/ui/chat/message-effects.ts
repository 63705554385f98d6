/** What the open chat does with messages that leave: writing, answering, changing and cancelling them. */
import type { StoredConversation } from "../../client/archive.ts";
import type { Conversation } from "../../client/conversation/conversation.ts";
import { ActionError } from "../../client/errors.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type { ChatWorkHost } from "./effects.ts";
import type { Answered, ChatEffect, MessageEffect, Target } from "./model.ts";
import { ElsewhereWork, outstanding } from "./other-process.ts";
import { excerptOf } from "../format/excerpt.ts";
import { RefusalError, StoredWork } from "./history-effects.ts";

/** Messages that are looked through, from the newest on, for one that can be cancelled. */
const MAX_LOOKED_THROUGH = 2_000;

type Writing = { readonly text: string; readonly answers: string | undefined };

export class MessageWork {
  readonly #messenger: Messenger;
  readonly #conversation: Conversation;
  readonly #stored: StoredConversation;
  readonly #host: ChatWorkHost;
  /** Texts that are on their way to the disk, by id. */
  readonly #writing = new Map<string, Writing>();
  /** Ids of the last messages on this screen. */
  #ownLast: string | undefined;
  #theirLast: string | undefined;
  readonly #storedWork: StoredWork;
  readonly #elsewhere: ElsewhereWork;
  /** What the message that is being changed said before. */
  #before: { readonly id: string; readonly excerpt: string } | undefined;
  #closed = false;

  constructor(
    messenger: Messenger,
    conversation: Conversation,
    stored: StoredConversation,
    host: ChatWorkHost,
  ) {
    this.#messenger = messenger;
    this.#conversation = conversation;
    this.#stored = stored;
    this.#host = host;
    this.#elsewhere = new ElsewhereWork(messenger.archive, stored);
    this.#storedWork = new StoredWork(messenger.archive, stored, {
      dispatch: (event) => host.dispatch(event),
      failed: (error) => this.#failed(error),
      texts: host.texts,
    });
  }

  /** The beginnings of what these messages answer. */
  answeredBy(messages: readonly StoredMessage[]): Answered {
    return this.#storedWork.answeredBy(messages);
  }

  /** The chat begins with these messages on the screen, oldest first. */
  opened(messages: readonly StoredMessage[]): void {
    this.#ownLast = messages.findLast(({ outgoing }) => outgoing)?.id;
    this.#theirLast = messages.findLast(({ outgoing }) => !outgoing)?.id;
  }

  run(effect: MessageEffect | (ChatEffect & { readonly name: "send" | "lookElsewhere" })): void {
    switch (effect.name) {
      case "lookElsewhere":
        this.#attempt(undefined, () => this.#lookElsewhere(effect.waiting));
        return;
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
        this.#attempt(undefined, () => this.#storedWork.run(effect));
    }
  }

  /** What the messenger told, before the screen takes it. @returns the beginning of what a message answers, or said before */
  observe(event: MessengerEvent): string | undefined {
    if (event.name === "message") {
      const { contact, id, replyTo } = event.message;
      if (contact !== this.#conversation.contact.id) return undefined;
      this.#theirLast = id;
      return replyTo === undefined ? undefined : this.#answered(replyTo);
    }
    if (event.name === "changed") {
      const { contact, id, outgoing } = event.message;
      const isMeant = outgoing && contact === this.#conversation.contact.id && id === this.#before?.id;
      return isMeant ? this.#before?.excerpt : undefined;
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

  /** A message is shown, whatever the store gives of the one that it answers. */
  #answered(id: string): string | undefined {
    let excerpt: string | undefined;
    this.#attempt(undefined, () => (excerpt = this.#storedWork.excerpt(id)));
    return excerpt;
  }

  #send(text: string, answered: { readonly id: string; readonly excerpt: string } | undefined): void {
    const id = this.#messenger.send(this.#conversation.username, text, answered?.id);
    this.#writing.set(id, { text, answers: answered?.excerpt });
    this.#ownLast = id;
    if (this.#elsewhere.wrote(id)) this.#attempt(undefined, () => this.#lookElsewhere([]));
  }

  /** @throws SQLiteError */
  #lookElsewhere(waiting: (ChatEffect & { readonly name: "lookElsewhere" })["waiting"]): void {
    const messages = this.#elsewhere.written((id) => this.#writing.has(id));
    const gone = this.#elsewhere.gone(waiting);
    if (messages.length === 0 && gone.length === 0) return;
    this.#ownLast = messages.at(-1)?.id ?? this.#ownLast;
    const answered = this.answeredBy(messages);
    const waits = outstanding(this.#stored);
    this.#host.dispatch({ name: "elsewhere", messages, gone, waiting: waits, isMore: false, answered });
  }

  #reply(target: Target, text: string): void {
    const id = target.name === "listed" ? target.message.id : this.#theirLast;
    if (id === undefined) throw new RefusalError("none_theirs");
    const excerpt = this.#storedWork.excerpt(id);
    if (excerpt === undefined) {
      const isStored = this.#stored.find(id) !== undefined;
      throw new RefusalError(isStored ? "no_reply" : "unknown_message");
    }
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
    if (effect.name === "cancel") {
      if (effect.target.name === "listed" && !effect.target.message.outgoing)
        throw new RefusalError("cancel_not_own");
      return this.#messenger.cancel(username, id);
    }
    const old = this.#stored.find(id);
    this.#before = old && { id, excerpt: excerptOf(old.text) };
    try {
      if (effect.name === "edit") this.#messenger.edit(username, id, effect.text);
      else this.#messenger.withdraw(username, id);
      // Now, so that a disk that takes nothing gives the line back, and not the text alone.
      this.#messenger.commit();
    } finally {
      this.#before = undefined;
    }
  }

  /** Cancels the newest message that is on no wire. */
  #cancelLast(): void {
    const { username } = this.#conversation;
    const { messages } = this.#stored.before(undefined, MAX_LOOKED_THROUGH);
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
    if (queued.length > 0) throw new RefusalError("already_left");
    const { text, edit, withdraw } = this.#stored.outboxCounts();
    throw new RefusalError(text === 0 && edit + withdraw > 0 ? "only_change" : "none_waiting");
  }

  #info(target: Target): void {
    const { username } = this.#conversation;
    if (target.name === "last" && this.#ownLast === undefined) throw new RefusalError("none_own");
    const isListed = target.name === "listed";
    const message = isListed
      ? this.#messenger.archive.bySeq(target.message.seq)
      : this.#stored.find(this.#ownLast ?? "");
    if (message === undefined) throw new RefusalError("unknown_message");
    this.#host.dispatch({ name: "info", message, chat: isListed ? target.message.chat : username });
  }

  /** The chat was left. */
  close(): void {
    this.#storedWork.close();
    this.#closed = true;
  }
}
