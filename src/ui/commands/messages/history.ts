/** `history USER`: the whole stored conversation, oldest first; needs no network, password or lock. */
import type { Profile } from "../../../client/profile/profile.ts";
import { isDamage } from "../../../client/disk/sqlite.ts";
import type { StoredMessage } from "../../../client/profile/stored-message.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { historyEvent, messageLine, repliedTo } from "../../format/message-format.ts";
import type { CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalProfile } from "../local-profile.ts";

/** Messages read and written at a time. */
const PAGE = 1_000;

export function history(context: CommandContext): Promise<ExitCode> {
  return withLocalProfile(context.config, (profile) => print(profile, context));
}

async function print(profile: Profile, { config, args, output, signal }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [user = ""] = args;
  const contact = profile.contacts.find(user);
  const own = profile.username;
  let seq = 0;
  let limit = PAGE;
  while (contact !== undefined) {
    const line = (message: StoredMessage) => {
      const [from, to] = message.outgoing ? [own, contact.username] : [contact.username, own];
      if (output.json) return historyEvent(message, from, to);
      return messageLine(message, from, {
        texts,
        columns: output.columns,
        repliedTo: repliedTo(profile.history, contact, message),
      });
    };
    let lines = "";
    try {
      const page = profile.history.after(contact, seq, limit);
      const last = page.at(-1);
      if (last === undefined) break;
      lines = page.map(line).join("");
      seq = last.seq;
    } catch (error) {
      if (limit === 1 || !isDamage(error)) throw error;
      // Message by message, all that stands before the broken place still reads.
      limit = 1;
      continue;
    }
    signal.throwIfAborted();
    if (!(await output.write(lines))) break;
  }
  if (seq === 0) output.tell(texts.noMessages(visibleText(user)));
  return EXIT.done;
}
