/** What every command that goes online shares: opening the account, and the texts of what happens. */
import { Account, type OpenOptions } from "../../client/accounts.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { ProfileHealth } from "../../client/disk/check.ts";
import type { Config } from "../config.ts";
import type { Deadline } from "../deadline.ts";
import { TimeoutError } from "../failures.ts";
import { clockWarning } from "../format/server-words.ts";
import type { Output } from "./output.ts";
import { authorityPrompt, obtainPassword } from "./password.ts";
import { textsIn, type Texts } from "../texts/texts.ts";

/** How long what was written last may take to leave once the command's time is over, in ms. */
const LAST_WORDS = 100;

/** What a command gets to work with. */
export type CommandContext = {
  readonly config: Config;
  readonly args: readonly string[];
  readonly output: Output;
  readonly deadline: Deadline;
  /** Aborted when the person interrupts or the time is over; its reason says which. */
  readonly signal: AbortSignal;
};

/** Options for reaching the server, as they were typed. */
export function serverOptions(context: CommandContext) {
  const { config, signal } = context;
  return {
    dataFolder: config.dataFolder,
    host: config.host,
    port: config.port,
    expectedFingerprint: config.serverFingerprint,
    confirm: authorityPrompt(context),
    signal,
  };
}

/** Opens the account that is meant; the network is touched only when nothing is known of it here. */
export async function openAccount(
  context: CommandContext,
  command: string,
  onEvent: (event: MessengerEvent) => void,
): Promise<Account> {
  const { config } = context;
  const options: OpenOptions = {
    ...serverOptions(context),
    user: config.user,
    language: config.language,
    p2pPort: config.p2pPort,
    command,
    password: () => obtainPassword(context, account?.messenger.username ?? config.user ?? "", false),
    isPasswordLasting: config.password !== undefined,
    onEvent: (event) => {
      tellCommonEvents(context, event);
      onEvent(event);
    },
  };
  let account: Account | undefined;
  account = await Account.open(options);
  return account;
}

function tellCommonEvents({ config, output }: CommandContext, event: MessengerEvent): void {
  const texts = textsIn(config.language);
  if (event.name === "newKey") output.tell(texts.newKeyWarning);
  if (event.name === "profileHealth") output.tell(healthSentence(event.health, texts));
  const warning = event.name === "clockOffset" ? clockWarning(event.offset, texts) : undefined;
  if (warning !== undefined) output.tell(warning);
}

/** What a person is told of their profile after an unclean end. */
export function healthSentence(health: ProfileHealth, texts: Texts): string {
  return health === "checking" ? texts.profileChecking : texts.profileMended;
}

/**
 * Closes the account in good order, which takes up to a second where a peer does not answer; when the
 * command's time is over only for a last moment, since the process ends right behind it.
 */
export async function closeAccount(
  { signal }: Pick<CommandContext, "signal">,
  account: { close(): Promise<void> },
): Promise<void> {
  const closed = account.close();
  await untilAborted(signal, closed).catch(async (error: unknown) => {
    if (error !== signal.reason) throw error;
    const isLate = error instanceof TimeoutError;
    await (isLate ? Promise.race([closed, Bun.sleep(LAST_WORDS)]) : closed);
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
