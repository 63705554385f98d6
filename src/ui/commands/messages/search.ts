/** `search WORDS…`: the messages of all chats that hold all these words, oldest first; needs no network, password or lock. */
import { searchQuery } from "../../../client/profile/message-search.ts";
import type { Profile } from "../../../client/profile/profile.ts";
import { isDamage, isStorageFailure } from "../../../client/disk/sqlite.ts";
import { UsageError } from "../../../protocol/options.ts";
import { EXIT, systemWords, type ExitCode } from "../../failures.ts";
import { historyEvent, messageLine, repliedTo } from "../../format/message-format.ts";
import type { CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalProfile } from "../local-profile.ts";

/** Messages read and written at a time. */
const PAGE = 1_000;

export async function search(context: CommandContext): Promise<ExitCode> {
  const { config, args } = context;
  const query = searchQuery(args.join(" "));
  if (query === undefined) throw new UsageError(textsIn(config.language).noWord);
  return withLocalProfile(config, (profile) => print(profile, query, context));
}

async function print(
  profile: Profile,
  query: string,
  { config, output, signal }: CommandContext,
): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const { contacts, history, username: own } = profile;
  try {
    profile.search.catchUp();
  } catch (error) {
    if (isDamage(error) || !isStorageFailure(error)) throw error;
    output.tell(texts.searchBehind(systemWords(error)));
  }
  let seq = 0;
  for (;;) {
    const page = profile.search.oldest(query, seq, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    seq = last.seq;
    const lines = page.map((message) => {
      const contact = contacts.byId(message.contact);
      if (contact === undefined) return "";
      const [from, to] = message.outgoing ? [own, contact.username] : [contact.username, own];
      if (output.json) return historyEvent(message, from, to);
      return messageLine(message, from, {
        texts,
        columns: output.columns,
        chat: contact.username,
        repliedTo: repliedTo(history, contact, message),
      });
    });
    signal.throwIfAborted();
    if (!(await output.write(lines.join("")))) break;
  }
  if (seq === 0) output.tell(texts.nothingFound);
  return EXIT.done;
}
