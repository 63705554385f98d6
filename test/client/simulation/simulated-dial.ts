/** Dials to several addresses, as in `src/net/dialler.ts`, over the simulated network. */
import { DialError, DIAL_TIMEOUT, type DialOptions, type Target } from "../../../src/net/dialler.ts";
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
  const waiting = [...options.targets];
  const failures: (Target & { readonly code: string })[] = [];
  const underWay = new Set<Target>();
  let isSettled = false;
  const settle = (run: () => void): void => {
    if (isSettled) return;
    isSettled = true;
    cancel();
    options.signal?.removeEventListener("abort", abandon);
    run();
    around.settled();
  };
  const fail = (code: DialError["code"]) => settle(() => reject(new DialError(code, failures)));
  const abandon = () => fail("abandoned");
  const cancel = clock.after(options.timeout ?? DIAL_TIMEOUT, () => {
    for (const target of underWay) failures.push({ ...target, code: "timeout" });
    fail("timeout");
  });
  const startNext = (): void => {
    if (isSettled) return;
    const index = waiting.findIndex((target) => (options.take?.(target) ?? 0) === 0);
    if (index >= 0) for (const target of waiting.splice(index, 1)) start(target);
    if (waiting.length > 0) clock.after(STAGGER, startNext);
  };
  const failed = (target: Target, code: string): void => {
    underWay.delete(target);
    failures.push({ ...target, code });
    if (underWay.size === 0 && waiting.length === 0) fail("unreachable");
    else startNext();
  };
  const start = (target: Target): void => {
    underWay.add(target);
    around.network.dial(from, to, {
      target,
      isOver: () => isSettled,
      opened: (connection, become) => {
        const verdict = options.verify(connection, HANDSHAKE);
        if (verdict !== true) {
          connection.terminate(verdict);
          failed(target, verdict);
          return;
        }
        settle(() => {
          become(options.handlers);
          resolve(connection);
          options.handlers.opened?.(connection);
        });
      },
      failed: (code) => failed(target, code),
    });
  };
  if (options.signal?.aborted === true) fail("abandoned");
  else if (waiting.length === 0) fail("unreachable");
  else {
    options.signal?.addEventListener("abort", abandon, { once: true });
    startNext();
  }
  return promise;
}
