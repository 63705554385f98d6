/**
 * From a name to a connection that is proven to be that person's.
 *
 * 1. The server is asked where they are; without a server, their last addresses count.
 * 2. All addresses are dialled at once, staggered; the checklist of `proof.ts` decides each race.
 * 3. The winner is greeted; the others end before a byte of ours.
 */
import { READS_NOTHING } from "../../net/connection.ts";
import { dial, DialError } from "../../net/dialler.ts";
import { PEER_OBJECT_LIMIT } from "../../protocol/framing.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";
import type { ContactRecord } from "./contact-record.ts";
import type { LinkConnection } from "./link.ts";
import type { ProvenPeer } from "./proof.ts";
import type { PeerTls } from "./tls.ts";

/** Why no link to a person can be had now. */
export type UnreachableReason =
  /** The server says so. */
  | "offline"
  /** Neither the server nor a known address led to them. */
  | "no_server"
  /** The server answers no more questions for a while, and no known address led to them. */
  | "server_limits"
  | "unreachable"
  /** What answered is not who it should be. */
  | "not_proven"
  /** Their client ended the link before its greeting: a key of ours waits there, or it is full. */
  | "not_admitted"
  /** Their certificate is good, and not at the time that this machine's clock shows. */
  | "not_in_date"
  /** Their key has changed and waits for the person's decision. */
  | "key_pending"
  /** Their client speaks only the legacy unencrypted link. */
  | "insecure"
  /** Our own certificate has ended and there is no server to renew it. */
  | "no_certificate";

/** Greets the one whom a connection is proven to be of. */
export type Greet = (connection: LinkConnection, peer: ProvenPeer) => void;

export type DialNeeds = {
  readonly tls: PeerTls;
  lookUp(username: string): Promise<Whereabouts>;
  /** A write failed. Throws what is no failure of the disk. */
  storageFailed(error: unknown): void;
};

/**
 * Dials `record`'s person, and greets them once the race is decided.
 * @returns why there is no connection; undefined when the greeting has begun or the dial was abandoned.
 */
export async function dialPeer(
  { tls, lookUp, storageFailed }: DialNeeds,
  record: ContactRecord,
  signal: AbortSignal,
  greet: Greet,
): Promise<UnreachableReason | undefined> {
  const where = await lookUp(record.username);
  if (signal.aborted) return undefined;
  if (where.name === "offline") return "offline";
  if (where.name === "online") {
    if (!where.secure) return "insecure";
    record.moved(where.username, where.targets);
  }
  const atServer = where.name === "online" ? where.fingerprint : undefined;
  const targets = where.name === "online" ? where.targets : record.targets;
  const unasked = where.name === "limited" ? "server_limits" : "no_server";
  if (targets.length === 0) return unasked;
  const context = tls.dialling(record.label);
  if (context === undefined) return "no_certificate";
  let winner: { readonly peer: ProvenPeer; readonly isNewKey: boolean } | undefined;
  let keyPending = false;
  let isGreeted = false;
  try {
    await dial({
      targets,
      tls: context,
      objectLimit: PEER_OBJECT_LIMIT,
      signal,
      handlers: {
        ...READS_NOTHING,
        opened: (connection) => {
          if (winner === undefined) return;
          try {
            if (winner.isNewKey) record.pin(winner.peer);
          } catch (error) {
            // Any other key would be taken for the first one the next time.
            connection.terminate("storage_failed");
            storageFailed(error);
            return;
          }
          isGreeted = true;
          greet(connection, winner.peer);
        },
        closed: () => undefined,
      },
      verify: (connection, handshake) => {
        const proof = tls.prove(connection, handshake, record.username);
        if (!proof.ok) return proof.code;
        const verdict = record.judge(proof.peer, atServer);
        keyPending ||= verdict === "pending";
        if (verdict === "pending" || verdict === "refused") return `key_${verdict}`;
        winner = { peer: proof.peer, isNewKey: verdict === "pin" };
        return true;
      },
    });
    return isGreeted ? undefined : "not_admitted";
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    if (error.code === "abandoned") return undefined;
    return keyPending ? "key_pending" : reasonOf(error, where.name === "online" ? undefined : unasked);
  }
}

/** Codes of an attempt that tell of the line or of a busy port, and not of who is there. */
const LINE_FAILURE = /^E[A-Z]+$|^closed|^handshake_timeout$|^timeout$/;
/** A certificate that would be good at another time: one of the two clocks is wrong. */
const OUT_OF_DATE = /^not_in_date$|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/;

/** @param unasked why the server has not said where the person is; undefined: it has */
function reasonOf(error: DialError, unasked: UnreachableReason | undefined): UnreachableReason {
  const codes = error.failures.map(({ code }) => code);
  if (codes.includes("key_refused")) return "not_proven";
  // An old address may belong to anybody by now, perhaps to us: who answers there tells nothing of the person.
  if (unasked !== undefined) return unasked;
  if (codes.some((code) => OUT_OF_DATE.test(code))) return "not_in_date";
  // Somebody else at one address, where another one is dead, tells nothing of the person.
  if (codes.length > 0 && !codes.some((code) => LINE_FAILURE.test(code))) return "not_proven";
  return "unreachable";
}
