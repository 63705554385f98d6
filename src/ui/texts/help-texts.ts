/** What each command and each option is: the rows of the help and of the shells' completions. */
import type { Language } from "../../protocol/language.ts";

/** What it takes (for a command: `[…]` may be left out, `…` may be repeated), and what it does. */
type Row = { readonly [L in Language]: readonly [takes: string, does: string] };
type Frame = {
  readonly [L in Language]: {
    readonly top: string;
    readonly noCommand: readonly [string, string];
    readonly afterOptions: readonly [string, string];
    readonly bottom: string;
  };
};

export const COMMAND_HELP = {
  register: {
    es: ["", "crea la cuenta (nombre con --user); no inicia sesión"],
    en: ["", "create the account (name with --user); does not log in"],
  },
  users: { es: ["", "quién está en línea"], en: ["", "who is online"] },
  send: {
    es: [
      "USUARIO [TEXTO]",
      "un mensaje, a uno o a varios (ana,benito); sin TEXTO, lo que diga la entrada estándar",
    ],
    en: [
      "USER [TEXT]",
      "a message, to one or to several (ana,benito); without TEXT, standard input is the text",
    ],
  },
  "send-file": {
    es: ["USUARIO RUTA…", "archivos y carpetas; «-» es la entrada estándar. Si se corta, sigue solo"],
    en: ["USER PATH…", "files and folders; “-” is standard input. What is cut off goes on by itself"],
  },
  listen: {
    es: ["", "sigue en línea y muestra lo que llega, hasta Ctrl-C"],
    en: ["", "stay online and show what arrives, until Ctrl-C"],
  },
  daemon: {
    es: ["", "para programas: JSON por entrada, salida y socket"],
    en: ["", "for programs: JSON on standard input, output, socket"],
  },
  history: {
    es: ["USUARIO", "la conversación guardada, entera o con --last y --since"],
    en: ["USER", "the stored conversation, whole or by --last and --since"],
  },
  search: {
    es: ["PALABRAS…", "los mensajes de todos los chats que las contienen"],
    en: ["WORDS…", "messages of all chats that contain the words"],
  },
  export: {
    es: ["USUARIO ARCHIVO", "la conversación en un archivo: .jsonl, o texto"],
    en: ["USER FILE", "the conversation as a file: .jsonl, or text"],
  },
  edit: {
    es: ["USUARIO ID [TEXTO]", "edita un mensaje propio, en los dos lados"],
    en: ["USER ID [TEXT]", "edit one of your messages, on both sides"],
  },
  withdraw: {
    es: ["USUARIO ID", "retira un mensaje propio, en los dos lados"],
    en: ["USER ID", "withdraw one of your messages, on both sides"],
  },
  cancel: {
    es: ["USUARIO [ID]", "cancela lo no enviado; sin ID, todo"],
    en: ["USER [ID]", "cancel what is unsent; without ID, all of it"],
  },
  delete: {
    es: ["USUARIO [ID]", "borra de esta máquina; sin ID, la conversación"],
    en: ["USER [ID]", "delete on this machine; without ID, all messages"],
  },
  files: {
    es: [
      "[accept|decline|stop] [ID]",
      "los archivos ofrecidos, enviados y recibidos; o acepta, rechaza o detiene uno",
    ],
    en: ["[accept|decline|stop] [ID]", "files offered, sent and received; or accepts, declines or stops one"],
  },
  contacts: {
    es: [
      "[add|remove|accept|decline|block|unblock|mute] [USUARIO] [8h|off]",
      "las personas que se conocen aquí; o decide si USUARIO puede escribirle, o lo silencia",
    ],
    en: [
      "[add|remove|accept|decline|block|unblock|mute] [USER] [8h|off]",
      "the people known here; or decides whether USER may write, or mutes USER",
    ],
  },
  unread: {
    es: ["", "cuántos mensajes sin leer, y de quién"],
    en: ["", "how many unread messages, and of whom"],
  },
  groups: {
    es: ["", "los grupos, con las invitaciones primero"],
    en: ["", "the groups, with invitations on top"],
  },
  group: {
    es: [
      "new|add|remove|members|leave|accept|decline|admin|name|keep|copy #TÍTULO [USUARIO…]",
      "lo que se hace con un grupo; '#TÍTULO' vale como USUARIO en send, history y las demás",
    ],
    en: [
      "new|add|remove|members|leave|accept|decline|admin|name|keep|copy #TITLE [USER…]",
      "what is done with a group; '#TITLE' stands for USER in send, history and others",
    ],
  },
  fingerprint: {
    es: ["[USUARIO]", "la huella propia, o el número de seguridad con USUARIO"],
    en: ["[USER]", "your fingerprint, or the safety number with USER"],
  },
  verify: {
    es: ["USUARIO", "comprueba con un código, los dos a la vez, que nadie intercepta"],
    en: ["USER", "check by a code, both of you at once, that nobody intercepts"],
  },
  doctor: {
    es: ["[USUARIO]", "por qué caminos se llega a usted, o a USUARIO, y qué ayudaría"],
    en: ["[USER]", "by which ways others reach you, or you USER, and what would help"],
  },
  whoami: {
    es: ["", "la cuenta, su servidor, su huella y su carpeta"],
    en: ["", "the account, its server, its fingerprint and its folder"],
  },
  passwd: {
    es: ["", "cambia la contraseña; las sesiones de otras máquinas se cierran"],
    en: ["", "change the password; sessions on other machines end"],
  },
  "delete-account": {
    es: ["", "borra la cuenta del servidor; sus mensajes siguen en esta máquina"],
    en: ["", "delete the account from the server; its messages stay on this machine"],
  },
  logout: { es: ["", "cierra la sesión guardada"], en: ["", "end the stored session"] },
  profile: {
    es: ["export|import ARCHIVO", "lleva la cuenta a otra máquina, en un archivo cifrado"],
    en: ["export|import FILE", "move the account to another machine, in an encrypted file"],
  },
  completion: {
    es: ["bash|zsh|fish", "un guion para esa shell, que completa órdenes, opciones y nombres"],
    en: ["bash|zsh|fish", "a script for that shell, which completes commands, options and names"],
  },
  demo: {
    es: ["", "dos personas se encuentran y hablan, con un servidor propio, y qué ha visto cada uno"],
    en: ["", "two people find each other and talk, with a server of their own, and who saw what"],
  },
} as const satisfies { readonly [command: string]: Row };

export const OPTION_HELP = {
  server: {
    es: ["HOST[:PUERTO]", "servidor (el último usado; si no hay, localhost:8443)"],
    en: ["HOST[:PORT]", "server (the one used last, else localhost:8443)"],
  },
  user: {
    es: ["NOMBRE", "cuenta; sobra si la carpeta de datos guarda una sola"],
    en: ["NAME", "account; not needed when the data folder holds one"],
  },
  data: { es: ["CARPETA", "carpeta de datos"], en: ["DIR", "data folder"] },
  "p2p-port": {
    es: ["N", "puerto para conversar (el primero libre de 9000–9099)"],
    en: ["N", "port for conversations (first free one of 9000–9099)"],
  },
  "server-fingerprint": {
    es: ["SHA256", "huella de la autoridad del servidor"],
    en: ["SHA256", "fingerprint of the server's authority"],
  },
  "password-stdin": {
    es: ["", "contraseña por entrada estándar (o PALOMA_PASSWORD)"],
    en: ["", "password from standard input (or PALOMA_PASSWORD)"],
  },
  force: {
    es: ["", "entra en línea aunque la cuenta se haya llevado a otra máquina"],
    en: ["", "go online although the account was moved to another machine"],
  },
  who: {
    es: [
      "anyone|requests|contacts",
      "quién puede escribirle: cualquiera, quien lo pida (requests), o solo contactos",
    ],
    en: ["anyone|requests|contacts", "who may write: anyone, whoever asks (requests), or contacts only"],
  },
  lan: {
    es: ["on|off", "si se avisa a sus contactos en la red local y se pide un puerto al router; se recuerda"],
    en: ["on|off", "tell contacts on the local network, ask the router for a port; remembered"],
  },
  relay: {
    es: [
      "auto|only|never",
      "conversar a través del servidor, cifrado: si hace falta, siempre (nadie más sabe su dirección) o nunca; se recuerda",
    ],
    en: [
      "auto|only|never",
      "talk through the server, sealed: if need be, always (nobody else learns your address), never; remembered",
    ],
  },
  email: { es: ["CORREO", "register: correo electrónico"], en: ["E", "register: email address"] },
  wait: {
    es: [
      "received|queued",
      "send, send-file, edit, withdraw, group: hasta que esté en el disco del otro (de un grupo, de alguien), o en este",
    ],
    en: [
      "received|queued",
      "send, send-file, edit, withdraw, group: until it is on the peer's disk (of a group, somebody's), or on yours",
    ],
  },
  "reply-to": { es: ["ID", "send: responde a ese mensaje"], en: ["ID", "send: replies to that message"] },
  last: {
    es: ["N", "history: solo los últimos N mensajes"],
    en: ["N", "history: only the last N messages"],
  },
  since: {
    es: ["CUÁNDO", "history: desde 2026-11-30, 2026-11-30T12:50:00Z, o hace 90m, 8h, 7d"],
    en: ["TIME", "history: from 2026-11-30, 2026-11-30T12:50:00Z, or 90m, 8h, 7d ago"],
  },
  yes: {
    es: ["", "delete, delete-account: sin preguntar"],
    en: ["", "delete, delete-account: without asking"],
  },
  accept: {
    es: ["", "fingerprint: acepta la clave nueva de USUARIO cuyo número se mostró antes"],
    en: ["", "fingerprint: accept USER's new key, whose number was shown before"],
  },
  "notify-command": {
    es: ["ORDEN", "menús, listen, daemon: la ejecuta una shell cuando llegan mensajes"],
    en: ["CMD", "menus, listen, daemon: run by a shell when messages come"],
  },
  from: {
    es: ["ARCHIVO", "group add: las personas, un nombre por línea; «-» es la entrada estándar"],
    en: ["FILE", "group add: the people, one name a line; “-” is standard input"],
  },
  adds: {
    es: ["all|admins", "group new: quién puede añadir personas (admins)"],
    en: ["all|admins", "group new: who may add people (admins)"],
  },
  writes: {
    es: ["all|admins", "group new: quién puede escribir (all)"],
    en: ["all|admins", "group new: who may write (all)"],
  },
  "no-history": {
    es: ["", "group add: sin los mensajes anteriores"],
    en: ["", "group add: without the earlier messages"],
  },
  off: {
    es: ["", "verify: retira la verificación de USUARIO"],
    en: ["", "verify: withdraw the verification of USER"],
  },
  downloads: {
    es: ["CARPETA", "dónde se guardan los archivos que llegan (su carpeta de descargas)"],
    en: ["DIR", "where files that arrive are put (your folder for downloads)"],
  },
  "accept-files": {
    es: ["CARPETA", "listen: guarda en ella los archivos de sus contactos, sin preguntar"],
    en: ["DIR", "listen: puts the files of contacts there without asking"],
  },
  "max-size": {
    es: ["N", "listen: y rechaza los que pasan de N bytes (500M, 2G)"],
    en: ["N", "listen: and declines those of more than N bytes (500M, 2G)"],
  },
  sha256: {
    es: ["", "send-file, files, listen: muestra el SHA-256 de cada archivo, para compararlo"],
    en: ["", "send-file, files, listen: shows each file's SHA-256, to compare it"],
  },
  timeout: {
    es: ["S", "segundos que puede durar la orden (30; verify: 300; send-file: 300 sin avanzar)"],
    en: ["S", "seconds that the command may take (30; verify: 300; send-file: 300 without progress)"],
  },
  json: { es: ["", "una línea JSON por suceso"], en: ["", "one JSON line for each event"] },
  lang: { es: ["es|en", "idioma"], en: ["es|en", "language"] },
  help: { es: ["", "esta ayuda; también -h o help"], en: ["", "this help; also -h or help"] },
  version: { es: ["", "la versión"], en: ["", "the version"] },
} as const satisfies { readonly [flag: string]: Row };

/** What stands above, between and below the rows. */
export const HELP_FRAME: Frame = {
  es: {
    top: `Paloma: conversaciones de su máquina a la de su amigo, y a ninguna otra.

Uso: paloma [orden] [opciones]      (sin instalar: bun run client.ts …)`,
    noCommand: ["(sin orden)", "los menús y la conversación, en una terminal"],
    afterOptions: ["--", "lo que sigue son argumentos: send ana -- -5"],
    bottom: "Cada opción tiene su variable: --p2p-port es PALOMA_P2P_PORT.",
  },
  en: {
    top: `Paloma: conversations from your machine to your friend's, and nowhere else.

Usage: paloma [command] [options]   (not installed: bun run client.ts …)`,
    noCommand: ["(no command)", "the menus and the chat, at a terminal"],
    afterOptions: ["--", "what follows are arguments: send ana -- -5"],
    bottom: "Every option has its variable: --p2p-port is PALOMA_P2P_PORT.",
  },
};
