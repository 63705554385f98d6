/**
 * The readable messages of a damaged profile, as JSON lines in the form of `history --json`.
 *
 * Rows are read by their number, so that a damaged page costs only the rows on it: where a batch fails, the
 * following numbers are tried one by one, each looked up from the root of the tree. A row of a damaged file is
 * accepted only when every column has the form in which it was stored.
 */
import type { Database } from "bun:sqlite";

import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { KIND, MESSAGE_STATES } from "./schema.ts";
import { isUnreadable } from "./sqlite.ts";

/** Rows in one batch. */
const BATCH = 1_000;
/** Consecutive numbers that may fail before the steps grow: more rows than one damaged page can hide. */
const PATIENCE = 30_000;
const MAX_ID_LENGTH = 64;
/** The end of 2099 in ms since 1970: no later time was ever stored. */
const LAST_TIME = Date.UTC(2100, 0);

type Row = { readonly [column: string]: unknown };

/**
 * The readable texts of a profile in the order in which they were stored, in batches of lines.
 * @throws SQLiteError for anything but damage
 */
export function* readableLines(database: Database, username: string): Generator<string[]> {
  database.run("PRAGMA cell_size_check=ON");
  const texts = ["id", "text", "reply_to"].map((name) => `CAST(${name} AS BLOB) AS ${name}`).join(", ");
  const read = database.prepare<Row & { seq: number }, [number, number]>(
    `SELECT seq, contact, outgoing, ${texts}, sent_at, left_at, received_at, read_at, edited_at, withdrawn_at,
       state, kind FROM messages NOT INDEXED WHERE seq >= ? ORDER BY seq LIMIT ?`,
  );
  const find = database.prepare("SELECT 1 FROM messages NOT INDEXED WHERE seq = ?");
  const names = new Map<number, string>();
  const nameOf = (contact: number) => {
    const known = names.get(contact) ?? contactName(database, contact);
    names.set(contact, known);
    return known;
  };
  let next = 1;
  let size = BATCH;
  let failures = 0;
  let stride = 1;
  while (next <= Number.MAX_SAFE_INTEGER) {
    const rows = attempt(() => read.all(next, size));
    // A number out of order, or one under which no row is found, is not accepted.
    const isInPlace = rows?.every(({ seq }, index) => {
      const before = rows[index - 1]?.seq ?? next - 1;
      return seq === before + 1 || (seq > before && (attempt(() => find.get(seq)) ?? null) !== null);
    });
    if (rows === undefined || isInPlace !== true) {
      if (size > 1) {
        size = 1;
        continue;
      }
      failures++;
      if (failures > PATIENCE) stride *= 2;
      next += stride;
      continue;
    }
    failures = 0;
    stride = 1;
    const lines = rows.map((row) => lineOf(row, username, nameOf)).filter((line) => line !== undefined);
    if (lines.length > 0) yield lines;
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) break;
    next = last.seq + 1;
    size = Math.min(BATCH, size * 2);
  }
  read.finalize();
  find.finalize();
}

/** The result of a read; undefined: it met damage. @throws any other error */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}

/** The stored name, or the contact's number when it cannot be read. */
function contactName(database: Database, contact: number): string {
  const row = attempt(() =>
    database
      .query<Row, [number]>(
        "SELECT CAST(username AS BLOB) AS username FROM contacts NOT INDEXED WHERE id = ?",
      )
      .get(contact),
  );
  return readText(row?.["username"]) ?? `#${contact}`;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text; undefined: they are no text. A lost page is often full of zeros. */
function readText(bytes: unknown): string | undefined {
  if (bytes === null || !(bytes instanceof Uint8Array) || bytes.includes(0)) return undefined;
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

const TIMES = ["sent_at", "left_at", "received_at", "read_at", "edited_at", "withdrawn_at"] as const;

/** The times of a row; undefined when one of them cannot be a time. */
function readTimes(row: Row): { readonly [name in (typeof TIMES)[number]]: string | null } | undefined {
  const read: { [name in (typeof TIMES)[number]]: string | null } = {
    sent_at: null,
    left_at: null,
    received_at: null,
    read_at: null,
    edited_at: null,
    withdrawn_at: null,
  };
  for (const name of TIMES) {
    const value = row[name];
    if (value === null) continue;
    if (typeof value !== "number" || !Number.isInteger(value) || value <= 0 || value >= LAST_TIME)
      return undefined;
    read[name] = new Date(value).toISOString();
  }
  return read;
}

/** A row as a line; undefined when it is no text, or not in the form of every stored row. */
function lineOf(row: Row, username: string, nameOf: (contact: number) => string): string | undefined {
  const { contact, outgoing, kind, state } = row as {
    [name in "contact" | "outgoing" | "kind" | "state"]: unknown;
  };
  if (kind !== KIND.text || typeof contact !== "number" || !Number.isInteger(contact)) return undefined;
  if (outgoing !== 0 && outgoing !== 1) return undefined;
  const stateName = typeof state === "number" ? MESSAGE_STATES[state] : undefined;
  const [id, text] = [readText(row["id"]), readText(row["text"])];
  const reply = row["reply_to"] === null ? null : readText(row["reply_to"]);
  if (stateName === undefined || reply === undefined || id === undefined || text === undefined)
    return undefined;
  if (id === "" || id.length > MAX_ID_LENGTH || Buffer.byteLength(text) > MAX_TEXT_BYTES) return undefined;
  const times = readTimes(row);
  // Exactly the messages on their recipient's disk have a time of receipt.
  const isReceived = stateName === "received" || stateName === "read";
  if (times === undefined || isReceived !== (times.received_at !== null)) return undefined;
  const other = nameOf(contact);
  const [from, to] = outgoing === 1 ? [username, other] : [other, username];
  const event = {
    event: "message",
    from,
    to,
    text,
    id,
    ...(reply === null ? {} : { reply_to: reply }),
    sent_at: times.sent_at,
    ...(outgoing === 1 ? { left_at: times.left_at } : {}),
    received_at: times.received_at,
    ...(outgoing === 1 ? { read_at: times.read_at } : {}),
    edited_at: times.edited_at,
    withdrawn_at: times.withdrawn_at,
    state: stateName,
  };
  // The file may be shown on a terminal: no controls, no marks of direction.
  return `${JSON.stringify(event).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped)}\n`;
}

function escaped(characters: string): string {
  return Array.from({ length: characters.length }, (_, index) => characters.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}
