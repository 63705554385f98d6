/**
 * The peer port: where other people's clients connect to this one.
 *
 * 1. The listener takes the first free port of 9000–9099, or the one that was asked for.
 * 2. Each connection shows a certificate of our authority; the checklist of `peer-proof.ts` decides.
 * 3. A key that is not pinned is asked of the server, for at most 5 s; nothing is read meanwhile.
 * 4. What passed is greeted and given to its conversation; what did not is ended without a byte, and
 *    told of at most once a second.
 */
import type { Connection, ConnectionHandlers } from "../../net/connection.ts";
import { listen, ListenError, type Listener } from "../../net/listener.ts";
import type { Handshake, TlsContext } from "../../net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../protocol/framing.ts";
import { normalizeAddress } from "../../protocol/ip-address.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";
import { PeerLink } from "./link.ts";
import { provePeer, type ProvenPeer, type ServerWord } from "./proof.ts";

export const FIRST_PORT = 9_000;
export const LAST_PORT = 9_099;
/** Handshakes under way, in all and from one address (PROTOCOL 5, «Bounds at the port»). */
export const MAX_HANDSHAKES = 64;
export const MAX_HANDSHAKES_PER_ADDRESS = 8;
/** Connections whose handshake is done, in all and of one user. */
export const MAX_CONNECTIONS = 256;
export const MAX_CONNECTIONS_PER_USER = 4;
/** At most one refusal is told in this time, in ms. */
const REFUSAL_INTERVAL = 1_000;

/** What the port needs of the messenger. */
export interface PeerPortHost {
  readonly ownLabel: string;
  now(): number;
  /** The context of this moment; undefined while there is no certificate: then nobody is let in. */
  acceptorContext(): TlsContext | undefined;
  conversationWith(peer: ProvenPeer): Conversation;
  isPinned(peer: ProvenPeer): boolean;
  /** Answers within five seconds. */
  lookUpNow(username: string): Promise<Whereabouts>;
  refused(address: string, code: string): void;
  /** The disk took something not. Throws what is no failure of the disk. */
  storageFailed(error: unknown): void;
}

/** No port of 9000–9099 is free, or the chosen one is taken. */
export class PortError extends Error {
  /** The one that was asked for, or the first and the last that were tried. */
  readonly ports: string;
  readonly code: string;

  constructor(port: number | undefined, code: string) {
    const ports = port === undefined ? `${FIRST_PORT}–${LAST_PORT}` : String(port);
    super(`port ${ports}: ${code}`);
    this.ports = ports;
    this.code = code;
  }
}

export class PeerPort {
  readonly #host: PeerPortHost;
  readonly #listener: Listener;
  readonly #handshakes = new Map<ConnectionHandlers, string>();
  readonly #admitted = new Map<Connection, string>();
  /** Proven, and waiting for the server's word on their key. */
  readonly #judged = new Set<Connection>();
  #stopped = false;
  #refusalToldAt = -Infinity;

  /** @param port the chosen port; undefined: the first free one. @throws PortError */
  constructor(host: PeerPortHost, port: number | undefined) {
    this.#host = host;
    this.#listener = this.#listen(port);
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Takes nobody in any more; links that have begun their greeting are their conversation's to end. */
  stop(): void {
    this.#stopped = true;
    this.#listener.stop();
    for (const connection of this.#judged) connection.terminate("stopped");
  }

  #listen(chosen: number | undefined): Listener {
    const first = chosen ?? FIRST_PORT;
    const last = chosen ?? LAST_PORT;
    let code = "EADDRINUSE";
    for (let port = first; port <= last; port++) {
      try {
        return listen({
          host: undefined,
          port,
          objectLimit: PEER_OBJECT_LIMIT,
          tls: () => this.#context(),
          accept: (address) => this.#accept(normalizeAddress(address)),
        });
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        code = error.code;
      }
    }
    throw new PortError(chosen, code);
  }

  #context(): TlsContext {
    // `accept` has looked before; the certificate cannot have gone since.
    return this.#host.acceptorContext() as TlsContext;
  }

  #accept(address: string): ConnectionHandlers | undefined {
    if (this.#host.acceptorContext() === undefined) {
      this.#tellRefusal(address, "no_certificate");
      return undefined;
    }
    const fromAddress = [...this.#handshakes.values()].filter((each) => each === address).length;
    if (
      this.#handshakes.size >= MAX_HANDSHAKES ||
      fromAddress >= MAX_HANDSHAKES_PER_ADDRESS ||
      this.#admitted.size >= MAX_CONNECTIONS
    ) {
      this.#tellRefusal(address, "too_many_connections");
      return undefined;
    }
    let peer: ProvenPeer | undefined;
    let link: PeerLink | undefined;
    const handlers: ConnectionHandlers = {
      secured: (connection, handshake) => {
        this.#handshakes.delete(handlers);
        if (this.#stopped) return false;
        peer = this.#prove(connection, handshake);
        return peer !== undefined;
      },
      opened: (connection) => {
        // `secured` has let it pass, so the peer is proven.
        this.#judge(connection, peer as ProvenPeer, (admitted) => (link = admitted));
      },
      message: (object, connection) => link?.handlers.message(object, connection),
      fault: (fault, connection) => link?.handlers.fault(fault, connection),
      readEnd: (connection) => link?.handlers.readEnd?.(connection),
      overflow: (connection) => link?.handlers.overflow?.(connection),
      drained: (connection) => link?.handlers.drained?.(connection),
      closed: (reason, connection) => {
        this.#handshakes.delete(handlers);
        this.#admitted.delete(connection);
        this.#judged.delete(connection);
        if (link !== undefined) link.handlers.closed(reason, connection);
        else if (reason.name !== "remote" && !this.#stopped) this.#tellRefusal(address, reason.code);
      },
    };
    this.#handshakes.set(handlers, address);
    return handlers;
  }

  /** Steps 2 to 4 of the checklist, and the bounds; undefined when the connection was ended. */
  #prove(connection: Connection, handshake: Handshake): ProvenPeer | undefined {
    const proof = provePeer(handshake, connection.certificate, {
      ownLabel: this.#host.ownLabel,
      target: undefined,
      now: this.#host.now(),
    });
    if (!proof.ok) {
      connection.terminate(proof.code);
      return undefined;
    }
    const ofUser = [...this.#admitted.values()].filter((label) => label === proof.peer.label).length;
    if (ofUser >= MAX_CONNECTIONS_PER_USER) {
      connection.terminate("too_many_connections");
      return undefined;
    }
    this.#admitted.set(connection, proof.peer.label);
    return proof.peer;
  }

  /** Step 5: a pinned key passes at once, another waits for the server's word. */
  #judge(connection: Connection, peer: ProvenPeer, admitted: (link: PeerLink) => void): void {
    if (this.#host.isPinned(peer)) {
      this.#admit(connection, peer, { name: "nothing" }, admitted);
      return;
    }
    connection.pauseReading();
    this.#judged.add(connection);
    this.#host
      .lookUpNow(peer.name)
      .then((where) => {
        const word: ServerWord =
          where.name === "online" && where.fingerprint !== undefined
            ? { name: "fingerprint", fingerprint: where.fingerprint }
            : { name: "nothing" };
        this.#admit(connection, peer, word, admitted);
        connection.resumeReading();
      })
      .catch((error: unknown) => {
        connection.terminate("internal_error");
        throw error;
      });
  }

  #admit(
    connection: Connection,
    peer: ProvenPeer,
    word: ServerWord,
    admitted: (link: PeerLink) => void,
  ): void {
    this.#judged.delete(connection);
    if (!connection.isOpen) return;
    try {
      this.#letIn(connection, peer, word, admitted);
    } catch (error) {
      // Who cannot be remembered is not let in; they come again.
      connection.terminate("storage_failed");
      this.#host.storageFailed(error);
    }
  }

  #letIn(
    connection: Connection,
    peer: ProvenPeer,
    word: ServerWord,
    admitted: (link: PeerLink) => void,
  ): void {
    const conversation = this.#host.conversationWith(peer);
    const verdict = conversation.record.judge(peer, word);
    if (verdict === "pending" || verdict === "refused") {
      connection.terminate(`key_${verdict}`);
      return;
    }
    if (verdict === "pin") conversation.record.pin(peer);
    const link = conversation.adopt();
    admitted(link);
    link.greet(connection, peer);
  }

  #tellRefusal(address: string, code: string): void {
    const now = performance.now();
    if (now - this.#refusalToldAt < REFUSAL_INTERVAL) return;
    this.#refusalToldAt = now;
    this.#host.refused(address, code);
  }
}
