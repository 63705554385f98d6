/**
 * Where accounts are stored on this machine: `DIR/<first 16 hex of the authority's fingerprint>/<label>/`, so
 * that the history stays valid when a server gets another address. `DIR/servers.db` stores the servers.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { errorCode } from "../../net/error-code.ts";

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

/** Removes the permissions of group and others from a file or folder of ours; what a symbolic link points at keeps its own. */
export function closeToOthers(path: string): void {
  const status = lstatSync(path);
  if (!status.isSymbolicLink() && (status.mode & 0o077) !== 0) chmodSync(path, status.mode & 0o700);
}

/** Others can write to this file or folder, and it is not ours to change that. */
export class OpenToOthersError extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path}: others can write to it`);
    this.path = path;
  }
}

/** Permission to write, of group and others. */
const WRITABLE = 0o022;
/** Set on folders that are shared on purpose, as `/tmp`. */
const STICKY = 0o1000;

/**
 * Makes sure that nobody else can write to the data folder and the folders and files in it by which accounts and
 * servers are found. What is ours is closed to others.
 * @returns what was closed
 * @throws OpenToOthersError, and system errors
 */
export function closeDataFolder(dataFolder: string): string[] {
  const self = process.getuid?.();
  // Windows has other permissions.
  if (self === undefined || !existsSync(dataFolder) || !statSync(dataFolder).isDirectory()) return [];
  const owner = statSync(dataFolder).uid;
  const inside = authorityFolders(dataFolder).flatMap((authority) => {
    const profiles = labelFolders(authority).flatMap((folder) => [folder, profileFile(folder)]);
    return [authority, ...profiles];
  });
  return [dataFolder, serversFile(dataFolder), ...inside].filter((path) => {
    if (!existsSync(path)) return false;
    const [link, status] = [lstatSync(path), statSync(path)];
    // Root may do everything anyway.
    const isOwn = [link, status].every(({ uid }) => uid === self || uid === owner || uid === 0);
    if (isOwn && (status.mode & WRITABLE) === 0) return false;
    const isOurs = isOwn && status.uid === self && !link.isSymbolicLink() && (status.mode & STICKY) === 0;
    if (!isOurs) throw new OpenToOthersError(path);
    return withoutWriting(path, status.mode);
  });
}

/** Takes the permission to write from group and others. @returns false: nobody can write there anyway */
function withoutWriting(path: string, mode: number): boolean {
  try {
    chmodSync(path, mode & 0o7777 & ~WRITABLE);
  } catch (error) {
    if (errorCode(error) === "EROFS") return false;
    throw error;
  }
  // Some file systems ignore it.
  if ((statSync(path).mode & WRITABLE) !== 0) throw new OpenToOthersError(path);
  return true;
}

function authorityFolders(dataFolder: string): string[] {
  return readdirSync(dataFolder, { withFileTypes: true })
    .filter((entry) => !entry.isFile() && /^[0-9a-f]{16}$/.test(entry.name))
    .map(({ name }) => join(dataFolder, name));
}

function labelFolders(authorityFolder: string): string[] {
  return readdirSync(authorityFolder)
    .filter((name) => /^[0-9a-f]{40}$/.test(name))
    .map((name) => join(authorityFolder, name));
}

/** Makes a private folder beside the profile's folder that no other process uses. */
export function makeFolderBeside(folder: string): string {
  makePrivateFolder(dirname(folder));
  return mkdtempSync(`${folder}.`);
}

/** The folders below `dataFolder` that contain or contained a profile, of all authorities or of one. */
export function profileFolders(dataFolder: string, authorityFingerprint?: string): string[] {
  if (!existsSync(dataFolder)) return [];
  const wanted = authorityFingerprint?.slice(0, AUTHORITY_DIGITS);
  return authorityFolders(dataFolder)
    .filter((folder) => wanted === undefined || basename(folder) === wanted)
    .flatMap(labelFolders)
    .filter((folder) => existsSync(profileFile(folder)) || existsSync(lockFile(folder)))
    .sort();
}
