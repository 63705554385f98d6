/** Writes a new file, whole or not at all; one that exists is never touched. */
import { link, lstat, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

import { errorCode } from "../net/error-code.ts";
import { expandHome } from "../protocol/environment.ts";

/** No file was written, and no part of it is left. */
export class NewFileError extends Error {
  readonly code: "file_exists" | "no_folder" | "no_name" | "not_written";
  readonly file: string;

  constructor(code: NewFileError["code"], file: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
    this.file = file;
  }

  /** The system's message without file names, which would include our temporary file. */
  get why(): string {
    return this.cause instanceof Error ? (this.cause.message.split(", ")[0] ?? "") : "";
  }
}

/** The absolute path of a file as it was typed, with `~` for the home folder. */
export function typedPath(typed: string): string {
  return resolve(expandHome(typed, homedir()));
}

/**
 * The absolute path of a file that can be made.
 * @param typed as for `typedPath`
 * @throws NewFileError; the file may still be made by somebody else before it is written
 */
export async function newFilePath(typed: string): Promise<string> {
  if (typed.endsWith("/")) throw new NewFileError("no_name", typed);
  const file = typedPath(typed);
  try {
    if (await exists(file)) throw new NewFileError("file_exists", file);
    if (!(await isFolder(dirname(file)))) throw new NewFileError("no_folder", file);
    return file;
  } catch (error) {
    throw await failureOf(error, file);
  }
}

/**
 * Writes a file that only its owner may read. It has its name only when it is complete and on the disk.
 * @param file a path of `newFilePath`
 * @param write gets the file under another name, for writing and reading
 * @throws NewFileError, and what `write` throws but for system errors
 */
export async function writeNewFile<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const temporary = join(dirname(file), `.${basename(file).slice(0, 100)}.${crypto.randomUUID()}`);
  try {
    const handle = await open(temporary, "wx+", 0o600);
    try {
      const result = await write(handle);
      await handle.sync();
      await giveName(temporary, file);
      await syncFolder(dirname(file));
      return result;
    } finally {
      await handle.close();
      await rm(temporary, { force: true });
    }
  } catch (error) {
    throw await failureOf(error, file);
  }
}

/** Turns an error of the file system into a NewFileError; any other error is returned as it is. */
async function failureOf(error: unknown, file: string): Promise<unknown> {
  const code = errorCode(error);
  if (error instanceof NewFileError || !/^E[A-Z0-9]{2,}$/.test(code)) return error;
  switch (code) {
    case "EEXIST":
      return new NewFileError("file_exists", file, error);
    case "ENOENT":
    case "ENOTDIR":
      // Some systems report ENOENT also for a folder that exists but accepts no file.
      return new NewFileError((await isFolder(dirname(file))) ? "not_written" : "no_folder", file, error);
    default:
      return new NewFileError("not_written", file, error);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (!/^E[A-Z]/.test(errorCode(error))) throw error;
    return false;
  }
}

/** Also for a symbolic link that leads nowhere. */
async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return false;
  }
}

/** Gives the finished file its name, unless something has that name already. */
async function giveName(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
  } catch (error) {
    // File systems of memory sticks have no hard links: create an empty file to reserve the name, then replace it.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errorCode(error))) throw error;
    await (await open(file, "wx", 0o600)).close();
    await rename(temporary, file);
  }
}

/** Writes the names in a folder to the disk. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // Not every system can, and not every folder may be read.
    if (!["EACCES", "EINVAL", "EISDIR", "EPERM"].includes(errorCode(error))) throw error;
  }
}
