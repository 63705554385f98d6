import { expect, test } from "bun:test";

import { STATUS_PAGE } from "../../../src/server/monitor/status-page.ts";
import { STATUS_TEXTS } from "../../../src/server/monitor/status-texts.ts";

test("the page has its style, its charts and its script, and every text that it names exists", () => {
  expect(STATUS_PAGE).toContain("<style>/*");
  expect(STATUS_PAGE).toContain('<script>"use strict";');
  expect(STATUS_PAGE.match(/<section id="chart-/g)).toHaveLength(9);
  const named = [...STATUS_PAGE.matchAll(/data-(?:text|unit)="(\w+)"/g)].map(([, key]) => key);
  expect(named.length).toBeGreaterThan(20);
  for (const key of named) expect(STATUS_TEXTS).toHaveProperty(key as string);
});
