/** `history USER`: prints the stored conversation, oldest first; needs no network, password or lock. */
import { withReadableArchive, type Archive } from "../../../client/archive.ts";
import { isDamage } from "../../../client/errors.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { storedLine } from "../../format/message-format.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

/** Messages read and written at a time. */
const PAGE = 1_000;

export function history(context: CommandContext): Promise<ExitCode> {
  return withReadableArchive(context.config, (archive) => print(archive, context));
}

async function print(archive: Archive, { config, args, output, signal }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const { json, columns } = output;
  const [user = ""] = args;
  const conversation = archive.conversation(user);
  const names = namesKnownTo(archive, [conversation?.username ?? user]).book;
  let seq = 0;
  let limit = PAGE;
  while (conversation !== undefined) {
    let lines: string;
    try {
      const page = conversation.after(seq, limit);
      const last = page.at(-1);
      if (last === undefined) break;
      lines = page
        .map((message) =>
          storedLine(archive, message, conversation.username, { json, names, texts, columns }),
        )
        .join("");
      seq = last.seq;
    } catch (error) {
      if (limit === 1 || !isDamage(error)) throw error;
      // Read one by one, the messages before the damaged place are still readable.
      limit = 1;
      continue;
    }
    signal.throwIfAborted();
    if (!(await output.write(lines))) break;
  }
  if (seq === 0) output.notice(texts.noMessages(shownName(names, user)));
  return EXIT.done;
}
