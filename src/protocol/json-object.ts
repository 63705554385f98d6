/** From bytes to one JSON object. */
import { isUtf8 } from "node:buffer";

/** What `JSON.parse` gave for one object: nothing in it is checked yet. */
export type JsonObject = { [key: string]: unknown };

/** The bytes from `start` to `end`, which begin with `{`, as an object; undefined when they are no UTF-8 or no JSON. */
export function parseObject(
  bytes: Buffer,
  start: number,
  end: number,
  knownUtf8: boolean,
): JsonObject | undefined {
  if (!knownUtf8 && !isUtf8(bytes.subarray(start, end))) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8", start, end)) as JsonObject;
  } catch {
    // A SyntaxError, or a RangeError by depth: for the reader both are garbage.
    return undefined;
  }
}
