/**
 * The readable messages of a damaged profile, as JSON lines in the form of `history --json`.
 *
 * Rows are read by number, so that a damaged page costs only the rows on it: if a batch fails, the next numbers
 * are tried one by one, each looked up from the root of the tree. A row is accepted only if every column has the
 * form in which it was stored.
 */
import type { Database } from "bun:sqlite";

import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { KIND, MESSAGE_STATES } from "./schema.ts";
import { unlessDamaged } from "./sqlite.ts";

/** Rows in one batch. */
const BATCH = 1_000;
/** Consecutive failures before numbers are skipped: more rows than one damaged page can hide. */
const MAX_FAILURES = 30_000;
const MAX_ID_LENGTH = 64;
/** The end of 2099, in ms since 1970: no stored time is later. */
const LAST_TIME = Date.UTC(2100, 0);

/** What the conversation of a group is called; a contact whose name is not readable has a shorter number. */
const GROUP_NAME = /^#.{43}$/s;

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
       state, kind, feed FROM messages NOT INDEXED WHERE seq >= ? ORDER BY seq LIMIT ?`,
  );
  const find = database.prepare("SELECT 1 FROM messages NOT INDEXED WHERE seq = ?");
  const nameOf = namesIn(database, "contacts", "username");
  const authorOf = namesIn(database, "group_feeds", "name");
  let next = 1;
  let size = BATCH;
  let failures = 0;
  let stride = 1;
  while (next <= Number.MAX_SAFE_INTEGER) {
    const rows = unlessDamaged(() => read.all(next, size));
    // A row whose number is out of order, or does not lead to a row, is not accepted.
    const isInPlace = rows?.every(({ seq }, index) => {
      const before = rows[index - 1]?.seq ?? next - 1;
      return seq === before + 1 || (seq > before && (unlessDamaged(() => find.get(seq)) ?? null) !== null);
    });
    if (rows === undefined || isInPlace !== true) {
      if (size > 1) {
        size = 1;
        continue;
      }
      failures++;
      if (failures > MAX_FAILURES) stride *= 2;
      next += stride;
      continue;
    }
    failures = 0;
    stride = 1;
    const lines = rows
      .map((row) => lineOf(row, username, nameOf, authorOf))
      .filter((line) => line !== undefined);
    if (lines.length > 0) yield lines;
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) break;
    next = last.seq + 1;
    size = Math.min(BATCH, size * 2);
  }
  read.finalize();
  find.finalize();
}

type Names = (id: number) => string;

/** The names in a column of a table, by the row number; of one that is not readable the number. */
function namesIn(database: Database, table: string, column: string): Names {
  const names = new Map<number, string>();
  const read = (id: number) =>
    database
      .query<Row, [number]>(`SELECT CAST(${column} AS BLOB) AS name FROM ${table} NOT INDEXED WHERE id = ?`)
      .get(id);
  return (id) => {
    const known = names.get(id) ?? readText(unlessDamaged(() => read(id))?.["name"]) ?? `#${id}`;
    names.set(id, known);
    return known;
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text; undefined: they are not UTF-8, or contain zeros, as a lost page does. */
function readText(bytes: unknown): string | undefined {
  if (!(bytes instanceof Uint8Array) || bytes.includes(0)) return undefined;
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

/** A stored time as ISO 8601; null: none is stored; undefined: the column does not contain a time. */
function readTime(value: unknown): string | null | undefined {
  if (value === null) return null;
  const isTime = typeof value === "number" && Number.isInteger(value) && value > 0 && value < LAST_TIME;
  return isTime ? new Date(value).toISOString() : undefined;
}

/** A row as a line; undefined: it is not a text, or a column does not have the form in which it was stored. */
function lineOf(row: Row, username: string, nameOf: Names, authorOf: Names): string | undefined {
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
  const sentAt = readTime(row["sent_at"]);
  const leftAt = readTime(row["left_at"]);
  const receivedAt = readTime(row["received_at"]);
  const readAt = readTime(row["read_at"]);
  const editedAt = readTime(row["edited_at"]);
  const withdrawnAt = readTime(row["withdrawn_at"]);
  if ([sentAt, leftAt, receivedAt, readAt, editedAt, withdrawnAt].includes(undefined)) return undefined;
  // Messages have a time of receipt if and only if they are on their recipient's disk.
  const isReceived = stateName === "received" || stateName === "read";
  if (isReceived !== (receivedAt !== null)) return undefined;
  const feed = row["feed"];
  const other = nameOf(contact);
  // A group is the recipient of what its people write.
  const [from, to] =
    outgoing === 1
      ? [username, other]
      : typeof feed === "number"
        ? [authorOf(feed), other]
        : [other, username];
  const event = {
    event: "message",
    from,
    to,
    ...(GROUP_NAME.test(other) ? { group: other.slice(1) } : {}),
    text,
    id,
    ...(reply === null ? {} : { reply_to: reply }),
    sent_at: sentAt,
    ...(outgoing === 1 ? { left_at: leftAt } : {}),
    received_at: receivedAt,
    ...(outgoing === 1 ? { read_at: readAt } : {}),
    edited_at: editedAt,
    withdrawn_at: withdrawnAt,
    state: stateName,
  };
  // The file may be printed on a terminal, so it must not contain control or direction characters.
  return `${JSON.stringify(event).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped)}\n`;
}

function escaped(characters: string): string {
  return Array.from({ length: characters.length }, (_, index) => characters.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}
