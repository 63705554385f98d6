/**
 * One connection to a peer whose certificate and key are proven, from the greeting to the end.
 *
 * 1. The acceptor sends `hello`; the dialler checks it and answers with its own, within 10 s.
 * 2. The link is complete for the dialler when it has written `hello`, and for the acceptor when it has read it.
 *    From then on every checked message goes to the conversation.
 * 3. After `bye`, both sides still read the last acknowledgements of the other one.
 * 4. A dialler that wants the bytes of a transfer says `stream` in the place of `hello`: then this is no link, and the
 *    connection is handed on.
 * 5. A fault of the peer is answered with `error` before the link closes; an `error` is never answered.
 */
import type { CloseReason, Connection, ConnectionFault, ConnectionHandlers } from "../../net/connection.ts";
import type { Clock } from "../../net/clock.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import { networkOf } from "../../protocol/ip-address.ts";
import {
  FEATURES,
  PEER_PROTOCOL,
  readPeerMessage,
  type PeerMessage,
  type PeerOutput,
  type StreamMessage,
} from "../../protocol/peer-messages.ts";
import { RELAY } from "./admission.ts";
import type { LinkId } from "./link-choice.ts";
import type { LinkReading } from "./link-reading.ts";
import { Pings } from "./pings.ts";
import type { ProvenPeer } from "./proof.ts";
import type { LinkConnection, LinkWay, ProvenStream } from "./proven-connection.ts";
import { SlowReading } from "./limits/slow-reading.ts";

/** How long the greeting may take after the handshake, in ms (PROTOCOL 3, step 6). */
export const HELLO_TIMEOUT = 10_000;

/** How long the side that sends `bye` waits for the last acknowledgements, in ms. */
const BYE_TIMEOUT = 500;

/** How long the side that receives `bye` waits for the last acknowledgements, in ms. */
const BYE_RECEIVED_TIMEOUT = 2_000;

/** The messages of a conversation: all but the greeting and the end. */
export type ConversationMessage = Exclude<
  PeerMessage,
  { action: "hello" | "bye" | "stream" | "invalid" | "unknown" }
>;

/** What is known of a closed link that was complete. */
export type LinkLife = {
  /** When it was complete, by the monotonic clock. */
  readonly completedAt: number;
  /** Whether the peer has ended it on purpose. */
  readonly byeReceived: boolean;
};

/** Why a link ended. */
export type LinkEnd =
  | CloseReason
  /** The peer has refused our greeting with this error. */
  | { readonly name: "told"; readonly code: string };

export interface PeerLinkEvents {
  complete(link: PeerLink): void;
  message(message: ConversationMessage, link: PeerLink): void;
  /** All messages of one read were handled. */
  readEnd(link: PeerLink): void;
  drained(link: PeerLink): void;
  /** The peer has dialled us for the bytes of a transfer. `closed` came before: this is no link. Nothing is read of it. */
  stream(asked: StreamMessage, stream: ProvenStream): void;
  /** @param life undefined: the link was never complete */
  closed(link: PeerLink, life: LinkLife | undefined, end: LinkEnd): void;
  trace?(direction: "in" | "out", message: JsonObject): void;
}

/** Times are of the monotonic clock. */
type State =
  /** `deadline`: of the greeting. */
  | { readonly name: "greeting"; readonly deadline: number }
  /** The peer has refused the greeting with this error. */
  | { readonly name: "told"; readonly code: string }
  | { readonly name: "complete"; readonly features: readonly string[]; readonly completedAt: number }
  /** `bye` was sent or received: the last acknowledgements are read until the deadline. */
  | {
      readonly name: "leaving";
      readonly features: readonly string[];
      readonly completedAt: number;
      readonly code: string;
      readonly deadline: number;
      /** Whether the peer has sent it. */
      byeReceived: boolean;
    }
  | { readonly name: "closed" };

/** What is taken on a link whose purpose is a verification. */
const VERIFYING: ReadonlySet<ConversationMessage["action"]> = new Set([
  "verify_commit",
  "verify_reveal",
  "verify_done",
  "ping",
  "pong",
]);

/** The error code for each fault of the framing. */
const FAULT_CODES: { readonly [F in ConnectionFault]: string } = {
  garbage: "bad_json",
  tooLarge: "message_too_large",
  incomplete: "bad_request",
};

/** The place of a link at the peer port, if the peer has dialled us. */
export type LinkPlace = {
  /** A new text of the peer was stored. */
  tookText(): void;
  /** The peer has sent far more than is read of strangers. */
  flooded(): void;
  /** The link is closed. */
  left(): void;
};

/**
 * `verification`: the peer's key waits for the person's decision, and they have opened the verification. Nothing but that
 * is taken on the link, and nothing else is written.
 */
export type LinkPurpose = "conversation" | "verification";

type PeerLinkOptions = {
  readonly id: LinkId;
  readonly role: "acceptor" | "dialler";
  readonly ownName: string;
  readonly clock: Clock;
  readonly reading: LinkReading;
  readonly connection: LinkConnection;
  /** The proven peer of the connection. */
  readonly peer: ProvenPeer;
  readonly purpose: LinkPurpose;
  readonly way: LinkWay;
  /** Undefined: we have dialled. */
  readonly place: LinkPlace | undefined;
  /** Whether what they send is read as it comes; otherwise it is read slowly. */
  readonly isTrusted: () => boolean;
};

export class PeerLink implements ConnectionHandlers {
  readonly id: LinkId;
  readonly peer: ProvenPeer;
  readonly purpose: LinkPurpose;
  readonly way: LinkWay;
  readonly pings: Pings;
  readonly #role: "acceptor" | "dialler";
  readonly #ownName: string;
  readonly #clock: Clock;
  readonly #reading: LinkReading;
  readonly #connection: LinkConnection;
  readonly #place: LinkPlace | undefined;
  readonly #isTrusted: () => boolean;
  readonly #slow: SlowReading;
  readonly #events: PeerLinkEvents;
  #state: State;
  #isHolding = false;

  constructor(options: PeerLinkOptions, events: PeerLinkEvents) {
    this.id = options.id;
    this.peer = options.peer;
    this.purpose = options.purpose;
    this.way = options.way;
    this.#role = options.role;
    this.#ownName = options.ownName;
    this.pings = new Pings(options.clock);
    this.#clock = options.clock;
    this.#reading = options.reading;
    this.#connection = options.connection;
    this.#place = options.place;
    this.#isTrusted = options.isTrusted;
    this.#slow = new SlowReading(options.clock, options.connection, () => {
      this.#place?.flooded();
      this.terminate("flood");
    });
    this.#events = events;
    this.#state = { name: "greeting", deadline: options.clock.monotonic() + HELLO_TIMEOUT };
  }

  /** Whether we have dialled. */
  get isDialled(): boolean {
    return this.#role === "dialler";
  }

  get isComplete(): boolean {
    return this.#state.name === "complete" || this.#state.name === "leaving";
  }

  /** Whether messages may be written: neither side has sent `bye`. */
  get isOpen(): boolean {
    return this.#state.name !== "leaving" && this.#connection.isOpen;
  }

  /** Whether the peer is ending the link on purpose. */
  get byeReceived(): boolean {
    return this.#state.name === "leaving" && this.#state.byeReceived;
  }

  get features(): readonly string[] {
    return "features" in this.#state ? this.#state.features : [];
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** Where it comes from, for bounds that are for each network: everybody who is relayed is of one. */
  get network(): string {
    return this.way === "relayed" ? RELAY : networkOf(this.remoteAddress);
  }

  /** When the last byte was read, by the monotonic clock. */
  get lastReadAt(): number {
    return this.#connection.lastReadAt;
  }

  get remotePort(): number {
    return this.#connection.remotePort;
  }

  /** When it was complete, by the monotonic clock; undefined: it is not. */
  get completedAt(): number | undefined {
    return "completedAt" in this.#state ? this.#state.completedAt : undefined;
  }

  /** Measures the round trip of a ping, in ms. @returns undefined: it was not answered in time */
  measure(): Promise<number | undefined> {
    this.send({ action: "ping" });
    this.flush();
    return this.pings.measure();
  }

  get queuedBytes(): number {
    return this.#connection.queuedBytes;
  }

  /** As `Connection.exportKey`. */
  exportKey(label: string, length: number): Buffer | undefined {
    return this.#connection.exportKey(label, length);
  }

  /** Takes over the connection and begins the greeting. */
  greet(): void {
    this.#connection.handOverTo(this);
    this.#clock.watch(this);
    if (this.#role !== "acceptor") return;
    this.#sayHello();
    this.flush();
  }

  /** A new text of the peer was stored. */
  tookText(): void {
    this.#place?.tookText();
  }

  /** Whether nothing more that the peer writes on this link is taken. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** Takes nothing more that the peer writes; they are to be told so. */
  hold(): void {
    this.#isHolding = true;
  }

  send(message: PeerOutput): void {
    this.#events.trace?.("out", message);
    if ("action" in message && message.action === "ping") this.pings.sent();
    this.#connection.send(message);
  }

  flush(): void {
    this.#connection.flush();
  }

  /** What else this read contains is handled later. */
  endRead(): void {
    this.#connection.endRead();
  }

  /** Sends the peer the code of its fault, and ends the link. */
  refuse(code: string): void {
    this.send({ action: "error", code });
    this.end(code);
  }

  /** Ends the link on purpose: sends `bye`, and still reads the last acknowledgements. */
  bye(code: string): void {
    const state = this.#state;
    switch (state.name) {
      case "greeting":
        this.end(code);
        return;
      case "complete":
        this.send({ action: "bye" });
        this.flush();
        this.#leave(code, BYE_TIMEOUT, false);
        return;
      case "told":
      case "leaving":
      case "closed":
        return;
      default:
        state satisfies never;
    }
  }

  end(code: string): void {
    this.#connection.end(code);
  }

  terminate(code: string): void {
    this.#connection.terminate(code);
  }

  /** Called by the clock. */
  checkDeadlines(now: number): void {
    const state = this.#state;
    if (state.name === "greeting" && now >= state.deadline) this.terminate("hello_timeout");
    else if (state.name === "leaving" && now >= state.deadline) this.end(state.code);
  }

  // The methods from here to `closed` are called by the connection.

  message(object: JsonObject): void {
    this.#events.trace?.("in", object);
    this.#take(readPeerMessage(object));
    if (!this.isComplete) return;
    if (this.purpose === "verification" || this.#isHolding || !this.#isTrusted()) this.#slow.handled();
    if (!this.#reading.isPaused) return;
    this.#connection.pauseReading();
    this.#reading.hold(this.#readOn);
  }

  readonly #readOn = (): void => this.#slow.resume();

  #take(message: PeerMessage): void {
    if (this.#state.name === "greeting") {
      this.#takeGreeting(message);
      return;
    }
    switch (message.action) {
      case "invalid":
      case "hello":
      case "stream":
        this.refuse("bad_request");
        return;
      case "unknown":
        return;
      case "bye":
        this.#takeBye();
        return;
      case "pong":
        this.pings.takeAnswer();
        this.#events.message(message, this);
        return;
      default:
        if (this.purpose === "conversation" || VERIFYING.has(message.action))
          this.#events.message(message, this);
    }
  }

  fault(fault: ConnectionFault): void {
    this.refuse(FAULT_CODES[fault]);
  }

  readEnd(): void {
    if (this.isComplete) this.#events.readEnd(this);
  }

  overflow(connection: Connection): void {
    // Nothing is read from a peer that does not read, until it does (PROTOCOL 5).
    connection.pauseReading();
  }

  drained(): void {
    this.#slow.resume();
    if (this.isComplete) this.#events.drained(this);
  }

  closed(reason: CloseReason): void {
    const state = this.#state;
    this.#clock.unwatch(this);
    this.#reading.release(this.#readOn);
    this.#slow.closed();
    this.#place?.left();
    this.#state = { name: "closed" };
    const byeReceived = state.name === "leaving" && state.byeReceived;
    this.#events.closed(
      this,
      "completedAt" in state ? { completedAt: state.completedAt, byeReceived } : undefined,
      state.name === "told" ? state : reason,
    );
  }

  #sayHello(): void {
    this.send({ action: "hello", protocol: PEER_PROTOCOL, username: this.#ownName, features: [...FEATURES] });
  }

  #takeGreeting(message: PeerMessage): void {
    if (message.action === "error") {
      this.#clock.unwatch(this);
      this.#state = { name: "told", code: message.code };
      this.end(message.code);
      return;
    }
    if (message.action === "stream" && this.#role === "acceptor" && this.purpose === "conversation") {
      this.#connection.pauseReading();
      this.closed({ name: "local", code: "stream" });
      this.#events.stream(message, { connection: this.#connection, peer: this.peer, way: this.way });
      return;
    }
    if (message.action !== "hello" || message.protocol < 1) {
      this.refuse(message.action === "hello" ? "unsupported_protocol" : "bad_request");
      return;
    }
    if (message.username !== this.peer.name) {
      this.refuse("wrong_name");
      return;
    }
    this.#clock.unwatch(this);
    this.#state = { name: "complete", features: message.features, completedAt: this.#clock.monotonic() };
    // It is flushed at the end of this read, together with the messages of the outbox.
    if (this.#role === "dialler") this.#sayHello();
    this.#events.complete(this);
  }

  #takeBye(): void {
    if (this.#state.name === "leaving") this.#state.byeReceived = true;
    else this.#leave("bye_received", BYE_RECEIVED_TIMEOUT, true);
  }

  #leave(code: string, timeout: number, byeReceived: boolean): void {
    if (this.#state.name !== "complete") return;
    const deadline = this.#clock.monotonic() + timeout;
    this.#state = { ...this.#state, name: "leaving", code, deadline, byeReceived };
    this.#clock.watch(this);
  }
}
