/** Exports a whole conversation to a file: JSON lines for programs, text for people. */
import type { FileHandle } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Archive, StoredConversation } from "../../client/archive.ts";
import { newFilePath, writeNewFile } from "../../client/new-file.ts";
import { shownIn, storedLine } from "./message-format.ts";
import { namesKnownTo } from "./name-book.ts";
import type { Texts } from "../texts/texts.ts";

/** Messages read at a time, and UTF-16 units written at a time, so that the rest of the program is not blocked. */
const PAGE = 1_000;
const PIECE = 256 * 1024;

/** There is nothing to export, and no file was written. */
export class NoMessagesError extends Error {}

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
 * @throws NoMessagesError, NewFileError, SQLiteError, the signal's reason
 */
export async function exportConversation(options: ExportOptions): Promise<{ count: number; file: string }> {
  const file = await newFilePath(options.file);
  return writeNewFile(file, async (handle) => {
    const count = await write(handle, options);
    if (count === 0) throw new NoMessagesError();
    return { count, file };
  });
}

async function write(handle: FileHandle, options: ExportOptions): Promise<number> {
  const { archive, conversation, texts, file, signal } = options;
  const names = namesKnownTo(archive, [conversation.username]).book;
  const json = /\.jsonl?$/i.test(file);
  const isShown = shownIn(archive);
  let count = 0;
  for (let seq = 0; ;) {
    const page = conversation.after(seq, PAGE);
    const last = page.at(-1);
    if (last === undefined) return count;
    let piece = "";
    for (const message of page) {
      if (isShown(message)) {
        piece += storedLine(archive, message, conversation.username, { json, names, texts });
        count++;
      }
      if (piece.length < PIECE && message !== last) continue;
      await handle.writeFile(piece);
      // Several writes may be done within one turn of the event loop.
      await nextTurn();
      signal?.throwIfAborted();
      piece = "";
    }
    seq = last.seq;
  }
}
