/**
 * `cancel USER [ID]`: takes a message out of the outbox before it is sent; without ID all of them. It
 * needs no lock: what may be on a link is marked in the store, and stays.
 */
import { withArchive } from "../../../client/archive.ts";
import { ActionError } from "../../../client/errors.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

export function cancel({ config, args, output }: CommandContext): Promise<ExitCode> {
  const texts = textsIn(config.language);
  const [typed = "", id] = args;
  return withArchive(config, (archive) => {
    const conversation = archive.conversation(typed);
    const to = conversation?.username ?? typed;
    const user = visibleText(to);
    if (id !== undefined) {
      if (conversation === undefined) throw new ActionError("unknown_message");
      conversation.cancel(id);
      output.event({ event: "cancelled", to, id }, texts.cancelled(user));
      return EXIT.done;
    }
    const cancelled = conversation?.cancelAll() ?? [];
    for (const each of cancelled) output.event({ event: "cancelled", to, id: each }, undefined);
    const count = cancelled.length;
    output.tell(count === 0 ? texts.nothingToCancel(user) : texts.cancelledMany(count, user));
    const left = conversation?.outboxCounts().text ?? 0;
    if (left > 0) output.tell(texts.perhapsLeft(left));
    return EXIT.done;
  });
}
