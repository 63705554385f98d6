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
  requestNote: {
    es: (count: number) => (count > 1 ? `solicitud, ${texts(count)}` : "solicitud"),
    en: (count: number) => (count > 1 ? `request, ${messages(count)}` : "request"),
  },
  /** Beside a menu's entry. */
  menuRequests: {
    es: (count: number) => plural(count, "1 solicitud", `${count} solicitudes`),
    en: (count: number) => plural(count, "1 request", `${count} requests`),
  },
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
      `Se ha rechazado a ${user}: su solicitud se borra, y durante 30 días no se muestra nada más. No se le dice.`,
    en: (user: string) =>
      `${user} is declined: their request goes, and nothing more is shown for 30 days. They are not told.`,
  },
  /** After `unblock`, also of somebody who was not blocked. */
  isStillDeclined: {
    es: (user: string) =>
      `${user} no está bloqueado, pero sí rechazado: no se muestra lo que escriba. contacts accept le acepta.`,
    en: (user: string) =>
      `${user} is not blocked, but declined: what they write is not shown. contacts accept accepts them.`,
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
  requestsArrived: {
    es: (count: number) => `${count} personas piden escribirle: están en la lista.`,
    en: (count: number) => `${count} people ask to write to you: they are in the list.`,
  },
  /** What `listen` prints. `typed`: the name as it is typed. */
  requestStored: {
    es: (user: string, count: number, typed: string) =>
      `${user} pide escribirle (${count === 0 ? "lo que envía es largo, o un archivo, y no se muestra antes" : texts(count)}): history ${typed}, y después contacts accept, decline o block ${typed}.`,
    en: (user: string, count: number, typed: string) =>
      `${user} asks to write to you (${count === 0 ? "what they send is long, or a file, and is not shown before" : messages(count)}): history ${typed}, then contacts accept, decline or block ${typed}.`,
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
    es: (user: string, fingerprint: string | undefined) =>
      `${user}${fingerprint === undefined ? "" : ` (huella ${fingerprint})`} pide escribirle. Contestar o /accept le acepta; /decline le rechaza; /block le bloquea.`,
    en: (user: string, fingerprint: string | undefined) =>
      `${user}${fingerprint === undefined ? "" : ` (fingerprint ${fingerprint})`} asks to write to you. Answering or /accept accepts; /decline declines; /block blocks.`,
  },
  chatRequestTooLong: {
    es: "Lo que envía es largo, o un archivo, y no se muestra antes.",
    en: "What they send is long, or a file, and is not shown before.",
  },
  chatNoRequest: {
    es: (user: string) => `${user} no pide escribirle. /block bloquea a quien no quiera leer más.`,
    en: (user: string) => `${user} does not ask to write to you. /block blocks whom you do not want to read.`,
  },
  chatDeclined: {
    es: (user: string) =>
      `Ha rechazado a ${user}: por ahora no se le muestra lo que escriba. Escribirle o /accept le acepta.`,
    en: (user: string) =>
      `You have declined ${user}: for now you are not shown what they write. Writing to them or /accept accepts them.`,
  },
  chatBlocked: {
    es: (user: string) => `Tiene bloqueado a ${user}: nada le llega ni se le envía. /accept le desbloquea.`,
    en: (user: string) =>
      `You have blocked ${user}: nothing of theirs arrives, and nothing is sent to them. /accept unblocks them.`,
  },
  chatHelpAccept: {
    es: "acepta su solicitud, o su clave nueva, ya comparada",
    en: "accepts their request, or a new key once compared",
  },
  chatHelpDecline: {
    es: "rechaza su solicitud; le bloquea, hasta /accept",
    en: "declines their request; blocks them, until /accept",
  },
  chatHeld: {
    es: (user: string) => `Lo que escriba espera a que ${user} le acepte.`,
    en: (user: string) => `What you write waits until ${user} accepts you.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
