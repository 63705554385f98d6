/**
 * One connection to a peer whose certificate and key are proven, from the greeting to the end.
 *
 * 1. The acceptor says `hello`; the dialler checks it and answers with its own, within 10 s.
 * 2. The link is complete: for the dialler when it has written `hello`, for the acceptor when it has
 *    read it. From then on every checked message goes to the conversation.
 * 3. A fault of the other side is told as `error` before closing; an `error` is never answered.
 */
import type { CloseReason, Connection, ConnectionFault, ConnectionHandlers } from "../../net/connection.ts";
import type { JsonObject } from "../../protocol/framing.ts";
import {
  FEATURES,
  PEER_PROTOCOL,
  readPeerMessage,
  type PeerMessage,
  type PeerOutput,
} from "../../protocol/peer-messages.ts";
import type { Clock } from "../../net/clock.ts";
import type { LinkId } from "./link-choice.ts";
import type { ProvenPeer } from "./proof.ts";

/** The greeting must be done this long after the handshake, in ms (PROTOCOL 3, step 6). */
export const HELLO_TIMEOUT = 10_000;

/** How long after our `bye` the other side may still acknowledge, in ms. */
const BYE_PATIENCE = 500;

/** How long a side that was told `bye` waits for the last acknowledgements of the one that said it, in ms. */
const BYE_ANSWER_PATIENCE = 2_000;

/** The messages of a conversation: all but the greeting. */
export type ConversationMessage = Exclude<
  PeerMessage,
  { action: "hello" | "stream" | "invalid" | "unknown" }
>;

export interface PeerLinkEvents {
  complete(link: PeerLink): void;
  message(message: ConversationMessage, link: PeerLink): void;
  /** Everything of one read was handed over. */
  readEnd(link: PeerLink): void;
  drained(link: PeerLink): void;
  closed(reason: CloseReason, link: PeerLink): void;
  trace?(direction: "in" | "out", message: JsonObject): void;
}

type State =
  | { readonly name: "proving" }
  /** `deadline`: of the monotonic clock, by which the greeting is done. */
  | { readonly name: "greeting"; readonly deadline: number }
  | {
      readonly name: "complete";
      readonly features: readonly string[];
      /** One side has said `bye`: both acknowledge what they have, and end; this one at the deadline at the latest. */
      readonly leaving: { readonly code: string; readonly deadline: number } | undefined;
    }
  | { readonly name: "closed" };

/** The code that each fault of the framing is told with. */
const FAULT_CODES: { readonly [F in ConnectionFault]: string } = {
  garbage: "bad_json",
  tooLarge: "message_too_large",
  incomplete: "bad_request",
};

export type PeerLinkOptions = {
  readonly id: LinkId;
  readonly role: "acceptor" | "dialler";
  readonly ownName: string;
  readonly clock: Clock;
};

/** What a link needs of the connection that it stands on. */
export type LinkConnection = Pick<
  Connection,
  "isOpen" | "remoteAddress" | "lastReadAt" | "queuedBytes" | "send" | "flush" | "end" | "terminate"
>;

export class PeerLink {
  readonly id: LinkId;
  readonly role: "acceptor" | "dialler";
  /** The other side said that it ends on purpose. */
  byeReceived = false;
  readonly #ownName: string;
  readonly #clock: Clock;
  readonly #events: PeerLinkEvents;
  #state: State = { name: "proving" };
  #connection: LinkConnection | undefined;
  #peer: ProvenPeer | undefined;

  constructor(options: PeerLinkOptions, events: PeerLinkEvents) {
    this.id = options.id;
    this.role = options.role;
    this.#ownName = options.ownName;
    this.#clock = options.clock;
    this.#events = events;
  }

  get peer(): ProvenPeer | undefined {
    return this.#peer;
  }

  /** When the greeting was done, of the monotonic clock; undefined: it never was. */
  completedAt: number | undefined;

  get isComplete(): boolean {
    return this.#state.name === "complete";
  }

  /** Whether texts may be written: neither side has said that it ends. */
  get isOpen(): boolean {
    const isLeaving = this.#state.name === "complete" && this.#state.leaving !== undefined;
    return this.#connection?.isOpen === true && !isLeaving;
  }

  get features(): readonly string[] {
    return this.#state.name === "complete" ? this.#state.features : [];
  }

  get remoteAddress(): string {
    return this.#connection?.remoteAddress ?? "";
  }

  /** When the last byte was read, of the monotonic clock. */
  get lastReadAt(): number {
    return this.#connection?.lastReadAt ?? 0;
  }

  get queuedBytes(): number {
    return this.#connection?.queuedBytes ?? 0;
  }

  /** The greeting begins: the connection is `peer`'s, proven. */
  greet(connection: LinkConnection, peer: ProvenPeer): void {
    if (this.#state.name !== "proving") return;
    this.#connection = connection;
    this.#peer = peer;
    this.#state = { name: "greeting", deadline: this.#clock.monotonic() + HELLO_TIMEOUT };
    this.#clock.watch(this);
    if (this.role !== "acceptor") return;
    this.#sayHello();
    this.flush();
  }

  send(message: PeerOutput): void {
    this.#events.trace?.("out", message);
    this.#connection?.send(message);
  }

  flush(): void {
    this.#connection?.flush();
  }

  /** Tells the other side of its fault, and ends. */
  refuse(code: string): void {
    this.send({ action: "error", code });
    this.#connection?.end(code);
  }

  /** Ends on purpose: says `bye`, and still reads what the other side has to acknowledge. */
  bye(code: string): void {
    if (this.#state.name !== "complete") {
      this.end(code);
      return;
    }
    if (this.#state.leaving !== undefined) return;
    this.send({ action: "bye" });
    this.flush();
    this.#leave(code, BYE_PATIENCE);
  }

  #leave(code: string, patience: number): void {
    if (this.#state.name !== "complete" || this.#state.leaving !== undefined) return;
    this.#state = { ...this.#state, leaving: { code, deadline: this.#clock.monotonic() + patience } };
    this.#clock.watch(this);
  }

  end(code: string): void {
    this.#connection?.end(code);
  }

  terminate(code: string): void {
    this.#connection?.terminate(code);
  }

  /** For the sweep of the clock. */
  checkDeadlines(now: number): void {
    if (this.#state.name === "greeting" && now >= this.#state.deadline) this.terminate("hello_timeout");
    if (this.#state.name !== "complete" || this.#state.leaving === undefined) return;
    if (now >= this.#state.leaving.deadline) this.end(this.#state.leaving.code);
  }

  /** For the connection that this link stands on. */
  readonly handlers: ConnectionHandlers = {
    message: (object) => this.#take(object),
    fault: (fault) => this.refuse(FAULT_CODES[fault]),
    readEnd: () => {
      if (this.#state.name === "complete") this.#events.readEnd(this);
    },
    // A peer that does not read is not read from either, until it does (PROTOCOL 5).
    overflow: (connection) => connection.pauseReading(),
    drained: (connection) => {
      connection.resumeReading();
      if (this.#state.name === "complete") this.#events.drained(this);
    },
    closed: (reason) => {
      this.#clock.unwatch(this);
      this.#state = { name: "closed" };
      this.#events.closed(reason, this);
    },
  };

  #sayHello(): void {
    this.send({ action: "hello", protocol: PEER_PROTOCOL, username: this.#ownName, features: [...FEATURES] });
  }

  #take(object: JsonObject): void {
    this.#events.trace?.("in", object);
    const message = readPeerMessage(object);
    switch (this.#state.name) {
      case "greeting":
        this.#takeGreeting(message);
        return;
      case "complete":
        if (message.action === "invalid" || message.action === "hello" || message.action === "stream") {
          this.refuse("bad_request");
        } else if (message.action !== "unknown") {
          if (message.action === "bye") {
            this.byeReceived = true;
            this.#leave("bye_received", BYE_ANSWER_PATIENCE);
          }
          this.#events.message(message, this);
        }
        return;
      case "proving":
      case "closed":
        return;
      default:
        this.#state satisfies never;
    }
  }

  #takeGreeting(message: PeerMessage): void {
    if (message.action === "error") {
      this.end(message.code);
      return;
    }
    if (message.action !== "hello" || message.protocol < 1) {
      this.refuse(message.action === "hello" ? "unsupported_protocol" : "bad_request");
      return;
    }
    if (message.username !== this.#peer?.name) {
      this.refuse("wrong_name");
      return;
    }
    this.#clock.unwatch(this);
    this.#state = { name: "complete", features: message.features, leaving: undefined };
    this.completedAt = this.#clock.monotonic();
    // The end of this read writes it, with what waits for this link behind it.
    if (this.role === "dialler") this.#sayHello();
    this.#events.complete(this);
  }
}
