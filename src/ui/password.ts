/** Where the password comes from: the environment, standard input, or a hidden prompt; never a flag. */
import { input, password as passwordPrompt } from "@inquirer/prompts";

import type { AuthorityQuestion } from "../client/server-contact.ts";
import { showFingerprint } from "../client/fingerprints.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import { UsageError } from "../protocol/options.ts";
import type { Config } from "./config.ts";
import type { Deadline } from "./deadline.ts";
import { textsIn } from "./texts.ts";

/** A password line of more bytes than this is no password. */
const MAX_STDIN_PASSWORD = 4 * 1024;

/** Prompts go to standard error: standard output is for programs. */
function promptContext(signal: AbortSignal) {
  return { output: process.stderr, signal };
}

/** Who is asked, and the clock that waits for the answer. */
type Asked = { readonly config: Config; readonly deadline: Deadline };

export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** The first line of standard input. */
async function readPasswordLine(config: Config): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  try {
    for await (const chunk of process.stdin) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.includes("\n") || text.length > MAX_STDIN_PASSWORD) break;
    }
    text += decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(textsIn(config.language).textNotUnicode);
  }
  return (text.split("\n", 1)[0] ?? "").replace(/\r$/, "");
}

/**
 * The password for `user`, undefined when there is none to be had.
 * @param twice asked for a second time, when a new one is set at a prompt.
 */
export async function obtainPassword(
  { config, deadline }: Asked,
  user: string,
  twice: boolean,
): Promise<string | undefined> {
  const texts = textsIn(config.language);
  if (config.password !== undefined) return config.password;
  if (config.passwordStdin) return readPasswordLine(config);
  if (!canAsk()) return undefined;
  const theme = { style: { maskedText: texts.passwordHidden } };
  const ask = (message: string) =>
    deadline.asking((signal) => passwordPrompt({ message, toggleMask: false, theme }, promptContext(signal)));
  const password = await ask(texts.passwordPrompt(user));
  if (!twice) return password;
  const again = await ask(texts.passwordAgain);
  if (again !== password) throw new UsageError(texts.passwordsDiffer);
  return password;
}

/** Asks whether a server's authority is trusted; undefined where there is nobody to ask. */
export function authorityPrompt({
  config,
  deadline,
}: Asked): ((question: AuthorityQuestion) => Promise<boolean>) | undefined {
  if (!canAsk()) return undefined;
  const texts = textsIn(config.language);
  return async ({ host, port, found, expected }) => {
    const server = showHostPort(host, port);
    const message =
      expected === undefined
        ? texts.firstContact(server, showFingerprint(found))
        : texts.changedAuthority(server, showFingerprint(expected), showFingerprint(found));
    const answer = await deadline.asking((signal) => input({ message }, promptContext(signal)));
    return texts.yesWords.split(" ").includes(answer.trim().normalize("NFC").toLowerCase());
  };
}
