/** What is said of messages: how far they are, what became of a change of them, and why one cannot be done. */
import type { BilingualText } from "./bilingual-text.ts";

export const MESSAGE_TEXTS = {
  theMessage: { es: "El mensaje", en: "The message" },
  theChange: { es: "El cambio", en: "The change" },
  queued: {
    es: (what: string, user: string) =>
      `${what} queda en cola: saldrá cuando ${user} esté en línea y aquí haya un listen en marcha, o con el próximo send.`,
    en: (what: string, user: string) =>
      `${what} is queued: it will leave when ${user} is online and a listen runs here, or with the next send.`,
  },
  queuedWhileInsecure: {
    es: (what: string, user: string) =>
      `${what} queda en cola, pero no saldrá mientras ${user} siga usando ese cliente.`,
    en: (what: string, user: string) =>
      `${what} is queued, but it will not leave as long as ${user} uses that client.`,
  },
  queuedUntilAccepted: {
    es: (what: string, user: string) =>
      `${what} queda en cola: no saldrá hasta que acepte la clave de ${user}.`,
    en: (what: string, user: string) =>
      `${what} is queued: it will not leave until you accept the key of ${user}.`,
  },
  queuedElsewhere: {
    es: (what: string, user: string) =>
      `${what} queda en cola: el otro proceso lo enviará cuando ${user} esté en línea; si termina antes, saldrá con el próximo listen o send.`,
    en: (what: string, user: string) =>
      `${what} is queued: the other process will send it when ${user} is online; if it ends before, it will leave with the next listen or send.`,
  },
  notKept: {
    es: "El mensaje no se ha guardado: la cuenta no ha podido iniciar sesión, y en esta máquina no se conserva nada de ella.",
    en: "The message was not kept: the account could not log in, and nothing of it stays on this machine.",
  },
  received: {
    es: (user: string) => `✓✓ recibido por ${user}`,
    en: (user: string) => `✓✓ received by ${user}`,
  },

  cancelled: {
    es: (user: string) => `El mensaje a ${user} no había salido: se ha cancelado, y nadie lo verá.`,
    en: (user: string) => `The message to ${user} had not left: it is cancelled, and nobody will see it.`,
  },
  cancelledMany: {
    es: (count: number, user: string) =>
      count === 1
        ? `Se ha cancelado 1 mensaje a ${user} que no había salido.`
        : `Se han cancelado ${count} mensajes a ${user} que no habían salido.`,
    en: (count: number, user: string) =>
      count === 1
        ? `1 message to ${user} that had not left is cancelled.`
        : `${count} messages to ${user} that had not left are cancelled.`,
  },
  nothingToCancel: {
    es: (user: string) => `No hay mensajes a ${user} que no hayan salido.`,
    en: (user: string) => `There are no messages to ${user} that have not left.`,
  },
  perhapsLeft: {
    es: (count: number) =>
      count === 1
        ? "Otro puede estar en camino, y ya solo puede retirarse: withdraw USUARIO ID."
        : `Otros ${count} pueden estar en camino, y ya solo pueden retirarse: withdraw USUARIO ID.`,
    en: (count: number) =>
      count === 1
        ? "Another one may be on its way, and can only be withdrawn now: withdraw USER ID."
        : `Another ${count} may be on their way, and can only be withdrawn now: withdraw USER ID.`,
  },
  deleted: {
    es: (count: number, user: string) =>
      count === 1
        ? `Se ha borrado de esta máquina 1 mensaje de la conversación con ${user}; la suya lo conserva.`
        : `Se han borrado de esta máquina ${count} mensajes de la conversación con ${user}; la suya los conserva.`,
    en: (count: number, user: string) =>
      count === 1
        ? `1 message of the conversation with ${user} was deleted from this machine; theirs keeps it.`
        : `${count} messages of the conversation with ${user} were deleted from this machine; theirs keeps them.`,
  },
  deletionKept: {
    es: (count: number) =>
      count === 1
        ? "Queda 1 que espera salir, o que no está confirmado: cancel o withdraw lo quitan."
        : `Quedan ${count} que esperan salir, o que no están confirmados: cancel o withdraw los quitan.`,
    en: (count: number) =>
      count === 1
        ? "1 stays that waits to leave, or is not confirmed: cancel or withdraw takes it away."
        : `${count} stay that wait to leave, or are not confirmed: cancel or withdraw takes them away.`,
  },
  deletionQuestion: {
    es: (user: string) =>
      `Se borrará de esta máquina toda la conversación con ${user}, para siempre. Escriba «sí» para borrarla:`,
    en: (user: string) =>
      `The whole conversation with ${user} will be deleted from this machine, for ever. Type “yes” to delete it:`,
  },
  deletionDeclined: { es: "No se ha borrado nada.", en: "Nothing was deleted." },
  deletionNeedsYes: {
    es: "Borrar toda una conversación necesita --yes donde no hay una terminal que pregunte.",
    en: "Deleting a whole conversation needs --yes where there is no terminal to ask at.",
  },
  exported: {
    es: (count: number, file: string) =>
      count === 1 ? `1 mensaje guardado en ${file}` : `${count} mensajes guardados en ${file}`,
    en: (count: number, file: string) =>
      count === 1 ? `1 message saved to ${file}` : `${count} messages saved to ${file}`,
  },
  noMessages: {
    es: (user: string) => `No hay mensajes con ${user}.`,
    en: (user: string) => `There are no messages with ${user}.`,
  },
  searchBehind: {
    es: (why: string) =>
      `Puede que falten los mensajes más nuevos: sus palabras no se pueden guardar en el índice (${why}).`,
    en: (why: string) =>
      `The newest messages may be missing: their words cannot be saved to the index (${why}).`,
  },
  chatEditedQueued: { es: "(editado, en cola)", en: "(edited, queued)" },
  chatWithdrawnQueued: { es: "(retirado, en cola)", en: "(withdrawn, queued)" },
  nothingFound: {
    es: "Ningún mensaje contiene todas esas palabras.",
    en: "No message holds all these words.",
  },

  unknownMessage: {
    es: "No hay ningún mensaje con ese ID en esa conversación: history --json muestra los que hay.",
    en: "There is no message with that ID in that conversation: history --json shows them.",
  },
  notOwnMessage: {
    es: "Ese mensaje no es suyo: solo puede cambiarlo o retirarlo quien lo escribió (delete lo borra de esta máquina).",
    en: "That message is not yours: only who wrote it can change it or withdraw it (delete takes it off this machine).",
  },
  replyToWithdrawn: {
    es: "Ese mensaje se ha retirado, y no se puede responder a él: no se ha enviado nada.",
    en: "That message was withdrawn and cannot be answered: nothing was sent.",
  },
  alreadyWithdrawn: { es: "Ese mensaje ya está retirado.", en: "That message is withdrawn already." },
  changeNotSupported: {
    es: "El programa de esa persona no entiende ediciones ni retiradas: nada ha cambiado.",
    en: "That person's program understands neither edits nor withdrawals: nothing was changed.",
  },
  alreadyLeft: {
    es: "Ese mensaje ya ha salido, o puede estar en camino, y no se puede cancelar: withdraw lo retira en los dos lados.",
    en: "That message has left, or may be on its way, and cannot be cancelled: withdraw takes it back on both sides.",
  },
  stillWaiting: {
    es: "Ese mensaje aún espera salir, o no está confirmado, y no se borra: cancel o withdraw lo quitan.",
    en: "That message still waits to leave, or is not confirmed, and is not deleted: cancel or withdraw takes it away.",
  },
  exportNoMessages: {
    es: "No hay mensajes que guardar, y no se ha creado ningún archivo.",
    en: "There are no messages to save, and no file was made.",
  },
  exportFileExists: {
    es: (file: string) => `${file} ya existe y no se ha tocado: elija otro nombre.`,
    en: (file: string) => `${file} exists already and was not touched: choose another name.`,
  },
  exportNoFolder: {
    es: (file: string) => `No existe la carpeta en la que guardar ${file}.`,
    en: (file: string) => `There is no folder to save ${file} in.`,
  },
  exportNoName: {
    es: (file: string) => `«${file}» es una carpeta: falta el nombre del archivo.`,
    en: (file: string) => `“${file}” is a folder: the file's name is missing.`,
  },
  exportNotWritten: {
    es: (file: string, why: string) =>
      `No se puede guardar ${file} (${why}): compruebe que haya sitio y permiso; no ha quedado nada a medias.`,
    en: (file: string, why: string) =>
      `${file} cannot be saved (${why}): check that there is room and permission; nothing was left half done.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
