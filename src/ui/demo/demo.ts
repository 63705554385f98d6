/**
 * `demo`: a server and two clients in a temporary folder, on free ports.
 *
 * 1. The server is a process of its own; ana and benito are two messengers in this process.
 * 2. They register, log in, find each other and talk both ways.
 * 3. The server is killed; they go on talking, hang up, and connect again over known addresses.
 * 4. Each step shows what travelled on which link, and the end shows who could read what.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import pc from "picocolors";

import { Account, registerAccount } from "../../client/accounts.ts";
import type { Messenger } from "../../client/messenger.ts";
import type { Language } from "../../protocol/language.ts";
import { UsageError } from "../../protocol/options.ts";
import { isExecutable } from "../../protocol/start/version.ts";
import type { CommandContext } from "../commands/online-account.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { Recorder, Table } from "./demo-recorder.ts";
import { DEMO_TEXTS } from "./demo-texts.ts";

type DemoText = keyof typeof DEMO_TEXTS;

/** What every step needs. */
type Stage = {
  readonly language: Language;
  readonly say: (name: DemoText) => string;
  readonly folder: string;
  readonly port: number;
  readonly recorder: Recorder;
  readonly table: Table;
};

/** How the server is started. @throws UsageError: it is not beside this program */
function serverCommand(language: Language): readonly string[] {
  if (!isExecutable) return [process.execPath, "run", resolve(import.meta.dir, "../../../server.ts")];
  const server = join(dirname(process.execPath), "paloma-server");
  if (!existsSync(server)) throw new UsageError(DEMO_TEXTS.noServer[language]);
  return [server];
}

/** Starts the server. @returns its process, the port of its encrypted link, and what it printed */
async function startServer(command: readonly string[], folder: string, language: Language) {
  const server = Bun.spawn({
    cmd: [
      ...command,
      ...["--host", "127.0.0.1", "--port", "0", "--tls-port", "0", "--meeting-port", "0"],
      ...["--log", "json", "--lang", language],
      ...["--db", join(folder, "users.db")],
    ],
    stdout: "pipe",
    stderr: "ignore",
  });
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of server.stdout) {
    output += decoder.decode(chunk, { stream: true });
    const port = /^TLS .*?:(\d+),/m.exec(output)?.[1];
    if (port !== undefined) return { process: server, port: Number(port), banner: output.trimEnd() };
  }
  throw new Error(`the server did not start: ${output}`);
}

/** How many of `texts` each file of the server's database contains, summed over the files. */
function occurrences(folder: string, texts: readonly string[]): { files: string[]; found: number } {
  const files = readdirSync(folder).filter((name) => name.startsWith("users.db"));
  const found = files
    .map((name) => readFileSync(join(folder, name)))
    .reduce((sum, bytes) => sum + texts.filter((text) => bytes.includes(text)).length, 0);
  return { files, found };
}

/** Registers and logs in one person, with a data folder of their own. */
async function enter(stage: Stage, user: string, other: string): Promise<Account> {
  const { say, recorder, table, language } = stage;
  const options = {
    dataFolder: join(stage.folder, user),
    host: "127.0.0.1",
    port: stage.port,
    expectedFingerprint: undefined,
    confirm: undefined,
  };
  const password = `la contraseña de ${user}`;
  await registerAccount(
    {
      ...options,
      trace: (direction, message) =>
        recorder.take(user, other, { name: "wire", link: "rendezvous", direction, message }),
    },
    { username: user, password, email: undefined },
  );
  table.step(`${user} ${say("registers")}`);
  const account = await Account.open({
    ...options,
    user,
    language,
    p2pPort: undefined,
    lan: false,
    command: "demo",
    trace: true,
    password: () => Promise.resolve(password),
    onEvent: (event) => recorder.take(user, other, event),
  });
  await account.connect();
  table.step(`${user} ${say("logsIn")}`);
  return account;
}

/** Sends one line and waits until the other side has stored it. */
async function talk({ recorder, table }: Stage, from: Messenger, to: Messenger, text = ""): Promise<void> {
  const id = from.outbox.send(to.username, text);
  await recorder.seen(
    from.username,
    (event) => event.name === "delivery" && event.id === id && event.state === "received",
  );
  table.step(`${from.username}: ${text}`);
}

async function hangUp({ recorder, table, say }: Stage, ana: Messenger, benito: Messenger): Promise<void> {
  recorder.forgetEvents();
  benito.closeChat(ana.username);
  ana.closeChat(benito.username);
  for (const who of [ana, benito]) {
    await recorder.seen(who.username, (event) => event.name === "disconnected");
  }
  table.step(`${ana.username} ${say("hangUp")}`);
}

function showSafetyNumber({ say }: Stage, { archive }: Messenger, other: string): void {
  const [pinned] = archive.safetyNumbers.with(other, { markShown: false }).numbers;
  if (pinned === undefined) throw new Error(`${other} has no pinned key`);
  console.log(`\n${say("safety")}\n  ${pinned.number}`);
}

/** Prints who could read what. @returns false if the server saw text of the conversation or stored a password */
function summarize({ say, folder, recorder }: Stage, lines: readonly string[]): boolean {
  const fill = (name: DemoText, values: { readonly [name: string]: string | number }) =>
    Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, String(value)), say(name));
  const throughServer = recorder.messages.filter(({ from, to }) => [from, to].includes(say("server")));
  const direct = recorder.messages.length - throughServer.length;
  const seen = throughServer.filter(({ message }) =>
    lines.some((line) => JSON.stringify(message).includes(line)),
  );
  const disk = occurrences(folder, [...lines, "la contraseña de"]);
  console.log(`\n${pc.bold(say("summary"))}`);
  console.log(`  ${fill("onRendezvous", { n: throughServer.length, found: seen.length })}`);
  console.log(`  ${fill("onDisk", { files: disk.files.join(", "), n: lines.length, found: disk.found })}`);
  console.log(`  ${fill("onPeer", { n: direct })}`);
  if (seen.length === 0 && disk.found === 0) return true;
  console.log(pc.red(say("leaked")));
  return false;
}

/** @throws UsageError: there is no server beside this program */
export async function demo({ config }: CommandContext): Promise<ExitCode> {
  return (await show(config.language)) ? EXIT.done : EXIT.other;
}

/** @returns false if the server saw text of the conversation or stored a password @throws as `demo` */
async function show(language: Language): Promise<boolean> {
  const say = (name: DemoText): string => DEMO_TEXTS[name][language];
  const command = serverCommand(language);
  const folder = mkdtempSync(join(tmpdir(), "paloma-demo-"));
  const lines = say("lines").split("|");
  const accounts: Account[] = [];
  const server = await startServer(command, folder, language);
  try {
    const recorder = new Recorder(say("server"));
    const table = new Table(recorder);
    const stage: Stage = { language, say, folder, port: server.port, recorder, table };
    console.log(`${pc.bold(say("title"))}\n\n${pc.dim(server.banner)}\n`);
    const [link = "", message = "", readers = ""] = say("columns").split("|");
    table.row(link, message, readers, pc.underline);

    accounts.push(await enter(stage, "ana", "benito"), await enter(stage, "benito", "ana"));
    const [ana, benito] = accounts.map(({ messenger }) => messenger) as [Messenger, Messenger];
    const online = await ana.users();
    table.step(`ana ${say("lists")}: ${online.map(({ username }) => username).join(", ")}`);

    ana.openChat("benito");
    await talk(stage, ana, benito, lines[0]);
    benito.openChat("ana");
    await talk(stage, benito, ana, lines[1]);

    server.process.kill("SIGKILL");
    await server.process.exited;
    console.log(`\n${pc.yellow(say("serverKilled"))}`);
    await talk(stage, ana, benito, lines[2]);
    await talk(stage, benito, ana, lines[3]);

    await hangUp(stage, ana, benito);
    console.log(`\n${pc.yellow(say("reconnect"))}`);
    await talk(stage, ana, benito, lines[4]);
    await talk(stage, benito, ana, lines[5]);

    showSafetyNumber(stage, ana, "benito");
    return summarize(stage, lines);
  } finally {
    for (const account of accounts) await account.close();
    server.process.kill("SIGKILL");
    await server.process.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}
