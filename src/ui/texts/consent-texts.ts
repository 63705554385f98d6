/** Who may write: requests, acceptance, refusal. Names passed in are visible text already. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

function texts(count: number): string {
  return plural(count, "1 mensaje", `${count} mensajes`);
}

function messages(count: number): string {
  return plural(count, "1 message", `${count} messages`);
}

export const CONSENT_TEXTS = {
  /** In a list, in parentheses. */
  requestNote: { es: "pide escribirle", en: "asks to write to you" },
  blockedNote: { es: "bloqueado", en: "blocked" },
  declinedNote: { es: "rechazado", en: "declined" },
  strangerNote: { es: "desconocido", en: "stranger" },

  /** What was decided. */
  isContactNow: {
    es: (user: string) => `${user} puede escribirle.`,
    en: (user: string) => `${user} may write to you.`,
  },
  isDeclinedNow: {
    es: (user: string) =>
      `Se ha rechazado a ${user}: lo que había escrito se borra, y durante 30 días no se muestra nada más. No se le dice.`,
    en: (user: string) =>
      `${user} is declined: what they had written goes, and nothing more is shown for 30 days. They are not told.`,
  },
  isBlockedNow: {
    es: (user: string) => `Se ha bloqueado a ${user}: no le encuentra ni le escribe. No se le dice.`,
    en: (user: string) => `${user} is blocked: they cannot reach you or write to you. They are not told.`,
  },
  isStrangerNow: {
    es: (user: string) => `${user} no está entre sus contactos: si escribe, antes lo pide.`,
    en: (user: string) => `${user} is not one of your contacts: they have to ask before they write.`,
  },

  unknownDecision: {
    es: (word: string) =>
      `contacts: «${quotedText(word)}» no es ninguna de add, remove, accept, decline, block, unblock, mute.`,
    en: (word: string) =>
      `contacts: “${quotedText(word)}” is none of add, remove, accept, decline, block, unblock, mute.`,
  },
  requestArrived: {
    es: (user: string) => `${user} pide escribirle.`,
    en: (user: string) => `${user} asks to write to you.`,
  },
  /** What `listen` prints. `typed`: the name as it is typed. */
  requestStored: {
    es: (user: string, count: number, typed: string) =>
      `${user} pide escribirle (${count === 0 ? "el mensaje es demasiado largo para mostrarlo antes" : texts(count)}): history ${typed}, y después contacts accept, decline o block ${typed}.`,
    en: (user: string, count: number, typed: string) =>
      `${user} asks to write to you (${count === 0 ? "the message is too long to be shown before" : messages(count)}): history ${typed}, then contacts accept, decline or block ${typed}.`,
  },
  waitsForAcceptance: {
    es: (user: string) => `Espera a que ${user} le acepte.`,
    en: (user: string) => `It waits until ${user} accepts you.`,
  },
  acceptedBy: {
    es: (user: string) => `${user} le ha aceptado.`,
    en: (user: string) => `${user} has accepted you.`,
  },
  isBlocked: {
    es: "Tiene bloqueada a esa persona, y no se le envía nada: contacts unblock la desbloquea.",
    en: "You have blocked that person, and nothing is sent to them: contacts unblock unblocks them.",
  },

  /** In the chat. */
  chatRequest: {
    es: (user: string) =>
      `${user} pide escribirle. Si contesta, le acepta; si no, fuera del chat: contacts decline o contacts block.`,
    en: (user: string) =>
      `${user} asks to write to you. Answering accepts; otherwise, outside the chat: contacts decline or contacts block.`,
  },
  chatHeld: {
    es: (user: string) => `Lo que escriba espera a que ${user} le acepte.`,
    en: (user: string) => `What you write waits until ${user} accepts you.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
