/** Makes calls of SQLite fail in this process, as on a disk that cannot be read or written. */
import { Database } from "bun:sqlite";

/** Called before each statement and each commit; what it throws is what SQLite reports. */
type Look = (database: Database, sql: string) => void;

let look: Look | undefined;
const CALLS = ["all", "get", "run", "values", "iterate"];
/** Neither writes. */
const HARMLESS = /^(?:ROLLBACK|PRAGMA synchronous)/i;

type Methods = { [name: string]: (...args: unknown[]) => unknown };

const prototype = Database.prototype as unknown as Methods;
const watched = new WeakSet<object>();

/** Replaces a method by one that looks first. */
function watch(of: Methods, name: string, before: (self: Database, args: unknown[]) => void): void {
  const original = of[name];
  if (original === undefined) throw new Error(`Bun has no ${name}`);
  of[name] = function (this: Database, ...args: unknown[]) {
    before(this, args);
    return original.apply(this, args);
  };
}

function lookAt(database: Database, sql: string): void {
  if (!HARMLESS.test(sql)) look?.(database, sql);
}

/** Statements are watched from when they are made: to be called before the databases are opened. */
export function watchStatements(): void {
  if (watched.has(prototype)) return;
  watched.add(prototype);
  watch(prototype, "run", (database, [sql]) => lookAt(database, String(sql)));
  for (const name of ["query", "prepare"]) {
    const original = prototype[name] as (...args: unknown[]) => Methods;
    prototype[name] = function (this: Database, sql: unknown, ...args: unknown[]) {
      const statement = original.call(this, sql, ...args);
      if (watched.has(statement)) return statement;
      watched.add(statement);
      for (const call of CALLS) watch(statement, call, () => lookAt(this, String(sql)));
      return statement;
    };
  }
  const { transaction } = prototype;
  prototype["transaction"] = function (this: Database, work: unknown) {
    const whole = (...args: unknown[]) => {
      const result = (work as (...args: unknown[]) => unknown)(...args);
      lookAt(this, "COMMIT");
      return result;
    };
    return transaction?.call(this, whole);
  };
}

/** From now on `before` is called before each statement and each commit; undefined: nothing fails. */
export function lookBeforeStatements(before: Look | undefined): void {
  look = before;
}

/** The error of a disk that cannot be read. */
export function readError(): Error {
  return Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_READ" });
}
