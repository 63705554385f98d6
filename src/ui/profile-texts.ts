/** What people are told of a profile whose file was damaged, in both languages. */
import type { BilingualText } from "./bilingual-text.ts";

export const PROFILE_TEXTS = {
  profileChecking: {
    es: "El programa no terminó bien la última vez: se comprueban los mensajes guardados, lo que puede tardar unos segundos.",
    en: "The program did not end well last time: your stored messages are being checked, which may take some seconds.",
  },
  profileMended: {
    es: "El programa no terminó bien la última vez y los índices de sus mensajes no estaban bien: se han rehecho. Los mensajes siguen ahí; si alguno se lee mal, lo ha dañado el disco.",
    en: "The program did not end well last time, and the indexes of your messages were not right: they were rebuilt. The messages are all there; if one reads wrong, the disk has damaged it.",
  },
  profileDamaged: {
    es: (file: string, rescue: string, folder: string) =>
      `${file} está dañado y no se puede usar. ${rescue} La carpeta dañada se queda como está: muévala de ${folder} a otro lugar y vuelva a iniciar sesión; se creará una clave nueva, que sus amistades tendrán que aceptar.`,
    en: (file: string, rescue: string, folder: string) =>
      `${file} is damaged and cannot be used. ${rescue} The damaged folder stays as it is: move it away from ${folder} and log in again; this makes a new key, which your friends must accept.`,
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
