/** The client program: reads what was typed, runs it, and ends with CLI's exit code. */
import { existsSync, readFileSync } from "node:fs";

import { closeDataFolder } from "../client/local-accounts.ts";
import { UsageError } from "../protocol/options.ts";
import { quotedText } from "../protocol/quoted-text.ts";
import { notUtf8 } from "../protocol/start/start-bytes.ts";
import { versionText } from "../protocol/start/version.ts";
import { visibleText } from "../protocol/visible-text.ts";
import { understandTimeZone } from "./format/time-zone.ts";
import { chosenLanguage, type Language } from "../protocol/language.ts";
import {
  OF_CONVERSATIONS,
  readInvocation,
  wantsJson,
  type CommandName,
  type Config,
  type Invocation,
} from "./config.ts";
import { Deadline } from "./deadline.ts";
import { argumentsOf, helpText } from "./help.ts";
import { describeFailure, EXIT, failure, InterruptedError, type ExitCode } from "./failures.ts";
import { Output, type HostProcess } from "./commands/output.ts";
import { restoreTerminal } from "./terminal/raw-terminal.ts";
import type { CommandContext } from "./commands/online-account.ts";
import { readConversations, readPeople } from "./commands/user-argument.ts";
import { textsIn, type Texts } from "./texts/texts.ts";
import { wrapped } from "./format/wrapped-text.ts";

/** How long after a signal the process ends at the latest, in ms. */
const LAST_MOMENT = 2_500;

type Command = {
  /** Each command is imported when it is run: importing all of them takes longer than most commands. */
  readonly load: () => Promise<(context: CommandContext) => Promise<ExitCode>>;
  /** What ends it early: `--timeout`, or an uncaught error. An uncaught error does not end `listen` or `daemon`. */
  readonly endedBy: "timeout or fault" | "fault" | "nothing";
};

const BRIEF = { endedBy: "timeout or fault" } as const;
/** It works only on local files and may take as long as it needs. */
const LOCAL = { endedBy: "fault" } as const;

const COMMANDS: { readonly [C in CommandName]: Command } = {
  register: { ...BRIEF, load: async () => (await import("./commands/account/register.ts")).register },
  users: { ...BRIEF, load: async () => (await import("./commands/account/users.ts")).users },
  send: {
    ...BRIEF,
    load: async () => (await import("./commands/messages/send.ts")).send,
  },
  "send-file": {
    ...BRIEF,
    load: async () => (await import("./commands/files/send-file.ts")).sendFile,
  },
  files: { ...LOCAL, load: async () => (await import("./commands/files/files.ts")).files },
  edit: {
    ...BRIEF,
    load: async () => (await import("./commands/messages/send.ts")).edit,
  },
  withdraw: {
    ...BRIEF,
    load: async () => (await import("./commands/messages/send.ts")).withdraw,
  },
  cancel: {
    ...LOCAL,
    load: async () => (await import("./commands/messages/cancel.ts")).cancel,
  },
  delete: {
    ...LOCAL,
    load: async () => (await import("./commands/messages/delete.ts")).deleteMessages,
  },
  listen: {
    ...BRIEF,
    load: async () => (await import("./commands/messages/listen.ts")).listen,
    endedBy: "nothing",
  },
  daemon: {
    ...BRIEF,
    load: async () => (await import("./commands/messages/daemon.ts")).daemon,
    endedBy: "nothing",
  },
  history: {
    ...LOCAL,
    load: async () => (await import("./commands/messages/history.ts")).history,
  },
  search: {
    ...LOCAL,
    load: async () => (await import("./commands/messages/search.ts")).search,
  },
  export: {
    ...LOCAL,
    load: async () => (await import("./commands/messages/export.ts")).exportToFile,
  },
  contacts: {
    ...LOCAL,
    load: async () => (await import("./commands/people/contacts.ts")).contacts,
  },
  groups: { ...LOCAL, load: async () => (await import("./commands/groups/groups.ts")).groups },
  group: { ...BRIEF, load: async () => (await import("./commands/groups/group.ts")).group },
  unread: { ...LOCAL, load: async () => (await import("./commands/people/unread.ts")).unread },
  whoami: { ...LOCAL, load: async () => (await import("./commands/account/whoami.ts")).whoami },
  fingerprint: {
    ...LOCAL,
    load: async () => (await import("./commands/account/fingerprint.ts")).fingerprint,
  },
  doctor: { ...BRIEF, load: async () => (await import("./commands/account/doctor.ts")).doctor },
  verify: { ...BRIEF, load: async () => (await import("./commands/people/verify.ts")).verify },
  passwd: { ...BRIEF, load: async () => (await import("./commands/account/passwd.ts")).passwd },
  "delete-account": {
    ...BRIEF,
    load: async () => (await import("./commands/account/delete-account.ts")).deleteAccount,
  },
  logout: { ...BRIEF, load: async () => (await import("./commands/account/logout.ts")).logout },
  profile: {
    ...LOCAL,
    load: async () => (await import("./commands/account/moving.ts")).moveAccount,
  },
  completion: {
    ...LOCAL,
    load: async () => (await import("./commands/shell-completion.ts")).completion,
  },
  demo: { ...LOCAL, load: async () => (await import("./demo/demo.ts")).demo },
};

/** @returns the arguments; a group is named by `#` and its id. @throws as `readConversations` */
async function checkedArguments({
  command,
  args,
  config,
}: Invocation & { name: "command" }): Promise<readonly string[]> {
  const texts = textsIn(config.language);
  const takes = argumentsOf(command, config.language);
  const missing = takes[args.length];
  if (missing !== undefined && !missing.startsWith("["))
    throw new UsageError(texts.missingArgument(missing.replace(/\W*$/u, "")));
  const extra = takes.at(-1)?.includes("…") === true ? undefined : args[takes.length];
  if (extra !== undefined) throw new UsageError(texts.tooManyArguments(extra));
  const [user, ...others] = args;
  if (user === undefined || !takes[0]?.includes(texts.userArgument)) return args;
  const isSend = command === "send";
  const read = OF_CONVERSATIONS.has(command) ? readConversations : readPeople;
  const [name = user] = await read(user, isSend, config);
  return !isSend && name.startsWith("#") ? [name, ...others] : args;
}

/**
 * Runs the client and gives the exit code.
 * @param args without the program's own name
 * @param host whose arguments, environment and streams these are
 */
export async function runClient(args: readonly string[], host: HostProcess = process): Promise<ExitCode> {
  let invocation: Invocation;
  try {
    const fault = notUtf8(args, host.env, startBytes, chosenLanguage(args, host.env));
    if (fault !== undefined) throw new UsageError(fault);
    invocation = readInvocation(args, host.env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const output = new Output(wantsJson(args, host.env), host);
    const exit = output.failure(failure("usage", "usage", error.message));
    output.notice(textsIn(chosenLanguage(args, host.env)).seeHelp);
    return exit;
  }
  switch (invocation.name) {
    case "help":
      return printed(helpText(invocation.language), chosenLanguage(args, host.env), host);
    case "version":
      return printed(`paloma ${versionText(Bun.spawnSync)}`, chosenLanguage(args, host.env), host);
    case "menus":
      useTimeZone(invocation.config, host);
      return runMenus(invocation.config, host);
    case "command":
      useTimeZone(invocation.config, host);
      return runCommand(invocation, host);
    default:
      return invocation satisfies never;
  }
}

/** Prints a text that is all the program was asked for. */
async function printed(text: string, language: Language, host: HostProcess): Promise<ExitCode> {
  const output = new Output(false, host);
  void output.write(`${text}\n`);
  return exitOf(EXIT.done, output, textsIn(language));
}

/** The exit code once everything is written: output that was lost is no success. */
async function exitOf(exit: ExitCode, output: Output, texts: Texts): Promise<ExitCode> {
  await output.flushed();
  if (output.lost === undefined) return exit;
  output.notice(texts.outputLost(output.lost));
  return EXIT.other;
}

function useTimeZone({ language }: Config, { env, stderr }: HostProcess): void {
  if (understandTimeZone(env, Date.now())) return;
  stderr.write(`${textsIn(language).timeZoneUnknown(env["TZ"] ?? "")}\n`);
}

function startBytes(name: "cmdline" | "environ"): Uint8Array | undefined {
  const file = `/proc/self/${name}`;
  return existsSync(file) ? readFileSync(file) : undefined;
}

/** Closes the data folder to other users of this machine, and says so. @throws OpenToOthersError, system errors */
function keepOthersOut({ dataFolder, language }: Config, say: (sentence: string) => void): void {
  const closed = closeDataFolder(dataFolder).map((path) => quotedText(path));
  const texts = textsIn(language);
  if (closed.length > 0) say(texts.closedToOthers(texts.list(closed)));
}

/** The menus and the chat; standard input and output must be a terminal. */
async function runMenus(config: Config, host: HostProcess): Promise<ExitCode> {
  const say = (sentence: string) => printSentence(sentence, host);
  if (!host.stdin.isTTY || !host.stdout.isTTY) {
    say(textsIn(config.language).menusNeedTerminal);
    return EXIT.usage;
  }
  const abort = abortedBy(host, ["SIGINT", "SIGTERM", "SIGHUP"]);
  host.on("exit", () => restoreTerminal(host));
  // Imported here because the one-shot commands do not need it.
  const { Program } = await import("./app/program.ts");
  try {
    keepOthersOut(config, say);
    return await Program.run({ config, host, signal: abort.signal });
  } catch (error) {
    const { sentence, exit } = describeFailure(error, config);
    if (sentence !== "") say(sentence);
    return exit;
  }
}

/** An AbortController that these signals abort; the process then ends within LAST_MOMENT. */
function abortedBy(host: HostProcess, signals: readonly NodeJS.Signals[]): AbortController {
  const abort = new AbortController();
  const interrupt = () => {
    abort.abort(new InterruptedError());
    setTimeout(() => host.exit(EXIT.interrupted), LAST_MOMENT).unref();
  };
  for (const signal of signals) host.on(signal, interrupt);
  return abort;
}

/** Prints a sentence to standard error, wrapped if that is a terminal. */
function printSentence(sentence: string, { stderr }: HostProcess): void {
  const shown = visibleText(sentence, { lines: true });
  stderr.write(`${wrapped(shown, stderr.isTTY ? stderr.columns : undefined)}\n`);
}

async function runCommand(
  invocation: Invocation & { name: "command" },
  host: HostProcess,
): Promise<ExitCode> {
  const { config } = invocation;
  const command = COMMANDS[invocation.command];
  const texts = textsIn(config.language);
  const output = new Output(config.json, host);
  const abort = abortedBy(host, ["SIGINT", "SIGTERM"]);
  const onFault = (error: unknown) => {
    output.failure(describeFailure(error, config));
    if (command.endedBy === "nothing") return;
    void output.flushed().finally(() => host.exit(EXIT.other));
  };
  host.on("uncaughtException", onFault);
  host.on("unhandledRejection", onFault);
  const isBounded = command.endedBy === "timeout or fault";
  const deadline = new Deadline(abort, isBounded ? config.timeout : undefined);
  let exit: ExitCode;
  try {
    keepOthersOut(config, (sentence) => output.notice(sentence));
    const args = await checkedArguments(invocation);
    const run = await command.load();
    exit = await run({ config, args, process: host, output, deadline, signal: abort.signal });
  } catch (error) {
    const problem = describeFailure(error, config);
    if (problem.sentence !== "") output.failure(problem);
    exit = problem.exit;
  } finally {
    deadline.stop();
  }
  return exitOf(exit, output, texts);
}
