/**
 * The conversation with one person: its links, when it dials, and how it ends.
 *
 * 1. Something to send, or an open chat, wants a link: the server is asked where the person is, all
 *    their addresses are dialled, and the first that proves itself is greeted.
 * 2. `link-choice.ts` says which link is current; `delivery.ts` writes on it; `link-watch.ts` asks
 *    whether it still answers.
 * 3. A link lost without `bye` is redialled after 1, 5, 15, 60 s, the decider first, while something is
 *    unacknowledged or the chat is open; after `bye` only when there is something to send.
 */
import { ContactRecord } from "../peer/contact-record.ts";
import type { Contact } from "../profile/contacts.ts";
import type { ConversationHost } from "./needs.ts";
import { Delivery } from "./delivery.ts";
import { Dialling } from "./dialling.ts";
import type { LinkId } from "../peer/link-choice.ts";
import { LinkWatch, type LinkPresence } from "../peer/link-watch.ts";
import type { MessengerEvent } from "./events.ts";
import { PeerLink, type PeerLinkEvents } from "../peer/link.ts";
import { PeerLinks } from "../peer/links.ts";
import { handlePeerMessage } from "./peer-message-handling.ts";
import type { OutboxMessage } from "../profile/stored-message.ts";

/** A link that lived so long has proven useful, in ms: after its loss the first wait is short again. */
const USEFUL_LIFE = 10_000;

export class Conversation {
  readonly record: ContactRecord;
  readonly delivery: Delivery;
  readonly #host: ConversationHost;
  readonly #links: PeerLinks;
  readonly #dialling: Dialling;
  readonly #watch: LinkWatch;
  #chatOpen = false;
  #lastByeReceived = false;
  #saidBye = false;
  #closed = false;
  /** Nothing is read or stored any more. */
  #terminated = false;

  constructor(host: ConversationHost, contact: Contact) {
    const { clock, profile } = host;
    const { contacts, messages } = profile;
    const now = () => clock.now();
    const emit = (event: MessengerEvent) => host.emit(event);
    this.#host = host;
    this.record = new ContactRecord({ contact, contacts, now, emit });
    this.delivery = new Delivery({
      contact: () => this.contact,
      messages,
      emit,
      now,
      features: () => contacts.features(this.contact),
    });
    const decider = host.ownLabel < contact.label;
    this.#links = new PeerLinks(decider, { currentChanged: (link) => this.#currentChanged(link) });
    this.#watch = new LinkWatch(clock, this.#links, {
      silent: (since) => emit({ name: "silent", username: this.username, since }),
      idle: () => this.#sayBye("idle"),
    });
    this.#dialling = new Dialling(decider, {
      host,
      record: this.record,
      links: this.#links,
      wanted: () => this.wantsLink,
      newLink: (id) => this.#newLink(id, "dialler"),
      unreachable: (reason, retryIn) => {
        const { heardAt } = this.#watch;
        emit({ name: "unreachable", username: this.username, reason, retryIn, heardAt });
      },
    });
  }

  get username(): string {
    return this.record.username;
  }

  get contact(): Contact {
    return this.record.contact;
  }

  get isConnected(): boolean {
    return this.#links.isConnected;
  }

  /** What the direct link says of this person's presence. */
  get linkPresence(): LinkPresence {
    return this.#watch.presence;
  }

  /** Complete links and those under way; the port admits few of one user. */
  get linkCount(): number {
    return this.#links.count;
  }

  /** Something is unacknowledged or the chat is open. */
  get wantsLink(): boolean {
    return this.#chatOpen || this.delivery.waiting > 0;
  }

  /** The server's news of this person matters: the chat is open, or something waits and no link leads there. */
  get wantsNews(): boolean {
    return this.#chatOpen || (this.delivery.waiting > 0 && !this.isConnected);
  }

  openChat(): void {
    this.#chatOpen = true;
    this.#host.wantsChanged();
    this.connect();
  }

  /** The person has left the chat; the link ends unless something still waits. */
  closeChat(): void {
    this.#chatOpen = false;
    this.#host.wantsChanged();
    if (this.delivery.waiting === 0) this.#hangUp();
  }

  typing(active: boolean): void {
    this.#links.current?.send({ action: "typing", active });
  }

  /** A person has read this contact's messages up to `seq`; their side is told, now or on the next link. */
  markRead(seq: number): void {
    const { contacts } = this.#host.profile;
    const before = contacts.readHere(this.contact);
    contacts.saveReadHere(this.contact, seq);
    if (contacts.readHere(this.contact) !== before) this.#tellRead(this.#links.current);
  }

  #tellRead(link: PeerLink | undefined): void {
    const id = this.#host.profile.contacts.readHere(this.contact);
    if (id !== undefined) link?.send({ action: "read", id });
  }

  /** New messages to this person are on the disk. */
  committed(messages: readonly OutboxMessage[]): void {
    this.delivery.committed(messages);
    this.connect();
  }

  /**
   * Another process has written to the profile: perhaps to the outbox, perhaps it accepted a key.
   * @param known the newest message at the look before.
   */
  profileChanged(known: number): void {
    const isMore = this.delivery.reload(known);
    if (isMore) this.#host.wantsChanged();
    if (isMore || this.#dialling.waitsForKey) this.#dialling.connectIfWanted();
  }

  /** Dials now, unless there is a link or a dial under way. */
  connect(): void {
    this.#dialling.connect();
  }

  /** The person is online, by the server's word, or there is a server again. */
  peerMayBeReachable(): void {
    this.#dialling.connectOnNews();
  }

  /** The machine has slept, or its addresses have changed: the link must answer soon, or another is dialled. */
  lineMayHaveChanged(): void {
    this.#watch.doubt();
    this.peerMayBeReachable();
  }

  /** Nobody will say when the person comes, so known addresses are tried, again and again. */
  serverIsGone(): void {
    this.#dialling.connectWithoutNews();
  }

  #newLink(id: LinkId, role: "acceptor" | "dialler"): PeerLink {
    const { clock, profile } = this.#host;
    return new PeerLink({ id, role, ownName: profile.username, clock }, this.#linkEvents());
  }

  /** A link that the peer port has accepted, before its greeting. */
  adopt(): PeerLink {
    const link = this.#newLink(this.#links.newId(), "acceptor");
    this.#links.add(link);
    return link;
  }

  /** Deadlines; to be called about once a second. */
  tick(): void {
    this.#links.tick(this.#host.clock.monotonic());
    this.#watch.tick(this.wantsLink);
    this.#attempt(() => this.delivery.tick());
  }

  /** Says `bye` on what is open; what the other side still acknowledges is read until `terminate`. */
  close(): void {
    if (this.#closed) return;
    this.#attempt(() => this.delivery.saveSent());
    this.#closed = true;
    this.#dialling.close();
    this.#hangUp();
  }

  /** Gives up what is dialled, and says `bye` on what is open. */
  #hangUp(): void {
    this.#dialling.giveUp();
    this.#sayBye("bye");
  }

  #sayBye(code: string): void {
    this.#saidBye = this.isConnected;
    this.#links.endAll(code);
  }

  /** Ends what did not end in good order. */
  terminate(): void {
    this.#terminated = true;
    this.#links.terminateAll("closing");
  }

  /** What is no promise to anybody: a disk that does not take it is told of, no more. */
  #attempt(save: () => void): void {
    try {
      save();
    } catch (error) {
      this.#host.storageFailed(error);
    }
  }

  #currentChanged(link: PeerLink | undefined): void {
    this.#watch.currentChanged(link !== undefined);
    // Also where an older link is left: what was said on the one that broke may have been lost with it.
    this.#tellRead(link);
    this.delivery.writeOn(link);
    if (link !== undefined) return;
    const { username } = this;
    const { heardAt } = this.#watch;
    this.#host.emit({ name: "disconnected", username, bye: this.#lastByeReceived, heardAt });
    this.#host.wantsChanged();
    const isMissing = this.delivery.waiting > 0;
    // An end on purpose is no loss: what came up since then needs no patience with the line.
    if (this.#saidBye || (this.#lastByeReceived && isMissing)) this.#dialling.connectIfWanted();
    else if (!this.#lastByeReceived) this.#dialling.scheduleRedial();
    this.#saidBye = false;
  }

  #linkEvents(): PeerLinkEvents {
    const emit = (event: MessengerEvent) => this.#host.emit(event);
    return {
      complete: (link) => this.#completed(link),
      message: (message, link) => handlePeerMessage(message, link, this.delivery, this.username, emit),
      readEnd: (link) => this.#readEnd(link),
      drained: (link) => {
        if (link === this.#links.current) this.delivery.pump();
      },
      closed: (_reason, link) => this.#linkClosed(link),
      trace: (direction, message) => emit({ name: "wire", link: "peer", direction, message }),
    };
  }

  #completed(link: PeerLink): void {
    const wasConnected = this.isConnected;
    if (link.peer !== undefined) this.record.rename(link.peer.name);
    this.record.learn(link.features);
    this.#dialling.linked();
    this.#lastByeReceived = this.#saidBye = false;
    this.#links.completed(link, this.#host.clock.monotonic());
    if (!wasConnected) {
      this.#host.emit({ name: "connected", username: this.username, address: link.remoteAddress });
    }
  }

  #linkClosed(link: PeerLink): void {
    this.delivery.dropRead();
    this.#watch.closed(link);
    const { completedAt } = link;
    if (completedAt !== undefined && this.#host.clock.monotonic() - completedAt >= USEFUL_LIFE) {
      this.#dialling.provenUseful();
    }
    this.#lastByeReceived = link.byeReceived;
    // Proven to us, and ended by them before their greeting: they did not admit us.
    if (this.#links.closed(link)) this.#dialling.failed(link.id, "not_admitted");
  }

  #readEnd(link: PeerLink): void {
    if (this.#terminated) return;
    const before = this.delivery.waiting;
    try {
      if (this.delivery.commitRead(link)) this.#dialling.provenUseful();
    } catch (error) {
      // Not acknowledged, so nothing is lost: it comes again on the next link.
      this.delivery.dropRead();
      link.refuse("storage_failed");
      this.#host.storageFailed(error);
      return;
    }
    if (before > 0 && this.delivery.waiting === 0) this.#host.wantsChanged();
    // What crossed their `bye` is acknowledged by them, so the link is read until nothing is missing.
    if (link.byeReceived && this.delivery.waiting === 0) link.end("bye_received");
  }
}
