/** The effects of the open chat: a table from each effect to the function that carries it out. */
import type { StoredConversation } from "../../client/archive.ts";
import type { Conversation } from "../../client/conversation/conversation.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { ActionError, isStorageFailure } from "../../client/errors.ts";
import type { Messenger } from "../../client/messenger.ts";
import { listPeople } from "../../client/people.ts";
import type { MessagePage } from "../../client/profile/message-history.ts";
import { answeredBy, historyEffects, shownAtOnce } from "./history-effects.ts";
import { MessageEffects, RefusalError } from "./message-effects.ts";
import type { ChatEvent, EffectName, EffectOf, EffectTable, Known } from "./model.ts";
import type { ChatNeeds } from "./needs.ts";
import { outstanding } from "./other-process.ts";

/** Stored messages shown on opening, and by `/more`. */
const PAGE = 20;
/** Unread messages shown on opening at most; `/more` shows the others. */
const MAX_UNREAD_SHOWN = 500;

/**
 * Which of the newest messages are shown on opening: a page, or all unread ones, as many as can be laid out at once.
 * @param unreadFrom `seq` of the first unread one
 */
export function shownOnOpening(newest: MessagePage, unreadFrom: number | undefined): MessagePage {
  const { messages, isMore } = newest;
  const unread = unreadFrom === undefined ? -1 : messages.findIndex(({ seq }) => seq >= unreadFrom);
  const page = Math.max(0, messages.length - PAGE);
  const from = unread < 0 ? page : Math.min(page, unread);
  return shownAtOnce({ messages: messages.slice(from), isMore: isMore || from > 0 });
}

export class ChatEffects {
  readonly #needs: ChatNeeds;
  readonly #messenger: Messenger;
  readonly #conversation: Conversation;
  readonly #stored: StoredConversation;
  readonly #messages: MessageEffects;
  readonly #table: EffectTable<EffectName>;
  readonly #left = new AbortController();
  #shown: number[] = [];
  /** Fingerprint of the pending key whose safety number this chat has shown last. */
  #shownKey: string | undefined;
  /** `seq` of the newest message that was shown. */
  #newestShown = 0;

  /** @throws SelfError, SQLiteError */
  constructor(messenger: Messenger, username: string, needs: ChatNeeds) {
    this.#needs = needs;
    this.#messenger = messenger;
    this.#conversation = messenger.openChat(username);
    const { archive } = messenger;
    const stored = (this.#stored = archive.conversationWith(this.#conversation.contact));
    const dispatch = (event: ChatEvent) => this.#dispatch(event);
    this.#messages = new MessageEffects(messenger, this.#conversation, stored, dispatch);
    this.#table = {
      ...this.#messages.table,
      ...historyEffects(archive, stored, this.#left.signal, { dispatch, texts: needs.texts }),
      markShown: ({ sequences }) => {
        if (this.#shown.length === 0) setImmediate(() => this.#markShown());
        this.#shown.push(...sequences);
      },
      typing: ({ active }) => this.#conversation.typing(active),
      page: ({ before }) => {
        const page = shownAtOnce(stored.before(before, PAGE));
        dispatch({ name: "page", ...page, answered: answeredBy(stored, page.messages) });
      },
      listOnline: () => this.#listOnline(),
      showSafetyNumber: () => {
        const { numbers } = archive.safetyNumbers.with(this.username, { markShown: true });
        this.#shownKey = numbers.find(({ pending }) => pending)?.fingerprint;
        dispatch({ name: "safetyNumber", numbers });
      },
      acceptKey: () => this.#acceptKey(),
    };
  }

  /** The registered spelling, if it is known, otherwise the typed one. */
  get username(): string {
    return this.#conversation.username;
  }

  /** The contact's row number. */
  get contact(): number {
    return this.#conversation.contact.id;
  }

  /** Whether there was never a proven link with a person of this name, and no message was stored. */
  get isStranger(): boolean {
    return this.#stored.isStranger;
  }

  /** The first events of the chat: the newest messages with the unread ones, and an existing link. @throws SQLiteError */
  begin(): readonly ChatEvent[] {
    const waiting = outstanding(this.#stored);
    const unreadFrom = this.#stored.unreadFrom();
    const newest = this.#stored.before(undefined, unreadFrom === undefined ? PAGE : MAX_UNREAD_SHOWN);
    const page = shownOnOpening(newest, unreadFrom);
    this.#messages.opened(page.messages);
    const opened: ChatEvent = {
      name: "opened",
      ...page,
      answered: answeredBy(this.#stored, page.messages),
      waiting,
    };
    if (!this.#conversation.isConnected) return [opened];
    // The messenger emits no event for a link that existed before.
    const event = { name: "connected", username: this.username, address: "" } as const;
    return [opened, { name: "messenger", event }];
  }

  /** Carries out an effect. If it fails, that is reported, and the typed line is given back. */
  run<N extends EffectName>(effect: EffectOf<N>): void {
    const carryOut: (effect: EffectOf<N>) => Promise<void> | void = this.#table[effect.name as N];
    try {
      const work = carryOut(effect);
      if (work instanceof Promise) work.catch((error: unknown) => this.#failed(error, effect));
    } catch (error) {
      this.#failed(error, effect);
    }
  }

  /** What the update needs to know about an event beyond its fields. To be called before the update takes it. */
  know(event: MessengerEvent): Known {
    try {
      return this.#messages.know(event);
    } catch (error) {
      // The message is shown without it.
      this.#failed(error);
      return {};
    }
  }

  /** Dispatches the answer to an effect, unless the chat in which it was asked for was left: another one may be open. */
  #dispatch(event: ChatEvent): void {
    if (!this.#left.signal.aborted) this.#needs.dispatch(event);
  }

  /** Reports that an effect has failed; the typed line is given back. */
  #failed(error: unknown, effect?: object): void {
    const typed = effect !== undefined && "typed" in effect ? { typed: String(effect.typed) } : {};
    if (error instanceof ActionError || error instanceof RefusalError) {
      this.#dispatch({ name: "refused", code: error.code, ...typed });
    } else this.#dispatch({ name: "failed", sentence: this.#needs.describe(error), ...typed });
  }

  async #listOnline(): Promise<void> {
    const { people, failure } = await listPeople(this.#messenger);
    if (failure !== undefined) return this.#failed(failure);
    const online = people.filter((person) => person.online === true).map(({ username }) => username);
    const silent = new Map<string, number>();
    for (const username of online) {
      const since = this.#messenger.linkPresence(username)?.silentSince;
      if (since !== undefined) silent.set(username, since);
    }
    this.#dispatch({ name: "online", people: online, silent });
  }

  #acceptKey(): void {
    const { safetyNumbers } = this.#messenger.archive;
    const { result } = safetyNumbers.acceptPending(this.username, Date.now(), this.#shownKey);
    this.#dispatch({ name: "keyAccepted", result });
    if (result === "accepted") this.#conversation.connect();
  }

  #markShown(): void {
    const shown = this.#shown;
    this.#shown = [];
    // `close` has marked them already, and the profile may be closed.
    if (shown.length === 0) return;
    try {
      this.#messenger.archive.history.markPrinted(shown);
      this.#sendRead(shown);
    } catch (error) {
      // They stay unread, and are shown again next time.
      if (!isStorageFailure(error)) throw error;
      this.#failed(error);
    }
  }

  /** Sends a read receipt, unless an older message was not shown yet. */
  #sendRead(shown: readonly number[]): void {
    this.#newestShown = shown.reduce((newest, seq) => Math.max(newest, seq), this.#newestShown);
    const unread = this.#stored.unreadFrom();
    if (unread === undefined || unread > this.#newestShown) this.#conversation.markRead(this.#newestShown);
  }

  /** Leaves the chat. Shown messages are marked first, since the profile may be closed next. */
  close(): void {
    this.#markShown();
    this.#left.abort();
    this.#messenger.closeChat(this.username);
  }
}
