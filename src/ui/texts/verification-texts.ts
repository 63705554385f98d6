/** The verification of a person by a code that both see. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { BilingualText } from "./bilingual-text.ts";

export const VERIFICATION_TEXTS = {
  /** `typed`: the name as a command takes it. */
  verificationAsked: {
    es: (user: string, typed: string) =>
      `${user} quiere comprobar con usted, con un código, que nadie intercepta: «verify ${quotedText(typed)}».`,
    en: (user: string, typed: string) =>
      `${user} wants to check with you, by a code, that nobody is intercepting: “verify ${quotedText(typed)}”.`,
  },
  chatVerificationAsked: {
    es: (user: string) => `${user} quiere comprobar con usted, con un código, que nadie intercepta: /verify.`,
    en: (user: string) => `${user} wants to check with you, by a code, that nobody is intercepting: /verify.`,
  },
  menuVerificationAsked: {
    es: (user: string) =>
      `${user} quiere comprobar con usted, con un código, que nadie intercepta: abra su chat y escriba /verify.`,
    en: (user: string) =>
      `${user} wants to check with you, by a code, that nobody is intercepting: open the chat with ${user} and type /verify.`,
  },
  verificationWithdrawnThere: {
    es: (user: string) => `${user} ya no espera para la verificación.`,
    en: (user: string) => `${user} no longer waits for the verification.`,
  },
  verificationWaiting: {
    es: (user: string) =>
      `Esperando a que ${user} también abra la verificación: /verify en el chat, o la orden verify.`,
    en: (user: string) =>
      `Waiting until ${user} opens the verification too: /verify in the chat, or the command verify.`,
  },
  verificationCode: {
    es: (code: string) => `Código: ${code}`,
    en: (code: string) => `Code: ${code}`,
  },
  verificationHow: {
    es: "Compárenlo de viva voz o por teléfono; no por el chat, donde quien intercepta podría cambiarlo.",
    en: "Compare it by voice, in person or by phone; not in the chat, where whoever intercepts could change it.",
  },
  verificationQuestion: {
    es: (user: string) => `¿Ve ${user} el mismo código? (sí/no)`,
    en: (user: string) => `Does ${user} see the same code? (yes/no)`,
  },
  chatVerificationWaiting: {
    es: (user: string) => `Falta que ${user} también escriba /verify. /verify off lo cancela.`,
    en: (user: string) => `Waiting until ${user} types /verify too. /verify off cancels.`,
  },
  chatVerificationCode: {
    es: (user: string, code: string) =>
      `Código ${code}. Compárenlo de viva voz o por teléfono, no por el chat: ¿ve ${user} el mismo? Escriba sí o no.`,
    en: (user: string, code: string) =>
      `Code ${code}. Compare it by voice, in person or by phone, not in the chat: does ${user} see the same? Type yes or no.`,
  },
  /** In the place of the prompt. */
  chatSameCode: {
    es: (code: string) => `${code}: ¿el mismo? (sí/no)`,
    en: (code: string) => `${code}: the same? (yes/no)`,
  },
  chatAnswerFirst: {
    es: (user: string, code: string) =>
      `No se ha enviado: antes responda sí o no, si ${user} ve ${code}. /verify off lo cancela.`,
    en: (user: string, code: string) =>
      `Not sent: first answer yes or no, whether ${user} sees ${code}. /verify off cancels.`,
  },
  chatNoCode: { es: "No hay ningún código que comparar.", en: "There is no code to compare." },
  chatHelpVerify: {
    es: "comprueba quién es: con un código; con un número",
    en: "checks who it is: by a code; by a number",
  },
  verificationAnswered: {
    es: (user: string) => `Falta la respuesta de ${user}.`,
    en: (user: string) => `Waiting for the answer of ${user}.`,
  },
  verificationDone: {
    es: (user: string) => `Verificación completa ✔: la clave es de ${user}, y nadie intercepta.`,
    en: (user: string) => `Verified ✔: the key is ${user}'s, and nobody is intercepting.`,
  },
  verificationWrong: {
    es: (user: string) =>
      `Los códigos no coinciden: no se ha verificado nada, y puede que alguien intercepte lo que hablan ${user} y usted.`,
    en: (user: string) =>
      `The codes differ: nothing was verified, and somebody may be intercepting what you and ${user} say.`,
  },
  verificationEnded: {
    es: (user: string) => `${user} ha cerrado la verificación; no se ha verificado nada.`,
    en: (user: string) => `${user} has closed the verification; nothing was verified.`,
  },
  verificationClosed: { es: "Verificación cancelada.", en: "Verification cancelled." },
  verificationLost: {
    es: (user: string) =>
      `Se ha perdido la conexión con ${user} a mitad de la verificación; no se ha verificado nada.`,
    en: (user: string) =>
      `The connection to ${user} was lost in the middle of the verification; nothing was verified.`,
  },
  verificationNotSupported: {
    es: (user: string) =>
      `El programa de ${user} no sabe comparar códigos: comparen por otro medio el número de seguridad (fingerprint).`,
    en: (user: string) =>
      `The program of ${user} cannot compare codes: compare the safety number (fingerprint) over another channel.`,
  },
  verificationNotStored: {
    es: "No se ha podido guardar: no se ha verificado nada aquí.",
    en: "It could not be stored: nothing was verified here.",
  },
  verificationTooSoon: {
    es: (time: string) =>
      `Espere ${time}: tras un código que no se llegó a confirmar, el siguiente tiene que esperar, cada vez más.`,
    en: (time: string) =>
      `Wait ${time}: after a code that was not confirmed, the next one has to wait, longer each time.`,
  },
  verificationRetry: {
    es: (time: string) => `Se puede repetir dentro de ${time}.`,
    en: (time: string) => `You can try again in ${time}.`,
  },
  verificationNeedsTerminal: {
    es: "verify necesita una terminal en la que responder; un programa usa daemon.",
    en: "verify needs a terminal at which to answer; a program uses daemon.",
  },
  verificationOff: {
    es: (user: string) => `Se ha retirado la verificación de ${user}: ya no lleva ✔.`,
    en: (user: string) => `The verification of ${user} was withdrawn: no ✔ any more.`,
  },
  notVerified: {
    es: (user: string) => `No hay nada que retirar: la clave de ${user} no está verificada.`,
    en: (user: string) => `There is nothing to withdraw: the key of ${user} is not verified.`,
  },

  /** A person who was verified has another key. `typed`: the name as a command takes it. */
  peerNotVerified: {
    es: (user: string, typed: string) =>
      `${user} tiene otra clave que la verificada: ¿otra máquina, o alguien que intercepta? Nada pasa hasta verificar la nueva, los dos a la vez, con «verify ${quotedText(typed)}».`,
    en: (user: string, typed: string) =>
      `${user} has another key than the verified one: another machine, or someone intercepting? Nothing passes until you both verify the new one, at the same time, with “verify ${quotedText(typed)}”.`,
  },
  chatNotVerified: {
    es: (user: string) =>
      `${user} tiene otra clave que la verificada: ¿otra máquina, o alguien que intercepta? No se le envía ni se muestra nada hasta verificar la nueva, los dos a la vez, con /verify.`,
    en: (user: string) =>
      `${user} has another key than the verified one: another machine, or someone intercepting? Nothing is sent or shown until you both verify the new one, at the same time, with /verify.`,
  },
  menuNotVerified: {
    es: (user: string) =>
      `${user} tiene otra clave que la verificada: ¿otra máquina, o alguien que intercepta? Abra su chat para verificarla.`,
    en: (user: string) =>
      `${user} has another key than the verified one: another machine, or someone intercepting? Open the chat with ${user} to verify it.`,
  },
  queuedUntilVerified: {
    es: (what: string, user: string) =>
      `${what} queda en cola y no se enviará hasta que se verifique la clave de ${user}.`,
    en: (what: string, user: string) =>
      `${what} is queued and will not be sent until the key of ${user} is verified.`,
  },
  acceptNeedsVerification: {
    es: (user: string, typed: string) =>
      `${user} lleva ✔, así que su clave nueva no basta con aceptarla: verifíquenla los dos a la vez con «verify ${quotedText(typed)}». Si no es posible, «verify ${quotedText(typed)} --off» retira la verificación; después se puede comparar el número y aceptar.`,
    en: (user: string, typed: string) =>
      `${user} has a ✔, so accepting the new key is not enough: verify it, both of you at the same time, with “verify ${quotedText(typed)}”. If that is not possible, “verify ${quotedText(typed)} --off” withdraws the verification; then the number can be compared and the key accepted.`,
  },
  chatAcceptNeedsVerification: {
    es: (user: string) =>
      `${user} lleva ✔, así que su clave nueva no basta con aceptarla: verifíquenla los dos a la vez con /verify. Si no es posible, /verify off retira la verificación; después se puede comparar el número y aceptar.`,
    en: (user: string) =>
      `${user} has a ✔, so accepting the new key is not enough: verify it, both of you at the same time, with /verify. If that is not possible, /verify off withdraws the verification; then the number can be compared and the key accepted.`,
  },
  verifiedMark: { es: "✔ verificado", en: "✔ verified" },
} as const satisfies { readonly [name: string]: BilingualText };
