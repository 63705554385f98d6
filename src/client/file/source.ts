/** Where the bytes of a transfer come from and where they go. Offsets are bytes from the beginning of the stream. */
import type { FileHandle } from "node:fs/promises";

import { errorCode } from "../../net/error-code.ts";

/** What is sent: a file, a folder or a pipe. */
export interface Source {
  /** Bytes; undefined: unknown until the end, as of a pipe, which is read once and in order. */
  readonly size: number | undefined;
  /**
   * Fills `into` from `offset`, unless the end comes before. Several reads may run at once, except of a pipe.
   * @returns bytes read
   * @throws SourceError
   */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** @throws SourceError `changed` or `gone`: it is no longer what was offered */
  check(): Promise<void>;
  /** Reads that are running end first. */
  close(): void;
}

/** Where a received file or folder goes. */
export interface Sink {
  /**
   * One at a time. `bytes` must stay as they are until it is done. After `no_space` it may be tried again.
   * @throws SinkError
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /**
   * Fills `into` with what was written, also before a restart, unless the end comes before.
   * @returns bytes read
   * @throws SinkError
   */
  read(offset: number, into: Uint8Array): Promise<number>;
  /**
   * Gives what was received its name, when all of it is there: once. After a crash at any moment, where `namedPath` finds
   * nothing, the same sink can be opened and finished again, and it is one file.
   * @returns the absolute path
   * @throws SinkError
   */
  finish(): Promise<string>;
  /** Closes it, and removes what has no name yet. */
  discard(): Promise<void>;
  /** Keeps what was received for the next opening. Writes that are running end first. */
  close(): void;
}

/**
 * `no_such_file`: nothing is there. `not_readable`: no permission, or a fault of the disk. `not_a_file`: neither a file
 * nor a folder nor a pipe. `too_many_entries`: of a folder. `changed`, `gone`: it is not what was offered any more.
 */
export type SourceFault =
  "no_such_file" | "not_readable" | "not_a_file" | "too_many_entries" | "changed" | "gone";

export class SourceError extends Error {
  readonly code: SourceFault;

  constructor(code: SourceFault, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * `no_space`: the disk is full, or nearly. `unwritable`: the folder is gone, replaced, or takes nothing. `too_large`:
 * more bytes came than were offered, or the disk has no files of that size. `damaged`: something else has changed what
 * was received. `bad_listing`: of a folder; it is not what was offered, or no listing at all.
 */
export type SinkFault = "no_space" | "unwritable" | "too_large" | "damaged" | "bad_listing";

export class SinkError extends Error {
  readonly code: SinkFault;

  constructor(code: SinkFault, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

/** Runs `work`, and turns errors of the system into a SourceError. @param missing where there is no such file */
export async function asSource<T>(missing: SourceFault, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const isMissing = ["ENOENT", "ENOTDIR", "ELOOP"].includes(errorCode(error));
    throw new SourceError(isMissing ? missing : "not_readable", error);
  }
}

/** Runs `work`, and turns errors of the system into a SinkError. */
export async function asSink<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const faults: ReadonlyMap<string, SinkFault> = new Map([
      ["ENOSPC", "no_space"],
      ["EDQUOT", "no_space"],
      ["ELOWDISK", "no_space"],
      ["EFBIG", "too_large"],
    ]);
    throw new SinkError(faults.get(errorCode(error)) ?? "unwritable", error);
  }
}

/** @returns undefined: there is no such file @throws any other error */
export async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Fills `into` from `offset`, unless the end of the file comes before. @returns bytes read; system errors are thrown */
export async function readFully(handle: FileHandle, offset: number, into: Uint8Array): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes all of `bytes`; the system may take fewer at once. @throws system errors */
export async function writeFully(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

/** @param modified ms since 1970; undefined: it stays */
export async function setModified(handle: FileHandle, modified: number | undefined): Promise<void> {
  if (modified !== undefined) await handle.utimes(modified / 1000, modified / 1000);
}

/** Closes a file when what is under way with it has ended. */
export function closeLater(handle: FileHandle): void {
  handle.close().catch((error: unknown) => {
    // Network disks report here what they did not write. What is not synced yet is compared with its leaves anyway.
    if (!isSystemError(error)) throw error;
  });
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && /^E[A-Z0-9]{2,}$/.test(errorCode(error));
}
