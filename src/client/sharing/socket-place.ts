/**
 * Where the socket of an online account is, and which protocol is spoken there: `online` beside the profile, else, where that path is too long or the disk
 * cannot take a socket, in a folder of this user for sockets. Only this user may enter either folder.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MAX_LOCAL_PATH } from "../../net/local-socket.ts";

/** The number of this protocol; another number is refused with a sentence. */
export const SHARING_PROTOCOL = 1;

/** A folder for the socket belongs to somebody else, or others may enter it. */
export class OpenFolderError extends Error {
  readonly folder: string;

  constructor(folder: string) {
    super(`${folder}: other users may enter it`);
    this.folder = folder;
  }
}

/** This process's user; undefined where the system has none. */
function ownUser(): number | undefined {
  return process.getuid?.();
}

/** @throws OpenFolderError unless `folder` is a real folder that only this user may enter; system errors */
export function checkOwnFolder(folder: string): void {
  const found = lstatSync(folder);
  const isOpen = (found.mode & 0o077) !== 0;
  if (!found.isDirectory() || found.uid !== (ownUser() ?? found.uid) || isOpen)
    throw new OpenFolderError(folder);
}

/** The folder for sockets whose path beside the profile is too long. */
function sharedFolder(environment: NodeJS.ProcessEnv): string {
  const runtime = environment["XDG_RUNTIME_DIR"];
  // The XDG Base Directory Specification says to ignore a relative path.
  return runtime?.startsWith("/") === true
    ? join(runtime, "paloma")
    : join(tmpdir(), `paloma-${ownUser() ?? "user"}`);
}

export type SocketPlace = { readonly folder: string; readonly path: string };

/** The places in the order in which they are tried, by the process that serves and by those that look for it. */
export function socketPlaces(profileFolder: string, environment = process.env): readonly SocketPlace[] {
  const beside = { folder: profileFolder, path: join(profileFolder, "online") };
  const folder = sharedFolder(environment);
  const name = createHash("sha256").update(profileFolder).digest("hex").slice(0, 32);
  const places = [beside, { folder, path: join(folder, name) }];
  return places.filter(({ path }) => Buffer.byteLength(path) <= MAX_LOCAL_PATH);
}

/** Makes the folder of a place if it is missing. @throws OpenFolderError, system errors */
export function preparePlace({ folder }: SocketPlace): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  checkOwnFolder(folder);
}
