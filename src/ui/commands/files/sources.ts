/** What `send-file` is to send, from its arguments. */
import { existsSync, fstatSync, statSync } from "node:fs";
import { resolve } from "node:path";

import type { SharedAccount } from "../../../client/shared-account.ts";
import { UsageError } from "../../../protocol/options.ts";
import { fileName } from "../../format/file-words.ts";
import { textsIn, type Texts } from "../../texts/texts.ts";
import type { CommandContext } from "../online-account.ts";

/** The argument that means standard input. */
const STDIN = "-";
/** The name of what it brings, at the other side. */
const STDIN_NAME = "stdin";

/** So many offers of one person wait for an answer at the other side; further ones are declined there. */
const MAX_SOURCES = 100;

export type SourceArgument =
  /** `path`: absolute, for whichever process has the account online. `typed`: as a person knows it. */
  | { readonly kind: "path"; readonly typed: string; readonly path: string }
  | { readonly kind: "stdin"; readonly typed: string };

/**
 * All of them are looked at before anything is offered, so that a mistyped name among several sends nothing.
 * @param isForGroup which is given files alone
 * @throws UsageError
 */
export function readSources(
  { config, process }: Pick<CommandContext, "config" | "process">,
  typed: readonly string[],
  isForGroup: boolean,
): readonly SourceArgument[] {
  const texts = textsIn(config.language);
  if (typed.length > MAX_SOURCES) throw new UsageError(texts.tooManyPaths(MAX_SOURCES));
  return typed.map((path, index) => {
    if (path === STDIN) {
      if (isForGroup) throw new UsageError(texts.groupNoPipe);
      if (typed.indexOf(path) !== index) throw new UsageError(texts.stdinTwice);
      if (config.passwordStdin) throw new UsageError(texts.stdinTaken);
      if (config.wait === "queued") throw new UsageError(texts.stdinCannotWait);
      if (process.stdin.isTTY) throw new UsageError(texts.stdinIsTerminal);
      return { kind: "stdin", typed: STDIN_NAME };
    }
    if (!existsSync(path)) throw new UsageError(texts.fileAbout(fileName(path), texts.fileMissing));
    if (isForGroup && statSync(path).isDirectory())
      throw new UsageError(texts.fileAbout(fileName(path), texts.fileFolderInGroup));
    return { kind: "path", typed: path, path: resolve(path) };
  });
}

/** Where the process that has the account online finds it, and the name that it is given. @throws UsageError */
export async function placeOf(
  source: SourceArgument,
  account: SharedAccount,
  texts: Texts,
): Promise<{ readonly path: string; readonly name?: string }> {
  if (source.kind === "path") return { path: source.path };
  if (await account.isHere()) return { path: "/dev/stdin", name: STDIN_NAME };
  if (process.platform !== "linux") throw new UsageError(texts.stdinElsewhere);
  if (fstatSync(0).isSocket()) throw new UsageError(texts.stdinIsSocket);
  return { path: `/proc/${process.pid}/fd/0`, name: STDIN_NAME };
}
