/** The sentences about a verification that commands and the chat share. */
import type { VerificationEnding } from "../../client/conversation/events.ts";
import type { Texts } from "../texts/texts.ts";
import { ageOf } from "./local-time.ts";

/** The code as people read it to each other: in groups of three. */
export function shownCode(code: string): string {
  return code.replace(/^(\d{3})/, "$1 ");
}

/** What became of a verification. @param retryAt when the next one may be opened, ms since 1970; undefined: at once */
export function endingSentence(
  ending: VerificationEnding,
  user: string,
  retryAt: number | undefined,
  now: number,
  texts: Texts,
): string {
  const sentence = {
    verified: () => texts.verificationDone(user),
    wrong: () => texts.verificationWrong(user),
    ended: () => texts.verificationEnded(user),
    closed: () => texts.verificationClosed,
    lost: () => texts.verificationLost(user),
    not_supported: () => texts.verificationNotSupported(user),
    storage_failed: () => texts.verificationNotStored,
  }[ending]();
  return retryAt === undefined ? sentence : `${sentence} ${texts.verificationRetry(ageOf(retryAt - now))}`;
}
