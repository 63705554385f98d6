/** What a person is asked: a value that the view makes, and the part that asks it. */

export type Choice = {
  readonly value: string;
  readonly name: string;
  /** Stands behind the name; it is neither searched nor a part of the answer. */
  readonly note?: string;
};

export type Prompt =
  | {
      readonly name: "select";
      readonly message: string;
      /** Numbered from 1 where `numbered`; the last one is the way back. */
      readonly choices: readonly Choice[];
      readonly numbered: boolean;
      /** The value of the choice that is marked at first; otherwise the first one. */
      readonly marked?: string;
    }
  /** A list that is long enough to be searched by typing; `last` is offered whatever is typed. */
  | {
      readonly name: "search";
      readonly message: string;
      readonly choices: readonly Choice[];
      readonly last: Choice;
      readonly marked?: string;
    }
  /** `offered`: what Enter alone answers; empty: nothing is. */
  | { readonly name: "input"; readonly message: string; readonly offered: string }
  | { readonly name: "password"; readonly message: string };

export type Answer =
  /** What was chosen (its value) or typed. */
  | { readonly name: "answered"; readonly value: string }
  /** Escape. */
  | { readonly name: "back" }
  /** Ctrl-C or Ctrl-D. */
  | { readonly name: "interrupted" };

/** Asks one prompt at a time. */
export interface Prompter {
  /** Shows this prompt instead of the one that is open; what was marked or typed there is kept where it fits. */
  open(prompt: Prompt): void;
  /** Takes the open prompt off the screen, prints whole lines, and shows it again; waits where a text is being typed. */
  print(text: string): void;
  /** Takes the open prompt off the screen and gives the terminal back. */
  close(): void;
}
