/** The line that a person edits, with everything else printed above it. */

export type Offered = {
  /** What the last part of the text may become. */
  readonly offers: readonly string[];
  /** The same, as they are shown where there are several. */
  readonly shown: readonly string[];
  readonly part: string;
};

export type InputLineEvents = {
  /** Enter. `typed`: as it stands there; `expand` puts into such a text what its pastes stand for. */
  readonly line: (typed: string, expand: (text: string) => string) => void;
  /** The line has changed. */
  readonly edited: (isEmpty: boolean) => void;
  /** Ctrl-C or Ctrl-D on an empty line, or the terminal is gone. */
  readonly leaving: () => void;
  /** What Tab offers for the text before the cursor. */
  readonly complete: (before: string) => Offered;
};

export type InputLineOptions = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** What stands before the text, without control characters but for colours. */
  readonly head: string;
  /** What was typed before, newest first, for the arrow keys. */
  readonly history: readonly string[];
  /** What a paste is shown as: «[3 líneas]». */
  readonly pastedLines: (count: number) => string;
  readonly events: InputLineEvents;
};

export interface InputLine {
  /** Prints whole lines above, without disturbing what is being typed; `text` ends with a line feed. */
  print(text: string): void;
  /** Redraws the line only when the head is another one. */
  setHead(head: string): void;
  /** What stands in the line. */
  readonly text: string;
  /** Puts a text into an empty line; true when it was empty. */
  offer(text: string): boolean;
  /** What was typed in this and earlier chats, newest first. */
  readonly history: readonly string[];
  /** Gives the terminal back as it was; what is being typed is dropped. */
  close(): void;
}
