/** What every command that goes online shares: opening the account, and the texts of what happens. */
import { Account, type OpenOptions } from "../../client/accounts.ts";
import type { MessengerEvent } from "../../client/conversation/events.ts";
import type { ProfileHealth } from "../../client/disk/check.ts";
import type { RendezvousState } from "../../client/rendezvous/session.ts";
import { RefusedError } from "../../client/rendezvous/link.ts";
import type { Config } from "../config.ts";
import type { Deadline } from "../deadline.ts";
import { TimeoutError } from "../failures.ts";
import { localClock, localClockSeconds, localDay } from "../format/local-time.ts";
import type { Output } from "./output.ts";
import { authorityPrompt, obtainPassword } from "./password.ts";
import { textsIn, type Texts } from "../texts/texts.ts";

/** A difference of clocks that a person is told of, in ms (PROTOCOL 4). */
const CLOCK_TOLERANCE = 5 * 60 * 1_000;
/** An attempt that is nearer than that is not told of: the line stays on the screen, in ms. */
const TOLD_ATTEMPT = 10_000;
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

/** What a person is told of two clocks that differ; undefined: they agree well enough. @param offset ms */
export function clockWarning(offset: number, texts: Texts): string | undefined {
  if (Math.abs(offset) <= CLOCK_TOLERANCE) return undefined;
  return texts.clockWarning(clockDifference(offset, texts));
}

/** A difference of clocks in words: minutes under two hours, hours under two days, else days. @param offset ms */
export function clockDifference(offset: number, texts: Texts): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  if (minutes < 120) return texts.minutes(minutes);
  const hours = Math.round(minutes / 60);
  return hours < 48 ? texts.hours(hours) : texts.days(Math.round(hours / 24));
}

/** Whether the server is there and takes nobody for a while. */
export function isLimiting({ why }: RendezvousState & { name: "waiting" }): boolean {
  return why instanceof RefusedError && why.code === "rate_limited";
}

/** When a server that is away, or limits, is tried again; empty: in a moment. @param now ms since 1970 */
export function nextAttempt(
  { until }: RendezvousState & { name: "waiting" },
  now: number,
  texts: Texts,
): string {
  return until - now < TOLD_ATTEMPT ? "" : texts.nextAttemptAt(localClockSeconds(until));
}

/** That the server is away, or limits, and when it is tried again. @param now ms since 1970 */
export function serverAway(state: RendezvousState & { name: "waiting" }, now: number, texts: Texts): string {
  const what = isLimiting(state) ? texts.serverLimits : texts.serverLost;
  return `${what} ${nextAttempt(state, now, texts)}`.trimEnd();
}

/** Until when new links can be had without the server. @param linksUntil ms since 1970 @param now likewise */
export function linksWithoutServer(linksUntil: number | undefined, now: number, texts: Texts): string {
  if (linksUntil === undefined || linksUntil <= now) return texts.chatNoNewLinks;
  return texts.chatLinksUntil(localDay(linksUntil), localClock(linksUntil));
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
