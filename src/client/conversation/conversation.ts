/**
 * The conversation with one person: when it needs a link, and which links it has.
 *
 * 1. An unacknowledged message or an open chat needs a link: the server is asked for the person's addresses, all
 *    of them are dialled, and the first peer that proves its identity is greeted.
 * 2. `link-choice.ts` chooses the current link, `delivery.ts` writes on it, and `link-watch.ts` checks whether it
 *    still answers.
 * 3. `verification.ts` compares a code on the current link, or on one of its own with a key that waits for that.
 * 4. `dialling.ts` redials a link that was lost without `bye` as long as it is needed; after `bye` it redials only
 *    if a message is unacknowledged.
 */
import { ContactRecord } from "../peer/contact-record.ts";
import { ungreeted } from "../peer/dial.ts";
import type { LinkId } from "../peer/link-choice.ts";
import { LinkWatch, type LinkPresence } from "../peer/link-watch.ts";
import {
  PeerLink,
  type ConversationMessage,
  type LinkConnection,
  type LinkEnd,
  type LinkLife,
  type LinkPlace,
  type LinkPurpose,
  type PeerLinkEvents,
} from "../peer/link.ts";
import { PeerLinks } from "../peer/links.ts";
import type { Admission, KeyReport, ProvenPeer } from "../peer/proof.ts";
import type { Contact } from "../profile/contacts.ts";
import type { OutboxMessage } from "../profile/stored-message.ts";
import { Delivery } from "./delivery.ts";
import { Dialling } from "./dialling.ts";
import type { ConversationNeeds } from "./needs.ts";
import { Verification, type OpenedVerification } from "./verification.ts";

/** A link that lasted this long was useful, in ms: after its loss the first wait is short again. */
const USEFUL_LIFE = 10_000;

export class Conversation {
  readonly delivery: Delivery;
  readonly verification: Verification;
  readonly #needs: ConversationNeeds;
  readonly #record: ContactRecord;
  readonly #links: PeerLinks;
  readonly #linkEvents: PeerLinkEvents;
  readonly #dialling: Dialling;
  readonly #watch: LinkWatch;
  /** On how many screens the chat is open. */
  #openChats = 0;
  /** Whether a message was queued since this process began: somebody waits for its delivery. */
  #hasQueued = false;
  /** Whether nothing is committed any more: the profile is about to be closed. */
  #isTerminated = false;

  /** @throws SQLiteError */
  constructor(needs: ConversationNeeds, contact: Contact) {
    const { clock, profile, emit, storage } = needs;
    const { contacts, messages } = profile;
    const now = () => clock.now();
    this.#needs = needs;
    this.#record = new ContactRecord({
      contact,
      contacts,
      now,
      verifications: profile.verifications,
      keyPending: (fingerprint, isVerified) =>
        emit({ name: "keyPending", username: this.username, fingerprint, isVerified }),
      isVerifying: () => this.verification.isOpen,
      storage,
    });
    this.verification = new Verification({
      needs,
      contact: () => this.contact,
      tell: (news) => emit({ name: "verification", username: this.username, ...news }),
      closed: (ending, hadPending) => this.#verificationClosed(ending === "verified", hadPending),
    });
    this.delivery = new Delivery({ record: this.#record, messages, storage, emit, now });
    const decider = needs.own.label < contact.label;
    this.#links = new PeerLinks(decider, (link) => this.#currentChanged(link));
    this.#linkEvents = {
      complete: (link) => this.#completed(link),
      message: (message, link) => this.#take(message, link),
      readEnd: (link) => this.#readEnd(link),
      drained: (link) => {
        if (link === this.#links.current) this.delivery.pump();
      },
      closed: (link, life, end) => this.#linkClosed(link, life, end),
      ...(needs.isTraced && {
        trace: (direction, message) => emit({ name: "wire", link: "peer", direction, message }),
      }),
    };
    this.#watch = new LinkWatch(clock, needs.reading, this.#links, {
      silent: (since) => emit({ name: "silent", username: this.username, since }),
      idle: () => this.#sayBye("idle"),
    });
    this.#dialling = new Dialling({
      needs,
      decider,
      record: this.#record,
      links: this.#links,
      wanted: () => this.wantsLink,
      greet: (id, connection, peer, purpose) => this.#greet(id, "dialler", connection, peer, purpose),
      unreachable: (reason, retryIn) => {
        const { heardAt } = this.#watch;
        emit({ name: "unreachable", username: this.username, reason, retryIn, heardAt });
      },
    });
  }

  /** The registered spelling if it is known. */
  get username(): string {
    return this.#record.username;
  }

  get contact(): Contact {
    return this.#record.contact;
  }

  get isConnected(): boolean {
    return this.#links.isConnected;
  }

  /** This person's presence according to the direct link. */
  get linkPresence(): LinkPresence {
    return this.#watch.presence;
  }

  /** How many links there are, including those in their greeting. */
  get linkCount(): number {
    return this.#links.count;
  }

  /** Whether a message is unacknowledged, or the chat or the verification is open. */
  get wantsLink(): boolean {
    return this.#isLookedAt || this.delivery.waiting > 0;
  }

  /** Whether somebody waits for a link right now: they look at it, or what they have just sent is unacknowledged. */
  get isAwaited(): boolean {
    return this.#isLookedAt || (this.#hasQueued && this.delivery.waiting > 0);
  }

  /** Whether the server should report this person's presence: it is shown, or tells when to dial. */
  get wantsPresence(): boolean {
    return this.#isLookedAt || (this.delivery.waiting > 0 && !this.isConnected);
  }

  /** Whether the chat or the verification is open. */
  get #isLookedAt(): boolean {
    return this.#openChats > 0 || this.verification.isOpen;
  }

  /** A screen shows the chat, until it calls `closeChat`. */
  openChat(): void {
    this.#openChats++;
    this.#needs.wantsChanged();
    this.connect();
  }

  /** A screen has left the chat; after the last one the links end unless a message is unacknowledged. */
  closeChat(): void {
    this.#openChats--;
    this.#noLongerLookedAt();
  }

  #noLongerLookedAt(): void {
    this.#needs.wantsChanged();
    if (!this.wantsLink) this.#hangUp();
  }

  /** As `Messenger.openVerification`. */
  openVerification(face: object): OpenedVerification {
    const opened = this.verification.open(face);
    this.#needs.wantsChanged();
    this.connect();
    return opened;
  }

  /** @param hadPending the link of a key that waited ends: the next one is as any other, if the key is accepted now */
  #verificationClosed(isVerified: boolean, hadPending: boolean): void {
    if (hadPending) this.#dialling.leave();
    if (isVerified) {
      const { contacts } = this.#needs.profile;
      const isDropped = ({ label, fingerprint }: ProvenPeer) => !contacts.isPinned(label, fingerprint);
      this.#needs.storage.attempt(() => this.#links.terminateThose(isDropped, "key_dropped"));
    }
    this.#noLongerLookedAt();
  }

  /** @throws SQLiteError */
  typing(active: boolean): void {
    const { privacy } = this.#needs.profile;
    if (privacy.tells("typing", this.contact)) this.#links.current?.send({ action: "typing", active });
  }

  /**
   * The person has read this contact's messages up to `seq`; the peer receives that now or on the next link, unless
   * they are not to be told.
   * @throws SQLiteError
   */
  markRead(seq: number): void {
    const { contacts } = this.#needs.profile;
    const before = contacts.readHere(this.contact);
    contacts.saveReadHere(this.contact, seq);
    if (contacts.readHere(this.contact) !== before) this.#sendRead(this.#links.current);
  }

  #sendRead(link: PeerLink | undefined): void {
    if (link === undefined) return;
    const { profile, storage } = this.#needs;
    const id = storage.attempt(() => {
      if (profile.privacy.tells("read", this.contact)) return profile.contacts.readHere(this.contact);
      return undefined;
    });
    if (id !== undefined) link.send({ action: "read", id });
  }

  /** New messages to this person have been stored. */
  committed(messages: readonly OutboxMessage[]): void {
    this.#hasQueued = true;
    this.delivery.committed(messages);
    this.connect();
  }

  /** Dials now, unless there is a link or a dial under way. */
  connect(): void {
    this.#dialling.connect();
  }

  /** The server reports that the person is online, or the server is back. */
  peerMayBeReachable(): void {
    this.#dialling.resetAndConnect();
  }

  /** The machine has slept, or its addresses have changed: the link must answer soon, or it is redialled. */
  lineMayHaveChanged(): void {
    this.#watch.doubt();
    this.peerMayBeReachable();
  }

  /** No server can report when the person comes online, so their known addresses are dialled repeatedly. */
  serverIsGone(): void {
    this.#dialling.connectWithoutServer();
  }

  /**
   * Step 5 of the checklist for a peer that has dialled us. If it passes, a new link takes the connection over and
   * greets the peer.
   * @param place its place at the port
   * @returns other than `admitted` and `verifies`: why there is no link
   * @throws SQLiteError
   */
  admit(
    connection: LinkConnection,
    peer: ProvenPeer,
    report: KeyReport,
    place: LinkPlace | undefined,
  ): Admission {
    const verdict = this.#record.judge(peer, report);
    if (verdict !== "pinned" && verdict !== "pin" && verdict !== "verifies") return verdict;
    if (verdict === "pin") this.#record.pin(peer);
    const purpose = verdict === "verifies" ? "verification" : "conversation";
    this.#greet(this.#links.newId(), "acceptor", connection, peer, purpose, place);
    return verdict === "verifies" ? verdict : "admitted";
  }

  #greet(
    id: LinkId,
    role: "acceptor" | "dialler",
    connection: LinkConnection,
    peer: ProvenPeer,
    purpose: LinkPurpose,
    place?: LinkPlace,
  ): void {
    const { clock, profile, reading } = this.#needs;
    const link = new PeerLink(
      { id, role, ownName: profile.username, clock, reading, connection, peer, purpose, place },
      this.#linkEvents,
    );
    this.#links.add(link);
    link.greet();
  }

  /** Ends the links to this person whose certificate was revoked. */
  endRevoked(): void {
    this.#links.terminateThose((peer) => this.#isRevoked(peer), "revoked");
  }

  #isRevoked(peer: ProvenPeer): boolean {
    return this.#needs.profile.revocations.isRevoked(peer);
  }

  /** Checks deadlines; to be called about once a second. */
  tick(): void {
    this.#links.tick(this.#needs.clock.monotonic());
    this.#watch.tick(this.wantsLink);
    this.verification.tick();
    this.#needs.storage.attempt(() => this.delivery.tick());
  }

  /** Says `bye` on every link; acknowledgements of the peer are still read until `terminate`. */
  close(): void {
    this.#needs.storage.attempt(() => this.delivery.saveSent());
    this.#dialling.close();
    this.#sayBye("bye");
  }

  /** Cancels dials, and says `bye` on every link. */
  #hangUp(): void {
    this.#dialling.giveUp();
    this.#sayBye("bye");
  }

  #sayBye(code: string): void {
    this.#dialling.leave();
    this.#links.endAll(code);
  }

  /** Ends the links that have not ended after their `bye`. */
  terminate(): void {
    this.#isTerminated = true;
    this.#links.terminateAll("closing");
  }

  /** @param link undefined: none is left; then `#disconnected` follows */
  #currentChanged(link: PeerLink | undefined): void {
    this.#watch.currentChanged(link !== undefined);
    // Also if an older link has become current: the report may have been lost with the broken link.
    this.#sendRead(link);
    this.delivery.writeOn(link);
    this.verification.use(link);
  }

  #take(message: ConversationMessage, link: PeerLink): void {
    switch (message.action) {
      case "verify_commit":
      case "verify_reveal":
      case "verify_done":
        this.verification.take(message, link);
        return;
      default:
        this.delivery.take(message, link);
    }
  }

  #completed(link: PeerLink): void {
    if (link.purpose === "verification") {
      this.#links.completedAside(link);
      this.#dialling.linked();
      this.verification.pendingCompleted(link);
      return;
    }
    const wasConnected = this.isConnected;
    this.#record.rename(link.peer.name);
    this.#record.learn(link.features);
    this.#dialling.linked();
    this.#links.completed(link, this.#needs.clock.monotonic());
    if (!wasConnected) {
      this.#needs.emit({ name: "connected", username: this.username, address: link.remoteAddress });
    }
  }

  #linkClosed(link: PeerLink, life: LinkLife | undefined, end: LinkEnd): void {
    this.delivery.dropRead();
    if (life !== undefined) {
      this.#watch.closed(link);
      if (this.#needs.clock.monotonic() - life.completedAt >= USEFUL_LIFE) this.#dialling.provenUseful();
    }
    const isLast = this.#links.closed(link);
    this.verification.closed(link);
    const isRevoked = this.#isRevoked(link.peer);
    if (life === undefined) this.#dialling.failed(link.id, isRevoked ? "revoked" : ungreeted(end));
    else if (isLast) this.#disconnected(life.byeReceived, isRevoked);
    else if (link.purpose === "verification" && !this.isConnected)
      this.#dialling.disconnected(life.byeReceived, this.delivery.waiting > 0);
  }

  #disconnected(byeReceived: boolean, isRevoked: boolean): void {
    const { username } = this;
    const { heardAt } = this.#watch;
    const revoked = isRevoked ? { revoked: true as const } : {};
    this.#needs.emit({ name: "disconnected", username, bye: byeReceived, ...revoked, heardAt });
    this.#needs.wantsChanged();
    this.#dialling.disconnected(byeReceived, this.delivery.waiting > 0);
  }

  #readEnd(link: PeerLink): void {
    if (this.#isTerminated) return;
    const before = this.delivery.waiting;
    try {
      if (this.delivery.commitRead(link)) this.#dialling.provenUseful();
    } catch (error) {
      // The peer sends unacknowledged messages again on the next link.
      this.delivery.dropRead();
      link.refuse("storage_failed");
      this.#needs.storage.failed(error);
      return;
    }
    if (before > 0 && this.delivery.waiting === 0) this.#needs.wantsChanged();
    // They still acknowledge messages that crossed their `bye`, so the link stays open until all are.
    if (link.byeReceived && this.delivery.waiting === 0) link.end("bye_received");
  }
}
