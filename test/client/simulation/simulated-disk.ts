/** A profile's disk, which outlives its program, can be full, and checks what must never happen on it. */
import { Database } from "bun:sqlite";

import { PROFILE_SCHEMA } from "../../../src/client/disk/schema.ts";

/** Small pages, so that a full disk takes effect after a few messages. */
const PAGE_SIZE = 512;
const NO_LIMIT = 1_073_741_823;
const NEVER = "it never goes back";

/** No statement may take back a state, a read mark or an id. */
const WATCH = `
CREATE TRIGGER state_goes_back BEFORE UPDATE OF state ON messages WHEN new.state < old.state
BEGIN SELECT raise(ABORT, '${NEVER}: state'); END;
CREATE TRIGGER tried_goes_back BEFORE UPDATE OF tried ON messages WHEN new.tried < old.tried
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

export class SimulatedDisk {
  readonly database: Database;
  isFull = false;

  constructor() {
    this.database = Database.deserialize((template ??= newProfile()), { strict: true });
    this.database.run("PRAGMA foreign_keys=ON");
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

  /** `seq` of the peer's newest message that was read here. */
  get readHere(): number {
    return (
      this.database.query<{ mark: number }, []>("SELECT max(read_here) AS mark FROM contacts").get()?.mark ??
      0
    );
  }

  close(): void {
    this.database.close();
  }
}
