/**
 * `cancel USER [ID]`: removes a message from the outbox before it is sent; without ID, all of them. Messages that may
 * already be on a link stay. It needs no network.
 */
import { ActionError } from "../../../client/errors.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalAccount, type CommandContext } from "../online-account.ts";

export function cancel(context: CommandContext): Promise<ExitCode> {
  const { config, args, output } = context;
  const texts = textsIn(config.language);
  const [typed = "", id] = args;
  return withLocalAccount(context, "cancel", async (account) => {
    const { archive } = account;
    const conversation = archive.conversation(typed);
    const to = conversation?.username ?? typed;
    const user = shownName(namesKnownTo(archive, [to]).book, to);
    if (id !== undefined) {
      if (conversation === undefined) throw new ActionError("unknown_message");
      await account.request("cancel", { to, message_id: id });
      output.event({ event: "cancelled", to, id }, texts.cancelled(user));
      return EXIT.done;
    }
    const { ids } = conversation === undefined ? { ids: [] } : await account.request("cancel", { to });
    for (const each of ids) output.event({ event: "cancelled", to, id: each }, undefined);
    const count = ids.length;
    output.notice(count === 0 ? texts.nothingToCancel(user) : texts.cancelledMany(count, user));
    if (count === 0 && conversation?.isStranger !== false) output.notice(texts.neverAnswered(user));
    output.end(count);
    const left = conversation?.outboxCounts().text ?? 0;
    if (left > 0) output.notice(texts.perhapsLeft(left));
    return EXIT.done;
  });
}
