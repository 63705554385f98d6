import { expect, test } from "bun:test";

import { SLOW_READING, SlowReading } from "../../../../src/client/peer/limits/slow-reading.ts";

/** A connection whose objects have all the same length, and a clock that goes to the next timer at once. */
function reader(objectBytes: number) {
  const state = { now: 0, handledBytes: 0, heldBytes: 0, isPaused: false, handled: 0, floods: 0 };
  const timers: (() => void)[] = [];
  const slow = new SlowReading(
    {
      monotonic: () => state.now,
      after: (ms, run) => {
        const timer = () => {
          state.now += ms;
          run();
        };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    },
    {
      get handledBytes() {
        return state.handledBytes;
      },
      get heldBytes() {
        return state.heldBytes;
      },
      pauseReading: () => (state.isPaused = true),
      resumeReading: () => (state.isPaused = false),
    },
    () => state.floods++,
  );
  /** Reads until it pauses. */
  const read = () => {
    while (!state.isPaused) {
      state.handledBytes += objectBytes;
      state.handled++;
      slow.handled();
    }
  };
  return { state, timers, slow, read };
}

test("so many bytes are read at once, and then so many a second", () => {
  const { state, timers, read } = reader(1_000);
  read();
  expect(state.handledBytes).toBeWithin(0.8 * SLOW_READING.burst, SLOW_READING.burst + 1_000);
  const before = state.handledBytes;
  while (state.now < 60_000) {
    timers.shift()?.();
    read();
  }
  expect((state.handledBytes - before) / 60).toBeWithin(
    0.8 * SLOW_READING.perSecond,
    SLOW_READING.perSecond + 100,
  );
});

test("short objects count more than they have", () => {
  const { state, read } = reader(20);
  read();
  expect(state.handled).toBeLessThan(SLOW_READING.burst / 128);
});

test("the longest object is waited for, and nothing else makes it read earlier", () => {
  const { state, timers, slow, read } = reader(256 * 1_024);
  read();
  slow.resume();
  expect(state.isPaused).toBe(true);
  timers.shift()?.();
  expect(state).toMatchObject({ isPaused: false, handled: 1 });
  expect(state.now).toBeWithin(20_000, 32_000);
});

test("whoever has sent far more than is read floods us: that is noticed at the end of the pause", () => {
  const { state, timers, read } = reader(1_000);
  state.heldBytes = 256 * 1024;
  read();
  timers.shift()?.();
  expect(state).toMatchObject({ isPaused: false, floods: 0 });
  state.heldBytes++;
  read();
  timers.shift()?.();
  expect(state).toMatchObject({ isPaused: true, floods: 1 });
});

test("once its link is closed, nothing is waited for, and a flood is noticed then", () => {
  const { state, timers, slow, read } = reader(100_000);
  read();
  slow.closed();
  expect([timers, state.floods]).toEqual([[], 0]);
  const other = reader(100_000);
  other.read();
  other.state.heldBytes = 1_000_000;
  other.slow.closed();
  other.slow.closed();
  expect(other.state.floods).toBe(1);
});
