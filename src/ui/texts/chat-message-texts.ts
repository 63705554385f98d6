/** What a person reads in a chat about stored messages: lists, searches, and what is done with them. */
import type { BilingualText } from "./bilingual-text.ts";

export const CHAT_MESSAGE_TEXTS = {
  chatNothingStored: {
    es: "En este chat no hay mensajes guardados.",
    en: "No messages of this chat are stored.",
  },
  chatFound: {
    es: (count: number, words: string) =>
      count === 1 ? `1 mensaje con «${words}»:` : `${count} mensajes con «${words}»:`,
    en: (count: number, words: string) =>
      count === 1 ? `1 message with “${words}”:` : `${count} messages with “${words}”:`,
  },
  chatFoundMore: {
    es: (count: number, words: string) =>
      `Los ${count} últimos mensajes con «${words}», y hay más: añada palabras, o busque fuera del chat con la orden search.`,
    en: (count: number, words: string) =>
      `The last ${count} messages with “${words}”, and there are more: add words, or search outside the chat with the command search.`,
  },
  chatFoundNothing: {
    es: (words: string) => `Ningún mensaje contiene «${words}».`,
    en: (words: string) => `No message holds “${words}”.`,
  },
  chatNoWord: {
    es: "Para buscar hace falta al menos una letra o una cifra.",
    en: "A search needs at least one letter or digit.",
  },
  chatListRange: {
    es: (max: number) => `/list lleva un número del 1 al ${max}, o nada.`,
    en: (max: number) => `/list takes a number from 1 to ${max}, or nothing.`,
  },
  chatNoNumber: {
    es: (word: string) =>
      `«${word}» no es un número de la lista, y no se ha hecho nada. Los números son #1, #2…; /list y /search los muestran.`,
    en: (word: string) =>
      `“${word}” is no number of the list, and nothing was done. Numbers are #1, #2…; /list and /search show them.`,
  },
  chatMeansNumber: {
    es: (number: number, word: string, command: string) =>
      `¿Quiere decir #${number}? No se ha hecho nada. Un texto que empieza por «${word}» va detrás de su número: /${command} #N ${word} …`,
    en: (number: number, word: string, command: string) =>
      `Do you mean #${number}? Nothing was done. A text that begins with “${word}” stands behind its number: /${command} #N ${word} …`,
  },
  chatNoList: {
    es: "Todavía no hay números, y no se ha hecho nada: /list o /search los muestran.",
    en: "There are no numbers yet, and nothing was done: /list or /search show them.",
  },
  chatNotListed: {
    es: (number: number, last: number) =>
      `No hay #${number} en la última lista, que llega hasta #${last}: no se ha hecho nada.`,
    en: (number: number, last: number) =>
      `There is no #${number} in the last list, which ends with #${last}: nothing was done.`,
  },
  chatOtherChat: {
    es: (user: string, typed: string) =>
      `Ese mensaje es del chat con ${user}, y no se ha hecho nada: vaya allí con /chat ${typed}.`,
    en: (user: string, typed: string) =>
      `That message is of the chat with ${user}, and nothing was done: go there with /chat ${typed}.`,
  },
  chatOnlyNumber: {
    es: (command: string) => `${command} lleva solo un número, como #3: no se ha hecho nada.`,
    en: (command: string) => `${command} takes only a number, as #3: nothing was done.`,
  },

  chatOfTime: { es: (time: string) => `de las ${time}`, en: (time: string) => `of ${time}` },
  chatOfDay: {
    es: (day: string, time: string) => `del ${day} a las ${time}`,
    en: (day: string, time: string) => `of ${day}, ${time}`,
  },
  /** A message of one's own; `old`: the beginning of what it said, where that is known. */
  chatOne: {
    es: (when: string, old: string | undefined) =>
      old === undefined ? `el ${when}` : `el ${when}, «${old}»`,
    en: (when: string, old: string | undefined) =>
      old === undefined ? `the one ${when}` : `the one ${when}, “${old}”`,
  },
  chatEditedTo: {
    es: (one: string, text: string) => `Editado ${one}: «${text}»`,
    en: (one: string, text: string) => `Edited ${one}: “${text}”`,
  },
  chatEditedUnsent: {
    es: (one: string, text: string) => `Editado antes de salir ${one}: «${text}»`,
    en: (one: string, text: string) => `Edited before it left ${one}: “${text}”`,
  },
  chatWholeInList: { es: "/list lo muestra entero.", en: "/list shows all of it." },
  chatWithdrew: {
    es: (when: string, old: string | undefined) =>
      old === undefined ? `Retirado el ${when}.` : `Retirado el ${when}: «${old}»`,
    en: (when: string, old: string | undefined) =>
      old === undefined ? `Withdrawn: the one ${when}.` : `Withdrawn, the one ${when}: “${old}”`,
  },
  chatWithdrawal: {
    es: (when: string) => `retirada del mensaje ${when}`,
    en: (when: string) => `withdrawal of the message ${when}`,
  },
  chatTheyEdited: {
    es: (user: string, when: string, text: string) => `${user} ha editado un mensaje ${when}: «${text}»`,
    en: (user: string, when: string, text: string) => `${user} has edited a message ${when}: “${text}”`,
  },
  chatTheyWithdrew: {
    es: (user: string, when: string) => `${user} ha retirado un mensaje ${when}.`,
    en: (user: string, when: string) => `${user} has withdrawn a message ${when}.`,
  },
  chatCancelled: {
    es: (excerpt: string) => `Cancelado antes de salir: «${excerpt}»`,
    en: (excerpt: string) => `Cancelled before it left: “${excerpt}”`,
  },
  chatCancelledOne: {
    es: "Cancelado antes de salir.",
    en: "Cancelled before it left.",
  },
  chatDeletedOwn: {
    es: (excerpt: string) =>
      `Borrado solo en este lado: «${excerpt}». La otra persona lo conserva, y ya no se puede retirar desde aquí.`,
    en: (excerpt: string) =>
      `Deleted on this side only: “${excerpt}”. The other person keeps it, and it can no longer be withdrawn from here.`,
  },
  chatDeletedTheirs: {
    es: (excerpt: string) => `Borrado solo en este lado: «${excerpt}». La otra persona lo conserva.`,
    en: (excerpt: string) => `Deleted on this side only: “${excerpt}”. The other person keeps it.`,
  },
  chatDeletedWithdrawn: {
    es: "Borrado en este lado lo que quedaba del mensaje retirado.",
    en: "What was left of the withdrawn message was deleted on this side.",
  },
  chatDeleteAsk: {
    es: (user: string, typed: string) =>
      `Para borrar en este lado toda la conversación con ${user}, sin vuelta atrás, escriba: /delete chat ${typed}`,
    en: (user: string, typed: string) =>
      `To delete the whole conversation with ${user} on this side, for ever, type: /delete chat ${typed}`,
  },
  chatDeleteOther: {
    es: (user: string, typed: string) =>
      `Este es el chat con ${user}, y no se ha borrado nada. Para borrarlo escriba: /delete chat ${typed}`,
    en: (user: string, typed: string) =>
      `This is the chat with ${user}, and nothing was deleted. To delete it type: /delete chat ${typed}`,
  },
  chatDeleting: {
    es: "Borrando la conversación; puede seguir escribiendo.",
    en: "Deleting the conversation; you can go on writing.",
  },
  chatDeletedChat: {
    es: (count: number, user: string) =>
      count === 1
        ? `Borrado 1 mensaje con ${user}, solo en este lado.`
        : `Borrados ${count} mensajes con ${user}, solo en este lado.`,
    en: (count: number, user: string) =>
      count === 1
        ? `1 message with ${user} was deleted, on this side only.`
        : `${count} messages with ${user} were deleted, on this side only.`,
  },
  chatStillWaits: {
    es: (count: number) =>
      count === 1
        ? "Se queda 1 que todavía espera salir: /cancel lo cancela."
        : `Se quedan ${count} que todavía esperan salir: /cancel los cancela.`,
    en: (count: number) =>
      count === 1
        ? "1 that still waits to leave stays: /cancel cancels it."
        : `${count} that still wait to leave stay: /cancel cancels them.`,
  },
  chatExported: {
    es: (count: number, file: string) => `Exportados ${count} mensajes a ${file}`,
    en: (count: number, file: string) => `Exported ${count} messages to ${file}`,
  },

  chatInfoWritten: { es: "escrito", en: "written" },
  chatInfoLeft: { es: "salió", en: "left" },
  chatInfoReceived: { es: "recibido", en: "received" },
  chatInfoRead: { es: "leído", en: "read" },
  chatInfoEdited: { es: "editado", en: "edited" },
  chatInfoWithdrawn: { es: "retirado", en: "withdrawn" },
  chatInfoChangeWaits: {
    es: "el cambio aún no ha llegado: la otra persona tiene el texto anterior",
    en: "the change has not arrived yet: the other person has the text before it",
  },
  chatInfoQueued: { es: "en cola: todavía no ha salido", en: "queued: it has not left yet" },

  chatActionUnknown: {
    es: "Ese mensaje ya no está aquí: se ha cancelado o borrado.",
    en: "That message is no longer here: it was cancelled or deleted.",
  },
  chatActionNotOwn: {
    es: "Ese mensaje no es suyo: solo quien lo escribió puede editarlo o retirarlo. En este lado lo borra /delete.",
    en: "That message is not yours: only who wrote it can edit or withdraw it. On this side /delete deletes it.",
  },
  chatActionWithdrawn: {
    es: "Ese mensaje ya está retirado.",
    en: "That message is withdrawn already.",
  },
  chatActionNotSupported: {
    es: (user: string) =>
      `El cliente de ${user} no entiende ediciones ni retiradas, y el mensaje ya ha salido: queda como está.`,
    en: (user: string) =>
      `The client of ${user} knows no edits and no withdrawals, and the message has left: it stays as it is.`,
  },
  chatActionLeft: {
    es: "Ese mensaje ya ha salido, o está saliendo: no se puede cancelar. /withdraw lo retira en los dos lados.",
    en: "That message has left, or is leaving: it cannot be cancelled. /withdraw takes it back on both sides.",
  },
  chatActionWaiting: {
    es: "Ese mensaje todavía no ha llegado: antes de borrarlo, cancélelo con /cancel o retírelo con /withdraw.",
    en: "That message has not arrived yet: before deleting it, cancel it with /cancel or withdraw it with /withdraw.",
  },
  chatActionNoneOwn: {
    es: "En esta pantalla no hay ningún mensaje suyo: elija uno con /list y su número.",
    en: "There is no message of yours on this screen: choose one with /list and its number.",
  },
  chatActionNoneTheirs: {
    es: (user: string) =>
      `En esta pantalla no hay ningún mensaje de ${user} al que responder: elija uno con /list y su número.`,
    en: (user: string) =>
      `There is no message of ${user} on this screen to reply to: choose one with /list and its number.`,
  },
  chatActionNoReply: {
    es: "Ese mensaje se ha retirado: no se puede responder a él.",
    en: "That message was withdrawn: it cannot be replied to.",
  },
  chatActionCancelNotOwn: {
    es: "Ese mensaje no es suyo: /cancel cancela solo lo que usted ha escrito y todavía no ha salido.",
    en: "That message is not yours: /cancel cancels only what you have written and what has not left yet.",
  },
  chatActionOnlyChange: {
    es: "Lo que espera es un cambio de un mensaje que ya ha salido, y los cambios no se cancelan. /edit y /withdraw lo cambian otra vez.",
    en: "What waits is a change of a message that has left, and changes are not cancelled. /edit and /withdraw change it once more.",
  },
  chatActionNoneWaiting: {
    es: "Nada espera salir, así que no hay nada que cancelar. Lo que ya ha salido lo retira /withdraw.",
    en: "Nothing waits to leave, so there is nothing to cancel. What has left is taken back by /withdraw.",
  },
} as const satisfies { readonly [name: string]: BilingualText };
