/** What every command that goes online shares: opening and closing the account, and the notices about both. */
import type { OpenOptions } from "../../client/accounts.ts";
import type { Archive } from "../../client/archive.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { ProfileHealth } from "../../client/disk/check.ts";
import type { ServerOptions } from "../../client/locate-profile.ts";
import { SharedAccount } from "../../client/shared-account.ts";
import type { Config } from "../config.ts";
import type { Deadline } from "../deadline.ts";
import { TimeoutError } from "../failures.ts";
import { clockWarning } from "../format/server-words.ts";
import { BurstWatch } from "../notifications/burst-watch.ts";
import { NotifyCommand } from "../notifications/notify-command.ts";
import type { HostProcess, Output } from "./output.ts";
import { askYes, authorityPrompt, canAsk, obtainPassword } from "./password.ts";
import { textsIn, type Texts } from "../texts/texts.ts";

/** How long the account may take to close after `--timeout`, in ms. */
const LAST_MOMENT = 100;

export type CommandContext = {
  readonly config: Config;
  readonly args: readonly string[];
  readonly process: HostProcess;
  readonly output: Output;
  readonly deadline: Deadline;
  /** Aborted when the person interrupts or the time is over; its reason says which. */
  readonly signal: AbortSignal;
};

/** Options for reaching the server. @param confirm asks whether an authority is trusted */
export function serverOptions(
  { dataFolder, host, port, serverFingerprint: expectedFingerprint }: Config,
  confirm: ServerOptions["confirm"],
  signal: AbortSignal,
): ServerOptions {
  return { dataFolder, host, port, expectedFingerprint, confirm, signal };
}

/**
 * Opens the configured account, runs `use`, and closes the account. Damage found meanwhile is recorded, so that the
 * next start checks the file.
 * @param password asked for only if a login needs it
 * @throws as `SharedAccount.open`, and what `use` throws
 */
export async function withAccount<T>(
  context: CommandContext,
  command: string,
  use: (account: SharedAccount) => Promise<T>,
  onEvent: (event: MessengerEvent) => void = () => undefined,
  password: OpenOptions["password"] = (username) => obtainPassword(context, username, false),
): Promise<T> {
  let archive: Archive | undefined;
  const watch = burstWatch(context, (contact) => archive?.muted().has(contact) === true);
  const onEveryEvent = (event: MessengerEvent) => {
    watch?.onEvent(event);
    onEvent(event);
  };
  try {
    const opened = SharedAccount.open({ ...openOptions(context, command, onEveryEvent), password });
    const account = await untilAborted(context.signal, opened);
    ({ archive } = account);
    return await used(context, account, use);
  } finally {
    watch?.close();
  }
}

/** @param isMuted as for `BurstWatch` */
function burstWatch(
  { config, output, process }: CommandContext,
  isMuted: (contact: number) => boolean,
): BurstWatch | undefined {
  const { notifyCommand: command, language } = config;
  if (command === undefined) return undefined;
  const failed = (sentence: string) => output.notice(sentence);
  const environment = process.env;
  const notify = new NotifyCommand({ command, environment, texts: textsIn(language), failed });
  return new BurstWatch(notify, isMuted);
}

/** As `withAccount`, for a command that needs no network and an account of this machine. */
export async function withLocalAccount<T>(
  context: CommandContext,
  command: string,
  use: (account: SharedAccount) => Promise<T>,
): Promise<T> {
  const opened = SharedAccount.openLocal(openOptions(context, command, () => undefined));
  return used(context, await untilAborted(context.signal, opened), use);
}

async function used<T>(
  context: CommandContext,
  account: SharedAccount,
  use: (account: SharedAccount) => Promise<T>,
): Promise<T> {
  try {
    return await use(account);
  } catch (error) {
    account.archive.noteDamage(error);
    throw error;
  } finally {
    await closeAccount(context, account);
  }
}

function openOptions(
  context: CommandContext,
  command: string,
  onEvent: (event: MessengerEvent) => void,
): OpenOptions {
  const { config } = context;
  const texts = textsIn(config.language);
  return {
    ...serverOptions(config, authorityPrompt(context), context.signal),
    user: config.user,
    language: config.language,
    p2pPort: config.p2pPort,
    who: config.who,
    lan: config.lan,
    relay: config.relay,
    evenIfMoved: config.force,
    command,
    password: (username) => obtainPassword(context, username, false),
    replaceOther: canAsk(context.process) ? () => askYes(context, texts.replaceQuestion) : undefined,
    isPasswordLasting: config.password !== undefined,
    onEvent: (event) => {
      showCommonEvents(context, event);
      onEvent(event);
    },
  };
}

function showCommonEvents({ config, output }: CommandContext, event: MessengerEvent): void {
  const texts = textsIn(config.language);
  if (event.name === "newKey") output.notice(texts.newKeyWarning);
  if (event.name === "profileHealth") output.notice(healthSentence(event.health, texts));
  const warning = event.name === "clockOffset" ? clockWarning(event.offset, texts) : undefined;
  if (warning !== undefined) output.notice(warning);
}

/** The notice about a profile that is checked, was repaired or is rewritten. */
export function healthSentence(health: ProfileHealth, texts: Texts): string {
  const sentences = {
    checking: texts.profileChecking,
    repaired: texts.profileMended,
    rewriting: texts.profileRewriting,
  } as const satisfies { [name in ProfileHealth]: string };
  return sentences[health];
}

/**
 * Closes the account in good order, which takes up to a second if a peer does not answer. After `--timeout` it
 * waits LAST_MOMENT at most, and the process ends.
 */
export async function closeAccount(
  { signal }: Pick<CommandContext, "signal">,
  account: { close(): Promise<void> },
): Promise<void> {
  const closed = account.close();
  await untilAborted(signal, closed).catch(async (error: unknown) => {
    if (error !== signal.reason) throw error;
    const isLate = error instanceof TimeoutError;
    await (isLate ? Promise.race([closed, Bun.sleep(LAST_MOMENT)]) : closed);
  });
}

/** Rejects with the signal's reason when it is aborted before `work` is done. */
export async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
