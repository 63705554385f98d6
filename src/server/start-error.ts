import type { Bilingual } from "../protocol/language.ts";

/** Why the server cannot start, or a command of its operator cannot be done, as one sentence. */
export class StartError extends Error {
  readonly sentence: Bilingual;
  /** For programs that read the output of `admin --json`. */
  readonly code: string;

  constructor(sentence: Bilingual, cause?: unknown, code = "failed") {
    super(sentence.en, { cause });
    this.sentence = sentence;
    this.code = code;
  }
}
