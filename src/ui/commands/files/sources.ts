/** What `send-file` is to send, from its arguments. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { UsageError } from "../../../protocol/options.ts";
import { fileName } from "../../format/file-words.ts";
import { textsIn } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

/** The argument that means standard input, and the name that it has at the other side. */
const STDIN = "-";
const STDIN_NAME = "stdin";

export type SourceArgument = {
  /** As it was typed. */
  readonly shown: string;
  /** Absolute, for whichever process has the account online. */
  readonly path: string;
  /** Standard input, which has none of its own. */
  readonly name?: string;
};

/**
 * All of them are looked at before anything is offered, so that a mistyped name among several sends nothing.
 * @throws UsageError
 */
export function readSources(
  { config, process }: Pick<CommandContext, "config" | "process">,
  typed: readonly string[],
): readonly SourceArgument[] {
  const texts = textsIn(config.language);
  return typed.map((path, index) => {
    if (path === STDIN) {
      if (typed.indexOf(path) !== index) throw new UsageError(texts.stdinTwice);
      if (config.passwordStdin) throw new UsageError(texts.stdinTaken);
      if (config.wait === "queued") throw new UsageError(texts.stdinCannotWait);
      if (process.stdin.isTTY) throw new UsageError(texts.stdinIsTerminal);
      return { shown: STDIN_NAME, name: STDIN_NAME, path: stdinPath() };
    }
    if (!existsSync(path)) throw new UsageError(texts.fileAbout(fileName(path), texts.fileMissing));
    return { shown: path, path: resolve(path) };
  });
}

/** Another process of this account opens it by this path, on Linux. */
function stdinPath(): string {
  return process.platform === "linux" ? `/proc/${process.pid}/fd/0` : "/dev/stdin";
}
