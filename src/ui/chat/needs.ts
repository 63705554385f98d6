/** What the effects of an open chat need from the program. */
import type { Line } from "../format/printed-line.ts";
import type { Texts } from "../texts/texts.ts";
import type { ChatEvent } from "./model.ts";

export type ChatNeeds = {
  readonly texts: Texts;
  readonly dispatch: (event: ChatEvent) => void;
  /** Describes an error in one sentence. */
  readonly describe: (error: unknown) => string;
  readonly print: (lines: readonly Line[]) => void;
  /** Puts a text back into the input line; if that is not empty, prints it. */
  readonly giveBack: (text: string) => void;
};
