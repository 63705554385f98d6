/** `send`, `edit` and `withdraw`. */
import type { ExitCode } from "../../failures.ts";
import { untilAborted, type CommandContext } from "../online-account.ts";
import { deliver } from "../deliver.ts";
import { obtainText } from "../text-argument.ts";
import { readConversations } from "../user-argument.ts";

/** `send USER [TEXT]`; USER may be several: `ana,benito`. */
export async function send(context: CommandContext): Promise<ExitCode> {
  const { config, args, signal } = context;
  const [typed = "", argument] = args;
  const people = await readConversations(typed, true, config);
  const text = await untilAborted(signal, obtainText(context, argument));
  return deliver(context, people, { kind: "text", text, replyTo: config.replyTo });
}

/** `edit USER ID [TEXT]`: changes the text of a sent message on both sides. */
export async function edit(context: CommandContext): Promise<ExitCode> {
  const [to = "", target = "", argument] = context.args;
  const text = await untilAborted(context.signal, obtainText(context, argument));
  return deliver(context, [to], { kind: "edit", target, text });
}

/** `withdraw USER ID`: withdraws a sent message on both sides. */
export async function withdraw(context: CommandContext): Promise<ExitCode> {
  const [to = "", target = ""] = context.args;
  return deliver(context, [to], { kind: "withdraw", target });
}
