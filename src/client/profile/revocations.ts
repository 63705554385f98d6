/**
 * The revocations that the server has reported (PROTOCOL 3); of each label, only those that another one does not include.
 * They count as soon as they are reported, and are on the disk for the next start, when there may be no server.
 */
import type { Database } from "bun:sqlite";

import {
  decisive,
  isKept,
  revokes,
  type DatedCertificate,
  type Revocation,
} from "../../identity/revocation.ts";

/** Labels whose revocations are kept. */
export const MAX_REVOCATIONS = 50_000;
/** With more of them, so many of the oldest are dropped. */
const DROPPED_AT_ONCE = 5_000;

type Row = { label: string; before: number; except_key: string | null };

export class RevocationStore {
  readonly #database: Database;
  /** Undefined: not loaded yet. */
  #known: Map<string, readonly Revocation[]> | undefined;
  /** The labels whose revocations differ from those on the disk. */
  readonly #unsaved = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Reads them from the disk, so that no later call but `save` needs it. @throws SQLiteError */
  load(): void {
    void this.#byLabel;
  }

  /** Labels with a revocation. */
  get size(): number {
    return this.#byLabel.size;
  }

  /** Whether a certificate was revoked. */
  isRevoked(certificate: DatedCertificate): boolean {
    return this.#of(certificate.label).some((each) => revokes(each, certificate));
  }

  /** Takes what the server has told. @returns whether it changes anything */
  add(told: readonly Revocation[]): boolean {
    const added = told.filter((each) => {
      const known = this.#of(each.label);
      const isKnown = known.some(({ before, except }) => before === each.before && except === each.except);
      const kept = decisive([...known, each]);
      if (isKnown || !kept.includes(each)) return false;
      this.#set(each.label, kept);
      return true;
    });
    if (this.#byLabel.size > MAX_REVOCATIONS) {
      const oldestFirst = [...this.#byLabel].sort(([, one], [, other]) => newest(one) - newest(other));
      for (const [label] of oldestFirst.slice(0, DROPPED_AT_ONCE)) this.#set(label, []);
    }
    return added.length > 0;
  }

  /** Forgets what is not kept any more. @param now ms since 1970, by the server's clock */
  forgetOver(now: number): void {
    for (const [label, known] of this.#byLabel) {
      const kept = known.filter((each) => isKept(each, now));
      if (kept.length < known.length) this.#set(label, kept);
    }
  }

  /** Writes what has changed to the disk. @throws SQLiteError; then the next call writes it */
  save(): void {
    if (this.#unsaved.size === 0) return;
    this.#database.transaction(() => {
      const remove = this.#database.query("DELETE FROM revocations WHERE label = ?");
      // No honest server makes two of a label in the same second.
      const insert = this.#database.query("INSERT OR REPLACE INTO revocations VALUES (?, ?, ?)");
      for (const label of this.#unsaved) {
        remove.run(label);
        for (const { before, except } of this.#of(label)) insert.run(label, before, except ?? null);
      }
    })();
    this.#unsaved.clear();
  }

  #of(label: string): readonly Revocation[] {
    return this.#byLabel.get(label) ?? [];
  }

  #set(label: string, revocations: readonly Revocation[]): void {
    if (revocations.length === 0) this.#byLabel.delete(label);
    else this.#byLabel.set(label, revocations);
    this.#unsaved.add(label);
  }

  /** Read when it is first needed: commands that read the history do not need it. */
  get #byLabel(): Map<string, readonly Revocation[]> {
    if (this.#known === undefined) {
      const rows = this.#database.query<Row, []>("SELECT label, before, except_key FROM revocations").all();
      const stored = rows.map((row) => ({
        label: row.label,
        before: row.before,
        except: row.except_key ?? undefined,
      }));
      this.#known = new Map(
        [...Map.groupBy(stored, ({ label }) => label)].map(([label, each]) => [label, decisive(each)]),
      );
    }
    return this.#known;
  }
}

/** The `before` of the newest of a label's revocations. */
function newest([first]: readonly Revocation[]): number {
  return first?.before ?? 0;
}
