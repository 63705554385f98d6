/**
 * The server's log: one line an event, on standard error. Whatever came from outside is made visible
 * first. Passwords and tokens are never given to it.
 */
import { visibleText } from "../protocol/visible-text.ts";

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

/** @param now ms since 1970. @param write takes one line with its line feed. */
export function createLog(style: LogStyle, now: () => number, write: (line: string) => void): Log {
  const line = (level: Level, event: string, fields: LogFields = {}) => {
    const shown = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        typeof value === "string" ? visibleText(value.slice(0, MAX_FIELD)) : value,
      ]);
    const time = new Date(now()).toISOString();
    if (style === "json") write(`${JSON.stringify({ time, level, event, ...Object.fromEntries(shown) })}\n`);
    else {
      const details = shown.map(([name, value]) => ` ${name}=${String(value)}`).join("");
      write(`${time.slice(11, 19)} ${level === "info" ? "" : `${level} `}${event}${details}\n`);
    }
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
