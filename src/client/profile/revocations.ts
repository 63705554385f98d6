/**
 * The revocations that the server has told (PROTOCOL 3), the newest of each label. They count as soon as they are told;
 * on the disk they are for the next start, when there may be no server.
 */
import type { Database } from "bun:sqlite";

import { isKept, revokes, type DatedCertificate, type Revocation } from "../../identity/revocation.ts";

/** Revocations that are kept; beyond it the oldest are dropped, some at once. */
export const MAX_REVOCATIONS = 50_000;
const DROPPED_AT_ONCE = 5_000;

type Row = { label: string; before: number; except_key: string | null };

export class RevocationStore {
  readonly #database: Database;
  #known: Map<string, Revocation> | undefined;
  /** Whether the disk has other revocations than `#known`, and which of these it lacks. */
  readonly #unsaved = new Map<string, Revocation>();
  #hasForgotten = false;

  constructor(database: Database) {
    this.#database = database;
  }

  get size(): number {
    return this.#byLabel.size;
  }

  /** Whether a certificate was revoked. */
  isRevoked(certificate: DatedCertificate): boolean {
    const revocation = this.#byLabel.get(certificate.label);
    return revocation !== undefined && revokes(revocation, certificate);
  }

  /** Takes what the server has told; an older revocation of the same label changes nothing. @returns whether one is new */
  add(told: readonly Revocation[]): boolean {
    const byLabel = this.#byLabel;
    const added = told.filter((each) => {
      const known = byLabel.get(each.label);
      if (known !== undefined && known.before >= each.before) return false;
      byLabel.set(each.label, each);
      this.#unsaved.set(each.label, each);
      return true;
    });
    if (byLabel.size > MAX_REVOCATIONS) {
      const oldestFirst = [...byLabel.values()].sort((one, other) => one.before - other.before);
      this.#forget(oldestFirst.slice(0, DROPPED_AT_ONCE));
    }
    return added.length > 0;
  }

  /** Forgets what is not kept any more. @param now ms since 1970, by the server's clock */
  forgetOver(now: number): void {
    this.#forget([...this.#byLabel.values()].filter((each) => !isKept(each, now)));
  }

  /** Writes what has changed to the disk. @throws SQLiteError; then the next call writes it */
  save(): void {
    if (this.#unsaved.size === 0 && !this.#hasForgotten) return;
    this.#database.transaction(() => {
      if (this.#hasForgotten) this.#database.run("DELETE FROM revocations");
      const insert = this.#database.query("INSERT OR REPLACE INTO revocations VALUES (?, ?, ?)");
      const changed = this.#hasForgotten ? this.#byLabel : this.#unsaved;
      for (const { label, before, except } of changed.values()) insert.run(label, before, except ?? null);
    })();
    this.#unsaved.clear();
    this.#hasForgotten = false;
  }

  #forget(revocations: readonly Revocation[]): void {
    if (revocations.length === 0) return;
    for (const { label } of revocations) this.#byLabel.delete(label);
    this.#hasForgotten = true;
  }

  /** Read when it is first needed: commands that read the history do not need it. */
  get #byLabel(): Map<string, Revocation> {
    if (this.#known === undefined) {
      const rows = this.#database
        .query<Row, []>("SELECT label, before, except_key FROM revocations")
        .all()
        .map((row) => ({ label: row.label, before: row.before, except: row.except_key ?? undefined }));
      this.#known = new Map(rows.map((each) => [each.label, each]));
    }
    return this.#known;
  }
}
