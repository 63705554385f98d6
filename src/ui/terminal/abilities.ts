/**
 * What a terminal can do beyond what every one does, as far as the variables of its environment tell. Where they tell
 * nothing, none of it is used: a terminal that does not know a sequence may show it as text.
 */
import { type Environment, variable } from "../../protocol/environment.ts";
import type { NotificationKind } from "./notification.ts";

export type Abilities = {
  /** A text can be a link (OSC 8). */
  readonly links: boolean;
  /** A program can write into the clipboard (OSC 52), if the person has not forbidden it. */
  readonly clipboard: boolean;
  /** How a notification is shown on the desktop; undefined: not at all. */
  readonly notifications: NotificationKind | undefined;
};

const NONE: Abilities = { links: false, clipboard: false, notifications: undefined };
const LINKS: Abilities = { ...NONE, links: true };
const BOTH: Abilities = { ...LINKS, clipboard: true };
const BOTH_AND_9: Abilities = { ...BOTH, notifications: "osc9" };
const BOTH_AND_777: Abilities = { ...BOTH, notifications: "osc777" };

/** By the value of TERM: of terminals that have one of their own, which also comes through ssh. */
const BY_TERM: readonly (readonly [RegExp, Abilities])[] = [
  [/^(?:dumb|linux)$/, NONE],
  [/^(?:xterm-kitty|xterm-ghostty|wezterm)(?:-|$)/, BOTH_AND_9],
  [/^(?:foot|contour)(?:-|$)/, BOTH_AND_777],
  [/^(?:alacritty|rio)(?:-|$)/, BOTH],
  // By an extension that may not be installed: then it does nothing.
  [/^rxvt-unicode(?:-|$)/, { ...NONE, notifications: "osc777" }],
];

/** By the value of TERM_PROGRAM. */
const BY_PROGRAM: ReadonlyMap<string, Abilities> = new Map([
  ["iTerm.app", BOTH_AND_9],
  ["WezTerm", BOTH_AND_9],
  ["ghostty", BOTH_AND_9],
  ["rio", BOTH],
  ["vscode", LINKS],
  ["Hyper", LINKS],
  ["mintty", LINKS],
]);

/** By a variable of the terminal's own: the first version that can, if the value is one. */
const BY_VARIABLE: readonly (readonly [name: string, since: number, Abilities])[] = [
  ["KITTY_WINDOW_ID", 0, BOTH_AND_9],
  ["ALACRITTY_WINDOW_ID", 0, BOTH],
  ["WT_SESSION", 0, BOTH],
  ["KONSOLE_VERSION", 241_200, BOTH],
  ["KONSOLE_VERSION", 201_200, LINKS],
  // Fedora's shows notifications, the others drop them.
  ["VTE_VERSION", 5_000, { ...LINKS, notifications: "osc777" }],
];

/** What the terminal of this process can do. */
export function abilitiesOf(environment: Environment): Abilities {
  const term = variable(environment, "TERM") ?? "";
  const program = variable(environment, "TERM_PROGRAM") ?? "";
  // These stand between the program and a terminal whose variables still are in the environment.
  if (variable(environment, "TMUX") !== undefined) {
    const version = Number.parseFloat(variable(environment, "TERM_PROGRAM_VERSION") ?? "");
    return program === "tmux" && version >= 3.4 ? LINKS : NONE;
  }
  if (variable(environment, "STY") !== undefined || /^(?:screen|tmux)(?:[.-]|$)/.test(term)) return NONE;
  const byTerm = BY_TERM.find(([pattern]) => pattern.test(term));
  if (byTerm !== undefined) return byTerm[1];
  const byProgram = BY_PROGRAM.get(program);
  if (byProgram !== undefined) return byProgram;
  const byVariable = BY_VARIABLE.find(([name, since]) => {
    const value = variable(environment, name);
    return value !== undefined && (since === 0 || Number(value) >= since);
  });
  return byVariable?.[2] ?? NONE;
}
