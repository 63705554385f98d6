/**
 * The conversation with one person: its links, when it wants one, and how it ends.
 *
 * 1. Something to send, or an open chat, wants a link: the server is asked where the person is, all
 *    their addresses are dialled, and the first that proves itself is greeted.
 * 2. `link-choice.ts` says which link is current; `delivery.ts` writes on it; `link-watch.ts` asks
 *    whether it still answers.
 * 3. A link lost without `bye` is redialled by `dialling.ts` while something is unacknowledged or the chat
 *    is open; after `bye` only when there is something to send.
 */
import { ContactRecord } from "../peer/contact-record.ts";
import type { LinkId } from "../peer/link-choice.ts";
import { LinkWatch, type LinkPresence } from "../peer/link-watch.ts";
import { PeerLink, type LinkConnection, type LinkLife, type PeerLinkEvents } from "../peer/link.ts";
import { PeerLinks } from "../peer/links.ts";
import type { ProvenPeer } from "../peer/proof.ts";
import type { Contact } from "../profile/contacts.ts";
import type { OutboxMessage } from "../profile/stored-message.ts";
import { Delivery } from "./delivery.ts";
import { Dialling } from "./dialling.ts";
import type { ConversationNeeds } from "./needs.ts";

/** A link that lived so long has proven useful, in ms: after its loss the first wait is short again. */
const USEFUL_LIFE = 10_000;

export class Conversation {
  readonly delivery: Delivery;
  readonly #needs: ConversationNeeds;
  readonly #record: ContactRecord;
  readonly #links: PeerLinks;
  readonly #linkEvents: PeerLinkEvents;
  readonly #dialling: Dialling;
  readonly #watch: LinkWatch;
  #chatOpen = false;
  /** `closing`: `bye` is said, and what the other side still acknowledges is read; `closed`: nothing is. */
  #state: "open" | "closing" | "closed" = "open";

  constructor(needs: ConversationNeeds, contact: Contact) {
    const { clock, profile, emit, storageFailed } = needs;
    const { contacts, messages } = profile;
    const now = () => clock.now();
    this.#needs = needs;
    this.#record = new ContactRecord({
      contact,
      contacts,
      now,
      keyPending: (fingerprint) => emit({ name: "keyPending", username: this.username, fingerprint }),
      storageFailed,
    });
    this.delivery = new Delivery({ record: this.#record, messages, emit, now });
    const decider = needs.ownLabel < contact.label;
    this.#links = new PeerLinks(decider, (link) => this.#currentChanged(link));
    this.#linkEvents = {
      complete: (link) => this.#completed(link),
      message: (message, link) => this.delivery.take(message, link),
      readEnd: (link) => this.#readEnd(link),
      drained: (link) => {
        if (link === this.#links.current) this.delivery.pump();
      },
      closed: (link, life) => this.#linkClosed(link, life),
      ...(needs.isTraced && {
        trace: (direction, message) => emit({ name: "wire", link: "peer", direction, message }),
      }),
    };
    this.#watch = new LinkWatch(clock, this.#links, {
      silent: (since) => emit({ name: "silent", username: this.username, since }),
      idle: () => this.#sayBye("idle"),
    });
    this.#dialling = new Dialling({
      needs,
      decider,
      record: this.#record,
      links: this.#links,
      wanted: () => this.wantsLink,
      greet: (id, connection, peer) => this.#greet(id, "dialler", connection, peer),
      unreachable: (reason, retryIn) => {
        const { heardAt } = this.#watch;
        emit({ name: "unreachable", username: this.username, reason, retryIn, heardAt });
      },
    });
  }

  /** The registered spelling, once it was heard. */
  get username(): string {
    return this.#record.username;
  }

  get contact(): Contact {
    return this.#record.contact;
  }

  get isConnected(): boolean {
    return this.#links.isConnected;
  }

  /** What the direct link says of this person's presence. */
  get linkPresence(): LinkPresence {
    return this.#watch.presence;
  }

  /** Links whose greeting has begun. */
  get linkCount(): number {
    return this.#links.count;
  }

  /** Something is unacknowledged or the chat is open. */
  get wantsLink(): boolean {
    return this.#chatOpen || this.delivery.waiting > 0;
  }

  /** The server shall report this person's presence: the chat is open, or something waits and there is no link. */
  get wantsPresence(): boolean {
    return this.#chatOpen || (this.delivery.waiting > 0 && !this.isConnected);
  }

  openChat(): void {
    this.#chatOpen = true;
    this.#needs.wantsChanged();
    this.connect();
  }

  /** The person has left the chat; the link ends unless something still waits. */
  closeChat(): void {
    this.#chatOpen = false;
    this.#needs.wantsChanged();
    if (this.delivery.waiting === 0) this.#hangUp();
  }

  typing(active: boolean): void {
    this.#links.current?.send({ action: "typing", active });
  }

  /** The person has read this contact's messages up to `seq`; the other side is sent that, now or on the next link. */
  markRead(seq: number): void {
    const { contacts } = this.#needs.profile;
    const before = contacts.readHere(this.contact);
    contacts.saveReadHere(this.contact, seq);
    if (contacts.readHere(this.contact) !== before) this.#sendRead(this.#links.current);
  }

  #sendRead(link: PeerLink | undefined): void {
    const id = this.#needs.profile.contacts.readHere(this.contact);
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
    if (isMore) this.#needs.wantsChanged();
    if (isMore || this.#dialling.waitsForKey) this.#dialling.connectIfWanted();
  }

  /** Dials now, unless there is a link or a dial under way. */
  connect(): void {
    this.#dialling.connect();
  }

  /** The person is online, as the server says, or there is a server again. */
  peerMayBeReachable(): void {
    this.#dialling.connectAfresh();
  }

  /** The machine has slept, or its addresses have changed: the link must answer soon, or another is dialled. */
  lineMayHaveChanged(): void {
    this.#watch.doubt();
    this.peerMayBeReachable();
  }

  /** There is no server to say when the person comes, so known addresses are tried, again and again. */
  serverIsGone(): void {
    this.#dialling.connectWithoutServer();
  }

  /**
   * Step 5 of the checklist for one who has dialled us; whoever passes is greeted on a new link, which takes
   * the connection over.
   * @param atServer the fingerprint that the server names; undefined: none. @throws SQLiteError
   */
  admit(
    connection: LinkConnection,
    peer: ProvenPeer,
    atServer: string | undefined,
  ): "admitted" | "pending" | "refused" {
    const verdict = this.#record.judge(peer, atServer);
    if (verdict === "pending" || verdict === "refused") return verdict;
    if (verdict === "pin") this.#record.pin(peer);
    this.#greet(this.#links.newId(), "acceptor", connection, peer);
    return "admitted";
  }

  #greet(id: LinkId, role: "acceptor" | "dialler", connection: LinkConnection, peer: ProvenPeer): void {
    const { clock, profile } = this.#needs;
    const link = new PeerLink(
      { id, role, ownName: profile.username, clock, connection, peer },
      this.#linkEvents,
    );
    this.#links.add(link);
    link.greet();
  }

  /** Deadlines; to be called about once a second. */
  tick(): void {
    this.#links.tick(this.#needs.clock.monotonic());
    this.#watch.tick(this.wantsLink);
    this.#attempt(() => this.delivery.tick());
  }

  /** Says `bye` on what is open; what the other side still acknowledges is read until `terminate`. */
  close(): void {
    if (this.#state !== "open") return;
    this.#attempt(() => this.delivery.saveSent());
    this.#state = "closing";
    this.#dialling.close();
    this.#sayBye("bye");
  }

  /** Gives up what is dialled, and says `bye` on what is open. */
  #hangUp(): void {
    this.#dialling.giveUp();
    this.#sayBye("bye");
  }

  #sayBye(code: string): void {
    this.#dialling.leave();
    this.#links.endAll(code);
  }

  /** Ends what did not end in good order. */
  terminate(): void {
    this.#state = "closed";
    this.#links.terminateAll("closing");
  }

  /** A write that nobody relies on: a failure of the disk is reported, no more. */
  #attempt(save: () => void): void {
    try {
      save();
    } catch (error) {
      this.#needs.storageFailed(error);
    }
  }

  /** Where none is left, `#disconnected` follows. */
  #currentChanged(link: PeerLink | undefined): void {
    this.#watch.currentChanged(link !== undefined);
    // Also where an older link is left: what was said on the one that broke may have been lost with it.
    this.#sendRead(link);
    this.delivery.writeOn(link);
  }

  #completed(link: PeerLink): void {
    const wasConnected = this.isConnected;
    this.#record.rename(link.peer.name);
    this.#record.learn(link.features);
    this.#dialling.linked();
    this.#links.completed(link, this.#needs.clock.monotonic());
    if (!wasConnected) {
      this.#needs.emit({ name: "connected", username: this.username, address: link.remoteAddress });
    }
  }

  #linkClosed(link: PeerLink, life: LinkLife | undefined): void {
    this.delivery.dropRead();
    if (life !== undefined) {
      this.#watch.closed(link);
      if (this.#needs.clock.monotonic() - life.completedAt >= USEFUL_LIFE) this.#dialling.provenUseful();
    }
    const isLast = this.#links.closed(link);
    // Proven to us, and ended by them before their greeting: they did not admit us.
    if (life === undefined) this.#dialling.failed(link.id, "not_admitted");
    else if (isLast) this.#disconnected(life.byeReceived);
  }

  #disconnected(byeReceived: boolean): void {
    const { username } = this;
    const { heardAt } = this.#watch;
    this.#needs.emit({ name: "disconnected", username, bye: byeReceived, heardAt });
    this.#needs.wantsChanged();
    this.#dialling.disconnected(byeReceived, this.delivery.waiting > 0);
  }

  #readEnd(link: PeerLink): void {
    if (this.#state === "closed") return;
    const before = this.delivery.waiting;
    try {
      if (this.delivery.commitRead(link)) this.#dialling.provenUseful();
    } catch (error) {
      // Not acknowledged, so nothing is lost: it comes again on the next link.
      this.delivery.dropRead();
      link.refuse("storage_failed");
      this.#needs.storageFailed(error);
      return;
    }
    if (before > 0 && this.delivery.waiting === 0) this.#needs.wantsChanged();
    // What crossed their `bye` is acknowledged by them, so the link is read until nothing is missing.
    if (link.byeReceived && this.delivery.waiting === 0) link.end("bye_received");
  }
}
