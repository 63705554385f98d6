/**
 * `cancel USER [ID]`: removes a message from the outbox before it is sent; without ID, all of them. It needs no
 * lock: the store marks messages that may already be on a link, and those stay.
 */
import { withArchive } from "../../../client/archive.ts";
import { ActionError } from "../../../client/errors.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

export function cancel({ config, args, output, signal }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [typed = "", id] = args;
  return withArchive(config, async (archive) => {
    const conversation = archive.conversation(typed);
    const to = conversation?.username ?? typed;
    const user = shownName(namesKnownTo(archive, [to]).book, to);
    if (id !== undefined) {
      if (conversation === undefined) throw new ActionError("unknown_message");
      conversation.cancel(id);
      await archive.wipe(signal);
      output.event({ event: "cancelled", to, id }, texts.cancelled(user));
      return EXIT.done;
    }
    const cancelled = conversation?.cancelAll() ?? [];
    await archive.wipe(signal);
    for (const each of cancelled) output.event({ event: "cancelled", to, id: each }, undefined);
    const count = cancelled.length;
    output.notice(count === 0 ? texts.nothingToCancel(user) : texts.cancelledMany(count, user));
    if (count === 0 && conversation?.isStranger !== false) output.notice(texts.neverAnswered(user));
    const left = conversation?.outboxCounts().text ?? 0;
    if (left > 0) output.notice(texts.perhapsLeft(left));
    return EXIT.done;
  });
}
