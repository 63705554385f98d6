/**
 * Where accounts are stored on this machine: `DIR/<first 16 hex of the authority's fingerprint>/<label>/`, so
 * that the history stays valid when a server gets another address. `DIR/servers.db` stores the servers.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const AUTHORITY_DIGITS = 16;

export function serversFile(dataFolder: string): string {
  return join(dataFolder, "servers.db");
}

export function profileFolder(dataFolder: string, authorityFingerprint: string, label: string): string {
  return join(dataFolder, authorityFingerprint.slice(0, AUTHORITY_DIGITS), label);
}

export function profileFile(folder: string): string {
  return join(folder, "profile.db");
}

export function lockFile(folder: string): string {
  return join(folder, "lock.db");
}

/** An empty file; while it exists, the profile must be checked before its next use. */
export function damageMark(folder: string): string {
  return join(folder, "check-me");
}

/** Makes a folder that only its owner may enter; an existing folder keeps its mode. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Removes the permissions of group and others from a file or folder of ours. */
export function closeToOthers(path: string): void {
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0) chmodSync(path, mode & 0o700);
}

/** The folders below `dataFolder` that contain or contained a profile, of all authorities or of one. */
export function profileFolders(dataFolder: string, authorityFingerprint?: string): string[] {
  if (!existsSync(dataFolder)) return [];
  const wanted = authorityFingerprint?.slice(0, AUTHORITY_DIGITS);
  return readdirSync(dataFolder, { withFileTypes: true })
    .filter((entry) => !entry.isFile() && /^[0-9a-f]{16}$/.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => wanted === undefined || name === wanted)
    .flatMap((authority) =>
      readdirSync(join(dataFolder, authority))
        .filter((name) => /^[0-9a-f]{40}$/.test(name))
        .map((name) => join(dataFolder, authority, name)),
    )
    .filter((folder) => existsSync(profileFile(folder)) || existsSync(lockFile(folder)))
    .sort();
}
