/**
 * From a name to a connection to that person's client, whose identity is proven.
 *
 * 1. The server is asked for the person's addresses; without a server, their last known addresses are used. Where they
 *    were heard on the local network comes first, and the answer of the server is not waited for long.
 *    Somebody for whom our person waits is dialled at once where they were last, while the server is asked. Its answer
 *    is heard before anybody is greeted, unless it takes long; then only a pinned key passes.
 * 2. All addresses at which a peer may be are dialled, each a moment after the one before, as often as the budget
 *    allows. The first connection that passes the checklist of `proof.ts` wins.
 * 3. The winner is greeted; the other connections are closed without sending anything.
 */
import type { Clock } from "../../net/clock.ts";
import { READS_NOTHING, type Connection, type ConnectionHandlers } from "../../net/connection.ts";
import { DialError, isAmong, isLineFailure, type dial, type Target } from "../../net/dialler.ts";
import type { Handshake, TlsContext } from "../../net/tls.ts";
import { PEER_OBJECT_LIMIT } from "../../protocol/framing.ts";
import type { RelayUse } from "../disk/schema.ts";
import type { PeerTarget, Whereabouts } from "../rendezvous/directory.ts";
import type { LookupFailure, Tried } from "./attempts.ts";
import type { ContactRecord } from "./contact-record.ts";
import { peerTargets, type DialBudget, type OwnPlace } from "./dial-limits.ts";
import type { LinkEnd, LinkPurpose } from "./link.ts";
import type { LinkConnection, LinkWay } from "./proven-connection.ts";
import { keyReport, type KeyReport, type LinkVerdict, type ProvenPeer } from "./proof.ts";
import type { PeerTls } from "./tls.ts";

/** Why no link to a person can be opened now. */
export type UnreachableReason =
  /** The server reports that the person is offline. */
  | "offline"
  /** There is no server, and no known address leads to them. */
  | "no_server"
  /** The server accepts no lookups or no meetings for a while, and no known address leads to them. */
  | "server_limits"
  /** Only the relay may lead to them, since one of the two gives nobody an address, and it does not. */
  | "no_relay"
  /** No address leads to them, and the server arranges no meetings. */
  | "no_meeting"
  /** No address leads to them, and their client knows no meetings. */
  | "cannot_meet"
  /** No address leads to them, and the server's meeting port cannot be reached from here. */
  | "meeting_blocked"
  /** No direct way leads to them, and the server has no room for another relayed link. */
  | "relay_full"
  /** No direct way leads to them, and the server relays nothing. */
  | "relay_off"
  /** No direct way leads to them, and this account does not use the relay (`--relay never`). */
  | "relay_never"
  /** Nothing leads to them: no address, no meeting, and not the relay. */
  | "no_way"
  /** None of their addresses leads to their client: one refuses, say, or answers as something else. */
  | "unreachable"
  /** None of their addresses answers at all. */
  | "no_answer"
  /** Another client answered. */
  | "not_proven"
  /** Their client closed the link before its greeting. */
  | "not_admitted"
  /** Their client says that our key waits for their decision. */
  | "own_key_pending"
  /** Their client refused our greeting with an error. */
  | "greeting_refused"
  /** We refused their greeting: it was not as the protocol demands. */
  | "bad_greeting"
  /** Their client did not greet us in time. */
  | "no_greeting"
  /** The line broke before the greeting. */
  | "line_broke"
  /** Their client says that it cannot admit us now. */
  | "busy"
  /** Their certificate is not valid at the time of this machine's clock. */
  | "not_in_date"
  /** Their certificate was taken back, and they have no new one yet. */
  | "revoked"
  /** Their key has changed, and the person has not accepted it yet. */
  | "key_pending"
  /** As `key_pending`, of a person who was verified. */
  | "verification_needed"
  /** Their client speaks only the legacy unencrypted link. */
  | "insecure"
  /** Our own certificate is missing, has expired or was taken back, and no server has renewed it. */
  | "no_certificate"
  /** This machine's storage failed, so that a key could not be compared or stored. */
  | "storage_failed";

/** How long the server may take to answer for somebody who was heard on the local network, in ms. */
const NEARBY_PATIENCE = 1_000;

/** Why the server has not reported any addresses. */
const LOOKUP_FAILURES = {
  online: undefined,
  offline: "offline",
  noServer: "no_server",
  limited: "server_limits",
} as const satisfies { [name in Whereabouts["name"]]: LookupFailure | undefined };

/** Greets the proven peer of a connection that we have dialled. */
export type Greet = (
  connection: LinkConnection,
  peer: ProvenPeer,
  purpose: LinkPurpose,
  way: LinkWay,
) => void;

type RaceOptions = {
  readonly tls: Pick<PeerTls, "dialling" | "prove">;
  readonly record: ContactRecord;
  /** What the server says of the person's key; undefined: it has not answered yet. */
  readonly report: KeyReport | undefined;
  readonly greet: Greet;
};

/** The connections of one attempt in which we are the dialler: the first that passes the checklist is greeted. */
export class Race {
  readonly #options: Omit<RaceOptions, "report">;
  #report: KeyReport;
  #winner: { readonly peer: ProvenPeer; readonly verdict: "pinned" | "pin" | "verifies" } | undefined;
  #isGreeted = false;
  #isKeyPending = false;
  /** A key could not be compared or stored. */
  #failure: { readonly error: unknown } | undefined;

  constructor({ report = { name: "notNow" }, ...options }: RaceOptions) {
    this.#options = options;
    this.#report = report;
  }

  /** The server has answered. */
  reported(report: KeyReport): void {
    this.#report = report;
  }

  get isGreeted(): boolean {
    return this.#isGreeted;
  }

  get record(): ContactRecord {
    return this.#options.record;
  }

  /** Undefined: we have no good certificate. */
  get context(): TlsContext | undefined {
    return this.#options.tls.dialling(this.record.label);
  }

  /** @returns true, or the code with which the connection ends */
  verify(connection: Connection, handshake: Handshake): true | string {
    const { tls, record } = this.#options;
    if (this.#winner !== undefined) return "lost_race";
    const proof = tls.prove(connection, handshake, record.username);
    if (!proof.ok) return proof.code;
    let verdict: LinkVerdict;
    try {
      verdict = record.judge(proof.peer, this.#report);
    } catch (error) {
      this.#failure = { error };
      return "storage_failed";
    }
    this.#isKeyPending ||= verdict === "pending";
    if (verdict !== "pinned" && verdict !== "pin" && verdict !== "verifies") return `key_${verdict}`;
    this.#winner = { peer: proof.peer, verdict };
    return true;
  }

  /** The handlers of a connection that was verified. */
  handlers(way: (connection: Connection) => LinkWay): ConnectionHandlers {
    return {
      ...READS_NOTHING,
      opened: (connection) => this.#greet(connection, way(connection)),
      closed: () => undefined,
    };
  }

  /** @returns why there is no link, if a key was the reason. @throws SQLiteError */
  get keyFailure(): UnreachableReason | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.#isKeyPending) return undefined;
    return this.record.isVerified ? "verification_needed" : "key_pending";
  }

  #greet(connection: Connection, way: LinkWay): void {
    if (this.#winner === undefined) return;
    const { peer, verdict } = this.#winner;
    try {
      if (verdict === "pin") this.record.pin(peer);
    } catch (error) {
      // A key that is not stored could not be compared the next time.
      this.#failure = { error };
      connection.terminate("storage_failed");
      return;
    }
    this.#isGreeted = true;
    this.#options.greet(connection, peer, verdict === "verifies" ? "verification" : "conversation", way);
    const { remoteAddress: ip, remotePort: port } = connection;
    if (way === "direct" || way === "mapped") this.record.reached({ ip, port });
  }
}

export type DialNeeds = {
  readonly tls: RaceOptions["tls"];
  readonly dial: typeof dial;
  readonly budget: DialBudget;
  /** Names this account in the budget. */
  readonly account: string;
  own(): OwnPlace;
  /** Which ways may be used. */
  relay(): RelayUse;
  /** @param asked is called when the server is asked, if somebody waits for this person right now */
  lookUp(username: string, asked: () => void): Promise<Whereabouts>;
  /** Where this person was heard on the local network. */
  nearby(label: string): readonly Target[];
  readonly clock: Pick<Clock, "after" | "monotonic">;
  /** Takes note of each step of an attempt to reach the person of this label. */
  tried?(label: string, tried: Tried): void;
  /**
   * Meets somebody who is online, too, unless the dials to their addresses, of which `isOpen` says that the server has
   * reached one, lead to a link. @returns as `dialPeer`
   */
  meet(
    race: Race,
    isOpen: boolean,
    dialled: Promise<UnreachableReason | undefined>,
    signal: AbortSignal,
  ): Promise<UnreachableReason | undefined>;
};

/** The server's answer; of somebody nearby whose key is known, also that there was none in time. */
async function whereIs(
  { lookUp, clock }: DialNeeds,
  record: ContactRecord,
  isNearby: boolean,
  asked: () => void,
): Promise<Whereabouts> {
  const answer = lookUp(record.username, asked);
  if (!isNearby || !record.hasKey) return answer;
  const { promise: late, resolve } = Promise.withResolvers<Whereabouts>();
  const cancel = clock.after(NEARBY_PATIENCE, () => resolve({ name: "noServer" }));
  return Promise.race([answer, late]).finally(cancel);
}

/** Those that are not among the others. */
function without<T extends Target>(targets: readonly T[], others: readonly Target[]): T[] {
  return targets.filter((target) => !isAmong(target, others));
}

/** Where somebody may be. */
type Places = {
  /** Where they were heard on the local network. */
  readonly nearby: readonly Target[];
  readonly elsewhere: readonly PeerTarget[];
  /** Why they can be nowhere else; undefined: the server has reported their addresses. */
  readonly otherwise: UnreachableReason | undefined;
};

/** Takes note of what the server says. */
function placesOf(
  where: Whereabouts,
  record: ContactRecord,
  nearby: readonly Target[],
  own: OwnPlace,
): Places {
  if (where.name !== "online") {
    const elsewhere = where.name === "offline" ? [] : peerTargets(record.targets, own);
    return { nearby, elsewhere, otherwise: LOOKUP_FAILURES[where.name] };
  }
  if (!where.secure) return { nearby: [], elsewhere: [], otherwise: "insecure" };
  const elsewhere = peerTargets(where.targets, own);
  record.moved(where.username, elsewhere);
  return { nearby, elsewhere, otherwise: where.targets.length === 0 ? "no_relay" : undefined };
}

/**
 * Dials the person of `record`, and greets the winner.
 * @returns why there is no link; undefined: the greeting has begun, or the dial was abandoned
 * @throws SQLiteError
 */
export async function dialPeer(
  needs: DialNeeds,
  record: ContactRecord,
  signal: AbortSignal,
  greet: Greet,
): Promise<UnreachableReason | undefined> {
  const { tls, dial, budget, account, clock } = needs;
  const tried = (step: Tried) => needs.tried?.(record.label, step);
  const take = ({ ip }: Target) => budget.take(`${account} ${record.label}`, ip, needs.own());
  const options = { dial, take, tried, signal };
  const begun = clock.monotonic();
  // Whoever is dialled sees our address.
  const mayDial = needs.relay() !== "only";
  const nearby = mayDial ? needs.nearby(record.label) : [];
  const race = new Race({ tls, record, report: undefined, greet });
  const later = Promise.withResolvers<Places>();
  let dialled: Promise<UnreachableReason | undefined> | undefined;
  const dialKnown = () => {
    if (!mayDial || !record.hasKey || record.isRelayOnly || race.context === undefined) return;
    const elsewhere = peerTargets(record.targets, needs.own());
    // A single one: the budget of dials has to last for the addresses that the server names.
    const [first] = [...nearby, ...elsewhere];
    if (first === undefined) return;
    const isNearby = isAmong(first, nearby);
    const known: Places = {
      nearby: isNearby ? [first] : [],
      elsewhere: isNearby ? [] : [first],
      otherwise: "no_server",
    };
    dialled = dialTargets(race, known, { ...options, later: later.promise });
  };
  let where: Whereabouts;
  try {
    where = await whereIs(needs, record, nearby.length > 0, dialKnown);
  } catch (error) {
    if (dialled === undefined) throw error;
    later.reject(error);
    return dialled;
  }
  if (signal.aborted) return undefined;
  tried({ way: "lookup", ms: Math.round(clock.monotonic() - begun), code: LOOKUP_FAILURES[where.name] });
  race.reported(keyReport(where));
  const heard = placesOf(where, record, nearby, needs.own());
  const places: Places = mayDial
    ? heard
    : { nearby: [], elsewhere: [], otherwise: heard.otherwise ?? "no_relay" };
  later.resolve(places);
  dialled ??= dialTargets(race, places, options);
  if (where.name !== "online" || !where.secure) return dialled;
  return needs.meet(race, where.isOpen, dialled, signal);
}

type TargetDialOptions = Pick<DialNeeds, "dial"> & {
  tried(tried: Tried): void;
  take(target: Target): number;
  readonly signal: AbortSignal;
  /** Takes the place of the first `places`. */
  readonly later?: Promise<Places>;
};

/** @returns, @throws as `dialPeer` */
export async function dialTargets(
  race: Race,
  places: Places,
  { dial, take, tried, signal, later }: TargetDialOptions,
): Promise<UnreachableReason | undefined> {
  let now = places;
  const targetsNow = () => [...now.nearby, ...without(now.elsewhere, now.nearby)];
  const targets = targetsNow();
  if (targets.length === 0) return now.otherwise ?? "unreachable";
  const { context } = race;
  if (context === undefined) return "no_certificate";
  const isMapped = ({ ip, port }: Target) =>
    now.elsewhere.some((each) => each.ip === ip && each.port === port && each.isMapped === true);
  const kindOf = (target: Target) => {
    if (isMapped(target)) return "mapped";
    if (isAmong(target, now.nearby)) return "lan";
    return now.otherwise === undefined ? "direct" : "known";
  };
  try {
    await dial({
      targets,
      ...(later !== undefined && {
        later: later.then((heard) => {
          now = heard;
          return targetsNow();
        }),
      }),
      tls: context,
      objectLimit: PEER_OBJECT_LIMIT,
      take,
      ended: ({ ip, port }, code, ms) => {
        tried({ way: "direct", kind: kindOf({ ip, port }), ip, port, ms: Math.round(ms), code });
      },
      signal,
      handlers: race.handlers(({ remoteAddress: ip, remotePort: port }) =>
        isMapped({ ip, port }) ? "mapped" : "direct",
      ),
      verify: (connection, handshake) => race.verify(connection, handshake),
    });
    if (race.isGreeted) return undefined;
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    const { keyFailure } = race;
    if (error.code === "abandoned") return undefined;
    // Whoever knows the person's name may have sent the beacon.
    const doubted = without(now.nearby, now.elsewhere);
    return keyFailure ?? reasonOf({ failures: without(error.failures, doubted) }, now.otherwise);
  }
  return race.keyFailure ?? "not_admitted";
}

/** The network no longer carries the line. A reset (ECONNRESET) is sent by the other machine: it has closed the line. */
const LINE_BROKE = /^E(?:TIMEDOUT|(?:HOST|NET)(?:UNREACH|DOWN)|NETRESET)$/;

/** Why there is no link to a proven peer, if the link ended before its greeting was done. */
export function ungreeted(end: LinkEnd): UnreachableReason {
  switch (end.name) {
    case "told":
      if (end.code === "key_pending") return "own_key_pending";
      return end.code === "busy" ? "busy" : "greeting_refused";
    case "local":
      return end.code === "hello_timeout" ? "no_greeting" : "bad_greeting";
    case "lost":
      return LINE_BROKE.test(end.code) ? "line_broke" : "not_admitted";
    case "remote":
    case "refused":
      return "not_admitted";
    default:
      return end satisfies never;
  }
}

/** Codes of a certificate that is valid at another time: one of the two clocks is wrong. */
const OUT_OF_DATE = /^not_in_date$|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/;

/** Codes of an attempt that nobody has answered. */
const UNANSWERED = /^(?:timeout|ETIMEDOUT|E(?:HOST|NET)UNREACH)$/;

/**
 * Why no dial has led to the person.
 * @param lookupFailure why the server did not report the addresses; undefined: it did
 */
export function reasonOf(
  { failures }: Pick<DialError, "failures">,
  lookupFailure: UnreachableReason | undefined,
): UnreachableReason {
  const codes = failures.map(({ code }) => code);
  if (codes.includes("key_refused")) return "not_proven";
  // Only a certificate that names the person is compared with the revocations.
  if (codes.includes("revoked")) return "revoked";
  // An old address may belong to another client by now, or to us, so its answer says nothing about the person.
  if (lookupFailure !== undefined) return lookupFailure;
  if (codes.some((code) => OUT_OF_DATE.test(code))) return "not_in_date";
  // If another client answers at one address and another address is dead, the person may still be at the latter.
  if (codes.length > 0 && !codes.some(isLineFailure)) return "not_proven";
  // Without any timeout it is our own network that has no way there.
  const isSilent =
    codes.some((code) => /timeout/i.test(code)) && codes.every((code) => UNANSWERED.test(code));
  return isSilent ? "no_answer" : "unreachable";
}
