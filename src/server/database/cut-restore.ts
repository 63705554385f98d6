/**
 * A restore gives the old database a second name before the copy takes the first (`admin/restore.ts`). One that
 * was cut off in between leaves one file under two names, and perhaps its log under the second alone: whoever
 * opened it so would miss what only the log knows. So it is undone before anybody does.
 */
import { existsSync, renameSync, rmSync, statSync } from "node:fs";

/** What SQLite keeps of a database's last changes beside it. */
export const LOGS = ["-wal", "-journal"] as const;

/** What the old database is called after a restore. */
export function beforeRestore(path: string): string {
  return `${path}.before-restore`;
}

/** Undoes what a restore of the database at `path` (no link), whose lock this process has, left half done. */
export function undoCutRestore(path: string): void {
  const before = beforeRestore(path);
  if (!isSameFile(path, before)) return;
  for (const log of LOGS) {
    if (isSameFile(path + log, before + log)) rmSync(before + log);
    else if (existsSync(before + log) && !existsSync(path + log)) renameSync(before + log, path + log);
  }
  rmSync(before);
}

/** Whether both names are there and name one file. */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
