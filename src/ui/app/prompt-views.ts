/** What the terminal shows, and the prompts that the views of several screens ask. */
import type { LinePrompt } from "../line/line-prompt.ts";
import type { Choice, ListPrompt, Prompt } from "../prompts/prompt.ts";
import { CHOICE, type AppContext } from "./steps.ts";

export type View =
  | { readonly name: "prompt"; readonly prompt: Prompt }
  | { readonly name: "chat"; readonly prompt: LinePrompt }
  /** `back`: what Escape does; at `later` the next prompt takes it. */
  | { readonly name: "working"; readonly text: string; readonly back: "now" | "later" }
  | { readonly name: "ended" };

/** A list with up to this many entries is a menu with numbers; a longer one is searched by typing. */
const MAX_NUMBERED = 9;

export function asking(prompt: Prompt): View {
  return { name: "prompt", prompt };
}

export function input(message: string, offered = ""): View {
  return asking({ name: "input", message, offered });
}

export function password(message: string): View {
  return asking({ name: "password", message });
}

/**
 * A list with a last entry that leads back.
 * @param opened number of choices when it was opened, which decides its kind
 * @param entries stand before the way back, whatever is typed
 * @param takes value of the entry that a typed text leads to which fits no choice
 */
export function list(
  message: string,
  choices: readonly Choice[],
  { texts }: AppContext,
  {
    opened = choices.length,
    entries = [],
    takes,
  }: { opened?: number; entries?: readonly Choice[]; takes?: string } = {},
): ListPrompt {
  const fixed = [...entries, { value: CHOICE.back, name: texts.menuBack }];
  const taking = takes === undefined ? {} : { takes };
  if (opened + fixed.length > MAX_NUMBERED) {
    return { name: "search", message, choices, fixed, keys: texts.menuSearchKeys, ...taking };
  }
  return { name: "select", message, choices: [...choices, ...fixed], keys: texts.menuListKeys, ...taking };
}
