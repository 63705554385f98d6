/** Everything that people read from the client, in both languages; a missing text does not compile. */
import type { Language } from "../protocol/language.ts";

type Text = string | ((...values: never[]) => string);

const TABLE = {
  help: {
    es: `Paloma: conversaciones de su máquina a la de su amigo, y a ninguna otra parte.

Uso: bun run client.ts [orden] [opciones]

  register [--email E]      crea la cuenta (el nombre con --user); no inicia sesión
  users                     quién está en línea
  send USUARIO [TEXTO]      un mensaje; sin TEXTO, lo que llegue por la entrada estándar
  listen                    sigue en línea y muestra lo que llega, hasta que se interrumpa
  history USUARIO           toda la conversación guardada
  fingerprint [USUARIO]     la huella propia, o el número de seguridad con USUARIO
  logout                    cierra la sesión guardada

  --server HOST[:PUERTO]    servidor (localhost:8443)
  --user NOMBRE             cuenta; sobra cuando la carpeta de datos guarda una sola
  --data CARPETA            carpeta de datos
  --p2p-port N              puerto para las conversaciones (el primero libre de 9000 a 9099)
  --server-fingerprint SHA256   huella de la autoridad del servidor
  --password-stdin          la contraseña llega por la entrada estándar (o en PALOMA_PASSWORD)
  --wait received|queued    send: hasta que esté en el disco del otro, o en el propio
  --accept                  fingerprint: acepta la clave nueva de USUARIO
  --timeout S               segundos que puede durar la orden (30)
  --json                    una línea JSON por suceso
  --lang es|en   --help   --version

Cada opción tiene su variable: --p2p-port es PALOMA_P2P_PORT.`,
    en: `Paloma: conversations from your machine to your friend's machine, and nowhere else.

Usage: bun run client.ts [command] [options]

  register [--email E]      make the account (its name with --user); does not log in
  users                     who is online
  send USER [TEXT]          one message; without TEXT, what comes from standard input
  listen                    stay online and show what arrives, until interrupted
  history USER              the whole stored conversation
  fingerprint [USER]        your fingerprint, or the safety number with USER
  logout                    end the stored session

  --server HOST[:PORT]      server (localhost:8443)
  --user NAME               account; not needed when the data folder holds just one
  --data DIR                data folder
  --p2p-port N              port for conversations (the first free one of 9000 to 9099)
  --server-fingerprint SHA256   fingerprint of the server's authority
  --password-stdin          the password comes from standard input (or in PALOMA_PASSWORD)
  --wait received|queued    send: until it is on the peer's disk, or on yours
  --accept                  fingerprint: accept USER's new key
  --timeout S               seconds that the command may take (30)
  --json                    one JSON line for each event
  --lang es|en   --help   --version

Every option has its variable: --p2p-port is PALOMA_P2P_PORT.`,
  },
  seeHelp: { es: "Vea --help.", en: "See --help." },
  noCommand: { es: "Falta la orden.", en: "The command is missing." },
  unknownCommand: {
    es: (command: string) => `Orden desconocida: ${command}.`,
    en: (command: string) => `Unknown command: ${command}.`,
  },
  missingArgument: { es: (name: string) => `Falta ${name}.`, en: (name: string) => `${name} is missing.` },
  userArgument: { es: "USUARIO", en: "USER" },
  tooManyArguments: {
    es: (argument: string) => `Sobra «${argument}»; un texto con espacios va entre comillas.`,
    en: (argument: string) => `“${argument}” is one argument too many; quote a text that has spaces.`,
  },
  userNeeded: {
    es: "Falta el nombre de la cuenta: --user NOMBRE.",
    en: "The account's name is missing: --user NAME.",
  },
  badServer: {
    es: (value: string) =>
      `«${value}» no es un servidor: se espera HOST o HOST:PUERTO (IPv6 entre corchetes).`,
    en: (value: string) => `“${value}” is not a server: expected HOST or HOST:PORT (IPv6 in brackets).`,
  },
  badFingerprint: {
    es: "--server-fingerprint: se esperaban 64 cifras hexadecimales.",
    en: "--server-fingerprint: expected 64 hexadecimal digits.",
  },
  badName: {
    es: (name: string) => `«${name}» no puede ser el nombre de nadie.`,
    en: (name: string) => `“${name}” cannot be anybody's name.`,
  },
  stdinTaken: {
    es: "La entrada estándar no puede dar la contraseña y el texto a la vez: ponga el texto como argumento.",
    en: "Standard input cannot give both the password and the text: put the text on the command line.",
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

  passwordPrompt: {
    es: (user: string) => `Contraseña de ${user}:`,
    en: (user: string) => `Password for ${user}:`,
  },
  passwordAgain: { es: "La contraseña otra vez:", en: "The password again:" },
  passwordsDiffer: { es: "Las dos contraseñas no son iguales.", en: "The two passwords differ." },
  passwordNeeded: {
    es: "Falta la contraseña: en PALOMA_PASSWORD, con --password-stdin, o en una terminal.",
    en: "The password is missing: give it in PALOMA_PASSWORD, with --password-stdin, or at a terminal.",
  },
  sessionEnded: {
    es: "La sesión guardada ya no vale; hace falta la contraseña (PALOMA_PASSWORD, --password-stdin, o una terminal).",
    en: "The stored session is no longer valid; the password is needed (PALOMA_PASSWORD, --password-stdin, or a terminal).",
  },

  firstContact: {
    es: (server: string, fingerprint: string) =>
      `Primer contacto con ${server}. La huella de su autoridad es\n  ${fingerprint}\nCompárela con la que muestra el servidor al arrancar. ¿Es la misma?`,
    en: (server: string, fingerprint: string) =>
      `First contact with ${server}. The fingerprint of its authority is\n  ${fingerprint}\nCompare it with the one that the server shows when it starts. Are they the same?`,
  },
  changedAuthority: {
    es: (server: string, expected: string, found: string) =>
      `¡Atención! ${server} no es el servidor que conocía esta máquina.\n  antes: ${expected}\n  ahora: ${found}\nSolo si quien lo administra confirma el cambio, escriba «sí» para aceptarlo:`,
    en: (server: string, expected: string, found: string) =>
      `Careful! ${server} is not the server that this machine knew.\n  before: ${expected}\n  now:    ${found}\nOnly if whoever runs it confirms the change, type “yes” to accept it:`,
  },
  yesWords: { es: "sí si", en: "yes" },

  serverUnreachable: {
    es: (server: string) =>
      `No se puede conectar al servidor ${server}: compruebe que esté en marcha, la dirección, y el cortafuegos.`,
    en: (server: string) =>
      `The server ${server} cannot be reached: check that it is running, its address, and the firewall.`,
  },
  serverTimeout: {
    es: (server: string) => `El servidor ${server} no responde.`,
    en: (server: string) => `The server ${server} does not answer.`,
  },
  serverPlain: {
    es: (server: string) =>
      `${server} responde sin cifrar: ¿es el puerto de los clientes de la semilla? El cifrado suele ser el 8443.`,
    en: (server: string) =>
      `${server} answers unencrypted: is it the port for the seed's clients? The encrypted one is usually 8443.`,
  },
  serverNoTls: {
    es: (server: string) => `${server} acepta conexiones, pero no habla TLS 1.3.`,
    en: (server: string) => `${server} takes connections, but does not speak TLS 1.3.`,
  },
  serverNotPaloma: {
    es: (server: string) => `${server} no es un servidor de Paloma, ni tiene un certificado de confianza.`,
    en: (server: string) => `${server} is not a Paloma server, and has no trusted certificate.`,
  },
  serverIsUser: {
    es: (server: string) =>
      `${server} muestra el certificado de un usuario, no el de un servidor: no se le dice nada.`,
    en: (server: string) => `${server} shows a user's certificate, not a server's: nothing was told to it.`,
  },
  serverChanged: {
    es: (server: string, expected: string, found: string) =>
      `${server} no es el servidor esperado.\n  esperada:   ${expected}\n  encontrada: ${found}\nSi el cambio es legítimo, acéptelo con --server-fingerprint y la huella nueva.`,
    en: (server: string, expected: string, found: string) =>
      `${server} is not the expected server.\n  expected: ${expected}\n  found:    ${found}\nIf the change is legitimate, accept it with --server-fingerprint and the new fingerprint.`,
  },
  serverUnconfirmed: {
    es: (server: string, found: string) =>
      `Primer contacto con ${server}, y nadie a quien preguntar. Si su huella es la que muestra el servidor al arrancar, repita con\n  --server-fingerprint ${found}`,
    en: (server: string, found: string) =>
      `First contact with ${server}, and nobody to ask. If its fingerprint is the one that the server shows when it starts, repeat with\n  --server-fingerprint ${found}`,
  },
  serverDeclined: { es: "No se ha confiado en el servidor.", en: "The server was not trusted." },
  serverExpired: {
    es: (server: string) =>
      `El certificado de ${server} no está en fecha: compare los relojes de las dos máquinas.`,
    en: (server: string) =>
      `The certificate of ${server} is not in date: compare the clocks of both machines.`,
  },
  serverProtocol: {
    es: (server: string) => `${server} no responde como un servidor de Paloma.`,
    en: (server: string) => `${server} does not answer as a Paloma server does.`,
  },
  unknownRefusal: {
    es: (code: string, message: string) => `El servidor dice: ${message === "" ? code : message}`,
    en: (code: string, message: string) => `The server says: ${message === "" ? code : message}`,
  },
  retryAfter: {
    es: (seconds: number) => `Puede volver a intentarlo dentro de ${seconds} s.`,
    en: (seconds: number) => `You can try again in ${seconds} s.`,
  },

  accountLocked: {
    es: (owner: string) => `La cuenta está en línea en otro proceso de esta máquina${owner}.`,
    en: (owner: string) => `The account is online in another process of this machine${owner}.`,
  },
  lockOwner: {
    es: (command: string, pid: number) => ` («${command}», proceso ${pid})`,
    en: (command: string, pid: number) => ` (“${command}”, process ${pid})`,
  },
  portTaken: {
    es: (port: string) =>
      `Puerto P2P no disponible: ${port}. Cierre el programa que lo ocupa o elija otro con --p2p-port.`,
    en: (port: string) =>
      `P2P port not available: ${port}. Close the program that uses it or choose another with --p2p-port.`,
  },
  noAccount: {
    es: "Aquí no hay ninguna cuenta todavía: cree una con register --user NOMBRE, o diga cuál con --user.",
    en: "There is no account here yet: make one with register --user NAME, or say which one with --user.",
  },
  unknownAccount: {
    es: "Esa cuenta no se ha usado en esta carpeta de datos.",
    en: "That account has not been used in this data folder.",
  },
  severalAccounts: {
    es: (names: string) =>
      `Hay varias cuentas (${names}): diga cuál con --user, y con --server si están en varios servidores.`,
    en: (names: string) =>
      `There are several accounts (${names}): say which one with --user, and with --server if they are on several servers.`,
  },
  storeNotOurs: {
    es: (file: string) => `${file} no es una base de datos de Paloma; no se ha tocado.`,
    en: (file: string) => `${file} is not a Paloma database; it was not touched.`,
  },
  storeNewer: {
    es: (file: string) => `${file} es de una versión más nueva de Paloma.`,
    en: (file: string) => `${file} belongs to a newer version of Paloma.`,
  },
  storeUnreadable: {
    es: (file: string, why: string) => `No se puede abrir ${file}: ${why}`,
    en: (file: string, why: string) => `${file} cannot be opened: ${why}`,
  },
  diskFailed: {
    es: (why: string) => `No se puede guardar en el disco: ${why}`,
    en: (why: string) => `It cannot be saved to the disk: ${why}`,
  },
  internalError: {
    es: (why: string) => `Error interno: ${why}`,
    en: (why: string) => `Internal error: ${why}`,
  },
  timedOut: {
    es: (seconds: number) => `No ha terminado en ${seconds} s.`,
    en: (seconds: number) => `It did not finish within ${seconds} s.`,
  },

  registered: {
    es: (user: string) => `Usuario registrado exitosamente: ${user}`,
    en: (user: string) => `User registered: ${user}`,
  },
  nobodyOnline: { es: "No hay nadie más en línea.", en: "Nobody else is online." },
  seedOnly: { es: "solo sin cifrar", en: "unencrypted only" },
  loggedOut: { es: "Sesión cerrada.", en: "Logged out." },
  loggedOutHere: {
    es: "La sesión se ha borrado de esta máquina; el servidor la olvidará por sí solo en 30 días.",
    en: "The session was deleted from this machine; the server forgets it by itself in 30 days.",
  },
  notLoggedIn: { es: "No hay ninguna sesión guardada.", en: "There is no stored session." },

  queued: {
    es: (user: string) =>
      `El mensaje queda en cola: saldrá cuando ${user} esté en línea y aquí haya un listen en marcha, o con el próximo send.`,
    en: (user: string) =>
      `The message is queued: it will leave when ${user} is online and a listen runs here, or with the next send.`,
  },
  received: {
    es: (user: string) => `✓✓ recibido por ${user}`,
    en: (user: string) => `✓✓ received by ${user}`,
  },
  peerOffline: {
    es: (user: string) => `${user} no está en línea.`,
    en: (user: string) => `${user} is not online.`,
  },
  peerUnreachable: {
    es: (user: string) =>
      `No se puede llegar a ${user}: su máquina no responde en ninguna de sus direcciones (¿un cortafuegos?).`,
    en: (user: string) =>
      `${user} cannot be reached: their machine does not answer at any of its addresses (a firewall?).`,
  },
  peerNoServer: {
    es: (user: string) =>
      `Sin servidor no se sabe dónde está ${user}, y en sus últimas direcciones no responde.`,
    en: (user: string) =>
      `Without the server nobody knows where ${user} is, and their last addresses do not answer.`,
  },
  peerNotAdmitted: {
    es: (user: string) =>
      `La máquina de ${user} ha cerrado la conexión sin saludar: quizá espera que acepte su clave nueva.`,
    en: (user: string) =>
      `The machine of ${user} closed the connection without a greeting: it may wait for your new key to be accepted.`,
  },
  peerNotProven: {
    es: (user: string) => `Lo que responde en la dirección de ${user} no es ${user}; no se le ha dicho nada.`,
    en: (user: string) => `What answers at the address of ${user} is not ${user}; nothing was told to it.`,
  },
  peerKeyPending: {
    es: (user: string) =>
      `La clave de ${user} ha cambiado (¿otra máquina?). Compruébela con «fingerprint ${user}» y acéptela con «fingerprint ${user} --accept».`,
    en: (user: string) =>
      `The key of ${user} has changed (another machine?). Check it with “fingerprint ${user}” and accept it with “fingerprint ${user} --accept”.`,
  },
  peerInsecure: {
    es: (user: string) => `${user} usa un cliente que solo habla sin cifrar; Paloma no le envía nada así.`,
    en: (user: string) =>
      `${user} uses a client that speaks only unencrypted; Paloma sends nothing that way.`,
  },
  noCertificate: {
    es: "El certificado propio ha caducado y sin servidor no se puede renovar.",
    en: "Your own certificate has ended, and without the server it cannot be renewed.",
  },
  notAcknowledged: {
    es: (user: string) => `${user} no ha confirmado la recepción a tiempo.`,
    en: (user: string) => `${user} did not acknowledge in time.`,
  },

  ready: {
    es: (user: string, port: number) => `${user} está en línea (puerto ${port}). Ctrl-C para terminar.`,
    en: (user: string, port: number) => `${user} is online (port ${port}). Ctrl-C to end.`,
  },
  serverLost: {
    es: (seconds: number) =>
      `Sin conexión con el servidor; las conversaciones siguen entre quienes ya se conocen. Nuevo intento en ${seconds} s.`,
    en: (seconds: number) =>
      `No connection to the server; conversations go on between people who know each other. Next attempt in ${seconds} s.`,
  },
  serverBack: { es: "Conectado de nuevo al servidor.", en: "Connected to the server again." },
  newKeyWarning: {
    es: "El servidor no conocía la clave de esta máquina: sus contactos verán que ha cambiado.",
    en: "The server did not know this machine's key: your contacts will see that it has changed.",
  },
  clockWarning: {
    es: (minutes: number) => `El reloj de esta máquina y el del servidor difieren en ${minutes} minutos.`,
    en: (minutes: number) => `The clocks of this machine and of the server differ by ${minutes} minutes.`,
  },
  storageFailed: {
    es: (why: string) =>
      `Ha llegado un mensaje que no se puede guardar (${why}); no se confirma, y volverá a llegar.`,
    en: (why: string) =>
      `A message arrived that cannot be saved (${why}); it is not acknowledged, and will come again.`,
  },
  peerToldError: {
    es: (user: string, code: string) => `La máquina de ${user} avisa de un fallo: ${code}`,
    en: (user: string, code: string) => `The machine of ${user} tells of a failure: ${code}`,
  },
  refusedConnection: {
    es: (address: string, code: string) => `Conexión rechazada de ${address}: ${code}`,
    en: (address: string, code: string) => `Connection refused from ${address}: ${code}`,
  },
  presenceOnline: {
    es: (user: string) => `${user} está en línea`,
    en: (user: string) => `${user} is online`,
  },
  presenceOffline: {
    es: (user: string) => `${user} ya no está en línea`,
    en: (user: string) => `${user} is no longer online`,
  },

  noMessages: {
    es: (user: string) => `No hay mensajes con ${user}.`,
    en: (user: string) => `There are no messages with ${user}.`,
  },
  ownFingerprint: {
    es: (user: string) => `Huella de la clave de ${user} en esta máquina:`,
    en: (user: string) => `Fingerprint of ${user}'s key on this machine:`,
  },
  safetyNumber: {
    es: (user: string) => `Número de seguridad con ${user} (debe ser igual en las dos máquinas):`,
    en: (user: string) => `Safety number with ${user} (it must be the same on both machines):`,
  },
  pendingSafetyNumber: {
    es: (user: string) => `Clave nueva de ${user}, sin aceptar todavía. Su número de seguridad sería:`,
    en: (user: string) => `New key of ${user}, not accepted yet. Its safety number would be:`,
  },
  keyAccepted: {
    es: (user: string) => `Se ha aceptado la clave nueva de ${user}.`,
    en: (user: string) => `The new key of ${user} was accepted.`,
  },
  noPendingKey: {
    es: (user: string) => `${user} no tiene ninguna clave nueva que aceptar.`,
    en: (user: string) => `${user} has no new key to accept.`,
  },
  noKnownKey: {
    es: (user: string) => `Todavía no se conoce la clave de ${user}: se aprende en la primera conversación.`,
    en: (user: string) => `The key of ${user} is not known yet: it is learnt in the first conversation.`,
  },
} as const satisfies { readonly [name: string]: { readonly es: Text; readonly en: Text } };

type Table = typeof TABLE;
export type Texts = { readonly [K in keyof Table]: Table[K][Language] };

/** The texts of one language. */
export function textsIn(language: Language): Texts {
  return Object.fromEntries(
    Object.entries(TABLE).map(([name, text]) => [name, text[language]]),
  ) as unknown as Texts;
}
