/** Exports a whole conversation to a file: JSON lines for programs, text for people. */
import { link, lstat, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Archive, StoredConversation } from "../../client/archive.ts";
import { expandHome } from "../../protocol/environment.ts";
import { storedLine } from "./message-format.ts";
import { namesKnownTo } from "./name-book.ts";
import type { Texts } from "../texts/texts.ts";

/** Messages read at a time, and UTF-16 units written at a time, so that the rest of the program is not blocked. */
const PAGE = 1_000;
const PIECE = 256 * 1024;

/** No file was written, and no part of it is left. */
export class ExportError extends Error {
  readonly code: "no_messages" | "file_exists" | "no_folder" | "no_name" | "not_written";
  readonly file: string;

  constructor(code: ExportError["code"], file: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
    this.file = file;
  }

  /** The system's message without file names, which would include our temporary file. */
  get why(): string {
    return this.cause instanceof Error ? (this.cause.message.split(", ")[0] ?? "") : "";
  }
}

export type ExportOptions = {
  readonly archive: Archive;
  readonly conversation: Pick<StoredConversation, "username" | "after">;
  /** As it was typed; with the ending `.json` or `.jsonl` JSON lines are written, otherwise text. */
  readonly file: string;
  readonly texts: Texts;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Writes a conversation to a new file that only its owner may read; an existing file is never touched.
 * @returns the number of messages, and the file's absolute path
 * @throws ExportError, SQLiteError, the signal's reason
 */
export async function exportConversation(options: ExportOptions): Promise<{ count: number; file: string }> {
  const typed = options.file;
  if (typed.endsWith("/")) throw new ExportError("no_name", typed);
  const file = resolve(expandHome(typed, homedir()));
  const temporary = join(dirname(file), `.${basename(file).slice(0, 100)}.${crypto.randomUUID()}`);
  try {
    if (await exists(file)) throw new ExportError("file_exists", file);
    const handle = await open(temporary, "wx", 0o600);
    try {
      const count = await write(handle, options);
      if (count === 0) throw new ExportError("no_messages", file);
      await handle.sync();
      await giveName(temporary, file);
      return { count, file };
    } finally {
      await handle.close();
      await rm(temporary, { force: true });
    }
  } catch (error) {
    throw await failureOf(error, file);
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** Turns an error of the file system into an ExportError; any other error is returned as it is. */
async function failureOf(error: unknown, file: string): Promise<unknown> {
  if (error instanceof ExportError || !/^E[A-Z0-9]{2,}$/.test(codeOf(error))) return error;
  switch (codeOf(error)) {
    case "EEXIST":
      return new ExportError("file_exists", file, error);
    case "ENOENT":
    case "ENOTDIR":
      // Some systems report ENOENT also for a folder that exists but accepts no file.
      return new ExportError((await isFolder(dirname(file))) ? "not_written" : "no_folder", file, error);
    default:
      return new ExportError("not_written", file, error);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (!/^E[A-Z]/.test(codeOf(error))) throw error;
    return false;
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return false;
  }
}

/** Gives the finished file its name, unless something has that name already. */
async function giveName(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
  } catch (error) {
    // File systems of memory sticks have no hard links: create an empty file to reserve the name, then replace it.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error))) throw error;
    await (await open(file, "wx", 0o600)).close();
    await rename(temporary, file);
  }
}

async function write(handle: FileHandle, options: ExportOptions): Promise<number> {
  const { archive, conversation, texts, file, signal } = options;
  const names = namesKnownTo(archive, [conversation.username]).book;
  const json = /\.jsonl?$/i.test(file);
  let count = 0;
  for (let seq = 0; ;) {
    const page = conversation.after(seq, PAGE);
    const last = page.at(-1);
    if (last === undefined) return count;
    let piece = "";
    for (const message of page) {
      piece += storedLine(archive, message, conversation.username, { json, names, texts });
      if (piece.length < PIECE && message !== last) continue;
      await handle.writeFile(piece);
      // Several writes may be done within one turn of the event loop.
      await nextTurn();
      signal?.throwIfAborted();
      piece = "";
    }
    count += page.length;
    seq = last.seq;
  }
}
