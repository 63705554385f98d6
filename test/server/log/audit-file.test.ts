import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AuditFile, KEPT_AUDIT_FILES, MAX_AUDIT_BYTES } from "../../../src/server/log/audit-file.ts";
import { StartError } from "../../../src/server/start-error.ts";
import { createLog, type Log } from "../../../src/server/log/log.ts";
import { AuditedLog } from "../../../src/server/log/security-log.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paloma-audit-"));
  path = join(folder, "sub", "audit.jsonl");
  mkdirSync(join(folder, "sub"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const never = (error: unknown) => {
  throw error;
};

type Event = { readonly [name: string]: unknown };

function eventsIn(file: string): Event[] {
  const lines = readFileSync(file, "utf8").split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(line) as Event);
}

describe("the file", () => {
  test("has mode 0600, also if it existed with another mode", () => {
    new AuditFile(path, never).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const loose = join(folder, "loose.jsonl");
    writeFileSync(loose, '{"event":"old"}\n', { mode: 0o644 });
    const file = new AuditFile(loose, never);
    file.append('{"event":"new"}\n');
    file.close();
    expect(statSync(loose).mode & 0o777).toBe(0o600);
    expect(eventsIn(loose)).toEqual([{ event: "old" }, { event: "new" }]);
  });

  test("rotates before it is too long, keeps five older files, and loses no line of them", () => {
    const file = new AuditFile(path, never);
    const line = (number: number) => `${JSON.stringify({ number, text: "x".repeat(1_000_000) })}\n`;
    const perFile = Math.floor(MAX_AUDIT_BYTES / line(10).length);
    const count = perFile * (KEPT_AUDIT_FILES + 1) + 3;
    for (let number = 0; number < count; number++) file.append(line(number));
    file.close();
    const names = readdirSync(join(folder, "sub")).sort();
    expect(names).toEqual(["audit.jsonl", ...[1, 2, 3, 4, 5].map((each) => `audit.jsonl.${each}`)]);
    const kept = [5, 4, 3, 2, 1].map((each) => `${path}.${each}`);
    for (const each of [...kept, path]) {
      expect(statSync(each).size).toBeLessThanOrEqual(MAX_AUDIT_BYTES);
      expect(statSync(each).mode & 0o777).toBe(0o600);
    }
    const numbers = [...kept, path].flatMap(eventsIn).map((event) => event["number"]);
    const first = count - numbers.length;
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => first + index));
    expect(numbers.length).toBeGreaterThan(perFile * KEPT_AUDIT_FILES);
  });

  test("goes on in a new file when an operator has moved it away", () => {
    const file = new AuditFile(path, never);
    file.append('{"n":1}\n');
    renameSync(path, `${path}.moved`);
    file.append('{"n":2}\n');
    rmSync(path);
    file.append('{"n":3}\n');
    file.close();
    expect(eventsIn(`${path}.moved`)).toEqual([{ n: 1 }]);
    expect(eventsIn(path)).toEqual([{ n: 3 }]);
  });

  test("starts a new line after one that a crash cut off", () => {
    writeFileSync(path, '{"n":1}\n{"n":');
    const file = new AuditFile(path, never);
    file.append('{"n":2}\n');
    file.append('{"n":3}\n');
    file.close();
    expect(readFileSync(path, "utf8")).toBe('{"n":1}\n{"n":\n{"n":2}\n{"n":3}\n');
  });

  test("is refused if it is another program's file, a folder, or in a folder that does not exist", () => {
    const other = join(folder, "users.db");
    writeFileSync(other, "SQLite format 3\0");
    expect(() => new AuditFile(other, never)).toThrow(StartError);
    expect(readFileSync(other, "utf8")).toBe("SQLite format 3\0");
    expect(() => new AuditFile(folder, never)).toThrow(StartError);
    expect(() => new AuditFile(join(folder, "none", "audit.jsonl"), never)).toThrow(StartError);
  });
});

describe("security events", () => {
  let now = 0;
  const lines: string[] = [];
  let log: Log;
  const told = (event: string) =>
    lines.map((line) => JSON.parse(line) as Event).filter((each) => each["event"] === event);
  /** The end of the turn in which events are written. */
  const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

  beforeEach(() => {
    now = Date.UTC(2026, 0, 1);
    lines.length = 0;
    log = createLog(
      "json",
      () => now,
      (line) => lines.push(line),
    );
  });

  test("are in the log and in the file with their time, hostile text made visible, and long text clipped", async () => {
    const security = new AuditedLog(path, log, () => now);
    security.record("login", { user: "ana\u001b[2J\u202e", address: "127.0.0.1", new_key: undefined });
    security.record("login_failed", { user: "x".repeat(10_000) });
    expect(readFileSync(path, "utf8")).toBe("");
    await turn();
    const [login, failed] = eventsIn(path);
    expect(login).toEqual({
      time: "2026-01-01T00:00:00.000Z",
      event: "login",
      user: "ana␛[2J",
      address: "127.0.0.1",
    });
    expect(String(failed?.["user"]).length).toBe(256);
    expect(told("login")).toHaveLength(1);
    security.record("logout", { user: "ana" });
    security.close();
    expect(eventsIn(path)).toHaveLength(3);
    security.record("logout", { user: "late" });
  });

  test("that cannot be written are reported once a minute, with their number, and stop no login", async () => {
    const security = new AuditedLog(path, log, () => now);
    security.record("login", { user: "ana" });
    await turn();
    renameSync(join(folder, "sub"), join(folder, "away"));
    for (let minute = 0; minute < 3; minute++) {
      for (let each = 0; each < 5; each++) {
        security.record("login", { user: "ana" });
        await turn();
      }
      now += 60_000;
    }
    expect(told("audit_log_not_written").map((each) => [each["code"], each["lost"]])).toEqual([
      ["ENOENT", 1],
      ["ENOENT", 5],
      ["ENOENT", 5],
    ]);
    mkdirSync(join(folder, "sub"));
    security.record("login", { user: "beto" });
    await turn();
    expect(eventsIn(path)).toEqual([
      { time: new Date(now).toISOString(), event: "events_lost", count: 15 },
      { time: new Date(now).toISOString(), event: "login", user: "beto" },
    ]);
    expect(told("audit_log_written_again")).toHaveLength(1);
    security.close();
  });

  test("are still warned about when the clock is set back", async () => {
    const security = new AuditedLog(path, log, () => now);
    rmSync(join(folder, "sub"), { recursive: true });
    security.record("login", { user: "ana" });
    await turn();
    now -= 3_600_000;
    security.record("login", { user: "ana" });
    await turn();
    expect(told("audit_log_not_written")).toHaveLength(2);
    security.close();
    expect(existsSync(path)).toBe(false);
  });

  test("are not lost when the file cannot be rotated", async () => {
    writeFileSync(path, `${JSON.stringify({ text: "x".repeat(MAX_AUDIT_BYTES) })}\n`);
    // A folder has the name that the oldest would take.
    writeFileSync(`${path}.4`, "{}\n");
    mkdirSync(`${path}.5`);
    const security = new AuditedLog(path, log, () => now);
    security.record("login", { user: "ana" });
    await turn();
    security.close();
    expect(readFileSync(path, "utf8")).toEndWith('"event":"login","user":"ana"}\n');
    expect(told("audit_log_not_rotated")).toHaveLength(1);
  });
});
