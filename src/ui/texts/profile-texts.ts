/** Damaged profiles and their repair. */
import type { BilingualText } from "./bilingual-text.ts";

export const PROFILE_TEXTS = {
  profileChecking: {
    es: "El programa no se cerró bien la última vez: se están comprobando los mensajes guardados, lo que puede tardar unos segundos.",
    en: "The program was not shut down cleanly: checking your stored messages, which may take a few seconds.",
  },
  profileMended: {
    es: "El programa no se cerró bien la última vez y los índices de los mensajes no eran correctos: se han rehecho. Los mensajes siguen ahí; si alguno se lee mal, lo ha dañado el disco.",
    en: "The program was not shut down cleanly, and the message indexes were wrong: they have been rebuilt. All messages are there; if one looks wrong, the disk has damaged it.",
  },
  profileRewriting: {
    es: "Se está reescribiendo el archivo de los mensajes, para que no quede nada de los borrados y ocupe lo justo: puede tardar unos segundos.",
    en: "Rewriting the file with your messages, so that nothing of deleted ones stays and it takes no more room than needed: this may take a few seconds.",
  },
  profileDamaged: {
    es: (file: string, rescue: string, folder: string) =>
      `${file} está dañado y no se puede usar. ${rescue} La carpeta ${folder} se queda como está: muévala entera a otro lugar y vuelva a iniciar sesión; se creará una clave nueva, que sus contactos tendrán que aceptar.`,
    en: (file: string, rescue: string, folder: string) =>
      `${file} is damaged and cannot be used. ${rescue} The folder ${folder} is left as it is: move it elsewhere as a whole and log in again; this creates a new key, which your contacts must accept.`,
  },
  profileDamagedNoRoom: {
    es: (file: string, folder: string) =>
      `${file} está dañado y no se puede usar: hace falta espacio libre en la carpeta ${folder} para guardar lo que aún se lee. Libere espacio en ese disco y vuelva a iniciar el programa.`,
    en: (file: string, folder: string) =>
      `${file} is damaged and cannot be used: saving what can still be read needs free space in the folder ${folder}. Free some space on that disk and start the program again.`,
  },
  damageFound: {
    es: (why: string) =>
      `El archivo de sus mensajes está dañado (${why}). Inicie listen o los menús: lo comprueban, arreglan lo que se puede y guardan lo que aún se lee. Si ya están en marcha, termínelos antes.`,
    en: (why: string) =>
      `The file with your messages is damaged (${why}). Start listen or the menus: they check it, repair what they can and save what can still be read. If they are running, end them first.`,
  },
  storeDamaged: {
    es: (file: string, folder: string) =>
      `${file} está dañado y ya no es una base de datos: no se lee nada de él. Recupérelo de una copia; o aparte la carpeta ${folder} para empezar con una clave nueva, que sus contactos tendrán que aceptar.`,
    en: (file: string, folder: string) =>
      `${file} is damaged and is no longer a database: nothing in it can be read. Restore it from a backup, or move the folder ${folder} away to start with a new key, which your contacts must accept.`,
  },
  storeLost: {
    es: (file: string, folder: string) =>
      `Falta ${file} o está vacío, aunque aquí hubo una cuenta (${folder}): recupérelo de una copia; o aparte la carpeta para empezar con una clave nueva, que sus contactos tendrán que aceptar.`,
    en: (file: string, folder: string) =>
      `${file} is missing or empty, although there was an account here (${folder}): restore it from a backup, or move the folder away to start with a new key, which your contacts must accept.`,
  },
  storeMoved: {
    es: (file: string) =>
      `${file} se ha borrado, movido o cambiado por otro archivo mientras se usaba: ya no se guarda ni se confirma nada. Ponga en su sitio la carpeta buena y arranque otra vez el programa.`,
    en: (file: string) =>
      `${file} was deleted, moved or replaced while it was in use: nothing more is saved or acknowledged. Put the right folder in its place and start the program again.`,
  },
  fileMoved: {
    es: "el archivo de esta cuenta ya no está en su sitio",
    en: "this account's file is no longer in its place",
  },
  serversDamaged: {
    es: (file: string) =>
      `${file} está dañado; guarda solo los servidores conocidos, y ningún mensaje: aparte ese archivo, y al conectar se preguntará otra vez por la huella del servidor.`,
    en: (file: string) =>
      `${file} is damaged; it holds only the known servers, and no messages: move that file away, and the next connection will ask for the server's fingerprint again.`,
  },
  messagesRescued: {
    es: (count: number, file: string) => `Los mensajes que aún se podían leer (${count}) están en ${file}.`,
    en: (count: number, file: string) => `The messages that could still be read (${count}) are in ${file}.`,
  },
  nothingRescued: {
    es: "No se ha podido leer ningún mensaje.",
    en: "No message could be read.",
  },
} as const satisfies { readonly [name: string]: BilingualText };
