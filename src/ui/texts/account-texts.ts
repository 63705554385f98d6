/** The account itself: its password, its deletion, its other sessions, and what others are told of its person. */
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
} as const satisfies { readonly [name: string]: BilingualText };
