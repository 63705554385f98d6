/** What a person reads in a chat about its commands, and about what cannot be sent. */
import type { BilingualText } from "./bilingual-text.ts";

export const CHAT_COMMAND_TEXTS = {
  chatUnknownCommand: {
    es: (command: string) =>
      `No existe la orden ${command}, y no se ha enviado nada. /help muestra las que hay; con otra barra delante (/${command}) se envía como texto.`,
    en: (command: string) =>
      `There is no command ${command}, and nothing was sent. /help lists them; with one more slash before it (/${command}) it is sent as text.`,
  },
  chatNothingBehind: {
    es: (command: string) =>
      `${command} no lleva nada detrás, y no se ha enviado nada. Con otra barra delante (/${command} …) se envía como texto.`,
    en: (command: string) =>
      `${command} takes nothing behind it, and nothing was sent. With one more slash before it (/${command} …) it is sent as text.`,
  },
  chatUsage: {
    es: (usage: string) => `Falta algo: ${usage}`,
    en: (usage: string) => `Something is missing: ${usage}`,
  },
  chatTooLong: {
    es: (bytes: number, max: number) =>
      `El mensaje ocupa ${bytes} bytes y caben ${max}: no se ha enviado. Divídalo en varios.`,
    en: (bytes: number, max: number) =>
      `The message has ${bytes} bytes and ${max} fit: it was not sent. Divide it into several.`,
  },
  chatNotText: {
    es: "El mensaje contiene un carácter dañado (medio emoji, por ejemplo): no se ha enviado. Bórrelo y pruebe otra vez.",
    en: "The message contains a broken character (half an emoji, for example): it was not sent. Delete it and try again.",
  },
  chatNotSaved: {
    es: (why: string) => `El mensaje no se ha guardado ni enviado (${why}): aquí lo tiene de vuelta.`,
    en: (why: string) => `The message was neither saved nor sent (${why}): here it is again.`,
  },
  chatAlreadyHere: {
    es: (user: string) => `Este ya es el chat con ${user}.`,
    en: (user: string) => `This is the chat with ${user} already.`,
  },
  chatOnline: {
    es: (names: string) => `En línea: ${names}`,
    en: (names: string) => `Online: ${names}`,
  },
  chatAndMore: {
    es: (names: string, count: number) => `${names} y ${count} más`,
    en: (names: string, count: number) => `${names} and ${count} more`,
  },
  chatCompare: {
    es: (user: string) =>
      `Compárenlo por otro camino, por ejemplo por teléfono: si ${user} ve las mismas cifras, nadie está en medio.`,
    en: (user: string) =>
      `Compare it by another way, for example by phone: if ${user} sees the same digits, nobody is in between.`,
  },
  chatThenAccept: {
    es: "Solo si el de la clave nueva coincide, acéptela con /accept.",
    en: "Only if the one of the new key is the same, accept it with /accept.",
  },
  chatNotShown: {
    es: (user: string) =>
      `Antes de aceptar la clave nueva de ${user}, compare su número: /fingerprint lo muestra.`,
    en: (user: string) =>
      `Before you accept the new key of ${user}, compare its number: /fingerprint shows it.`,
  },

  chatHelp: { es: "En el chat:", en: "In the chat:" },
  chatHelpRest: {
    es: "Lo demás se envía. N es un número de /list o /search; sin él, el último mensaje. //x envía «/x»; «exit» o Ctrl-C en una línea vacía salen; Tab completa; ↑ repite lo escrito.",
    en: "Everything else is sent. N is a number of /list or /search; without it, the last message. //x sends “/x”; “exit” or Ctrl-C on an empty line leave; Tab completes; ↑ repeats what was typed.",
  },
  chatArgumentText: { es: "TEXTO", en: "TEXT" },
  chatArgumentUser: { es: "USUARIO", en: "USER" },
  chatArgumentWords: { es: "PALABRAS", en: "WORDS" },
  chatArgumentFile: { es: "ARCHIVO", en: "FILE" },
  chatHelpHelp: { es: "esta lista", en: "this list" },
  chatHelpMore: { es: "mensajes anteriores", en: "earlier messages" },
  chatHelpList: { es: "los últimos mensajes, con números", en: "the last messages, with numbers" },
  chatHelpSearch: { es: "busca en todos los chats", en: "searches all chats" },
  chatHelpInfo: { es: "cuándo se escribió, salió, llegó…", en: "when it was written, left, arrived…" },
  chatHelpReply: { es: "responde a un mensaje", en: "replies to a message" },
  chatHelpEdit: { es: "cambia un mensaje suyo", en: "changes a message of yours" },
  chatHelpWithdraw: { es: "lo retira en los dos lados", en: "takes it back on both sides" },
  chatHelpCancel: { es: "lo cancela antes de que salga", en: "cancels it before it leaves" },
  chatHelpDelete: { es: "borra solo en este lado", en: "deletes on this side only" },
  chatHelpExport: {
    es: "guarda el chat (.jsonl, o texto)",
    en: "saves the chat (.jsonl, or text)",
  },
  chatHelpSay: {
    es: "envía el texto tal cual: /say exit",
    en: "sends the text as it is: /say exit",
  },
  chatHelpChat: { es: "va al chat con otra persona", en: "goes to the chat with another person" },
  chatHelpUsers: { es: "quién está en línea", en: "who is online" },
  chatHelpFingerprint: {
    es: "número de seguridad de esta conversación",
    en: "safety number of this conversation",
  },
  chatHelpAccept: {
    es: "acepta la clave nueva, ya comparada",
    en: "accepts the new key, once compared",
  },
  chatHelpExit: { es: "sale del chat", en: "leaves the chat" },
} as const satisfies { readonly [name: string]: BilingualText };
