/** `bun run server.ts admin …`: one command of the operator, from its words to its exit code. */
import { createInterface } from "node:readline";

import type { Language } from "../../protocol/language.ts";
import { UsageError } from "../../protocol/options.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import {
  deletionQuestion,
  doneSentence,
  passwordSentence,
  refusalSentence,
  sessionText,
  userText,
} from "./answers.ts";
import { readTask } from "./command.ts";
import { reachDatabase, type AdminLink } from "./link.ts";
import type { AdminReply, AdminRequest } from "./messages.ts";
import { LineOutput } from "./line-output.ts";
import { backUp } from "./backup.ts";
import type { AdminConfig } from "../config.ts";
import { createLog, type Log } from "../log.ts";
import { openConfiguredSecurityLog, type SecurityLog } from "../security-log.ts";

const EXIT_DONE = 0;
const EXIT_FAILED = 1;

/**
 * Runs one command on the running server, or on the database of a stopped one.
 * @returns the exit code. @throws UsageError, StartError
 */
export async function runAdmin(config: AdminConfig, language: Language): Promise<number> {
  const task = readTask(config.words, language);
  const output = new LineOutput(process.stdout);
  if (task.name === "backup") {
    const made = backUp(config.databasePath, task.file);
    const file = visibleText(task.file);
    const { users, tokens, bytes } = made;
    const sentence =
      language === "es"
        ? `Copia comprobada en «${file}» (cuentas: ${users}, sesiones: ${tokens}, bytes: ${bytes})`
        : `Verified copy in “${file}” (accounts: ${users}, sessions: ${tokens}, bytes: ${bytes})`;
    await output.write(config.json ? JSON.stringify({ file: task.file, ...made }) : sentence);
    return EXIT_DONE;
  }
  const { request } = task;
  if (request.command === "delete" && !config.yes && !(await isConfirmed(request.name, language))) {
    return EXIT_FAILED;
  }
  const link = await reachDatabase(config.databasePath, () => openAudit(config));
  try {
    const code = await follow(request, link, (reply) => print(reply, request, { config, language, output }));
    if (output.lines === 0 && code === EXIT_DONE && !config.json) {
      process.stderr.write(language === "es" ? "No hay ninguna\n" : "There is none\n");
    }
    return code;
  } finally {
    link.close();
  }
}

/** Asks, and asks on while there is more; `show` says whether somebody still reads. Gives the exit code. */
async function follow(
  first: AdminRequest,
  link: AdminLink,
  show: (reply: AdminReply) => Promise<boolean>,
): Promise<number> {
  for (let request = first; ;) {
    const reply = await link.ask(request);
    const isRead = await show(reply);
    if (reply.name === "refused") return EXIT_FAILED;
    const next = reply.name === "users" || reply.name === "sessions" ? reply.next : undefined;
    if (next === undefined || !isRead || !("after" in request)) return EXIT_DONE;
    request = { ...request, after: next };
  }
}

type Manner = { readonly config: AdminConfig; readonly language: Language; readonly output: LineOutput };

async function print(reply: AdminReply, request: AdminRequest, manner: Manner): Promise<boolean> {
  const { config, language, output } = manner;
  const { command } = request;
  switch (reply.name) {
    case "users":
      for (const user of reply.users) {
        await output.write(config.json ? JSON.stringify(user) : userText(user, language));
      }
      return output.isRead;
    case "sessions":
      for (const session of reply.sessions) {
        await output.write(config.json ? JSON.stringify(session) : sessionText(session, language));
      }
      return output.isRead;
    case "password": {
      const { username, password } = reply;
      const sentence = passwordSentence(username, password)[language];
      return output.write(config.json ? JSON.stringify({ username, password }) : sentence);
    }
    case "done": {
      const { username, changed } = reply;
      const sentence = doneSentence(command, username, changed)[language];
      return output.write(config.json ? JSON.stringify({ username, command, changed }) : sentence);
    }
    case "refused": {
      const message = refusalSentence(reply.code)[language];
      process.stderr.write(`${message}\n`);
      if (config.json) await output.write(JSON.stringify({ event: "error", code: reply.code, message }));
      return output.isRead;
    }
    default:
      return reply satisfies never;
  }
}

/** Changes on a stopped server are recorded where the server records them. */
function openAudit(config: AdminConfig): SecurityLog {
  const log = createLog("pretty", Date.now, (line) => process.stderr.write(line));
  // What is done is said on standard output.
  const quiet: Log = { ...log, info: () => undefined };
  return openConfiguredSecurityLog(config, quiet);
}

/** @throws UsageError without a terminal to ask at */
async function isConfirmed(name: string, language: Language): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError(
      language === "es"
        ? "Para borrar sin preguntar, añada --yes"
        : "To delete without being asked, add --yes",
    );
  }
  process.stderr.write(deletionQuestion(name)[language]);
  const lines = createInterface({ input: process.stdin, terminal: false });
  const answer = await new Promise<string>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(""));
  });
  lines.close();
  return /^(?:s|sí|si|y|yes)$/i.test(answer.trim().normalize("NFC"));
}
