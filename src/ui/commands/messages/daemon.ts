/**
 * `daemon`: keeps the account online for programs, which send requests and read answers and events as JSON lines, on
 * standard input and output as on the account's socket (`src/ui/SCRIPTING.md`).
 *
 * The end of standard input changes nothing: a service manager gives it none. The end of standard output ends it, as does
 * a reader that does not read; requests are read at once, and answered also while the server cannot be reached.
 */
import type { MessengerEvent } from "../../../client/conversation/events.ts";
import { isDamage, isStorageFailure } from "../../../client/errors.ts";
import { ProgramFace } from "../../../client/program-face.ts";
import type { SharedAccount } from "../../../client/shared-account.ts";
import { UsageError } from "../../../protocol/options.ts";
import {
  describeFailure,
  EXIT,
  failure,
  InterruptedError,
  systemMessage,
  type ExitCode,
} from "../../failures.ts";
import { textsIn } from "../../texts/texts.ts";
import { untilAborted, withAccount, type CommandContext } from "../online-account.ts";

/** How long to wait for the reader of the last lines when ending, in ms. */
const LAST_WRITE = 300;

export async function daemon(context: CommandContext): Promise<ExitCode> {
  const { config, output, process } = context;
  const texts = textsIn(config.language);
  if (config.passwordStdin) throw new UsageError(texts.stdinHasRequests);
  const running = new Daemon(context);
  const onEvent = (event: MessengerEvent) => running.onEvent(event);
  let exit: ExitCode;
  try {
    exit = await withAccount(context, "daemon", (account) => running.run(account), onEvent);
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    exit = EXIT.done;
  }
  const isRead = output.flushed().then(() => true);
  if (await Promise.race([isRead, Bun.sleep(LAST_WRITE).then(() => false)])) return exit;
  output.notice(texts.outputNotRead);
  return process.exit(EXIT.other);
}

class Daemon {
  readonly #context: CommandContext;
  readonly #end = Promise.withResolvers<ExitCode>();
  /** Undefined while the account is being opened. */
  #face: ProgramFace | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
    context.output.whenClosed(() => this.#end.resolve(EXIT.done));
  }

  /** Runs until the output is closed or not read, or the account cannot be used. @throws as `SharedAccount.connect` */
  async run(account: SharedAccount): Promise<ExitCode> {
    const { config, output, process, signal } = this.#context;
    const face = new ProgramFace({
      account,
      write: (line) => output.write(line),
      tooSlow: () => this.#end.resolve(EXIT.other),
    });
    this.#face = face;
    // At a terminal, standard input may have to give the password first.
    const { isTTY } = process.stdin;
    if (!isTTY) void this.#read(face);
    const problem = await untilAborted(signal, account.connectOrWait());
    if (problem !== undefined) output.notice(describeFailure(problem, config).sentence);
    await account.stayOnline();
    if (isTTY) void this.#read(face);
    return untilAborted(signal, this.#end.promise);
  }

  onEvent(event: MessengerEvent): void {
    this.#face?.event(event);
    if (event.name === "storageFailed" && isDamage(event.error)) this.#fail(event.error);
    if (event.name === "server" && event.state.name === "stopped") this.#fail(event.state.why);
  }

  async #read(face: ProgramFace): Promise<void> {
    const { config, output, process } = this.#context;
    const texts = textsIn(config.language);
    try {
      for await (const chunk of process.stdin) {
        if (await face.take(chunk as Uint8Array)) continue;
        this.#end.resolve(output.failure(failure("usage", "bad_request", texts.requestTooLong)));
        return;
      }
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      output.notice(texts.inputNotRead(systemMessage(error)));
    }
  }

  #fail(error: Error): void {
    const { config, output } = this.#context;
    this.#end.resolve(output.failure(describeFailure(error, config)));
  }
}
