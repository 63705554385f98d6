/** The verification in a chat: what is said of it, and the answer that is typed while a code is compared. */
import type { MessengerEvent } from "../../client/conversation/events.ts";
import { yesOrNo } from "../format/questions.ts";
import { endingSentence, shownCode } from "../format/people-words.ts";
import { effects, print, type CommandResult, type Run } from "./message-commands.ts";
import type { ChatContext, ChatStep, PersonChat, Verifying } from "./model.ts";
import { failure, notice, peerName, printing } from "./notices.ts";

/** The word that ends a verification, or withdraws one. */
const OFF = "off";

function verifying(chat: PersonChat, now: Verifying): PersonChat {
  return { ...chat, verifying: now };
}

/** It may have been opened in this chat or at another face of the account: the code is the same. */
export function onVerification(
  before: PersonChat,
  event: MessengerEvent & { readonly name: "verification" },
  context: ChatContext,
): ChatStep<PersonChat> {
  const { now, texts } = context;
  const user = peerName(before, context);
  switch (event.state) {
    case "asked":
      return printing(verifying(before, { name: "asked" }), [notice(texts.chatVerificationAsked(user))]);
    case "withdrawn":
      return printing(verifying(before, { name: "none" }), [notice(texts.verificationWithdrawnThere(user))]);
    case "waiting": {
      const chat = verifying(before, { name: "waiting" });
      // Who has opened it first is not waited for.
      if (before.verifying.name === "asked") return { chat, effects: [] };
      return printing(chat, [notice(texts.chatVerificationWaiting(user))]);
    }
    case "code": {
      const comparing = verifying(before, { name: "comparing", code: event.code });
      return printing(comparing, [notice(texts.chatVerificationCode(user, shownCode(event.code)))]);
    }
    default: {
      const chat = verifying(before, { name: "none" });
      const sentence = endingSentence(event.state, user, event.retryAt, now, texts);
      if (event.state === "wrong") return printing(chat, [failure(sentence)]);
      const isVerified = event.state === "verified" || chat.peer.isVerified;
      return printing({ ...chat, peer: { ...chat.peer, isVerified } }, [notice(sentence)]);
    }
  }
}

/** `/verify`, `/verify off`, and an answer as `/verify yes`. */
export const verify: Run<PersonChat> = (argument, chat, context) => {
  const { texts } = context;
  if (argument === "") return effects({ name: "openVerification" });
  if (argument.toLowerCase() === OFF) {
    const isOpen = chat.verifying.name !== "none" && chat.verifying.name !== "asked";
    return effects({ name: isOpen ? "closeVerification" : "withdrawVerification" });
  }
  const same = yesOrNo(argument, texts);
  if (same === undefined) return print(notice(texts.chatUsage(`/verify [${OFF}]`)));
  if (chat.verifying.name !== "comparing") return print(notice(texts.chatNoCode));
  return answered(same);
};

/**
 * What is typed while a code is compared is an answer, and nothing else is sent: people would compare the code in the
 * chat, where somebody in the middle could change it. Undefined: none is compared.
 */
export function answerOf(typed: string, chat: PersonChat, context: ChatContext): CommandResult | undefined {
  if (chat.verifying.name !== "comparing") return undefined;
  const same = yesOrNo(typed, context.texts);
  if (same !== undefined) return answered(same);
  const code = shownCode(chat.verifying.code);
  return { name: "fault", sentence: context.texts.chatAnswerFirst(peerName(chat, context), code) };
}

function answered(same: boolean): CommandResult {
  return effects({ name: "answerVerification", same });
}

/** Our answer has left. */
export function onAnswered(chat: PersonChat, context: ChatContext): ChatStep<PersonChat> {
  // The other side's may have come at once.
  if (chat.verifying.name !== "comparing") return { chat, effects: [] };
  const answer = notice(context.texts.verificationAnswered(peerName(chat, context)));
  return printing(verifying(chat, { name: "answered" }), [answer]);
}
