/** The one-shot commands on messages: delivery, changes, deletion and export. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

export const MESSAGE_TEXTS = {
  notifyFailed: {
    es: (why: string) =>
      `La orden de --notify-command ha fallado (${why}). Se intentará con cada aviso, y no se volverá a decir.`,
    en: (why: string) =>
      `The command of --notify-command failed (${why}). It is tried with each notification, and this is said once.`,
  },
  notifyExitCode: {
    es: (code: number) => `código de salida ${code}`,
    en: (code: number) => `exit code ${code}`,
  },
  notifyTooSlow: {
    es: (seconds: number) => `no terminó en ${seconds} s`,
    en: (seconds: number) => `it did not end within ${seconds} s`,
  },
  theMessage: { es: "El mensaje", en: "The message" },
  theChange: { es: "El cambio", en: "The change" },
  queued: {
    es: (what: string, user: string) =>
      `${what} queda en cola y se enviará cuando ${user} y usted estén en línea (menús, listen o el próximo send).`,
    en: (what: string, user: string) =>
      `${what} is queued and will be sent when ${user} is online and so are you (menus, listen or the next send).`,
  },
  /** Something that the sentence before it has said has to change first. */
  queuedUntilChanged: {
    es: (what: string, user: string) =>
      `${what} queda en cola y se enviará cuando eso cambie, y ${user} y usted estén en línea (menús, listen o el próximo send).`,
    en: (what: string, user: string) =>
      `${what} is queued and will be sent once that has changed, when ${user} is online and so are you (menus, listen or the next send).`,
  },
  queuedAndTried: {
    es: (what: string, user: string) =>
      `${what} queda en cola y se volverá a intentar, mientras usted esté en línea (menús, listen o el próximo send), hasta que lo reciba ${user}.`,
    en: (what: string, user: string) =>
      `${what} is queued and will be tried again, while you are online (menus, listen or the next send), until ${user} has received it.`,
  },
  queuedWhileInsecure: {
    es: (what: string, user: string) =>
      `${what} queda en cola, pero no se enviará mientras ${user} siga usando ese cliente.`,
    en: (what: string, user: string) =>
      `${what} is queued, but will not be sent as long as ${user} uses that client.`,
  },
  queuedUntilAccepted: {
    es: (what: string, user: string) =>
      `${what} queda en cola y no se enviará hasta que acepte la clave de ${user}.`,
    en: (what: string, user: string) =>
      `${what} is queued and will not be sent until you accept the key of ${user}.`,
  },
  queuedUntilTaken: {
    es: (what: string, user: string) =>
      `${what} queda en cola y se enviará cuando ${user} le acepte y usted esté en línea (menús, listen o el próximo send).`,
    en: (what: string, user: string) =>
      `${what} is queued and will be sent when ${user} accepts you and you are online (menus, listen or the next send).`,
  },
  queuedUntilRoom: {
    es: (what: string, user: string) =>
      `${what} queda en cola y se enviará cuando haya sitio en el disco de ${user} y usted esté en línea (menús, listen o el próximo send).`,
    en: (what: string, user: string) =>
      `${what} is queued and will be sent when the disk of ${user} has room and you are online (menus, listen or the next send).`,
  },
  notKept: {
    es: "No se ha guardado: la cuenta no ha podido iniciar sesión, así que en esta máquina no se conserva nada de ella.",
    en: "It was not saved: the account could not log in, so nothing of it is kept on this machine.",
  },
  received: {
    es: (user: string) => `✓✓ recibido por ${user}`,
    en: (user: string) => `✓✓ received by ${user}`,
  },
  changed: {
    es: (user: string) => `✓✓ cambiado también para ${user}`,
    en: (user: string) => `✓✓ changed for ${user} too`,
  },

  cancelled: {
    es: (user: string) => `El mensaje a ${user} no se había enviado: se ha cancelado, y nadie lo verá.`,
    en: (user: string) =>
      `The message to ${user} had not been sent: it is cancelled, and nobody will see it.`,
  },
  cancelledMany: {
    es: (count: number, user: string) =>
      plural(
        count,
        `Se ha cancelado 1 mensaje a ${user} pendiente de enviar.`,
        `Se han cancelado ${count} mensajes a ${user} pendientes de enviar.`,
      ),
    en: (count: number, user: string) =>
      plural(
        count,
        `1 unsent message to ${user} was cancelled.`,
        `${count} unsent messages to ${user} were cancelled.`,
      ),
  },
  nothingToCancel: {
    es: (user: string) => `No hay mensajes a ${user} pendientes de enviar.`,
    en: (user: string) => `There are no unsent messages to ${user}.`,
  },
  perhapsLeft: {
    es: (count: number) =>
      plural(
        count,
        "Otro puede estar en camino, y ya solo puede retirarse: withdraw USUARIO ID.",
        `Otros ${count} pueden estar en camino, y ya solo pueden retirarse: withdraw USUARIO ID.`,
      ),
    en: (count: number) =>
      plural(
        count,
        "Another one may be on its way, and can only be withdrawn now: withdraw USER ID.",
        `Another ${count} may be on their way, and can only be withdrawn now: withdraw USER ID.`,
      ),
  },
  deleted: {
    es: (count: number, user: string) =>
      plural(
        count,
        `Se ha borrado de esta máquina 1 mensaje de la conversación con ${user}; la otra máquina lo conserva.`,
        `Se han borrado de esta máquina ${count} mensajes de la conversación con ${user}; la otra máquina los conserva.`,
      ),
    en: (count: number, user: string) =>
      plural(
        count,
        `1 message of the conversation with ${user} was deleted from this machine; the other machine keeps it.`,
        `${count} messages of the conversation with ${user} were deleted from this machine; the other machine keeps them.`,
      ),
  },
  deletionKept: {
    es: (count: number) =>
      plural(
        count,
        "Queda 1 pendiente de enviar o de confirmar: use cancel o withdraw.",
        `Quedan ${count} pendientes de enviar o de confirmar: use cancel o withdraw.`,
      ),
    en: (count: number) =>
      plural(
        count,
        "1 unsent or unacknowledged message was kept: use cancel or withdraw.",
        `${count} unsent or unacknowledged messages were kept: use cancel or withdraw.`,
      ),
  },
  deletionQuestion: {
    es: (user: string) =>
      `Se borrará de esta máquina toda la conversación con ${user}, para siempre. Escriba «sí» para borrarla:`,
    en: (user: string) =>
      `The whole conversation with ${user} will be deleted from this machine, permanently. Type “yes” to delete it:`,
  },
  deletionDeclined: { es: "No se ha borrado nada.", en: "Nothing was deleted." },
  deletionNeedsYes: {
    es: "Sin una terminal en la que preguntar, borrar toda una conversación necesita --yes.",
    en: "Without a terminal to ask at, deleting a whole conversation needs --yes.",
  },
  exported: {
    es: (count: number, file: string) =>
      plural(count, `1 mensaje guardado en ${file}`, `${count} mensajes guardados en ${file}`),
    en: (count: number, file: string) =>
      plural(count, `1 message saved to ${file}`, `${count} messages saved to ${file}`),
  },
  noMessages: {
    es: (user: string) => `No hay mensajes con ${user}.`,
    en: (user: string) => `There are no messages with ${user}.`,
  },
  noMessagesSince: {
    es: (user: string) => `Desde entonces no hay mensajes con ${user}.`,
    en: (user: string) => `There are no messages with ${user} since then.`,
  },
  nothingUnread: { es: "No hay mensajes sin leer.", en: "There are no unread messages." },
  searchIndexing: {
    es: (percent: number) => `Preparando la búsqueda en los mensajes guardados: ${percent} %.`,
    en: (percent: number) => `Preparing the search of your stored messages: ${percent} %.`,
  },
  nothingFound: {
    es: "Ningún mensaje contiene todas esas palabras.",
    en: "No message contains all these words.",
  },

  unknownMessage: {
    es: "No hay ningún mensaje con ese ID en esa conversación: history --json muestra los que hay.",
    en: "There is no message with that ID in that conversation: history --json shows them.",
  },
  notOwnMessage: {
    es: "Ese mensaje no es suyo: solo puede cambiarlo o retirarlo quien lo escribió (delete lo borra de esta máquina).",
    en: "That message is not yours: only its author can edit or withdraw it (delete removes it from this machine).",
  },
  replyToWithdrawn: {
    es: "Ese mensaje se ha retirado, y no se puede responder a él: no se ha enviado nada.",
    en: "That message was withdrawn and cannot be replied to; nothing was sent.",
  },
  alreadyWithdrawn: { es: "Ese mensaje ya está retirado.", en: "That message has already been withdrawn." },
  changeNotSupported: {
    es: "El cliente de esa persona no admite ediciones ni retiradas: nada ha cambiado.",
    en: "That person's client does not support edits or withdrawals; nothing was changed.",
  },
  alreadyLeft: {
    es: "Ese mensaje ya se ha enviado, o puede estar en camino, y no se puede cancelar: withdraw lo retira en los dos lados.",
    en: "That message has been sent, or may be on its way, and cannot be cancelled: use withdraw to take it back on both sides.",
  },
  stillWaiting: {
    es: "Ese mensaje aún está pendiente de enviar o de confirmar, y no se borra: use cancel o withdraw.",
    en: "That message is still unsent or unacknowledged and is not deleted: use cancel or withdraw.",
  },
  exportNoMessages: {
    es: "No hay mensajes que guardar, y no se ha creado ningún archivo.",
    en: "There are no messages to save; no file was created.",
  },
  exportFileExists: {
    es: (file: string) => `${file} ya existe y no se ha tocado: elija otro nombre.`,
    en: (file: string) => `${file} already exists and was not touched: choose another name.`,
  },
  exportNoFolder: {
    es: (file: string) => `No existe la carpeta en la que guardar ${file}.`,
    en: (file: string) => `The folder for ${file} does not exist.`,
  },
  exportNoName: {
    es: (file: string) => `«${quotedText(file)}» es una carpeta: falta el nombre del archivo.`,
    en: (file: string) => `“${quotedText(file)}” is a folder: the file's name is missing.`,
  },
  exportNotWritten: {
    es: (file: string, why: string) =>
      `No se puede guardar ${file} (${why}): compruebe el espacio libre y los permisos; no ha quedado nada a medias.`,
    en: (file: string, why: string) =>
      `${file} cannot be saved (${why}): check free space and permissions; no partial file was left.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
