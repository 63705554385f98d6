/** The chat. Names and remote texts passed in are visible text already. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";
import { CHAT_COMMAND_TEXTS } from "./chat-command-texts.ts";
import { CHAT_MESSAGE_TEXTS } from "./chat-message-texts.ts";

export const CHAT_TEXTS = {
  ...CHAT_COMMAND_TEXTS,
  ...CHAT_MESSAGE_TEXTS,

  chatOpened: {
    es: (user: string) =>
      `Chat con ${user}: lo que escriba va cifrado y directo, de esta máquina a la suya. «exit» sale del chat; /help explica el resto.`,
    en: (user: string) =>
      `Chat with ${user}: messages are encrypted and go directly from this machine to theirs. “exit” leaves the chat; /help explains the rest.`,
  },
  chatMoreStored: {
    es: "Hay mensajes anteriores: /more los muestra.",
    en: "There are earlier messages: /more shows them.",
  },
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

  chatConnected: {
    es: (user: string) => `Conectado con ${user}: directo y cifrado.`,
    en: (user: string) => `Connected to ${user}: direct and encrypted.`,
  },
  chatConnectedAgain: {
    es: (user: string) => `Conectado de nuevo con ${user}.`,
    en: (user: string) => `Connected to ${user} again.`,
  },
  chatLeft: {
    es: (user: string) => `${user} ha cerrado la conversación. Si le escribe, se conectará de nuevo.`,
    en: (user: string) => `${user} has closed the conversation. Write to reconnect.`,
  },
  chatLost: {
    es: (user: string) => `Se ha cortado la conexión con ${user}; se está reconectando.`,
    en: (user: string) => `The connection to ${user} was lost; reconnecting.`,
  },
  chatCameOnline: {
    es: (user: string) => `${user} está en línea; conectando…`,
    en: (user: string) => `${user} is online; connecting…`,
  },
  chatNoServerStranger: {
    es: (user: string) => `Sin servidor no se sabe dónde está ${user}, ni si alguien se llama así.`,
    en: (user: string) =>
      `Without the server there is no way to know where ${user} is, or whether anyone has that name.`,
  },
  chatWaitsMeanwhile: {
    es: "Lo que escriba queda en cola y se enviará cuando haya conexión.",
    en: "What you write is queued and will be sent once there is a connection.",
  },
  chatKeyPending: {
    es: (user: string) =>
      `La clave de ${user} ha cambiado: ¿otra máquina, o alguien que intercepta? No se le envía ni se muestra nada hasta que la acepte: compare el número con /fingerprint, y después /accept.`,
    en: (user: string) =>
      `The key of ${user} has changed: another machine, or someone intercepting? Nothing is sent or shown until you accept it: compare the number with /fingerprint, then /accept.`,
  },
  chatServerLost: {
    es: "Sin conexión con el servidor; se está reconectando. Las conversaciones siguen entre quienes ya se conocen.",
    en: "No connection to the server; reconnecting. Conversations continue between people who know each other.",
  },
  chatWithoutServer: {
    es: "Hasta entonces no se sabe quién está en línea, ni se puede encontrar a nadie nuevo.",
    en: "Until then there is no presence information, and nobody new can be found.",
  },
  chatLinksUntil: {
    es: (day: string, time: string) => `Hasta el ${day} a las ${time} se pueden abrir conexiones nuevas.`,
    en: (day: string, time: string) => `New connections can be opened until ${day}, ${time}.`,
  },
  chatNoNewLinks: {
    es: "Ahora no se pueden abrir conexiones nuevas: siguen solo las que ya están abiertas.",
    en: "No new connections can be opened now: only those already open continue.",
  },
  chatServerStopped: {
    es: "El servidor ha cerrado esta sesión; no se volverá a intentar. Para estar en línea de nuevo, salga con «exit» e inicie sesión otra vez.",
    en: "The server has ended this session; it will not be retried. To be online again, leave with “exit” and log in again.",
  },

  chatSilentOnline: {
    es: (user: string, age: string) =>
      `${user}: en línea según el servidor; sin respuesta desde hace ${age}.`,
    en: (user: string, age: string) => `${user}: online according to the server; no reply for ${age}.`,
  },
  chatNeverAnswered: {
    es: (user: string) => `${user}: en línea según el servidor; aún no ha respondido.`,
    en: (user: string) => `${user}: online according to the server; has not replied yet.`,
  },
  chatSilent: {
    es: (user: string, age: string) => `${user}: sin respuesta desde hace ${age}.`,
    en: (user: string, age: string) => `${user}: no reply for ${age}.`,
  },
  chatRespondsAgain: {
    es: (user: string) => `${user} responde de nuevo.`,
    en: (user: string) => `${user} is responding again.`,
  },
  chatAnswersOffline: {
    es: (user: string) => `${user} responde, aunque según el servidor no está en línea.`,
    en: (user: string) => `${user} is responding, although offline according to the server.`,
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

  chatQueued: {
    es: (excerpt: string, when: string) => `· en cola: «${quotedText(excerpt)}»: ${when}`,
    en: (excerpt: string, when: string) => `· queued: “${quotedText(excerpt)}”: ${when}`,
  },
  chatUnconfirmed: {
    es: (excerpt: string, when: string) => `✓ enviado, sin confirmar: «${quotedText(excerpt)}»: ${when}`,
    en: (excerpt: string, when: string) => `✓ sent, not confirmed: “${quotedText(excerpt)}”: ${when}`,
  },
  chatCountMessages: {
    es: (count: number) => plural(count, "1 mensaje", `${count} mensajes`),
    en: (count: number) => plural(count, "1 message", `${count} messages`),
  },
  chatCountChanges: {
    es: (count: number) => plural(count, "1 cambio", `${count} cambios`),
    en: (count: number) => plural(count, "1 change", `${count} changes`),
  },
  chatCountBoth: {
    es: (count: number) => plural(count, "1 mensaje o cambio", `${count} mensajes y cambios`),
    en: (count: number) => plural(count, "1 message or change", `${count} messages and changes`),
  },
  chatManyWait: {
    es: (what: string, when: string) => `· ${what} en espera: ${when}`,
    en: (what: string, when: string) => `· ${what} waiting: ${when}`,
  },
  chatWillBeSent: {
    es: (count: number) => plural(count, "se enviará", "se enviarán"),
    en: (count: number) => plural(count, "it will be sent", "they will be sent"),
  },
  chatWillBeSentAgain: { es: "se enviará otra vez", en: "it will be sent again" },
  chatWhenOnline: {
    es: (sent: string, user: string) => `${sent} cuando ${user} esté en línea`,
    en: (sent: string, user: string) => `${sent} when ${user} is online`,
  },
  chatWhenConnected: {
    es: (sent: string, user: string) => `${sent} cuando haya conexión con ${user}`,
    en: (sent: string, user: string) => `${sent} when there is a connection to ${user}`,
  },
  chatWhenAccepted: {
    es: (sent: string, user: string) => `${sent} cuando acepte la clave de ${user} (/fingerprint, /accept)`,
    en: (sent: string, user: string) => `${sent} when you accept the key of ${user} (/fingerprint, /accept)`,
  },
  chatWhenSecure: {
    es: (sent: string, user: string) => `${sent} cuando ${user} use un cliente que cifre`,
    en: (sent: string, user: string) => `${sent} when ${user} uses a client with encryption`,
  },
  chatWhenPossible: {
    es: (sent: string) => `${sent} en cuanto la conexión lo permita`,
    en: (sent: string) => `${sent} as soon as the connection allows`,
  },
  chatReceived: {
    es: (excerpt: string) => `✓✓ recibido: «${quotedText(excerpt)}»`,
    en: (excerpt: string) => `✓✓ received: “${quotedText(excerpt)}”`,
  },
  chatManyReceived: {
    es: (count: number, what: string) => `✓✓ ${what} ${plural(count, "recibido", "recibidos")}`,
    en: (_count: number, what: string) => `✓✓ ${what} received`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
