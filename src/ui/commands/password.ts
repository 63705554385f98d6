/** Reads the password from the environment, standard input or a hidden prompt, never from an argument. Asks yes or no. */
import { Writable } from "node:stream";

import { RefusedError } from "../../client/errors.ts";
import type { AuthorityQuestion } from "../../client/rendezvous/reach-server.ts";
import { isPasswordAcceptable } from "../../protocol/account-rules.ts";
import { UsageError } from "../../protocol/options.ts";
import { quotedName } from "../../protocol/quoted-text.ts";
import type { Config } from "../config.ts";
import type { Deadline } from "../deadline.ts";
import { authorityQuestion, isYes, yesOrNo } from "../format/questions.ts";
import { textsIn } from "../texts/texts.ts";
import type { HostProcess } from "./output.ts";
import { readInput } from "./standard-input.ts";

/** Bytes of standard input that are read for a password. */
const MAX_STDIN_PASSWORD = 4 * 1024;

/** What asking needs; the deadline is paused meanwhile. */
type AskContext = { readonly config: Config; readonly process: HostProcess; readonly deadline: Deadline };

type Prompts = typeof import("@inquirer/prompts");

/** A prompt is written to standard error, since standard output is for programs. */
type PromptContext = {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
};

/**
 * Asks the person. Ctrl-D aborts the prompt as Ctrl-C does: readline would close silently, and the terminal would
 * echo what is typed next, which may be a password.
 * @throws InterruptedError
 */
function ask<T>(
  { process: { stdin, stderr }, deadline }: AskContext,
  prompt: (prompts: Prompts, context: PromptContext) => Promise<T>,
  settled?: AbortSignal,
): Promise<T> {
  return deadline.asking(async (signal) => {
    // Imported here because it takes long, and most commands ask nothing.
    const prompts = await import("@inquirer/prompts");
    const left = new AbortController();
    const onKey = (_text: string | undefined, key: { ctrl?: boolean; name?: string } | undefined) => {
      if (key?.ctrl === true && key.name === "d") left.abort();
    };
    const onEnd = () => left.abort();
    const signals = [signal, left.signal, ...(settled === undefined ? [] : [settled])];
    stdin.on("keypress", onKey);
    stdin.once("end", onEnd);
    try {
      const output = stderr.isTTY ? stderr : nowhere();
      return await prompt(prompts, { input: stdin, output, signal: AbortSignal.any(signals) });
    } finally {
      stdin.off("keypress", onKey);
      stdin.off("end", onEnd);
    }
  });
}

/** Takes what a prompt draws where standard error is no terminal. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

export function canAsk({ stdin, stderr }: HostProcess): boolean {
  return stdin.isTTY && stderr.isTTY;
}

/** The first `count` lines of standard input, or as many as there are: none when it is used up, as at a second login. */
async function readPasswordLines(context: AskContext, count: number): Promise<readonly string[]> {
  let lines = 0;
  const isEnough = (chunk: Uint8Array, length: number) => {
    for (const byte of chunk) if (byte === 0x0a) lines++;
    return lines >= count || length > count * MAX_STDIN_PASSWORD;
  };
  // A byte order mark does not belong to the password.
  const text = (await readInput(context, isEnough)).replace(/^\ufeff/, "");
  // Behind the last line feed there is no line.
  const read = text.replace(/\n$/, "").split("\n", count);
  return text === "" ? [] : read.map((line) => line.replace(/\r$/, ""));
}

/** A function that asks for a password without showing it. */
function hiddenPrompt(context: AskContext): (message: string) => Promise<string> {
  const theme = { style: { maskedText: textsIn(context.config.language).passwordHidden } };
  return (message) =>
    ask(context, ({ password }, prompt) => password({ message, toggleMask: false, theme }, prompt));
}

/** A password from standard input, or a hidden prompt; undefined: there is neither. */
async function readOrAsk(context: AskContext, question: string): Promise<string | undefined> {
  const { config, process } = context;
  // At a terminal a line of standard input is typed, and must not be echoed.
  if (config.passwordStdin && !process.stdin.isTTY) return (await readPasswordLines(context, 1))[0];
  if (!config.passwordStdin && !canAsk(process)) return undefined;
  return hiddenPrompt(context)(question);
}

/**
 * The password for `user`; undefined if none is given and there is no terminal to ask at.
 * @param twice a prompt asks for it a second time, since it is a new password; not with --password-stdin
 */
export async function obtainPassword(
  context: AskContext,
  user: string,
  twice: boolean,
): Promise<string | undefined> {
  const { config } = context;
  const texts = textsIn(config.language);
  if (config.password !== undefined) return config.password;
  const password = await readOrAsk(context, texts.passwordPrompt(quotedName(user)));
  if (password === undefined || !twice || config.passwordStdin) return password;
  if ((await hiddenPrompt(context)(texts.passwordAgain)) !== password)
    throw new UsageError(texts.passwordsDiffer);
  return password;
}

/**
 * The passphrase of a file: a line of standard input with --password-stdin, or a hidden prompt. It is no password of an
 * account, so PALOMA_PASSWORD is not it.
 * @param isNew a prompt asks for it a second time
 * @throws UsageError if it is missing, too short or too long, or the repetition differs; InterruptedError
 */
export async function obtainPassphrase(context: AskContext, isNew: boolean): Promise<string> {
  const { config } = context;
  const texts = textsIn(config.language);
  const passphrase = await readOrAsk(context, isNew ? texts.passphraseNew : texts.passphrase);
  if (passphrase === undefined || passphrase === "") throw new UsageError(texts.passphraseNeeded);
  if (!isNew) return passphrase;
  if (!isPasswordAcceptable(passphrase)) throw new UsageError(texts.passphraseBad);
  if (!config.passwordStdin && (await hiddenPrompt(context)(texts.passphraseAgain)) !== passphrase)
    throw new UsageError(texts.passphrasesDiffer);
  return passphrase;
}

export type BothPasswords = { readonly current: string; readonly next: string };

/**
 * The current password and a new one: two lines of standard input with --password-stdin, or hidden prompts, of which
 * the first is not needed with PALOMA_PASSWORD.
 * @throws UsageError if one is missing or the repetition differs; RefusedError `weak_password`; InterruptedError
 */
export async function obtainBothPasswords(context: AskContext): Promise<BothPasswords> {
  const { config, process } = context;
  const texts = textsIn(config.language);
  let current = config.password;
  let next: string | undefined;
  if (config.passwordStdin && !process.stdin.isTTY) [current, next] = await readPasswordLines(context, 2);
  else if (canAsk(process)) {
    const askHidden = hiddenPrompt(context);
    current ??= await askHidden(texts.passwordCurrent);
    next = checkedPassword(await askHidden(texts.passwordNew));
    if ((await askHidden(texts.passwordAgain)) !== next) throw new UsageError(texts.passwordsDiffer);
  }
  if (current === undefined || next === undefined) throw new UsageError(texts.passwordsNeeded);
  return { current, next: checkedPassword(next) };
}

/** @throws RefusedError, as the server would refuse a new password */
function checkedPassword(password: string): string {
  if (!isPasswordAcceptable(password)) throw new RefusedError("weak_password", "");
  return password;
}

/** A function that asks whether a server's authority is trusted; undefined if there is no terminal to ask at. */
export function authorityPrompt(
  context: AskContext,
): ((question: AuthorityQuestion) => Promise<boolean>) | undefined {
  if (!canAsk(context.process)) return undefined;
  const texts = textsIn(context.config.language);
  const { server } = context.config;
  return ({ found, expected }) => askYes(context, authorityQuestion({ server, found, expected }, texts));
}

/** Asks a question; only a typed «yes» is a yes. @throws InterruptedError */
export async function askYes(context: AskContext, message: string): Promise<boolean> {
  return isYes(await askText(context, message), textsIn(context.config.language));
}

/**
 * Asks a question until the answer is «yes» or «no».
 * @param settled closes the question when it is aborted
 * @throws InterruptedError, also when it is closed
 */
export async function askYesOrNo(
  context: AskContext,
  message: string,
  settled: AbortSignal,
): Promise<boolean> {
  const texts = textsIn(context.config.language);
  for (;;) {
    const typed = await ask(context, ({ input }, prompt) => input({ message }, prompt), settled);
    const answer = yesOrNo(typed, texts);
    if (answer !== undefined) return answer;
  }
}

/** @throws InterruptedError */
export function askText(context: AskContext, message: string): Promise<string> {
  return ask(context, ({ input }, prompt) => input({ message }, prompt));
}
