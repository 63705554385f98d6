/**
 * The conversation with one person: its links, when it dials, and how it ends.
 *
 * 1. Something to send, or an open chat, wants a link: the server is asked where the person is, all
 *    their addresses are dialled, and the first that proves itself is greeted.
 * 2. `link-choice.ts` says which link is current; `delivery.ts` writes on it.
 * 3. A link lost without `bye` is redialled after 1, 5, 15, 60 s, the decider first, while something is
 *    unacknowledged or the chat is open; after `bye` only when there is something to send.
 */
import { ContactRecord } from "./contact-record.ts";
import type { Contact } from "./contact-store.ts";
import type { ConversationHost } from "./conversation-host.ts";
import { Delivery } from "./delivery.ts";
import type { LinkId } from "./link-choice.ts";
import { Liveness } from "./liveness.ts";
import type { OutboxMessage } from "./message-store.ts";
import type { MessengerEvent, UnreachableReason } from "./messenger-events.ts";
import { PeerLink, type PeerLinkEvents } from "./peer-link.ts";
import { PeerLinks } from "./peer-links.ts";
import { handlePeerMessage } from "./peer-message-handling.ts";
import { dialPeer } from "./peer-dial.ts";
import { Redial, RETRIED } from "./redial.ts";

export class Conversation {
  readonly record: ContactRecord;
  readonly delivery: Delivery;
  readonly #host: ConversationHost;
  readonly #links: PeerLinks;
  readonly #redial: Redial;
  readonly #liveness = new Liveness();
  #chatOpen = false;
  #lastByeReceived = false;
  #saidBye = false;
  /** Why the last attempt came to nothing. */
  #lastFailure: UnreachableReason | undefined;
  /** News that the person is reachable has come since the dial began. */
  #newsWhileDialling = false;
  /** Nothing is dialled any more. */
  #closed = false;
  /** Nothing is read or stored any more. */
  #terminated = false;

  constructor(host: ConversationHost, contact: Contact) {
    const { contacts, messages } = host.profile;
    const now = () => host.now();
    const emit = (event: MessengerEvent) => host.emit(event);
    this.#host = host;
    this.record = new ContactRecord({ contact, contacts, now, emit });
    this.delivery = new Delivery({ contact: () => this.contact, messages, now, emit });
    const decider = host.ownLabel < contact.label;
    this.#links = new PeerLinks(decider, { currentChanged: (link) => this.#currentChanged(link) });
    this.#redial = new Redial(
      decider,
      () => host.random(),
      () => this.#connectIfWanted(),
    );
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

  /** Complete links and those under way; the port admits few of one user. */
  get linkCount(): number {
    return this.#links.count;
  }

  /** Something is unacknowledged or the chat is open. */
  get wantsLink(): boolean {
    return this.#chatOpen || this.delivery.unacknowledged > 0;
  }

  /** The server's news of this person matters: the chat is open, or something waits and no link leads there. */
  get wantsNews(): boolean {
    return this.#chatOpen || (this.delivery.unacknowledged > 0 && !this.isConnected);
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
    if (this.delivery.unacknowledged === 0) this.#hangUp();
  }

  typing(active: boolean): void {
    this.#links.current?.send({ action: "typing", active });
  }

  markRead(id: string): void {
    this.#links.current?.send({ action: "read", id });
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
    if (isMore || this.#lastFailure === "key_pending") this.#connectIfWanted();
  }

  #connectIfWanted(): void {
    if (this.wantsLink) this.connect();
  }

  /** Dials now, unless there is a link or a dial under way. */
  connect(): void {
    if (this.#closed || this.isConnected || this.#links.isDialling) return;
    this.#newsWhileDialling = false;
    this.#redial.cancel();
    const { id, signal } = this.#links.startDial();
    const link = new PeerLink(id, "dialler", this.#host.profile.username, this.#linkEvents());
    const won = () => this.#links.add(link);
    dialPeer(this.#host, this.record, link, won, signal)
      .then((failure) => {
        if (failure !== undefined) this.#dialFailed(id, failure);
      })
      .catch((error: unknown) => {
        this.#dialFailed(id, "unreachable");
        this.#host.storageFailed(error);
      });
  }

  /** The person is online, by the server's word, or there is a server again. */
  peerMayBeReachable(): void {
    if (!this.wantsLink) return;
    this.#redial.startOver();
    // The dial under way may have asked the server before they came.
    this.#newsWhileDialling = this.#links.isDialling;
    this.connect();
  }

  /** Nobody will say when the person comes, so known addresses are tried, again and again. */
  serverIsGone(): void {
    if (this.wantsLink && !this.#redial.isScheduled) this.connect();
  }

  /** A link that the peer port has accepted, before its greeting. */
  adopt(create: (id: LinkId, events: PeerLinkEvents) => PeerLink): PeerLink {
    const link = create(this.#links.newId(), this.#linkEvents());
    this.#links.add(link);
    return link;
  }

  /** Deadlines; to be called about once a second. @param monotonic `performance.now()` */
  tick(monotonic: number): void {
    this.#links.tick(monotonic);
    const link = this.#links.current;
    const heard = link && { current: link.lastReadAt, any: this.#links.lastReadAt };
    switch (this.#liveness.check(monotonic, heard, this.wantsLink)) {
      case "ping":
        link?.send({ action: "ping" });
        break;
      case "dead":
        link?.terminate("dead");
        break;
      case "idle":
        this.#sayBye("idle");
        break;
      case "alive":
        break;
    }
    this.#saveSent();
  }

  /** Says `bye` on what is open; what the other side still acknowledges is read until `terminate`. */
  close(): void {
    if (this.#closed) return;
    this.#saveSent();
    this.#closed = true;
    this.#hangUp();
  }

  /** Gives up what is dialled, and says `bye` on what is open. */
  #hangUp(): void {
    this.#redial.cancel();
    this.#links.abandonDial();
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

  /** That something was sent is no promise to anybody: a disk that does not take it is told of, no more. */
  #saveSent(): void {
    try {
      this.delivery.saveSent();
    } catch (error) {
      this.#host.storageFailed(error);
    }
  }

  #currentChanged(link: PeerLink | undefined): void {
    this.delivery.writeOn(link);
    if (link !== undefined) return;
    this.#host.emit({ name: "disconnected", username: this.username, bye: this.#lastByeReceived });
    this.#host.wantsChanged();
    const isMissing = this.delivery.unacknowledged > 0;
    // An end on purpose is no loss: what came up since then needs no patience with the line.
    if (this.#saidBye || (this.#lastByeReceived && isMissing)) this.#connectIfWanted();
    else if (!this.#lastByeReceived) this.#scheduleRedial();
    this.#saidBye = false;
  }

  #dialFailed(id: LinkId, reason: UnreachableReason): void {
    this.#links.dialFailed(id);
    if (this.#closed || this.isConnected) return;
    if (this.#newsWhileDialling && this.wantsLink) {
      this.connect();
      return;
    }
    this.#lastFailure = reason;
    const retryIn = RETRIED.has(reason) ? this.#scheduleRedial() : undefined;
    this.#host.emit({ name: "unreachable", username: this.username, reason, retryIn });
  }

  /** @returns the wait in ms, undefined when nothing wants a link. */
  #scheduleRedial(): number | undefined {
    return this.#closed || !this.wantsLink ? undefined : this.#redial.schedule();
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
    this.#redial.startOver();
    this.#lastByeReceived = this.#saidBye = false;
    this.#lastFailure = undefined;
    this.#links.completed(link);
    if (!wasConnected) {
      this.#host.emit({ name: "connected", username: this.username, address: link.remoteAddress });
    }
  }

  #linkClosed(link: PeerLink): void {
    this.delivery.dropRead();
    this.#lastByeReceived = link.byeReceived;
    // Proven to us, and ended by them before their greeting: they did not admit us.
    if (this.#links.closed(link)) this.#dialFailed(link.id, "not_admitted");
  }

  #readEnd(link: PeerLink): void {
    if (this.#terminated) return;
    const before = this.delivery.unacknowledged;
    try {
      this.delivery.commitRead(link);
    } catch (error) {
      // Not acknowledged, so nothing is lost: it comes again on the next link.
      this.delivery.dropRead();
      link.refuse("storage_failed");
      this.#host.storageFailed(error);
      return;
    }
    if (before > 0 && this.delivery.unacknowledged === 0) this.#host.wantsChanged();
    // What crossed their `bye` is acknowledged by them, so the link is read until nothing is missing.
    if (link.byeReceived && this.delivery.unacknowledged === 0) link.end("bye_received");
  }
}
