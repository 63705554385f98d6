/**
 * Exports an account into one encrypted file, to move it to another machine.
 *
 * 1. The process that has the account online is asked to leave it; every other one is told, too, and ends.
 * 2. The database, which stands still, and the trust in its servers are encrypted. Its pages are copied as they are, so the
 *    stored session is taken out of them before; if the process is killed then, the next login needs the password.
 * 3. The file is read back and decrypted to its end; then it gets its name.
 * 4. The profile is marked as moved: it goes online here only when the person insists.
 *
 * If a step fails, there is no file, and the account stays as it was.
 */
import { open, rm, type FileHandle } from "node:fs/promises";

import { takeProfile, type ProfileHealth } from "./disk/check.ts";
import { profileFile } from "./disk/folders.ts";
import { EXPORTING, ProfileLockedError, type ProfileLock } from "./disk/lock.ts";
import { RequestError } from "./error-json.ts";
import { localFolder, type AccountPlace } from "./local-accounts.ts";
import { headOf, MAX_SERVERS, type MovedServer } from "./moving/contents.ts";
import { openSealed, readSealed, writeSealed } from "./moving/sealed-file.ts";
import { CHUNK, SealedFileError, withKey } from "./moving/sealed-format.ts";
import { newFilePath, writeNewFile } from "./new-file.ts";
import { Profile } from "./profile/profile.ts";
import { storedServers } from "./rendezvous/trust-store.ts";
import { authorityFingerprint } from "./rendezvous/trust.ts";
import { Attachment, ServingEndedError } from "./sharing/attachment.ts";
import { whileLocked } from "./sharing/while-locked.ts";

type ExportOptions = {
  readonly place: AccountPlace;
  /** The file as it was typed. */
  readonly typed: string;
  /** Called when the account and the place for the file are found. */
  readonly passphrase: () => Promise<string>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: { readonly name: "profileHealth"; readonly health: ProfileHealth }) => void;
};

/**
 * @returns the account's name, and the file's absolute path and size
 * @throws AccountError, NewFileError, AccountMovedError if another process is exporting it, OtherVersionError,
 * ProfileLockedError if a process does not leave it, StoreError, ProfileDamagedError, SQLiteError, the signal's reason
 */
export async function exportAccount(
  options: ExportOptions,
): Promise<{ username: string; file: string; bytes: number }> {
  const { place, typed, signal } = options;
  const folder = localFolder(place);
  const file = await newFilePath(typed);
  const passphrase = await options.passphrase();
  const source = await open(profileFile(folder), "r");
  try {
    const profile = Profile.open(folder);
    try {
      const lock = await taken(profile, options);
      try {
        profile.reload();
        const copy = {
          head: headOf(serversOf(place.dataFolder, profile.authority)),
          source,
          passphrase,
          signal,
        };
        return { username: profile.username, file, bytes: await movedInto(file, profile, copy) };
      } finally {
        lock.release();
      }
    } finally {
      profile.close();
    }
  } finally {
    // Not before the database, see `whileStill`.
    await source.close();
  }
}

/** The servers of an authority, in the form in which they move. @param authority PEM */
function serversOf(dataFolder: string, authority: string): readonly MovedServer[] {
  const own = authorityFingerprint(authority);
  return storedServers(dataFolder)
    .filter((each) => each.authority !== null && authorityFingerprint(each.authority) === own)
    .map(({ host, port, kind }) => ({ host, port, kind }))
    .slice(0, MAX_SERVERS);
}

/** Takes the account from whichever process has it online. */
function taken(profile: Profile, { signal, onEvent }: ExportOptions): Promise<ProfileLock> {
  let asked: number | undefined;
  return whileLocked(async () => {
    signal.throwIfAborted();
    try {
      return takeProfile({ profile, command: EXPORTING, onEvent });
    } catch (error) {
      if (!(error instanceof ProfileLockedError)) throw error;
      const { pid } = error.owner ?? {};
      if (pid !== asked && (await askToLeave(profile.folder))) asked = pid;
      throw error;
    }
  });
}

/** Asks the process that serves this profile to leave the account. @returns false: none answers yet */
async function askToLeave(folder: string): Promise<boolean> {
  const nothing = () => undefined;
  try {
    const attachment = await Attachment.to(folder, { event: nothing, ended: nothing });
    await attachment?.request("leave", {}).finally(() => attachment.close());
    return attachment !== undefined;
  } catch (error) {
    if (error instanceof ServingEndedError) return false;
    // One of an earlier version does not know the request, and stays.
    if (error instanceof RequestError) return true;
    throw error;
  }
}

type Copy = {
  readonly head: Buffer;
  /** `profile.db` */
  readonly source: FileHandle;
  readonly passphrase: string;
  readonly signal: AbortSignal;
};

/** Writes the file, and marks the profile as moved. @returns the file's size */
async function movedInto(file: string, profile: Profile, copy: Copy): Promise<number> {
  let isWritten = false;
  try {
    return await profile.moveAway(async () => {
      const bytes = await writeNewFile(file, (target) => writeVerified(target, copy));
      isWritten = true;
      return bytes;
    }, Date.now());
  } catch (error) {
    // Without the mark, the account would be in two places.
    if (isWritten) await rm(file);
    throw error;
  }
}

/** @returns the file's size */
async function writeVerified(target: FileHandle, copy: Copy): Promise<number> {
  const { head, source, passphrase, signal } = copy;
  const { size } = await source.stat();
  await writeSealed(target, passphrase, head.length + size, contents(copy));
  await target.sync();
  try {
    const sealed = await withKey(await openSealed(target), passphrase);
    for await (const part of readSealed(target, sealed)) if (part.length > 0) signal.throwIfAborted();
  } catch (error) {
    if (!(error instanceof SealedFileError)) throw error;
    throw Object.assign(new Error("EIO: the file reads differently than it was written"), { code: "EIO" });
  }
  return (await target.stat()).size;
}

async function* contents({ head, source, signal }: Copy): AsyncGenerator<Buffer> {
  yield head;
  const buffer = Buffer.alloc(CHUNK);
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, CHUNK, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}
