import type { Bilingual } from "../protocol/language.ts";

/** The server cannot start, or a command of the operator fails; one sentence says why. */
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
