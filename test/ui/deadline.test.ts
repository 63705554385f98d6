import { afterEach, beforeEach, expect, jest, test } from "bun:test";

import { Deadline } from "../../src/ui/deadline.ts";
import { InterruptedError, TimeoutError } from "../../src/ui/failures.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("a command that takes longer than its timeout is aborted", () => {
  const abort = new AbortController();
  const deadline = new Deadline(abort, 2);
  jest.advanceTimersByTime(1_999);
  expect(abort.signal.aborted).toBe(false);
  jest.advanceTimersByTime(2);
  expect(abort.signal.reason).toBeInstanceOf(TimeoutError);
  deadline.stop();
});

test("a command that has ended, or has no timeout, is not aborted", () => {
  const [ended, unbounded] = [new AbortController(), new AbortController()];
  new Deadline(ended, 1).stop();
  new Deadline(unbounded, undefined);
  jest.advanceTimersByTime(1_000_000);
  expect([ended.signal.aborted, unbounded.signal.aborted]).toEqual([false, false]);
});

test("the time is paused during a prompt, and then continues", async () => {
  const abort = new AbortController();
  const deadline = new Deadline(abort, 2);
  const answer = Promise.withResolvers<string>();
  const asked = deadline.asking(() => answer.promise);
  jest.advanceTimersByTime(100_000);
  expect(abort.signal.aborted).toBe(false);
  answer.resolve("yes");
  expect(await asked).toBe("yes");
  jest.advanceTimersByTime(2_100);
  expect(abort.signal.reason).toBeInstanceOf(TimeoutError);
});

test("a prompt that is left or aborted rejects with the reason why the command ends", async () => {
  const named = (name: string) => Object.assign(new Error(name), { name });
  const abort = new AbortController();
  const deadline = new Deadline(abort, undefined);
  const left = deadline.asking(() => Promise.reject(named("ExitPromptError")));
  expect(await left.catch((error: unknown) => error)).toBeInstanceOf(InterruptedError);
  const reason = new TimeoutError();
  abort.abort(reason);
  const aborted = deadline.asking(() => Promise.reject(named("AbortPromptError")));
  expect(await aborted.catch((error: unknown) => error)).toBe(reason);
  const broken = named("TypeError");
  expect(await deadline.asking(() => Promise.reject(broken)).catch((error: unknown) => error)).toBe(broken);
});
