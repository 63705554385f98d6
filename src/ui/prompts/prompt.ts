/** Prompts as values that the view makes, and what both prompters share. */
import type { TypedKey } from "../terminal/key-queue.ts";
import type { Texts } from "../texts/texts.ts";
import { withoutLastGrapheme } from "../format/graphemes.ts";

export type Choice = {
  readonly value: string;
  readonly name: string;
  /** Shown after the name; it is neither searched nor part of the answer. */
  readonly note?: string;
  /** As `note`, behind it and dim: what may change at any time, such as an age. */
  readonly aside?: string;
};

type Listed = {
  readonly message: string;
  readonly choices: readonly Choice[];
  /** Stand above the question, and change while it is open: what is no longer so is gone. Visible text, a line each. */
  readonly news?: readonly string[];
  /** Which keys do what, shown below the list. */
  readonly keys: string;
  /** Value of the choice that is marked at first; undefined: the first one. */
  readonly marked?: string;
  /** Value of the choice that a typed text leads to which fits no choice; undefined: it is refused. */
  readonly takes?: string;
};

export type ListPrompt =
  /** The choices are numbered from 1. */
  | ({ readonly name: "select" } & Listed)
  /** A long list, searched by typing; `fixed` is offered behind what is found, whatever is typed. */
  | ({ readonly name: "search"; readonly fixed: readonly Choice[] } & Listed);

export type Prompt =
  | ListPrompt
  /**
   * `offered`: the answer if only Enter is typed; may be empty. `begun`: stands in the line at first, and can be
   * changed. `completes`: Tab completes the names of known people.
   */
  | {
      readonly name: "input";
      readonly message: string;
      readonly offered: string;
      readonly begun?: string;
      readonly completes?: true;
    }
  | { readonly name: "password"; readonly message: string };

export type Answer =
  /** The value of the choice, or the typed text. `typed`: the text that the choice takes. */
  | { readonly name: "answered"; readonly value: string; readonly typed?: string }
  /** Escape. */
  | { readonly name: "back" }
  /** Ctrl-C, Ctrl-D, or the terminal is gone. */
  | { readonly name: "interrupted" };

/** Asks one prompt at a time; holds the terminal from its construction until `close`. */
export interface Prompter {
  /** Replaces the open prompt by this one. If both ask the same, the mark and the typed text are kept. */
  open(prompt: Prompt): void;
  /** Prints whole lines above the open prompt. @param notices each of one or more rows, with a line feed at its end */
  print(notices: readonly string[]): void;
  /** Takes the open prompt off the screen and releases the terminal. */
  close(): void;
}

export type PrompterOptions = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly texts: Texts;
  /** What is printed in the place of notices that came in too great a number while an answer was typed. */
  readonly dropped: (count: number) => string;
  /** Called once for each prompt that is not replaced by another one. */
  readonly answered: (answer: Answer) => void;
  /** A begun name, completed as far as all known names agree. */
  readonly complete: (begun: string) => string;
};

/** Length of a typed answer in UTF-16 units; more is dropped. */
const MAX_TYPED = 4_096;
const CONTROL = /\p{Cc}/u;
/** Keys that clear the typed text together with Ctrl. */
const CLEARING_KEYS: ReadonlySet<string | undefined> = new Set(["u", "w"]);

export function isList(prompt: Prompt): prompt is ListPrompt {
  return prompt.name === "select" || prompt.name === "search";
}

/** All choices of a list, in the order in which they are shown. */
export function choicesOf(prompt: ListPrompt): readonly Choice[] {
  return prompt.name === "search" ? [...prompt.choices, ...prompt.fixed] : prompt.choices;
}

/** Whether Tab completes names here. */
export function completesNames(prompt: Prompt): boolean {
  return prompt.name === "input" && prompt.completes === true;
}

/** Nothing of it is seen, and some of them turn around what is. */
const UNSEEN = /^[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]$/u;
/** What may follow a pictograph and build one emoji with it: a joiner, a selector. */
const EMOJI_PART = /^[\u200d\ufe0e\ufe0f]$/u;
const PICTOGRAPH_LAST = /\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?$/u;

/** Whether a key types a character of which nothing would be seen behind this text: it is not typed. */
export function isUnseen(text: string, { typed }: TypedKey): boolean {
  if (typed === undefined || !UNSEEN.test(typed)) return false;
  return !(EMOJI_PART.test(typed) && PICTOGRAPH_LAST.test(text));
}

/** The typed text after one more key: a character, Backspace, Ctrl-U or Ctrl-W. Other keys change nothing. */
export function editedText(text: string, { typed, key }: TypedKey): string {
  if (key.name === "backspace") return withoutLastGrapheme(text);
  if (key.ctrl === true) return CLEARING_KEYS.has(key.name) ? "" : text;
  if (typed === undefined || CONTROL.test(typed) || text.length >= MAX_TYPED) return text;
  return text + typed;
}
