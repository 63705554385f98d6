/** Effects that write: sending, replying, editing, withdrawing and cancelling. Also `/info` and `/copy`. */
import { randomUUIDv7 } from "bun";

import type { StoredConversation } from "../../client/archive.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { ActionError } from "../../client/errors.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import type { SharedAccount } from "../../client/shared-account.ts";
import { isSamePerson } from "../../identity/names.ts";
import { excerptOf } from "../format/excerpt.ts";
import { storedExcerpt } from "./history-effects.ts";
import type { ChatNeeds, EffectTable, Known, Refusal, Target } from "./model.ts";

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
  readonly #account: SharedAccount;
  readonly #stored: StoredConversation;
  readonly #dispatch: ChatNeeds["dispatch"];
  readonly #copyText: ChatNeeds["copy"];
  /** Ids of the last messages on the screen. */
  #ownLast: string | undefined;
  #theirLast: string | undefined;
  /** `seq` of the newest message that the chat was opened with. */
  #openedTo = 0;
  /** Resolves when the last message that was written here is stored. */
  #lastStored: Promise<void> = Promise.resolve();
  /** The message being changed, with its excerpt before the change. */
  #changing: { readonly id: string; readonly excerpt: string } | undefined;

  readonly table: EffectTable<"send" | "reply" | "edit" | "withdraw" | "cancel" | "info" | "copy"> = {
    send: ({ text }) => this.#send(text),
    reply: ({ target, text }) => this.#reply(target, text),
    edit: ({ target, text }) =>
      this.#change(target, (message_id) => this.#account.request("edit", { to: this.#to, message_id, text })),
    withdraw: ({ target }) =>
      this.#change(target, (message_id) => this.#account.request("withdraw", { to: this.#to, message_id })),
    cancel: ({ target }) => this.#cancel(target),
    info: ({ message }) =>
      this.#dispatch({ name: "info", ...this.#chosen({ name: "listed", message }, undefined) }),
    copy: ({ target }) => this.#copy(target),
  };

  constructor(
    account: SharedAccount,
    stored: StoredConversation,
    { dispatch, copy }: Pick<ChatNeeds, "dispatch" | "copy">,
  ) {
    this.#account = account;
    this.#stored = stored;
    this.#dispatch = dispatch;
    this.#copyText = copy;
  }

  get #to(): string {
    return this.#stored.username;
  }

  /** The chat was opened with these messages, oldest first. */
  opened(messages: readonly StoredMessage[]): void {
    this.#openedTo = messages.at(-1)?.seq ?? 0;
    this.#ownLast = messages.findLast(({ outgoing }) => outgoing)?.id;
    this.#theirLast = messages.findLast(({ outgoing }) => !outgoing)?.id;
  }

  /** As `ChatEffects.know`. @throws SQLiteError */
  know(event: MessengerEvent): Known {
    switch (event.name) {
      case "message": {
        const { contact, id, replyTo, seq } = event.message;
        if (contact !== this.#stored.contact.id) return {};
        // Another process has stored it before the chat was opened, and told of it after.
        if (seq <= this.#openedTo) return { isShown: true };
        this.#theirLast = id;
        return replyTo === undefined
          ? {}
          : { excerpt: storedExcerpt(this.#account.archive, this.#stored, replyTo) };
      }
      case "changed": {
        const { contact, id, outgoing } = event.message;
        const isMeant = outgoing && contact === this.#stored.contact.id && id === this.#changing?.id;
        return isMeant ? { excerpt: this.#changing?.excerpt } : {};
      }
      case "delivery":
        // Written in this chat, or in another process of this account.
        return event.state === "queued" && isSamePerson(event.to, this.#to) ? this.#written(event.id) : {};
      case "request":
        return isSamePerson(event.from, this.#to) ? { fingerprint: this.#stored.fingerprint } : {};
      default:
        return {};
    }
  }

  #written(id: string): Known {
    const message = this.#stored.find(id);
    // Of a change only the text that it changes is stored under its own id.
    if (message === undefined || message.seq <= this.#openedTo) return {};
    this.#ownLast = id;
    const { text, replyTo, file: offer } = message;
    const answers =
      replyTo === undefined ? undefined : storedExcerpt(this.#account.archive, this.#stored, replyTo);
    return { written: { text, answers, offer } };
  }

  async #send(text: string, reply_to?: string): Promise<void> {
    // With an id of ours it can be asked for again if the process that is online ends.
    const message_id = randomUUIDv7();
    this.#ownLast = message_id;
    const reply = reply_to === undefined ? {} : { reply_to };
    const sent = this.#account.request("send", { to: this.#to, text, message_id, ...reply });
    // Its failure is reported where it is sent.
    this.#lastStored = sent.then(
      () => undefined,
      () => undefined,
    );
    await sent;
  }

  #reply(target: Target, text: string): Promise<void> {
    const id = target.name === "listed" ? target.message.id : this.#theirLast;
    if (id === undefined) throw new RefusalError("none_theirs");
    if (storedExcerpt(this.#account.archive, this.#stored, id) === undefined) {
      throw new RefusalError(this.#stored.find(id) === undefined ? "unknown_message" : "no_reply");
    }
    return this.#send(text, id);
  }

  async #change(target: Target, change: (id: string) => Promise<unknown>): Promise<void> {
    const id = target.name === "listed" ? target.message.id : this.#ownLast;
    if (id === undefined) throw new RefusalError("none_own");
    await this.#lastStored;
    const old = this.#stored.find(id);
    this.#changing = old && { id, excerpt: excerptOf(old.text) };
    try {
      await change(id);
    } finally {
      this.#changing = undefined;
    }
  }

  async #cancel(target: Target): Promise<void> {
    await this.#lastStored;
    if (target.name === "last") return this.#cancelLast();
    if (!target.message.outgoing) throw new RefusalError("cancel_not_own");
    await this.#account.request("cancel", { to: this.#to, message_id: target.message.id });
  }

  /** Cancels the newest message that was not put on a link yet. */
  async #cancelLast(): Promise<void> {
    const { messages } = this.#stored.before(undefined, MAX_LOOKED_THROUGH);
    const queued = messages.filter(
      ({ outgoing, state, withdrawnAt }) => outgoing && state === "queued" && withdrawnAt === undefined,
    );
    for (const { id } of queued.reverse()) {
      try {
        await this.#account.request("cancel", { to: this.#to, message_id: id });
        return;
      } catch (error) {
        if (!(error instanceof ActionError) || error.code !== "already_left") throw error;
      }
    }
    if (queued.length > 0) throw new RefusalError("already_left");
    const { text, edit, withdraw } = this.#stored.outboxCounts();
    throw new RefusalError(text === 0 && edit + withdraw > 0 ? "only_change" : "none_waiting");
  }

  #copy(target: Target): void {
    if (target.name === "last" && this.#theirLast === undefined) throw new RefusalError("none_theirs");
    const chosen = this.#chosen(target, this.#theirLast);
    if (chosen.message.withdrawnAt !== undefined) throw new RefusalError("no_copy");
    this.#dispatch({ name: "copied", ...chosen, result: this.#copyText(chosen.message.text) });
  }

  /** The message that is meant, of this chat or another one. @param last id of the last one @throws RefusalError */
  #chosen(target: Target, last = ""): { message: StoredMessage; chat: string } {
    const isListed = target.name === "listed";
    const message = isListed
      ? this.#account.archive.history.bySeq(target.message.seq)
      : this.#stored.find(last);
    if (message === undefined) throw new RefusalError("unknown_message");
    return { message, chat: isListed ? target.message.chat : this.#to };
  }
}
