/**
 * What root's commands make beside a database is given to the database's owner, whose server must be able to open it.
 * What is there already is left as it is: its name may be a link to anything.
 */
import { fchownSync, statSync } from "node:fs";

export type Owner = { readonly uid: number; readonly gid: number };

/** The owner of a file; undefined where there is none, and for everybody but root, who alone can give files away. */
export function ownerOf(path: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : { uid: found.uid, gid: found.gid };
}

/** Gives an open file that was just made to this owner. @throws what the disk says. */
export function giveTo(owner: Owner | undefined, descriptor: number): void {
  if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
}
