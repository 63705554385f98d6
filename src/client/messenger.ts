/**
 * The messenger without a screen: everything that a person can do is a method of this class or of an object that
 * it hands out, and everything that happens is an event. The terminal and the one-shot commands use it.
 *
 * A messenger has one account online: it holds the profile's lock from `open` to `close`. Messages are committed to
 * the outbox before they are sent.
 */
import { label as labelOf } from "../identity/names.ts";
import { systemClock, type Clock } from "../net/clock.ts";
import type { UserEntry } from "../protocol/rendezvous-messages.ts";
import { Archive } from "./archive.ts";
import type { Conversation } from "./conversation/conversation.ts";
import type { Who } from "./conversation/consent.ts";
import { Conversations } from "./conversation/conversations.ts";
import { Decisions } from "./conversation/decisions.ts";
import { ABOUT_MESSAGES, type MessengerEvent } from "./conversation/events.ts";
import { isUsed } from "./conversation/transport.ts";
import { Intake } from "./conversation/intake.ts";
import type { LinkInfo } from "./conversation/shown-link.ts";
import type { OpenedVerification } from "./conversation/verification.ts";
import { checkNotSelf } from "./conversation/message-actions.ts";
import { Outbox } from "./conversation/outbox.ts";
import { takeProfile } from "./disk/check.ts";
import { Durability } from "./disk/durability.ts";
import type { ProfileLock } from "./disk/lock.ts";
import type { StorageGuard } from "./disk/storage-guard.ts";
import { StoreFaults } from "./disk/store-faults.ts";
import { Files } from "./file/transfer/files.ts";
import { isOfGroup } from "./group/files/giving.ts";
import { GroupFiles } from "./group/files/group-files.ts";
import { Groups } from "./group/groups.ts";
import { LinkReading } from "./peer/link-reading.ts";
import type { LinkPresence } from "./peer/link-watch.ts";
import { PeerTls } from "./peer/tls.ts";
import { isGroup } from "./profile/contacts.ts";
import { AccountMovedError, type Profile } from "./profile/profile.ts";
import type { RelayUse } from "./disk/schema.ts";
import { StoreUpkeep } from "./profile/upkeep.ts";
import { Reach, type ToldAddresses } from "./reach/reach.ts";
import type { Acceptance } from "./safety-numbers.ts";
import { Directory } from "./rendezvous/directory.ts";
import { LookupQueue } from "./rendezvous/lookup-queue.ts";
import { PresenceReports } from "./rendezvous/presence-reports.ts";
import { Rendezvous, type RendezvousOptions, type RendezvousState } from "./rendezvous/session.ts";
import { ShownServer } from "./rendezvous/shown-server.ts";
import { surroundings, surroundingsChange, type Surroundings } from "./rendezvous/surroundings.ts";

const TICK = 1_000;

export type MessengerOptions = Omit<RendezvousOptions, "events" | "p2pPort" | "random" | "now"> & {
  readonly profile: Profile;
  /** The command that this process runs, for other processes that find the account locked. */
  readonly command: string;
  /** The port to listen on; undefined: the first free one of 9000–9099. */
  readonly p2pPort: number | undefined;
  /** The port that peers dial; undefined: the one that this process listens on. */
  readonly announcedPort?: number;
  readonly onEvent: (event: MessengerEvent) => void;
  /** The account goes online also if it was exported to another machine. */
  readonly evenIfMoved?: boolean;
  /** Who may write unasked; undefined: strangers may ask. */
  readonly who?: Who | undefined;
  /** As for `Reach.useLan`; undefined: as before. */
  readonly lan?: boolean | undefined;
  /** Which ways are used; undefined: as before. */
  readonly relay?: RelayUse | undefined;
  /** Whether `wire` events are emitted. */
  readonly trace?: boolean;
  /** ms since 1970 */
  readonly now?: () => number;
  readonly random?: () => number;
};

export class Messenger {
  readonly profile: Profile;
  /** The command that this process runs. */
  readonly command: string;
  readonly rendezvous: Rendezvous;
  /** How this client is reached, and reaches others. */
  readonly reach: Reach;
  /** The stored conversations of this account. */
  readonly archive: Archive;
  /** Whether what peers send is read; the server is served in any case. */
  readonly reading = new LinkReading();
  readonly #onEvent: (event: MessengerEvent) => void;
  readonly #faults: StoreFaults;
  readonly #storage: StorageGuard;
  readonly #durability: Durability;
  readonly #clock: Clock;
  readonly #lock: ProfileLock;
  readonly #directory = new Directory(() => this.rendezvous.link);
  readonly #lookups: LookupQueue;
  readonly #tls: PeerTls;
  /** What this account's person decides about who may write. */
  readonly decisions: Decisions;
  /** What is to be sent: texts, and changes of texts. */
  readonly outbox: Outbox;
  /** The transfers of files. */
  readonly files: Files;
  /** Those that are given to all of a group. */
  readonly groupFiles: GroupFiles;
  readonly groups: Groups;
  readonly #upkeep: StoreUpkeep;
  /** At the last tick. */
  #surroundings: Surroundings;
  readonly #presences = new PresenceReports({
    link: () => this.rendezvous.link,
    shown: () => this.shown,
    followed: () => this.#conversations.listPresence(),
    find: (username) => this.#conversations.find(username),
    show: (name, username, online) => this.#emit({ name, username, online }),
  });
  /** The state of the server as screens show it. */
  readonly shown: ShownServer;
  readonly #conversations: Conversations;
  #tick: ReturnType<typeof setInterval>;
  /** The end of `close`; undefined: not called. */
  #closing: Promise<void> | undefined;

  private constructor(options: MessengerOptions, lock: ProfileLock) {
    this.#onEvent = options.onEvent;
    this.profile = options.profile;
    this.command = options.command;
    this.archive = new Archive(options.profile);
    this.#faults = new StoreFaults(options.profile, (error) =>
      this.#onEvent({ name: "storageFailed", error }),
    );
    this.#storage = this.#faults.guard;
    this.#durability = new Durability(
      options.profile.openLog(),
      (error) => {
        this.#storage.failed(error);
        for (const conversation of this.#conversations) conversation.storageFailed();
      },
      (isBehind) => this.reading.setDiskBehind(isBehind),
    );
    this.#clock = systemClock(options.now ?? Date.now);
    this.#lookups = new LookupQueue(this.#directory, this.#clock);
    this.#lock = lock;
    const now = () => this.#clock.now();
    this.#tls = new PeerTls(options.profile, now);
    this.#upkeep = new StoreUpkeep(options.profile);
    this.#surroundings = surroundings(this.#clock);
    this.shown = new ShownServer({
      clock: this.#clock,
      showState: (state) => this.#showState(state),
      showPresence: (username, online) => this.#presences.show(username, online),
      isWatched: (username) => this.#presences.covers(username),
    });
    const random = options.random ?? Math.random;
    const intake = new Intake(options.profile, options.who ?? "requests");
    this.groups = new Groups({
      profile: options.profile,
      clock: this.#clock,
      random,
      storage: this.#storage,
      durability: this.#durability,
      emit: this.#emit,
      conversation: (username) => this.#conversations.withCaller(username),
      clockOffset: () => this.rendezvous.clockOffset,
      presence: (username) => this.#presences.of(username),
      refusesStrangers: () => intake.refusesStrangers,
      fileStored: (message) => this.files.stored(message),
      filesEnded: (contact) => this.files.endAll(contact, "not_a_member"),
    });
    this.#conversations = new Conversations({
      profile: options.profile,
      intake,
      own: { label: labelOf(options.profile.username), spki: options.profile.keys.spki },
      clock: this.#clock,
      reading: this.reading,
      isTraced: options.trace === true,
      random,
      emit: this.#emit,
      transfers: {
        took: (...taken) => this.files.took(...taken),
        linkChanged: (username) => {
          this.files.active.linkChanged(username);
          this.groupFiles.fetching.linkChanged(username);
        },
        blocked: (username) => this.files.blocked(username),
        stream: (username, asked, stream) => {
          if (isOfGroup(asked.transfer)) this.groupFiles.giving.stream(asked, stream);
          else this.files.active.stream(username, asked, stream);
        },
      },
      groups: this.groups,
      wantsChanged: (username, wants) => {
        // With each message, so nothing here looks at all conversations.
        if (wants.hasPresenceChanged) this.#presences.changed();
        if (wants.isAwaited) this.#lookups.hurry(username);
      },
      storage: this.#storage,
      durability: this.#durability,
      serverLimitedFor: () => Math.max(this.#directory.limitedFor, this.reach.meetings.limitedFor),
      dial: (record, signal, greet) =>
        this.shown.dial(record.label, () => this.reach.dial(record, signal, greet), signal),
      meet: (...met) => this.reach.meetings.answer(...met),
      move: (...moved) => this.reach.meetings.move(...moved),
    });
    this.decisions = new Decisions({
      profile: options.profile,
      conversations: this.#conversations,
      intake,
      clock: this.#clock,
      emit: this.#emit,
    });
    this.outbox = new Outbox({
      profile: options.profile,
      now,
      conversation: (to) => (isGroup({ label: to }) ? this.groups.sender(to) : this.#conversations.with(to)),
      storage: this.#storage,
      durability: this.#durability,
      emit: this.#emit,
    });
    this.groupFiles = new GroupFiles({
      profile: options.profile,
      groups: this.groups,
      conversation: (username) => this.#conversations.withCaller(username),
      outbox: this.outbox,
      clock: this.#clock,
      storage: this.#storage,
      connect: (...stream) => this.reach.stream(...stream),
      changed: (transfer) => this.files.changed(transfer),
      reached: (transfer, end) => this.files.reached(transfer, end),
    });
    this.files = new Files({
      profile: options.profile,
      conversation: (username) => this.#conversations.with(username),
      find: (username) => this.#conversations.find(username),
      outbox: this.outbox,
      clock: this.#clock,
      storage: this.#storage,
      emit: this.#emit,
      connect: (...stream) => this.reach.stream(...stream),
      ofGroups: this.groupFiles.fetching,
      aboutGroup: (transfer) => this.groupFiles.about(transfer),
      isOfContact: (transfer) => this.groupFiles.isOfContact(transfer),
    });
    // First of all, so that a store that fails does so before the port and the timer exist.
    if (options.lan !== undefined) options.profile.useLan(options.lan);
    if (options.relay !== undefined) options.profile.useRelay(options.relay);
    this.#conversations.openOutbox();
    this.groups.begin();
    let wasOnline = false;
    this.rendezvous = new Rendezvous({
      ...options,
      p2pPort: () => (this.reach.port === undefined ? undefined : (options.announcedPort ?? this.reach.port)),
      now,
      random,
      events: {
        state: (state) => {
          this.#presences.reset();
          this.shown.state(state);
          this.#lookups.next();
          this.reach.serverIs(state);
          if (state.name !== "online") return;
          this.#presences.changed();
          for (const conversation of this.#conversations) conversation.peerMayBeReachable(wasOnline);
          this.groups.online();
          wasOnline = true;
        },
        presence: (username, online, moved) => {
          if (moved) this.#conversations.find(username)?.peerHasMoved();
          else this.#presences.reported(username, online, true);
        },
        reach: (push) => this.reach.take(push),
        revoked: () => {
          for (const conversation of this.#conversations) conversation.transport.endRevoked();
          this.#endStreams(({ peer }) => this.#tls.isRevoked(peer), "revoked");
        },
        // Nobody could be dialled with a certificate that was taken back.
        certified: () => {
          for (const conversation of this.#conversations) conversation.peerMayBeReachable(false);
        },
        storageFailed: this.#storage.failed,
        newKey: () => this.#emit({ name: "newKey" }),
        clockOffset: (offset) => {
          if (!this.shown.isBrieflyAway) this.#emit({ name: "clockOffset", offset });
        },
        ...(options.trace === true && {
          trace: (direction, message) => this.#emit({ name: "wire", link: "rendezvous", direction, message }),
        }),
      },
    });
    this.reach = new Reach(
      {
        profile: options.profile,
        tls: this.#tls,
        rendezvous: this.rendezvous,
        clock: this.#clock,
        storage: this.#storage,
        groups: this.groups,
        random,
        lookUpCaller: (username) => this.#directory.lookUp(username),
        lookUp: (username, asked) => {
          const conversation = this.#conversations.find(username);
          const isAwaited = () => conversation?.wants.isAwaited === true;
          return this.#lookups.lookUp(username, isAwaited, asked);
        },
        admit: (connection, peer, ...admitted) =>
          this.#conversations.withCaller(peer.name).transport.greeter.admit(connection, peer, ...admitted),
        refused: (address, code) => this.#emit({ name: "refusal", address, code }),
        heard: (label) => this.#conversations.withLabel(label)?.transport.retry(),
        invited: (invitation) => {
          if (invitation.purpose === "stream" && isOfGroup(invitation.transfer ?? ""))
            this.groupFiles.giving.invited(invitation);
          else if (invitation.purpose === "stream") this.files.active.invited(invitation);
          else this.#conversations.withCaller(invitation.username).transport.reaching.invited(invitation);
        },
        opened: () => {
          for (const conversation of this.#conversations) conversation.transport.reaching.soon();
        },
        moved: () => {
          for (const conversation of this.#conversations) conversation.lineMayHaveChanged();
        },
        waysChanged: (relay) => {
          for (const conversation of this.#conversations) conversation.transport.useRelay(relay);
          this.#endStreams(({ way }) => !isUsed(way, relay), "other_way");
        },
      },
      options.p2pPort,
    );
    this.files.active.begin();
    this.groupFiles.begin();
    this.#tick = setInterval(() => this.#onTick(), TICK);
  }

  #onTick(): void {
    // After sleep or with new addresses every connection may be dead: all are probed or redialled at once.
    const before = this.#surroundings;
    this.#surroundings = surroundings(this.#clock);
    const change = surroundingsChange(before, this.#surroundings);
    if (change !== undefined) {
      this.rendezvous.lineMayHaveChanged(change);
      for (const conversation of this.#conversations) conversation.lineMayHaveChanged();
      this.reach.lineMayHaveChanged();
    }
    this.reach.tick();
    this.#conversations.tick();
    this.#storage.attempt(() => this.decisions.tick());
    this.groups.tick();
    this.#storage.attempt(() => this.groupFiles.tick());
    this.#faults.tick();
    this.#upkeep.tick();
    this.shown.tick();
  }

  /**
   * Takes the profile's lock and the peer port. Sends nothing.
   * @throws ProfileLockedError, ProfileDamagedError, AccountMovedError, PortError
   */
  static open(options: MessengerOptions): Messenger {
    const { profile, evenIfMoved = false } = options;
    const lock = takeProfile(options);
    try {
      profile.reload();
      if (profile.movedAt !== undefined && !evenIfMoved) throw new AccountMovedError(profile.movedAt);
      return new Messenger(options, lock);
    } catch (error) {
      profile.noteDamage(error);
      lock.release();
      throw error;
    }
  }

  get username(): string {
    return this.profile.username;
  }

  /** Whether peers can connect: our certificate is still good, and who comes only by the relay finds the server there. */
  get canBeReached(): boolean {
    return this.#tls.isGood && (this.reach.port !== undefined || this.rendezvous.link !== undefined);
  }

  /** Until when new links can be opened without a server: the end of our certificate, ms since 1970. */
  get linksUntil(): number | undefined {
    return this.reach.port === undefined ? undefined : this.profile.certificate?.expiresAt;
  }

  /** Everyone online but oneself, sorted by name. @throws ServerError, RefusedError */
  async users(): Promise<readonly UserEntry[]> {
    await this.rendezvous.settled();
    return this.shown.list(() => this.#directory.users());
  }

  /** A chat is on a screen: a link is kept open until `closeChat` was called as often. @throws SelfError, SQLiteError */
  openChat(username: string): Conversation {
    checkNotSelf(this.profile, username);
    const conversation = this.#conversations.with(username);
    conversation.openChat();
    return conversation;
  }

  closeChat(username: string): void {
    this.#conversations.find(username)?.closeChat();
  }

  /** A face shows these people in a list: `watched` events tell when they come and go. @param usernames empty: none */
  watchPeople(face: object, usernames: readonly string[]): void {
    this.#presences.list(face, usernames);
  }

  /** The person has read this contact's messages up to `seq`, which is reported to the peer. @throws SQLiteError */
  markRead(username: string, seq: number): void {
    if (isGroup({ label: username })) {
      this.groups.markRead(username, seq);
      return;
    }
    this.#conversations.with(username).signs.markRead(seq);
    this.#emit({ name: "read", username });
  }

  /** We are typing to this person, or have stopped. @throws SQLiteError */
  typing(username: string, active: boolean): void {
    this.#conversations.find(username)?.signs.typing(active);
  }

  /** As `SafetyNumbers.acceptPending`; links with other keys end, and the person is dialled. @throws SQLiteError */
  acceptKey(username: string, shown?: string): Acceptance {
    const acceptance = this.archive.safetyNumbers.acceptPending(username, this.#clock.now(), shown);
    if (acceptance.result === "accepted")
      this.#conversations.find(username)?.keyAccepted(acceptance.number.fingerprint);
    return acceptance;
  }

  /**
   * A code is to be compared with this person; `verification` events tell what becomes of it.
   * @param face at which it is compared, until `leaveVerification`
   * @throws SelfError, SQLiteError
   */
  openVerification(username: string, face: object): OpenedVerification {
    checkNotSelf(this.profile, username);
    return this.#conversations.with(username).openVerification(face);
  }

  /** Whether the other person sees the same code. @returns false: there is none to compare */
  answerVerification(username: string, same: boolean): boolean {
    return this.#conversations.find(username)?.verification.answer(same) === true;
  }

  /** The code is compared no longer, at any face. */
  closeVerification(username: string): void {
    this.#conversations.find(username)?.verification.close();
  }

  /** A face is gone: what was opened at no other one is closed. */
  leaveVerification(username: string, face: object): void {
    this.#conversations.find(username)?.verification.leave(face);
  }

  /** A person's presence according to the direct link; undefined: no conversation in this process. */
  linkPresence(username: string): LinkPresence | undefined {
    return this.#conversations.find(username)?.transport.presence;
  }

  /**
   * How a person is connected, with the round trip in ms that was just measured (undefined: not answered in time), and
   * what they are told of where we are.
   */
  async linkInfo(username: string): Promise<{
    readonly link: (LinkInfo & { readonly roundTrip: number | undefined }) | undefined;
    readonly told: ToldAddresses | undefined;
  }> {
    const { told } = this.reach;
    const transport = this.#conversations.find(username)?.transport;
    const info = transport?.shown.info;
    if (info === undefined) return { link: undefined, told };
    return { link: { ...info, roundTrip: await transport?.current?.measure() }, told };
  }

  /** Says `bye` on every link, leaves the server, and releases the profile's lock. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      this.#storage.attempt(() => this.outbox.commit());
    } finally {
      clearInterval(this.#tick);
      this.reach.close();
      this.shown.close();
      this.groups.close();
      this.#conversations.close();
      this.rendezvous.close();
      this.#lookups.next();
    }
    await Promise.all([
      this.#conversations.end(),
      this.reach.end(),
      this.files.active.close(),
      this.groupFiles.close(),
    ]);
    // If that fails, it was told.
    await this.#durability.settled().catch(() => undefined);
    this.#upkeep.finish();
    this.#lock.release();
    this.profile.close();
  }

  #endStreams(...streams: Parameters<Files["active"]["endStreams"]>): void {
    this.files.active.endStreams(...streams);
    this.groupFiles.endStreams(...streams);
  }

  readonly #emit = (event: MessengerEvent): void => {
    // Who receives it may use the store, too.
    const tell = () => this.#storage.attempt(() => this.#onEvent(event));
    if (event.name === "wire") tell();
    else this.#durability.inOrder(tell, ABOUT_MESSAGES.has(event.name) ? () => undefined : tell);
  };

  #showState(state: RendezvousState): void {
    this.#emit({ name: "server", state, linksUntil: this.linksUntil });
    // Without a server, people are dialled at their last known addresses.
    if (state.name === "waiting") for (const each of this.#conversations) each.transport.serverIsGone();
  }
}
