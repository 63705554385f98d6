/** The help, and what it says about each command and each option. */
import type { Language } from "../protocol/language.ts";
import { COMMAND_NAMES, FLAGS, type CommandName, type Flag } from "./config.ts";
import { COMMAND_HELP, HELP_FRAME, OPTION_HELP } from "./texts/help-texts.ts";

const WIDTH = 80;
/** Where the descriptions begin. */
const COLUMN = 27;

/** Arguments of a command as the help shows them: `[…]` may be left out, `…` may be repeated. */
export function argumentsOf(command: CommandName, language: Language): readonly string[] {
  return COMMAND_HELP[command][language][0].split(" ").filter((word) => word !== "");
}

export function describeCommand(command: CommandName, language: Language): string {
  return COMMAND_HELP[command][language][1];
}

export function describeOption(flag: Flag, language: Language): string {
  return OPTION_HELP[flag][language][1];
}

/** The text of `--help`, at most WIDTH columns wide. */
export function helpText(language: Language): string {
  const { top, noCommand, afterOptions, bottom } = HELP_FRAME[language];
  const commands = COMMAND_NAMES.map((name) => {
    const [takes, does] = COMMAND_HELP[name][language];
    return row(`${name} ${takes}`, does);
  });
  const options = FLAGS.map((flag) => {
    const [takes, does] = OPTION_HELP[flag][language];
    return row(`--${flag} ${takes}`, does);
  });
  return [
    `${top}\n`,
    row(...noCommand),
    ...commands,
    "",
    ...options,
    row(...afterOptions),
    `\n${bottom}`,
  ].join("\n");
}

function row(left: string, does: string): string {
  const rows: string[] = [];
  let line = "  ";
  const put = (word: string, indent: number) => {
    if (line.length + word.length > WIDTH) {
      rows.push(line.trimEnd());
      line = " ".repeat(indent);
    }
    line += `${word} `;
  };
  for (const word of left.trim().split(" ")) put(word, 4);
  line = `${line} `.padEnd(COLUMN);
  for (const word of does.split(" ")) put(word, COLUMN);
  return [...rows, line.trimEnd()].join("\n");
}
