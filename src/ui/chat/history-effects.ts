/** What the open chat does with what is stored: listing, finding, deleting and exporting it. */
import type { Conversation } from "../../client/conversation/conversation.ts";
import { searchQuery } from "../../client/profile/message-search.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { StoredMessage } from "../../client/profile/stored-message.ts";
import { exportConversation } from "../format/conversation-export.ts";
import type { Texts } from "../texts/texts.ts";
import type { Answered, ChatEvent, Listed, MessageEffect, Refusal } from "./model.ts";
import { excerptOf, snippetOf } from "../format/excerpt.ts";

/** Messages that a search shows. */
const MAX_FOUND = 20;

/** A command that does nothing, for this reason. */
export class RefusalError extends Error {
  readonly code: Refusal;

  constructor(code: Refusal) {
    super(code);
    this.code = code;
  }
}

export type StoredWorkHost = {
  readonly dispatch: (event: ChatEvent) => void;
  readonly failed: (error: unknown) => void;
  readonly texts: Texts;
};

/** An effect on what is stored. */
export type StoredCall = Extract<
  MessageEffect,
  { readonly name: "list" | "search" | "delete" | "deleteChat" | "export" }
>;

/** Lets everything else have its turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class StoredWork {
  readonly #profile: Messenger["profile"];
  readonly #conversation: Conversation;
  readonly #host: StoredWorkHost;
  #isDeleting = false;
  #closed = false;

  constructor(profile: Messenger["profile"], conversation: Conversation, host: StoredWorkHost) {
    this.#profile = profile;
    this.#conversation = conversation;
    this.#host = host;
  }

  /** The beginnings of what these messages answer. */
  answeredBy(messages: readonly StoredMessage[]): Answered {
    const answered = new Map<string, string>();
    for (const { replyTo } of messages) {
      const excerpt = replyTo === undefined ? undefined : this.excerpt(replyTo);
      if (replyTo !== undefined && excerpt !== undefined) answered.set(replyTo, excerpt);
    }
    return answered;
  }

  /** The beginning of a message of this chat; undefined: it is not here any more. */
  excerpt(id: string): string | undefined {
    const message = this.#profile.history.find(this.#conversation.contact, id);
    return message === undefined || message.withdrawnAt !== undefined ? undefined : excerptOf(message.text);
  }

  run(effect: StoredCall): void {
    switch (effect.name) {
      case "list":
        this.#list(effect.count);
        return;
      case "search":
        this.#goOn(this.#search(effect.words));
        return;
      case "delete":
        this.#delete(effect.message);
        return;
      case "deleteChat":
        if (!this.#isDeleting) this.#goOn(this.#deleteChat());
        return;
      case "export":
        this.#goOn(this.#export(effect.file));
        return;
      default:
        effect satisfies never;
    }
  }

  /** What takes longer says how it ended, unless the chat was left. */
  #goOn(work: Promise<ChatEvent | undefined>): void {
    work
      .then((event) => {
        if (event !== undefined && !this.#closed) this.#host.dispatch(event);
      })
      .catch((error: unknown) => {
        if (!this.#closed) this.#host.failed(error);
      });
  }

  #list(count: number): void {
    const page = this.#profile.history.before(this.#conversation.contact, undefined, count);
    this.#host.dispatch({ name: "listed", ...page, answered: this.answeredBy(page.messages) });
  }

  async #search(words: string): Promise<ChatEvent | undefined> {
    const { contacts, search } = this.#profile;
    const query = searchQuery(words);
    if (query === undefined) return { name: "failed", sentence: this.#host.texts.chatNoWord };
    // What was stored since the last quiet moment; the screen goes on in between.
    while (search.isBehind && search.indexSome()) {
      await nextTurn();
      if (this.#closed) return undefined;
    }
    const found = search.newest(query, Number.MAX_SAFE_INTEGER, MAX_FOUND + 1);
    const hits = found
      .slice(0, MAX_FOUND)
      .reverse()
      .map((message) => ({
        message: { ...message, text: snippetOf(message.text, words) },
        chat: contacts.byId(message.contact)?.username ?? "",
      }));
    return { name: "found", words, hits, isMore: found.length > MAX_FOUND };
  }

  /** @throws RefusalError, SQLiteError */
  #delete({ seq }: Listed): void {
    const { history, removal } = this.#profile;
    const message = history.bySeq(seq);
    if (message === undefined) throw new RefusalError("unknown_message");
    // By its side too: theirs may have an id of ours.
    if (!removal.delete(this.#conversation.contact, message.id, message.outgoing)) {
      throw new RefusalError("still_waiting");
    }
    removal.wipeLog();
    this.#host.dispatch({ name: "deleted", message });
  }

  /** In small commits, each in a turn of its own; it goes on when the chat is left, until the account is closed. */
  async #deleteChat(): Promise<ChatEvent> {
    const { messages, removal } = this.#profile;
    const { contact } = this.#conversation;
    this.#isDeleting = true;
    try {
      const last = messages.lastSeq();
      let count = 0;
      for (;;) {
        const { deleted, isMore } = removal.deleteSome(contact, last);
        if (count === 0 && isMore && !this.#closed) this.#host.dispatch({ name: "deletingChat" });
        count += deleted;
        if (!isMore) break;
        await nextTurn();
      }
      removal.wipeLog();
      return { name: "deletedChat", count, waiting: messages.outboxCounts(contact).text };
    } finally {
      this.#isDeleting = false;
    }
  }

  async #export(file: string): Promise<ChatEvent> {
    const { contact } = this.#conversation;
    const options = { profile: this.#profile, contact, file, texts: this.#host.texts };
    return { name: "exported", ...(await exportConversation(options)) };
  }

  /** The chat was left. */
  close(): void {
    this.#closed = true;
  }
}
