/**
 * Revocations (PROTOCOL 3): from when on the certificates of an account count. Of a
 * label those of the person that decide are kept, and the operator's last one. Each is stored in the transaction of the change that it belongs to.
 */
import type { Database } from "bun:sqlite";

import { label as labelOf } from "../../identity/names.ts";
import { decisive, isKept, REVOCATION_LIFETIME, type Revocation } from "../../identity/revocation.ts";
import { MAX_REVOKED } from "../../protocol/rendezvous-messages.ts";
import type { Account } from "./accounts.ts";

/** Revocations that people made themselves; beyond it the oldest are dropped. */
export const MAX_OWN_REVOCATIONS = 20_000;
/** A changed password revokes at most once in this time, in s. */
const PASSWORD_INTERVAL = 3_600;
/** How long a row is kept, in ms: longer than it counts, so that a clock that is ahead for a while loses none. */
const ROW_LIFETIME = 30 * 24 * 3_600_000;

export type RevocationCause =
  | { readonly name: "operator" }
  | { readonly name: "deletion" }
  /** `key`: the fingerprint of the key with which the password was changed; undefined: without a key. */
  | { readonly name: "password"; readonly key: string | undefined };

type Row = { label: string; before: number; except_key: string | null };
type Stored = Revocation & { readonly byOperator: boolean };

type RevocationPage = { readonly revoked: readonly Revocation[]; readonly next: string | undefined };

type RevocationsNeeds = {
  /** Ms since 1970. */
  readonly now: () => number;
  /** When the newest certificate of this user was made, at least, in ms since 1970; 0: unknown. */
  readonly lastCertified: (userId: number) => number;
  /** A revocation was stored. */
  readonly made?: (revocation: Revocation) => void;
  /** So many revocations of people were dropped. */
  readonly dropped?: (count: number) => void;
};

export class Revocations {
  readonly #database: Database;
  readonly #needs: RevocationsNeeds;
  readonly #ofLabel;
  readonly #page;
  /** The first page, and the second (since 1970) in which it was read: many people may log in meanwhile. */
  #first: { readonly second: number; readonly page: RevocationPage } | undefined;

  constructor(database: Database, needs: RevocationsNeeds) {
    this.#database = database;
    this.#needs = needs;
    this.#ofLabel = database.query<Row & { by_operator: number }, [string]>(
      "SELECT label, before, except_key, by_operator FROM revocations WHERE label = ? ORDER BY before DESC",
    );
    this.#page = database.query<Row, [number, number, number, string, number]>(
      `SELECT label, before, except_key FROM revocations
       WHERE before BETWEEN ? AND ? AND (before, label) < (?, ?) ORDER BY before DESC, label DESC LIMIT ?`,
    );
  }

  /** Makes a change of an account and revokes its certificates, in one transaction. */
  revoke(account: Account, cause: RevocationCause, change: () => void): void {
    let made: Revocation | undefined;
    let dropped = 0;
    this.#database.transaction(() => {
      // Read before the change, which may void the tokens that say when the newest certificate was made.
      const revocation = this.#next(account, cause);
      change();
      if (revocation === undefined) return;
      dropped = this.#store(revocation, cause);
      made = revocation;
    })();
    if (made !== undefined) this.#needs.made?.(made);
    if (dropped > 0) this.#needs.dropped?.(dropped);
  }

  /** The time from which certificates of this label count, in ms since 1970; 0: all do. */
  since(label: string): number {
    const { revoked, next } = this.page();
    // Usually the first page has them all, and everybody who logs in gets it.
    const newest = next === undefined ? revoked.find((each) => each.label === label) : this.#of(label)[0];
    return (newest?.before ?? 0) * 1_000;
  }

  /**
   * The newest revocations that still count, the newest first, at most `MAX_REVOKED`.
   * @param after `next` of the previous page, of the form that the protocol checks
   */
  page(after?: string): RevocationPage {
    const second = Math.floor(this.#needs.now() / 1_000);
    if (after !== undefined) return this.#read(after);
    if (this.#first?.second !== second) {
      this.#first = { second, page: this.#read(`${Number.MAX_SAFE_INTEGER}.`) };
    }
    return this.#first.page;
  }

  #read(after: string): RevocationPage {
    const now = this.#needs.now();
    // As `isKept`.
    const since = Math.floor((now - REVOCATION_LIFETIME) / 1_000) + 1;
    const until = Math.floor((now + REVOCATION_LIFETIME) / 1_000);
    const [before = "", label = ""] = after.split(".");
    const rows = this.#page.all(since, until, Number(before), label, MAX_REVOKED + 1);
    const isMore = rows.length > MAX_REVOKED;
    const revoked = rows.slice(0, MAX_REVOKED).map(revocationOf);
    const last = revoked.at(-1);
    return { revoked, next: isMore && last !== undefined ? `${last.before}.${last.label}` : undefined };
  }

  /** Those of a label that still count, the newest first. */
  #of(label: string): Stored[] {
    const stored = this.#ofLabel
      .all(label)
      .map((row) => ({ ...revocationOf(row), byOperator: row.by_operator !== 0 }));
    return stored.filter((each) => isKept(each, this.#needs.now()));
  }

  /** The revocation to make; undefined: the person has made the last one for a password an hour ago or less. */
  #next(account: Account, cause: RevocationCause): Revocation | undefined {
    const now = this.#needs.now();
    const seconds = Math.floor(now / 1_000);
    const label = labelOf(account.username);
    const known = this.#of(label);
    const own = known.find(({ byOperator }) => !byOperator);
    const isRecent = own !== undefined && Math.abs(seconds - own.before) < PASSWORD_INTERVAL;
    if (cause.name === "password" && isRecent) return undefined;
    // If the clock was set back, certificates and revocations may be from its future: the new one comes after them.
    // Certificates from further ahead than a lifetime are valid for nobody as long as this revocation is kept.
    const certified = Math.min(this.#needs.lastCertified(account.id), now + REVOCATION_LIFETIME);
    const before = Math.max(seconds, Math.floor(certified / 1_000), known[0]?.before ?? 0) + 1;
    return { label, before, except: cause.name === "password" ? cause.key : undefined };
  }

  /** @returns how many revocations of people were dropped */
  #store({ label, before, except }: Revocation, cause: RevocationCause): number {
    this.#first = undefined;
    this.#database
      .query("DELETE FROM revocations WHERE before <= ?")
      .run(Math.floor((this.#needs.now() - ROW_LIFETIME) / 1_000));
    const isOperators = cause.name === "operator";
    const known = isOperators ? [] : this.#of(label);
    const added: Stored = { label, before, except, byOperator: isOperators };
    // The operator's last one stays whatever the person does: people's may be dropped.
    const left = [
      ...known.filter(({ byOperator }) => byOperator),
      ...decisive([added, ...known.filter(({ byOperator }) => !byOperator)]),
    ];
    this.#database.query("DELETE FROM revocations WHERE label = ?").run(label);
    const insert = this.#database.query("INSERT INTO revocations VALUES (?, ?, ?, ?)");
    for (const each of left) insert.run(label, each.before, each.except ?? null, each.byOperator ? 1 : 0);
    if (cause.name === "operator") return 0;
    return this.#database
      .query(
        `DELETE FROM revocations WHERE (label, before) IN (SELECT label, before FROM revocations
         WHERE by_operator = 0 ORDER BY before DESC, label DESC LIMIT -1 OFFSET ?)`,
      )
      .run(MAX_OWN_REVOCATIONS).changes;
  }
}

function revocationOf({ label, before, except_key }: Row): Revocation {
  return { label, before, except: except_key ?? undefined };
}
