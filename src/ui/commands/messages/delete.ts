/**
 * `delete USER [ID]`: deletes one message, or the whole conversation, on this side only. Messages in the outbox
 * stay. The ids stay too, so that a deleted message is not stored again.
 */
import { withArchive, type StoredConversation } from "../../../client/archive.ts";
import { ActionError } from "../../../client/errors.ts";
import { UsageError } from "../../../protocol/options.ts";
import { EXIT, failure, type ExitCode } from "../../failures.ts";
import { namesKnownTo, shownName } from "../../format/name-book.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";
import { askYes, canAsk } from "../password.ts";

export function deleteMessages(context: CommandContext): Promise<ExitCode> {
  const { config, args, output, signal } = context;
  const texts = textsIn(config.language);
  const [typed = "", id] = args;
  return withArchive(config, async (archive) => {
    const conversation = archive.conversation(typed);
    const username = conversation?.username ?? typed;
    const user = shownName(namesKnownTo(archive, [username]).book, username);
    if (id !== undefined) {
      if (conversation === undefined) throw new ActionError("unknown_message");
      conversation.delete(id);
      await archive.wipe(signal);
      output.event({ event: "deleted", username, id }, texts.deleted(1, user));
      return EXIT.done;
    }
    if (!config.yes) {
      if (!canAsk(context.process)) throw new UsageError(texts.deletionNeedsYes);
      if (!(await askYes(context, texts.deletionQuestion(user)))) {
        return output.failure(failure("other", "declined", texts.deletionDeclined));
      }
    }
    const count = conversation === undefined ? 0 : await deleteAll(conversation, signal);
    await archive.wipe(signal);
    const kept = conversation?.outboxCounts().text ?? 0;
    output.event({ event: "deleted", username, count, kept }, undefined);
    output.notice(count + kept === 0 ? texts.noMessages(user) : texts.deleted(count, user));
    if (kept > 0) output.notice(texts.deletionKept(kept));
    return EXIT.done;
  });
}

async function deleteAll(conversation: StoredConversation, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (const { deleted } of conversation.deleteAll()) {
    count += deleted;
    // Between two batches other processes may write, and signals are handled.
    await Bun.sleep(0);
    signal.throwIfAborted();
  }
  return count;
}
