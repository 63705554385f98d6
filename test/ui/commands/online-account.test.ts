import { expect, test } from "bun:test";

import { InterruptedError, TimeoutError } from "../../../src/ui/failures.ts";
import { clockDifference, closeAccount } from "../../../src/ui/commands/online-account.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const MINUTE = 60_000;

test.each([
  [6 * MINUTE, "6 minutos", "6 minutes"],
  [-119 * MINUTE, "119 minutos", "119 minutes"],
  [120 * MINUTE - 1, "2 horas", "2 hours"],
  [47 * 60 * MINUTE, "47 horas", "47 hours"],
  [-48 * 60 * MINUTE, "2 días", "2 days"],
  [576_000 * MINUTE, "400 días", "400 days"],
])("clocks that differ by %d ms differ in words by %s", (offset, es, en) => {
  expect(clockDifference(offset, textsIn("es"))).toBe(es);
  expect(clockDifference(offset, textsIn("en"))).toBe(en);
});

test("closing is not waited for once the command's time is over, also when that happens meanwhile", async () => {
  const abort = new AbortController();
  const never = { close: () => Promise.withResolvers<void>().promise };
  const closing = closeAccount(abort, never);
  abort.abort(new TimeoutError());
  await closing;
  await closeAccount(abort, never);
});

test("closing is waited for when there is time, and after an interruption", async () => {
  const interrupted = new AbortController();
  interrupted.abort(new InterruptedError());
  for (const { signal } of [new AbortController(), interrupted]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    let isClosed = false;
    const closing = closeAccount({ signal }, { close: () => promise }).then(() => (isClosed = true));
    await new Promise((turn) => setImmediate(turn));
    expect(isClosed).toBe(false);
    resolve();
    await closing;
  }
  const failed = closeAccount(new AbortController(), { close: () => Promise.reject(new RangeError("x")) });
  expect(await failed.catch((error: unknown) => error)).toBeInstanceOf(RangeError);
});
