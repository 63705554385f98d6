/**
 * Imports the account of a file that another machine has exported.
 *
 * 1. The file is decrypted into a folder of its own, and proven to its end.
 * 2. It has to be an account; what its folder is called follows from the authority and the name alone.
 * 3. That folder gets its place, unless the account is here already. Servers of the account that are not known here are trusted
 *    as they were there.
 *
 * If a step fails, nothing is left.
 */
import { constants, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

import { isOldNameAcceptable, label as labelOf } from "../identity/names.ts";
import { isThisMachine } from "../protocol/host-name.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import { lockFile, makeFolderBeside, makePrivateFolder, profileFile, profileFolder } from "./disk/folders.ts";
import { ProfileLock, ProfileLockedError } from "./disk/lock.ts";
import { isFullDisk, isStorageFailure, StoreError } from "./disk/sqlite.ts";
import { AccountExistsError } from "./local-accounts.ts";
import { withServers } from "./locate-profile.ts";
import { readHead, type MovedServer } from "./moving/contents.ts";
import { openSealed, readSealed } from "./moving/sealed-file.ts";
import { SealedFileError, withKey } from "./moving/sealed-format.ts";
import { typedPath } from "./new-file.ts";
import { Profile } from "./profile/profile.ts";
import { lastServer, type ServerStore } from "./rendezvous/trust-store.ts";
import { receivedAuthority } from "./rendezvous/trust.ts";

/** How this process owns a lock. */
const OWNER = { pid: process.pid, command: "profile import" };
/** The beginning of the name of a folder that is being filled. */
const PREFIX = "importing-";

type ImportOptions = {
  readonly dataFolder: string;
  /** The file as it was typed. */
  readonly typed: string;
  /** Called when the file is found and has the right form. */
  readonly passphrase: () => Promise<string>;
  /** An account that was exported from here is replaced. */
  readonly replaceMoved: boolean;
  readonly signal: AbortSignal;
};

type Imported = {
  readonly username: string;
  readonly folder: string;
  /** Those that were not known here, as HOST:PORT. */
  readonly servers: readonly string[];
};

/** @throws SealedFileError, AccountExistsError, StoreError, SQLiteError, system errors, the signal's reason */
export async function importAccount(options: ImportOptions): Promise<Imported> {
  const { dataFolder, replaceMoved, signal } = options;
  const file = await openFile(typedPath(options.typed));
  try {
    const header = await openSealed(file);
    const sealed = await withKey(header, await options.passphrase());
    makePrivateFolder(dataFolder);
    removeInterrupted(dataFolder);
    const prepared = mkdtempSync(join(dataFolder, PREFIX));
    try {
      const moved = await unpack(readSealed(file, sealed), prepared, signal);
      const { username, authority, fingerprint } = identify(prepared);
      const folder = profileFolder(dataFolder, fingerprint, labelOf(username));
      return await withServers(dataFolder, (servers) => {
        place(prepared, folder, username, replaceMoved);
        const learnt = trust(moved, authority, servers);
        const [last] = learnt;
        if (last !== undefined && lastServer(dataFolder) === undefined) servers.used(last.host, last.port);
        return { username, folder, servers: learnt.map(({ host, port }) => showHostPort(host, port)) };
      });
    } finally {
      rmSync(prepared, { recursive: true, force: true });
    }
  } finally {
    await file.close();
  }
}

/** @throws SealedFileError */
async function openFile(path: string): Promise<FileHandle> {
  try {
    // Without waiting for a writer, where it is a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    if (!isStorageFailure(error)) throw error;
    throw new SealedFileError("unreadable", error);
  }
  throw new SealedFileError("not_ours");
}

/** Removes what killed imports have left. */
function removeInterrupted(dataFolder: string): void {
  const folders = readdirSync(dataFolder).filter((name) => name.startsWith(PREFIX));
  for (const folder of folders.map((name) => join(dataFolder, name))) {
    try {
      // A running one holds its lock.
      ProfileLock.acquire(folder, OWNER).release();
      rmSync(folder, { recursive: true });
    } catch (error) {
      if (!(error instanceof ProfileLockedError)) throw error;
    }
  }
}

/** Writes the database into the folder. @returns the servers of the account */
async function unpack(
  parts: AsyncIterable<Buffer>,
  folder: string,
  signal: AbortSignal,
): Promise<readonly MovedServer[]> {
  const lock = ProfileLock.acquire(folder, OWNER);
  try {
    const target = await open(profileFile(folder), "wx", 0o600);
    try {
      let servers: readonly MovedServer[] | undefined;
      for await (const part of parts) {
        signal.throwIfAborted();
        const { database, ...head } = servers === undefined ? readHead(part) : { servers, database: part };
        servers = head.servers;
        await target.writeFile(database);
      }
      await target.sync();
      return servers ?? [];
    } finally {
      await target.close();
    }
  } finally {
    lock.release();
    rmSync(lockFile(folder));
  }
}

/** Whose profile this is. @throws SealedFileError, SQLiteError when the disk is full */
function identify(folder: string): { username: string; authority: string; fingerprint: string } {
  try {
    const profile = Profile.open(folder);
    try {
      const { username } = profile;
      const { authority, fingerprint } = receivedAuthority(profile.authority);
      if (!isOldNameAcceptable(username) || authority !== profile.authority) throw new Error("no account");
      return { username, authority, fingerprint };
    } finally {
      profile.close();
    }
  } catch (error) {
    if (isFullDisk(error)) throw error;
    const isNewer = error instanceof StoreError && error.code === "newer";
    throw new SealedFileError(isNewer ? "newer" : "changed", error);
  }
}

/** Puts the prepared profile where it belongs. @throws AccountExistsError */
function place(prepared: string, folder: string, username: string, replaceMoved: boolean): void {
  makePrivateFolder(dirname(folder));
  if (Profile.place(prepared, folder)) return;
  const check = () => {
    const movedAt = Profile.look(folder)?.movedAt;
    if (movedAt === undefined || !replaceMoved) throw new AccountExistsError(username, folder, movedAt);
  };
  check();
  const lock = ProfileLock.acquire(folder, OWNER);
  try {
    // It may have gone online meanwhile.
    check();
    const before = makeFolderBeside(folder);
    renameSync(folder, before);
    try {
      renameSync(prepared, folder);
    } catch (error) {
      renameSync(before, folder);
      throw error;
    }
    rmSync(before, { recursive: true });
  } finally {
    lock.abandon();
  }
}

/** Stores the servers that are not known here, but none of the old machine itself. @returns them */
function trust(
  moved: readonly MovedServer[],
  authority: string,
  servers: ServerStore,
): readonly MovedServer[] {
  const unknown = moved.filter(
    ({ host, port }) => !isThisMachine(host) && servers.get(host, port) === undefined,
  );
  for (const { host, port, kind } of unknown) servers.set(host, port, { kind, authority });
  return unknown;
}
