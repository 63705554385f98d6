/** `search WORDS…`: prints the messages of all chats that contain all words, oldest first; needs no network, password or lock. */
import { searchQuery, withReadableArchive, type Archive } from "../../../client/archive.ts";
import { UsageError } from "../../../protocol/options.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { shownIn, storedLine } from "../../format/message-format.ts";
import { namesKnownTo } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

/** Messages read and written at a time. */
const PAGE = 1_000;

export async function search(context: CommandContext): Promise<ExitCode> {
  const { config, args } = context;
  const query = searchQuery(args.join(" "));
  if (query === undefined) throw new UsageError(textsIn(config.language).chatNoWord);
  return withReadableArchive(config, (archive) => print(archive, query, context));
}

async function print(
  archive: Archive,
  query: string,
  { config, output, signal }: CommandContext,
): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const { json, columns } = output;
  const tell = (percent: number) => output.notice(texts.searchIndexing(percent));
  const indexed = await archive.indexedSearch(signal, tell);
  signal.throwIfAborted();
  const names = namesKnownTo(archive).book;
  const isShown = shownIn(archive);
  let seq = 0;
  let count = 0;
  for (;;) {
    const page = indexed.oldest(query, seq, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    seq = last.seq;
    const shown = page.filter(isShown);
    count += shown.length;
    const lines = shown.map((message) => {
      const chat = archive.usernameAt(message.contact);
      return storedLine(archive, message, chat, { json, names, texts, columns, chat });
    });
    signal.throwIfAborted();
    if (!(await output.write(lines.join("")))) break;
  }
  if (count === 0) output.notice(texts.nothingFound);
  output.end(count);
  return EXIT.done;
}
