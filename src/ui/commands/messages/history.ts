/**
 * `history USER [--last N] [--since TIME]`: prints the stored conversation, oldest first; needs no network, password or
 * lock.
 */
import { withReadableArchive, type Archive } from "../../../client/archive.ts";
import { isDamage } from "../../../client/errors.ts";
import { UsageError } from "../../../protocol/options.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { shownIn, storedLine } from "../../format/message-format.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { parsePastTime } from "../../format/past-time.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

/** Messages read and written at a time. */
const PAGE = 1_000;

export async function history(context: CommandContext): Promise<ExitCode> {
  const { since: typed, language } = context.config;
  const since = typed === undefined ? undefined : parsePastTime(typed, Date.now());
  if (typed !== undefined && since === undefined) throw new UsageError(textsIn(language).badTime(typed));
  return withReadableArchive(context.config, (archive) => print(archive, since, context));
}

async function print(
  archive: Archive,
  since: number | undefined,
  { config, args, output, signal }: CommandContext,
): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const { json, columns } = output;
  const [user = ""] = args;
  const conversation = archive.conversation(user);
  const names = namesKnownTo(archive, [conversation?.username ?? user]).book;
  const isShown = shownIn(archive);
  const first = conversation?.first({ last: config.last, since });
  let seq = (first ?? 0) - 1;
  let count = 0;
  let limit = PAGE;
  while (conversation !== undefined && first !== undefined) {
    let lines: string;
    try {
      const page = conversation.after(seq, limit);
      const last = page.at(-1);
      if (last === undefined) break;
      const shown = page.filter(isShown);
      lines = shown
        .map((message) =>
          storedLine(archive, message, conversation.username, { json, names, texts, columns }),
        )
        .join("");
      seq = last.seq;
      count += shown.length;
    } catch (error) {
      if (limit === 1 || !isDamage(error)) throw error;
      // Read one by one, the messages before the damaged place are still readable.
      limit = 1;
      continue;
    }
    signal.throwIfAborted();
    if (!(await output.write(lines))) break;
  }
  if (count === 0)
    output.notice(texts[since === undefined ? "noMessages" : "noMessagesSince"](shownName(names, user)));
  output.end(count);
  return EXIT.done;
}
