/**
 * The server's log: one line per event, on standard error. Control characters in text from outside are replaced.
 * No caller passes it a password, a token or a message.
 */
import { quotedText } from "../../protocol/quoted-text.ts";
import { visibleText } from "../../protocol/visible-text.ts";

export type LogStyle = "pretty" | "json";
type Level = "info" | "warn" | "error";
export type LogFields = { readonly [name: string]: string | number | boolean | undefined };

export type Log = {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** Logs the stack of the error, too. */
  error(event: string, error: unknown, fields?: LogFields): void;
};

/** Longest text of a field, in UTF-16 units: enough for a stack. */
const MAX_FIELD = 4_096;
/** UTF-16 units that may wait for a slow reader; beyond it lines are lost and counted. */
export const MAX_UNWRITTEN = 1024 * 1024;
/** Width of an event's name on a terminal, which aligns the fields. */
const EVENT_WIDTH = 22;

/** @param now ms since 1970. @param write is called with one line and its line feed. */
export function createLog(style: LogStyle, now: () => number, write: (line: string) => void): Log {
  const line = (level: Level, event: string, fields: LogFields = {}) => {
    const shown = visibleFields(fields, MAX_FIELD);
    const time = new Date(now()).toISOString();
    write(style === "json" ? jsonLine({ time, level, event }, shown) : prettyLine(time, level, event, shown));
  };
  return {
    info: (event, fields) => line("info", event, fields),
    warn: (event, fields) => line("warn", event, fields),
    error: (event, error, fields) =>
      line("error", event, {
        ...fields,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
  };
}

type Shown = readonly (readonly [string, unknown])[];

/** The fields that are defined, their texts cut to `maxText` UTF-16 units and made visible. */
export function visibleFields(fields: LogFields, maxText: number): Shown {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, typeof value === "string" ? visibleText(value.slice(0, maxText)) : value]);
}

export function jsonLine(head: LogFields, fields: Shown): string {
  return `${JSON.stringify({ ...head, ...Object.fromEntries(fields) })}\n`;
}

function prettyLine(time: string, level: Level, event: string, fields: Shown): string {
  const mark = level === "info" ? "" : level;
  const details = fields.map(([name, value]) => `${name}=${prettyValue(value)}`).join(" ");
  return `${`${time.slice(11, 19)} ${mark.padEnd(5)} ${event.padEnd(EVENT_WIDTH)} ${details}`.trimEnd()}\n`;
}

/** What cannot look like more than one value. */
const ONE_VALUE = /^[\p{L}\p{M}\p{N}._:/@+%,()[\]-]+$/u;

/** Quoted if it could look like more than one value. */
function prettyValue(value: unknown): string {
  if (typeof value !== "string" || ONE_VALUE.test(value)) return String(value);
  return JSON.stringify(quotedText(value));
}

/** A stream such as `process.stderr`. */
export type LogStream = {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
};

/**
 * The log on a stream whose reader may be slow, be gone, or have a full disk: lines are lost then, which
 * `log_lines_lost` reports once the reader has caught up. @param now ms since 1970.
 */
export function openLog(style: LogStyle, now: () => number, stream: LogStream): Log {
  let unwritten = 0;
  let lost = 0;
  const write = (line: string) => {
    if (unwritten >= MAX_UNWRITTEN) {
      lost++;
      return;
    }
    unwritten += line.length;
    stream.write(line, (error) => {
      unwritten -= line.length;
      if (error !== undefined && error !== null) lost++;
      else if (lost > 0 && unwritten === 0) reportLost();
    });
  };
  const log = createLog(style, now, write);
  const reportLost = () => {
    const lines = lost;
    lost = 0;
    log.warn("log_lines_lost", { lines });
  };
  // Each write gets its own error; without a listener the stream's error event would end the process.
  stream.on("error", () => undefined);
  return log;
}
