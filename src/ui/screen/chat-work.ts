/** What the open chat does: calls on the messenger, and pages of its store. */
import type { Conversation } from "../../client/conversation.ts";
import { acceptPendingKey, safetyNumbers } from "../../client/key-acceptance.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { MessengerEvent } from "../../client/messenger-events.ts";
import { listPeople } from "../../client/people.ts";
import { isStorageFailure } from "../../client/sqlite.ts";
import type { ChatEffect, ChatEvent } from "./chat-model.ts";

/** Stored messages shown on opening, and by `/more`. */
const PAGE = 20;
/** New ones shown on opening are more than that, up to so many; `/more` shows the others. */
const MAX_UNREAD_SHOWN = 500;

export type ChatWorkHost = {
  readonly dispatch: (event: ChatEvent) => void;
  readonly describe: (error: unknown) => string;
};

/** A chat effect that needs the messenger. */
export type ChatCall = Exclude<ChatEffect, { readonly name: "print" | "giveBack" | "leave" }>;

export class ChatWork {
  readonly #host: ChatWorkHost;
  readonly #messenger: Messenger;
  readonly #conversation: Conversation;
  /** Texts that are on their way to the disk, by id. */
  readonly #writing = new Map<string, string>();
  #shown: number[] = [];

  constructor(messenger: Messenger, username: string, host: ChatWorkHost) {
    this.#host = host;
    this.#messenger = messenger;
    this.#conversation = messenger.openChat(username);
  }

  /** The registered spelling, as far as it is known. */
  get username(): string {
    return this.#conversation.username;
  }

  /** The contact's row number. */
  get contact(): number {
    return this.#conversation.contact.id;
  }

  /** The newest messages, and all that are new up to a bound, are what the chat begins with. */
  newest(): readonly ChatEvent[] {
    const { messages } = this.#messenger.profile;
    const { contact } = this.#conversation;
    const unreadFrom = messages.unreadFrom(contact);
    const limit = unreadFrom === undefined ? PAGE : MAX_UNREAD_SHOWN;
    const page = messages.before(contact, undefined, limit);
    const firstNew = page.messages.findIndex(({ seq }) => unreadFrom !== undefined && seq >= unreadFrom);
    const start = Math.max(0, page.messages.length - PAGE);
    const from = firstNew < 0 ? start : Math.min(start, firstNew);
    const opened: ChatEvent = {
      name: "opened",
      messages: page.messages.slice(from),
      isMore: page.isMore || from > 0,
    };
    if (!this.#conversation.isConnected) return [opened];
    // A link that was there before the chat is told of by nobody.
    const event = { name: "connected", username: this.username, address: "" } as const;
    return [opened, { name: "messenger", event }];
  }

  run(effect: ChatCall): void {
    const { profile } = this.#messenger;
    switch (effect.name) {
      case "markShown":
        if (this.#shown.length === 0) setImmediate(() => this.#markShown());
        this.#shown.push(...effect.sequences);
        return;
      case "send":
        this.#writing.set(this.#messenger.send(this.username, effect.text), effect.text);
        return;
      case "typing":
        this.#conversation.typing(effect.active);
        return;
      case "page":
        this.#host.dispatch({
          name: "page",
          ...profile.messages.before(this.#conversation.contact, effect.before, PAGE),
        });
        return;
      case "listOnline":
        this.#listOnline();
        return;
      case "showSafetyNumber":
        this.#host.dispatch({
          name: "safetyNumber",
          numbers: safetyNumbers(profile, this.username, { markShown: true }).numbers,
        });
        return;
      case "acceptKey":
        this.#acceptKey();
        return;
      default:
        effect satisfies never;
    }
  }

  /** What the messenger told, where it is about a text written here. */
  observe(event: MessengerEvent): void {
    if (event.name !== "delivery" && event.name !== "sendFailed") return;
    const text = this.#writing.get(event.id);
    if (text === undefined) return;
    this.#writing.delete(event.id);
    if (event.name === "delivery") this.#host.dispatch({ name: "written", id: event.id, text });
  }

  #listOnline(): void {
    listPeople(this.#messenger)
      .then(({ people, failure }) => {
        if (failure !== undefined) this.#failed(failure);
        else {
          const online = people.filter((person) => person.online === true);
          this.#host.dispatch({ name: "online", people: online.map((person) => person.username) });
        }
      })
      .catch((error: unknown) => this.#failed(error));
  }

  #acceptKey(): void {
    const { result } = acceptPendingKey(this.#messenger.profile, this.username, Date.now(), {
      mustBeShown: true,
    });
    this.#host.dispatch({ name: "keyAccepted", result });
    if (result === "accepted") this.#conversation.connect();
  }

  #markShown(): void {
    const shown = this.#shown;
    this.#shown = [];
    try {
      this.#messenger.profile.messages.markPrinted(shown);
    } catch (error) {
      // They are shown as new once more, next time.
      if (!isStorageFailure(error)) throw error;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#host.dispatch({ name: "failed", sentence: this.#host.describe(error) });
  }

  /** Leaves the chat; what was shown is marked before the profile may be closed. */
  close(): void {
    if (this.#shown.length > 0) this.#markShown();
    this.#messenger.closeChat(this.username);
  }
}
