/** The lines of the meeting port (PROTOCOL 7): JSON objects of at most 512 bytes, each ended by a line feed. */
import {
  boolean,
  exactText,
  INVALID,
  integer,
  matching,
  oneOf,
  optional,
  readFields,
  type Fields,
} from "./fields.ts";
import type { JsonObject } from "./framing.ts";

/** Longest line, in bytes without its line feed. */
export const MEETING_LINE_LIMIT = 512;
/** 32 bytes in base64url. */
export const ticketField = matching(/^[\w-]{43}$/);
const pingNumber = integer(0, 2 ** 32 - 1);
/** From the server; the other lines come from clients. */
export const MEETING_ANSWERS = {
  ping: { n: pingNumber },
  observed: {
    ip: exactText(1, 64),
    port: integer(1, 65_535),
    mapping: optional(oneOf("same", "varies")),
  },
  spliced: {},
  error: { code: exactText(1, 64) },
} as const satisfies { readonly [action: string]: Fields };

const LINES = {
  observe: { ticket: ticketField },
  meet: { ticket: ticketField, relay: optional(boolean) },
  pong: { n: pingNumber },
  relay: {},
  ready: {},
} as const satisfies { readonly [action: string]: Fields };

type ActionOf<L extends keyof typeof LINES> = { readonly action: L } & {
  readonly [F in keyof (typeof LINES)[L]]: (typeof LINES)[L][F] extends (value: unknown) => infer T
    ? Exclude<T, typeof INVALID>
    : never;
};
/** A line of a client. */
export type MeetingLine = { [L in keyof typeof LINES]: ActionOf<L> }[keyof typeof LINES];

const BY_ACTION = new Map<unknown, Fields>(Object.entries(LINES));

/** Undefined for what no client says here. */
export function readMeetingLine(object: JsonObject): MeetingLine | undefined {
  const action = Object.hasOwn(object, "action") ? object["action"] : undefined;
  const fields = BY_ACTION.get(action);
  const read = fields === undefined ? undefined : readFields(fields, object);
  return read?.ok === true ? ({ ...read.value, action } as MeetingLine) : undefined;
}

/** Cuts bytes into lines. Holds at most one line and one read. */
export class LineReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk]);
  }

  /** The object of the next line; `fault` for a line that is none, or too long; undefined until one is complete. */
  next(): JsonObject | "fault" | undefined {
    const end = this.#bytes.indexOf("\n");
    if (end > MEETING_LINE_LIMIT || (end < 0 && this.#bytes.length > MEETING_LINE_LIMIT)) return "fault";
    if (end < 0) return undefined;
    const line = this.#bytes.toString("utf8", 0, end);
    this.#bytes = this.#bytes.subarray(end + 1);
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? (value as JsonObject)
        : "fault";
    } catch {
      return "fault";
    }
  }

  /** The bytes after the last line, which are no lines any more. */
  takeRest(): Uint8Array {
    const rest = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return rest;
  }
}
