/** What the effects of an open chat need from the program. */
import type { CopyResult } from "../terminal/clipboard.ts";
import type { Texts } from "../texts/texts.ts";
import type { ChatEvent } from "./model.ts";

export type ChatNeeds = {
  readonly texts: Texts;
  readonly dispatch: (event: ChatEvent) => void;
  /** Describes an error in one sentence. */
  readonly describe: (error: unknown) => string;
  /** Puts a text of a message into the clipboard. */
  readonly copy: (text: string) => CopyResult;
};
