/** `history USER`: the whole stored conversation, oldest first; needs no network, password or lock. */
import { openLocalProfile } from "../../client/accounts.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { historyEvent, messageLine, repliedTo } from "../message-format.ts";
import type { CommandContext } from "../session.ts";
import { textsIn } from "../texts.ts";

/** Messages read and written at a time. */
const PAGE = 1_000;

export async function history({ config, args, output, signal }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [user = ""] = args;
  const profile = openLocalProfile(config);
  try {
    const contact = profile.contacts.find(user);
    const own = profile.username;
    let seq = 0;
    while (contact !== undefined) {
      const page = profile.history.after(contact, seq, PAGE);
      const last = page.at(-1);
      if (last === undefined) break;
      seq = last.seq;
      const lines = page.map((message) => {
        const [from, to] = message.outgoing ? [own, contact.username] : [contact.username, own];
        if (output.json) return historyEvent(message, from, to);
        return messageLine(message, from, {
          texts,
          columns: output.columns,
          repliedTo: repliedTo(profile.history, contact, message),
        });
      });
      signal.throwIfAborted();
      if (!(await output.write(lines.join("")))) break;
    }
    if (seq === 0) output.tell(texts.noMessages(visibleText(user)));
    return EXIT.done;
  } finally {
    profile.close();
  }
}
