/** All texts of the client in both languages; a missing text does not compile. */
import type { Language } from "../../protocol/language.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { durationIn, LIST, type BilingualText } from "./bilingual-text.ts";
import { ACCOUNT_TEXTS } from "./account-texts.ts";
import { CHAT_TEXTS } from "./chat-texts.ts";
import { CONSENT_TEXTS } from "./consent-texts.ts";
import { DOCTOR_TEXTS } from "./doctor-texts.ts";
import { FAILURE_TEXTS } from "./failure-texts.ts";
import { FILE_TEXTS } from "./file-texts.ts";
import { GROUP_COMMAND_TEXTS } from "./group-command-texts.ts";
import { GROUP_TEXTS } from "./group-texts.ts";
import { MENU_TEXTS } from "./menu-texts.ts";
import { MESSAGE_TEXTS } from "./message-texts.ts";
import { PROFILE_TEXTS } from "./profile-texts.ts";
import { USAGE_TEXTS } from "./usage-texts.ts";
import { VERIFICATION_TEXTS } from "./verification-texts.ts";

const TABLE = {
  ...USAGE_TEXTS,
  ...FAILURE_TEXTS,
  ...MENU_TEXTS,
  ...MESSAGE_TEXTS,
  ...CHAT_TEXTS,
  ...PROFILE_TEXTS,
  ...ACCOUNT_TEXTS,
  ...VERIFICATION_TEXTS,
  ...CONSENT_TEXTS,
  ...DOCTOR_TEXTS,
  ...FILE_TEXTS,
  ...GROUP_TEXTS,
  ...GROUP_COMMAND_TEXTS,

  passwordPrompt: {
    es: (user: string) => `Contraseña de ${user}:`,
    en: (user: string) => `Password for ${user}:`,
  },
  passwordHidden: { es: "(no se muestra)", en: "(not shown)" },
  passwordAgain: { es: "Repita la contraseña:", en: "Repeat the password:" },
  passwordsDiffer: { es: "Las contraseñas no coinciden.", en: "The passwords do not match." },
  passwordNeeded: {
    es: "Falta la contraseña: en PALOMA_PASSWORD, con --password-stdin, o en una terminal.",
    en: "The password is missing: give it in PALOMA_PASSWORD, with --password-stdin, or at a terminal.",
  },
  sessionEnded: {
    es: "La sesión guardada ya no vale; hace falta la contraseña (PALOMA_PASSWORD, --password-stdin, o una terminal).",
    en: "The stored session is no longer valid; the password is needed (PALOMA_PASSWORD, --password-stdin, or a terminal).",
  },

  firstContact: {
    es: (server: string, fingerprint: string) =>
      `Primer contacto con ${server}. La huella de su autoridad es\n${fingerprint}\nCompárela con la que muestra el servidor al arrancar. ¿Es la misma? (sí/no)`,
    en: (server: string, fingerprint: string) =>
      `First contact with ${server}. The fingerprint of its authority is\n${fingerprint}\nCompare it with the one that the server shows when it starts. Are they the same? (yes/no)`,
  },
  changedAuthority: {
    es: (server: string, expected: string, found: string) =>
      `¡Atención! ${server} no es el servidor que conocía esta máquina. Su huella era\n${expected}\ny ahora es\n${found}\nAcéptelo solo si quien lo administra confirma el cambio. Escriba «sí» para aceptarlo:`,
    en: (server: string, expected: string, found: string) =>
      `Warning! ${server} is not the server that this machine knew. Its fingerprint was\n${expected}\nand now it is\n${found}\nAccept it only if whoever runs the server confirms the change. Type “yes” to accept it:`,
  },
  yesWords: { es: "sí si", en: "yes" },
  noWords: { es: "no", en: "no" },
  answerYesOrNo: {
    es: "Conteste «sí» o «no», con la palabra entera.",
    en: "Answer “yes” or “no”, in full.",
  },

  registered: {
    es: (user: string) => `Usuario registrado exitosamente: ${user}`,
    en: (user: string) => `User registered: ${user}`,
  },
  nobodyOnline: { es: "No hay nadie más en línea.", en: "Nobody else is online." },
  legacyOnly: { es: "solo sin cifrar", en: "unencrypted only" },
  noAddress: { es: "solo a través del servidor", en: "through the server only" },
  loggedOut: { es: "Sesión cerrada.", en: "Logged out." },
  loggedOutHere: {
    es: "La sesión se ha borrado de esta máquina; en el servidor caduca a los 30 días.",
    en: "The session was deleted from this machine; it expires on the server after 30 days.",
  },
  notLoggedIn: { es: "No hay ninguna sesión guardada.", en: "There is no stored session." },

  ready: {
    es: (user: string, port: number) => `${user} está en línea (puerto ${port}). Ctrl-C para terminar.`,
    en: (user: string, port: number) => `${user} is online (port ${port}). Ctrl-C to end.`,
  },
  readyAtRelay: {
    es: (user: string) => `${user} está en línea, solo a través del servidor. Ctrl-C para terminar.`,
    en: (user: string) => `${user} is online, through the server only. Ctrl-C to end.`,
  },
  readyWithoutServer: {
    es: (user: string, port: number) =>
      `${user} no figura en línea sin el servidor, pero quienes ya conocen su dirección pueden conectarse (puerto ${port}). Ctrl-C para terminar.`,
    en: (user: string, port: number) =>
      `${user} is not listed as online without the server, but those who already know this address can connect (port ${port}). Ctrl-C to end.`,
  },
  serverLost: {
    es: "Sin conexión con el servidor; con quienes ya conoce puede seguir hablando.",
    en: "No connection to the server; you can still talk to people you know.",
  },
  serverLimits: {
    es: "El servidor limita las conexiones y pide esperar; con quienes ya conoce puede seguir hablando.",
    en: "The server is limiting connections and asks you to wait; you can still talk to people you know.",
  },
  nextAttemptAt: {
    es: (clock: string) => `Nuevo intento a las ${clock}.`,
    en: (clock: string) => `Next attempt at ${clock}.`,
  },
  serverBack: { es: "Conectado de nuevo al servidor.", en: "Reconnected to the server." },
  linksUntil: {
    es: (day: string, time: string) => `Hasta el ${day} a las ${time} se pueden abrir conexiones nuevas.`,
    en: (day: string, time: string) => `New connections can be opened until ${day}, ${time}.`,
  },
  noNewLinks: {
    es: "Ahora no se pueden abrir conexiones nuevas: siguen solo las que ya están abiertas.",
    en: "No new connections can be opened now: only those already open continue.",
  },
  newKeyWarning: {
    es: "El servidor no conocía la clave de esta máquina. Si ya usaba la cuenta en otra, sus contactos verán que ha cambiado.",
    en: "The server did not know this machine's key. If you have used the account elsewhere, your contacts will see that it has changed.",
  },
  clockWarning: {
    es: (difference: string) => `El reloj de esta máquina y el del servidor difieren en ${difference}.`,
    en: (difference: string) => `This machine's clock and the server's differ by ${difference}.`,
  },
  minutes: durationIn("minute"),
  hours: durationIn("hour"),
  days: durationIn("day"),
  list: LIST,
  storageFailed: {
    es: (why: string) =>
      `El disco falla o está lleno (${why}): lo que llegue y no se pueda guardar no se confirma, y se volverá a enviar.`,
    en: (why: string) =>
      `The disk fails or is full (${why}): messages that cannot be saved are not acknowledged and will be sent again.`,
  },
  diskLow: {
    es: "quedan libres menos de 256 MiB y menos del 1 %",
    en: "less than 256 MiB, and less than 1 %, is free",
  },
  peerToldError: {
    es: (user: string, code: string) => `La máquina de ${user} avisa de un error: «${quotedText(code)}»`,
    en: (user: string, code: string) => `${user}'s machine reports an error: “${quotedText(code)}”`,
  },
  peerStorageFailed: {
    es: (user: string) =>
      `El disco de la máquina de ${user} no admite lo enviado: queda en cola aquí, y se volverá a intentar.`,
    en: (user: string) =>
      `The disk of ${user}'s machine does not accept what was sent: it stays queued here and will be retried.`,
  },
  refusedConnection: {
    es: (address: string, code: string) => `Conexión rechazada de ${address}: ${code}`,
    en: (address: string, code: string) => `Connection refused from ${address}: ${code}`,
  },
  presenceOnline: {
    es: (user: string) => `${user} está en línea`,
    en: (user: string) => `${user} is online`,
  },
  presenceOffline: {
    es: (user: string) => `${user} ya no está en línea`,
    en: (user: string) => `${user} is no longer online`,
  },

  ownFingerprint: {
    es: (user: string) => `Huella de la clave de ${user} en esta máquina:`,
    en: (user: string) => `Fingerprint of ${user}'s key on this machine:`,
  },
  safetyNumber: {
    es: (user: string) => `Número de seguridad con ${user} (debe ser igual en las dos máquinas):`,
    en: (user: string) => `Safety number with ${user} (it must be the same on both machines):`,
  },
  pendingSafetyNumber: {
    es: (user: string) => `Clave nueva de ${user}, sin aceptar todavía. Su número de seguridad sería:`,
    en: (user: string) => `New key of ${user}, not accepted yet. Its safety number would be:`,
  },
  keyAccepted: {
    es: (user: string) => `Se ha aceptado la clave nueva de ${user}.`,
    en: (user: string) => `The new key of ${user} was accepted.`,
  },
  numberNotNoted: {
    es: (why: string) =>
      `No se ha podido anotar que el número pendiente se ha mostrado (${why}): muéstrelo otra vez antes de aceptar la clave.`,
    en: (why: string) =>
      `It could not be noted that the pending number was shown (${why}): show it again before you accept the key.`,
  },
  keyNotShown: {
    es: (user: string) =>
      `El número de seguridad de la clave nueva de ${user} no se había mostrado aquí, y no se ha aceptado. Compare este número y repita la orden.`,
    en: (user: string) =>
      `The safety number of the new key of ${user} had not been shown here; the key was not accepted. Compare this number and repeat the command.`,
  },
  keyChangedAgain: {
    es: (user: string) =>
      `Desde que miró el número de seguridad, la clave de ${user} ha vuelto a cambiar, y no se ha aceptado ninguna. Compare este otro número antes de aceptarla.`,
    en: (user: string) =>
      `The key of ${user} has changed again since you looked at the safety number; no key was accepted. Compare this new number before you accept it.`,
  },
  noPendingKey: {
    es: (user: string) => `${user} no tiene ninguna clave nueva que aceptar.`,
    en: (user: string) => `${user} has no new key to accept.`,
  },
  noKnownKey: {
    es: (user: string) => `Todavía no se conoce la clave de ${user}: se aprende en la primera conversación.`,
    en: (user: string) => `The key of ${user} is not known yet: it is learned in the first conversation.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };

type Table = typeof TABLE;
export type Texts = { readonly [K in keyof Table]: Table[K][Language] };

/** The texts of one language. */
export function textsIn(language: Language): Texts {
  return Object.fromEntries(
    Object.entries(TABLE).map(([name, text]) => [name, text[language]]),
  ) as unknown as Texts;
}
