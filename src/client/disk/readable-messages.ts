/**
 * What still reads of a damaged profile, as JSON lines in the form of `history --json`.
 *
 * Rows are walked by their number, so that a broken page costs the rows on it and no others: where a read
 * fails, the walk goes on behind it number by number, each found on its own way from the root. What is read
 * from a damaged file is believed only when all of it has the form that it was stored in.
 */
import type { Database } from "bun:sqlite";

import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { KIND, MESSAGE_STATES } from "./schema.ts";

/** Rows read and written at a time. */
const BATCH = 1_000;
/** Numbers in a row that may fail before the walk takes longer steps: more rows than hang on one broken page. */
const PATIENCE = 30_000;
const MAX_ID_LENGTH = 64;
/** The end of 2099 in ms since 1970: a time behind it was never stored. */
const LAST_TIME = Date.UTC(2100, 0);

/** Whether a database cannot be read or contradicts itself; a disk that is full or locked is none of that. */
export function isUnreadable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return (
    typeof code === "string" &&
    /^SQLITE_(?:CORRUPT|NOTADB|TOOBIG|CONSTRAINT|ERROR|IOERR_(?:SHORT_)?READ|IOERR_CORRUPTFS)/.test(code)
  );
}

type Row = { readonly [column: string]: unknown };

/**
 * The readable texts of a profile in the order in which they were stored, in batches of lines.
 * @throws SQLiteError for what is no damage
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
    // A number that stands in the wrong order, or that leads elsewhere than to its row, is not believed.
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

/** What a read gives; undefined: it met damage. @throws what is none */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}

/** A name as it was stored; else the contact's number. */
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

/** Bytes that are a text; undefined: they are none. A page that was lost is often full of zeros. */
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

/** The times of a row; undefined when one of them is none. */
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

/** A row as a line; undefined when it is no text, or has not the form that every stored row has. */
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
  // What is on its recipient's disk has the time of it, and nothing else has.
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
  // Controls and marks of direction stay out of a terminal that shows the file.
  return `${JSON.stringify(event).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped)}\n`;
}

function escaped(characters: string): string {
  return Array.from({ length: characters.length }, (_, index) => characters.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}
