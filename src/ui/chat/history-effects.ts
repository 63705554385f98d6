/** What the open chat does with what is stored: listing, finding, deleting and exporting it. */
import { searchQuery, type Archive, type StoredConversation } from "../../client/archive.ts";
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
  readonly #archive: Archive;
  readonly #conversation: StoredConversation;
  readonly #host: StoredWorkHost;
  #isDeleting = false;
  #closed = false;

  constructor(archive: Archive, conversation: StoredConversation, host: StoredWorkHost) {
    this.#archive = archive;
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
    const message = this.#conversation.find(id);
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
    const page = this.#conversation.before(undefined, count);
    this.#host.dispatch({ name: "listed", ...page, answered: this.answeredBy(page.messages) });
  }

  async #search(words: string): Promise<ChatEvent | undefined> {
    const { search } = this.#archive;
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
        chat: this.#archive.usernameAt(message.contact),
      }));
    return { name: "found", words, hits, isMore: found.length > MAX_FOUND };
  }

  /** @throws ActionError, SQLiteError */
  #delete({ seq }: Listed): void {
    this.#host.dispatch({ name: "deleted", message: this.#conversation.deleteBySeq(seq) });
  }

  /** In small commits, each in a turn of its own; it goes on when the chat is left, until the account is closed. */
  async #deleteChat(): Promise<ChatEvent> {
    this.#isDeleting = true;
    try {
      let count = 0;
      for (const { deleted, isMore } of this.#conversation.deleteAll()) {
        if (count === 0 && isMore && !this.#closed) this.#host.dispatch({ name: "deletingChat" });
        count += deleted;
        if (isMore) await nextTurn();
      }
      return { name: "deletedChat", count, waiting: this.#conversation.outboxCounts().text };
    } finally {
      this.#isDeleting = false;
    }
  }

  async #export(file: string): Promise<ChatEvent> {
    const { texts } = this.#host;
    const options = { archive: this.#archive, conversation: this.#conversation, file, texts };
    return { name: "exported", ...(await exportConversation(options)) };
  }

  /** The chat was left. */
  close(): void {
    this.#closed = true;
  }
}
