/** The help, and the errors of a command line. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { BilingualText } from "./bilingual-text.ts";

export const USAGE_TEXTS = {
  help: {
    es: `Paloma: conversaciones de su máquina a la de su amigo, y a ninguna otra.

Uso: bun run client.ts [orden] [opciones]

  (sin orden)            los menús y la conversación, en una terminal
  register [--email E]   crea la cuenta (nombre con --user); no inicia sesión
  users                  quién está en línea
  send USUARIO [TEXTO]   un mensaje; sin TEXTO, lo que diga la entrada estándar
  listen                 sigue en línea y muestra lo que llega, hasta Ctrl-C
  daemon                 para programas: JSON por entrada, salida y socket
  history USUARIO        toda la conversación guardada
  search PALABRAS…       los mensajes de todos los chats que las contienen
  export USUARIO ARCHIVO la conversación en un archivo: .jsonl, o texto
  edit USUARIO ID [TEXTO]  edita un mensaje propio, en los dos lados
  withdraw USUARIO ID    retira un mensaje propio, en los dos lados
  cancel USUARIO [ID]    cancela lo no enviado; sin ID, todo
  delete USUARIO [ID]    borra de esta máquina; sin ID, la conversación
  fingerprint [USUARIO]  la huella propia, o el número de seguridad con USUARIO
  logout                 cierra la sesión guardada

  --server HOST[:PUERTO]   servidor (localhost:8443)
  --user NOMBRE            cuenta; sobra si la carpeta de datos guarda una sola
  --data CARPETA           carpeta de datos
  --p2p-port N             puerto para conversar (el primero libre de 9000–9099)
  --server-fingerprint SHA256   huella de la autoridad del servidor
  --password-stdin         contraseña por entrada estándar (o PALOMA_PASSWORD)
  --wait received|queued   send, edit, withdraw: hasta que esté en el disco del
                           otro, o en este
  --reply-to ID            send: responde a ese mensaje
  --yes                    delete: toda la conversación, sin preguntar
  --accept                 fingerprint: acepta la clave nueva de USUARIO cuyo
                           número se mostró antes
  --timeout S              segundos que puede durar la orden (30)
  --json                   una línea JSON por suceso
  --lang es|en   --help, -h, help   --version
  --                       lo que sigue son argumentos: send ana -- -5

Cada opción tiene su variable: --p2p-port es PALOMA_P2P_PORT.`,
    en: `Paloma: conversations from your machine to your friend's, and nowhere else.

Usage: bun run client.ts [command] [options]

  (no command)           the menus and the chat, at a terminal
  register [--email E]   create the account (name with --user); does not log in
  users                  who is online
  send USER [TEXT]       one message; without TEXT, standard input is the text
  listen                 stay online and show what arrives, until Ctrl-C
  daemon                 for programs: JSON on standard input, output, socket
  history USER           the whole stored conversation
  search WORDS…          messages of all chats that contain the words
  export USER FILE       the conversation as a file: .jsonl, or text
  edit USER ID [TEXT]    edit one of your messages, on both sides
  withdraw USER ID       withdraw one of your messages, on both sides
  cancel USER [ID]       cancel what is unsent; without ID, all of it
  delete USER [ID]       delete on this machine; without ID, all messages
  fingerprint [USER]     your fingerprint, or the safety number with USER
  logout                 end the stored session

  --server HOST[:PORT]     server (localhost:8443)
  --user NAME              account; not needed when the data folder holds one
  --data DIR               data folder
  --p2p-port N             port for conversations (first free one of 9000–9099)
  --server-fingerprint SHA256   fingerprint of the server's authority
  --password-stdin         password from standard input (or PALOMA_PASSWORD)
  --wait received|queued   send, edit, withdraw: until it is on the peer's disk,
                           or on yours
  --reply-to ID            send: replies to that message
  --yes                    delete: the whole conversation, without asking
  --accept                 fingerprint: accept USER's new key, whose number
                           was shown before
  --timeout S              seconds that the command may take (30)
  --json                   one JSON line for each event
  --lang es|en   --help, -h, help   --version
  --                       what follows are arguments: send ana -- -5

Every option has its variable: --p2p-port is PALOMA_P2P_PORT.`,
  },
  seeHelp: { es: "Vea --help.", en: "See --help." },
  noCommand: { es: "Falta la orden.", en: "The command is missing." },
  menusNeedTerminal: {
    es: "Los menús necesitan una terminal en la entrada y en la salida. Desde un programa, use una orden: vea --help.",
    en: "The menus need a terminal for input and output. In a program, use a command: see --help.",
  },
  unknownCommand: {
    es: (command: string, meant: string | undefined) =>
      `Orden desconocida: «${quotedText(command)}».${meant === undefined ? "" : ` ¿Quiere decir ${meant}?`}`,
    en: (command: string, meant: string | undefined) =>
      `Unknown command: “${quotedText(command)}”.${meant === undefined ? "" : ` Did you mean ${meant}?`}`,
  },
  missingArgument: { es: (name: string) => `Falta ${name}.`, en: (name: string) => `${name} is missing.` },
  userArgument: { es: "USUARIO", en: "USER" },
  idArgument: { es: "el ID", en: "The ID" },
  fileArgument: { es: "ARCHIVO", en: "FILE" },
  wordsArgument: { es: "PALABRAS", en: "WORDS" },
  tooManyArguments: {
    es: (argument: string) => `Sobra «${quotedText(argument)}»; un texto con espacios va entre comillas.`,
    en: (argument: string) => `“${quotedText(argument)}” is one argument too many; quote a text with spaces.`,
  },
  userNeeded: {
    es: "Falta el nombre de la cuenta: --user NOMBRE.",
    en: "The account's name is missing: --user NAME.",
  },
  badServer: {
    es: (value: string, meant: string | undefined) =>
      `«${quotedText(value)}» no es un servidor: se espera HOST o HOST:PUERTO (IPv6 entre corchetes, como [::1]:8443)${meant === undefined ? "." : `; ¿quiere decir ${quotedText(meant)}?`}`,
    en: (value: string, meant: string | undefined) =>
      `“${quotedText(value)}” is not a server: expected HOST or HOST:PORT (IPv6 in brackets, as [::1]:8443)${meant === undefined ? "." : `; did you mean ${quotedText(meant)}?`}`,
  },
  portOfServer: {
    es: (port: number) =>
      `--p2p-port: el ${port} es el puerto del servidor en esta misma máquina; elija otro, o ninguno.`,
    en: (port: number) =>
      `--p2p-port: ${port} is the server's own port on this machine; choose another one, or none.`,
  },
  badFingerprint: {
    es: "--server-fingerprint: se esperaban 64 cifras hexadecimales.",
    en: "--server-fingerprint: expected 64 hexadecimal digits.",
  },
  outputLost: {
    es: (code: string) => `No se pudo escribir toda la salida (${code}): está incompleta.`,
    en: (code: string) => `Not all of the output could be written (${code}): it is incomplete.`,
  },
  timeZoneUnknown: {
    es: (zone: string) => `No se entiende TZ, «${quotedText(zone)}»: las horas se muestran en UTC.`,
    en: (zone: string) => `TZ, “${quotedText(zone)}”, is not understood: times are shown in UTC.`,
  },
  badName: {
    es: (name: string) => `«${quotedText(name)}» no es un nombre de usuario válido.`,
    en: (name: string) => `“${quotedText(name)}” is not a valid user name.`,
  },
  oldName: {
    es: (name: string) =>
      `«${quotedText(name)}» no es un nombre de usuario válido. Si es el de una cuenta antigua, abra antes su chat desde los menús.`,
    en: (name: string) =>
      `“${quotedText(name)}” is not a valid user name. If it is the name of an old account, open its chat from the menus first.`,
  },
  stdinTaken: {
    es: "La entrada estándar no puede dar la contraseña y el texto a la vez: ponga el texto como argumento.",
    en: "Standard input cannot provide both the password and the text: put the text on the command line.",
  },
  stdinHasRequests: {
    es: "La entrada estándar de daemon es para las peticiones: dé la contraseña en PALOMA_PASSWORD.",
    en: "The standard input of daemon is for requests: give the password in PALOMA_PASSWORD.",
  },
  requestTooLong: {
    es: "Una petición supera los 256 KiB.",
    en: "A request exceeds 256 KiB.",
  },
  inputNotRead: {
    es: (why: string) => `No se puede leer la entrada estándar (${why}): no se atienden peticiones por ella.`,
    en: (why: string) => `Standard input cannot be read (${why}): no requests are taken from it.`,
  },
  outputNotRead: {
    es: "Nadie lee la salida estándar: lo último que se escribió se ha perdido.",
    en: "Nobody reads standard output: the last lines that were written are lost.",
  },
  typeText: {
    es: "Escriba el mensaje; Ctrl-D en una línea vacía lo envía.",
    en: "Type the message; Ctrl-D on an empty line sends it.",
  },
  textTooLong: { es: "El texto supera los 32 KiB.", en: "The text exceeds 32 KiB." },
  textEmpty: { es: "El texto está vacío.", en: "The text is empty." },
  textNotUnicode: { es: "El texto no es UTF-8 válido.", en: "The text is not valid UTF-8." },
  toOneself: { es: "No puede enviarse mensajes a sí mismo.", en: "You cannot send messages to yourself." },
  acceptNeedsUser: { es: "--accept necesita un USUARIO.", en: "--accept needs a USER." },
  withoutHome: {
    es: "No se sabe dónde guardar los datos: falta HOME; use --data CARPETA.",
    en: "There is nowhere to keep the data: HOME is not set; use --data DIR.",
  },
} as const satisfies { readonly [name: string]: BilingualText };
