/**
 * The server's log: one line an event, on standard error. Whatever came from outside is made visible
 * first. Passwords, tokens and messages are never given to it.
 */
import { visibleText } from "../../protocol/visible-text.ts";

export type LogStyle = "pretty" | "json";
type Level = "info" | "warn" | "error";
export type LogFields = { readonly [name: string]: string | number | boolean | undefined };

export type Log = {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** With the stack of what was thrown. */
  error(event: string, error: unknown, fields?: LogFields): void;
};

/** Longest text of a field, in UTF-16 units: a stack is long, a line of log need not be endless. */
const MAX_FIELD = 4_096;
/** Bytes that wait for a reader who does not read; past them lines are lost, and counted. */
export const MAX_UNWRITTEN = 1024 * 1024;
/** Width of an event's name on a terminal, so that what follows stands in one column. */
const EVENT_WIDTH = 22;

/** @param now ms since 1970. @param write takes one line with its line feed. */
export function createLog(style: LogStyle, now: () => number, write: (line: string) => void): Log {
  const line = (level: Level, event: string, fields: LogFields = {}) => {
    const shown = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, unknown] => [
        name,
        typeof value === "string" ? visibleText(value.slice(0, MAX_FIELD)) : value,
      ]);
    const time = new Date(now()).toISOString();
    write(style === "json" ? jsonLine(time, level, event, shown) : prettyLine(time, level, event, shown));
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

function jsonLine(time: string, level: Level, event: string, fields: Shown): string {
  return `${JSON.stringify({ time, level, event, ...Object.fromEntries(fields) })}\n`;
}

function prettyLine(time: string, level: Level, event: string, fields: Shown): string {
  const mark = level === "info" ? "" : level;
  const details = fields.map(([name, value]) => `${name}=${prettyValue(value)}`).join(" ");
  return `${`${time.slice(11, 19)} ${mark.padEnd(5)} ${event.padEnd(EVENT_WIDTH)} ${details}`.trimEnd()}\n`;
}

/** In quotes where it would otherwise look like more than one value. */
function prettyValue(value: unknown): string {
  const text = String(value);
  return typeof value === "string" && /^$|[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

/** A stream such as `process.stderr`. */
export type LogStream = {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
};

/**
 * The log on a stream whose reader may go, be slow, or have no room: lines are lost then, and the server goes
 * on. What was lost is told when lines arrive again. @param now ms since 1970.
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
      else if (lost > 0 && unwritten === 0) tellLost();
    });
  };
  const log = createLog(style, now, write);
  const tellLost = () => {
    const lines = lost;
    lost = 0;
    log.warn("log_lines_lost", { lines });
  };
  // Each write is told of its own failure; a stream whose error nobody hears ends the process.
  stream.on("error", () => undefined);
  return log;
}
