/**
 * The peer port, to which other people's clients connect.
 *
 * 1. The listener takes the first free port of 9000–9099, or the chosen one.
 * 2. Each peer shows a certificate of our authority; the checklist of `proof.ts` decides.
 * 3. If the key is not pinned, the server is asked for the person's key, for 5 s at most. Meanwhile nothing is read.
 *    If it cannot be asked now, the peer is told `busy` (`caller-keys.ts`).
 * 4. A connection that passes is handed over to a link of the peer's conversation, which greets the peer. The others
 *    are closed without sending anything, and reported at most once a second.
 */
import type { Clock } from "../../net/clock.ts";
import { READS_NOTHING, type Connection, type ConnectionHandlers } from "../../net/connection.ts";
import { listen, ListenError, type Listener } from "../../net/listener.ts";
import type { Handshake, TlsContext } from "../../net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../protocol/framing.ts";
import { normalizeAddress } from "../../protocol/ip-address.ts";
import type { ContactStore } from "../profile/contacts.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";
import { CallerKeys } from "./caller-keys.ts";
import type { Admission, KeyReport, ProvenPeer } from "./proof.ts";
import type { PeerTls } from "./tls.ts";

const FIRST_PORT = 9_000;
const LAST_PORT = 9_099;
/** Unfinished handshakes, in all and from one address (PROTOCOL 5, «Bounds at the port»). */
export const MAX_HANDSHAKES = 64;
export const MAX_HANDSHAKES_PER_ADDRESS = 8;
/** Connections with a finished handshake, in all and of one user. */
export const MAX_CONNECTIONS = 256;
export const MAX_CONNECTIONS_PER_USER = 4;
/** At most one refusal is reported in this time, in ms. */
const REFUSAL_INTERVAL = 1_000;

type PeerPortNeeds = {
  readonly tls: PeerTls;
  readonly contacts: Pick<ContactStore, "isPinned">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Resolves within five seconds. */
  lookUp(username: string): Promise<Whereabouts>;
  /** As `Conversation.admit`, in the conversation with that peer. */
  admit(connection: Connection, peer: ProvenPeer, report: KeyReport): Admission;
  refused(address: string, code: string): void;
  /** Reports that a write failed. Rethrows an error that is not a failure of the disk. */
  storageFailed(error: unknown): void;
};

/** No port of 9000–9099 is free, or the chosen port is not. */
export class PortError extends Error {
  /** The chosen port, or the first and the last that were tried. */
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
  readonly #callerKeys: CallerKeys;
  readonly #listener: Listener;
  readonly #handshakes = new Map<ConnectionHandlers, string>();
  /** The peer's label of each proven connection; closed ones are removed when the next connection arrives. */
  readonly #proven = new Map<Connection, string>();
  /** Proven connections that wait for the server's answer about their key. */
  readonly #asked = new Set<Connection>();
  #stopped = false;
  #lastRefusalAt = -Infinity;

  /** @param port the chosen port; undefined: the first free one. @throws PortError */
  constructor(needs: PeerPortNeeds, port: number | undefined) {
    this.#needs = needs;
    this.#callerKeys = new CallerKeys(needs.lookUp, () => needs.clock.monotonic());
    this.#listener = this.#listen(port);
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Admits no further peers. Links are not ended here: they belong to their conversations. */
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
    // `accept` has just checked that there is a certificate.
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
        // `secured` has accepted the connection, so the peer is proven.
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

  /** Steps 2 to 4 of the checklist, and the bounds; undefined: the connection was terminated. */
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

  /** Step 5: a pinned key passes at once; for any other key the server is asked. */
  #judge(connection: Connection, peer: ProvenPeer): void {
    if (this.#needs.contacts.isPinned(peer.label, peer.fingerprint)) {
      this.#admit(connection, peer, { name: "nothing" });
      return;
    }
    connection.pauseReading();
    this.#asked.add(connection);
    this.#callerKeys
      .report(peer)
      .then((report) => {
        this.#asked.delete(connection);
        if (report.name === "notNow") this.#sayBusy(connection);
        else this.#admit(connection, peer, report);
        connection.resumeReading();
      })
      .catch((error: unknown) => {
        connection.terminate("internal_error");
        throw error;
      });
  }

  #admit(connection: Connection, peer: ProvenPeer, report: KeyReport): void {
    if (!connection.isOpen) return;
    if (this.#needs.tls.isRevoked(peer)) {
      connection.terminate("revoked");
      return;
    }
    try {
      const verdict = this.#needs.admit(connection, peer, report);
      if (verdict !== "admitted") connection.terminate(`key_${verdict}`);
    } catch (error) {
      // A peer whose key cannot be stored is not admitted; it will dial again.
      connection.terminate("storage_failed");
      this.#needs.storageFailed(error);
    }
  }

  /** The peer dials again later, when the server may be asked. */
  #sayBusy(connection: Connection): void {
    connection.send({ action: "error", code: "busy" });
    connection.end("busy");
  }

  #reportRefusal(address: string, code: string): void {
    const now = performance.now();
    if (now - this.#lastRefusalAt < REFUSAL_INTERVAL) return;
    this.#lastRefusalAt = now;
    this.#needs.refused(address, code);
  }
}
