/**
 * `delete USER [ID]`: one message, or the whole conversation, on this side only. What waits to leave
 * stays. Ids stay too, so that what was deleted here does not come again.
 */
import type { Contact } from "../../../client/profile/contacts.ts";
import { ActionError, deleteMessage } from "../../../client/conversation/message-actions.ts";
import type { Profile } from "../../../client/profile/profile.ts";
import { UsageError } from "../../../protocol/options.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import { EXIT, type ExitCode } from "../../failures.ts";
import { askYes, canAsk } from "../password.ts";
import type { CommandContext } from "../online-account.ts";
import { textsIn } from "../../texts/texts.ts";
import { withLocalProfile } from "../local-profile.ts";

export async function deleteMessages(context: CommandContext): Promise<ExitCode> {
  const { config, args, output } = context;
  const texts = textsIn(config.language);
  const [typed = "", id] = args;
  return withLocalProfile(config, async (profile) => {
    const contact = profile.contacts.find(typed);
    const username = contact?.username ?? typed;
    const user = visibleText(username);
    if (id !== undefined) {
      if (contact === undefined) throw new ActionError("unknown_message");
      deleteMessage(profile, contact, id);
      output.event({ event: "deleted", username, id }, texts.deleted(1, user));
      return EXIT.done;
    }
    if (!config.yes) {
      if (!canAsk()) throw new UsageError(texts.deletionNeedsYes);
      if (!(await askYes(context, texts.deletionQuestion(user)))) {
        output.failure({ code: "declined", sentence: texts.deletionDeclined });
        return EXIT.other;
      }
    }
    const count = contact === undefined ? 0 : await deleteAll(profile, contact, context);
    const kept = contact === undefined ? 0 : profile.messages.outboxCounts(contact).text;
    output.event({ event: "deleted", username, count, kept }, undefined);
    output.tell(count + kept === 0 ? texts.noMessages(user) : texts.deleted(count, user));
    if (kept > 0) output.tell(texts.deletionKept(kept));
    return EXIT.done;
  });
}

/** Deletes what is there now, batch after batch: what arrives meanwhile stays. @returns how many. */
async function deleteAll(
  { messages, removal }: Profile,
  contact: Contact,
  { signal }: CommandContext,
): Promise<number> {
  const last = messages.lastSeq();
  let count = 0;
  for (let isMore = true; isMore;) {
    const batch = removal.deleteSome(contact, last);
    count += batch.deleted;
    ({ isMore } = batch);
    // Between two batches others may write, and a signal is heard.
    await Bun.sleep(0);
    signal.throwIfAborted();
  }
  removal.wipeLog();
  return count;
}
