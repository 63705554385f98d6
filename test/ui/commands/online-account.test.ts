import { expect, test } from "bun:test";

import { InterruptedError, TimeoutError } from "../../../src/ui/failures.ts";
import { closeAccount } from "../../../src/ui/commands/online-account.ts";

test("closing is not waited for after the timeout, also if that comes while it closes", async () => {
  const abort = new AbortController();
  const never = { close: () => Promise.withResolvers<void>().promise };
  const closing = closeAccount(abort, never);
  abort.abort(new TimeoutError());
  await closing;
  await closeAccount(abort, never);
});

test("closing is waited for before the timeout and after an interruption", async () => {
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
