/**
 * A profile's disk, which outlives its program, can be full, loses what was not synced when the power is cut, and checks
 * what must never happen on it.
 */
import { Database } from "bun:sqlite";

import { PROFILE_SCHEMA } from "../../../src/client/disk/schema.ts";
import type { SeededRandom } from "../../seeded-random.ts";

/** Small pages, so that a full disk takes effect after a few messages. */
const PAGE_SIZE = 512;
const NO_LIMIT = 1_073_741_823;
const NEVER = "it never goes back";

/** No statement may take back a state, a read mark or an id. */
const WATCH = `
CREATE TRIGGER state_goes_back BEFORE UPDATE OF state ON messages WHEN new.state < old.state
BEGIN SELECT raise(ABORT, '${NEVER}: state'); END;
CREATE TRIGGER tried_goes_back BEFORE UPDATE OF tried ON messages
WHEN new.tried < old.tried AND (old.state > 0 OR old.left_at IS NOT NULL)
BEGIN SELECT raise(ABORT, '${NEVER}: tried'); END;
CREATE TRIGGER mark_goes_back BEFORE UPDATE ON contacts
WHEN new.read_here < old.read_here OR new.read_by_peer < old.read_by_peer
BEGIN SELECT raise(ABORT, '${NEVER}: read'); END;
CREATE TRIGGER request_is_too_large BEFORE INSERT ON requests
WHEN new.texts > 3 OR new.actions > 16 OR new.bytes > 16384
BEGIN SELECT raise(ABORT, 'too much of a stranger'); END;
CREATE TRIGGER row_goes BEFORE DELETE ON messages
BEGIN SELECT raise(ABORT, '${NEVER}: a message'); END;`;

let template: Uint8Array | undefined;

function newProfile(): Uint8Array {
  const database = new Database(":memory:", { strict: true });
  database.run(`PRAGMA page_size=${PAGE_SIZE}`);
  for (const script of PROFILE_SCHEMA.versions) database.run(script);
  database.run(WATCH);
  const bytes = database.serialize();
  database.close();
  return bytes;
}

/** A message on the disk, also a deleted or withdrawn one. */
export type DiskRow = {
  readonly seq: number;
  readonly id: string;
  readonly outgoing: number;
  readonly kind: number;
  readonly text: string;
  readonly state: number;
  readonly tried: number;
  readonly sent_at: number | null;
  readonly withdrawn_at: number | null;
};
const COLUMNS = "seq, id, outgoing, kind, text, state, tried, sent_at, withdrawn_at";

/** A state of the disk: what it holds now, or did before a commit. */
type State = "now" | Uint8Array;

export class SimulatedDisk {
  database: Database;
  isFull = false;
  /** What a power cut leaves at least. */
  #synced: State = "now";
  /** What the sync under way covers; undefined: there is none. */
  #syncing: State | undefined;
  /** Rows that were changed until the end of the last light commit: a full one since has synced everything. */
  #changes = 0;
  #readBefore = 0;

  constructor() {
    this.database = this.#open((template ??= newProfile()));
  }

  #open(bytes: Uint8Array): Database {
    const database = Database.deserialize(bytes, { strict: true });
    database.run("PRAGMA foreign_keys=ON");
    // The program says so which commits need not be on the disk.
    const run = database.run.bind(database);
    database.run = (sql: string, ...args: never[]) => {
      if (sql === "PRAGMA synchronous=NORMAL") this.#lightBegins();
      else if (sql === "PRAGMA synchronous=FULL") this.#changes = this.#totalChanges();
      return run(sql, ...args);
    };
    return database;
  }

  #totalChanges(): number {
    return this.database.query<{ n: number }, []>("SELECT total_changes() AS n").get()?.n ?? 0;
  }

  #lightBegins(): void {
    if (this.#totalChanges() !== this.#changes) {
      this.#synced = "now";
      this.#syncing &&= "now";
    }
    const before = this.database.serialize();
    if (this.#synced === "now") this.#synced = before;
    if (this.#syncing === "now") this.#syncing = before;
  }

  beginSync(): void {
    this.#syncing = "now";
  }

  endSync(): void {
    this.#synced = this.#syncing ?? this.#synced;
    this.#syncing = undefined;
  }

  /** No program has it open any more. */
  closed(): void {
    this.#synced = "now";
    this.#syncing = undefined;
  }

  /** The last commits that were not synced are lost, or some of them, or none. */
  cutPower(random: SeededRandom): void {
    const isAllSynced = this.#totalChanges() !== this.#changes;
    const state = isAllSynced
      ? "now"
      : random.pick([this.#synced, this.#syncing ?? this.#synced, "now" as const]);
    this.closed();
    if (state === "now") return;
    this.#readBefore = Math.max(this.#readBefore, this.readHere);
    this.database.close();
    this.database = this.#open(state);
    this.#changes = this.#totalChanges();
    if (this.isFull) this.fill();
  }

  /** Allows no further pages until `free`. */
  fill(): void {
    this.isFull = true;
    // SQLite raises a smaller limit to the present number of pages.
    this.database.run("PRAGMA max_page_count=1");
  }

  free(): void {
    this.isFull = false;
    this.database.run(`PRAGMA max_page_count=${NO_LIMIT}`);
  }

  /** The message of this id; undefined: none is committed. */
  row(id: string, outgoing: boolean): DiskRow | undefined {
    // A transaction may still be rolled back.
    if (this.database.inTransaction) return undefined;
    return (
      this.database
        .query<DiskRow, [number, string]>(
          `SELECT ${COLUMNS} FROM messages WHERE contact = 1 AND outgoing = ? AND id = ?`,
        )
        .get(outgoing ? 1 : 0, id) ?? undefined
    );
  }

  /** All messages of one direction, including deleted ones, in the order of `seq`. */
  rows(outgoing: boolean): DiskRow[] {
    return this.database
      .query<DiskRow, [number]>(`SELECT ${COLUMNS} FROM messages WHERE outgoing = ? ORDER BY seq`)
      .all(outgoing ? 1 : 0);
  }

  /** `seq` of the peer's newest message that was read here, also if that was lost when the power was cut. */
  get readHere(): number {
    const row = this.database
      .query<{ mark: number }, []>("SELECT max(read_here) AS mark FROM contacts")
      .get();
    return Math.max(row?.mark ?? 0, this.#readBefore);
  }

  close(): void {
    this.database.close();
  }
}
