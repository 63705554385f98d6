import { expect, test } from "bun:test";

import { createLog, MAX_UNWRITTEN, openLog, type LogStream } from "../../../src/server/log/log.ts";

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

test("a line has the time, the level, the event and its fields", () => {
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
  expect(lines[1]).toBe("00:00:01 warn  plain_link             from=any\n");
});

test("on a terminal, times, levels, events and fields stand in columns", () => {
  const lines: string[] = [];
  const log = createLog(
    "pretty",
    () => 0,
    (line) => lines.push(line),
  );
  log.info("online", { user: "ana" });
  log.warn("plain_link", { from: "any" });
  log.info("stopping");
  expect(lines.map((line) => line.search(/user=|from=/))).toEqual([38, 38, -1]);
  expect(lines[2]).toBe("00:00:00       stopping\n");
});

test("one value on a terminal cannot look like two", () => {
  const lines: string[] = [];
  createLog(
    "pretty",
    () => 0,
    (line) => lines.push(line),
  ).info("login_failed", { user: 'x why="nothing" user=admin', address: "" });
  expect(lines[0]).toEndWith(' user="x why=\'nothing\' user=admin" address=""\n');
});

/** A stream that writes when it is flushed. */
class SlowStream implements LogStream {
  readonly written: string[] = [];
  readonly waiting: { text: string; done: (error?: Error | null) => void }[] = [];
  listeners = 0;

  write(text: string, done: (error?: Error | null) => void): void {
    this.waiting.push({ text, done });
  }

  on(): void {
    this.listeners++;
  }

  flush(error?: Error): void {
    for (const { text, done } of this.waiting.splice(0)) {
      if (error === undefined) this.written.push(text);
      done(error ?? null);
    }
  }
}

test("a reader that does not read costs bounded memory, and the lost lines are reported", () => {
  const stream = new SlowStream();
  const log = openLog("json", () => 0, stream);
  for (let number = 0; number < 10_000; number++) log.info("online", { user: "x".repeat(900), number });
  const bytes = stream.waiting.reduce((sum, { text }) => sum + text.length, 0);
  expect(bytes).toBeLessThan(MAX_UNWRITTEN + 1_024);
  const kept = stream.waiting.length;
  stream.flush();
  stream.flush();
  expect(stream.written).toHaveLength(kept + 1);
  expect(JSON.parse(stream.written.at(-1) as string)).toMatchObject({
    level: "warn",
    event: "log_lines_lost",
    lines: 10_000 - kept,
  });
  log.info("again");
  stream.flush();
  expect(stream.written.at(-1)).toInclude('"again"');
});

test("a full disk loses lines and nothing else", () => {
  const stream = new SlowStream();
  const log = openLog("json", () => 0, stream);
  expect(stream.listeners).toBe(1);
  log.info("first");
  stream.flush(new Error("ENOSPC"));
  log.info("second");
  stream.flush();
  stream.flush();
  expect(stream.written.map((line) => JSON.parse(line))).toMatchObject([
    { event: "second" },
    { event: "log_lines_lost", lines: 1 },
  ]);
});
