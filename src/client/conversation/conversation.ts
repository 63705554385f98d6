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
 * 5. Whether the person may write to us is in the store (`intake.ts` obeys it), and `acceptance.ts` knows what both have
 *    told each other about it.
 */
import { ContactRecord } from "../peer/contact-record.ts";
import { ungreeted, type Greet } from "../peer/dial.ts";
import type { LinkId } from "../peer/link-choice.ts";
import { LinkWatch, type LinkPresence } from "../peer/link-watch.ts";
import {
  PeerLink,
  type ConversationMessage,
  type LinkEnd,
  type LinkLife,
  type PeerLinkEvents,
} from "../peer/link.ts";
import { PeerLinks } from "../peer/links.ts";
import type { ProvenPeer } from "../peer/proof.ts";
import type { Contact } from "../profile/contacts.ts";
import type { OutboxMessage } from "../profile/stored-message.ts";
import { Reaching } from "../reach/reaching.ts";
import { Acceptance } from "./acceptance.ts";
import { Delivery } from "./delivery.ts";
import { Dialling } from "./dialling.ts";
import { Greeter } from "./greeter.ts";
import type { ConversationNeeds } from "./needs.ts";
import { ShownLink } from "./shown-link.ts";
import { Signs } from "./signs.ts";
import { Verification, type OpenedVerification } from "./verification.ts";
import { Wants } from "./wants.ts";

/** A link that lasted this long was useful, in ms: after its loss the first wait is short again. */
const USEFUL_LIFE = 10_000;

export class Conversation {
  readonly delivery: Delivery;
  readonly verification: Verification;
  /** What the peer sees of our person besides texts. */
  readonly signs: Signs;
  readonly wants: Wants;
  readonly #acceptance: Acceptance;
  readonly #needs: ConversationNeeds;
  readonly #record: ContactRecord;
  readonly #links: PeerLinks;
  readonly greeter: Greeter;
  readonly reaching: Reaching;
  readonly #dialling: Dialling;
  readonly #watch: LinkWatch;
  readonly #shown: ShownLink;
  /** Whether nothing is committed any more: the profile is about to be closed. */
  #isTerminated = false;

  /** @throws SQLiteError */
  constructor(needs: ConversationNeeds, contact: Contact) {
    const { clock, profile, emit, storage, intake } = needs;
    const { contacts, consents, messages } = profile;
    const now = () => clock.now();
    this.#needs = needs;
    this.#record = new ContactRecord({
      contact,
      contacts,
      consents,
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
      mayTellAsked: () => this.#acceptance.isHeard,
      closed: (ending, hadPending) => this.#verificationClosed(ending === "verified", hadPending),
    });
    this.#acceptance = new Acceptance({ record: this.#record, consents, clock, storage, emit });
    this.delivery = new Delivery({
      record: this.#record,
      messages,
      intake,
      storage,
      emit,
      consentChanged: () => this.#acceptance.reload(),
      tookText: (link) => {
        this.#acceptance.tookText(link);
        this.#shown.show();
      },
      isShown: () => this.wants.isChatOpen,
      now,
    });
    this.signs = new Signs({
      profile,
      contact: () => this.contact,
      link: () => {
        const { current } = this.#links;
        const isSeen = this.#acceptance.isHeard && !this.#acceptance.isHeld;
        return isSeen && current?.isOpen === true ? current : undefined;
      },
      storage,
    });
    this.wants = new Wants({
      delivery: this.delivery,
      acceptance: this.#acceptance,
      verification: this.verification,
      isConnected: () => this.isConnected,
    });
    const decider = needs.own.label < contact.label;
    this.#links = new PeerLinks(decider, (link) => this.#currentChanged(link));
    this.#shown = new ShownLink({
      username: () => this.username,
      links: this.#links,
      watch: () => this.#watch,
      isShown: () => this.wants.isLookedAt || this.#acceptance.isHeard,
      emit,
    });
    const events: PeerLinkEvents = {
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
    const isHeard = () => this.#acceptance.isHeard;
    this.greeter = new Greeter({ needs, record: this.#record, links: this.#links, events, isHeard });
    const greet = (id: LinkId, ...dialled: Parameters<Greet>) =>
      this.greeter.greet(id, "dialler", ...dialled);
    this.reaching = new Reaching({
      meet: needs.meet,
      move: needs.move,
      clock,
      record: this.#record,
      links: this.#links,
      greet,
      admits: () => {
        const { consent, isHeard } = this.#acceptance;
        if (consent === "blocked" || (!isHeard && intake.refusesStrangers)) return "nowhere";
        return isHeard ? "anywhere" : "atRelay";
      },
      decider,
      doubt: () => this.#doubt(),
      failed: storage.failed,
    });
    this.#watch = new LinkWatch(clock, needs.reading, this.#links, {
      silent: (since) => this.#shown.silent(since),
      idle: () => this.#sayBye("idle"),
    });
    this.#dialling = new Dialling({
      needs,
      decider,
      record: this.#record,
      links: this.#links,
      wanted: () => this.wants.link,
      greet,
      unreachable: (reason, retryIn) => {
        // There is a link still, although a doubtful one.
        if (this.isConnected) return;
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

  /** Whether nobody would miss this conversation: the person has no link, and nothing of them is stored. */
  get isOver(): boolean {
    return (
      !this.#record.isStored && this.linkCount === 0 && !this.reaching.isUnderWay && !this.wants.isLookedAt
    );
  }

  /** A screen shows the chat, until it calls `closeChat`. */
  openChat(): void {
    this.wants.openChats++;
    this.#shown.show();
    this.#needs.wantsChanged();
    this.connect();
  }

  /** Stores somebody who may have been known only by a link, with its key. @throws SQLiteError */
  store(): void {
    if (!this.#record.isStored) this.#record.use(this.#record.store(this.#links.current?.peer));
  }

  /** Our person has changed whether they may write. */
  consentChanged(): void {
    this.#acceptance.reload();
    if (this.#acceptance.consent === "blocked") this.#hangUp();
    else this.#tellAcceptance();
    this.#needs.wantsChanged();
    this.connect();
  }

  /** Whoever was verified may write. */
  #accept(): void {
    const { profile, intake, emit, storage } = this.#needs;
    if (this.#acceptance.consent === "contact") return;
    storage.attempt(() => profile.consents.accept(this.contact));
    intake.changed();
    emit({ name: "contact", username: this.username, state: "contact" });
    this.consentChanged();
  }

  /** Tells them that they are accepted, if they do not know; texts that were held come on another link. */
  #tellAcceptance(): void {
    const holding = this.#acceptance.tellAll(this.#links.open);
    if (holding === undefined) return;
    this.#shown.show();
    for (const link of holding) {
      if (link === this.#links.current) this.#dialling.leave();
      link.bye("accepted");
    }
    // What was read before they were accepted was not told.
    this.signs.tellRead();
  }

  /** A screen has left the chat; after the last one the links end unless a message is unacknowledged. */
  closeChat(): void {
    this.wants.openChats--;
    this.#noLongerLookedAt();
  }

  #noLongerLookedAt(): void {
    this.#needs.wantsChanged();
    if (!this.wants.link) this.#hangUp();
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
      this.#accept();
      const isDropped = ({ label, fingerprint }: ProvenPeer) => !contacts.isPinned(label, fingerprint);
      this.#needs.storage.attempt(() => this.#links.terminateThose(isDropped, "key_dropped"));
    }
    this.#noLongerLookedAt();
  }

  /** New messages to this person have been stored. A text accepts them. */
  committed(messages: readonly OutboxMessage[]): void {
    this.wants.hasQueued = true;
    if (this.#acceptance.consent !== "contact" && this.#acceptance.reload())
      this.#needs.emit({ name: "contact", username: this.username, state: "contact" });
    this.#tellAcceptance();
    this.delivery.committed(messages);
    if (this.#acceptance.isHeld) this.#acceptance.reportHeld();
    this.connect();
  }

  /** Links with other keys end: the next one is with the machine that the server names. */
  keyAccepted(fingerprint: string): void {
    for (const link of this.#links.open) {
      if (link.peer.fingerprint === fingerprint) continue;
      if (link === this.#links.current) this.#dialling.leave();
      link.bye("other_key");
    }
    this.connect();
  }

  /** Dials now if a link is wanted, unless there is one or a dial under way. */
  connect(): void {
    this.#dialling.connectIfWanted();
  }

  /**
   * The server reports the person's presence.
   * @param isChange false: it answers the question who is there, which is asked after the end of each link
   */
  presence(online: boolean, isChange: boolean): void {
    this.#acceptance.presence(online);
    if (!online) return;
    this.#leaveHeldLink();
    if (isChange || !this.#dialling.wasInVain) this.#dialling.resetAndConnect();
  }

  /** This account is back at the server, or has a new certificate. */
  peerMayBeReachable(): void {
    this.#acceptance.cameOnline();
    this.reaching.soon();
    this.#leaveHeldLink();
    this.#dialling.resetAndConnect();
  }

  /** They were heard on the local network. */
  heardNearby(): void {
    this.#dialling.resetAndConnect();
  }

  /** Texts that are held are tried again on another link. */
  #leaveHeldLink(): void {
    if (this.#acceptance.isDue && this.isConnected) this.#sayBye("held");
  }

  /** The machine has slept, or its addresses have changed: the link must answer soon, or it is redialled. */
  lineMayHaveChanged(): void {
    this.#doubt();
    this.peerMayBeReachable();
  }

  /** Their addresses have changed, while they stay online: the link must answer soon, or it is redialled. */
  peerHasMoved(): void {
    this.#doubt();
    this.#dialling.resetAndConnect();
  }

  #doubt(): void {
    this.#watch.doubt();
    this.#links.doubt(this.#needs.clock.monotonic());
  }

  /** No server can report when the person comes online, so their known addresses are dialled repeatedly. */
  serverIsGone(): void {
    this.#dialling.connectWithoutServer();
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
    this.#links.tick(this.#needs.clock.monotonic(), this.#needs.reading.isPaused);
    if (this.isConnected) this.#dialling.checkLink(this.#links.isDoubtful);
    if (this.#acceptance.tick()) {
      this.#leaveHeldLink();
      this.connect();
    }
    this.#watch.tick(this.wants.link);
    this.reaching.tick();
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
    this.signs.tellRead();
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
      case "held":
        this.#takeHeld(link);
        return;
      case "accepted":
        // Now the texts that they have held are of use to them.
        if (this.#acceptance.accepted(this.#acceptance.consent === "contact")) this.#dialling.provenUseful();
        // From a stranger they have taken none.
        this.signs.tellRead();
        this.#needs.wantsChanged();
        return;
      case "delivered":
        // Nothing was ever sent to somebody who is not stored.
        if (!this.#record.isStored) return;
        break;
      case "pong":
        this.#acceptance.pong(link);
        break;
      case "read":
      case "typing":
      case "error":
        if (!this.#acceptance.isHeard) return;
        break;
      default:
        break;
    }
    this.delivery.take(message, link);
  }

  #takeHeld(link: PeerLink): void {
    // On an older link it says nothing about what was written on the current one; on one link it is said once.
    if (link !== this.#links.current || this.delivery.isHeldOn(link)) return;
    this.delivery.stopWritingOn(link);
    this.#acceptance.held();
    this.#needs.wantsChanged();
  }

  #completed(link: PeerLink): void {
    if (link.purpose === "verification") {
      this.#links.completedAside(link);
      this.#dialling.linked();
      this.verification.pendingCompleted(link);
      return;
    }
    this.#record.rename(link.peer.name);
    // Only whom one writes to has to understand what is sent.
    if (this.#acceptance.isHeard) this.#record.learn(link.features);
    this.#dialling.linked();
    // Before the texts.
    this.#acceptance.tell(link);
    this.#links.completed(link, this.#needs.clock.monotonic());
    this.#shown.show();
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
      this.#dialling.disconnected(life.byeReceived, this.wants.hasToSay);
  }

  #disconnected(byeReceived: boolean, isRevoked: boolean): void {
    this.#shown.ended(byeReceived, isRevoked);
    this.#needs.wantsChanged();
    this.#dialling.disconnected(byeReceived, this.wants.hasToSay);
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
    if (before > 0 && this.delivery.waiting === 0) {
      this.#acceptance.allTaken();
      this.#needs.wantsChanged();
    }
    // They still acknowledge messages that crossed their `bye`, so the link stays open until all are.
    if (link.byeReceived && !this.wants.hasToSay) link.end("bye_received");
  }
}
