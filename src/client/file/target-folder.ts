/**
 * The folder that received files go to. It is opened once, and everything happens in what was opened: a path that leads
 * elsewhere meanwhile, because a folder was replaced by a symbolic link, leads nothing astray.
 */
import { constants, type BigIntStats } from "node:fs";
import { access, link, lstat, open, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { errorCode } from "../../net/error-code.ts";
import { numbered } from "./safe-names.ts";
import { asSink, closeLater, ifThere, SinkError } from "./source.ts";

/** Most names that are tried for one file. */
const MAX_NUMBER = 100_000;
/** Where Linux has the open files of this process as paths. */
const OPEN_FILES = "/proc/self/fd";

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW } = constants;

export class TargetFolder {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #opened: BigIntStats;
  /** Where the system has open files as paths; undefined: nowhere. */
  readonly #openFiles: string | undefined;
  /** Calls that use the open folder's path, which must stay its own as long as they run. */
  #running = 0;
  #isClosed = false;

  private constructor(path: string, handle: FileHandle, opened: BigIntStats, openFiles: string | undefined) {
    this.#path = path;
    this.#handle = handle;
    this.#opened = opened;
    this.#openFiles = openFiles;
  }

  /**
   * The folder as it is to be kept with a transfer, without symbolic links in its path.
   * @param typed an absolute path
   * @throws SinkError `unwritable`: there is no such folder, or it takes nothing
   */
  static async resolve(typed: string): Promise<string> {
    return asSink(async () => {
      const path = await realpath(typed);
      if (!(await stat(path)).isDirectory()) throw new SinkError("unwritable");
      await access(path, constants.W_OK | constants.X_OK);
      return path;
    });
  }

  /**
   * @param path of `resolve`
   * @throws SinkError `unwritable`: the folder is gone, or there is a symbolic link in its path now
   */
  static async open(path: string, openFiles = OPEN_FILES): Promise<TargetFolder> {
    return asSink(async () => {
      const handle = await openFolder(path);
      try {
        const opened = await handle.stat({ bigint: true });
        const isPath = await isSame(`${openFiles}/${handle.fd}`, opened);
        const folder = new TargetFolder(path, handle, opened, isPath ? openFiles : undefined);
        await folder.#check();
        return folder;
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /**
   * Does `work` with the path of something in the folder, for system calls.
   * @param name `.`: the folder itself
   * @param undo called with the result if it may be from elsewhere
   * @throws SinkError
   */
  async within<T>(
    name: string,
    work: (path: string) => Promise<T>,
    undo: (result: T) => void = () => undefined,
  ): Promise<T> {
    if (this.#isClosed) throw new SinkError("unwritable");
    this.#running++;
    try {
      return await asSink(async () => {
        if (this.#openFiles !== undefined) return work(join(this.#openFiles, `${this.#handle.fd}`, name));
        await this.#check();
        const result = await work(join(this.#path, name));
        await this.#check().catch((error: unknown) => {
          undo(result);
          throw error;
        });
        return result;
      });
    } finally {
      this.#running--;
      this.#closeUnused();
    }
  }

  /** Opens a folder of ours in this one, which is no symbolic link. @returns undefined: there is none */
  async openFolder(name: string): Promise<TargetFolder | undefined> {
    const handle = await this.within(name, (path) => ifThere(() => openFolder(path)), closeIfOpen);
    if (handle === undefined) return undefined;
    try {
      const opened = await handle.stat({ bigint: true });
      return new TargetFolder(join(this.#path, name), handle, opened, this.#openFiles);
    } catch (error) {
      closeLater(handle);
      throw error;
    }
  }

  /** Opens a file of ours, which is no symbolic link. @returns undefined: there is none */
  async openFile(name: string): Promise<FileHandle | undefined> {
    return this.within(name, (path) => ifThere(() => open(path, O_RDWR | O_NOFOLLOW)), closeIfOpen);
  }

  /** Makes a file for reading and writing, which nobody may execute. */
  async makeFile(name: string): Promise<FileHandle> {
    return this.within(name, (path) => open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666), closeLater);
  }

  /** What has this name; undefined: nothing. A symbolic link is not followed. */
  async status(name: string): Promise<BigIntStats | undefined> {
    return this.within(name, (path) => ifThere(() => lstat(path, { bigint: true })));
  }

  /**
   * Gives something of ours a name that nothing has, `name` or `name` with a number, and takes its old name.
   * @param choose called with each name before it is tried; what it notes must be on the disk when it is done
   * @returns the new name
   */
  async giveName(
    temporary: string,
    kind: "file" | "folder",
    name: string,
    choose: (name: string) => Promise<void>,
  ): Promise<string> {
    for (let number = 1; number <= MAX_NUMBER; number++) {
      const free = numbered(name, number);
      if ((await this.status(free)) !== undefined) continue;
      await choose(free);
      const isNamed = await this.within(temporary, (from) =>
        this.within(free, (to) => (kind === "file" ? nameFile(from, to) : nameFolder(from, to))),
      );
      if (isNamed) return free;
    }
    throw new SinkError("unwritable");
  }

  async remove(name: string): Promise<void> {
    await this.within(name, (path) => rm(path, { recursive: true, force: true }));
  }

  /** Writes the names in the folder to the disk. */
  async sync(): Promise<void> {
    await asSink(() => syncNames(this.#handle));
  }

  /** Where something in the folder is found by a person. */
  async pathOf(name: string): Promise<string> {
    // It may have been moved.
    const path = await this.within(".", (fixed) => realpath(fixed));
    return join(path, name);
  }

  /** Calls that are running end first. */
  close(): void {
    this.#isClosed = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#isClosed && this.#running === 0) closeLater(this.#handle);
  }

  /** @throws SinkError: the path leads elsewhere */
  async #check(): Promise<void> {
    const leadsHere = (await realpath(this.#path)) === this.#path && (await isSame(this.#path, this.#opened));
    if (!leadsHere) throw new SinkError("unwritable");
  }
}

function closeIfOpen(handle: FileHandle | undefined): void {
  if (handle !== undefined) closeLater(handle);
}

/** @throws system errors but that a folder cannot be synced here */
export async function syncNames(folder: FileHandle): Promise<void> {
  try {
    await folder.sync();
  } catch (error) {
    if (!["EACCES", "EINVAL", "EISDIR", "EPERM"].includes(errorCode(error))) throw error;
  }
}

function openFolder(path: string): Promise<FileHandle> {
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

async function isSame(path: string, opened: BigIntStats): Promise<boolean> {
  try {
    const found = await stat(path, { bigint: true });
    return found.dev === opened.dev && found.ino === opened.ino;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return false;
    throw error;
  }
}

/** @returns false: something has that name */
async function nameFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    await rm(from);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    // File systems of memory sticks have no hard links: an empty file reserves the name, and is replaced.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errorCode(error))) throw error;
  }
  try {
    await (await open(to, "wx")).close();
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
  await rename(from, to);
  return true;
}

/** @returns false: something has that name. The system replaces nothing but an empty folder. */
async function nameFolder(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes(errorCode(error))) return false;
    throw error;
  }
}
