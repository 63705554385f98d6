/**
 * The command line and the environment: the command, its options and its arguments, checked before anything is done.
 * Without a server, the one used last with the data folder is looked up there.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

import { lastServer } from "../client/local-accounts.ts";
import { parseFingerprint } from "../identity/fingerprint.ts";
import { chosenLanguage, type Language } from "../protocol/language.ts";
import { RELAY_USES, WHO, type RelayUse, type Who } from "../client/contact-choices.ts";
import { variable } from "../protocol/environment.ts";
import { isThisMachine, parseHostPort, withoutUrl } from "../protocol/host-name.ts";
import { showHostPort } from "../protocol/ip-address.ts";
import { nearestWord } from "../protocol/nearest-word.ts";
import { normalForm } from "../protocol/normal-form.ts";
import { readOptions, UsageError, type Options, type OptionValues } from "../protocol/options.ts";
import { MIN_CANDIDATE_PORT } from "../protocol/rendezvous-messages.ts";
import { textsIn } from "./texts/texts.ts";

const GLOBAL_OPTIONS = {
  server: { type: "text" },
  user: { type: "text" },
  data: { type: "path" },
  // No client dials a lower port (PROTOCOL 3).
  "p2p-port": { type: "integer", min: MIN_CANDIDATE_PORT, max: 65_535 },
  "server-fingerprint": { type: "text" },
  "password-stdin": { type: "switch" },
  force: { type: "switch" },
  timeout: { type: "integer", min: 1, max: 86_400 },
  lang: { type: "choice", of: ["es", "en"] },
  json: { type: "switch" },
  help: { type: "switch" },
  version: { type: "switch" },
} as const satisfies Options;

/** How the account is online. Another command refuses them: it would not obey, and they are about privacy. */
const ONLINE = {
  who: { type: "choice", of: WHO },
  lan: { type: "choice", of: ["on", "off"] },
  relay: { type: "choice", of: RELAY_USES },
} as const satisfies Options;
const NOTIFY = { "notify-command": { type: "text" } } as const satisfies Options;
/** Where files of others are put. */
const DOWNLOADS = { downloads: { type: "path" } } as const satisfies Options;
const SHA256 = { sha256: { type: "switch" } } as const satisfies Options;
const WAIT = { type: "choice", of: ["received", "queued"] } as const;
/** Who may do something in a group. */
const GROUP_ROLES = ["all", "admins"] as const;

/** In the order of the help. */
const COMMAND_OPTIONS = {
  register: { email: { type: "text" }, relay: ONLINE.relay },
  users: ONLINE,
  send: { ...ONLINE, wait: WAIT, "reply-to": { type: "text" } },
  "send-file": { ...ONLINE, wait: WAIT, ...SHA256 },
  listen: {
    ...ONLINE,
    ...NOTIFY,
    ...SHA256,
    "accept-files": { type: "path" },
    "max-size": { type: "size" },
  },
  daemon: { ...ONLINE, ...NOTIFY },
  history: { last: { type: "integer", min: 1, max: 1_000_000_000 }, since: { type: "text" } },
  search: {},
  export: {},
  edit: { ...ONLINE, wait: WAIT },
  withdraw: { ...ONLINE, wait: WAIT },
  cancel: {},
  delete: { yes: { type: "switch" } },
  files: { ...DOWNLOADS, ...SHA256 },
  contacts: {},
  unread: {},
  groups: {},
  group: {
    ...ONLINE,
    wait: WAIT,
    from: { type: "path" },
    adds: { type: "choice", of: GROUP_ROLES },
    writes: { type: "choice", of: GROUP_ROLES },
    "no-history": { type: "switch" },
  },
  fingerprint: { accept: { type: "switch" } },
  verify: { ...ONLINE, off: { type: "switch" } },
  doctor: ONLINE,
  whoami: {},
  passwd: ONLINE,
  "delete-account": { ...ONLINE, yes: { type: "switch" } },
  logout: ONLINE,
  profile: {},
  completion: {},
  demo: {},
} as const satisfies { readonly [command: string]: Options };

/** Commands whose USER may be a group. */
export const OF_CONVERSATIONS: ReadonlySet<string | undefined> = new Set<CommandName>([
  "send",
  "send-file",
  "edit",
  "withdraw",
  "cancel",
  "delete",
  "history",
  "export",
]);

export type CommandName = keyof typeof COMMAND_OPTIONS;
export const COMMAND_NAMES = Object.keys(COMMAND_OPTIONS) as readonly CommandName[];

const ALL_OPTIONS = {
  ...GLOBAL_OPTIONS,
  ...ONLINE,
  ...COMMAND_OPTIONS.register,
  ...COMMAND_OPTIONS.send,
  ...COMMAND_OPTIONS.listen,
  ...COMMAND_OPTIONS.history,
  ...COMMAND_OPTIONS.delete,
  ...COMMAND_OPTIONS.group,
  ...COMMAND_OPTIONS.fingerprint,
  ...COMMAND_OPTIONS.verify,
  ...DOWNLOADS,
} as const satisfies Options;

export type Flag = keyof typeof ALL_OPTIONS;
/** Every option, in the order of the help. */
export const FLAGS = Object.keys(ALL_OPTIONS) as readonly Flag[];

const DEFAULT_SERVER = "localhost";
const DEFAULT_PORT = 8_443;
const DEFAULT_TIMEOUT = 30;
/**
 * Of `verify`: somebody has to be called meanwhile, and to type the same. Of `send-file`: somebody has to accept; it
 * begins again with each progress.
 */
const PATIENT_TIMEOUT = 300;
const PATIENT: readonly (CommandName | undefined)[] = ["verify", "send-file"];

export type Server = {
  /** In its normal form. */
  readonly host: string;
  readonly port: number;
  /** HOST:PORT as people see it: with the host as it was typed. */
  readonly server: string;
  /** Given when the program was started, typed in the menus, used last with this data folder, or none of these. */
  readonly serverFrom: "given" | "typed" | "last" | "default";
};

export type Config = Server & {
  readonly language: Language;
  readonly user: string | undefined;
  readonly dataFolder: string;
  readonly p2pPort: number | undefined;
  readonly serverFingerprint: string | undefined;
  /** Who may write unasked; undefined: not said. */
  readonly who: Who | undefined;
  /** Whether contacts on the local network are told that this client is there; undefined: not said. */
  readonly lan: boolean | undefined;
  /** Which ways the account uses; undefined: not said. */
  readonly relay: RelayUse | undefined;
  readonly passwordStdin: boolean;
  /** Removed from the environment, so that no child process and no crash report contains it. */
  readonly password: string | undefined;
  /** s */
  readonly timeout: number;
  readonly json: boolean;
  readonly email: string | undefined;
  readonly wait: "received" | "queued";
  /** The id of the message that is replied to. */
  readonly replyTo: string | undefined;
  /** How many messages at most. */
  readonly last: number | undefined;
  /** A time as it was typed; how it is read depends on the time zone. */
  readonly since: string | undefined;
  /** Do not ask before something that cannot be undone. */
  readonly yes: boolean;
  readonly accept: boolean;
  /** What a shell runs when messages have come. */
  readonly notifyCommand: string | undefined;
  /** Go online although the account was exported to another machine. */
  readonly force: boolean;
  readonly off: boolean;
  /** Where files of others are put; an absolute path. */
  readonly downloads: string;
  /** Where `listen` puts every file of a contact; an absolute path. Undefined: nowhere. */
  readonly acceptFiles: string | undefined;
  /** Bytes of a file that `listen` accepts; undefined: any. */
  readonly maxSize: number | undefined;
  /** Show the SHA-256 of files, for people to compare. */
  readonly sha256: boolean;
  /** The file with the names of whom `group add` adds; `-`: standard input. */
  readonly from: string | undefined;
  /** Who may add people to a group that is founded, and who may write in it; undefined: not said. */
  readonly adds: (typeof GROUP_ROLES)[number] | undefined;
  readonly writes: (typeof GROUP_ROLES)[number] | undefined;
  /** Whoever is added to a group does not get its earlier messages. */
  readonly noHistory: boolean;
};

export type Invocation =
  | { readonly name: "help"; readonly language: Language }
  | { readonly name: "version" }
  /** There is no command: the menus open. */
  | { readonly name: "menus"; readonly config: Config }
  | {
      readonly name: "command";
      readonly command: CommandName;
      readonly args: readonly string[];
      readonly config: Config;
    };

type Environment = { [name: string]: string | undefined };

/** The options of a command; undefined: those of the program without one. */
export function optionsOf(command: CommandName | undefined): Options {
  return command === undefined
    ? { ...GLOBAL_OPTIONS, ...ONLINE, ...NOTIFY, ...DOWNLOADS }
    : { ...GLOBAL_OPTIONS, ...COMMAND_OPTIONS[command] };
}

/** Whether JSON output is asked for; works on a command line that cannot be parsed. */
export function wantsJson(args: readonly string[], environment: Environment): boolean {
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  return flags.includes("--json") || /^(1|true|yes|s[ií])$/i.test(variable(environment, "PALOMA_JSON") ?? "");
}

/** HOST, HOST:PORT, [IPv6] or [IPv6]:PORT. @throws UsageError */
export function parseServer(value: string, language: Language): Omit<Server, "serverFrom"> {
  const read = parseHostPort(value);
  if (read === undefined) {
    const meant = withoutUrl(value);
    const isUsable = parseHostPort(meant) !== undefined;
    throw new UsageError(textsIn(language).badServer(value, isUsable ? meant : undefined));
  }
  const { host, typed, port = DEFAULT_PORT } = read;
  return { host, port, server: showHostPort(typed, port) };
}

/** The server that was given, else the one used last with this data folder, else the default. @throws UsageError */
function chosenServer(given: string | undefined, folder: string, language: Language): Server {
  if (given !== undefined) return { ...parseServer(given, language), serverFrom: "given" };
  const last = lastServer(folder);
  if (last === undefined) return { ...parseServer(DEFAULT_SERVER, language), serverFrom: "default" };
  return { ...last, server: showHostPort(last.host, last.port), serverFrom: "last" };
}

/** @throws UsageError if the port for peers is the server's own */
export function checkPeerPort({ p2pPort, host, port, language }: Config): void {
  if (p2pPort === port && isThisMachine(host)) throw new UsageError(textsIn(language).portOfServer(port));
}

/** @throws UsageError */
function readFingerprint(value: string, language: Language): string {
  const digits = parseFingerprint(value);
  if (digits === undefined) throw new UsageError(textsIn(language).badFingerprint);
  return digits;
}

function dataFolder(
  values: OptionValues<typeof ALL_OPTIONS>,
  environment: Environment,
  language: Language,
): string {
  if (values.data !== undefined) return values.data;
  const shared = environment["XDG_DATA_HOME"];
  // The XDG Base Directory Specification says to ignore a relative path.
  if (shared?.startsWith("/") === true) return join(shared, "paloma");
  const home = environment["HOME"] ?? homedir();
  if (home === "") throw new UsageError(textsIn(language).withoutHome);
  return join(home, ".local", "share", "paloma");
}

/** The person's folder for downloads, as the desktop has it. @see https://www.freedesktop.org/wiki/Software/xdg-user-dirs */
function downloadFolder(environment: Environment): string {
  const home = environment["HOME"] ?? homedir();
  const configured = environment["XDG_CONFIG_HOME"];
  const file = join(
    configured?.startsWith("/") === true ? configured : join(home, ".config"),
    "user-dirs.dirs",
  );
  const named = environment["XDG_DOWNLOAD_DIR"] ?? /^XDG_DOWNLOAD_DIR="(.+)"$/m.exec(textOf(file))?.[1];
  const folder = named?.replace(/^\$HOME(?=\/|$)/, () => home) ?? "";
  return folder.startsWith("/") ? folder : join(home, "Downloads");
}

/** The text of a file; empty if it cannot be read. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Without it the usual folder is taken.
    return "";
  }
}

/**
 * Reads the command line and the environment; removes the password from the environment.
 * @throws UsageError
 */
export function readInvocation(args: readonly string[], environment: Environment): Invocation {
  const language = chosenLanguage(args, environment);
  const texts = textsIn(language);
  const password = variable(environment, "PALOMA_PASSWORD");
  delete environment["PALOMA_PASSWORD"];
  const first = readOptions(ALL_OPTIONS, args, environment, language);
  const typed = first.positionals[0];
  if (first.values.help === true || typed === "help") return { name: "help", language };
  if (first.values.version === true) return { name: "version" };
  const command = COMMAND_NAMES.find((name) => name === typed);
  if (typed !== undefined && command === undefined)
    throw new UsageError(texts.unknownCommand(typed, nearestWord(typed, [...COMMAND_NAMES, "help"])));
  const options = optionsOf(command);
  const foreign = first.typed.find((flag) => !Object.hasOwn(options, flag));
  if (command !== undefined && foreign !== undefined)
    throw new UsageError(texts.notItsOption(command, foreign));
  // Read again with the options of this command alone, whose variables alone matter.
  const read = readOptions(options, args, environment, language);
  const values = read.values as OptionValues<typeof ALL_OPTIONS>;
  const folder = dataFolder(values, environment, language);
  const config: Config = {
    language,
    ...chosenServer(values.server, folder, language),
    user: values.user === undefined ? undefined : normalForm(values.user),
    dataFolder: folder,
    p2pPort: values["p2p-port"],
    serverFingerprint:
      values["server-fingerprint"] === undefined
        ? undefined
        : readFingerprint(values["server-fingerprint"], language),
    who: values.who,
    lan: values.lan === undefined ? undefined : values.lan === "on",
    relay: values.relay,
    passwordStdin: values["password-stdin"] === true,
    password,
    timeout: values.timeout ?? (PATIENT.includes(command) ? PATIENT_TIMEOUT : DEFAULT_TIMEOUT),
    // A daemon writes nothing else.
    json: values.json === true || command === "daemon",
    email: values.email,
    wait: values.wait ?? "received",
    replyTo: values["reply-to"],
    last: values.last,
    since: values.since,
    yes: values.yes === true,
    accept: values.accept === true,
    notifyCommand: values["notify-command"],
    force: values.force === true,
    off: values.off === true,
    downloads: resolve(values.downloads ?? downloadFolder(environment)),
    acceptFiles: values["accept-files"] === undefined ? undefined : resolve(values["accept-files"]),
    maxSize: values["max-size"],
    sha256: values.sha256 === true,
    from: values.from,
    adds: values.adds,
    writes: values.writes,
    noHistory: values["no-history"] === true,
  };
  if (config.maxSize !== undefined && config.acceptFiles === undefined)
    throw new UsageError(texts.maxSizeAlone);
  checkPeerPort(config);
  if (command !== undefined) return { name: "command", command, args: read.positionals.slice(1), config };
  // --json and --password-stdin need a command.
  if (config.json || config.passwordStdin) throw new UsageError(texts.noCommand);
  return { name: "menus", config };
}
