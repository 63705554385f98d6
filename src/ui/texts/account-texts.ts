/** The account itself (password, deletion, move to another machine, other sessions), what others are told of its person, and the people whom it knows. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { BilingualText } from "./bilingual-text.ts";

export const ACCOUNT_TEXTS = {
  passwordCurrent: { es: "Contraseña actual:", en: "Current password:" },
  passwordNew: { es: "Contraseña nueva:", en: "New password:" },
  passwordsNeeded: {
    es: "Faltan las contraseñas: la actual y la nueva, en dos líneas con --password-stdin, o en una terminal.",
    en: "The passwords are missing: give the current and the new one in two lines with --password-stdin, or at a terminal.",
  },
  passwordChanged: {
    es: "La contraseña se ha cambiado. Aquí la sesión sigue; las de otras máquinas se han cerrado.",
    en: "The password was changed. The session here goes on; those on other machines have ended.",
  },
  passwordWrong: {
    es: "La contraseña actual no es esa, y no se ha cambiado nada. Si la ha olvidado, pida una nueva a quien administra el servidor.",
    en: "That is not the current password; nothing was changed. If you have forgotten it, ask whoever runs the server for a new one.",
  },
  accountDeletionQuestion: {
    es: (user: string) =>
      `La cuenta ${user} se borrará del servidor para siempre, y lo que aún no se ha enviado no llegará. Los mensajes de esta máquina se quedan en ella. Para borrar la cuenta, escriba su nombre:`,
    en: (user: string) =>
      `The account ${user} will be deleted from the server permanently, and what is unsent will not arrive. The messages on this machine stay here. To delete the account, type its name:`,
  },
  accountDeletionDeclined: {
    es: "No se ha borrado la cuenta: el nombre no es ese.",
    en: "The account was not deleted: that is not its name.",
  },
  accountDeletionNeedsYes: {
    es: "Sin una terminal en la que escribir el nombre, borrar la cuenta necesita --yes.",
    en: "Without a terminal at which to type the name, deleting the account needs --yes.",
  },
  accountDeleted: {
    es: (user: string, folder: string) =>
      `La cuenta ${user} ya no existe en el servidor; su nombre queda libre a los tres días. Los mensajes y la clave siguen en esta máquina, en ${folder}: borre esa carpeta si no los quiere.`,
    en: (user: string, folder: string) =>
      `The account ${user} no longer exists on the server; its name is free again after three days. The messages and the key are still on this machine, in ${folder}: delete that folder if you do not want them.`,
  },
  myAccount: { es: "Mi cuenta", en: "My account" },
  myAccountQuestion: {
    es: (user: string) => `La cuenta ${user}:`,
    en: (user: string) => `The account ${user}:`,
  },
  myAccountPassword: { es: "Cambiar la contraseña", en: "Change the password" },
  myAccountSigns: {
    es: "Qué saben los demás: leído, escribiendo",
    en: "What others are told: read, typing",
  },
  myAccountFingerprint: { es: "Ver mi huella", en: "Show my fingerprint" },
  myAccountDeletion: { es: "Borrar la cuenta", en: "Delete the account" },
  changingPassword: { es: "Cambiando la contraseña…", en: "Changing the password…" },
  readingSigns: { es: "Un momento…", en: "One moment…" },
  deletingAccount: { es: "Borrando la cuenta…", en: "Deleting the account…" },
  signsQuestion: {
    es: "¿Qué se dice a los demás? Enter lo cambia.",
    en: "What are others told? Enter changes it.",
  },
  signsOfPerson: { es: "Para una sola persona…", en: "For one person…" },
  signsOfWhom: { es: "¿Para quién?", en: "For whom?" },
  signsOwn: { es: "elegido aparte", en: "chosen separately" },
  signsOfQuestion: {
    es: (user: string) => `¿Qué se dice a ${user}? Enter lo cambia.`,
    en: (user: string) => `What is ${user} told? Enter changes it.`,
  },
  signRead: { es: "Que ha leído sus mensajes", en: "That you have read their messages" },
  signTyping: { es: "Que está escribiendo", en: "That you are typing" },
  signYes: { es: "sí", en: "yes" },
  signNo: { es: "no", en: "no" },
  signAsForAll: {
    es: (told: string) => `como a todos: ${told}`,
    en: (told: string) => `as everybody: ${told}`,
  },

  menuReplace: {
    es: (user: string) => `La cuenta ${user} está abierta en otra máquina.`,
    en: (user: string) => `The account ${user} is open on another machine.`,
  },
  menuReplaceYes: {
    es: "Cerrar aquella sesión y entrar aquí",
    en: "End that session and log in here",
  },
  replaceQuestion: {
    es: "La cuenta está abierta en otra máquina. ¿Cerrar aquella sesión y entrar aquí? (sí/no)",
    en: "The account is open on another machine. End that session and log in here? (yes/no)",
  },

  /** Moving it to another machine. */
  accountMoved: {
    es: (day: string) =>
      `Esta cuenta se llevó a otra máquina el ${day} (profile export) y aquí ya no entra en línea: con su clave en dos máquinas, lo que le envían llegaría a una o a otra. Lo guardado se puede leer; para volver a usarla aquí, arranque con --force.`,
    en: (day: string) =>
      `This account was moved to another machine on ${day} (profile export) and does not go online here any more: with its key on two machines, what is sent to it would reach one or the other. What is stored can be read; to use the account here again, start with --force.`,
  },
  accountMoving: {
    es: "Esta cuenta se está llevando a otra máquina (profile export): aquí queda desconectada.",
    en: "This account is being moved to another machine (profile export): it is offline here.",
  },
  movedOn: {
    es: (day: string) => `Se llevó a otra máquina el ${day}: aquí solo se lee.`,
    en: (day: string) => `Moved to another machine on ${day}: here it can only be read.`,
  },
  passphrase: { es: "Frase de paso del archivo:", en: "Passphrase of the file:" },
  passphraseNew: { es: "Frase de paso para el archivo:", en: "Passphrase for the file:" },
  passphraseAgain: { es: "Repita la frase de paso:", en: "Repeat the passphrase:" },
  passphrasesDiffer: { es: "Las frases de paso no coinciden.", en: "The passphrases do not match." },
  passphraseBad: {
    es: "La frase de paso debe tener de 8 a 256 caracteres.",
    en: "The passphrase must have 8 to 256 characters.",
  },
  passphraseNeeded: {
    es: "Falta la frase de paso: con --password-stdin, o en una terminal.",
    en: "The passphrase is missing: give it with --password-stdin, or at a terminal.",
  },
  exporting: { es: "Se cifra, se escribe y se comprueba…", en: "Encrypting, writing and checking…" },
  importing: { es: "Se descifra y se comprueba…", en: "Decrypting and checking…" },
  exportOrImport: {
    es: (typed: string) => `«${quotedText(typed)}»: se esperaba export o import.`,
    en: (typed: string) => `“${quotedText(typed)}”: expected export or import.`,
  },
  accountExported: {
    es: (user: string, file: string) => `Cuenta ${user} exportada a ${file}.`,
    en: (user: string, file: string) => `Account ${user} exported to ${file}.`,
  },
  afterExport: {
    es: "El archivo está entero y cifrado: se ha vuelto a leer. En la otra máquina, «profile import» con él y con la frase de paso. Aquí la cuenta ya no entra en línea; lo guardado se puede leer.",
    en: "The file is whole and encrypted: it was read back. On the other machine, “profile import” with it and the passphrase. Here the account does not go online any more; what is stored can be read.",
  },
  accountImported: {
    es: (user: string, folder: string) => `Cuenta ${user} importada en ${folder}.`,
    en: (user: string, folder: string) => `Account ${user} imported into ${folder}.`,
  },
  afterImport: {
    es: "Están su clave, sus contactos y sus mensajes. La sesión no viaja: la primera vez hace falta la contraseña. Si todo está bien, borre el archivo: quien lo tenga y sepa la frase de paso tiene la cuenta.",
    en: "Its key, its contacts and its messages are here. The session does not move: the first login needs the password. If all is well, delete the file: whoever has it and knows the passphrase has the account.",
  },
  accountHere: {
    es: (user: string, folder: string) =>
      `La cuenta ${user} ya está en esta máquina, en ${folder}, y no se ha tocado. Si esa carpeta sobra, apártela y repita la orden.`,
    en: (user: string, folder: string) =>
      `The account ${user} is on this machine already, in ${folder}, and was not touched. If that folder is not needed, move it away and repeat the command.`,
  },
  movedAccountHere: {
    es: (user: string, folder: string, day: string) =>
      `En ${folder} está la cuenta ${user} tal como se llevó a otra máquina el ${day}, y no se ha tocado. Con --force, la del archivo ocupa su lugar.`,
    en: (user: string, folder: string, day: string) =>
      `In ${folder} is the account ${user} as it was moved to another machine on ${day}; it was not touched. With --force, the one of the file takes its place.`,
  },
  fileUnreadable: {
    es: (why: string) => `No se puede leer el archivo (${why}).`,
    en: (why: string) => `The file cannot be read (${why}).`,
  },
  fileNotOurs: {
    es: "Ese archivo no es una cuenta exportada de Paloma.",
    en: "That file is not an exported account of Paloma.",
  },
  fileNewer: {
    es: "Ese archivo es de una versión más nueva de Paloma: actualice esta.",
    en: "That file is of a newer version of Paloma: update this one.",
  },
  fileTruncated: {
    es: "Al archivo le falta el final: no se copió entero. Cópielo otra vez; no se ha importado nada.",
    en: "The end of the file is missing: it was not copied whole. Copy it again; nothing was imported.",
  },
  fileChanged: {
    es: "El archivo no es como se escribió: se ha dañado, o alguien lo ha cambiado. Cópielo otra vez; no se ha importado nada.",
    en: "The file is not as it was written: it was damaged, or somebody has changed it. Copy it again; nothing was imported.",
  },
  passphraseWrong: {
    es: "La frase de paso no es esa; no se ha importado nada.",
    en: "That is not the passphrase; nothing was imported.",
  },

  noContacts: { es: "Aquí no se conoce todavía a nadie.", en: "Nobody is known here yet." },
  lastHeard: {
    es: (time: string) => `última noticia: ${time}`,
    en: (time: string) => `last heard of: ${time}`,
  },
  neverHeard: { es: "sin noticias todavía", en: "not heard of yet" },
  unreadCount: {
    es: (count: number) => `${count} sin leer`,
    en: (count: number) => `${count} unread`,
  },
  /** In a list, in parentheses. */
  quietNote: { es: "en silencio", en: "muted" },
  mutedClock: { es: (clock: string) => `las ${clock}`, en: (clock: string) => clock },
  mutedDay: {
    es: (day: string, clock: string) => `el ${day} a las ${clock}`,
    en: (day: string, clock: string) => `${day} at ${clock}`,
  },
  mutedNote: {
    es: (until: string) => `en silencio hasta ${until}`,
    en: (until: string) => `muted until ${until}`,
  },
  mutedUntil: {
    es: (user: string, until: string) =>
      `${user} está en silencio hasta ${until}: ni suena ni se anuncia nada suyo.`,
    en: (user: string, until: string) =>
      `${user} is muted until ${until}: nothing of theirs rings or is announced.`,
  },
  badMute: {
    es: (typed: string) => `«${quotedText(typed)}» no es ningún tiempo, como 90m, 8h o 7d, ni off.`,
    en: (typed: string) => `“${quotedText(typed)}” is neither a duration, such as 90m, 8h or 7d, nor off.`,
  },
  notMuted: {
    es: (user: string) => `${user} no está en silencio.`,
    en: (user: string) => `${user} is not muted.`,
  },
  keyChanged: { es: "clave cambiada, sin aceptar", en: "changed key, not accepted" },

  accountAt: {
    es: (user: string, servers: string) => `${user}, en ${servers}`,
    en: (user: string, servers: string) => `${user}, at ${servers}`,
  },
  serverForgotten: { es: "un servidor que ya no se conoce", en: "a server that is no longer known" },
  hasSession: {
    es: (isStored: boolean) =>
      isStored ? "Sesión guardada: entra sin contraseña." : "Sin sesión guardada: hará falta la contraseña.",
    en: (isStored: boolean) =>
      isStored
        ? "A session is stored: no password is needed."
        : "No session is stored: the password will be needed.",
  },
  lanOff: {
    es: "Nada se dice a la red local ni se pide a su router.",
    en: "The local network is told nothing, and its router is asked nothing.",
  },
  relayOnly: {
    es: "Solo a través del servidor: nadie más se entera de su dirección.",
    en: "Through the server only: nobody else learns its address.",
  },
  relayNever: { es: "Nunca a través del servidor.", en: "Never through the server." },
  accountFolder: {
    es: (folder: string) => `Carpeta: ${folder}`,
    en: (folder: string) => `Folder: ${folder}`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
