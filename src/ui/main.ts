/** The client program: reads what was typed, runs it, and ends with CLI's exit code. */
import { version } from "../../package.json" with { type: "json" };
import { UsageError } from "../protocol/options.ts";
import { fingerprint } from "./commands/fingerprint.ts";
import { history } from "./commands/history.ts";
import { listen } from "./commands/listen.ts";
import { logout } from "./commands/logout.ts";
import { register } from "./commands/register.ts";
import { send } from "./commands/send.ts";
import { users } from "./commands/users.ts";
import { chosenLanguage } from "../protocol/language.ts";
import { readInvocation, wantsJson, type CommandName, type Config, type Invocation } from "./config.ts";
import { Deadline } from "./deadline.ts";
import { describeFailure, EXIT, InterruptedError, type ExitCode } from "./failures.ts";
import { Output } from "./output.ts";
import { restoreTerminal } from "./screen/terminal-modes.ts";
import type { CommandContext } from "./session.ts";
import { textsIn } from "./texts.ts";
import { wrapped } from "./wrapped-text.ts";

/** After a signal the process is gone by then, whatever the peers do, in ms. */
const LAST_MOMENT = 2_500;

type Command = {
  readonly run: (context: CommandContext) => Promise<ExitCode>;
  /** How many arguments it takes; the first ones are people's names. */
  readonly arguments: { readonly min: number; readonly max: number };
  /** Ends by itself after `--timeout`. */
  readonly bounded: boolean;
  /** A fault in one callback ends that connection only, not the command. */
  readonly survivesFaults: boolean;
};

const COMMANDS: { readonly [C in CommandName]: Command } = {
  register: { run: register, arguments: { min: 0, max: 0 }, bounded: true, survivesFaults: false },
  users: { run: users, arguments: { min: 0, max: 0 }, bounded: true, survivesFaults: false },
  send: { run: send, arguments: { min: 1, max: 2 }, bounded: true, survivesFaults: false },
  listen: { run: listen, arguments: { min: 0, max: 0 }, bounded: false, survivesFaults: true },
  history: { run: history, arguments: { min: 1, max: 1 }, bounded: false, survivesFaults: false },
  fingerprint: { run: fingerprint, arguments: { min: 0, max: 1 }, bounded: false, survivesFaults: false },
  logout: { run: logout, arguments: { min: 0, max: 0 }, bounded: true, survivesFaults: false },
};

function checkArguments(
  { args, config }: { args: readonly string[]; config: Config },
  command: Command,
): void {
  const texts = textsIn(config.language);
  if (args.length < command.arguments.min) throw new UsageError(texts.missingArgument(texts.userArgument));
  const extra = args[command.arguments.max];
  if (extra !== undefined) throw new UsageError(texts.tooManyArguments(extra));
  const user = command.arguments.max === 0 ? undefined : args[0];
  if (user !== undefined && !isPossibleName(user)) throw new UsageError(texts.badName(user));
}

/** Names of old accounts may be odd, but nobody's is empty, longer, or holds control characters. */
function isPossibleName(name: string): boolean {
  return name.isWellFormed() && /^\P{Cc}{1,64}$/u.test(name);
}

/** Runs the client and gives the exit code. @param args without the program's own name. */
export async function runClient(args: readonly string[]): Promise<ExitCode> {
  let invocation: Invocation;
  try {
    invocation = readInvocation(args, process.env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const output = new Output(wantsJson(args, process.env));
    output.failure("usage", error.message);
    output.tell(textsIn(chosenLanguage(args, process.env)).seeHelp);
    return EXIT.usage;
  }
  switch (invocation.name) {
    case "help":
      process.stdout.write(`${textsIn(invocation.language).help}\n`);
      return EXIT.done;
    case "version":
      process.stdout.write(`paloma ${version}\n`);
      return EXIT.done;
    case "menus":
      return runMenus(invocation.config);
    case "command":
      return runCommand(invocation);
    default:
      return invocation satisfies never;
  }
}

/** The menus and the chat; they need a terminal on both sides. */
async function runMenus(config: Config): Promise<ExitCode> {
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY || !output.isTTY) {
    tellOnTerminal(textsIn(config.language).menusNeedTerminal);
    return EXIT.usage;
  }
  const abort = new AbortController();
  const interrupt = () => {
    abort.abort();
    setTimeout(() => process.exit(EXIT.interrupted), LAST_MOMENT).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, interrupt);
  process.on("exit", restoreTerminal);
  // Imported late: the one-shot commands need none of it.
  const { Program } = await import("./screen/program.ts");
  try {
    return await Program.run({ config, input, output, signal: abort.signal });
  } catch (error) {
    const failure = describeFailure(error, config);
    if (failure.sentence !== "") tellOnTerminal(failure.sentence);
    return failure.exit;
  }
}

/** A sentence to standard error, broken at the edge of the terminal where that is one. */
function tellOnTerminal(sentence: string): void {
  const { stderr } = process;
  stderr.write(`${wrapped(sentence, stderr.isTTY ? stderr.columns : undefined)}\n`);
}

async function runCommand(invocation: Invocation & { name: "command" }): Promise<ExitCode> {
  const { config, args } = invocation;
  const command = COMMANDS[invocation.command];
  const output = new Output(config.json);
  const abort = new AbortController();
  const interrupt = () => {
    abort.abort(new InterruptedError());
    setTimeout(() => process.exit(EXIT.interrupted), LAST_MOMENT).unref();
  };
  const giveUp = (error: unknown) => {
    // A fault of ours in a callback: the person gets a sentence, and whatever was committed is safe.
    const failure = describeFailure(error, config);
    output.failure(failure.code, failure.sentence);
    if (command.survivesFaults) return;
    void output.flushed().finally(() => process.exit(EXIT.other));
  };
  process.on("uncaughtException", giveUp);
  process.on("unhandledRejection", giveUp);
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const deadline = new Deadline(abort, command.bounded ? config.timeout : undefined);
  try {
    checkArguments(invocation, command);
    return await command.run({ config, args, output, deadline, signal: abort.signal });
  } catch (error) {
    const failure = describeFailure(error, config);
    if (failure.sentence !== "") output.failure(failure.code, failure.sentence);
    return failure.exit;
  } finally {
    deadline.stop();
    await output.flushed();
  }
}
