/**
 * Connections for the bytes of transfers (PROTOCOL 6).
 *
 * 1. The side that has dialled the current link dials again, where it has reached the other one; where the two were only
 *    brought together by the server, they meet there once more.
 * 2. The acceptor says `hello`, the dialler `stream` with the transfer's id, and the acceptor answers `stream`. The receiver
 *    says in its own which ranges it wants.
 * 3. After that everything is bytes, which are read by who takes the connection over.
 */
import type { Clock } from "../../../net/clock.ts";
import type { ConnectionHandlers } from "../../../net/connection.ts";
import type { Target } from "../../../net/dialler.ts";
import type { JsonObject } from "../../../protocol/framing.ts";
import {
  FEATURES,
  PEER_PROTOCOL,
  readPeerMessage,
  type PeerMessage,
  type PeerOutput,
  type StreamMessage,
} from "../../../protocol/peer-messages.ts";
import type { Transport } from "../../conversation/transport.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import type { ContactRecord } from "../../peer/contact-record.ts";
import { HELLO_TIMEOUT, type PeerLink } from "../../peer/link.ts";
import type { LinkConnection, ProvenStream } from "../../peer/proven-connection.ts";
import type { RelayUse } from "../../disk/schema.ts";
import type { Invitation } from "../../reach/meetings.ts";
import type { Reach, StreamPlace } from "../../reach/reach.ts";

/** Dials in vain at one place, before the two meet at the server instead. */
const DIALS = 2;

type StreamsNeeds = {
  readonly ownName: () => string;
  readonly ownLabel: string;
  readonly relay: () => RelayUse;
  readonly clock: Clock;
  readonly connect: (...stream: Parameters<Reach["stream"]>) => Promise<void>;
};

/** A connection on which the other side is to say what it wants. */
export type OpenedStream = ProvenStream & { readonly greeting: StreamGreeting };

/** Where the other side of a link is to be reached. */
export type PeerPlace = Pick<PeerLink, "way" | "peer"> & {
  /** Where it was reached, if we have dialled. */
  readonly target: Target | undefined;
  /** Whether we dial first. */
  readonly isFirst: boolean;
};

/**
 * Where a person is to be reached. Whoever has dialled the link dials first; where each has dialled one, the decider does.
 * @returns undefined: there is no link
 */
export function streamPlace(
  { current, open }: Pick<Transport, "current" | "open">,
  isDecider: boolean,
): PeerPlace | undefined {
  if (current?.isOpen !== true) return undefined;
  const dialled = current.isDialled ? current : open.find(({ isDialled }) => isDialled);
  const isFirst = dialled !== undefined && (isDecider || open.length === 1);
  const target = dialled && { ip: dialled.remoteAddress, port: dialled.remotePort };
  return { way: current.way, peer: current.peer, target, isFirst };
}

export class Streams {
  readonly #needs: StreamsNeeds;

  constructor(needs: StreamsNeeds) {
    this.#needs = needs;
  }

  /**
   * Connects us to a person for a transfer.
   * @param attempt how many were in vain before
   * @returns undefined: no connection came about. @throws ServerError, RefusedError, SQLiteError
   */
  async dial(
    { record }: Pick<Conversation, "record">,
    { way, peer, target }: PeerPlace,
    transfer: string,
    attempt: number,
    signal: AbortSignal,
  ): Promise<OpenedStream | undefined> {
    const isMet = way === "punched" || way === "relayed" || attempt % (DIALS + 1) === DIALS;
    const isHidden = this.#needs.relay() === "only";
    const place = isMet || isHidden ? "meeting" : (target ?? "known");
    return this.#open(record, place, peer.fingerprint, transfer, signal);
  }

  /** They ask to meet us for a transfer. @returns, @throws as `dial` */
  async answer(
    { record }: Pick<Conversation, "record">,
    key: string,
    invitation: Invitation,
    signal: AbortSignal,
  ): Promise<OpenedStream | undefined> {
    return this.#open(record, "meeting", key, invitation, signal);
  }

  async #open(
    record: ContactRecord,
    place: StreamPlace,
    key: string,
    ...[asked, signal]: [asked: string | Invitation, signal: AbortSignal]
  ): Promise<OpenedStream | undefined> {
    let stream: ProvenStream | undefined;
    await this.#needs.connect(record, place, key, asked, signal, (connection, peer, purpose, way) => {
      // Nothing is read before it is greeted.
      connection.pauseReading();
      if (purpose === "conversation" && peer.fingerprint === key) stream = { connection, peer, way };
      else connection.terminate("other_key");
    });
    if (stream === undefined) return undefined;
    // In a meeting the decider is the acceptor.
    const isDialler = place !== "meeting" || this.#needs.ownLabel > record.label;
    const { clock, ownName } = this.#needs;
    const role = isDialler ? "dialler" : "acceptor";
    return { ...stream, greeting: new StreamGreeting(stream.connection, clock, role, ownName()) };
  }
}

/**
 * The greeting of one connection: its messages are read one by one, and in between nothing is read, since what follows the
 * last one is no message.
 */
export class StreamGreeting implements ConnectionHandlers {
  readonly #connection: LinkConnection;
  readonly #clock: Clock;
  readonly #ownName: string;
  readonly #role: "dialler" | "acceptor" | "asked";
  #read: PromiseWithResolvers<PeerMessage | undefined> | undefined;

  /** @param role `asked`: we are the acceptor, and they have said already what they want */
  constructor(
    connection: LinkConnection,
    clock: Clock,
    role: "dialler" | "acceptor" | "asked",
    ownName = "",
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#role = role;
    this.#ownName = ownName;
    connection.pauseReading();
    connection.handOverTo(this);
  }

  /**
   * Says what we want, and reads what they want.
   * @param ours our `stream`; made when it is to be said
   * @returns their `stream`, or the `error` in its place; undefined: the connection has ended, or they said something else
   */
  async exchange(
    name: string,
    asked: StreamMessage | undefined,
    ours: () => Promise<Extract<PeerOutput, { action: "stream" }> | undefined>,
  ): Promise<StreamMessage | Extract<PeerMessage, { action: "error" }> | undefined> {
    if (this.#role === "acceptor") {
      this.#send({
        action: "hello",
        protocol: PEER_PROTOCOL,
        username: this.#ownName,
        features: [...FEATURES],
      });
    }
    if (this.#role === "dialler") {
      const hello = await this.#next();
      if (hello?.action !== "hello" || hello.protocol < 1 || hello.username !== name) return this.#refuse();
    }
    const before = this.#role === "acceptor" ? await this.#next() : asked;
    if (this.#role === "acceptor" && before?.action !== "stream") return this.#refuse();
    const said = await ours();
    if (said === undefined) {
      // What was said in its place is still written.
      this.#connection.end("not_now");
      return undefined;
    }
    this.#send(said);
    const theirs = this.#role === "dialler" ? await this.#next() : before;
    if (theirs?.action === "error") return theirs;
    if (theirs?.action !== "stream" || theirs.transfer !== said.transfer) return this.#refuse();
    return theirs;
  }

  #send(message: PeerOutput): void {
    this.#connection.send(message);
    this.#connection.flush();
  }

  #refuse(): undefined {
    this.#connection.terminate("bad_greeting");
    this.#read?.resolve(undefined);
    return undefined;
  }

  async #next(): Promise<PeerMessage | undefined> {
    if (!this.#connection.isOpen) return undefined;
    this.#read = Promise.withResolvers();
    const cancel = this.#clock.after(HELLO_TIMEOUT, () => this.#refuse());
    const { promise } = this.#read;
    this.#connection.resumeReading();
    return promise.finally(cancel);
  }

  message(object: JsonObject): void {
    this.#connection.pauseReading();
    this.#read?.resolve(readPeerMessage(object));
  }

  fault(): void {
    this.#refuse();
  }

  closed(): void {
    this.#read?.resolve(undefined);
  }
}
