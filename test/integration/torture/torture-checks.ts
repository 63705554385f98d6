/** What must hold of the two disks when everything has drained; every breach is a sentence. */
import { Database } from "bun:sqlite";

import { KIND } from "../../../src/client/disk/schema.ts";
import { UNKNOWN } from "../../../src/client/profile/text-changes.ts";
import type { TortureRecord } from "./torture-record.ts";
import { readText, type Writer } from "./torture-text.ts";

/** Breaches of one kind that are told. */
const MAX_TOLD = 10;
const RECEIVED = 2;

type Row = {
  readonly seq: number;
  readonly id: string;
  readonly text: string;
  readonly state: number;
  readonly kind: number;
  readonly target: string | null;
  readonly withdrawn_at: number | null;
};

export type Disk = {
  readonly writer: Writer;
  /** The path of `profile.db`. */
  readonly file: string;
  readonly record: TortureRecord;
  /** How many it had to write. */
  readonly texts: number;
};

/** Compares both disks with each other and with what was said. @returns what does not hold */
export function compareDisks(seed: number, disks: readonly [Disk, Disk]): string[] {
  const [a, b] = disks;
  return [...disks.flatMap(checkIntegrity), ...compareDirection(seed, a, b), ...compareDirection(seed, b, a)];
}

function withFile<T>(file: string, use: (database: Database) => T): T {
  const database = new Database(file, { readwrite: true, strict: true });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

function checkIntegrity({ file, writer }: Disk): string[] {
  return withFile(file, (database) => {
    const found = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    const faults = found.map((row) => row.integrity_check).filter((what) => what !== "ok");
    return faults.map((what) => `${writer}: integrity_check: ${what}`);
  });
}

function readRows(file: string, outgoing: boolean): Row[] {
  return withFile(file, (database) =>
    database
      .query<Row, [number]>(
        `SELECT seq, id, text, state, kind, target, withdrawn_at FROM messages
         WHERE outgoing = ? ORDER BY seq`,
      )
      .all(outgoing ? 1 : 0),
  );
}

function compareDirection(seed: number, sender: Disk, receiver: Disk): string[] {
  const sent = readRows(sender.file, true);
  const stored = readRows(receiver.file, false);
  const there = new Map(stored.map((row) => [row.id, row]));
  const own = new Map(sent.map((row) => [row.id, row]));
  const breaches = new Breaches(`${sender.writer} to ${receiver.writer}`);
  if (there.size !== stored.length || own.size !== sent.length) breaches.add("twice in one store", "");
  const texts = sent.filter((row) => row.target === null);
  if (texts.length !== sender.texts) breaches.add("texts in the sender's store", `${texts.length}`);
  texts.forEach((row, number) => {
    const what = checkText(seed, { ...row, writer: sender.writer, number }, there.get(row.id));
    if (what !== undefined) breaches.add(what, `${number} ${row.id}`);
    const edition = readText(seed, row.text)?.edition;
    if (edition !== undefined && edition < (sender.record.editions.get(row.id) ?? 0)) {
      breaches.add("an edit that was committed is gone", row.id);
    }
  });
  for (const row of sent) {
    const isAction = row.kind === KIND.edit || row.kind === KIND.withdraw;
    if (isAction && row.state < RECEIVED) breaches.add("an action was never acknowledged", row.id);
    const target = there.get(row.id)?.target;
    // Where it came before its text, or without it, its target was unknown.
    const hasCome = target === row.target || target === UNKNOWN;
    if (isAction && !hasCome) breaches.add("an action has not come", row.id);
  }
  for (const row of stored) {
    const isLost = sender.record.cutsPower && row.target === null && !sender.record.committed.has(row.id);
    if (!own.has(row.id) && !isLost) breaches.add("nobody wrote it", row.id);
  }
  checkOrder(texts, stored, breaches);
  checkSaid(sender.record, receiver.record, own, there, breaches);
  return breaches.told;
}

/** The text of one row of the sender, against the row of the receiver. */
function checkText(
  seed: number,
  row: Row & { readonly writer: Writer; readonly number: number },
  there: Row | undefined,
): string | undefined {
  if (row.kind === KIND.deleted)
    return there === undefined ? undefined : "cancelled, and arrived all the same";
  if (there === undefined) return "not in the receiver's store";
  if (row.withdrawn_at !== null) {
    // Its withdrawal may have come without it; then only the id is kept.
    const isGone = there.kind === KIND.deleted || there.withdrawn_at !== null;
    return isGone && row.text === "" && there.text === "" ? undefined : "withdrawn, and still to be read";
  }
  const head = readText(seed, row.text);
  if (head?.writer !== row.writer || head.number !== row.number) return "not the text of this place";
  if (there.kind !== KIND.text || there.withdrawn_at !== null) return "taken away by nobody";
  if (there.text !== row.text) return "another text in the receiver's store";
  return row.state < RECEIVED ? "never acknowledged" : undefined;
}

function checkOrder(texts: readonly Row[], stored: readonly Row[], breaches: Breaches): void {
  const places = new Map(texts.map((row, place) => [row.id, place]));
  let last = -1;
  for (const row of stored) {
    const place = row.kind === KIND.text ? places.get(row.id) : undefined;
    if (place === undefined) continue;
    if (place < last) breaches.add("stored out of order", row.id);
    last = place;
  }
}

function checkSaid(
  sender: TortureRecord,
  receiver: TortureRecord,
  own: ReadonlyMap<string, Row>,
  there: ReadonlyMap<string, Row>,
  breaches: Breaches,
): void {
  for (const id of sender.committed) if (!own.has(id)) breaches.add("committed, and gone", id);
  for (const id of sender.received) {
    if (!there.has(id)) breaches.add("said to be received, and not there", id);
    const row = own.get(id);
    // Withdrawn after a power cut in which the acknowledgement was lost, it needs none any more.
    const isWithdrawn = sender.cutsPower && typeof row?.withdrawn_at === "number";
    if ((row?.state ?? 0) < RECEIVED && !isWithdrawn)
      breaches.add("said to be received, and not kept as such", id);
  }
  for (const id of receiver.shown) if (!there.has(id)) breaches.add("shown, and not stored", id);
  for (const id of sender.cancelled) {
    if (own.get(id)?.kind !== KIND.deleted) breaches.add("cancelled, and still there", id);
  }
  for (const id of sender.withdrawn) {
    if (own.get(id)?.withdrawn_at === null) breaches.add("withdrawn, and still there", id);
  }
}

class Breaches {
  readonly #direction: string;
  readonly #found = new Map<string, string[]>();

  constructor(direction: string) {
    this.#direction = direction;
  }

  add(what: string, which: string): void {
    const list = this.#found.get(what) ?? [];
    list.push(which);
    this.#found.set(what, list);
  }

  get told(): string[] {
    return [...this.#found].map(([what, list]) => {
      const named = list.slice(0, MAX_TOLD).join(", ");
      return `${this.#direction}: ${what}, ${list.length}: ${named}`;
    });
  }
}
