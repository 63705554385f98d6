/** The text of a message: an argument, or standard input. */
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";
import { UsageError } from "../../protocol/options.ts";
import { isBlank } from "../../protocol/visible-text.ts";
import type { CommandContext } from "./online-account.ts";
import { readInput } from "./standard-input.ts";
import { textsIn } from "../texts/texts.ts";

/** The text on standard input without one final line end, LF or CR LF. @throws UsageError */
async function readText(context: CommandContext): Promise<string> {
  const text = await readInput(context, (_chunk, length) => {
    if (length > MAX_TEXT_BYTES + 2) throw new UsageError(textsIn(context.config.language).textTooLong);
    return false;
  });
  return text.replace(/\r?\n$/, "");
}

/**
 * The text of the argument; without an argument, the text on standard input.
 * @throws UsageError for a text that no peer would accept
 */
export async function obtainText(context: CommandContext, argument: string | undefined): Promise<string> {
  const { config, deadline, output } = context;
  const texts = textsIn(config.language);
  const read = () => {
    if (!context.process.stdin.isTTY) return readText(context);
    output.notice(texts.typeText);
    return deadline.asking(() => readText(context));
  };
  if (argument === undefined && config.passwordStdin) throw new UsageError(texts.stdinTaken);
  const text = argument ?? (await read());
  if (!text.isWellFormed()) throw new UsageError(texts.textNotUnicode);
  if (isBlank(text)) throw new UsageError(texts.textEmpty);
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) throw new UsageError(texts.textTooLong);
  return text;
}
