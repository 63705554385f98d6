/**
 * The messenger without a screen: everything a person can do is a method here, everything that happens
 * an event. The terminal and the one-shot commands are two faces of it.
 *
 * A messenger has one account online on this machine: it holds the profile's lock from `open` to
 * `close`. Messages are committed to the outbox before the network is touched.
 */
import { randomUUIDv7 } from "bun";

import { label as labelOf } from "../identity/names.ts";
import { INVALID, utf8Text } from "../protocol/fields.ts";
import { MAX_TEXT_BYTES } from "../protocol/peer-messages.ts";
import type { UserEntry } from "../protocol/rendezvous-messages.ts";
import type { Contact } from "./contact-store.ts";
import { Conversation } from "./conversation.ts";
import type { ConversationHost } from "./conversation-host.ts";
import { Directory } from "./directory.ts";
import type { OutboxMessage } from "./message-store.ts";
import { SelfError } from "./local-accounts.ts";
import { OutgoingBatch } from "./outgoing-batch.ts";
import type { MessengerEvent } from "./messenger-events.ts";
import { PeerContexts } from "./peer-contexts.ts";
import { PeerPort, type PeerPortHost } from "./peer-port.ts";
import type { Profile } from "./profile.ts";
import { ProfileLock } from "./profile-lock.ts";
import { Rendezvous, type RendezvousOptions } from "./rendezvous.ts";
import { isStorageFailure } from "./sqlite.ts";
import { WatchList } from "./watch-list.ts";

const TICK = 1_000;
const isText = utf8Text(MAX_TEXT_BYTES);
/** How long `close` waits for links to end in good order, in ms. */
const CLOSE_PATIENCE = 1_000;

export type MessengerOptions = Omit<RendezvousOptions, "events" | "p2pPort" | "random" | "now"> & {
  readonly profile: Profile;
  /** What this process is, for whoever finds the account locked. */
  readonly command: string;
  /** The port to listen on; undefined: the first free one of 9000–9099. */
  readonly p2pPort: number | undefined;
  readonly onEvent: (event: MessengerEvent) => void;
  /** Whether `wire` events are wanted. */
  readonly trace?: boolean;
  /** ms since 1970 */
  readonly now?: () => number;
  readonly random?: () => number;
};

export class Messenger {
  readonly profile: Profile;
  readonly rendezvous: Rendezvous;
  readonly #options: MessengerOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #lock: ProfileLock;
  readonly #port: PeerPort;
  readonly #ownLabel: string;
  readonly #directory = new Directory(() => this.rendezvous.link);
  readonly #contexts: PeerContexts;
  readonly #outgoing: OutgoingBatch;
  readonly #watchList = new WatchList({
    link: () => (this.#closed ? undefined : this.rendezvous.link),
    wanted: () =>
      [...this.#conversations.values()].filter((each) => each.wantsNews).map((each) => each.username),
    online: (username) => this.#presence(username, true),
  });
  readonly #conversations = new Map<string, Conversation>();
  readonly #host: ConversationHost & PeerPortHost;
  /** Whom the last message is to: the next one to the same name costs no hash. */
  #addressee: { readonly name: string; readonly conversation: Conversation } | undefined;
  #tick: ReturnType<typeof setInterval>;
  #closed = false;
  #closing: Promise<void> | undefined;
  /** Settled when the first attempt to be online has ended, well or not. */
  readonly #firstAttempt = Promise.withResolvers<void>();

  private constructor(options: MessengerOptions, lock: ProfileLock) {
    this.#options = options;
    this.profile = options.profile;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#lock = lock;
    this.#ownLabel = labelOf(options.profile.username);
    this.#contexts = new PeerContexts(options.profile, this.#now);
    this.#outgoing = new OutgoingBatch(options.profile.messages, {
      committed: (contact, messages) => this.#committed(contact, messages),
      failed: (messages, error) => {
        for (const { contact, id, text } of messages) {
          this.#emit({ name: "sendFailed", to: contact.username, id, text, error });
        }
      },
    });
    this.#host = this.#makeHost();
    this.#port = new PeerPort(this.#host, options.p2pPort);
    this.rendezvous = new Rendezvous({
      ...options,
      p2pPort: () => this.#port.port,
      now: this.#now,
      random: this.#random,
      events: {
        state: (state) => {
          this.#emit({ name: "server", state });
          if (state.name !== "connecting") this.#firstAttempt.resolve();
          if (state.name === "online") this.#cameOnline();
          else this.#watchList.forget();
          // Nobody says who comes now: those for whom something waits are looked for where they last were.
          if (state.name === "waiting") for (const each of this.#conversations.values()) each.serverIsGone();
        },
        presence: (username, online) => this.#presence(username, online),
        storageFailed: (error) => this.#storageFailed(error),
        newKey: () => this.#emit({ name: "newKey" }),
        clockOffset: (offset) => this.#emit({ name: "clockOffset", offset }),
        trace: (direction, message) => this.#emit({ name: "wire", link: "rendezvous", direction, message }),
      },
    });
    this.#tick = setInterval(() => this.#onTick(), TICK);
    this.profile.changedElsewhere();
    this.#openOutbox();
  }

  /** Everyone for whom something waits has a conversation. */
  #openOutbox(opened: (conversation: Conversation) => void = () => undefined): void {
    for (const id of this.profile.messages.contactsWithOutbox()) {
      const contact = this.profile.contacts.byId(id);
      if (contact === undefined || this.#conversations.has(contact.label)) continue;
      opened(this.#conversation(contact.username));
    }
  }

  #onTick(): void {
    const now = performance.now();
    for (const conversation of this.#conversations.values()) conversation.tick(now);
    // A `send` of another process cannot go out by itself while this one has the account online.
    const known = this.profile.changedElsewhere();
    if (known === undefined) return;
    for (const conversation of this.#conversations.values()) conversation.profileChanged(known);
    this.#openOutbox((conversation) => conversation.connect());
    this.#watchList.changed();
  }

  /**
   * Takes the profile's lock and the peer port; nothing is sent yet.
   * @throws ProfileLockedError, PortError
   */
  static open(options: MessengerOptions): Messenger {
    const lock = ProfileLock.acquire(options.profile.folder, { pid: process.pid, command: options.command });
    try {
      options.profile.reload();
      return new Messenger(options, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get username(): string {
    return this.profile.username;
  }

  get p2pPort(): number {
    return this.#port.port;
  }

  /** Whether peers who know our address can be let in: our certificate is still good. */
  get canBeReached(): boolean {
    return this.#contexts.isGood;
  }

  /** Everyone online but oneself, sorted by name. @throws ServerError, RefusedError */
  users(): Promise<UserEntry[]> {
    return this.#directory.users();
  }

  /**
   * Queues one text to a person and gives its id. It is committed with everything else of this turn of
   * the event loop, or by `commit`; then it goes out as soon as there is a link.
   * @param text at most 32 KiB of UTF-8, well-formed.
   * @throws SelfError, RangeError for a text that no peer would take.
   */
  send(to: string, text: string, replyTo?: string): string {
    if (isText(text) === INVALID) throw new RangeError("the text is too long or not Unicode");
    if (this.#addressee?.name !== to) {
      if (labelOf(to) === this.#ownLabel) throw new SelfError();
      this.#addressee = { name: to, conversation: this.#conversation(to) };
    }
    const id = randomUUIDv7();
    const { contact } = this.#addressee.conversation;
    this.#outgoing.add({ contact, id, text, sentAt: this.#now(), replyTo });
    return id;
  }

  /** Commits what was queued in this turn. @throws SQLiteError: then nothing of it is kept. */
  commit(): void {
    this.#outgoing.commit();
  }

  /** The person looks at this chat: the link is kept up until `closeChat`. @throws SelfError */
  openChat(username: string): Conversation {
    if (labelOf(username) === this.#ownLabel) throw new SelfError();
    const conversation = this.#conversation(username);
    conversation.openChat();
    return conversation;
  }

  closeChat(username: string): void {
    this.#conversations.get(labelOf(username))?.closeChat();
  }

  /** Says `bye` on every link, leaves the server, and frees the account on this machine. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      this.#outgoing.commitOrTell();
    } finally {
      this.#closed = true;
      clearInterval(this.#tick);
      this.#port.stop();
      for (const conversation of this.#conversations.values()) conversation.close();
      this.rendezvous.close();
    }
    const patience = performance.now() + CLOSE_PATIENCE;
    const isLinked = () => [...this.#conversations.values()].some((each) => each.linkCount > 0);
    while (performance.now() < patience && isLinked()) await Bun.sleep(5);
    for (const conversation of this.#conversations.values()) conversation.terminate();
    this.#lock.release();
    this.profile.close();
  }

  #emit(event: MessengerEvent): void {
    if (event.name === "wire" && this.#options.trace !== true) return;
    this.#options.onEvent(event);
  }

  #storageFailed(error: unknown): void {
    if (!isStorageFailure(error)) throw error;
    this.#emit({ name: "storageFailed", error });
  }

  #committed({ label, username }: Contact, messages: readonly OutboxMessage[]): void {
    for (const { id, sentAt } of messages) {
      this.#emit({ name: "delivery", to: username, id, state: "queued", at: sentAt });
    }
    this.#conversations.get(label)?.committed(messages);
    this.#watchList.changed();
  }

  #conversation(username: string): Conversation {
    const label = labelOf(username);
    const known = this.#conversations.get(label);
    if (known !== undefined) return known;
    const conversation = new Conversation(this.#host, this.profile.contacts.ensure(username));
    this.#conversations.set(label, conversation);
    return conversation;
  }

  #cameOnline(): void {
    this.#watchList.forget();
    this.#watchList.changed();
    for (const conversation of this.#conversations.values()) conversation.peerMayBeReachable();
  }

  #presence(username: string, online: boolean): void {
    const conversation = this.#conversations.get(labelOf(username));
    // News of people whom nobody asked about is not news.
    if (conversation === undefined) return;
    this.#emit({ name: "presence", username: conversation.username, online });
    if (online) conversation.peerMayBeReachable();
  }

  #makeHost(): ConversationHost & PeerPortHost {
    const { profile } = this;
    return {
      profile,
      ownLabel: this.#ownLabel,
      get ownName() {
        return profile.username;
      },
      now: this.#now,
      random: this.#random,
      emit: (event) => this.#emit(event),
      lookUp: async (username) => {
        // What was queued before the first login is not worth a dial to an old address.
        await this.#firstAttempt.promise;
        return this.#directory.lookUp(username);
      },
      lookUpNow: (username) => this.#directory.lookUp(username),
      wantsChanged: () => this.#watchList.changed(),
      peerContext: (label) => this.#contexts.dialling(label),
      acceptorContext: () => this.#contexts.accepting(),
      conversationWith: (peer) => this.#conversation(peer.name),
      isPinned: (peer) => profile.contacts.isPinned(peer.label, peer.fingerprint),
      storageFailed: (error) => this.#storageFailed(error),
      refused: (address, code) => this.#emit({ name: "refusal", address, code }),
    };
  }
}
