/**
 * The conversation with one person: what is said on its links, and when it wants one.
 *
 * 1. An unacknowledged message or an open chat needs a link, which `transport.ts` gets and keeps.
 * 2. `delivery.ts` writes on the current one.
 * 3. `verification.ts` compares a code on the current link, or on one of its own with a key that waits for that.
 * 4. Whether the person may write to us is in the store (`intake.ts` obeys it), and `acceptance.ts` knows what both have
 *    told each other about it.
 */
import { GROUP_FEATURE } from "../../protocol/group-messages.ts";
import { ContactRecord } from "../peer/contact-record.ts";
import type { ConversationMessage, PeerLink } from "../peer/link.ts";
import type { Contact } from "../profile/contacts.ts";
import type { OutboxMessage } from "../profile/stored-message.ts";
import { Acceptance } from "./acceptance.ts";
import { Delivery } from "./delivery.ts";
import { ActionError } from "./message-actions.ts";
import type { ConversationNeeds } from "./needs.ts";
import { Receiving } from "./receiving.ts";
import { Signs } from "./signs.ts";
import { Transport } from "./transport.ts";
import { Verification, type OpenedVerification } from "./verification.ts";
import { Wants, type HoldReason } from "./wants.ts";

export class Conversation {
  readonly delivery: Delivery;
  readonly receiving: Receiving;
  readonly verification: Verification;
  /** What the peer sees of our person besides texts. */
  readonly signs: Signs;
  readonly wants: Wants;
  readonly #acceptance: Acceptance;
  readonly #needs: ConversationNeeds;
  readonly #record: ContactRecord;
  readonly transport: Transport;
  /** Whether nothing is committed any more: the profile is about to be closed. */
  #isTerminated = false;

  /** @throws SQLiteError */
  constructor(needs: ConversationNeeds, contact: Contact) {
    const { clock, profile, emit, storage, durability, intake } = needs;
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
    this.delivery = new Delivery({ record: this.#record, messages, storage, durability, emit, now });
    this.receiving = new Receiving({
      record: this.#record,
      delivery: this.delivery,
      intake,
      durability,
      emit,
      consentChanged: () => this.#acceptance.reload(),
      isContact: () => this.#acceptance.consent === "contact",
      tookText: (link) => {
        this.#acceptance.tookText(link);
        this.transport.shown.show();
      },
      tookControls: (controls) => needs.transfers.took(this.username, controls),
      isShown: () => this.wants.isChatOpen,
      now,
    });
    this.signs = new Signs({
      profile,
      contact: () => this.contact,
      link: () => {
        const { current } = this.transport;
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
    this.transport = new Transport({
      needs,
      record: this.#record,
      wants: this.wants,
      isHeard: () => this.#acceptance.isHeard,
      isTrusted: ({ fingerprint }) => this.#acceptance.isHeard || needs.groups.hasKey(fingerprint),
      admits: () => {
        const { consent, isHeard } = this.#acceptance;
        if (consent === "blocked") return "nowhere";
        if (isHeard || needs.groups.hasLabel(this.contact.label)) return "anywhere";
        return intake.refusesStrangers ? "nowhere" : "atRelay";
      },
      events: {
        greeted: () => this.delivery.prepare(),
        complete: (link) => this.#completed(link),
        pendingCompleted: (link) => this.verification.pendingCompleted(link),
        currentChanged: (link) => this.#currentChanged(link),
        message: (message, link) => this.#take(message, link),
        readEnd: (link) => this.#readEnd(link),
        stream: (asked, stream) => needs.transfers.stream(this.username, asked, stream),
        drained: (link) => {
          if (link === this.transport.current) this.delivery.pump();
          needs.groups.drained(link);
        },
        unreachable: () => needs.groups.unreachable(this.username),
        closed: (link) => {
          needs.groups.linkDown(link);
          this.receiving.dropRead();
          if (this.transport.count === 0 && !this.#isTerminated) this.delivery.takeBack();
          this.verification.closed(link);
        },
      },
    });
  }

  /** The registered spelling if it is known. */
  get username(): string {
    return this.#record.username;
  }

  get record(): ContactRecord {
    return this.#record;
  }

  get contact(): Contact {
    return this.#record.contact;
  }

  get isConnected(): boolean {
    return this.transport.isConnected;
  }

  /** @throws ActionError if our person has blocked them */
  checkSends(): void {
    if (this.#acceptance.consent === "blocked") throw new ActionError("blocked");
  }

  checkChanges(): void {}

  /** Whether nobody would miss this conversation: the person has no link, and nothing of them is stored. */
  get isOver(): boolean {
    const { count, reaching } = this.transport;
    return !this.#record.isStored && count === 0 && !reaching.isUnderWay && !this.wants.isAny;
  }

  /** A screen shows the chat, until it calls `closeChat`. */
  openChat(): void {
    this.wants.openChats++;
    this.transport.shown.show();
    this.#wantsChanged();
    this.connect();
  }

  /** Stores somebody who may have been known only by a link, with its key. @throws SQLiteError */
  store(): void {
    if (!this.#record.isStored) this.#record.use(this.#record.store(this.transport.current?.peer));
  }

  /** Our person has changed whether they may write. */
  consentChanged(): void {
    this.#acceptance.reload();
    if (this.#acceptance.consent === "blocked") {
      this.transport.hangUp();
      this.#needs.transfers.blocked(this.username);
    } else this.#tellAcceptance();
    this.#needs.transfers.linkChanged(this.username);
    this.#wantsChanged();
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
    const holding = this.#acceptance.tellAll(this.transport.open);
    if (holding === undefined) return;
    this.transport.shown.show();
    this.transport.end(holding, "accepted");
    // What was read before they were accepted was not told.
    this.signs.tellRead();
  }

  /** A transfer or a group wants a link from now on, or no longer does. Then it ends once nothing has been said for long. */
  hold(reason: HoldReason, isWanted: boolean): void {
    if (!this.wants.hold(reason, isWanted)) return;
    this.#wantsChanged();
    this.connect();
  }

  /** What held a link wants it no longer, nor what others have to say on it: it ends at once, unless something else wants it. */
  letGo(reason: HoldReason): void {
    if (this.wants.hold(reason, false)) this.#noLongerWanted();
  }

  /** It wants to know from now on when they come and go, or no longer does. */
  watch(reason: HoldReason, isWanted: boolean): void {
    if (this.wants.watch(reason, isWanted)) this.#wantsChanged();
  }

  /** A screen has left the chat; after the last one the links end unless a message is unacknowledged. */
  closeChat(): void {
    this.wants.openChats--;
    this.#noLongerWanted();
  }

  #noLongerWanted(): void {
    this.#wantsChanged();
    if (!this.wants.link) this.transport.hangUp();
  }

  /** As `Messenger.openVerification`. */
  openVerification(face: object): OpenedVerification {
    const opened = this.verification.open(face);
    this.#wantsChanged();
    this.connect();
    return opened;
  }

  /** @param hadPending the link of a key that waited ends: the next one is as any other, if the key is accepted now */
  #verificationClosed(isVerified: boolean, hadPending: boolean): void {
    if (hadPending) this.transport.leave();
    if (isVerified) {
      // The wait for the next dial is short again: what waited for the verification is sent now.
      this.transport.provenUseful();
      this.#accept();
      this.#needs.storage.attempt(() => this.transport.endUnpinned());
    }
    this.#noLongerWanted();
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
    this.#wantsChanged();
  }

  /** Messages to this person have been removed from the outbox. @throws SQLiteError */
  cancelled(): void {
    this.delivery.recount();
    this.#wantsChanged();
  }

  #wantsChanged(): void {
    this.#needs.wantsChanged(this.username, this.wants);
  }

  /** Links with other keys end: the next one is with the machine that the server names. */
  keyAccepted(fingerprint: string): void {
    const { transport } = this;
    transport.end(
      transport.open.filter(({ peer }) => peer.fingerprint !== fingerprint),
      "other_key",
    );
    this.connect();
  }

  /** Dials now if a link is wanted, unless there is one or a dial under way. */
  connect(): void {
    this.transport.connect();
  }

  /**
   * The server reports the person's presence.
   * @param isChange false: it answers the question who is there, which is asked after the end of each link
   */
  presence(online: boolean, isChange: boolean): void {
    this.#acceptance.presence(online);
    this.#needs.groups.presence(this.username, online);
    if (!online) return;
    this.#leaveHeldLink();
    this.transport.cameOnline(isChange);
  }

  /**
   * This account is at the server, or has a new certificate.
   * @param isElsewhere our line has changed or was broken: what is under way may hang
   */
  peerMayBeReachable(isElsewhere: boolean): void {
    this.#acceptance.cameOnline();
    this.transport.reaching.soon();
    this.#leaveHeldLink();
    if (isElsewhere) this.transport.renew();
    else this.transport.retry();
  }

  /** Texts that are held are tried again on another link. */
  #leaveHeldLink(): void {
    if (this.#acceptance.isDue && this.isConnected) this.transport.endAll("held");
  }

  /** The machine has slept, or its addresses have changed: the link must answer soon, or it is redialled. */
  lineMayHaveChanged(): void {
    this.transport.doubt();
    this.peerMayBeReachable(true);
  }

  /** Their addresses have changed, while they stay online: the link must answer soon, or it is redialled. */
  peerHasMoved(): void {
    this.transport.doubtOnNews();
    this.transport.renew();
  }

  /** Checks deadlines; to be called about once a second. */
  tick(): void {
    if (this.#acceptance.tick()) {
      this.#leaveHeldLink();
      this.connect();
    }
    this.transport.tick();
    this.verification.tick();
    this.#needs.storage.attempt(() => this.delivery.tick());
  }

  /** Says `bye` on every link; acknowledgements of the peer are still read until `terminate`. */
  close(): void {
    this.#needs.storage.attempt(() => this.delivery.saveSent());
    this.transport.close();
  }

  /** What was read may never come to the disk: the peer sends it again on the next link. */
  storageFailed(): void {
    for (const link of this.transport.open) link.refuse("storage_failed");
  }

  /** Ends the links that have not ended after their `bye`. */
  terminate(): void {
    this.#isTerminated = true;
    this.transport.terminate();
  }

  /** @param link undefined: none is left; then `#disconnected` follows */
  #currentChanged(link: PeerLink | undefined): void {
    this.delivery.writeOn(link);
    this.signs.tellRead();
    this.verification.use(link);
    this.#needs.transfers.linkChanged(this.username);
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
        if (this.#acceptance.accepted(this.#acceptance.consent === "contact")) this.transport.provenUseful();
        // From a stranger they have taken none.
        this.signs.tellRead();
        this.#wantsChanged();
        return;
      case "group_invite":
      case "group_decline":
      case "group_heads":
      case "group_entries":
      case "group_want":
      case "group_fork":
      case "group_seen":
        this.#needs.groups.take(message, link);
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
    this.receiving.take(message, link);
  }

  #takeHeld(link: PeerLink): void {
    // On an older link it says nothing about what was written on the current one; on one link it is said once.
    if (link !== this.transport.current || this.delivery.isHeldOn(link)) return;
    this.delivery.stopWritingOn(link);
    this.#acceptance.held();
    this.#wantsChanged();
  }

  #completed(link: PeerLink): void {
    this.#record.rename(link.peer.name);
    // Only whom one writes to has to understand what is sent.
    if (this.#acceptance.isHeard) this.#record.learn(link.features);
    // Before the texts.
    this.#acceptance.tell(link);
    if (link.features.includes(GROUP_FEATURE)) this.#needs.groups.linkUp(link);
  }

  #readEnd(link: PeerLink): void {
    if (this.#isTerminated) return;
    this.#needs.groups.readEnd(link);
    const before = this.delivery.waiting;
    try {
      if (this.receiving.commitRead(link)) this.transport.provenUseful();
    } catch (error) {
      // The peer sends unacknowledged messages again on the next link.
      this.receiving.dropRead();
      link.refuse("storage_failed");
      this.#needs.storage.failed(error);
      return;
    }
    if (before > 0 && this.delivery.waiting === 0) {
      this.#acceptance.allTaken();
      this.#wantsChanged();
    }
    // They still acknowledge messages that crossed their `bye`, so the link stays open until all are; and we theirs.
    this.#needs.durability.inOrder(() => {
      if (link.byeReceived && !this.wants.hasToSay) link.end("bye_received");
    });
  }
}
