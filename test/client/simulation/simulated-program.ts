/** One run of a person's program: the real conversation and store in a simulated environment. */
import { Durability } from "../../../src/client/disk/durability.ts";
import { StorageGuard } from "../../../src/client/disk/storage-guard.ts";
import { Decisions } from "../../../src/client/conversation/decisions.ts";
import { Intake } from "../../../src/client/conversation/intake.ts";
import { ConsentStore } from "../../../src/client/profile/consents.ts";
import { ContactStore, unstored, type Contact } from "../../../src/client/profile/contacts.ts";
import { Conversation } from "../../../src/client/conversation/conversation.ts";
import { MessageHistory } from "../../../src/client/profile/message-history.ts";
import { MessageRemoval } from "../../../src/client/profile/message-removal.ts";
import { PrivacyStore } from "../../../src/client/profile/privacy.ts";
import { RevocationStore } from "../../../src/client/profile/revocations.ts";
import { MessageStore } from "../../../src/client/profile/message-store.ts";
import { TransferStore } from "../../../src/client/profile/transfers.ts";
import { VerificationStore } from "../../../src/client/profile/verifications.ts";
import type { MessengerEvent } from "../../../src/client/conversation/events.ts";
import { Outbox } from "../../../src/client/conversation/outbox.ts";
import type { Profile } from "../../../src/client/profile/profile.ts";
import { surroundingsChange, type Surroundings } from "../../../src/client/rendezvous/surroundings.ts";
import { LinkReading } from "../../../src/client/peer/link-reading.ts";
import type { Connection, ConnectionHandlers } from "../../../src/net/connection.ts";
import { READS_NOTHING } from "../../../src/net/connection.ts";
import type { LinkWay } from "../../../src/client/peer/proven-connection.ts";
import type { ReachPush } from "../../../src/client/rendezvous/link.ts";
import { label as labelOf } from "../../../src/identity/names.ts";
import type { SeededRandom } from "../../seeded-random.ts";
import { IN_PLACE } from "../test-profile.ts";
import { eventText } from "./event-text.ts";
import type { Place, SimulatedNetwork } from "./simulated-network.ts";
import { keyOf, provenPeer, SimulatedReach } from "./simulated-reach.ts";
import type { ServerUser, SimulatedServer } from "./simulated-server.ts";
import { ProgramClock } from "./simulated-time.ts";
import type { Observer, Observed } from "./observer.ts";

const TICK = 1_000;
/** As in `src/client/messenger.ts`. */
const CLOSE_PATIENCE = 1_000;
const CLOSE_LOOK = 50;

/** The program has crashed here. */
export class Crash extends Error {
  readonly program: SimulatedProgram;

  constructor(program: SimulatedProgram) {
    super(`${program.name} crashes`);
    this.program = program;
  }
}

/** The environment that all programs share. */
export interface Surrounding {
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly server: SimulatedServer;
  /** Whether an event is running, and not a promise job. */
  readonly isInEvent: boolean;
  /** Called when a promise is settled: its jobs run before the next event. */
  settled(): void;
  note(what: () => string): void;
}

export type Owner = Place & Observed & { readonly typedName: string };
type Stores = Pick<
  Profile,
  | "username"
  | "contacts"
  | "consents"
  | "messages"
  | "revocations"
  | "privacy"
  | "relay"
  | "verifications"
  | "history"
  | "removal"
  | "transfers"
>;

export class SimulatedProgram implements ServerUser {
  readonly name: string;
  readonly clock: ProgramClock;
  readonly stores: Stores;
  readonly conversation: Conversation;
  readonly outbox: Outbox;
  readonly decisions: Decisions;
  readonly observer: Observer;
  /** Another process has written to the profile. */
  /** Steps until the program crashes. */
  stepsToCrash = Infinity;
  readonly #storage = new StorageGuard((error) => this.#tell({ name: "storageFailed", error }));
  readonly #durability: Durability;
  readonly #owner: Owner;
  readonly #other: Owner;
  readonly #around: Surrounding;
  readonly #ended: () => void;
  readonly #reach: SimulatedReach;
  #isOpen = false;
  /** Where the server has last seen it. */
  #seenAt: string | undefined;
  #state: "running" | "closing" | "ended" = "running";
  #isChatOpen = false;
  #surroundings: Surroundings;
  #isWatchChanged = false;
  #isWatching = false;
  /** As `WatchList`: changes of presence may have been missed. */
  #hasMissed = false;

  constructor(options: {
    owner: Owner;
    other: Owner;
    around: Surrounding;
    observer: Observer;
    /** The program has been closed. */
    ended: () => void;
  }) {
    const { owner, other, around } = options;
    this.name = owner.name;
    this.#owner = owner;
    this.#other = other;
    this.#around = around;
    this.#ended = options.ended;
    this.observer = options.observer;
    this.clock = new ProgramClock(owner.machine);
    const reading = new LinkReading();
    this.#durability = new Durability(
      {
        sync: (done) => {
          owner.disk.beginSync();
          this.clock.after(around.random.integer(around.random.pick([1, 10, 100, 1_500])), () => {
            owner.disk.endSync();
            done(null);
          });
        },
        syncNow: () => owner.disk.closed(),
      },
      (error) => this.#storage.failed(error),
      (isBehind) => reading.setDiskBehind(isBehind),
    );
    const { database } = owner.disk;
    const contacts = new ContactStore(database);
    const messages = new MessageStore(database, IN_PLACE, IN_PLACE);
    const consents = new ConsentStore(database);
    this.stores = {
      username: owner.name,
      contacts,
      consents,
      messages,
      revocations: new RevocationStore(database),
      privacy: new PrivacyStore(database),
      relay: owner.relay,
      verifications: new VerificationStore(database, contacts),
      history: new MessageHistory(database),
      removal: new MessageRemoval(database),
      transfers: new TransferStore(database),
    };
    this.#reach = new SimulatedReach(this, owner, other, around);
    const intake = new Intake({ consents, messages }, "requests");
    this.conversation = new Conversation(
      {
        profile: this.stores,
        intake,
        own: { label: labelOf(owner.name), spki: keyOf(owner.name) },
        clock: this.clock,
        random: () => around.random.next(),
        emit: (event) => this.#emit(event),
        transfers: {
          took: () => undefined,
          linkChanged: () => undefined,
          blocked: () => undefined,
          stream: () => undefined,
        },
        groups: {
          hasKey: () => false,
          hasLabel: () => false,
          linkUp: () => undefined,
          take: () => undefined,
          readEnd: () => undefined,
          drained: () => undefined,
          linkDown: () => undefined,
          presence: () => undefined,
          unreachable: () => undefined,
        },
        reading,
        serverLimitedFor: () => 0,
        wantsChanged: () => this.#wantsChanged(),
        storage: this.#storage,
        durability: this.#durability,
        isTraced: true,
        dial: (...dialled) => this.#reach.dial(...dialled),
        meet: (...met) => this.#reach.meetings.answer(...met),
        move: (...moved) => this.#reach.meetings.move(...moved),
      },
      // Only what somebody does stores them.
      contacts.find(other.typedName) ?? unstored(other.typedName),
    );
    const withOther = () => {
      this.conversation.store();
      return this.conversation;
    };
    this.decisions = new Decisions({
      profile: this.stores,
      conversations: { with: withOther, [Symbol.iterator]: () => [this.conversation].values() },
      intake,
      clock: this.clock,
      emit: (event) => this.#emit(event),
    });
    this.outbox = new Outbox({
      profile: this.stores as Profile,
      now: () => this.clock.now(),
      conversation: withOther,
      storage: this.#storage,
      durability: this.#durability,
      emit: (event) => this.#emit(event),
    });
    this.#surroundings = this.#look();
    this.#tickLater();
    around.server.logIn(owner, this);
  }

  get contact(): Contact {
    return this.conversation.contact;
  }

  get hasEnded(): boolean {
    return this.#state === "ended";
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  step(): void {
    if (!this.#around.isInEvent || this.#state === "ended" || --this.stepsToCrash > 0) return;
    throw new Crash(this);
  }

  /** Ends the program: nothing of it is called any more. @param isReset whether its machine resets its connections */
  end(isReset: boolean): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.clock.stop();
    this.#around.network.crashed(this, isReset);
  }

  get isVerified(): boolean {
    return this.stores.verifications.verifiedAt(this.contact) !== undefined;
  }

  openChat(): void {
    if (this.#isChatOpen) return;
    this.#isChatOpen = true;
    this.conversation.openChat();
  }

  closeChat(): void {
    if (!this.#isChatOpen) return;
    this.#isChatOpen = false;
    this.conversation.closeChat();
  }

  /** Their person wants to compare a code. */
  verify(): void {
    if (!this.isRunning || this.#owner.machine.isAsleep) return;
    try {
      this.conversation.store();
      this.conversation.openVerification(this);
    } catch (error) {
      this.observer.checkStorageFailure(error);
    }
  }

  /** The person compares the code with the other one's, if that is still there, and says that it is the same. */
  compare(): void {
    const { code, confirmed } = this.#owner;
    if (code === undefined || !this.isRunning || this.#owner.machine.isAsleep) return;
    if (this.#other.code === code || this.#other.confirmed.has(code)) {
      confirmed.add(code);
      this.conversation.verification.answer(true);
    } else this.conversation.verification.close();
  }

  /** As `Messenger.close`. */
  close(): void {
    if (!this.isRunning) return;
    this.#state = "closing";
    this.conversation.close();
    this.#around.server.logOut(this.#owner, this);
    const patience = this.clock.monotonic() + CLOSE_PATIENCE;
    const look = (): void => {
      if (this.conversation.transport.count > 0 && this.clock.monotonic() < patience) {
        this.clock.after(CLOSE_LOOK, look);
        return;
      }
      this.conversation.terminate();
      // A login may not have ended yet.
      this.#around.server.logOut(this.#owner, this);
      this.#durability.inOrder(() => {
        this.end(true);
        this.#ended();
      });
    };
    look();
  }

  #emit(event: MessengerEvent): void {
    if (event.name === "wire") this.#tell(event);
    else this.#durability.inOrder(() => this.#tell(event));
  }

  #tell(event: MessengerEvent): void {
    if (this.#state === "ended") return;
    if (event.name !== "wire") this.step();
    this.#around.note(() => `${this.name}: ${eventText(event)}`);
    this.observer.see(event);
  }

  #tickLater(): void {
    this.clock.after(TICK, () => {
      if (!this.isRunning) return;
      this.#tickLater();
      this.#tick();
    });
  }

  #look(): Surroundings {
    const { address } = this.#owner;
    return { now: this.clock.now(), monotonic: this.clock.monotonic(), network: address };
  }

  /** As `Messenger.#onTick`. */
  #tick(): void {
    const change = surroundingsChange(this.#surroundings, this.#look());
    this.#surroundings = this.#look();
    if (change !== undefined) {
      if (change === "moved") this.#around.server.moved(this.#owner, this);
      this.conversation.lineMayHaveChanged();
    }
    this.conversation.tick();
    this.#storage.attempt(() => this.decisions.tick());
  }

  /** As `WatchList.changed`. */
  #wantsChanged(): void {
    if (this.#isWatchChanged) return;
    this.#isWatchChanged = true;
    this.clock.after(0, () => {
      this.#isWatchChanged = false;
      const wantsPresence = this.conversation.wants.presence;
      if (wantsPresence === this.#isWatching || !this.#around.server.isLoggedIn(this)) return;
      this.#isWatching = wantsPresence;
      this.#around.server.watch(this, this.#other, wantsPresence);
    });
  }

  cameOnline(ip: string): void {
    this.#stopWatching();
    // As `Announcer`.
    const isBack = this.#seenAt !== undefined;
    if (isBack && this.#seenAt !== ip) this.conversation.lineMayHaveChanged();
    this.#seenAt = ip;
    this.#wantsChanged();
    this.conversation.peerMayBeReachable(isBack);
  }

  presence(online: boolean, isChange: boolean): void {
    const hasMissed = this.#hasMissed;
    if (!isChange) this.#hasMissed = false;
    this.conversation.presence(online, isChange || hasMissed);
  }

  #stopWatching(): void {
    if (this.#isWatching) this.#hasMissed = true;
    this.#isWatching = false;
  }

  serverIsGone(): void {
    this.#stopWatching();
    this.conversation.transport.serverIsGone();
  }

  otherHasMoved(): void {
    this.conversation.peerHasMoved();
  }

  /** As `Reach.take`. */
  take(push: ReachPush): void {
    if (!this.isRunning) return;
    const { reaching } = this.conversation.transport;
    if (push.action === "meet_request") {
      if (this.#reach.meetings.mayInvite(push)) this.#storage.attempt(() => reaching.invited(push));
    } else if (push.action !== "reachable") this.#reach.meetings.take(push);
    else {
      const wasOpen = this.#isOpen;
      this.#isOpen = push.results.some(({ open }) => open);
      if (this.#isOpen && !wasOpen) reaching.soon();
    }
    this.#around.settled();
  }

  /** As `PeerPort`, for a pinned or a first key. @param met undefined: they have dialled */
  accept(met?: { readonly way: LinkWay; readonly left: () => void }): ConnectionHandlers | undefined {
    const { way, left } = met ?? { way: "direct", left: () => undefined };
    if (!this.isRunning || (way === "direct" && this.#owner.relay === "only")) return undefined;
    return {
      ...READS_NOTHING,
      secured: () => true,
      opened: (connection) => this.#admit(connection, way, left),
      closed: left,
    };
  }

  #admit(connection: Connection, way: LinkWay, left: () => void): void {
    try {
      if (this.stores.consents.isBlocked(this.contact.label)) connection.terminate("blocked");
      else
        this.conversation.transport.greeter.admit(
          connection,
          provenPeer(this.#other),
          { name: "nothing" },
          way,
          { tookText: () => undefined, flooded: () => undefined, left },
        );
    } catch (error) {
      if (error instanceof Crash) throw error;
      connection.terminate("storage_failed");
      this.#storage.failed(error);
    }
  }
}
