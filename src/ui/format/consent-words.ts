/** What was decided about who may write, in words. */
import type { ContactState } from "../../client/contact-choices.ts";
import type { Texts } from "../texts/texts.ts";

/** In one sentence. @param user as shown */
export function decisionSentence(user: string, state: ContactState, texts: Texts): string {
  return {
    contact: texts.isContactNow(user),
    request: texts.requestArrived(user),
    declined: texts.isDeclinedNow(user),
    blocked: texts.isBlockedNow(user),
    stranger: texts.isStrangerNow(user),
  }[state];
}
