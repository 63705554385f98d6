/** The client program: reads what was typed, runs it, and ends with CLI's exit code. */
import { version } from "../../package.json" with { type: "json" };
import { UsageError } from "../protocol/options.ts";
import { cancel } from "./commands/messages/cancel.ts";
import { deleteMessages } from "./commands/messages/delete.ts";
import { edit, send, withdraw } from "./commands/messages/send.ts";
import { exportToFile } from "./commands/messages/export.ts";
import { fingerprint } from "./commands/account/fingerprint.ts";
import { history } from "./commands/messages/history.ts";
import { listen } from "./commands/messages/listen.ts";
import { logout } from "./commands/account/logout.ts";
import { register } from "./commands/account/register.ts";
import { search } from "./commands/messages/search.ts";
import { users } from "./commands/account/users.ts";
import { chosenLanguage } from "../protocol/language.ts";
import { readInvocation, wantsJson, type CommandName, type Config, type Invocation } from "./config.ts";
import { Deadline } from "./deadline.ts";
import { describeFailure, EXIT, InterruptedError, type ExitCode } from "./failures.ts";
import { Output, type HostProcess } from "./commands/output.ts";
import { restoreTerminal } from "./terminal/raw-terminal.ts";
import type { CommandContext } from "./commands/online-account.ts";
import { textsIn } from "./texts/texts.ts";
import { wrapped } from "./format/wrapped-text.ts";

/** After a signal the process is gone by then, whatever the peers do, in ms. */
const LAST_MOMENT = 2_500;

type Argument = "userArgument" | "idArgument" | "fileArgument" | "wordsArgument";

type Command = {
  readonly run: (context: CommandContext) => Promise<ExitCode>;
  /** What it needs, in order, and how many more it may take. */
  readonly needs: readonly Argument[];
  readonly mayTake: number;
  /** Ends by itself after `--timeout`. */
  readonly bounded: boolean;
  /** A fault in one callback ends that connection only, not the command. */
  readonly survivesFaults: boolean;
};

/** One that ends by itself, and that a fault of ours ends too. */
const BRIEF = { needs: [], mayTake: 0, bounded: true, survivesFaults: false } as const;
/** One that only works on this disk, as long as that takes. */
const LOCAL = { ...BRIEF, bounded: false } as const;

const COMMANDS: { readonly [C in CommandName]: Command } = {
  register: { ...BRIEF, run: register },
  users: { ...BRIEF, run: users },
  send: { ...BRIEF, run: send, needs: ["userArgument"], mayTake: 1 },
  edit: { ...BRIEF, run: edit, needs: ["userArgument", "idArgument"], mayTake: 1 },
  withdraw: { ...BRIEF, run: withdraw, needs: ["userArgument", "idArgument"] },
  cancel: { ...LOCAL, run: cancel, needs: ["userArgument"], mayTake: 1 },
  delete: { ...LOCAL, run: deleteMessages, needs: ["userArgument"], mayTake: 1 },
  listen: { ...BRIEF, run: listen, bounded: false, survivesFaults: true },
  history: { ...LOCAL, run: history, needs: ["userArgument"] },
  search: { ...LOCAL, run: search, needs: ["wordsArgument"], mayTake: Infinity },
  export: { ...LOCAL, run: exportToFile, needs: ["userArgument", "fileArgument"] },
  fingerprint: { ...LOCAL, run: fingerprint, mayTake: 1 },
  logout: { ...BRIEF, run: logout },
};

function checkArguments(
  { command: name, args, config }: Pick<Invocation & { name: "command" }, "command" | "args" | "config">,
  { needs, mayTake }: Command,
): void {
  const texts = textsIn(config.language);
  const missing = needs[args.length];
  if (missing !== undefined) throw new UsageError(texts.missingArgument(texts[missing]));
  const extra = args[needs.length + mayTake];
  if (extra !== undefined) throw new UsageError(texts.tooManyArguments(extra));
  const user = name === "search" ? undefined : args[0];
  if (user !== undefined && !isPossibleName(user)) throw new UsageError(texts.badName(user));
}

/** Names of old accounts may be odd, but nobody's is empty, longer, or holds control characters. */
function isPossibleName(name: string): boolean {
  return name.isWellFormed() && /^\P{Cc}{1,64}$/u.test(name);
}

/**
 * Runs the client and gives the exit code.
 * @param args without the program's own name
 * @param host the menus, which need a terminal, use `process` itself
 */
export async function runClient(args: readonly string[], host: HostProcess = process): Promise<ExitCode> {
  let invocation: Invocation;
  try {
    invocation = readInvocation(args, host.env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const output = new Output(wantsJson(args, host.env), host);
    const exit = output.failure({ exit: EXIT.usage, code: "usage", sentence: error.message });
    output.tell(textsIn(chosenLanguage(args, host.env)).seeHelp);
    return exit;
  }
  switch (invocation.name) {
    case "help":
      host.stdout.write(`${textsIn(invocation.language).help}\n`);
      return EXIT.done;
    case "version":
      host.stdout.write(`paloma ${version}\n`);
      return EXIT.done;
    case "menus":
      return runMenus(invocation.config);
    case "command":
      return runCommand(invocation, host);
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
  const { Program } = await import("./app/program.ts");
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

async function runCommand(
  invocation: Invocation & { name: "command" },
  host: HostProcess,
): Promise<ExitCode> {
  const { config, args } = invocation;
  const command = COMMANDS[invocation.command];
  const output = new Output(config.json, host);
  const abort = new AbortController();
  const interrupt = () => {
    abort.abort(new InterruptedError());
    setTimeout(() => host.exit(EXIT.interrupted), LAST_MOMENT).unref();
  };
  const giveUp = (error: unknown) => {
    // A fault of ours in a callback: the person gets a sentence, and whatever was committed is safe.
    const failure = describeFailure(error, config);
    output.failure(failure);
    if (command.survivesFaults) return;
    void output.flushed().finally(() => host.exit(EXIT.other));
  };
  host.on("uncaughtException", giveUp);
  host.on("unhandledRejection", giveUp);
  host.on("SIGINT", interrupt);
  host.on("SIGTERM", interrupt);
  const deadline = new Deadline(abort, command.bounded ? config.timeout : undefined);
  try {
    checkArguments(invocation, command);
    return await command.run({ config, args, process: host, output, deadline, signal: abort.signal });
  } catch (error) {
    const failure = describeFailure(error, config);
    if (failure.sentence !== "") output.failure(failure);
    return failure.exit;
  } finally {
    deadline.stop();
    await output.flushed();
  }
}
