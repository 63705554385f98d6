/**
 * From a name to a connection that is proven to be that person's.
 *
 * 1. The server is asked where they are; without a server, their last addresses count.
 * 2. All addresses are dialled at once, staggered; the checklist of `peer-proof.ts` decides each race.
 * 3. The winner is greeted; the others end before a byte of ours.
 */
import { dial, DialError } from "../../net/dialler.ts";
import type { TlsContext } from "../../net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../protocol/framing.ts";
import type { ContactRecord } from "./contact-record.ts";
import type { Whereabouts } from "../rendezvous/directory.ts";
import type { UnreachableReason } from "../conversation/events.ts";
import type { PeerLink } from "./link.ts";
import { provePeer, type ProvenPeer, type ServerWord } from "./proof.ts";

/** What dialling needs of the messenger. */
export interface DialHost {
  readonly ownLabel: string;
  /** ms since 1970 */
  now(): number;
  lookUp(username: string): Promise<Whereabouts>;
  /** The context for dialling this label; undefined when our certificate is missing or has ended. */
  peerContext(label: string): TlsContext | undefined;
  /** The disk took something not. Throws what is no failure of the disk. */
  storageFailed(error: unknown): void;
}

/**
 * Dials `record`'s person on `link`; `won` is called when the race is decided, before the greeting.
 * @returns why there is no connection, undefined when the greeting has begun or the dial was abandoned.
 */
export async function dialPeer(
  host: DialHost,
  record: ContactRecord,
  link: PeerLink,
  won: () => void,
  signal: AbortSignal,
): Promise<UnreachableReason | undefined> {
  const where = await host.lookUp(record.username);
  if (signal.aborted) return undefined;
  if (where.name === "offline") return "offline";
  let word: ServerWord = { name: "nothing" };
  if (where.name === "online") {
    if (!where.secure) return "insecure";
    record.moved(where.username, where.targets);
    if (where.fingerprint !== undefined) word = { name: "fingerprint", fingerprint: where.fingerprint };
  }
  const targets = where.name === "online" ? where.targets : record.targets;
  const unasked = where.name === "limited" ? "server_limits" : "no_server";
  if (targets.length === 0) return unasked;
  const context = host.peerContext(record.label);
  if (context === undefined) return "no_certificate";
  let winner: { readonly peer: ProvenPeer; readonly isNewKey: boolean } | undefined;
  let keyPending = false;
  try {
    await dial({
      targets,
      tls: context,
      objectLimit: PEER_OBJECT_LIMIT,
      signal,
      handlers: {
        ...link.handlers,
        opened: (connection) => {
          if (winner === undefined) return;
          won();
          try {
            if (winner.isNewKey) record.pin(winner.peer);
          } catch (error) {
            // A key that cannot be kept would be anybody's the next time.
            connection.terminate("storage_failed");
            host.storageFailed(error);
            return;
          }
          link.greet(connection, winner.peer);
        },
      },
      verify: (connection, handshake) => {
        const proof = provePeer(handshake, connection.certificate, {
          ownLabel: host.ownLabel,
          target: record.username,
          now: host.now(),
        });
        if (!proof.ok) return proof.code;
        const verdict = record.judge(proof.peer, word);
        keyPending ||= verdict === "pending";
        if (verdict === "pending" || verdict === "refused") return `key_${verdict}`;
        winner = { peer: proof.peer, isNewKey: verdict === "pin" };
        return true;
      },
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    if (error.code === "abandoned") return undefined;
    return keyPending ? "key_pending" : reasonOf(error, where.name === "online" ? undefined : unasked);
  }
}

/** Codes of an attempt that say something of the line or of a busy port, and nothing of who is there. */
const LINE_FAILURE = /^E[A-Z]+$|^closed|^handshake_timeout$|^timeout$/;
/** A certificate that would be good at another time: one of the two clocks is wrong. */
const OUT_OF_DATE = /^not_in_date$|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/;

/** @param unasked why the server has not said where the person is; undefined: it has */
function reasonOf(error: DialError, unasked: UnreachableReason | undefined): UnreachableReason {
  const codes = error.failures.map(({ code }) => code);
  if (codes.includes("key_refused")) return "not_proven";
  // An old address is anybody's by now, perhaps our own: who is there says nothing of the person.
  if (unasked !== undefined) return unasked;
  if (codes.some((code) => OUT_OF_DATE.test(code))) return "not_in_date";
  // Somebody else at one address, where another one is dead, says nothing of the person.
  if (codes.length > 0 && !codes.some((code) => LINE_FAILURE.test(code))) return "not_proven";
  return "unreachable";
}
