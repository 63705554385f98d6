/**
 * The links of one conversation: from the moment at which one is wanted to one that is proven, greeted and still answers,
 * and what our person is told of it. What travels on them is the conversation's.
 *
 * 1. `dialling.ts` decides when the person is dialled, and redials a link that was lost without `bye` as long as one is
 *    wanted; after `bye` it redials only if a message is unacknowledged. `reaching.ts` meets them at the server.
 * 2. `greeter.ts` greets whom a dial, the port or a meeting has proven.
 * 3. `link-choice.ts` chooses the current link, and `link-watch.ts` checks whether it still answers.
 */
import { Budget } from "../peer/limits/budget.ts";
import type { ContactRecord } from "../peer/contact-record.ts";
import { ungreeted, type Greet } from "../peer/dial.ts";
import { Greeter } from "../peer/greeter.ts";
import { DOUBT_TIME, type LinkId } from "../peer/link-choice.ts";
import { LinkWatch, type LinkPresence } from "../peer/link-watch.ts";
import type { LinkEnd, LinkLife, PeerLink, PeerLinkEvents } from "../peer/link.ts";
import type { LinkWay } from "../peer/proven-connection.ts";
import { PeerLinks } from "../peer/links.ts";
import type { ProvenPeer } from "../peer/proof.ts";
import type { RelayUse } from "../disk/schema.ts";
import { Reaching } from "../reach/reaching.ts";
import { Dialling } from "./dialling.ts";
import type { ConversationNeeds } from "./needs.ts";
import { ShownLink } from "./shown-link.ts";
import type { Wants } from "./wants.ts";

/** How often the links are doubted because of what the server says. */
const DOUBTS = { burst: 5, perSecond: 0.2 } as const;
/** A link that lasted this long was useful, in ms: after its loss the first wait is short again. */
const USEFUL_LIFE = 10_000;

interface TransportEvents extends Pick<PeerLinkEvents, "message" | "readEnd" | "stream"> {
  /** A link is greeted: it may be complete soon. */
  greeted(): void;
  /** A link is complete. Nothing was written on it yet. */
  complete(link: PeerLink): void;
  /** There is a link with a key that waits for a verification. */
  pendingCompleted(link: PeerLink): void;
  /** This link is written on from now on; undefined: none is left. */
  currentChanged(link: PeerLink | undefined): void;
  /** A link takes more. */
  drained(link: PeerLink): void;
  /** A dial has failed, and there is no link. */
  unreachable(): void;
  /** A link is closed that was complete or not. */
  closed(link: PeerLink): void;
}

type TransportOptions = {
  readonly needs: ConversationNeeds;
  readonly record: ContactRecord;
  readonly wants: Wants;
  /** Whether the peer's texts are taken as they come. */
  readonly isHeard: () => boolean;
  /** Whether what comes on a link with this peer is read as it comes. */
  readonly isTrusted: (peer: ProvenPeer) => boolean;
  /** As for `Reaching`. */
  readonly admits: () => "anywhere" | "atRelay" | "nowhere";
  readonly events: TransportEvents;
};

/** Whether links go this way where `relay` is what an account uses. */
export function isUsed(way: LinkWay, relay: RelayUse): boolean {
  return way === "relayed" ? relay !== "never" : relay !== "only";
}

export class Transport {
  readonly greeter: Greeter;
  readonly reaching: Reaching;
  readonly #options: TransportOptions;
  readonly #links: PeerLinks;
  readonly #dialling: Dialling;
  readonly #watch: LinkWatch;
  readonly shown: ShownLink;
  readonly #doubts = new Budget(DOUBTS.burst, DOUBTS.perSecond);
  /** Cancels the look at links that are doubted. */
  #cancelLook: () => void = () => undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { needs, record, wants, isHeard, isTrusted, admits, events } = options;
    const { clock, emit } = needs;
    const decider = needs.own.label < record.label;
    this.#links = new PeerLinks(decider, (link) => this.#currentChanged(link));
    this.shown = new ShownLink({
      username: () => record.username,
      links: this.#links,
      watch: () => this.#watch,
      seeksDirect: () => this.reaching.seeksDirect,
      isShown: () => wants.isLookedAt || isHeard(),
      clock,
      emit,
    });
    this.greeter = new Greeter({
      ownName: () => needs.profile.username,
      clock,
      reading: needs.reading,
      record,
      links: this.#links,
      events: {
        complete: (link) => this.#completed(link),
        message: events.message,
        readEnd: events.readEnd,
        stream: events.stream,
        drained: events.drained,
        closed: (link, life, end) => this.#linkClosed(link, life, end),
        ...(needs.isTraced && {
          trace: (direction, message) => emit({ name: "wire", link: "peer", direction, message }),
        }),
      },
      greeted: events.greeted,
      isTrusted,
    });
    const greet = (id: LinkId, ...dialled: Parameters<Greet>) =>
      this.greeter.greet(id, "dialler", ...dialled);
    this.reaching = new Reaching({
      meet: needs.meet,
      move: needs.move,
      clock,
      record,
      links: this.#links,
      greet,
      relay: () => needs.profile.relay,
      admits,
      decider,
      doubt: () => this.doubtOnNews(),
      failed: needs.storage.failed,
    });
    this.#watch = new LinkWatch(clock, needs.reading, this.#links, {
      silent: (since) => this.shown.silent(since),
      idle: () => this.endAll("idle"),
    });
    this.#dialling = new Dialling({
      needs,
      decider,
      record,
      links: this.#links,
      wanted: () => wants.link,
      greet,
      unreachable: (reason, retryIn) => {
        // There is a link still, although a doubtful one.
        if (this.isConnected) return;
        const { heardAt } = this.#watch;
        emit({ name: "unreachable", username: record.username, reason, retryIn, heardAt });
        events.unreachable();
      },
    });
  }

  /** The link that is written on. */
  get current(): PeerLink | undefined {
    return this.#links.current;
  }

  get isConnected(): boolean {
    return this.#links.isConnected;
  }

  /** The complete links on which may be written. */
  get open(): readonly PeerLink[] {
    return this.#links.open;
  }

  /** The person's presence according to the direct link. */
  get presence(): LinkPresence {
    return this.#watch.presence;
  }

  /** How many links there are, including those in their greeting. */
  get count(): number {
    return this.#links.count;
  }

  /** Dials now if a link is wanted, unless there is one or a dial under way. */
  connect(): void {
    this.#dialling.connectIfWanted();
  }

  /** The person may have become reachable. */
  retry(): void {
    this.#dialling.resetAndConnect();
  }

  /** As `retry`, because the line of one side has changed. */
  renew(): void {
    this.#dialling.renew();
  }

  /** The server says that they are online. @param isChange false: it was asked */
  cameOnline(isChange: boolean): void {
    // They were away, perhaps without a word on the link.
    if (isChange && this.isConnected) this.doubtOnNews();
    if (isChange || !this.#dialling.wasInVain) this.retry();
  }

  /** Addresses of one side have changed: the links must answer soon, or they are redialled. */
  doubt(): void {
    const { clock } = this.#options.needs;
    this.#watch.doubt();
    this.#links.doubt(clock.monotonic());
    this.#cancelLook();
    this.#cancelLook = clock.after(DOUBT_TIME, () => this.tick());
  }

  /** As `doubt`, for the server says so, which may be hostile and say so all the time. */
  doubtOnNews(): void {
    if (this.#doubts.take(this.#options.needs.clock.monotonic())) this.doubt();
  }

  /** No server can report when the person comes online, so their known addresses are dialled repeatedly. */
  serverIsGone(): void {
    this.#dialling.connectWithoutServer();
  }

  /** The link was useful: after its loss the first wait is short again. */
  provenUseful(): void {
    this.#dialling.provenUseful();
  }

  /** Ends the links to this person whose certificate was revoked. */
  endRevoked(): void {
    this.#links.terminateThose((peer) => this.#isRevoked(peer), "revoked");
  }

  /** Ends the links with keys that are not the pinned one. @throws SQLiteError */
  endUnpinned(): void {
    const { contacts } = this.#options.needs.profile;
    const isDropped = ({ label, fingerprint }: ProvenPeer) => !contacts.isPinned(label, fingerprint);
    this.#links.terminateThose(isDropped, "key_dropped");
  }

  /** Only the ways that `relay` allows are used from now on: links of the others end, and every attempt begins anew. */
  useRelay(relay: RelayUse): void {
    const isUnused = ({ way }: PeerLink) => !isUsed(way, relay);
    this.#dialling.giveUp();
    if (this.current !== undefined && isUnused(this.current)) this.leave();
    this.#links.endThose(isUnused, "other_way");
    this.connect();
  }

  #isRevoked(peer: ProvenPeer): boolean {
    return this.#options.needs.profile.revocations.isRevoked(peer);
  }

  /** The next link is as any other, whatever the end of the current one. */
  leave(): void {
    this.#dialling.leave();
  }

  /** Says `bye` on these links. */
  end(links: readonly PeerLink[], code: string): void {
    for (const link of links) {
      if (link === this.current) this.leave();
      link.bye(code);
    }
  }

  /** Says `bye` on every link; acknowledgements of the peer are still read until `terminate`. */
  endAll(code: string): void {
    this.leave();
    this.#links.endAll(code);
  }

  /** Cancels dials, and says `bye` on every link. */
  hangUp(): void {
    this.#dialling.giveUp();
    this.endAll("bye");
  }

  /** As `hangUp`; nothing is dialled any more. */
  close(): void {
    this.#dialling.close();
    this.endAll("bye");
  }

  /** Ends the links that have not ended after their `bye`. */
  terminate(): void {
    this.#cancelLook();
    this.#links.terminateAll("closing");
  }

  /** Checks deadlines; to be called about once a second. */
  tick(): void {
    const { needs, wants } = this.#options;
    this.#links.tick(needs.clock.monotonic(), needs.reading.isPaused);
    if (this.isConnected) this.#dialling.checkLink(this.#links.isDoubtful);
    this.#watch.tick(wants.link);
    this.reaching.tick();
  }

  #currentChanged(link: PeerLink | undefined): void {
    this.#watch.currentChanged(link !== undefined);
    this.#options.events.currentChanged(link);
    this.shown.show();
  }

  #completed(link: PeerLink): void {
    const { events, needs } = this.#options;
    if (link.purpose === "verification") {
      this.#links.completedAside(link);
      this.#dialling.linked();
      events.pendingCompleted(link);
      return;
    }
    this.#dialling.linked();
    events.complete(link);
    this.#links.completed(link, needs.clock.monotonic());
  }

  #linkClosed(link: PeerLink, life: LinkLife | undefined, end: LinkEnd): void {
    const { needs, record, wants, events } = this.#options;
    if (life !== undefined) {
      this.#watch.closed(link);
      if (needs.clock.monotonic() - life.completedAt >= USEFUL_LIFE) this.provenUseful();
    }
    const isLast = this.#links.closed(link);
    events.closed(link);
    const isRevoked = this.#isRevoked(link.peer);
    if (life === undefined) {
      this.#dialling.failed(link.id, isRevoked ? "revoked" : ungreeted(end));
      return;
    }
    if (isLast) {
      this.shown.ended(life.byeReceived, isRevoked);
      needs.wantsChanged(record.username, wants);
    }
    if (isLast || (link.purpose === "verification" && !this.isConnected))
      this.#dialling.disconnected(life.byeReceived, wants.hasToSay);
  }
}
