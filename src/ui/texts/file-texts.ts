/** Files that are sent and received. Names of people passed in, and what says `what`, may stand in a sentence already. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

export const FILE_TEXTS = {
  decimalMark: { es: ",", en: "." },
  /** In place of a size. */
  fileSizeUnknown: { es: "tamaño desconocido", en: "unknown size" },
  /** In place of a size. */
  folderFacts: {
    es: (count: number, size: string) =>
      `carpeta, ${plural(count, "1 elemento", `${count} elementos`)}, ${size}`,
    en: (count: number, size: string) => `folder, ${plural(count, "1 item", `${count} items`)}, ${size}`,
  },
  /** `facts`: its size. */
  fileWhat: {
    es: (name: string, facts: string) => `«${quotedText(name)}» (${facts})`,
    en: (name: string, facts: string) => `“${quotedText(name)}” (${facts})`,
  },
  fileName: { es: (name: string) => `«${quotedText(name)}»`, en: (name: string) => `“${quotedText(name)}”` },
  /** Of a whole that is `size`. */
  fileProgress: {
    es: (percent: number, size: string) => `${percent} % de ${size}`,
    en: (percent: number, size: string) => `${percent} % of ${size}`,
  },
  fileLeft: {
    es: (time: string) => `${time.startsWith("1 ") ? "falta" : "faltan"} ${time}`,
    en: (time: string) => `${time} left`,
  },

  /** Of several files. */
  filesInAll: {
    es: (done: number, count: number) => `En total, ${done} de ${count}`,
    en: (done: number, count: number) => `In all, ${done} of ${count}`,
  },

  /** What becomes of a file that is sent. `what`: as of `fileWhat`. */
  fileOutOffered: {
    es: (what: string, user: string) => `Se ofrece ${what} a ${user}; espera su respuesta.`,
    en: (what: string, user: string) => `${what} is offered to ${user}; it waits for their answer.`,
  },
  fileOutAccepted: {
    es: (what: string, user: string) => `${user} acepta ${what}; empezará en cuanto haya conexión.`,
    en: (what: string, user: string) =>
      `${user} accepts ${what}; it begins as soon as there is a connection.`,
  },
  fileOutRunning: {
    es: (what: string, user: string, how: string) => `Enviando a ${user} ${what}: ${how}.`,
    en: (what: string, user: string, how: string) => `Sending ${what} to ${user}: ${how}.`,
  },
  /** Why follows, also with the other pause. */
  fileOutPaused: {
    es: (what: string, user: string, how: string) => `En pausa el envío de ${what} a ${user} (${how}).`,
    en: (what: string, user: string, how: string) => `Sending ${what} to ${user} is paused (${how}).`,
  },
  /** Everything was sent. */
  fileOutSent: {
    es: (what: string, user: string) => `Se ha enviado todo ${what}; falta que ${user} lo confirme.`,
    en: (what: string, user: string) => `All of ${what} was sent; ${user} has yet to confirm it.`,
  },
  fileOutDone: {
    es: (what: string, user: string) => `${user} ha recibido ${what}.`,
    en: (what: string, user: string) => `${user} has received ${what}.`,
  },
  fileOutDeclined: {
    es: (what: string, user: string) => `${user} no acepta ${what}.`,
    en: (what: string, user: string) => `${user} does not accept ${what}.`,
  },
  /** In either direction. */
  fileStoppedBy: {
    es: (what: string, user: string) => `${user} ha detenido el envío de ${what}.`,
    en: (what: string, user: string) => `${user} stopped the transfer of ${what}.`,
  },
  /** Why may follow, also with the next three. */
  fileOutCancelled: {
    es: (what: string, user: string) => `Se ha detenido el envío de ${what} a ${user}.`,
    en: (what: string, user: string) => `Sending ${what} to ${user} was stopped.`,
  },
  fileOutFailed: {
    es: (what: string, user: string) => `No se ha podido enviar ${what} a ${user}.`,
    en: (what: string, user: string) => `${what} could not be sent to ${user}.`,
  },

  theOffer: { es: "La oferta", en: "The offer" },
  /** The commands that go online are named, since nobody else sends it. */
  offerStands: {
    es: (user: string) =>
      `La oferta sigue en pie: si ${user} la acepta, se enviará mientras los dos estén en línea (menús, listen o el próximo send-file).`,
    en: (user: string) =>
      `The offer stands: if ${user} accepts it, it is sent while both of you are online (menus, listen or the next send-file).`,
  },
  fileGoesOn: {
    es: (user: string) =>
      `Lo que falta se enviará solo mientras ${user} y usted estén en línea (menús, listen o el próximo send-file).`,
    en: (user: string) =>
      `The rest is sent by itself while ${user} is online and so are you (menus, listen or the next send-file).`,
  },
  /** `path`: as it was typed; a sentence about it follows. */
  fileAbout: {
    es: (path: string, sentence: string) => `«${quotedText(path)}»: ${sentence}`,
    en: (path: string, sentence: string) => `“${quotedText(path)}”: ${sentence}`,
  },
  noFiles: { es: "No se ha enviado ni recibido ningún archivo.", en: "No file was sent or received." },
  /** `number`: of the transfer. */
  fileHowToAccept: {
    es: (number: number) => `Acéptelo con files accept ${number}, o rechácelo con files decline ${number}.`,
    en: (number: number) =>
      `Accept it with files accept ${number}, or decline it with files decline ${number}.`,
  },

  /** What becomes of a file that is received. */
  fileInOffered: {
    es: (what: string, user: string) => `${user} le ofrece ${what}.`,
    en: (what: string, user: string) => `${user} offers you ${what}.`,
  },
  fileInAccepted: {
    es: (what: string, user: string) => `Aceptado ${what}, de ${user}; empezará en cuanto haya conexión.`,
    en: (what: string, user: string) =>
      `${what} from ${user} is accepted; it begins as soon as there is a connection.`,
  },
  fileInRunning: {
    es: (what: string, user: string, how: string) => `Recibiendo de ${user} ${what}: ${how}.`,
    en: (what: string, user: string, how: string) => `Receiving ${what} from ${user}: ${how}.`,
  },
  fileInPaused: {
    es: (what: string, user: string, how: string) => `En pausa la recepción de ${what} de ${user} (${how}).`,
    en: (what: string, user: string, how: string) => `Receiving ${what} from ${user} is paused (${how}).`,
  },
  /** Everything is here. */
  fileInSent: {
    es: (what: string, user: string) => `Ha llegado todo ${what} de ${user}; falta comprobarlo.`,
    en: (what: string, user: string) => `All of ${what} from ${user} has arrived; it is yet to be checked.`,
  },
  /** `path`: where it lies. */
  fileInDone: {
    es: (what: string, user: string, path: string) =>
      `Recibido ${what} de ${user}: está en «${quotedText(path)}».`,
    en: (what: string, user: string, path: string) =>
      `Received ${what} from ${user}: it is in “${quotedText(path)}”.`,
  },
  fileInDeclined: {
    es: (what: string, user: string) => `Rechazado ${what}, de ${user}.`,
    en: (what: string, user: string) => `${what} from ${user} was declined.`,
  },
  fileInCancelled: {
    es: (what: string, user: string) => `Se ha detenido la recepción de ${what} de ${user}.`,
    en: (what: string, user: string) => `Receiving ${what} from ${user} was stopped.`,
  },
  fileInFailed: {
    es: (what: string, user: string) => `No se ha podido recibir ${what} de ${user}.`,
    en: (what: string, user: string) => `${what} could not be received from ${user}.`,
  },
  fileSha256: {
    es: (digest: string) => `Su SHA-256: ${digest}`,
    en: (digest: string) => `Its SHA-256: ${digest}`,
  },

  /** Of a file for all of a group; `title`: of `groupTitle`. The first stands behind the name of who offers it. */
  fileToAll: {
    es: (what: string) => `ofrece a todos ${what}`,
    en: (what: string) => `offers to all ${what}`,
  },
  groupFileOffered: {
    es: (what: string, user: string, title: string) => `${user} ofrece ${what} a todos de ${title}.`,
    en: (what: string, user: string, title: string) => `${user} offers ${what} to all of ${title}.`,
  },
  groupFileGiven: {
    es: (what: string, title: string) =>
      `Se ofrece ${what} a todos de ${title}: lo da quien lo tenga y esté en línea.`,
    en: (what: string, title: string) =>
      `${what} is offered to all of ${title}: whoever has it and is online gives it.`,
  },
  groupFileNotGiven: {
    es: (what: string, title: string) => `Ya no da usted ${what} a ${title}.`,
    en: (what: string, title: string) => `You no longer give ${what} to ${title}.`,
  },
  groupFileWaits: {
    es: (what: string, author: string) =>
      `Aceptado ${what}, de ${author}; espera a alguien que lo tenga y esté en línea.`,
    en: (what: string, author: string) =>
      `${what} from ${author} is accepted; it waits for somebody who has it and is online.`,
  },
  /** Another one than its author gives it. */
  groupFileGiver: {
    es: (author: string, giver: string) => `${author} (lo da ${giver})`,
    en: (author: string, giver: string) => `${author} (given by ${giver})`,
  },
  fileCounting: {
    es: (name: string) => `Se cuenta el SHA-256 de «${quotedText(name)}» antes de ofrecerlo…`,
    en: (name: string) => `The SHA-256 of “${quotedText(name)}” is being counted before it is offered…`,
  },
  groupFileArrived: {
    es: "La oferta ha llegado. El archivo se da mientras su cuenta esté en línea (menús, listen o daemon); también lo da quien ya lo tenga.",
    en: "The offer has arrived. The file is given while your account is online (menus, listen or daemon), and by whoever has it already.",
  },
  groupNoPipe: {
    es: "A un grupo se le dan archivos, no la entrada estándar: guárdela antes en un archivo.",
    en: "A group is given files, not standard input: save it to a file first.",
  },

  /** `paths`: quoted. */
  fileLeftOut: {
    es: (name: string, paths: string) =>
      `De «${quotedText(name)}» no se envía lo que es un enlace o un archivo especial: ${paths}.`,
    en: (name: string, paths: string) =>
      `Links and special files in “${quotedText(name)}” are not sent: ${paths}.`,
  },

  /** Why: a sentence for each code. */
  fileNoLink: {
    es: "Ahora no hay conexión para ello; se reanudará en cuanto la haya.",
    en: "There is no connection for it now; it resumes as soon as there is one.",
  },
  fileNoGiver: {
    es: "Espera a alguien que lo tenga y esté en línea.",
    en: "It waits for somebody who has it and is online.",
  },
  fileWithdrawn: { es: "Se ha retirado.", en: "It was withdrawn." },
  fileNoSpaceHere: {
    es: "No queda sitio en este disco; se reanudará en cuanto lo haya.",
    en: "This disk is full; it resumes as soon as there is room.",
  },
  fileNoSpaceThere: {
    es: (user: string) => `El disco de ${user} está lleno; se reanudará en cuanto haya sitio.`,
    en: (user: string) => `${user}'s disk is full; it resumes as soon as there is room.`,
  },
  fileUnwritableHere: {
    es: "No se puede escribir en la carpeta de destino.",
    en: "The target folder cannot be written to.",
  },
  fileUnwritableThere: {
    es: (user: string) => `${user} no puede guardarlo en su disco.`,
    en: (user: string) => `${user}'s machine cannot save it.`,
  },
  fileStopped: {
    es: (user: string) => `Lo ha detenido ${user}.`,
    en: (user: string) => `${user} stopped it.`,
  },
  fileChangedHere: {
    es: "Ha cambiado en este disco desde que se ofreció; ofrézcalo otra vez.",
    en: "It has changed on this disk since it was offered; offer it again.",
  },
  fileChangedThere: {
    es: (user: string) => `Ha cambiado en el disco de ${user} desde que se ofreció.`,
    en: (user: string) => `It has changed on ${user}'s disk since it was offered.`,
  },
  fileGoneHere: { es: "Ya no está en este disco.", en: "It is no longer on this disk." },
  fileGoneThere: {
    es: (user: string) => `Ya no está en el disco de ${user}.`,
    en: (user: string) => `It is no longer on ${user}'s disk.`,
  },
  fileTooLargeHere: {
    es: "Es más grande de lo que se acepta aquí.",
    en: "It is larger than what is accepted here.",
  },
  fileTooLargeThere: {
    es: (user: string) => `Es más grande de lo que acepta ${user}.`,
    en: (user: string) => `It is larger than what ${user} accepts.`,
  },
  fileDamaged: {
    es: "Lo recibido no es igual que lo enviado.",
    en: "What was received is not what was sent.",
  },
  fileBadListing: {
    es: "La lista de lo que hay en la carpeta no es válida.",
    en: "The list of what is in the folder is not valid.",
  },
  fileNotSupported: {
    es: (user: string) => `El programa de ${user} no admite archivos.`,
    en: (user: string) => `${user}'s program does not take files.`,
  },
  fileKeyChanged: {
    es: (user: string) => `La clave de ${user} ha cambiado desde que se ofreció.`,
    en: (user: string) => `${user}'s key has changed since it was offered.`,
  },
  fileLost: {
    es: "Se ha cortado, y lo que viene de otro programa no se puede enviar dos veces.",
    en: "It was cut off, and what comes from another program cannot be sent twice.",
  },
  fileNoRoomThere: {
    es: (user: string) => `No cabe en el disco de ${user}.`,
    en: (user: string) => `It does not fit on ${user}'s disk.`,
  },
  fileNoRoomHere: { es: "No cabe en este disco.", en: "It does not fit on this disk." },
  fileMissing: { es: "No existe.", en: "It does not exist." },
  fileNotReadable: { es: "No se puede leer.", en: "It cannot be read." },
  fileNotAFile: {
    es: "No es un archivo ni una carpeta.",
    en: "It is neither a file nor a folder.",
  },
  fileFolderInGroup: {
    es: "A un grupo se le dan archivos, no carpetas. Empaquétela antes (zip, tar).",
    en: "A group is given files, not folders. Pack it first (zip, tar).",
  },
  fileTooManyEntries: {
    es: "La carpeta tiene más de 100 000 elementos.",
    en: "The folder has more than 100,000 items.",
  },
  fileNoSuchTransfer: { es: "No hay ningún envío así.", en: "There is no such transfer." },
  fileNotPossible: {
    es: "Eso ya no es posible con este envío.",
    en: "That is no longer possible with this transfer.",
  },
  fileTooManyHere: {
    es: (user: string) => `${user} tiene ya demasiados envíos sin terminar aquí.`,
    en: (user: string) => `Too many transfers from ${user} are unfinished here already.`,
  },
  fileTooManyThere: {
    es: (user: string) => `${user} tiene ya demasiados envíos suyos sin terminar.`,
    en: (user: string) => `Too many of your transfers to ${user} are unfinished already.`,
  },
  fileOtherReason: {
    es: (code: string) => `Motivo: «${quotedText(code)}».`,
    en: (code: string) => `Reason: “${quotedText(code)}”.`,
  },

  folderArgument: { es: "CARPETA", en: "FOLDER" },
  /** In the chat. After an offer, with its number. */
  chatFileOffer: {
    es: (number: number) => `/get #${number} lo acepta; /stop #${number} lo rechaza.`,
    en: (number: number) => `/get #${number} accepts it; /stop #${number} declines it.`,
  },
  /** The transfers follow. */
  chatFiles: { es: "Archivos:", en: "Files:" },
  chatNoFiles: {
    es: "Todavía no se ha enviado ni recibido ningún archivo.",
    en: "No file has been sent or received yet.",
  },
  chatNoOffer: {
    es: (user: string) => `${user} no le ofrece ningún archivo.`,
    en: (user: string) => `${user} offers you no file.`,
  },
  chatNothingToStop: {
    es: (user: string) => `No hay ningún envío pendiente con ${user}.`,
    en: (user: string) => `There is no transfer with ${user} to stop.`,
  },
  /** The transfers follow. */
  chatWhichFile: {
    es: (command: string) => `¿Cuál? Ponga su número, ${command} #N:`,
    en: (command: string) => `Which one? Add its number, ${command} #N:`,
  },
  chatNoFileNumber: {
    es: (typed: string) => `No hay ningún envío «${quotedText(typed)}»; /files muestra los números.`,
    en: (typed: string) => `There is no transfer “${quotedText(typed)}”; /files shows the numbers.`,
  },
  chatNoSize: {
    es: (typed: string) => `«${quotedText(typed)}» no es un tamaño, como 500M o 2G.`,
    en: (typed: string) => `“${quotedText(typed)}” is not a size, such as 500M or 2G.`,
  },
  /** Why follows. */
  chatFileNotSent: {
    es: (path: string) => `No se ha enviado «${quotedText(path)}».`,
    en: (path: string) => `“${quotedText(path)}” was not sent.`,
  },
  chatBadFolder: {
    es: (folder: string) => `En «${quotedText(folder)}» no se puede guardar nada: no existe, o no es suya.`,
    en: (folder: string) =>
      `Nothing can be saved in “${quotedText(folder)}”: it does not exist, or is not yours.`,
  },
  /** `size`: undefined: any. */
  chatGetsAlways: {
    es: (user: string, size: string | undefined, folder: string) =>
      `Desde ahora se acepta sin preguntar lo que envíe ${user}${size === undefined ? "" : ` hasta ${size}`}, en «${quotedText(folder)}». /get always off vuelve a preguntar.`,
    en: (user: string, size: string | undefined, folder: string) =>
      `From now on what ${user} sends${size === undefined ? "" : ` up to ${size}`} is accepted without a question, into “${quotedText(folder)}”. /get always off asks again.`,
  },
  chatGetsAsked: {
    es: (user: string) => `Desde ahora se pregunta por cada archivo que envíe ${user}.`,
    en: (user: string) => `From now on you are asked about each file that ${user} sends.`,
  },
  /** After several offers. */
  chatFilesOffered: {
    es: "/files los muestra con sus números; /get #N acepta uno.",
    en: "/files shows them with their numbers; /get #N accepts one.",
  },
  /** Beside a person in a list. */
  offersNote: {
    es: (count: number) => plural(count, "1 archivo", `${count} archivos`),
    en: (count: number) => plural(count, "1 file", `${count} files`),
  },
  offersArrived: {
    es: (user: string, count: number) => `${user} le ofrece ${count} archivos.`,
    en: (user: string, count: number) => `${user} offers you ${count} files.`,
  },
  chatHelpSend: {
    es: "ofrece un archivo o una carpeta, o varios",
    en: "offers a file or a folder, or several",
  },
  chatHelpFiles: {
    es: "qué se envía y recibe; rechaza uno, o lo detiene",
    en: "what is sent and received; declines or stops one",
  },
  chatHelpGet: {
    es: "acepta un archivo; always 500M: todos hasta ahí",
    en: "accepts a file; always 500M: all up to that size",
  },
} as const satisfies { readonly [name: string]: BilingualText };
