/**
 * A restore gives the old database a second name before the copy takes the first (`admin/restore.ts`). If it is
 * interrupted in between, one file has two names, and its log perhaps only the second one. Opening it by the first name
 * would lose what is only in the log. So the interrupted restore is undone before the database is opened.
 */
import { existsSync, renameSync, rmSync, statSync } from "node:fs";

/** The files beside a database in which SQLite keeps its last changes. */
export const LOGS = ["-wal", "-journal"] as const;

/** The name of the old database after a restore. */
export function beforeRestore(path: string): string {
  return `${path}.before-restore`;
}

/** Undoes an interrupted restore of the database at `path`, which is not a link. This process must hold its lock. */
export function undoInterruptedRestore(path: string): void {
  const before = beforeRestore(path);
  if (!isSameFile(path, before)) return;
  for (const log of LOGS) {
    if (isSameFile(path + log, before + log)) rmSync(before + log);
    else if (existsSync(before + log) && !existsSync(path + log)) renameSync(before + log, path + log);
  }
  rmSync(before);
}

/** Whether both paths exist and are the same file. */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
