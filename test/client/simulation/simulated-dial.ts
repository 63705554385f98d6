/** Dials to several addresses, as in `src/net/dialler.ts`, over the simulated network. */
import {
  DialError,
  DIAL_TIMEOUT,
  isAmong,
  LATER_PATIENCE,
  type DialOptions,
  type Target,
} from "../../../src/net/dialler.ts";
import type { Connection } from "../../../src/net/connection.ts";
import { HANDSHAKE } from "./simulated-connection.ts";
import type { Place, Program } from "./simulated-network.ts";
import type { Surrounding } from "./simulated-program.ts";

/** As in `src/net/dialler.ts`, in ms. */
const STAGGER = 250;

/** Dials `to` from `from`, which `program` runs on. */
export function dialOver(
  { from, to, program, around }: { from: Place; to: Place; program: Program; around: Surrounding },
  options: DialOptions,
): Promise<Connection> {
  const { clock } = program;
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  let waiting = [...options.targets];
  let failures: (Target & { readonly code: string })[] = [];
  const underWay = new Set<Target>();
  let isSettled = false;
  const settle = (run: () => void): void => {
    if (isSettled) return;
    isSettled = true;
    cancel?.();
    options.signal?.removeEventListener("abort", abandon);
    run();
    around.settled();
  };
  const fail = (code: DialError["code"]) => settle(() => reject(new DialError(code, failures)));
  const abandon = () => fail("abandoned");
  /** Decides about those who have answered while `later` is waited for; undefined: it is waited for no longer. */
  let held: (() => void)[] | undefined = options.later && [];
  const release = (): void => {
    const waited = held ?? [];
    held = undefined;
    for (const decide of waited) decide();
  };
  /** Undefined: `later` has not come. */
  let cancel: (() => void) | undefined;
  const startTime = (): void => {
    cancel = clock.after(options.timeout ?? DIAL_TIMEOUT, () => {
      for (const target of underWay) failures.push({ ...target, code: "timeout" });
      fail("timeout");
    });
  };
  const startNext = (): void => {
    if (isSettled) return;
    const index = waiting.findIndex((target) => (options.take?.(target) ?? 0) === 0);
    if (index >= 0) for (const target of waiting.splice(index, 1)) start(target);
    if (waiting.length > 0) clock.after(STAGGER, startNext);
  };
  const failed = (target: Target, code: string): void => {
    underWay.delete(target);
    failures.push({ ...target, code });
    goOn();
  };
  const goOn = (): void => {
    if (underWay.size === 0 && waiting.length === 0 && cancel !== undefined) fail("unreachable");
    else startNext();
  };
  const replaceTargets = (targets: readonly Target[]): void => {
    if (isSettled) return;
    for (const target of [...underWay]) if (!isAmong(target, targets)) underWay.delete(target);
    waiting = targets.filter((each) => !isAmong(each, [...underWay]));
    failures = [];
    startTime();
    if (underWay.size === 0) goOn();
    else clock.after(STAGGER, startNext);
    release();
  };
  const start = (target: Target): void => {
    underWay.add(target);
    around.network.dial(from, to, {
      target,
      isOver: () => isSettled || !underWay.has(target),
      opened: (connection, become) => {
        const decide = (): void => {
          if (isSettled || !underWay.has(target)) {
            connection.terminate("lost_race");
            return;
          }
          const verdict = connection.isOpen ? options.verify(connection, HANDSHAKE) : "closed";
          if (verdict !== true) {
            connection.terminate(verdict);
            failed(target, verdict);
            return;
          }
          settle(() => {
            become(options.handlers);
            resolve(connection);
            options.handlers.opened?.(connection);
            connection.resumeReading();
          });
        };
        if (held === undefined) decide();
        else {
          connection.pauseReading();
          held.push(decide);
        }
      },
      failed: (code) => failed(target, code),
    });
  };
  if (options.later === undefined) startTime();
  else {
    clock.after(LATER_PATIENCE, () => {
      release();
      around.settled();
    });
    options.later.then(replaceTargets).catch((error: unknown) => settle(() => reject(error)));
  }
  if (options.signal?.aborted === true) fail("abandoned");
  else {
    options.signal?.addEventListener("abort", abandon, { once: true });
    goOn();
  }
  return promise;
}
