/** The menus. Names passed in are visible text already. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

export const MENU_TEXTS = {
  menuStart: {
    es: (server: string) => `Servidor ${server}. ¿Qué desea hacer?`,
    en: (server: string) => `Server ${server}. What would you like to do?`,
  },
  menuHome: {
    es: (user: string) => `${user}, ¿qué desea hacer?`,
    en: (user: string) => `${user}, what would you like to do?`,
  },
  /** Of the first question of all. With `localhost:8443` behind it, it fits a row of 45 columns, as the next one. */
  menuFirstServer: { es: "Servidor (Esc: salir):", en: "Server (Esc: quit):" },
  menuServer: { es: "Servidor (Esc: volver):", en: "Server (Esc: back):" },
  menuLogIn: { es: "Iniciar sesión", en: "Log in" },
  menuRegister: { es: "Registrarse", en: "Register" },
  menuQuit: { es: "Salir", en: "Quit" },
  menuPeople: { es: "Ver usuarios conectados y chatear", en: "See connected users and chat" },
  menuWrite: { es: "Escribir a alguien…", en: "Write to someone…" },
  menuWriteTo: {
    es: "¿A quién? Puede no estar en línea. (Tab completa, Esc: volver)",
    en: "To whom? They need not be online. (Tab completes, Esc: back)",
  },
  menuSearch: { es: "Buscar", en: "Search" },
  menuSearchWords: { es: "¿Qué palabras busca? (Esc: volver)", en: "Which words? (Esc: back)" },
  menuFound: {
    es: (count: number, words: string, isMore: boolean) =>
      isMore
        ? `Los ${count} últimos mensajes con «${quotedText(words)}», y hay más. ¿Qué chat abre?`
        : plural(
            count,
            `1 mensaje con «${quotedText(words)}». ¿Abre su chat?`,
            `${count} mensajes con «${quotedText(words)}». ¿Qué chat abre?`,
          ),
    en: (count: number, words: string, isMore: boolean) =>
      isMore
        ? `The last ${count} messages with “${quotedText(words)}”; there are more. Open which chat?`
        : plural(
            count,
            `1 message with “${quotedText(words)}”. Open its chat?`,
            `${count} messages with “${quotedText(words)}”. Open which chat?`,
          ),
  },
  menuLogOut: { es: "Cerrar sesión", en: "Log out" },
  /** No name can hold an arrow and a space. */
  menuBack: { es: "← Volver", en: "← Back" },
  menuNew: {
    es: (count: number) => plural(count, "1 nuevo", `${count} nuevos`),
    en: (count: number) => `${count} new`,
  },

  menuAccount: { es: "¿Con qué cuenta?", en: "Which account?" },
  menuOtherAccount: { es: "Otra cuenta", en: "Another account" },
  menuName: { es: "Nombre de usuario:", en: "User name:" },
  menuPassword: { es: "Contraseña:", en: "Password:" },
  menuEmail: { es: "Correo electrónico (opcional):", en: "Email (optional):" },
  /** Behind why the server refuses one answer for a new account. */
  menuRestKept: { es: "Lo demás no hay que repetirlo.", en: "The rest need not be repeated." },
  menuWhom: { es: "¿Con quién desea hablar?", en: "Who would you like to talk to?" },
  menuWhomUnknown: {
    es: "Sin servidor no se sabe quién está conectado. ¿Con quién desea hablar?",
    en: "Without the server there is no way to know who is connected. Who would you like to talk to?",
  },
  menuWhomRefused: {
    es: "El servidor no dice ahora quién está conectado. ¿Con quién desea hablar?",
    en: "The server is not saying who is connected right now. Who would you like to talk to?",
  },
  menuOffline: { es: "no está en línea", en: "not online" },
  menuSeen: { es: (age: string) => `hace ${age}`, en: (age: string) => `${age} ago` },
  menuJustNow: { es: "ahora mismo", en: "just now" },
  menuOfflineAnswers: {
    es: "responde; según el servidor no está en línea",
    en: "responding; offline according to the server",
  },
  menuAnswers: { es: "responde", en: "responding" },
  menuSilent: {
    es: (age: string) => `en línea según el servidor; sin respuesta desde hace ${age}`,
    en: (age: string) => `online according to the server; no reply for ${age}`,
  },

  /** Stands behind what is under way. */
  menuEscapes: { es: "(Esc: volver)", en: "(Esc: back)" },
  menuContacting: { es: "Conectando con el servidor…", en: "Contacting the server…" },
  menuLoggingIn: { es: "Iniciando sesión…", en: "Logging in…" },
  menuRegistering: { es: "Registrando la cuenta…", en: "Registering the account…" },
  menuOpeningChat: { es: "Abriendo el chat…", en: "Opening the chat…" },
  menuSearching: { es: "Buscando…", en: "Searching…" },
  menuListing: { es: "Preguntando quién está conectado…", en: "Asking who is connected…" },
  menuLoggingOut: { es: "Cerrando la sesión…", en: "Logging out…" },
  menuLoggedIn: {
    es: (user: string) => `Sesión iniciada como ${user}.`,
    en: (user: string) => `Logged in as ${user}.`,
  },
  menuOpenedOffline: {
    es: (user: string) =>
      `Cuenta ${user} abierta sin el servidor, con el que se sigue intentando conectar. Puede leer, y escribir a quienes ya conoce.`,
    en: (user: string) =>
      `Account ${user} opened without the server; still trying to connect. You can read, and write to people you already know.`,
  },

  menuMessages: {
    es: (user: string, unread: number) =>
      plural(unread, `${user}: 1 mensaje nuevo`, `${user}: ${unread} mensajes nuevos`),
    en: (user: string, unread: number) =>
      plural(unread, `${user}: 1 new message`, `${user}: ${unread} new messages`),
  },
  noticesDropped: {
    es: (count: number) =>
      plural(count, "Un aviso más antiguo no se muestra.", `${count} avisos más antiguos no se muestran.`),
    en: (count: number) =>
      plural(count, "1 older notice is not shown.", `${count} older notices are not shown.`),
  },
  menuKeyPending: {
    es: (user: string) =>
      `La clave de ${user} ha cambiado: ¿otra máquina, o alguien que intercepta? Abra el chat con ${user} para comprobarla.`,
    en: (user: string) =>
      `The key of ${user} has changed: another machine, or someone intercepting? Open the chat with ${user} to check it.`,
  },

  // Each fits a row of 45 columns.
  menuKeys: {
    es: "↑↓ o un número, Enter · Ctrl-C: terminar",
    en: "↑↓ or a number, Enter · Ctrl-C: quit",
  },
  /** Of the first menu, where the server was not given. */
  menuStartKeys: {
    es: "Esc: otro servidor · ↑↓ o un número, Enter",
    en: "Esc: another server · ↑↓ or a number, Enter",
  },
  menuListKeys: { es: "Esc: volver · ↑↓ o un número, Enter", en: "Esc: back · ↑↓ or a number, Enter" },
  menuSearchKeys: {
    es: "Esc: volver · escriba para buscar · ↑↓ Enter",
    en: "Esc: back · type to search · ↑↓ Enter",
  },
  /** Stands above the keys after an Enter that chose nothing. */
  menuNoMatch: {
    es: (typed: string) => `«${quotedText(typed)}» no está en la lista.`,
    en: (typed: string) => `“${quotedText(typed)}” is not in the list.`,
  },
  menuNotInList: {
    es: (last: number) => `Escriba un número del 1 al ${last}, o un nombre de la lista.`,
    en: (last: number) => `Type a number from 1 to ${last}, or a name from the list.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
