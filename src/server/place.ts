/** Where a server keeps what lasts: in a file of its own, or in a PostgreSQL that it shares with others. */
import { quotedText } from "../protocol/quoted-text.ts";
import type { UsageError } from "../protocol/options.ts";

export type Place =
  | { readonly name: "file"; readonly path: string }
  /** Both URLs may hold passwords: show them only by `shownServer`. `shared`: Valkey or Redis. */
  | { readonly name: "cluster"; readonly postgres: string; readonly shared: string };

/** A sentence about what was typed, in the language of whoever typed it. */
export type Say = (es: string, en: string) => UsageError;

const DEFAULT_FILE = "users.db";
const POSTGRES = ["postgres:", "postgresql:"];
const SHARED = ["redis:", "rediss:"];

/**
 * @param given the values of `--db` and `--shared`
 * @throws UsageError for one without the other, and for a URL that none is
 */
export function readPlace(given: { readonly db?: string; readonly shared?: string }, say: Say): Place {
  const { db = DEFAULT_FILE, shared } = given;
  const isUrl = isPostgresUrl(db);
  if (isUrl !== (shared !== undefined)) {
    throw say(
      "--db postgres://… y --shared redis://… van juntos",
      "--db postgres://… and --shared redis://… go together",
    );
  }
  if (!isUrl || shared === undefined) return { name: "file", path: db };
  return {
    name: "cluster",
    postgres: readPostgresUrl("--db", db, say),
    shared: checked("--shared", shared, SHARED, "redis://HOST:6379", say),
  };
}

/** @throws UsageError unless it is a `postgres://` URL with a database */
export function readPostgresUrl(flag: string, value: string, say: Say): string {
  return checked(flag, value, POSTGRES, "postgres://USER:PASSWORD@HOST:5432/DATABASE", say);
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(value);
}

/** What was typed is not shown: it may hold a password. */
function checked(flag: string, value: string, protocols: string[], form: string, say: Say): string {
  const url = URL.parse(value);
  const isWhole = url !== null && protocols.includes(url.protocol) && url.hostname !== "";
  const hasDatabase = protocols !== POSTGRES || (url?.pathname.length ?? 0) > 1;
  if (isWhole && hasDatabase) return value;
  throw say(`${flag}: se esperaba ${form}`, `${flag}: expected ${form}`);
}

/** A server's URL without what is secret in it, for sentences and logs. */
export function shownServer(url: string): string {
  const { protocol = "", host = "", pathname = "" } = URL.parse(url) ?? {};
  return quotedText(`${protocol}//${host}${pathname}`);
}
