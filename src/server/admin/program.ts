/** `bun run server.ts admin …`: runs one command of the operator, and gives its exit code. */
import { resolve } from "node:path";

import type { Bilingual, Language } from "../../protocol/language.ts";
import { UsageError } from "../../protocol/options.ts";
import { visibleJson, visibleText } from "../../protocol/visible-text.ts";
import { readAccountList } from "./account-list.ts";
import { addList } from "./add-list.ts";
import {
  backupSentence,
  doneSentence,
  movedSentence,
  passwordSentence,
  refusalSentence,
  restoredSentence,
  sessionText,
  unwrittenSentence,
  userText,
  type Unwritten,
} from "./answers.ts";
import { backUp } from "./backup.ts";
import { readTask, type AdminTask } from "./command.ts";
import { isConfirmed, requireTerminal } from "./confirm.ts";
import { LineOutput } from "./line-output.ts";
import { openCluster } from "./cluster-link.ts";
import { reachDatabase, type AdminLink } from "./link.ts";
import { isRead, type AdminReply, type AdminRequest } from "./messages.ts";
import { move } from "./move.ts";
import { restore } from "./restore.ts";
import type { AdminConfig } from "../config.ts";
import { shownServer, type Place } from "../place.ts";
import type { HostProcess } from "../host-process.ts";
import { createLog, type Log } from "../log/log.ts";
import { openSecurityLog, type SecurityLog } from "../log/security-log.ts";
import { StartError } from "../start-error.ts";

const EXIT_DONE = 0;
const EXIT_FAILED = 1;

type Context = {
  readonly config: AdminConfig;
  readonly language: Language;
  readonly output: LineOutput;
  readonly host: HostProcess;
};

/**
 * Runs one command on the running server, or on the database of a stopped one.
 * @returns the exit code. @throws UsageError, StartError
 */
export async function runAdmin(config: AdminConfig, language: Language, host: HostProcess): Promise<number> {
  const task = readTask(config.words, language, config);
  const context: Context = { config, language, output: new LineOutput(host.stdout), host };
  switch (task.name) {
    case "backup":
      return makeBackup(task.file, context);
    case "restore":
      return restoreFrom(task.file, context);
    case "move":
      return moveTo(task.to, context);
    case "addList":
      return runList(task.file, context);
    case "request":
      return runRequest(task, context);
    default:
      return task satisfies never;
  }
}

/** With `--json` a failure is also an object on standard output. */
export function printFailure(code: string, message: string, { stdout }: HostProcess): Promise<boolean> {
  return new LineOutput(stdout).write(visibleJson({ event: "error", code, message }));
}

async function makeBackup(file: string, context: Context): Promise<number> {
  const { config, language, output } = context;
  const path = fileOf(config.place, language);
  const made = backUp(path, file);
  await recordBackup(path, file, context);
  const sentence = backupSentence(file, made)[language];
  await output.write(config.json ? visibleJson({ file, ...made }) : sentence);
  return codeOf("backup", context);
}

/** Records the backup, through the server if it runs. If that fails, the backup is still good. */
async function recordBackup(path: string, file: string, { config, language, host }: Context): Promise<void> {
  try {
    const link = await reachDatabase(path, () => openAudit(config, host));
    try {
      const reply = await link.ask({ command: "backup-made", file: resolve(file).toWellFormed() });
      if (reply.name === "refused") host.stderr.write(`${refusalSentence(reply.code, language)}\n`);
    } finally {
      await link.close();
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    host.stderr.write(`${visibleText(error.sentence[language])}\n`);
  }
}

async function restoreFrom(file: string, context: Context): Promise<number> {
  const { config, language, output, host } = context;
  let audit: SecurityLog | undefined;
  try {
    const restored = await restore(fileOf(config.place, language), file, () => {
      audit = openAudit(config, host);
    });
    audit?.record("database_restored", { file: resolve(file), users: restored.users, by: "operator" });
    const sentence = restoredSentence(file, restored)[language];
    const { before = null, ...counts } = restored;
    await output.write(config.json ? visibleJson({ file, ...counts, before }) : sentence);
    return codeOf("restore", context);
  } finally {
    audit?.close();
  }
}

async function moveTo(to: string, context: Context): Promise<number> {
  const { config, language, output, host } = context;
  let audit: SecurityLog | undefined;
  try {
    const moved = await move(fileOf(config.place, language), to, () => {
      audit = openAudit(config, host);
    });
    audit?.record("database_moved", { to: shownServer(to), users: moved.users, by: "operator" });
    const sentence = movedSentence(shownServer(to), moved)[language];
    await output.write(config.json ? visibleJson({ to: shownServer(to), ...moved }) : sentence);
    return codeOf("move", context);
  } finally {
    audit?.close();
  }
}

/** @throws UsageError for PostgreSQL, which has its own tools for backups */
function fileOf(place: Place, language: Language): string {
  if (place.name === "file") return place.path;
  throw new UsageError(
    language === "es"
      ? "Eso es para la base de datos de un archivo; con PostgreSQL use pg_dump y pg_restore"
      : "That is for the database of a file; with PostgreSQL use pg_dump and pg_restore",
  );
}

async function runRequest(task: AdminTask & { name: "request" }, context: Context): Promise<number> {
  const { config, language, output, host } = context;
  let { request } = task;
  if (request.command === "delete" && !config.yes) {
    requireTerminal(language, host);
    const { name } = request;
    // The link is closed before the question, so that a server can start.
    const found = await linked(context, (link) => link.ask({ command: "account", name }));
    if (found.name !== "done") {
      await print(found, request, context);
      return EXIT_FAILED;
    }
    if (!(await isConfirmed(found.username, language, host))) return EXIT_FAILED;
    request = { command: "delete", name: found.username };
  }
  const { command } = request;
  const isDone = await linked(context, (link) => follow(request, link, context));
  if (!isDone) return EXIT_FAILED;
  if (output.lines === 0 && !config.json) {
    host.stderr.write(language === "es" ? "No hay ninguna\n" : "There are none\n");
  }
  return codeOf(isRead(command) ? "listing" : hasPassword(command) ? "password" : "change", context);
}

async function runList(file: string, context: Context): Promise<number> {
  const { config, language, output, host } = context;
  const list = readAccountList(file, language);
  const { json } = config;
  const { stderr } = host;
  const isDone = await linked(context, (link) => addList(list, { link, output, stderr, json, language }));
  return isDone ? EXIT_DONE : EXIT_FAILED;
}

async function linked<T>(
  { config, language, host }: Context,
  use: (link: AdminLink) => Promise<T>,
): Promise<T> {
  const { place } = config;
  const audit = () => openAudit(config, host);
  const warn = (sentence: Bilingual) => host.stderr.write(`${sentence[language]}\n`);
  const link = await (place.name === "file"
    ? reachDatabase(place.path, audit)
    : openCluster(place, audit, warn));
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

function hasPassword(command: AdminRequest["command"]): boolean {
  return command === "add" || command === "reset-password";
}

/** The exit code: a result that could not be written is a failure, although the command was carried out. */
function codeOf(what: Unwritten, { output, language, host }: Context): number {
  const { fault } = output;
  // A list may be piped into `head`.
  if (fault === undefined || (what === "listing" && output.isReaderGone)) return EXIT_DONE;
  host.stderr.write(`${unwrittenSentence(what, fault)[language]}\n`);
  return EXIT_FAILED;
}

/** Requests all pages as long as they can be written. @returns whether the command was carried out */
async function follow(first: AdminRequest, link: AdminLink, context: Context): Promise<boolean> {
  for (let request = first; ;) {
    const reply = await link.ask(request);
    const isTaken = await print(reply, request, context);
    if (reply.name === "refused") return false;
    const next = reply.name === "users" || reply.name === "sessions" ? reply.next : undefined;
    if (next === undefined || !isTaken || !("after" in request)) return true;
    request = { ...request, after: next };
  }
}

/** @returns whether more can be written. */
async function print(reply: AdminReply, request: AdminRequest, context: Context): Promise<boolean> {
  const { config, language, output, host } = context;
  const { command } = request;
  switch (reply.name) {
    case "users":
      for (const user of reply.users) {
        await output.write(config.json ? visibleJson(user) : userText(user, language));
      }
      return output.fault === undefined;
    case "sessions":
      for (const session of reply.sessions) {
        await output.write(config.json ? visibleJson(session) : sessionText(session, language));
      }
      return output.fault === undefined;
    case "password": {
      const { username, password } = reply;
      const sentence = passwordSentence(username, password)[language];
      return output.write(config.json ? visibleJson({ username, password }) : sentence);
    }
    case "done": {
      const { username, changed } = reply;
      const sentence = doneSentence(command, username, changed)[language];
      return output.write(config.json ? visibleJson({ username, command, changed }) : sentence);
    }
    case "refused": {
      const message = refusalSentence(reply.code, language);
      host.stderr.write(`${message}\n`);
      if (config.json) await printFailure(reply.code, message, host);
      return false;
    }
    default:
      return reply satisfies never;
  }
}

/** The log in which the server records changes, too. */
function openAudit(config: AdminConfig, host: HostProcess): SecurityLog {
  const log = createLog("pretty", Date.now, (line) => host.stderr.write(line));
  // Standard output already says what was done.
  const quiet: Log = { ...log, info: () => undefined };
  return openSecurityLog(config, quiet);
}
