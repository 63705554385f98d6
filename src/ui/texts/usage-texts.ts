/** The errors of a command line. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { BilingualText } from "./bilingual-text.ts";

export const USAGE_TEXTS = {
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
  notItsOption: {
    es: (command: string, flag: string) => `La orden ${command} no admite --${flag}.`,
    en: (command: string, flag: string) => `The command ${command} does not take --${flag}.`,
  },
  missingArgument: { es: (name: string) => `Falta ${name}.`, en: (name: string) => `${name} is missing.` },
  userArgument: { es: "USUARIO", en: "USER" },
  fileArgument: { es: "ARCHIVO", en: "FILE" },
  wordsArgument: { es: "PALABRAS", en: "WORDS" },
  unknownShell: {
    es: (shell: string) => `«${quotedText(shell)}» no es una shell que se conozca: bash, zsh o fish.`,
    en: (shell: string) => `“${quotedText(shell)}” is not a known shell: bash, zsh or fish.`,
  },
  tooManyArguments: {
    es: (argument: string) => `Sobra «${quotedText(argument)}»; un texto con espacios va entre comillas.`,
    en: (argument: string) => `“${quotedText(argument)}” is one argument too many; quote a text with spaces.`,
  },
  badTime: {
    es: (value: string) =>
      `--since: «${quotedText(value)}» no es un momento: se espera 2026-11-30, 2026-11-30T12:50:00Z, 90m, 8h o 7d.`,
    en: (value: string) =>
      `--since: “${quotedText(value)}” is not a time: expected 2026-11-30, 2026-11-30T12:50:00Z, 90m, 8h or 7d.`,
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
  unseenInName: {
    es: (name: string) =>
      `En «${quotedText(name)}» hay caracteres que no se ven, quizá de haberlo copiado: escriba el nombre a mano.`,
    en: (name: string) =>
      `There are characters in “${quotedText(name)}” that are not seen, perhaps from copying it: type the name by hand.`,
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
  tooManyPaths: {
    es: (most: number) => `Son más de ${most} rutas: envíe la carpeta en la que están.`,
    en: (most: number) => `These are more than ${most} paths: send the folder that they are in.`,
  },
  stdinTwice: {
    es: "La entrada estándar, «-», solo se puede enviar una vez.",
    en: "Standard input, “-”, can be sent only once.",
  },
  stdinCannotWait: {
    es: "La entrada estándar no puede quedar en cola: quite --wait queued.",
    en: "Standard input cannot be queued: leave out --wait queued.",
  },
  stdinIsTerminal: {
    es: "La entrada estándar es esta terminal: para enviar lo que escribe un programa, tar c x | paloma send-file ana -",
    en: "Standard input is this terminal: to send what a program writes, tar c x | paloma send-file ana -",
  },
  stdinElsewhere: {
    es: "La cuenta está en línea en otro proceso, que no puede leer esta entrada estándar: guarde lo que trae en un archivo y envíe el archivo, o termine antes ese proceso.",
    en: "The account is online in another process, which cannot read this standard input: save it to a file and send that, or end that process first.",
  },
  stdinIsSocket: {
    es: "La cuenta está en línea en otro proceso, que no puede leer esta entrada estándar, porque es un socket: con «cat | paloma send-file …» es una tubería.",
    en: "The account is online in another process, which cannot read this standard input, because it is a socket: with “cat | paloma send-file …” it is a pipe.",
  },
  maxSizeAlone: {
    es: "--max-size solo sirve con --accept-files.",
    en: "--max-size is only of use with --accept-files.",
  },
  noSuchFolder: {
    es: (folder: string) => `--accept-files: no hay ninguna carpeta «${quotedText(folder)}».`,
    en: (folder: string) => `--accept-files: there is no folder “${quotedText(folder)}”.`,
  },
  unknownFileWord: {
    es: (word: string) => `files: no se conoce «${quotedText(word)}»; es accept, decline o stop.`,
    en: (word: string) => `files: “${quotedText(word)}” is not known; it is accept, decline or stop.`,
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
