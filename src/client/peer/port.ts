/**
 * The peer port, to which other people's clients connect.
 *
 * 1. The listener takes the first free port of 9000–9099, or the chosen one. Where only the relay is used there is none.
 * 2. So many handshakes a second begin, and no more (`knock-rate.ts`). Each peer shows a certificate of our authority; the checklist of `proof.ts` decides, and `admission.ts` whether
 *    there is a place. For somebody who is blocked there is none.
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
import { isPrivate, networkOf, normalizeAddress } from "../../protocol/ip-address.ts";
import type { StorageGuard } from "../disk/storage-guard.ts";
import type { ConsentStore } from "../profile/consents.ts";
import type { ContactStore } from "../profile/contacts.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";
import { CONTACTS_RELAY, PeerAdmission, RELAY, type Caller, type GroupPeople } from "./admission.ts";
import { CallerKeys } from "./caller-keys.ts";
import { KnockRate } from "./limits/knock-rate.ts";
import type { LinkPlace } from "./link.ts";
import type { LinkWay } from "./proven-connection.ts";
import type { Admission, KeyReport, ProvenPeer } from "./proof.ts";
import type { PeerTls } from "./tls.ts";

const FIRST_PORT = 9_000;
const LAST_PORT = 9_099;
/** How long the known addresses of contacts are remembered, in ms. */
const ADDRESSES_MEMORY = 1_000;
/** Networks from which contacts have come, so many of them; the oldest gives way. */
const MAX_CAME_FROM = 256;
/** At most one refusal is reported in this time, in ms. */
const REFUSAL_INTERVAL = 1_000;

/** Why a connection of somebody who is blocked has ended. */
const BLOCKED = "blocked";

export type PeerPortNeeds = {
  readonly tls: PeerTls;
  readonly contacts: Pick<ContactStore, "isPinned">;
  readonly consents: Pick<ConsentStore, "isContact" | "isBlocked" | "contactAddresses">;
  readonly groups: GroupPeople;
  readonly clock: Pick<Clock, "monotonic">;
  /** In [0, 1). */
  readonly random: () => number;
  /** Resolves within five seconds. */
  lookUp(username: string): Promise<Whereabouts>;
  /** As `Conversation.admit`, in the conversation with that peer. */
  admit(
    connection: Connection,
    peer: ProvenPeer,
    report: KeyReport,
    way: LinkWay,
    place: LinkPlace,
  ): Admission;
  refused(address: string, code: string): void;
  /** Whether a connection from this address may be the server's check of this port. */
  isCheck(address: string): boolean;
  readonly storage: StorageGuard;
};

/** A connection that has come about in a meeting. */
type Met = {
  readonly way: LinkWay;
  /** Whether the meeting is with a contact, as the server says. */
  readonly isOfContact: boolean;
  /** A place that it has got is free again. */
  readonly left: () => void;
};

/** A connection whose other side has proven who it is. */
type Proven = { readonly caller: Caller; readonly way: LinkWay; readonly left: () => void };

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
  /** Undefined: nobody can dial us. */
  #listener: Listener | undefined;
  readonly #admission: PeerAdmission;
  readonly #knocks = new KnockRate();
  /** The networks of the last known addresses of contacts, and when they were read. */
  #contactNetworks: { readonly networks: ReadonlySet<string>; readonly readAt: number } | undefined;
  /** Networks from which contacts have come, the last one at the end. */
  readonly #cameFrom = new Set<string>();
  /** Proven connections that wait for the server's answer about their key. */
  readonly #asked = new Set<Connection>();
  #stopped = false;
  #lastRefusalAt = -Infinity;

  constructor(needs: PeerPortNeeds) {
    this.#needs = needs;
    this.#callerKeys = new CallerKeys(needs.lookUp, () => needs.clock.monotonic());
    this.#admission = new PeerAdmission({
      isContact: ({ label, fingerprint }) =>
        needs.consents.isContact(label) || needs.groups.hasKey(fingerprint),
      random: needs.random,
      monotonic: () => needs.clock.monotonic(),
    });
  }

  /** Undefined: it is closed. */
  get port(): number | undefined {
    return this.#listener?.port;
  }

  /** Opens the port, unless it is open. @param port the chosen one; undefined: the first free one. @throws PortError */
  open(port: number | undefined): void {
    this.#listener ??= this.#listen(port);
  }

  /** Nobody can dial us any more; connections of meetings are admitted still. */
  close(): void {
    this.#listener?.stop();
    this.#listener = undefined;
  }

  /** Admits no further peers. Links are not ended here: they belong to their conversations. */
  stop(): void {
    this.#stopped = true;
    this.#listener?.stop();
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
          tls: () => ({ context: this.#context() }),
          delaysRefusals: true,
          accept: (address) => this.accept(normalizeAddress(address)),
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

  /**
   * The handlers of a connection in which we are the acceptor. @param address as `normalizeAddress` gives it
   * @param met how it came about, unless they have dialled. @returns undefined: there is no place for it
   */
  accept(address: string, met?: Met): ConnectionHandlers | undefined {
    const { way, left } = met ?? { way: "direct", left: () => undefined };
    const relay = met?.isOfContact === true ? CONTACTS_RELAY : RELAY;
    const from = way === "relayed" ? relay : address;
    const network = networkOf(from);
    const isOfContact = met?.isOfContact === true || this.#isOfContact(network);
    const now = this.#needs.clock.monotonic();
    if (!this.#knocks.take(network, isOfContact ? "contact" : "stranger", now)) {
      this.#reportRefusal(address, "too_many_connections");
      return undefined;
    }
    if (!this.#needs.tls.isGood) {
      this.#reportRefusal(address, "no_certificate");
      return undefined;
    }
    let connection: Connection | undefined;
    const giveWay = () => connection?.terminate("gave_way");
    const caller = this.#admission.knock(from, isOfContact, giveWay);
    if (caller === undefined) {
      this.#reportRefusal(address, "too_many_connections");
      return undefined;
    }
    let peer: ProvenPeer | undefined;
    return {
      ...READS_NOTHING,
      accepted: (accepted) => {
        connection = accepted;
      },
      secured: (secured, handshake) => {
        if (this.#stopped || (way === "direct" && this.#listener === undefined)) return false;
        peer = this.#prove(secured, handshake, caller);
        return peer !== undefined;
      },
      opened: (opened) => {
        // `secured` has accepted the connection, so the peer is proven.
        this.#judge(opened, peer as ProvenPeer, { caller, way, left });
      },
      closed: (reason, closed) => {
        this.#admission.leave(caller);
        left();
        this.#asked.delete(closed);
        // Nothing is said of who is blocked, nor of the server's check, which ends in its handshake.
        const isCheck = reason.name === "refused" && this.#needs.isCheck(address);
        if (reason.name !== "remote" && reason.code !== BLOCKED && !isCheck && !this.#stopped)
          this.#reportRefusal(address, reason.code);
      },
    };
  }

  #isOfContact(network: string): boolean {
    const { clock, consents, storage } = this.#needs;
    const now = clock.monotonic();
    if (this.#contactNetworks === undefined || now - this.#contactNetworks.readAt >= ADDRESSES_MEMORY) {
      const addresses = storage.attempt(() => consents.contactAddresses()) ?? [];
      this.#contactNetworks = { networks: new Set(addresses.map(networkOf)), readAt: now };
    }
    return this.#cameFrom.has(network) || this.#contactNetworks.networks.has(network);
  }

  /** Steps 2 to 4 of the checklist, and the bounds; undefined: the connection was terminated. */
  #prove(connection: Connection, handshake: Handshake, caller: Caller): ProvenPeer | undefined {
    const proof = this.#needs.tls.prove(connection, handshake, undefined);
    if (!proof.ok) {
      connection.terminate(proof.code);
      return undefined;
    }
    const { label, fingerprint } = proof.peer;
    const { contacts, consents, storage } = this.#needs;
    const isBlocked = storage.attempt(() => consents.isBlocked(label));
    if (isBlocked === true) {
      // As when there is no place.
      connection.terminate(BLOCKED);
      return undefined;
    }
    const hasPlace = storage.attempt(() =>
      this.#admission.prove(caller, proof.peer, contacts.isPinned(label, fingerprint)),
    );
    if (hasPlace === true) return proof.peer;
    connection.terminate(hasPlace === undefined ? "storage_failed" : "too_many_connections");
    return undefined;
  }

  /** Step 5: a pinned key passes at once; for any other key the server is asked. */
  #judge(connection: Connection, peer: ProvenPeer, proven: Proven): void {
    const { state } = proven.caller;
    if (state.name !== "proven") return;
    if (state.isPinned) {
      this.#admit(connection, peer, { name: "nothing" }, proven);
      return;
    }
    connection.pauseReading();
    this.#asked.add(connection);
    this.#callerKeys
      .report(peer, state.isContact ? "contact" : "stranger")
      .then((report) => {
        this.#asked.delete(connection);
        if (report.name === "notNow") this.#sendAway(connection, "busy");
        else this.#admit(connection, peer, report, proven);
        connection.resumeReading();
      })
      .catch((error: unknown) => {
        connection.terminate("internal_error");
        throw error;
      });
  }

  #admit(connection: Connection, peer: ProvenPeer, report: KeyReport, { caller, way, left }: Proven): void {
    if (!connection.isOpen) return;
    if (this.#needs.tls.isRevoked(peer)) {
      connection.terminate("revoked");
      return;
    }
    const place: LinkPlace = {
      tookText: () => this.#admission.tookText(caller),
      flooded: () => {
        if (way !== "relayed") this.#flooded(caller.network);
      },
      left: () => {
        this.#admission.leave(caller);
        left();
      },
    };
    try {
      const cameBy = way === "direct" && isForwarded(connection) ? "mapped" : way;
      const verdict = this.#needs.admit(connection, peer, report, cameBy, place);
      if (verdict === "admitted") {
        this.#admission.pinned(caller);
        if (way !== "relayed" && this.#needs.consents.isContact(peer.label)) this.#remember(caller.network);
      } else if (verdict === "pending") this.#sendAway(connection, "key_pending");
      else if (verdict !== "verifies") connection.terminate("key_refused");
    } catch (error) {
      // A peer whose key cannot be stored is not admitted; it will dial again.
      connection.terminate("storage_failed");
      this.#needs.storage.failed(error);
    }
  }

  /** Contacts behind the same address are not shut out. */
  #flooded(network: string): void {
    if (!this.#isOfContact(network)) this.#knocks.shutOut(network, this.#needs.clock.monotonic());
  }

  #remember(network: string): void {
    this.#cameFrom.delete(network);
    this.#cameFrom.add(network);
    const [oldest] = this.#cameFrom;
    if (this.#cameFrom.size > MAX_CAME_FROM && oldest !== undefined) this.#cameFrom.delete(oldest);
  }

  /** The peer is told why there is no link now, and dials again later. */
  #sendAway(connection: Connection, code: "busy" | "key_pending"): void {
    connection.send({ action: "error", code });
    connection.end(code);
  }

  #reportRefusal(address: string, code: string): void {
    const now = performance.now();
    if (now - this.#lastRefusalAt < REFUSAL_INTERVAL) return;
    this.#lastRefusalAt = now;
    this.#needs.refused(address, code);
  }
}

/** Whether a router has passed a connection from the internet on to this machine. */
function isForwarded({ remoteAddress, localAddress }: Connection): boolean {
  return isPrivate(localAddress) && !isPrivate(remoteAddress);
}
