import { expect, test } from "bun:test";

import { createLog } from "../../src/server/log.ts";

const hostile = "ana\u001b[2J\nforged line\u202e";

test("text from outside cannot add a line or reach the terminal", () => {
  for (const style of ["pretty", "json"] as const) {
    const lines: string[] = [];
    const log = createLog(
      style,
      () => 0,
      (line) => lines.push(line),
    );
    log.info("login_failed", { user: hostile, tries: 3, nothing: undefined });
    log.error("internal_error", new Error(hostile));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
      expect(line).toEndWith("\n");
    }
  }
});

test("a line says when, what and with what", () => {
  const lines: string[] = [];
  createLog(
    "json",
    () => 1_000,
    (line) => lines.push(line),
  ).warn("plain_link", { from: "any" });
  createLog(
    "pretty",
    () => 1_000,
    (line) => lines.push(line),
  ).warn("plain_link", { from: "any" });
  expect(JSON.parse(lines[0] as string)).toEqual({
    time: "1970-01-01T00:00:01.000Z",
    level: "warn",
    event: "plain_link",
    from: "any",
  });
  expect(lines[1]).toBe("00:00:01 warn plain_link from=any\n");
});
