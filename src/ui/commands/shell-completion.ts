/**
 * `completion bash|zsh|fish`: prints a script for that shell. The script asks this program what may be typed next, by
 * `completion words` with the typed words as lines on standard input, or by `completion line` with the line as it was
 * typed, so it is never older than the commands.
 */
import { withReadableArchive } from "../../client/archive.ts";
import { isOrdinaryName } from "../../identity/names.ts";
import type { Language } from "../../protocol/language.ts";
import { UsageError } from "../../protocol/options.ts";
import {
  COMMAND_NAMES,
  OF_CONVERSATIONS,
  optionsOf,
  readInvocation,
  type CommandName,
  type Flag,
} from "../config.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { shellWords } from "../chat/files/typed-path.ts";
import { argumentsOf, describeCommand, describeOption } from "../help.ts";
import { textsIn } from "../texts/texts.ts";
import type { CommandContext } from "./online-account.ts";
import { readInput } from "./standard-input.ts";
import { HARMLESS_GROUP } from "./user-argument.ts";

/** What the scripts read where the shell itself completes the name of a file. */
const FILES = ":files";

/** Bytes of a typed line that are read. */
const MAX_LINE = 128 * 1024;

/**
 * By shell. In bash a word ends at `=` and `:` too, and is completed from there; and what is completed outside quotation
 * marks has to be escaped here.
 */
const SCRIPTS: ReadonlyMap<string, string> = new Map([
  [
    "bash",
    `# In ~/.bashrc: source <(paloma completion bash)
_paloma() {
  local line=\${COMP_LINE:0:COMP_POINT} word last
  last=\${line##*[[:space:]]}
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    if [[ $word == ${FILES} ]]; then compopt -o default 2> /dev/null; continue; fi
    if [[ $word == *[#[:space:]]* && \${line%"$2"} != *[\\"\\'] ]]; then printf -v word %q "$word"; fi
    COMPREPLY+=("\${word#"\${last%"\${last##*[=:]}"}"}")
  done < <(printf %s "$line" | "$1" completion line 2> /dev/null)
}
complete -F _paloma paloma
`,
  ],
  [
    "zsh",
    `#compdef paloma
# In ~/.zshrc, after compinit: source <(paloma completion zsh)
_paloma() {
  local line found=()
  while IFS= read -r line; do
    if [[ $line == ${FILES} ]]; then _files; return; fi
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(print -rl -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" | "$words[1]" completion words 2> /dev/null)
  _describe paloma found
}
compdef _paloma paloma
`,
  ],
  [
    "fish",
    `# In ~/.config/fish/config.fish: paloma completion fish | source
function __paloma
  set -l words (commandline -opc)
  set -l last (commandline -ct)
  set -l found (commandline -cp | string collect | $words[1] completion line 2> /dev/null)
  if test "$found[1]" = ${FILES}
    __fish_complete_path $last
  else
    printf '%s\\n' $found
  end
end
complete -c paloma -f -a '(__paloma)'
`,
  ],
]);

/** Whom the account knows, and the names of its groups, `#` included. */
export type KnownHere = { readonly people: readonly string[]; readonly groups: readonly string[] };

/** Words after `group` that take one person. */
const OF_MEMBERS: readonly (string | undefined)[] = ["remove", "admin"];

type Typed = {
  readonly command: CommandName | undefined;
  /** The arguments that the command has got. */
  readonly args: readonly string[];
  /** The option whose value comes next. */
  readonly option: string | undefined;
  /** `--` was typed, so that no option follows. */
  readonly isEnded: boolean;
  /** The options that say whose names are offered. */
  readonly account: readonly string[];
};

/** What stands before the word that is being typed. */
function readTyped(words: readonly string[]): Typed {
  let command: CommandName | undefined;
  let option: string | undefined;
  let isEnded = false;
  const args: string[] = [];
  const account: string[] = [];
  const take = (flag: string, value: string) => {
    if (["data", "user", "server"].includes(flag)) account.push(`--${flag}=${value}`);
  };
  for (const word of words) {
    const [, flag = "", , value] = /^--([^=]+)(=(.*))?$/s.exec(word) ?? [];
    if (option !== undefined) {
      take(option, word);
      option = undefined;
    } else if (word === "--") isEnded = true;
    else if (!isEnded && flag !== "") {
      if (value !== undefined) take(flag, value);
      else if (takesValue(command, flag)) option = flag;
    } else if (!isEnded && word.startsWith("-")) continue;
    else if (command === undefined) command = COMMAND_NAMES.find((name) => name === word);
    else args.push(word);
  }
  return { command, args, option, isEnded, account };
}

function takesValue(command: CommandName | undefined, flag: string): boolean {
  return (optionsOf(command)[flag]?.type ?? "switch") !== "switch";
}

/**
 * What may stand at the end of a command line.
 * @param words all of the line but the program's name; the last one is being typed, and may be empty
 * @param known what the account of these options knows
 * @returns words, each with a tab and what it does if that is known; or only FILES
 */
export async function offered(
  words: readonly string[],
  language: Language,
  known: (account: readonly string[]) => Promise<KnownHere>,
): Promise<readonly string[]> {
  const current = words.at(-1) ?? "";
  const { command, args, option, isEnded, account } = readTyped(words.slice(0, -1));
  const options = optionsOf(command);
  const [, before = "", flag = option, typed = current] =
    (option === undefined && !isEnded && /^(--([^=]+)=)(.*)$/s.exec(current)) || [];
  const startingWith = (found: readonly string[]) =>
    found.filter((each) => each.startsWith(typed)).map((each) => before + each);
  if (flag !== undefined) {
    const value = options[flag];
    if (value?.type === "path") return [FILES];
    return value?.type === "choice" ? startingWith(value.of) : [];
  }
  if (!isEnded && current.startsWith("-")) {
    const flags = (Object.keys(options) as Flag[]).map(
      (name) => `--${name}\t${describeOption(name, language)}`,
    );
    return startingWith(flags);
  }
  if (command === undefined)
    return startingWith(COMMAND_NAMES.map((name) => `${name}\t${describeCommand(name, language)}`));
  const takes = argumentsOf(command, "en");
  const argument = (takes[args.length] ?? takes.at(-1)?.match(/.*…\]?$/)?.[0] ?? "").replace(
    /^\[|…?\]$|…$/g,
    "",
  );
  if (argument === "#TITLE") return args[0] === "new" ? [] : startingWith(groupsOf(await known(account)));
  const isPerson = args[0] === "add" || (args.length === 2 && OF_MEMBERS.includes(args[0]));
  if (command === "group" && args.length >= 2 && !isPerson) return [];
  if (argument.startsWith("USER")) {
    const isSeveral = command === "send" || command === "group";
    const earlier = isSeveral ? typed.slice(0, typed.lastIndexOf(",") + 1) : "";
    const here = await known(account);
    const isOfGroups = OF_CONVERSATIONS.has(command) || (command === "contacts" && args[0] === "mute");
    const groups = isOfGroups ? groupsOf(here) : [];
    return startingWith([...here.people.filter(isOrdinaryName), ...groups].map((name) => earlier + name));
  }
  if (argument === "FILE" || argument === "PATH") return [FILES];
  return argument.includes("|") ? startingWith(argument.split("|")) : [];
}

function groupsOf({ groups }: KnownHere): readonly string[] {
  return groups.filter((name) => HARMLESS_GROUP.test(name));
}

/** The words of a line but for the program's name; the last one is being typed. */
function wordsOfLine(line: string): readonly string[] {
  const words = shellWords(line).map(({ text }) => text);
  const isNew = shellWords(`${line}x`).length > words.length;
  return [...words, ...(isNew ? [""] : [])].slice(1);
}

export async function completion(context: CommandContext): Promise<ExitCode> {
  const { config, args, output, process } = context;
  const [shell = ""] = args;
  const script = SCRIPTS.get(shell);
  if (script !== undefined) await output.write(script);
  else if (shell !== "words" && shell !== "line")
    throw new UsageError(textsIn(config.language).unknownShell(shell));
  else {
    const typed = await readInput(context, (_chunk, length) => length > MAX_LINE);
    const line = typed.replace(/\n$/, "");
    const words = shell === "line" ? wordsOfLine(line) : line.split("\n");
    const lines = await offered(words, config.language, (account) => knownHere(account, process.env));
    await output.write(lines.map((line) => `${line}\n`).join(""));
  }
  return EXIT.done;
}

/** @param account options @throws UsageError, AccountError, StoreError, SQLiteError */
async function knownHere(account: readonly string[], environment: NodeJS.ProcessEnv): Promise<KnownHere> {
  const invocation = readInvocation(["history", ...account], environment);
  if (invocation.name !== "command") return { people: [], groups: [] };
  return withReadableArchive(invocation.config, (archive) => ({
    people: archive.contacts().map(({ username }) => username),
    groups: archive.groups().map(({ name }) => name),
  }));
}
