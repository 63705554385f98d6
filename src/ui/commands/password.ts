/** Where the password comes from: the environment, standard input, or a hidden prompt; never a flag. */
import { input, password as passwordPrompt } from "@inquirer/prompts";

import type { AuthorityQuestion } from "../../client/rendezvous/reach-server.ts";
import { showHostPort } from "../../protocol/ip-address.ts";
import { UsageError } from "../../protocol/options.ts";
import type { Config } from "../config.ts";
import type { Deadline } from "../deadline.ts";
import { authorityQuestion, isYes } from "../format/questions.ts";
import { textsIn } from "../texts/texts.ts";
import type { HostProcess } from "./output.ts";
import { readInput } from "./standard-input.ts";

/** A line of more bytes than this is no password. */
const MAX_STDIN_PASSWORD = 4 * 1024;

/** Who is asked, where, and the clock that waits for the answer. */
type Asked = { readonly config: Config; readonly process: HostProcess; readonly deadline: Deadline };

/** What a prompt needs: it goes to standard error, since standard output is for programs. */
type PromptContext = {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
};

/**
 * Asks the person. Ctrl-D leaves the question as Ctrl-C does: readline would close silently on it, and what is
 * typed next, a password perhaps, would be echoed.
 * @throws InterruptedError
 */
function ask<T>(
  { process: { stdin, stderr }, deadline }: Asked,
  prompt: (context: PromptContext) => Promise<T>,
): Promise<T> {
  return deadline.asking(async (signal) => {
    const left = new AbortController();
    const onKey = (_text: string | undefined, key: { ctrl?: boolean; name?: string } | undefined) => {
      if (key?.ctrl === true && key.name === "d") left.abort();
    };
    const onEnd = () => left.abort();
    stdin.on("keypress", onKey);
    stdin.once("end", onEnd);
    try {
      return await prompt({ input: stdin, output: stderr, signal: AbortSignal.any([signal, left.signal]) });
    } finally {
      stdin.off("keypress", onKey);
      stdin.off("end", onEnd);
    }
  });
}

export function canAsk({ stdin, stderr }: HostProcess): boolean {
  return stdin.isTTY && stderr.isTTY;
}

/** The first line of standard input; undefined when nothing is left of it, as at a second login. */
async function readPasswordLine(asked: Asked): Promise<string | undefined> {
  const isLine = (chunk: Uint8Array, length: number) => chunk.includes(0x0a) || length > MAX_STDIN_PASSWORD;
  // A byte order mark is no part of a password.
  const text = (await readInput(asked, isLine)).replace(/^\ufeff/, "");
  return text === "" ? undefined : (text.split("\n", 1)[0] ?? "").replace(/\r$/, "");
}

/**
 * The password for `user`; undefined: none was given, and nobody can be asked.
 * @param twice asked for a second time, when a new one is set at a prompt.
 */
export async function obtainPassword(
  asked: Asked,
  user: string,
  twice: boolean,
): Promise<string | undefined> {
  const { config } = asked;
  const texts = textsIn(config.language);
  if (config.password !== undefined) return config.password;
  if (config.passwordStdin) return readPasswordLine(asked);
  if (!canAsk(asked.process)) return undefined;
  const theme = { style: { maskedText: texts.passwordHidden } };
  const askHidden = (message: string) =>
    ask(asked, (context) => passwordPrompt({ message, toggleMask: false, theme }, context));
  const password = await askHidden(texts.passwordPrompt(user));
  if (!twice) return password;
  const again = await askHidden(texts.passwordAgain);
  if (again !== password) throw new UsageError(texts.passwordsDiffer);
  return password;
}

/** Asks whether a server's authority is trusted; undefined where nobody can be asked. */
export function authorityPrompt(
  asked: Asked,
): ((question: AuthorityQuestion) => Promise<boolean>) | undefined {
  if (!canAsk(asked.process)) return undefined;
  const texts = textsIn(asked.config.language);
  return ({ host, port, found, expected }) =>
    askYes(asked, authorityQuestion({ server: showHostPort(host, port), found, expected }, texts));
}

/** Asks a question that only a typed «yes» answers with yes. @throws InterruptedError */
export async function askYes(asked: Asked, message: string): Promise<boolean> {
  const answer = await ask(asked, (context) => input({ message }, context));
  return isYes(answer, textsIn(asked.config.language));
}
