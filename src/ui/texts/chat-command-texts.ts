/** The chat's commands, their help, and texts that cannot be sent. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { BilingualText } from "./bilingual-text.ts";

export const CHAT_COMMAND_TEXTS = {
  chatUnknownCommand: {
    es: (command: string, meant: string | undefined) =>
      `No existe la orden ${command}; no se ha enviado nada.${meant === undefined ? "" : ` ¿Quiere decir /${meant}?`} /help muestra las que hay; con otra barra delante (/${command}) se envía como texto.`,
    en: (command: string, meant: string | undefined) =>
      `There is no command ${command}; nothing was sent.${meant === undefined ? "" : ` Did you mean /${meant}?`} /help lists the commands; with another slash before it (/${command}) it is sent as text.`,
  },
  chatPerhapsCommand: {
    es: (word: string, command: string) =>
      `«${quotedText(word)}» no se ha enviado. ¿Quiere decir /${command}? Como mensaje se envía con /say ${word}.`,
    en: (word: string, command: string) =>
      `“${quotedText(word)}” was not sent. Did you mean /${command}? As a message it is sent with /say ${word}.`,
  },
  chatNothingBehind: {
    es: (command: string) =>
      `${command} no admite argumentos; no se ha enviado nada. Con otra barra delante (/${command} …) se envía como texto.`,
    en: (command: string) =>
      `${command} takes no argument; nothing was sent. With another slash before it (/${command} …) it is sent as text.`,
  },
  chatUsage: {
    es: (usage: string) => `Uso: ${usage}`,
    en: (usage: string) => `Usage: ${usage}`,
  },
  chatTooLong: {
    es: (bytes: number, max: number) =>
      `No se ha enviado: el mensaje ocupa ${bytes} bytes y el límite es ${max}. Divídalo en varios.`,
    en: (bytes: number, max: number) =>
      `Not sent: the message is ${bytes} bytes; the limit is ${max}. Split it.`,
  },
  chatNotText: {
    es: "No se ha enviado: el mensaje contiene un carácter dañado (medio emoji, por ejemplo). Bórrelo y pruebe otra vez.",
    en: "Not sent: the message contains a broken character (half an emoji, for example). Delete it and try again.",
  },
  chatNotSaved: {
    es: (why: string) => `El mensaje no se ha guardado ni enviado (${why}); lo tiene de nuevo en la línea.`,
    en: (why: string) => `The message was neither saved nor sent (${why}); it is back in the input.`,
  },
  chatStillWith: {
    es: (user: string) => `Sigue en el chat con ${user}.`,
    en: (user: string) => `You are still in the chat with ${user}.`,
  },
  chatNotSentHere: {
    es: (user: string) => `No se ha enviado: sigue en el chat con ${user}. Otro Intro se lo envía.`,
    en: (user: string) => `Not sent: you are still in the chat with ${user}. Another Enter sends it to them.`,
  },
  /** Answers of `/copy`. The terminal does not say whether it has copied. */
  chatCopied: {
    es: (excerpt: string, from: string, lines: number) =>
      `Copiado, si la terminal lo permite (OSC 52): «${quotedText(excerpt)}» de ${from}${lines === 1 ? "" : `, ${lines} líneas`}.`,
    en: (excerpt: string, from: string, lines: number) =>
      `Copied, if the terminal allows it (OSC 52): “${quotedText(excerpt)}” from ${from}${lines === 1 ? "" : `, ${lines} lines`}.`,
  },
  chatCopyTooLong: {
    es: (most: number) =>
      `No se ha copiado: ocupa más de ${most} KiB. /export ARCHIVO.jsonl guarda los textos del chat tal cual.`,
    en: (most: number) =>
      `Not copied: it is more than ${most} KiB. /export FILE.jsonl saves the texts of the chat as they are.`,
  },
  chatCopyUnknown: {
    es: "No se ha copiado: no consta que esta terminal deje copiar a los programas (OSC 52). /export ARCHIVO.jsonl guarda los textos del chat tal cual.",
    en: "Not copied: this terminal is not known to let programs copy (OSC 52). /export FILE.jsonl saves the texts of the chat as they are.",
  },
  /** Above the numbered chats. */
  chatNumbers: {
    es: "Chats, por número (también Alt-1 … Alt-9):",
    en: "Chats by number (Alt-1 … Alt-9 too):",
  },
  chatHere: { es: "este", en: "this one" },
  chatNoChat: {
    es: (number: number) => `Ningún chat tiene el número ${number}; /chat muestra los que hay.`,
    en: (number: number) => `No chat has the number ${number}; /chat shows those that there are.`,
  },
  chatNothingUnread: {
    es: "No hay nada nuevo en otros chats.",
    en: "There is nothing new in other chats.",
  },
  chatDraftNotSent: {
    es: "No se ha enviado: en la línea estaba su borrador. Otro Intro lo envía.",
    en: "Not sent: your draft was in the line. Another Enter sends it.",
  },
  draftNote: {
    es: (excerpt: string) => `borrador: ${quotedText(excerpt)}`,
    en: (excerpt: string) => `draft: ${quotedText(excerpt)}`,
  },
  draftNotKept: {
    es: (why: string) => `No se ha podido guardar el borrador de este chat (${why}).`,
    en: (why: string) => `The draft of this chat could not be saved (${why}).`,
  },
  chatAlreadyHere: {
    es: (user: string) => `Este ya es el chat con ${user}.`,
    en: (user: string) => `This is already the chat with ${user}.`,
  },
  chatOnline: {
    es: (names: string) => `En línea: ${names}`,
    en: (names: string) => `Online: ${names}`,
  },
  /** The end of a shortened list. */
  chatMorePeople: { es: (count: number) => `${count} más`, en: (count: number) => `${count} more` },
  chatCompare: {
    es: (user: string) =>
      `Compárenlo por otro medio, por ejemplo por teléfono: si ${user} ve las mismas cifras, nadie intercepta.`,
    en: (user: string) =>
      `Compare it over another channel, for example by phone: if ${user} sees the same digits, nobody is intercepting.`,
  },
  chatThenAccept: {
    es: "Acepte la clave nueva con /accept solo si su número coincide.",
    en: "Accept the new key with /accept only if its number is the same.",
  },
  chatNotShown: {
    es: (user: string) =>
      `Antes de aceptar la clave nueva de ${user}, compare su número: /fingerprint lo muestra.`,
    en: (user: string) =>
      `Before you accept the new key of ${user}, compare its number: /fingerprint shows it.`,
  },

  chatHelp: {
    es: "Lo demás se envía. #N: número de /list; sin él, el último. Tab completa.",
    en: "The rest is sent. #N: number of /list; else the last one. Tab completes.",
  },
  chatArgumentText: { es: "TEXTO", en: "TEXT" },
  chatHelpMore: {
    es: "los anteriores; los últimos, con números",
    en: "earlier messages; the last ones, numbered",
  },
  chatHelpSearch: { es: "busca en todos los chats", en: "searches all chats" },
  chatHelpInfo: {
    es: "cómo va la conexión; #N: cuándo se envió, se leyó…",
    en: "how you are connected; #N: when it was sent, read…",
  },
  chatHelpCopy: { es: "copia su texto, sin sangría", en: "copies its text, without the indent" },
  chatHelpReply: { es: "responde a un mensaje", en: "replies to a message" },
  chatHelpEdit: { es: "edita un mensaje suyo", en: "edits one of your messages" },
  chatHelpWithdraw: {
    es: "lo retira en los dos lados; cancela lo no enviado",
    en: "withdraws it on both sides; cancels it, unsent",
  },
  chatHelpDelete: { es: "borra solo en este lado", en: "deletes on this side only" },
  chatHelpExport: {
    es: "guarda el chat (.jsonl, o texto)",
    en: "saves the chat (.jsonl, or text)",
  },
  chatHelpSay: {
    es: "envía el texto tal cual, y «exit»; //x envía «/x»",
    en: "sends the text as it is, and “exit”; //x sends “/x”",
  },
  chatHelpChat: {
    es: "otro chat, como /1 … /9 y Alt-1; solo: los números",
    en: "another chat, as /1 … /9, Alt-1; alone: the numbers",
  },
  chatHelpMute: {
    es: "este chat, en silencio durante 90m, 8h, 7d…",
    en: "mutes this chat for 90m, 8h, 7d…",
  },
  chatHelpUsers: {
    es: "quién está en línea; el siguiente chat por leer",
    en: "who is online; the next chat with something new",
  },
  chatHelpExit: {
    es: "sale, como «exit» o Ctrl-C en una línea vacía",
    en: "leaves, as “exit” or Ctrl-C on an empty line do",
  },
} as const satisfies { readonly [name: string]: BilingualText };
