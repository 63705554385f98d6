/** What the open chat does: calls on the messenger, and pages of its store. */
import type { StoredConversation } from "../../client/archive.ts";
import type { Conversation } from "../../client/conversation/conversation.ts";
import { isStorageFailure } from "../../client/errors.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { listPeople } from "../../client/people.ts";
import type { Texts } from "../texts/texts.ts";
import type { ChatEffect, ChatEvent } from "./model.ts";
import { outstanding } from "./other-process.ts";
import { MessageWork } from "./message-effects.ts";

/** Stored messages shown on opening, and by `/more`. */
const PAGE = 20;
/** New ones shown on opening are more than that, up to so many; `/more` shows the others. */
const MAX_UNREAD_SHOWN = 500;

export type ChatWorkHost = {
  readonly dispatch: (event: ChatEvent) => void;
  readonly describe: (error: unknown) => string;
  readonly texts: Texts;
};

/** A chat effect that needs the messenger. */
export type ChatCall = Exclude<ChatEffect, { readonly name: "print" | "giveBack" | "leave" }>;

export class ChatWork {
  readonly #host: ChatWorkHost;
  readonly #messenger: Messenger;
  readonly #conversation: Conversation;
  readonly #stored: StoredConversation;
  readonly #messages: MessageWork;
  #shown: number[] = [];
  /** `seq` of the newest message that was shown here. */
  #newestShown = 0;

  constructor(messenger: Messenger, username: string, host: ChatWorkHost) {
    this.#host = host;
    this.#messenger = messenger;
    this.#conversation = messenger.openChat(username);
    this.#stored = messenger.archive.conversationWith(this.#conversation.contact);
    this.#messages = new MessageWork(messenger, this.#conversation, this.#stored, host);
  }

  /** The registered spelling, as far as it is known. */
  get username(): string {
    return this.#conversation.username;
  }

  /** The contact's row number. */
  get contact(): number {
    return this.#conversation.contact.id;
  }

  /** Whether no link with anybody of this name was ever proven: then nothing of them or for them was stored. */
  get isStranger(): boolean {
    return this.#stored.isStranger;
  }

  /** The newest messages, and all that are new up to a bound, are what the chat begins with. */
  newest(): readonly ChatEvent[] {
    const waiting = outstanding(this.#stored);
    const unreadFrom = this.#stored.unreadFrom();
    const limit = unreadFrom === undefined ? PAGE : MAX_UNREAD_SHOWN;
    const page = this.#stored.before(undefined, limit);
    const firstNew = page.messages.findIndex(({ seq }) => unreadFrom !== undefined && seq >= unreadFrom);
    const start = Math.max(0, page.messages.length - PAGE);
    const from = firstNew < 0 ? start : Math.min(start, firstNew);
    const messages = page.messages.slice(from);
    const opened: ChatEvent = {
      name: "opened",
      messages,
      isMore: page.isMore || from > 0,
      answered: this.#messages.answeredBy(messages),
      waiting,
    };
    this.#messages.opened(messages);
    if (!this.#conversation.isConnected) return [opened];
    // A link that was there before the chat is told of by nobody.
    const event = { name: "connected", username: this.username, address: "" } as const;
    return [opened, { name: "messenger", event }];
  }

  run(effect: ChatCall): void {
    try {
      this.#run(effect);
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      this.#failed(error);
    }
  }

  #run(effect: ChatCall): void {
    const { safetyNumbers } = this.#messenger.archive;
    switch (effect.name) {
      case "markShown":
        if (this.#shown.length === 0) setImmediate(() => this.#markShown());
        this.#shown.push(...effect.sequences);
        return;
      case "typing":
        this.#conversation.typing(effect.active);
        return;
      case "page": {
        const page = this.#stored.before(effect.before, PAGE);
        const answered = this.#messages.answeredBy(page.messages);
        this.#host.dispatch({ name: "page", ...page, answered });
        return;
      }
      case "listOnline":
        this.#listOnline();
        return;
      case "showSafetyNumber":
        this.#host.dispatch({
          name: "safetyNumber",
          numbers: safetyNumbers.with(this.username, { markShown: true }).numbers,
        });
        return;
      case "acceptKey":
        this.#acceptKey();
        return;
      default:
        this.#messages.run(effect);
    }
  }

  /** What the messenger told, before the screen takes it. @returns as `MessageWork.observe` */
  observe(event: MessengerEvent): string | undefined {
    return this.#messages.observe(event);
  }

  #listOnline(): void {
    listPeople(this.#messenger)
      .then(({ people, failure }) => {
        if (failure !== undefined) this.#failed(failure);
        else {
          const online = people.filter((person) => person.online === true);
          const silent = new Map<string, number>();
          for (const { username } of online) {
            const since = this.#messenger.linkPresence(username)?.silentSince;
            if (since !== undefined) silent.set(username, since);
          }
          this.#host.dispatch({ name: "online", people: online.map(({ username }) => username), silent });
        }
      })
      .catch((error: unknown) => this.#failed(error));
  }

  #acceptKey(): void {
    const { result } = this.#messenger.archive.safetyNumbers.acceptPending(this.username, Date.now(), {
      mustBeShown: true,
    });
    this.#host.dispatch({ name: "keyAccepted", result });
    if (result === "accepted") this.#conversation.connect();
  }

  #markShown(): void {
    const shown = this.#shown;
    this.#shown = [];
    // Marked when the chat was left; the profile may be closed since.
    if (shown.length === 0) return;
    try {
      this.#messenger.archive.markPrinted(shown);
      this.#tellRead(shown);
    } catch (error) {
      // They are shown as new once more, next time.
      if (!isStorageFailure(error)) throw error;
      this.#failed(error);
    }
  }

  /** The other side learns what was shown, unless something before it was not. */
  #tellRead(shown: readonly number[]): void {
    this.#newestShown = shown.reduce((newest, seq) => Math.max(newest, seq), this.#newestShown);
    const unread = this.#stored.unreadFrom();
    if (unread === undefined || unread > this.#newestShown) this.#conversation.markRead(this.#newestShown);
  }

  #failed(error: unknown): void {
    this.#host.dispatch({ name: "failed", sentence: this.#host.describe(error) });
  }

  /** Leaves the chat; what was shown is marked before the profile may be closed. */
  close(): void {
    if (this.#shown.length > 0) this.#markShown();
    this.#messages.close();
    this.#messenger.closeChat(this.username);
  }
}
