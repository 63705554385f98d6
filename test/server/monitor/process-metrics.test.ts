import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { exposition } from "../../../src/server/monitor/exposition.ts";
import { Metrics } from "../../../src/server/metrics/metrics.ts";
import { ProcessMetrics } from "../../../src/server/monitor/process-metrics.ts";
import { parseOpenMetrics, sampleOf } from "../../open-metrics-parser.ts";

/** How long one callback holds the event loop, in ms. */
const FREEZE = 29_000;
/** Its delay in seconds: the timer that measures fires every 20 ms. */
const SHOWN = 28.98;

let now = 0;
let metrics: ProcessMetrics;
beforeEach(() => {
  now = 0;
  metrics = new ProcessMetrics(() => now);
});
afterEach(() => metrics.stop());

describe("a freeze by one callback", () => {
  test("is shown to whoever reads first after it, before any timer has fired", () => {
    now += FREEZE;
    expect(metrics.loopDelay.max).toBeCloseTo(SHOWN, 6);
  });

  test("is in the sample of the window in which it ended, and in no other", () => {
    metrics.nextWindow();
    now += FREEZE;
    expect(metrics.nextWindow()).toBeCloseTo(SHOWN, 6);
    expect(metrics.loopDelay.p99).toBeGreaterThan(20);
    expect(metrics.nextWindow()).toBe(0);
    expect(metrics.loopDelay.p99).toBe(0);
  });

  test("is shown to whoever reads once a minute, and then no more", () => {
    now += FREEZE;
    // A minute has six windows of ten seconds.
    for (let window = 0; window < 6; window++) metrics.nextWindow();
    expect(metrics.loopDelay.max).toBeCloseTo(SHOWN, 6);
    metrics.nextWindow();
    expect(metrics.loopDelay.max).toBe(0);
  });

  test("is in /metrics", () => {
    now += FREEZE;
    const families = parseOpenMetrics(exposition(new Metrics(), metrics, undefined));
    expect(sampleOf(families, "paloma_event_loop_delay_seconds", { quantile: "1.0" })).toBeCloseTo(SHOWN, 6);
  });
});
