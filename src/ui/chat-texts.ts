/** What a person reads in a chat. Names and remote words that come in are visible text already. */
import type { BilingualText } from "./bilingual-text.ts";

export const CHAT_TEXTS = {
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
    es: "Sin conexión con el servidor; se intenta de nuevo. Las conversaciones siguen entre quienes ya se conocen.",
    en: "No connection to the server; it is being tried again. Conversations go on between people who know each other.",
  },
  chatServerStopped: {
    es: "El servidor ya no admite esta sesión y no se vuelve a intentar. Para estar en línea de nuevo, salga con «exit» e inicie sesión otra vez.",
    en: "The server takes this session no more, and it is not tried again. To be online again, leave with “exit” and log in once more.",
  },

  chatQueued: {
    es: (excerpt: string, when: string) => `· en cola: «${excerpt}»: ${when}`,
    en: (excerpt: string, when: string) => `· queued: “${excerpt}”: ${when}`,
  },
  chatUnconfirmed: {
    es: (excerpt: string, when: string) => `✓ enviado, sin confirmar: «${excerpt}»: ${when}`,
    en: (excerpt: string, when: string) => `✓ sent, not confirmed: “${excerpt}”: ${when}`,
  },
  chatManyWait: {
    es: (count: number, when: string) =>
      count === 1 ? `· 1 mensaje en espera: ${when}` : `· ${count} mensajes en espera: ${when}`,
    en: (count: number, when: string) =>
      count === 1 ? `· 1 message waits: ${when}` : `· ${count} messages wait: ${when}`,
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
    es: (count: number) => (count === 1 ? "✓✓ 1 mensaje recibido" : `✓✓ ${count} mensajes recibidos`),
    en: (count: number) => (count === 1 ? "✓✓ 1 message received" : `✓✓ ${count} messages received`),
  },

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
    es: "Lo demás se envía. «exit» solo, o Ctrl-C en una línea vacía, sale del chat; //x envía «/x»; Tab completa órdenes y nombres; ↑ repite lo escrito.",
    en: "Everything else is sent. “exit” alone, or Ctrl-C on an empty line, leaves the chat; //x sends “/x”; Tab completes commands and names; ↑ repeats what was typed.",
  },
  chatArgumentText: { es: "TEXTO", en: "TEXT" },
  chatArgumentUser: { es: "USUARIO", en: "USER" },
  chatHelpHelp: { es: "esta lista", en: "this list" },
  chatHelpMore: { es: "mensajes anteriores", en: "earlier messages" },
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
