/** What a person reads in a chat. Names and remote words that come in are visible text already. */
import type { BilingualText } from "./bilingual-text.ts";
import { CHAT_COMMAND_TEXTS } from "./chat-command-texts.ts";
import { CHAT_MESSAGE_TEXTS } from "./chat-message-texts.ts";

export const CHAT_TEXTS = {
  ...CHAT_COMMAND_TEXTS,
  ...CHAT_MESSAGE_TEXTS,

  chatOpened: {
    es: (user: string) =>
      `Chat con ${user}: lo que escriba va cifrado y directo, de esta máquina a la suya. «exit» sale del chat; /help explica el resto.`,
    en: (user: string) =>
      `Chat with ${user}: what you write goes encrypted and directly, from this machine to theirs. “exit” leaves the chat; /help explains the rest.`,
  },
  chatMoreStored: {
    es: "Hay mensajes anteriores: /more los muestra.",
    en: "There are earlier messages: /more shows them.",
  },
  chatPage: {
    es: (count: number) => (count === 1 ? "1 mensaje anterior:" : `${count} mensajes anteriores:`),
    en: (count: number) => (count === 1 ? "1 earlier message:" : `${count} earlier messages:`),
  },
  chatPageEnd: {
    es: "Hasta aquí los anteriores; /more muestra más.",
    en: "These were the earlier ones; /more shows more.",
  },
  chatPageLast: {
    es: "Hasta aquí los anteriores; antes de ellos no hay nada.",
    en: "These were the earlier ones; there is nothing before them.",
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
    es: (count: number) => (count === 1 ? "[1 línea]" : `[${count} líneas]`),
    en: (count: number) => (count === 1 ? "[1 line]" : `[${count} lines]`),
  },
  chatReadMark: { es: "✓✓ leído", en: "✓✓ read" },
  chatEdited: { es: "(editado)", en: "(edited)" },
  chatWithdrawn: { es: "(retirado)", en: "(withdrawn)" },
  chatEditedWaits: { es: "(editado, en cola)", en: "(edited, queued)" },
  chatWithdrawnWaits: { es: "(retirado, en cola)", en: "(withdrawn, queued)" },
  chatAnswers: { es: (excerpt: string) => `↪ «${excerpt}»`, en: (excerpt: string) => `↪ “${excerpt}”` },
  chatAnswersGone: { es: "↪ un mensaje que ya no está", en: "↪ a message that is gone" },
  chatQuoted: { es: (excerpt: string) => `«${excerpt}»`, en: (excerpt: string) => `“${excerpt}”` },
  chatTyping: { es: "escribe…", en: "typing…" },

  chatConnected: {
    es: (user: string) => `Conectado con ${user}: directo y cifrado.`,
    en: (user: string) => `Connected with ${user}: direct and encrypted.`,
  },
  chatConnectedAgain: {
    es: (user: string) => `Conectado de nuevo con ${user}.`,
    en: (user: string) => `Connected with ${user} again.`,
  },
  chatLeft: {
    es: (user: string) => `${user} ha cerrado la conversación. Si le escribe, se conectará de nuevo.`,
    en: (user: string) => `${user} has closed the conversation. If you write, it will be connected again.`,
  },
  chatLost: {
    es: (user: string) => `Se ha cortado la conexión con ${user}; se intenta de nuevo.`,
    en: (user: string) => `The connection with ${user} was lost; it is being tried again.`,
  },
  chatCameOnline: {
    es: (user: string) => `${user} está en línea; conectando…`,
    en: (user: string) => `${user} is online; connecting…`,
  },
  chatPerhapsNobody: {
    es: (user: string) => `${user} no está en línea, o nadie se llama así: compruebe el nombre.`,
    en: (user: string) => `${user} is not online, or nobody has that name: check it.`,
  },
  chatNoServerStranger: {
    es: (user: string) => `Sin servidor no se sabe dónde está ${user}, ni si alguien se llama así.`,
    en: (user: string) =>
      `Without the server nobody knows where ${user} is, or whether anyone has that name.`,
  },
  chatWaitsMeanwhile: {
    es: "Lo que escriba espera aquí y saldrá cuando haya conexión.",
    en: "What you write waits here and leaves when there is a connection.",
  },
  chatKeyPending: {
    es: (user: string) =>
      `La clave de ${user} ha cambiado: ¿otra máquina, o alguien en medio? No se le envía ni se muestra nada hasta que la acepte: compare el número con /fingerprint, y después /accept.`,
    en: (user: string) =>
      `The key of ${user} has changed: another machine, or someone in between? Nothing is sent to or shown from it until you accept it: compare the number with /fingerprint, then /accept.`,
  },
  chatServerLost: {
    es: "Sin conexión con el servidor; se intenta de nuevo, y las conversaciones siguen entre quienes ya se conocen.",
    en: "No connection to the server; it is being tried again, and conversations go on between people who know each other.",
  },
  chatWithoutServer: {
    es: "Mientras tanto nadie dice quién está en línea, ni se puede encontrar a nadie nuevo.",
    en: "Meanwhile nobody says who is online, and nobody new can be found.",
  },
  chatLinksUntil: {
    es: (day: string, time: string) => `Hasta el ${day} a las ${time} se pueden abrir conexiones nuevas.`,
    en: (day: string, time: string) => `New connections can be opened until ${day}, ${time}.`,
  },
  chatNoNewLinks: {
    es: "Ahora no se pueden abrir conexiones nuevas: siguen solo las que ya están abiertas.",
    en: "No new connections can be opened now: only those that are open go on.",
  },
  chatServerStopped: {
    es: "El servidor ya no admite esta sesión y no se vuelve a intentar. Para estar en línea de nuevo, salga con «exit» e inicie sesión otra vez.",
    en: "The server takes this session no more, and it is not tried again. To be online again, leave with “exit” and log in once more.",
  },

  chatSilentOnline: {
    es: (user: string, age: string) =>
      `${user}: en línea según el servidor, sin respuesta desde hace ${age}.`,
    en: (user: string, age: string) => `${user}: online by the server's word, no answer for ${age}.`,
  },
  chatNeverAnswered: {
    es: (user: string) => `${user}: en línea según el servidor; aún no ha respondido.`,
    en: (user: string) => `${user}: online by the server's word; has not answered yet.`,
  },
  chatSilent: {
    es: (user: string, age: string) => `${user}: sin respuesta desde hace ${age}.`,
    en: (user: string, age: string) => `${user}: no answer for ${age}.`,
  },
  chatRespondsAgain: {
    es: (user: string) => `${user} responde de nuevo.`,
    en: (user: string) => `${user} answers again.`,
  },
  chatAnswersOffline: {
    es: (user: string) => `${user} responde, aunque según el servidor no está en línea.`,
    en: (user: string) => `${user} answers, although not online by the server's word.`,
  },
  chatFileDamaged: {
    es: "El archivo de esta cuenta está dañado. Salga del programa y ábralo otra vez: al empezar lo comprueba, y guarda lo que aún se pueda leer.",
    en: "The file of this account is damaged. Leave the program and start it again: it then checks the file, and saves what can still be read.",
  },
  chatPeerDiskFull: {
    es: (user: string) =>
      `El disco de ${user} no admite los mensajes (¿está lleno?): esperan aquí, y se intenta de nuevo.`,
    en: (user: string) =>
      `The disk of ${user} does not take the messages (is it full?): they wait here, and it is tried again.`,
  },

  chatQueued: {
    es: (excerpt: string, when: string) => `· en cola: «${excerpt}»: ${when}`,
    en: (excerpt: string, when: string) => `· queued: “${excerpt}”: ${when}`,
  },
  chatUnconfirmed: {
    es: (excerpt: string, when: string) => `✓ enviado, sin confirmar: «${excerpt}»: ${when}`,
    en: (excerpt: string, when: string) => `✓ sent, not confirmed: “${excerpt}”: ${when}`,
  },
  chatCountMessages: {
    es: (count: number) => (count === 1 ? "1 mensaje" : `${count} mensajes`),
    en: (count: number) => (count === 1 ? "1 message" : `${count} messages`),
  },
  chatCountChanges: {
    es: (count: number) => (count === 1 ? "1 cambio" : `${count} cambios`),
    en: (count: number) => (count === 1 ? "1 change" : `${count} changes`),
  },
  chatCountBoth: {
    es: (count: number) => (count === 1 ? "1 mensaje o cambio" : `${count} mensajes y cambios`),
    en: (count: number) => (count === 1 ? "1 message or change" : `${count} messages and changes`),
  },
  chatManyWait: {
    es: (what: string, when: string) => `· ${what} en espera: ${when}`,
    en: (what: string, when: string) => `· ${what} waiting: ${when}`,
  },
  chatLeaves: {
    es: (count: number) => (count === 1 ? "saldrá" : "saldrán"),
    en: (count: number) => (count === 1 ? "it will leave" : "they will leave"),
  },
  chatLeavesAgain: { es: "volverá a salir", en: "it will be sent again" },
  chatWhenOnline: {
    es: (leaves: string, user: string) => `${leaves} cuando ${user} esté en línea`,
    en: (leaves: string, user: string) => `${leaves} when ${user} is online`,
  },
  chatWhenConnected: {
    es: (leaves: string, user: string) => `${leaves} cuando haya conexión con ${user}`,
    en: (leaves: string, user: string) => `${leaves} when there is a connection with ${user}`,
  },
  chatWhenAccepted: {
    es: (leaves: string, user: string) =>
      `${leaves} cuando acepte la clave de ${user} (/fingerprint, /accept)`,
    en: (leaves: string, user: string) =>
      `${leaves} when you accept the key of ${user} (/fingerprint, /accept)`,
  },
  chatWhenSecure: {
    es: (leaves: string, user: string) => `${leaves} cuando ${user} use un cliente que cifre`,
    en: (leaves: string, user: string) => `${leaves} when ${user} uses a client that encrypts`,
  },
  chatWhenPossible: {
    es: (leaves: string) => `${leaves} en cuanto la conexión lo permita`,
    en: (leaves: string) => `${leaves} as soon as the connection takes it`,
  },
  chatReceived: {
    es: (excerpt: string) => `✓✓ recibido: «${excerpt}»`,
    en: (excerpt: string) => `✓✓ received: “${excerpt}”`,
  },
  chatManyReceived: {
    es: (count: number, what: string) => `✓✓ ${what} ${count === 1 ? "recibido" : "recibidos"}`,
    en: (_count: number, what: string) => `✓✓ ${what} received`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
