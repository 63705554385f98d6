/** The file of `group add --from FILE`: one name a line; blank lines, and what follows `#`, do not count. */
import { readFile } from "node:fs/promises";

import { isStorageFailure } from "../../../client/errors.ts";
import { isNewName, label } from "../../../identity/names.ts";
import { UsageError } from "../../../protocol/options.ts";
import { quotedText } from "../../../protocol/quoted-text.ts";
import { systemMessage } from "../../failures.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";
import { readInput } from "../standard-input.ts";

/** Most names: a group holds no more people. */
const MAX_NAMES = 256;
/** Bytes of the file: with all names as long as they may be there is room for as much of comments. */
const MAX_BYTES = 256 * 1024;
/** Wrong lines that are told. */
const MAX_FAULTS = 5;

/** No name has a `#`. */
const COMMENT = /(?:^|\s)#.*$/s;
/** A line of `admin add --from`: the email is left out. */
const WITH_EMAIL = /^([^,]+),[^,]*@[^,]*$/;

/**
 * The names, each once, in their order.
 * @param file as the person has typed it
 * @throws UsageError that names each wrong line, or because there is no name, or too many are
 */
export function namesIn(text: string, file: string, texts: Texts): readonly string[] {
  const names = new Map<string, string>();
  const faults: string[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    const bare = line.replace(COMMENT, "").trim();
    const name = WITH_EMAIL.exec(bare)?.[1]?.trim() ?? bare;
    if (name === "") continue;
    if (!isNewName(name)) faults.push(texts.badNameInLine(index + 1, name));
    else if (!names.has(label(name))) names.set(label(name), name);
  }
  if (faults.length > 0) {
    const told = faults.slice(0, MAX_FAULTS);
    if (faults.length > told.length) told.push(texts.moreBadLines(faults.length - told.length));
    throw new UsageError(texts.badNamesInFile(quotedText(file), told.join("\n")));
  }
  if (names.size === 0) throw new UsageError(texts.noNamesInFile(quotedText(file)));
  if (names.size > MAX_NAMES) throw new UsageError(texts.tooManyNames(names.size, MAX_NAMES));
  return [...names.values()];
}

/** As `namesIn`. @param file `-`: standard input @throws UsageError also for a file that cannot be read */
export async function readNames(context: CommandContext, file: string): Promise<readonly string[]> {
  const texts = textsIn(context.config.language);
  const tooLarge = new UsageError(texts.namesFileTooLarge(quotedText(file)));
  if (file === "-") {
    if (context.config.passwordStdin) throw new UsageError(texts.stdinHasNames);
    const text = await readInput(context, (_chunk, length) => {
      if (length > MAX_BYTES) throw tooLarge;
      return false;
    });
    return namesIn(text, file, texts);
  }
  try {
    const bytes = await readFile(file);
    if (bytes.length > MAX_BYTES) throw tooLarge;
    return namesIn(new TextDecoder("utf-8", { fatal: true }).decode(bytes), file, texts);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(texts.textNotUnicode);
    if (!isStorageFailure(error)) throw error;
    throw new UsageError(texts.namesFileNotRead(quotedText(file), systemMessage(error)));
  }
}
