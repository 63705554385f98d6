/** The chat. Names and remote texts passed in are visible text already. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";
import { CHAT_COMMAND_TEXTS } from "./chat-command-texts.ts";
import { CHAT_MESSAGE_TEXTS } from "./chat-message-texts.ts";

export const CHAT_TEXTS = {
  ...CHAT_COMMAND_TEXTS,
  ...CHAT_MESSAGE_TEXTS,

  chatOpened: {
    es: (user: string) => `Chat con ${user}, cifrado. /help ayuda, exit sale.`,
    en: (user: string) => `Chat with ${user}, encrypted. /help helps, exit leaves.`,
  },
  /** There has never been a link, and there is none yet. */
  chatOpenedStranger: {
    es: (user: string) => `Chat con ${user}. /help ayuda, exit sale.`,
    en: (user: string) => `Chat with ${user}. /help helps, exit leaves.`,
  },
  chatOpenedNobody: {
    es: (user: string) =>
      `Chat con ${user}: no está en línea, o nadie se llama así. Lo que escriba espera aquí; exit sale.`,
    en: (user: string) =>
      `Chat with ${user}: not online, or nobody has that name. What you write waits here; exit leaves.`,
  },
  /** There are earlier messages. */
  chatOpenedMore: {
    es: (user: string) => `Chat con ${user}. /help ayuda, exit sale, /more: anteriores.`,
    en: (user: string) => `Chat with ${user}. /help helps, exit leaves, /more: earlier.`,
  },
  /** Between what was read before and what was not. */
  chatNewMessages: { es: "mensajes nuevos", en: "new messages" },
  chatPage: {
    es: (count: number) => plural(count, "1 mensaje anterior:", `${count} mensajes anteriores:`),
    en: (count: number) => plural(count, "1 earlier message:", `${count} earlier messages:`),
  },
  chatPageEnd: {
    es: "Hasta aquí los anteriores; /more muestra más.",
    en: "End of the earlier messages; /more shows more.",
  },
  chatPageLast: {
    es: "Hasta aquí los anteriores; antes no hay nada.",
    en: "End of the earlier messages; there is nothing before them.",
  },
  chatNothingEarlier: { es: "No hay mensajes anteriores.", en: "There are no earlier messages." },
  chatWrittenAt: {
    es: (time: string) => `(escrito a las ${time})`,
    en: (time: string) => `(written at ${time})`,
  },
  chatWrittenOn: {
    es: (day: string, time: string) => `(escrito el ${day} a las ${time})`,
    en: (day: string, time: string) => `(written on ${day} at ${time})`,
  },
  pastedLines: {
    es: (count: number) => plural(count, "[1 línea]", `[${count} líneas]`),
    en: (count: number) => plural(count, "[1 line]", `[${count} lines]`),
  },
  chatReadMark: { es: "✓✓ leído", en: "✓✓ read" },
  chatEdited: { es: "(editado)", en: "(edited)" },
  chatWithdrawn: { es: "(retirado)", en: "(withdrawn)" },
  chatEditedWaits: { es: "(editado, en cola)", en: "(edited, queued)" },
  chatWithdrawnWaits: { es: "(retirado, en cola)", en: "(withdrawn, queued)" },
  chatAnswers: {
    es: (excerpt: string) => `↪ «${quotedText(excerpt)}»`,
    en: (excerpt: string) => `↪ “${quotedText(excerpt)}”`,
  },
  chatAnswersGone: { es: "↪ un mensaje borrado", en: "↪ a deleted message" },
  chatQuoted: {
    es: (excerpt: string) => `«${quotedText(excerpt)}»`,
    en: (excerpt: string) => `“${quotedText(excerpt)}”`,
  },
  chatTyping: { es: "escribiendo…", en: "typing…" },

  /** One of the ways follows, also with `chatConnectedNow`. */
  chatConnected: {
    es: (user: string, way: string) => `Conectado con ${user}: ${way}.`,
    en: (user: string, way: string) => `Connected to ${user}: ${way}.`,
  },
  chatConnectedNow: {
    es: (user: string, way: string) => `Ahora conectado con ${user}: ${way}.`,
    en: (user: string, way: string) => `Now connected to ${user}: ${way}.`,
  },
  wayDirect: { es: "directo", en: "direct" },
  wayRouter: { es: "directo por el router", en: "direct, through the router" },
  wayRelayed: {
    es: "por el servidor, cifrado de extremo a extremo",
    en: "through the server, encrypted end to end",
  },
  wayRelayedForNow: {
    es: "por el servidor, cifrado de extremo a extremo; se buscará un camino directo",
    en: "through the server, encrypted end to end; a direct way will be looked for",
  },
  /** Why may follow. */
  chatInfoNoLink: {
    es: (user: string) => `Sin conexión con ${user}.`,
    en: (user: string) => `Not connected to ${user}.`,
  },
  chatInfoSince: { es: (time: string) => `desde: ${time}`, en: (time: string) => `since: ${time}` },
  chatInfoRoundTrip: {
    es: (ms: number) => `ida y vuelta: ${ms} ms`,
    en: (ms: number) => `round trip: ${ms} ms`,
  },
  chatInfoNoAnswer: { es: "ida y vuelta: ahora no responde", en: "round trip: no answer right now" },
  chatInfoAddress: {
    es: (user: string, address: string) => `dirección de ${user}: ${address}`,
    en: (user: string, address: string) => `${user}'s address: ${address}`,
  },
  chatInfoNoAddress: {
    es: "por esta conexión ninguno de los dos ve la dirección del otro",
    en: "on this link neither of you sees the other's address",
  },
  chatInfoTold: {
    es: (user: string, addresses: string) =>
      `direcciones de usted que el servidor da a ${user}: ${addresses}`,
    en: (user: string, addresses: string) => `your addresses that the server gives ${user}: ${addresses}`,
  },
  chatInfoToldNearby: {
    es: (user: string, addresses: string) => `solo si ${user} está en la misma red que usted: ${addresses}`,
    en: (user: string, addresses: string) => `only if ${user} is in the same network as you: ${addresses}`,
  },
  /** Until when new links can be opened follows. */
  chatInfoNoServer: { es: "Sin conexión con el servidor.", en: "No connection to the server." },
  chatInfoToldNobody: {
    es: "el servidor no da a nadie la dirección de usted",
    en: "the server gives your address to nobody",
  },

  chatNoServerStranger: {
    es: (user: string) => `Sin servidor no se sabe dónde está ${user}, ni si alguien se llama así.`,
    en: (user: string) =>
      `Without the server there is no way to know where ${user} is, or whether anyone has that name.`,
  },
  chatKeyPending: {
    es: (user: string) =>
      `La clave de ${user} ha cambiado: ¿otra máquina, o alguien que intercepta? No se le envía ni se muestra nada hasta que la acepte: compare el número con /fingerprint, y después /accept.`,
    en: (user: string) =>
      `The key of ${user} has changed: another machine, or someone intercepting? Nothing is sent or shown until you accept it: compare the number with /fingerprint, then /accept.`,
  },
  chatServerStopped: {
    es: "El servidor ha cerrado esta sesión; no se volverá a intentar. Para estar en línea de nuevo, salga con «exit» e inicie sesión otra vez.",
    en: "The server has ended this session; it will not be retried. To be online again, leave with “exit” and log in again.",
  },
  chatServerChanged: {
    es: "En la dirección del servidor contesta otro, que esta máquina no conocía; no se volverá a intentar. Para estar en línea de nuevo, salga con «exit» e inicie sesión otra vez: así se muestran las dos huellas.",
    en: "Another server, which this machine did not know, answers at the server's address; it will not be retried. To be online again, leave with “exit” and log in again, which shows both fingerprints.",
  },

  chatFileDamaged: {
    es: "El archivo de esta cuenta está dañado. Salga del programa y ábralo otra vez: al empezar comprueba el archivo y guarda lo que aún se pueda leer.",
    en: "This account's file is damaged. Leave the program and start it again: it then checks the file and saves what can still be read.",
  },
  chatPeerDiskFull: {
    es: (user: string) =>
      `El disco de ${user} no admite los mensajes (¿está lleno?): quedan en cola aquí, y se volverá a intentar.`,
    en: (user: string) =>
      `${user}'s disk does not accept the messages (is it full?): they stay queued here and will be retried.`,
  },

  /** Why follows. */
  chatPerhapsNobody: {
    es: (user: string) => `${user} no está en línea, o nadie se llama así. Lo que escriba, espera aquí.`,
    en: (user: string) => `${user} is not online, or nobody has that name. What you write waits here.`,
  },
  chatMessagesWait: {
    es: (count: number) => plural(count, "1 mensaje en espera.", `${count} mensajes en espera.`),
    en: (count: number) => plural(count, "1 message is waiting.", `${count} messages are waiting.`),
  },
  chatChangesWait: {
    es: (count: number) => plural(count, "1 cambio en espera.", `${count} cambios en espera.`),
    en: (count: number) => plural(count, "1 change is waiting.", `${count} changes are waiting.`),
  },
  chatArrived: {
    es: (count: number) =>
      plural(
        count,
        "✓✓ Recibido lo que estaba en espera.",
        `✓✓ Recibidos los ${count} que estaban en espera.`,
      ),
    en: (count: number) =>
      plural(
        count,
        "✓✓ What was waiting has been received.",
        `✓✓ All ${count} that were waiting have been received.`,
      ),
  },
} as const satisfies { readonly [name: string]: BilingualText };
