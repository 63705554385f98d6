/** Effects that write: sending, replying, editing, withdrawing and cancelling. Also `/info`, and what other processes wrote. */
import { setImmediate as nextTurn } from "node:timers/promises";

import type { StoredConversation } from "../../client/archive.ts";
import type { Conversation } from "../../client/conversation/conversation.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { ActionError } from "../../client/errors.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { excerptOf } from "../format/excerpt.ts";
import { answeredBy, storedExcerpt } from "./history-effects.ts";
import type { EffectTable, Known, PendingDelivery, Refusal, Target, WrittenText } from "./model.ts";
import type { ChatNeeds } from "./needs.ts";
import { OtherProcess, outstanding } from "./other-process.ts";

/** Newest messages among which `/cancel` looks for one that can be cancelled. */
const MAX_LOOKED_THROUGH = 2_000;

/** Why a command does nothing. */
export class RefusalError extends Error {
  readonly code: Refusal;

  constructor(code: Refusal) {
    super(code);
    this.code = code;
  }
}

export class MessageEffects {
  readonly #messenger: Messenger;
  readonly #conversation: Conversation;
  readonly #stored: StoredConversation;
  readonly #dispatch: ChatNeeds["dispatch"];
  readonly #otherProcess: OtherProcess;
  /** Messages that are not committed yet, by id. */
  readonly #uncommitted = new Map<string, WrittenText>();
  /** Ids of the last messages on the screen. */
  #ownLast: string | undefined;
  #theirLast: string | undefined;
  /** The message being changed, with its excerpt before the change. */
  #changing: { readonly id: string; readonly excerpt: string } | undefined;

  readonly table: EffectTable<"send" | "reply" | "edit" | "withdraw" | "cancel" | "info" | "lookElsewhere"> =
    {
      send: ({ text }) => this.#send(text),
      reply: ({ target, text }) => this.#reply(target, text),
      edit: ({ target, text }) =>
        this.#change(target, (id) => this.#messenger.edit(this.#conversation.username, id, text)),
      withdraw: ({ target }) =>
        this.#change(target, (id) => this.#messenger.withdraw(this.#conversation.username, id)),
      cancel: ({ target }) => this.#onceCommitted(() => this.#cancel(target)),
      info: ({ target }) => this.#info(target),
      lookElsewhere: ({ pending }) => this.#lookElsewhere(pending),
    };

  constructor(
    messenger: Messenger,
    conversation: Conversation,
    stored: StoredConversation,
    dispatch: ChatNeeds["dispatch"],
  ) {
    this.#messenger = messenger;
    this.#conversation = conversation;
    this.#stored = stored;
    this.#dispatch = dispatch;
    this.#otherProcess = new OtherProcess(messenger.archive, stored);
  }

  /** The chat was opened with these messages, oldest first. */
  opened(messages: readonly StoredMessage[]): void {
    this.#ownLast = messages.findLast(({ outgoing }) => outgoing)?.id;
    this.#theirLast = messages.findLast(({ outgoing }) => !outgoing)?.id;
  }

  /** As `ChatEffects.know`. @throws SQLiteError */
  know(event: MessengerEvent): Known {
    switch (event.name) {
      case "message": {
        const { contact, id, replyTo } = event.message;
        if (contact !== this.#conversation.contact.id) return {};
        this.#theirLast = id;
        return replyTo === undefined ? {} : { excerpt: storedExcerpt(this.#stored, replyTo) };
      }
      case "changed": {
        const { contact, id, outgoing } = event.message;
        const isMeant = outgoing && contact === this.#conversation.contact.id && id === this.#changing?.id;
        return isMeant ? { excerpt: this.#changing?.excerpt } : {};
      }
      case "delivery":
      case "sendFailed": {
        const written = this.#uncommitted.get(event.id);
        this.#uncommitted.delete(event.id);
        return { written };
      }
      default:
        return {};
    }
  }

  #send(text: string, answered?: { readonly id: string; readonly excerpt: string }): void {
    const id = this.#messenger.send(this.#conversation.username, text, answered?.id);
    this.#uncommitted.set(id, { text, answers: answered?.excerpt });
    this.#ownLast = id;
    if (this.#otherProcess.wrote(id)) this.#lookElsewhere([]);
  }

  #reply(target: Target, text: string): void {
    const id = target.name === "listed" ? target.message.id : this.#theirLast;
    if (id === undefined) throw new RefusalError("none_theirs");
    const excerpt = storedExcerpt(this.#stored, id);
    if (excerpt === undefined) {
      throw new RefusalError(this.#stored.find(id) === undefined ? "unknown_message" : "no_reply");
    }
    this.#send(text, { id, excerpt });
  }

  /**
   * Does it when everything written before is committed: at once where nothing waits for that, so that a refusal
   * is shown before the next line that was typed ahead is carried out.
   */
  #onceCommitted(work: () => void): Promise<void> | void {
    return this.#uncommitted.size === 0 ? work() : nextTurn().then(work);
  }

  /** Resolves the target at once. */
  #change(target: Target, change: (id: string) => void): Promise<void> | void {
    const id = target.name === "listed" ? target.message.id : this.#ownLast;
    return this.#onceCommitted(() => this.#changeStored(id, change));
  }

  #changeStored(id: string | undefined, change: (id: string) => void): void {
    if (id === undefined) throw new RefusalError("none_own");
    const old = this.#stored.find(id);
    this.#changing = old && { id, excerpt: excerptOf(old.text) };
    try {
      change(id);
      // Commit now: if that fails, the whole line is given back and not only the text.
      this.#messenger.commit();
    } finally {
      this.#changing = undefined;
    }
  }

  #cancel(target: Target): void {
    if (target.name === "last") return this.#cancelLast();
    if (!target.message.outgoing) throw new RefusalError("cancel_not_own");
    this.#messenger.cancel(this.#conversation.username, target.message.id);
  }

  /** Cancels the newest message that was not put on a link yet. */
  #cancelLast(): void {
    const { messages } = this.#stored.before(undefined, MAX_LOOKED_THROUGH);
    const queued = messages.filter(
      ({ outgoing, state, withdrawnAt }) => outgoing && state === "queued" && withdrawnAt === undefined,
    );
    for (const { id } of queued.reverse()) {
      try {
        this.#messenger.cancel(this.#conversation.username, id);
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
    const isListed = target.name === "listed";
    if (!isListed && this.#ownLast === undefined) throw new RefusalError("none_own");
    const message = isListed
      ? this.#messenger.archive.history.bySeq(target.message.seq)
      : this.#stored.find(this.#ownLast ?? "");
    if (message === undefined) throw new RefusalError("unknown_message");
    const chat = isListed ? target.message.chat : this.#conversation.username;
    this.#dispatch({ name: "info", message, chat });
  }

  #lookElsewhere(pending: readonly Pick<PendingDelivery, "id" | "target">[]): void {
    const messages = this.#otherProcess.written((id) => this.#uncommitted.has(id));
    const gone = this.#otherProcess.gone(pending);
    if (messages.length === 0 && gone.length === 0) return;
    this.#ownLast = messages.at(-1)?.id ?? this.#ownLast;
    this.#dispatch({
      name: "elsewhere",
      messages,
      gone,
      waiting: outstanding(this.#stored),
      isMore: false,
      answered: answeredBy(this.#stored, messages),
    });
  }
}
