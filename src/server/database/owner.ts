/**
 * Files that root's commands make beside a database belong to the database's owner, whose server must be able to open
 * them. Files that exist keep their owner: their name may be a link to any other file.
 */
import { closeSync, fchownSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

export type Owner = { readonly uid: number; readonly gid: number };

/** The owner of a file or, if there is no file, of its folder; undefined unless the process may change owners. */
export function ownerFor(path: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found =
    statSync(path, { throwIfNoEntry: false }) ?? statSync(dirname(path), { throwIfNoEntry: false });
  return found === undefined ? undefined : { uid: found.uid, gid: found.gid };
}

/** Makes an empty file of mode 0600 for this owner. @throws errors of the file system, `EEXIST` if there is a file */
export function makeFile(path: string, owner?: Owner): void {
  const descriptor = openSync(path, "wx", 0o600);
  try {
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
  } finally {
    closeSync(descriptor);
  }
}
