/** What the effects of an open chat need of the program around it. */
import type { Line } from "../format/printed-line.ts";
import type { Texts } from "../texts/texts.ts";
import type { ChatEvent } from "./model.ts";

export type ChatNeeds = {
  readonly texts: Texts;
  readonly dispatch: (event: ChatEvent) => void;
  /** A failure as one sentence. */
  readonly describe: (error: unknown) => string;
  readonly print: (lines: readonly Line[]) => void;
  /** Puts a text back into the input line, or where another one stands there on the screen. */
  readonly giveBack: (text: string) => void;
};
