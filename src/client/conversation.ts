/**
 * The conversation with one person: its links, when it dials, and how it ends.
 *
 * 1. Something to send, or an open chat, wants a link: the server is asked where the person is, all
 *    their addresses are dialled, and the first that proves itself is greeted.
 * 2. `link-choice.ts` says which link is current; `delivery.ts` writes on it.
 * 3. A link lost without `bye` is redialled after 1, 5, 15, 60 s, the decider first, while something is
 *    unacknowledged or the chat is open; after `bye` only when there is something to send.
 */
import { DialError, dial, type Target } from "../net/dialler.ts";
import type { CloseReason, Connection } from "../net/connection.ts";
import type { TlsContext } from "../net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../protocol/framing.ts";
import type { Contact } from "./contact-store.ts";
import { Delivery } from "./delivery.ts";
import {
  noLinks,
  stepLinks,
  type LinkAction,
  type LinkChoice,
  type LinkEvent,
  type LinkId,
} from "./link-choice.ts";
import type { OutboxMessage } from "./message-store.ts";
import type { MessengerEvent, UnreachableReason } from "./messenger-events.ts";
import { PeerLink, type ConversationMessage, type PeerLinkEvents } from "./peer-link.ts";
import { judgeKey, provePeer, type ProvenPeer, type ServerWord } from "./peer-proof.ts";
import type { Profile } from "./profile.ts";

/** Silence after which an open chat pings, in ms. */
export const PING_AFTER = 8_000;
/** Silence after which a side that pings takes the link as dead, in ms. */
export const DEAD_AFTER = 32_000;
/** Silence after which a link that nobody needs is ended, in ms. */
export const IDLE_AFTER = 60_000;
const REDIAL_DELAYS: readonly number[] = [1_000, 5_000, 15_000, 60_000];
const REDIAL_SPREAD = 0.2;
/** The side that is not the decider waits this much longer, so that the two do not meet. */
const SECOND_DIALLER_DELAY = 3_000;

/** Wait before redialling, in ms. @param random in [0, 1) */
export function redialDelay(attempt: number, decider: boolean, random: number): number {
  const base = REDIAL_DELAYS[Math.min(attempt, REDIAL_DELAYS.length - 1)] as number;
  return base * (1 - REDIAL_SPREAD + 2 * REDIAL_SPREAD * random) + (decider ? 0 : SECOND_DIALLER_DELAY);
}

/** Where a person is, by the server's word. */
export type Whereabouts =
  | {
      readonly name: "online";
      readonly username: string;
      readonly targets: readonly Target[];
      readonly fingerprint: string | undefined;
      readonly secure: boolean;
    }
  | { readonly name: "offline" }
  | { readonly name: "noServer" };

/** What a conversation needs of the messenger. */
export interface ConversationHost {
  readonly profile: Profile;
  readonly ownLabel: string;
  now(): number;
  random(): number;
  emit(event: MessengerEvent): void;
  lookUp(username: string): Promise<Whereabouts>;
  /** The context for dialling this label; undefined when our certificate is missing or has ended. */
  peerContext(label: string): TlsContext | undefined;
  /** Which conversations want news of presence has changed. */
  wantsChanged(): void;
}

export class Conversation {
  readonly label: string;
  readonly delivery: Delivery;
  readonly #host: ConversationHost;
  readonly #links = new Map<LinkId, PeerLink>();
  #contact: Contact;
  #choice: LinkChoice;
  #nextLink: LinkId = 1;
  #dialAbort: AbortController | undefined;
  #redial: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #chatOpen = false;
  #lastByeReceived = false;
  /** News that the person is reachable has come since the dial began. */
  #newsWhileDialling = false;
  #pingedAt = 0;
  /** When `tick` first saw that a link is wanted, on its clock; undefined while none is. */
  #wantedSince: number | undefined;
  #closed = false;

  constructor(host: ConversationHost, contact: Contact) {
    this.#host = host;
    this.#contact = contact;
    this.label = contact.label;
    this.#choice = noLinks(host.ownLabel < contact.label);
    this.delivery = new Delivery({
      contact: () => this.#contact,
      messages: host.profile.messages,
      emit: (event) => host.emit(event),
      now: () => host.now(),
    });
  }

  get username(): string {
    return this.#contact.username;
  }

  get contact(): Contact {
    return this.#contact;
  }

  get isConnected(): boolean {
    return this.#choice.current !== undefined;
  }

  /** Complete links and those under way; the port admits few of one user. */
  get linkCount(): number {
    return this.#links.size;
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
    if (this.delivery.unacknowledged === 0) this.#endAll("bye");
  }

  typing(active: boolean): void {
    this.#current()?.send({ action: "typing", active });
  }

  markRead(id: string): void {
    this.#current()?.send({ action: "read", id });
  }

  /** New messages to this person are on the disk. */
  committed(messages: readonly OutboxMessage[]): void {
    this.delivery.committed(messages);
    this.connect();
  }

  /** Dials now, unless there is a link or a dial under way. */
  connect(): void {
    if (this.#closed || this.#choice.current !== undefined || this.#choice.dial !== undefined) return;
    this.#newsWhileDialling = false;
    clearTimeout(this.#redial);
    this.#redial = undefined;
    const id = this.#nextLink++;
    const abort = new AbortController();
    this.#dialAbort = abort;
    this.#step({ name: "dialStarted", link: id });
    this.#dial(id, abort.signal)
      .then((failure) => {
        if (failure !== undefined) this.#dialFailed(id, failure);
      })
      .catch((error: unknown) => {
        this.#dialFailed(id, "unreachable");
        throw error;
      });
  }

  /** The person is online, by the server's word, or there is a server again. */
  peerMayBeReachable(): void {
    if (!this.wantsLink) return;
    this.#attempt = 0;
    // The dial under way may have asked the server before they came.
    this.#newsWhileDialling = this.#choice.dial !== undefined;
    this.connect();
  }

  /** Nobody will say when the person comes, so known addresses are tried, again and again. */
  serverIsGone(): void {
    if (this.wantsLink && this.#redial === undefined) this.connect();
  }

  /** A link that the peer port has accepted, before its greeting. */
  adopt(create: (id: LinkId, events: PeerLinkEvents) => PeerLink): PeerLink {
    const link = create(this.#nextLink++, this.#linkEvents());
    this.#links.set(link.id, link);
    return link;
  }

  /** Deadlines; to be called about once a second. @param monotonic `performance.now()` */
  tick(monotonic: number): void {
    this.#step({
      name: "time",
      now: monotonic,
      lastReadAt: (id) => this.#links.get(id)?.lastReadAt ?? 0,
    });
    this.#wantedSince = this.wantsLink ? (this.#wantedSince ?? monotonic) : undefined;
    const link = this.#current();
    if (link === undefined) return;
    const silence = monotonic - link.lastReadAt;
    if (this.#wantedSince !== undefined) {
      // Before that nobody pinged, and silence meant nothing.
      if (Math.min(silence, monotonic - this.#wantedSince) >= DEAD_AFTER) link.terminate("dead");
      else if (silence >= PING_AFTER && monotonic - this.#pingedAt >= PING_AFTER) {
        this.#pingedAt = monotonic;
        link.send({ action: "ping" });
      }
    } else if (silence >= IDLE_AFTER) this.#endAll("idle");
    this.#saveSent();
  }

  /** Says `bye` on what is open and ends it; nothing is dialled or stored after this. */
  close(): void {
    if (this.#closed) return;
    this.#saveSent();
    this.#closed = true;
    clearTimeout(this.#redial);
    this.#dialAbort?.abort();
    this.#endAll("bye");
  }

  /** That something was sent is no promise to anybody: a disk that does not take it is told of, no more. */
  #saveSent(): void {
    try {
      this.delivery.saveSent();
    } catch (error) {
      this.#host.emit({ name: "storageFailed", error: error as Error });
    }
  }

  #current(): PeerLink | undefined {
    return this.#choice.current === undefined ? undefined : this.#links.get(this.#choice.current);
  }

  #endAll(code: string): void {
    for (const link of this.#links.values()) {
      if (link.isComplete) link.send({ action: "bye" });
      link.end(code);
    }
  }

  #step(event: LinkEvent): void {
    const { choice, actions } = stepLinks(this.#choice, event);
    this.#choice = choice;
    for (const action of actions) this.#act(action);
  }

  #act(action: LinkAction): void {
    switch (action.name) {
      case "abandonDial":
        this.#dialAbort?.abort();
        this.#links.get(action.link)?.terminate("abandoned");
        return;
      case "writeOn":
        this.delivery.writeOn(this.#links.get(action.link));
        return;
      case "end":
        this.#links.get(action.link)?.end("replaced");
        return;
      case "disconnected":
        this.delivery.writeOn(undefined);
        this.#host.emit({ name: "disconnected", username: this.username, bye: this.#lastByeReceived });
        this.#host.wantsChanged();
        if (!this.#lastByeReceived || this.delivery.unacknowledged > 0) this.#scheduleRedial();
        return;
      default:
        action satisfies never;
    }
  }

  /** @returns why there is no link, undefined when the greeting has begun or the dial was abandoned. */
  async #dial(id: LinkId, signal: AbortSignal): Promise<UnreachableReason | undefined> {
    const { contacts } = this.#host.profile;
    const where = await this.#host.lookUp(this.username);
    if (signal.aborted) return undefined;
    if (where.name === "offline") return "offline";
    let word: ServerWord = { name: "nothing" };
    if (where.name === "online") {
      if (!where.secure) return "insecure";
      this.#rename(where.username);
      contacts.saveTargets(this.#contact, where.targets);
      if (where.fingerprint !== undefined) word = { name: "fingerprint", fingerprint: where.fingerprint };
    }
    const targets = where.name === "online" ? where.targets : contacts.targets(this.#contact);
    if (targets.length === 0) return "no_server";
    const context = this.#host.peerContext(this.label);
    if (context === undefined) return "no_certificate";
    const link = new PeerLink(id, "dialler", this.#host.profile.username, this.#linkEvents());
    let proven: ProvenPeer | undefined;
    let keyPending = false;
    try {
      await dial({
        targets,
        tls: context,
        objectLimit: PEER_OBJECT_LIMIT,
        signal,
        handlers: {
          ...link.handlers,
          opened: (connection: Connection) => {
            // The race is won and the dial not abandoned, so the peer is proven.
            const peer = proven as ProvenPeer;
            this.pin(peer);
            this.#links.set(id, link);
            link.greet(connection, peer);
          },
        },
        verify: (connection, handshake) => {
          const proof = provePeer(handshake, connection.certificate, {
            ownLabel: this.#host.ownLabel,
            target: this.username,
            now: this.#host.now(),
          });
          if (!proof.ok) return proof.code;
          const verdict = this.judge(proof.peer, word);
          keyPending ||= verdict === "pending";
          if (verdict === "pending" || verdict === "refused") return `key_${verdict}`;
          proven = proof.peer;
          return true;
        },
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      if (error.code === "abandoned") return undefined;
      if (keyPending) return "key_pending";
      return dialReason(error, where.name === "noServer");
    }
  }

  /** Step 5 of the checklist for this contact; a key that must wait is kept and told of. */
  judge(peer: ProvenPeer, word: ServerWord): ReturnType<typeof judgeKey> {
    const { contacts } = this.#host.profile;
    const pins = contacts.pins(this.#contact).map((pin) => pin.fingerprint);
    const verdict = judgeKey(pins, peer.fingerprint, word);
    if (verdict === "pending" && contacts.savePendingKey(this.#contact, peer, this.#host.now())) {
      this.#host.emit({ name: "keyPending", username: this.username, fingerprint: peer.fingerprint });
    }
    return verdict;
  }

  /** This key is the contact's from now on. */
  pin(peer: ProvenPeer): void {
    this.#host.profile.contacts.pin(this.#contact, peer, this.#host.now());
  }

  #rename(username: string): void {
    const { contacts } = this.#host.profile;
    contacts.rename(this.#contact, username);
    this.#contact = contacts.byLabel(this.label) ?? this.#contact;
  }

  #dialFailed(id: LinkId, reason: UnreachableReason): void {
    this.#step({ name: "dialFailed", link: id });
    if (this.#closed || this.#choice.current !== undefined) return;
    if (this.#newsWhileDialling && this.wantsLink) {
      this.connect();
      return;
    }
    const retryIn = RETRIED.has(reason) ? this.#scheduleRedial() : undefined;
    this.#host.emit({ name: "unreachable", username: this.username, reason, retryIn });
  }

  /** @returns the wait in ms, undefined when nothing wants a link. */
  #scheduleRedial(): number | undefined {
    if (this.#closed || !this.wantsLink) return undefined;
    const delay = redialDelay(this.#attempt++, this.#choice.decider, this.#host.random());
    clearTimeout(this.#redial);
    this.#redial = setTimeout(() => {
      this.#redial = undefined;
      if (this.wantsLink) this.connect();
    }, delay);
    return delay;
  }

  #linkEvents(): PeerLinkEvents {
    return {
      complete: (link) => this.#completed(link),
      message: (message, link) => this.#take(message, link),
      readEnd: (link) => this.#readEnd(link),
      drained: (link) => {
        if (link.id === this.#choice.current) this.delivery.pump();
      },
      closed: (reason, link) => this.#linkClosed(reason, link),
      trace: (direction, message) => this.#host.emit({ name: "wire", link: "peer", direction, message }),
    };
  }

  #completed(link: PeerLink): void {
    const wasConnected = this.isConnected;
    if (link.peer !== undefined) this.#rename(link.peer.name);
    clearTimeout(this.#redial);
    this.#redial = undefined;
    this.#attempt = 0;
    this.#lastByeReceived = false;
    this.#step({ name: "completed", link: link.id, now: performance.now() });
    if (!wasConnected) {
      this.#host.emit({ name: "connected", username: this.username, address: link.remoteAddress });
    }
  }

  #linkClosed(_reason: CloseReason, link: PeerLink): void {
    this.#links.delete(link.id);
    this.delivery.dropRead();
    this.#lastByeReceived = link.byeReceived;
    if (this.#choice.dial === link.id) {
      // Proven to us, and ended by them before their greeting: they did not admit us.
      this.#dialFailed(link.id, "not_admitted");
      return;
    }
    this.#step({ name: "closed", link: link.id });
  }

  #take(message: ConversationMessage, link: PeerLink): void {
    const { username } = this;
    switch (message.action) {
      case "chat":
        this.delivery.take(message);
        return;
      case "delivered":
        this.delivery.takeAcknowledgement(message.ids);
        return;
      case "ping":
        link.send({ action: "pong" });
        return;
      case "typing":
        this.#host.emit({ name: "typing", username, active: message.active });
        return;
      case "read":
        this.#host.emit({ name: "read", username, id: message.id });
        return;
      case "error":
        this.#host.emit({ name: "peerError", username, code: message.code });
        return;
      case "pong":
      case "bye":
        return;
      default:
        message satisfies never;
    }
  }

  #readEnd(link: PeerLink): void {
    if (this.#closed) return;
    const before = this.delivery.unacknowledged;
    try {
      this.delivery.commitRead(link);
    } catch (error) {
      // Not acknowledged, so nothing is lost: it comes again on the next link.
      this.delivery.dropRead();
      link.refuse("storage_failed");
      this.#host.emit({ name: "storageFailed", error: error as Error });
      return;
    }
    if (before > 0 && this.delivery.unacknowledged === 0) this.#host.wantsChanged();
    if (link.byeReceived) link.end("bye_received");
  }
}

/** What may be better at the next attempt; the rest waits for the person or the server's word. */
const RETRIED: ReadonlySet<UnreachableReason> = new Set(["unreachable", "no_server", "not_admitted"]);

/** Codes of an attempt that say something of the line or of a busy port, and nothing of who is there. */
const LINE_FAILURE = /^E[A-Z]+$|^closed|^handshake_timeout$|^timeout$/;

function dialReason(error: DialError, noServer: boolean): UnreachableReason {
  const codes = error.failures.map(({ code }) => code);
  if (codes.includes("key_refused")) return "not_proven";
  // Somebody else at one address, where another one is dead, says nothing of the person.
  if (codes.length > 0 && !codes.some((code) => LINE_FAILURE.test(code))) return "not_proven";
  return noServer ? "no_server" : "unreachable";
}
