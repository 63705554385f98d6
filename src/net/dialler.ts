/**
 * Dialling: all addresses of a target, IPv6 and IPv4 in turn, staggered (RFC 8305); the first whose
 * handshake is done and verified wins, and the others are closed before we send a byte.
 */
import { isIPv6 } from "node:net";

import {
  Connection,
  READS_NOTHING,
  SOCKET_HANDLERS,
  type CloseReason,
  type ConnectionHandlers,
} from "./connection.ts";
import { connectFailure } from "./connect-failure.ts";
import { dialOptions, fromLocalPort, type Handshake, type TlsContext } from "./tls.ts";

/** Delay between two attempts, in ms (RFC 8305, section 5). */
const STAGGER = 250;
/** How long who has answered waits for targets that come later, from the beginning, in ms. */
export const LATER_PATIENCE = 500;
/** All attempts together, in ms. */
export const DIAL_TIMEOUT = 10_000;

export type Target = { readonly ip: string; readonly port: number };

export function isAmong({ ip, port }: Target, targets: readonly Target[]): boolean {
  return targets.some((each) => each.ip === ip && each.port === port);
}

type DialFailure = Target & { readonly code: string };

/** Codes of the network or of a busy port, which say nothing about who answered. */
const LINE_FAILURE = /^E[A-Z]+$|^closed|^handshake_timeout$|^timeout$/;

export function isLineFailure(code: string): boolean {
  return LINE_FAILURE.test(code);
}

/** Codes of several addresses: an answer says more than silence, and silence more than an address without a route. */
const MOST_TELLING = [
  "ECONNREFUSED",
  "closed_in_handshake",
  "ECONNRESET",
  "handshake_timeout",
  "timeout",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EINVAL",
];

/** No target could be connected and verified; `failures` says what happened at each. */
export class DialError extends Error {
  readonly failures: readonly DialFailure[];
  readonly code: "unreachable" | "refused" | "timeout" | "abandoned";

  constructor(code: DialError["code"], failures: readonly DialFailure[]) {
    super(`dial: ${code}`);
    this.code = code;
    this.failures = failures;
  }

  /** The code that says most about why no address was reached. */
  get lineCode(): string {
    if (this.code === "timeout") return "timeout";
    const codes = this.failures.map(({ code }) => code);
    return MOST_TELLING.find((code) => codes.includes(code)) ?? codes[0] ?? "no_address";
  }
}

export type DialOptions = {
  targets: readonly Target[];
  /**
   * Takes the place of `targets` when it comes: attempts elsewhere are given up, what was found before does not count, and
   * from then on the time runs. Until then the dial does not fail, and for `LATER_PATIENCE` nobody wins.
   */
  later?: Promise<readonly Target[]>;
  tls: TlsContext;
  objectLimit: number;
  /** Replace the handlers of the winning connection before it opens; the others never call them. */
  handlers: ConnectionHandlers;
  /** True if the handshake proves enough; otherwise the code with which that attempt ends. */
  verify(connection: Connection, handshake: Handshake): true | string;
  /** Takes one dial from a budget. @returns how long until that is possible, in ms; 0: it was taken */
  take?(target: Target): number;
  /** An attempt has ended. @param code undefined: it has won. @param ms how long it has taken */
  ended?(target: Target, code: string | undefined, ms: number): void;
  signal?: AbortSignal;
  timeout?: number;
  /** Whether further connections are to be dialled from the winner's local port. */
  sharesLocalPort?: boolean;
};

/** Alternates IPv6 and IPv4, and otherwise keeps the order (RFC 8305, section 4). */
export function interleaveFamilies(targets: readonly Target[]): Target[] {
  const six = targets.filter((target) => isIPv6(target.ip));
  const four = targets.filter((target) => !isIPv6(target.ip));
  const [first, second] = targets[0] !== undefined && isIPv6(targets[0].ip) ? [six, four] : [four, six];
  const order: Target[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    order.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  }
  return order;
}

/**
 * Dials until one connection is verified.
 * @throws DialError `unreachable`, `refused` (something answered and did not prove itself), `timeout`
 *   or `abandoned` (by `signal`).
 */
export function dial(options: DialOptions): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  let waiting = interleaveFamilies(options.targets);
  const attempts = new Map<Connection, Target>();
  let failures: DialFailure[] = [];
  let refused = false;
  let settled = false;
  let stagger: ReturnType<typeof setTimeout> | undefined;
  /** Decides about those who have answered while `later` is waited for; undefined: it is waited for no longer. */
  let held: (() => void)[] | undefined = options.later && [];
  const patience = held && setTimeout(release, LATER_PATIENCE);
  /** Undefined: `later` has not come. */
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const abandon = () => fail("abandoned");

  function settle(): boolean {
    if (settled) return false;
    settled = true;
    clearTimeout(deadline);
    clearTimeout(stagger);
    clearTimeout(patience);
    options.signal?.removeEventListener("abort", abandon);
    return true;
  }

  /** @param code the close reason of the attempts that are ended */
  function endAttempts(code: string, except?: Connection): void {
    for (const attempt of [...attempts.keys()]) {
      const isHanging = code === "timeout" && attempt.isConnected;
      if (attempt !== except) attempt.terminate(isHanging ? "handshake_timeout" : code);
    }
    attempts.clear();
  }

  function fail(code: DialError["code"]): void {
    if (!settle()) return;
    endAttempts(code);
    reject(new DialError(code, failures));
  }

  function attemptFailed(target: Target, code: string, begun: number, proofFailed: boolean): void {
    failures.push({ ...target, code });
    options.ended?.(target, code, performance.now() - begun);
    refused ||= proofFailed;
    if (!settled) goOn();
  }

  function goOn(): void {
    const isInVain = attempts.size === 0 && waiting.length === 0 && deadline !== undefined;
    if (isInVain) fail(refused ? "refused" : "unreachable");
    else startNext();
  }

  function startTime(): void {
    deadline = setTimeout(() => fail("timeout"), options.timeout ?? DIAL_TIMEOUT);
  }

  function replaceTargets(targets: readonly Target[]): void {
    if (settled) return;
    waiting = interleaveFamilies(targets).filter((each) => !isAmong(each, [...attempts.values()]));
    for (const [attempt, target] of [...attempts]) {
      if (!isAmong(target, targets)) attempt.terminate("abandoned");
    }
    failures = [];
    refused = false;
    startTime();
    clearTimeout(stagger);
    if (attempts.size === 0) goOn();
    else stagger = setTimeout(startNext, STAGGER);
    release();
  }

  function release(): void {
    const waited = held ?? [];
    held = undefined;
    for (const decide of waited) decide();
  }

  function startNext(): void {
    clearTimeout(stagger);
    let pause = Infinity;
    for (const [index, target] of waiting.entries()) {
      const wait = options.take?.(target) ?? 0;
      pause = wait === 0 ? STAGGER : Math.min(pause, wait);
      if (wait > 0) continue;
      waiting.splice(index, 1);
      start(target);
      break;
    }
    if (waiting.length > 0) stagger = setTimeout(startNext, pause);
  }

  function start(target: Target): void {
    const begun = performance.now();
    const hasWon = (connection: Connection, handshake: Handshake): boolean => {
      if (settled) return false;
      const verdict = options.verify(connection, handshake);
      if (verdict !== true) {
        connection.terminate(verdict);
        return false;
      }
      if (!settle()) return false;
      options.ended?.(target, undefined, performance.now() - begun);
      endAttempts("lost_race", connection);
      connection.handOverTo(options.handlers);
      resolve(connection);
      return true;
    };
    const attempt = new Connection(
      {
        ...READS_NOTHING,
        secured(connection, handshake) {
          if (held === undefined) return hasWon(connection, handshake);
          connection.pauseReading();
          held.push(() => {
            if (!connection.isOpen || !hasWon(connection, handshake)) return;
            options.handlers.opened?.(connection);
            connection.resumeReading();
          });
          return true;
        },
        closed(reason, connection) {
          attempts.delete(connection);
          const proofFailed = reason.name === "refused" || reason.name === "local";
          attemptFailed(target, codeOfClose(reason), begun, proofFailed);
        },
      },
      { objectLimit: options.objectLimit, tls: true },
    );
    attempts.set(attempt, target);
    Bun.connect<Connection>({
      hostname: target.ip,
      port: target.port,
      ...(options.sharesLocalPort === true && fromLocalPort(target.ip, 0)),
      data: attempt,
      tls: dialOptions(options.tls),
      socket: {
        ...SOCKET_HANDLERS,
        handshake(socket, done, error) {
          // With verification off Bun reports `false` for an unknown chain although the handshake is done.
          const isSeen = !options.tls.rejectUnauthorized && socket.getPeerCertificate() !== undefined;
          attempt.shookHands(done || isSeen, error);
        },
        // The promise is rejected too.
        connectError: () => undefined,
      },
    }).catch(async (error: Error) => {
      attempt.gone(await connectFailure(error, target, performance.now() - begun));
    });
  }

  if (options.later === undefined) startTime();
  else
    options.later.then(replaceTargets).catch((error: unknown) => {
      if (!settle()) return;
      endAttempts("abandoned");
      reject(error);
    });
  if (options.signal?.aborted === true) fail("abandoned");
  else {
    options.signal?.addEventListener("abort", abandon, { once: true });
    goOn();
  }
  return promise;
}

export function codeOfClose(reason: CloseReason): string {
  return reason.name === "remote" ? "closed" : reason.code;
}
