/** What a person is asked: values that the view makes, and what both prompters share in asking them. */
import type { TypedKey } from "../terminal/key-queue.ts";
import type { Texts } from "../texts/texts.ts";
import { withoutLastGrapheme } from "../format/graphemes.ts";

export type Choice = {
  readonly value: string;
  readonly name: string;
  /** Shown after the name; it is neither searched nor part of the answer. */
  readonly note?: string;
};

export type ListPrompt =
  | {
      readonly name: "select";
      readonly message: string;
      /** Numbered from 1; the last one is the way back. */
      readonly choices: readonly Choice[];
      /** Value of the choice that is marked at first; otherwise the first one is. */
      readonly marked?: string;
    }
  /** A list long enough to be searched by typing; `last` is offered whatever is typed. */
  | {
      readonly name: "search";
      readonly message: string;
      readonly choices: readonly Choice[];
      readonly last: Choice;
      readonly marked?: string;
    };

export type Prompt =
  | ListPrompt
  /** `offered`: the answer of Enter alone; empty: there is none. */
  | { readonly name: "input"; readonly message: string; readonly offered: string }
  | { readonly name: "password"; readonly message: string };

export type Answer =
  /** The value of the chosen choice, or what was typed. */
  | { readonly name: "answered"; readonly value: string }
  /** Escape. */
  | { readonly name: "back" }
  /** Ctrl-C, Ctrl-D, or the terminal is gone. */
  | { readonly name: "interrupted" };

/** Asks one prompt at a time, and holds the terminal from its construction until `close`. */
export interface Prompter {
  /** Shows this prompt in place of the open one. Where both ask the same, what was marked or typed is kept. */
  open(prompt: Prompt): void;
  /** Prints whole lines above the open prompt. */
  print(text: string): void;
  /** Takes the open prompt off the screen and gives the terminal back. */
  close(): void;
}

export type PrompterOptions = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly texts: Texts;
  /** Called once for each prompt that is not replaced by another one. */
  readonly answered: (answer: Answer) => void;
};

/** UTF-16 units of a typed answer; what is typed beyond them is dropped. */
const MAX_TYPED = 4_096;
const CONTROL = /\p{Cc}/u;
/** With Ctrl: the keys that clear what was typed. */
const CLEARING_KEYS: ReadonlySet<string | undefined> = new Set(["u", "w"]);

export function isList(prompt: Prompt): prompt is ListPrompt {
  return prompt.name === "select" || prompt.name === "search";
}

/** All choices of a list, in the order in which they are shown. */
export function choicesOf(prompt: ListPrompt): readonly Choice[] {
  return prompt.name === "search" ? [...prompt.choices, prompt.last] : prompt.choices;
}

/** What was typed, after one more key: a character, Backspace, Ctrl-U or Ctrl-W. Other keys change nothing. */
export function editedText(text: string, { typed, key }: TypedKey): string {
  if (key.name === "backspace") return withoutLastGrapheme(text);
  if (key.ctrl === true) return CLEARING_KEYS.has(key.name) ? "" : text;
  if (typed === undefined || CONTROL.test(typed) || text.length >= MAX_TYPED) return text;
  return text + typed;
}
