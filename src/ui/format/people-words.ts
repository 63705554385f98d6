/** What was decided about somebody, and what became of a verification: sentences that commands and the chat share. */
import type { ContactState } from "../../client/contact-choices.ts";
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

/** What was decided about who may write, in one sentence. @param user as shown */
export function decisionSentence(user: string, state: ContactState, texts: Texts): string {
  return {
    contact: texts.isContactNow(user),
    request: texts.requestArrived(user),
    declined: texts.isDeclinedNow(user),
    blocked: texts.isBlockedNow(user),
    stranger: texts.isStrangerNow(user),
  }[state];
}
