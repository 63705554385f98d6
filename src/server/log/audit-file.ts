/** The file of the audit log. It is rotated when it is full, and made again after it was moved or removed. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import { makeFile, type Owner } from "../database/owner.ts";
import { StartError } from "../start-error.ts";
import { quotedText } from "../../protocol/quoted-text.ts";

/** Size at which the file is renamed to `FILE.1`, in bytes. */
export const MAX_AUDIT_BYTES = 10 * 1024 * 1024;
/** How many older files are kept: `FILE.1` (the newest) to `FILE.5`. */
export const KEPT_AUDIT_FILES = 5;

const OPEN_BRACE = 0x7b;
const LINE_FEED = 0x0a;

type Open = {
  readonly descriptor: number;
  readonly inode: number;
  readonly device: number;
  /** Whether its last line is incomplete after a crash. */
  isTorn: boolean;
};

export class AuditFile {
  readonly path: string;
  readonly #onRotationFailed: (error: unknown) => void;
  readonly #owner: Owner | undefined;
  /** Undefined if it is closed or could not be reopened. */
  #open: Open | undefined;

  /**
   * Opens the file, and makes it with mode 0600 if there is none.
   * @param onRotationFailed called if the file cannot be renamed; it then grows further.
   * @param owner who owns a file that is made here.
   * @throws StartError for a file that cannot be opened or is not an audit log
   */
  constructor(path: string, onRotationFailed: (error: unknown) => void, owner?: Owner) {
    this.path = path;
    this.#onRotationFailed = onRotationFailed;
    this.#owner = owner;
    try {
      this.#open = openAtEnd(path, owner);
    } catch (error) {
      throw error instanceof StartError ? error : cannotOpen(path, error);
    }
  }

  /** Appends whole lines: all of them or, if it throws, none. @throws errors of the file system */
  append(lines: string): void {
    let open = this.#current();
    const bytes = Buffer.from(open.isTorn ? `\n${lines}` : lines);
    let { size } = fstatSync(open.descriptor);
    if (size > 0 && size + bytes.length > MAX_AUDIT_BYTES && this.#rotate()) {
      open = this.#current();
      ({ size } = fstatSync(open.descriptor));
    }
    try {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(open.descriptor, bytes, written);
      }
      open.isTorn = false;
    } catch (error) {
      // On a full disk a part may have been written; half a line would spoil the next one.
      ftruncateSync(open.descriptor, size);
      throw error;
    }
  }

  /** Syncs the file to the disk and closes it. @throws errors of the file system */
  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    try {
      fsyncSync(open.descriptor);
    } finally {
      closeSync(open.descriptor);
    }
  }

  /** The file that is at the path now; it may have been replaced. */
  #current(): Open {
    if (this.#open !== undefined) {
      const found = statSync(this.path, { throwIfNoEntry: false });
      if (found?.ino === this.#open.inode && found.dev === this.#open.device) return this.#open;
      this.close();
    }
    this.#open = openAtEnd(this.path, this.#owner);
    return this.#open;
  }

  #rotate(): boolean {
    try {
      for (let number = KEPT_AUDIT_FILES - 1; number >= 0; number--) {
        const from = number === 0 ? this.path : `${this.path}.${number}`;
        if (statSync(from, { throwIfNoEntry: false }) !== undefined) {
          renameSync(from, `${this.path}.${number + 1}`);
        }
      }
      return true;
    } catch (error) {
      this.#onRotationFailed(error);
      return false;
    }
  }
}

function openAtEnd(path: string, owner: Owner | undefined): Open {
  // Opening a pipe would wait for a reader; a device has no end.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw notAnAuditLog(path);
  if (owner !== undefined && !existsSync(path)) makeFile(path, owner);
  const descriptor = openSync(path, "a+", 0o600);
  try {
    const { size, ino, dev } = fstatSync(descriptor);
    const [first, last] = [byteAt(descriptor, 0), byteAt(descriptor, size - 1)];
    // A mistyped path must not append to another file.
    if (size > 0 && first !== OPEN_BRACE) throw notAnAuditLog(path);
    fchmodSync(descriptor, 0o600);
    return { descriptor, inode: ino, device: dev, isTorn: size > 0 && last !== LINE_FEED };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function byteAt(descriptor: number, position: number): number | undefined {
  const byte = Buffer.alloc(1);
  return position >= 0 && readSync(descriptor, byte, 0, 1, position) === 1 ? byte[0] : undefined;
}

function notAnAuditLog(path: string): StartError {
  return new StartError({
    es: `«${quotedText(path)}» no es un registro de auditoría`,
    en: `“${quotedText(path)}” is not an audit log`,
  });
}

function cannotOpen(path: string, error: unknown): StartError {
  const code = errorCode(error);
  return new StartError(
    {
      es: `No se puede escribir el registro de auditoría «${quotedText(path)}» (${code})`,
      en: `Cannot write the audit log “${quotedText(path)}” (${code})`,
    },
    error,
  );
}
