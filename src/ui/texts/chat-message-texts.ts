/** Stored messages in a chat: lists, searches, and the commands on them. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

export const CHAT_MESSAGE_TEXTS = {
  chatNothingStored: {
    es: "En este chat no hay mensajes guardados.",
    en: "This chat has no stored messages.",
  },
  chatFound: {
    es: (count: number, words: string) =>
      plural(count, `1 mensaje con «${quotedText(words)}»:`, `${count} mensajes con «${quotedText(words)}»:`),
    en: (count: number, words: string) =>
      plural(
        count,
        `1 message with “${quotedText(words)}”:`,
        `${count} messages with “${quotedText(words)}”:`,
      ),
  },
  chatFoundMore: {
    es: (count: number, words: string) =>
      `Los ${count} últimos mensajes con «${quotedText(words)}»; hay más. Añada palabras, o busque fuera del chat con la orden search.`,
    en: (count: number, words: string) =>
      `The last ${count} messages with “${quotedText(words)}”; there are more. Add words, or use the search command outside the chat.`,
  },
  chatFoundNothing: {
    es: (words: string) => `Ningún mensaje contiene «${quotedText(words)}».`,
    en: (words: string) => `No message contains “${quotedText(words)}”.`,
  },
  chatNoWord: {
    es: "Para buscar hace falta al menos una letra o una cifra: un emoji solo no se encuentra.",
    en: "A search needs at least one letter or digit: an emoji alone is not found.",
  },
  chatListRange: {
    es: (max: number) => `/list admite un número del 1 al ${max}, o nada.`,
    en: (max: number) => `/list takes a number from 1 to ${max}, or nothing.`,
  },
  chatNoNumber: {
    es: (word: string) =>
      `«${quotedText(word)}» no es un número de la lista; no se ha hecho nada. Los números son #1, #2…; /list y /search los muestran.`,
    en: (word: string) =>
      `“${quotedText(word)}” is not a number from the list; nothing was done. Numbers are #1, #2…; /list and /search show them.`,
  },
  chatMeansNumber: {
    es: (number: number, word: string, command: string) =>
      `¿Quiere decir #${number}? No se ha hecho nada. Si el texto empieza por «${quotedText(word)}», ponga antes el número: /${command} #N ${word} …`,
    en: (number: number, word: string, command: string) =>
      `Did you mean #${number}? Nothing was done. To start the text with “${quotedText(word)}”, give the number first: /${command} #N ${word} …`,
  },
  chatNoList: {
    es: "Todavía no hay números; no se ha hecho nada. /list y /search los muestran.",
    en: "There are no numbers yet; nothing was done. /list and /search show them.",
  },
  chatNotListed: {
    es: (number: number, last: number) =>
      `No hay #${number} en la última lista, que llega hasta #${last}; no se ha hecho nada.`,
    en: (number: number, last: number) =>
      `There is no #${number} in the last list, which ends at #${last}; nothing was done.`,
  },
  chatOtherChat: {
    es: (user: string, typed: string) =>
      `Ese mensaje es del chat con ${user}; no se ha hecho nada. Vaya allí con /chat ${typed}.`,
    en: (user: string, typed: string) =>
      `That message belongs to the chat with ${user}; nothing was done. Go there with /chat ${typed}.`,
  },
  chatOnlyNumber: {
    es: (command: string) => `${command} admite solo un número, como #3; no se ha hecho nada.`,
    en: (command: string) => `${command} takes only a number, such as #3; nothing was done.`,
  },

  chatOfTime: { es: (time: string) => `de las ${time}`, en: (time: string) => `from ${time}` },
  chatOfDay: {
    es: (day: string, time: string) => `del ${day} a las ${time}`,
    en: (day: string, time: string) => `from ${day}, ${time}`,
  },
  /** A message of one's own; `old`: the beginning of its text before the change, if it is known. */
  chatOne: {
    es: (when: string, old: string | undefined) =>
      old === undefined ? `el ${when}` : `el ${when}, «${quotedText(old)}»`,
    en: (when: string, old: string | undefined) =>
      old === undefined ? `the message ${when}` : `the message ${when}, “${quotedText(old)}”`,
  },
  chatEditedTo: {
    es: (one: string, text: string) => `Editado ${one}: «${quotedText(text, { lines: true })}»`,
    en: (one: string, text: string) => `Edited ${one}: “${quotedText(text, { lines: true })}”`,
  },
  chatEditedUnsent: {
    es: (one: string, text: string) =>
      `Editado antes de enviar: ${one}: «${quotedText(text, { lines: true })}»`,
    en: (one: string, text: string) =>
      `Edited before sending: ${one}: “${quotedText(text, { lines: true })}”`,
  },
  chatWholeInList: { es: "/list lo muestra entero.", en: "/list shows all of it." },
  chatWithdrew: {
    es: (when: string, old: string | undefined) =>
      old === undefined
        ? `Retirado el mensaje ${when}.`
        : `Retirado el mensaje ${when}: «${quotedText(old)}»`,
    en: (when: string, old: string | undefined) =>
      old === undefined
        ? `Withdrew the message ${when}.`
        : `Withdrew the message ${when}: “${quotedText(old)}”`,
  },
  chatTheyEdited: {
    es: (user: string, when: string, text: string) =>
      `${user} ha editado un mensaje ${when}: «${quotedText(text, { lines: true })}»`,
    en: (user: string, when: string, text: string) =>
      `${user} edited a message ${when}: “${quotedText(text, { lines: true })}”`,
  },
  chatTheyWithdrew: {
    es: (user: string, when: string) => `${user} ha retirado un mensaje ${when}.`,
    en: (user: string, when: string) => `${user} withdrew a message ${when}.`,
  },
  chatCancelled: {
    es: (excerpt: string) => `Cancelado antes de enviar: «${quotedText(excerpt)}»`,
    en: (excerpt: string) => `Cancelled before sending: “${quotedText(excerpt)}”`,
  },
  chatCancelledOne: {
    es: "Cancelado antes de enviar.",
    en: "Cancelled before sending.",
  },
  chatDeletedOwn: {
    es: (excerpt: string) =>
      `Borrado solo en este lado: «${quotedText(excerpt)}». La otra persona lo conserva, y ya no se puede retirar desde aquí.`,
    en: (excerpt: string) =>
      `Deleted on this side only: “${quotedText(excerpt)}”. The other person keeps it, and it can no longer be withdrawn from here.`,
  },
  chatDeletedTheirs: {
    es: (excerpt: string) =>
      `Borrado solo en este lado: «${quotedText(excerpt)}». La otra persona lo conserva.`,
    en: (excerpt: string) =>
      `Deleted on this side only: “${quotedText(excerpt)}”. The other person keeps it.`,
  },
  chatDeletedWithdrawn: {
    es: "Borrado en este lado lo que quedaba del mensaje retirado.",
    en: "What remained of the withdrawn message was deleted on this side.",
  },
  chatDeleteAsk: {
    es: (user: string, typed: string) =>
      `Para borrar en este lado toda la conversación con ${user}, sin vuelta atrás, escriba: /delete chat ${typed}`,
    en: (user: string, typed: string) =>
      `To delete the whole conversation with ${user} on this side, permanently, type: /delete chat ${typed}`,
  },
  chatDeleteOther: {
    es: (user: string, typed: string) =>
      `Este es el chat con ${user}; no se ha borrado nada. Para borrarlo, escriba: /delete chat ${typed}`,
    en: (user: string, typed: string) =>
      `This is the chat with ${user}; nothing was deleted. To delete it, type: /delete chat ${typed}`,
  },
  chatDeleting: {
    es: "Borrando la conversación; puede seguir escribiendo.",
    en: "Deleting the conversation; you can keep writing.",
  },
  chatDeletedChat: {
    es: (count: number, user: string) =>
      plural(
        count,
        `Borrado 1 mensaje con ${user}, solo en este lado.`,
        `Borrados ${count} mensajes con ${user}, solo en este lado.`,
      ),
    en: (count: number, user: string) =>
      plural(
        count,
        `1 message with ${user} was deleted, on this side only.`,
        `${count} messages with ${user} were deleted, on this side only.`,
      ),
  },
  chatStillWaits: {
    es: (count: number) =>
      plural(
        count,
        "Queda 1 pendiente de enviar: /cancel lo cancela.",
        `Quedan ${count} pendientes de enviar: /cancel los cancela.`,
      ),
    en: (count: number) =>
      plural(
        count,
        "1 unsent message was kept; /cancel cancels it.",
        `${count} unsent messages were kept; /cancel cancels them.`,
      ),
  },

  chatInfoWritten: { es: "escrito", en: "written" },
  chatInfoLeft: { es: "enviado", en: "sent" },
  chatInfoReceived: { es: "recibido", en: "received" },
  chatInfoRead: { es: "leído", en: "read" },
  chatInfoEdited: { es: "editado", en: "edited" },
  chatInfoWithdrawn: { es: "retirado", en: "withdrawn" },
  chatInfoChangeWaits: {
    es: "el cambio aún no ha llegado: la otra persona tiene el texto anterior",
    en: "the change has not arrived yet: the other person still has the earlier text",
  },
  chatInfoQueued: { es: "en cola: todavía no se ha enviado", en: "queued: not sent yet" },

  chatActionUnknown: {
    es: "Ese mensaje ya no está aquí: se ha cancelado o borrado.",
    en: "That message is gone: it was cancelled or deleted.",
  },
  chatActionNotOwn: {
    es: "Ese mensaje no es suyo: solo quien lo escribió puede editarlo o retirarlo. /delete lo borra en este lado.",
    en: "That message is not yours: only its author can edit or withdraw it. /delete deletes it on this side.",
  },
  chatActionNotSupported: {
    es: (user: string) =>
      `El cliente de ${user} no admite ediciones ni retiradas, y el mensaje ya se ha enviado: queda como está.`,
    en: (user: string) =>
      `${user}'s client does not support edits or withdrawals, and the message has been sent: it stays as it is.`,
  },
  chatActionLeft: {
    es: "Ese mensaje ya se ha enviado, o se está enviando: no se puede cancelar. /withdraw lo retira en los dos lados.",
    en: "That message has been sent, or is being sent: it cannot be cancelled. /withdraw takes it back on both sides.",
  },
  chatActionWaiting: {
    es: "Ese mensaje todavía no ha llegado: antes de borrarlo, cancélelo con /cancel o retírelo con /withdraw.",
    en: "That message has not arrived yet. Before you delete it, cancel it with /cancel or withdraw it with /withdraw.",
  },
  chatActionNoneOwn: {
    es: "En esta pantalla no hay ningún mensaje escrito por usted: elija uno con /list y su número.",
    en: "None of your messages is on this screen: choose one with /list and its number.",
  },
  chatActionNoneTheirs: {
    es: (user: string) =>
      `En esta pantalla no hay ningún mensaje de ${user}: elija uno con /list y su número.`,
    en: (user: string) =>
      `There is no message from ${user} on this screen: choose one with /list and its number.`,
  },
  chatActionNoReply: {
    es: "Ese mensaje se ha retirado: no se puede responder a él.",
    en: "That message was withdrawn; it cannot be replied to.",
  },
  chatActionNoCopy: {
    es: "Ese mensaje se ha retirado: no queda nada que copiar.",
    en: "That message was withdrawn; there is nothing left to copy.",
  },
  chatActionCancelNotOwn: {
    es: "Ese mensaje no es suyo: /cancel cancela solo lo que usted ha escrito y aún no se ha enviado.",
    en: "That message is not yours: /cancel cancels only your own messages that have not been sent yet.",
  },
  chatActionOnlyChange: {
    es: "Solo está pendiente el cambio de un mensaje ya enviado, y los cambios no se cancelan. /edit y /withdraw lo cambian otra vez.",
    en: "Only a change to a message already sent is waiting, and changes cannot be cancelled. /edit and /withdraw change it again.",
  },
  chatActionNoneWaiting: {
    es: "No hay nada pendiente de enviar, así que no hay nada que cancelar. /withdraw retira lo ya enviado.",
    en: "Nothing is waiting to be sent, so there is nothing to cancel. /withdraw takes back what has been sent.",
  },
} as const satisfies { readonly [name: string]: BilingualText };
