/**
 * The peer port: where other people's clients connect to this one.
 *
 * 1. The listener takes the first free port of 9000–9099, or the one that was asked for.
 * 2. Each connection shows a certificate of our authority; the checklist of `proof.ts` decides.
 * 3. A key that is not pinned is asked of the server, for at most 5 s; nothing is read meanwhile.
 * 4. Whoever passes is handed over to a link of their conversation, which greets them; the others are ended
 *    without a byte, and reported at most once a second.
 */
import { READS_NOTHING, type Connection, type ConnectionHandlers } from "../../net/connection.ts";
import { listen, ListenError, type Listener } from "../../net/listener.ts";
import type { Handshake, TlsContext } from "../../net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../protocol/framing.ts";
import { normalizeAddress } from "../../protocol/ip-address.ts";
import type { ContactStore } from "../profile/contacts.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";
import type { ProvenPeer } from "./proof.ts";
import type { PeerTls } from "./tls.ts";

export const FIRST_PORT = 9_000;
export const LAST_PORT = 9_099;
/** Handshakes under way, in all and from one address (PROTOCOL 5, «Bounds at the port»). */
export const MAX_HANDSHAKES = 64;
export const MAX_HANDSHAKES_PER_ADDRESS = 8;
/** Connections whose handshake is done, in all and of one user. */
export const MAX_CONNECTIONS = 256;
export const MAX_CONNECTIONS_PER_USER = 4;
/** At most one refusal is reported in this time, in ms. */
const REFUSAL_INTERVAL = 1_000;

export type PeerPortNeeds = {
  readonly tls: PeerTls;
  readonly contacts: Pick<ContactStore, "isPinned">;
  /** Answers within five seconds. */
  lookUp(username: string): Promise<Whereabouts>;
  /** As `Conversation.admit`, with that person. */
  admit(
    connection: Connection,
    peer: ProvenPeer,
    atServer: string | undefined,
  ): "admitted" | "pending" | "refused";
  refused(address: string, code: string): void;
  /** A write failed. Throws what is no failure of the disk. */
  storageFailed(error: unknown): void;
};

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
  readonly #needs: PeerPortNeeds;
  readonly #listener: Listener;
  readonly #handshakes = new Map<ConnectionHandlers, string>();
  /** Labels of those whose handshake is done; who is gone since stays until the next one comes. */
  readonly #proven = new Map<Connection, string>();
  /** Proven, and waiting for what the server says of their key. */
  readonly #asked = new Set<Connection>();
  #stopped = false;
  #lastRefusalAt = -Infinity;

  /** @param port the chosen port; undefined: the first free one. @throws PortError */
  constructor(needs: PeerPortNeeds, port: number | undefined) {
    this.#needs = needs;
    this.#listener = this.#listen(port);
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Admits nobody any more; links whose greeting has begun are their conversation's to end. */
  stop(): void {
    this.#stopped = true;
    this.#listener.stop();
    for (const connection of this.#asked) connection.terminate("stopped");
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
    return this.#needs.tls.accepting() as TlsContext;
  }

  #accept(address: string): ConnectionHandlers | undefined {
    if (!this.#needs.tls.isGood) {
      this.#reportRefusal(address, "no_certificate");
      return undefined;
    }
    for (const connection of this.#proven.keys()) if (connection.isClosed) this.#proven.delete(connection);
    const fromAddress = [...this.#handshakes.values()].filter((each) => each === address).length;
    if (
      this.#handshakes.size >= MAX_HANDSHAKES ||
      fromAddress >= MAX_HANDSHAKES_PER_ADDRESS ||
      this.#proven.size >= MAX_CONNECTIONS
    ) {
      this.#reportRefusal(address, "too_many_connections");
      return undefined;
    }
    let peer: ProvenPeer | undefined;
    const handlers: ConnectionHandlers = {
      ...READS_NOTHING,
      secured: (connection, handshake) => {
        this.#handshakes.delete(handlers);
        if (this.#stopped) return false;
        peer = this.#prove(connection, handshake);
        return peer !== undefined;
      },
      opened: (connection) => {
        // `secured` has let it pass, so the peer is proven.
        this.#judge(connection, peer as ProvenPeer);
      },
      closed: (reason, connection) => {
        this.#handshakes.delete(handlers);
        this.#asked.delete(connection);
        if (reason.name !== "remote" && !this.#stopped) this.#reportRefusal(address, reason.code);
      },
    };
    this.#handshakes.set(handlers, address);
    return handlers;
  }

  /** Steps 2 to 4 of the checklist, and the bounds; undefined when the connection was ended. */
  #prove(connection: Connection, handshake: Handshake): ProvenPeer | undefined {
    const proof = this.#needs.tls.prove(connection, handshake, undefined);
    if (!proof.ok) {
      connection.terminate(proof.code);
      return undefined;
    }
    const { label } = proof.peer;
    const ofUser = [...this.#proven].filter(([each, user]) => user === label && !each.isClosed).length;
    if (ofUser >= MAX_CONNECTIONS_PER_USER) {
      connection.terminate("too_many_connections");
      return undefined;
    }
    this.#proven.set(connection, label);
    return proof.peer;
  }

  /** Step 5: a pinned key passes at once; of another one the server is asked. */
  #judge(connection: Connection, peer: ProvenPeer): void {
    const { contacts, lookUp } = this.#needs;
    if (contacts.isPinned(peer.label, peer.fingerprint)) {
      this.#admit(connection, peer, undefined);
      return;
    }
    connection.pauseReading();
    this.#asked.add(connection);
    lookUp(peer.name)
      .then((where) => {
        this.#asked.delete(connection);
        this.#admit(connection, peer, where.name === "online" ? where.fingerprint : undefined);
        connection.resumeReading();
      })
      .catch((error: unknown) => {
        connection.terminate("internal_error");
        throw error;
      });
  }

  #admit(connection: Connection, peer: ProvenPeer, atServer: string | undefined): void {
    if (!connection.isOpen) return;
    try {
      const verdict = this.#needs.admit(connection, peer, atServer);
      if (verdict !== "admitted") connection.terminate(`key_${verdict}`);
    } catch (error) {
      // Who cannot be remembered is not let in; they come again.
      connection.terminate("storage_failed");
      this.#needs.storageFailed(error);
    }
  }

  #reportRefusal(address: string, code: string): void {
    const now = performance.now();
    if (now - this.#lastRefusalAt < REFUSAL_INTERVAL) return;
    this.#lastRefusalAt = now;
    this.#needs.refused(address, code);
  }
}
