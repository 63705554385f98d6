/** Failures of the server, of this machine and of the link to a person. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

export const FAILURE_TEXTS = {
  serverUnreachable: {
    es: (server: string) =>
      `No se puede conectar al servidor ${server}: compruebe que esté en marcha, la dirección, y el cortafuegos.`,
    en: (server: string) =>
      `The server ${server} cannot be reached: check that it is running, its address, and the firewall.`,
  },
  serverUnknown: {
    es: (server: string) =>
      `No se encuentra el servidor ${server}: su nombre no existe o no se puede consultar. Compruebe cómo está escrito, y la red.`,
    en: (server: string) =>
      `The server ${server} cannot be found: its name does not exist or cannot be looked up. Check its spelling, and the network.`,
  },
  serverRefuses: {
    es: (server: string) =>
      `No se puede conectar al servidor ${server}: compruebe que esté en marcha y que el puerto sea el correcto, porque la máquina rechaza la conexión.`,
    en: (server: string) =>
      `The server ${server} cannot be reached: check that it is running and that the port is right, since the machine refuses the connection.`,
  },
  serverNoRoute: {
    es: (server: string) =>
      `No hay ninguna ruta hasta el servidor ${server}: compruebe la red de esta máquina, la dirección, y que la otra esté encendida.`,
    en: (server: string) =>
      `There is no route to the server ${server}: check this machine's network, the address, and that the other machine is on.`,
  },
  serverNoInterface: {
    es: (server: string) =>
      `Para llegar al servidor ${server} hace falta una interfaz de red de esta máquina, como en [fe80::1%eth0]:8443.`,
    en: (server: string) =>
      `Reaching the server ${server} takes a network interface of this machine, as in [fe80::1%eth0]:8443.`,
  },
  serverTimeout: {
    es: (server: string) =>
      `El servidor ${server} no responde: compruebe que esté en marcha, la red, y el cortafuegos.`,
    en: (server: string) =>
      `The server ${server} does not respond: check that it is running, the network, and the firewall.`,
  },
  serverPlain: {
    es: (server: string) =>
      `${server} responde sin cifrar: ¿es el puerto de los clientes antiguos? El cifrado suele ser el 8443.`,
    en: (server: string) =>
      `${server} answers unencrypted: is it the port for old clients? The encrypted one is usually 8443.`,
  },
  serverNoTls: {
    es: (server: string) =>
      `${server} acepta conexiones, pero no habla TLS 1.3: compruebe la dirección y el puerto.`,
    en: (server: string) =>
      `${server} accepts connections, but does not speak TLS 1.3: check the address and the port.`,
  },
  serverNotPaloma: {
    es: (server: string) =>
      `${server} no es un servidor de Paloma, ni tiene un certificado de confianza: compruebe la dirección y el puerto.`,
    en: (server: string) =>
      `${server} is not a Paloma server, and has no trusted certificate: check the address and the port.`,
  },
  serverIsUser: {
    es: (server: string) =>
      `${server} muestra el certificado de un usuario, no el de un servidor: no se le ha enviado nada.`,
    en: (server: string) => `${server} shows a user's certificate, not a server's: nothing was sent to it.`,
  },
  serverChanged: {
    es: (server: string, expected: string, found: string) =>
      `${server} no es el servidor esperado. Se esperaba la huella\n${expected}\ny se ha encontrado\n${found}\nSi quien lo administra confirma el cambio, acéptelo al iniciar sesión en los menús, o con --server-fingerprint y la huella nueva.`,
    en: (server: string, expected: string, found: string) =>
      `${server} is not the expected server. Expected fingerprint:\n${expected}\nFound instead:\n${found}\nIf whoever runs it confirms the change, accept it when you log in from the menus, or with --server-fingerprint and the new fingerprint.`,
  },
  serverOtherAccount: {
    es: (server: string) =>
      `La cuenta abierta es de otra autoridad que la de ${server}. Si ha aceptado el cambio, vuelva a intentarlo: allí las cuentas son distintas.`,
    en: (server: string) =>
      `The open account belongs to a different authority than ${server}'s. If you accepted the change, try again: its accounts are separate.`,
  },
  serverUnconfirmed: {
    es: (server: string, found: string) =>
      `Primer contacto con ${server}: hay que confirmar su huella. Si es la que muestra el servidor al arrancar, repita con --server-fingerprint y estas cifras:\n${found}`,
    en: (server: string, found: string) =>
      `First contact with ${server}: its fingerprint must be confirmed. If it is the one that the server shows when it starts, repeat with --server-fingerprint and these digits:\n${found}`,
  },
  serverNotWeb: {
    es: (server: string) =>
      `Esta máquina confiaba en ${server} por los certificados de la web, y ahora muestra uno propio: por seguridad no se acepta. Pida a quien lo administra que renueve el certificado web; si ha renunciado a él para siempre, empiece de nuevo con otra carpeta de datos (--data).`,
    en: (server: string) =>
      `This machine trusted ${server} through its web certificate. It now shows a certificate of its own, which is not accepted for your safety. Ask whoever runs it to renew the web certificate; if they have given it up for good, start again with another data folder (--data).`,
  },
  serverDeclined: {
    es: "No se ha confiado en el servidor; pregunte su huella a quien lo administra y vuelva a intentarlo.",
    en: "The server was not trusted; ask whoever runs it for its fingerprint and try again.",
  },
  serverExpired: {
    es: (server: string) =>
      `El certificado de ${server} ha caducado o aún no es válido: compare los relojes de las dos máquinas.`,
    en: (server: string) =>
      `${server}'s certificate is expired or not yet valid: compare the clocks of both machines.`,
  },
  serverProtocol: {
    es: (server: string) =>
      `${server} no responde como un servidor de Paloma: compruebe la dirección y el puerto, y que no sea de una versión más antigua.`,
    en: (server: string) =>
      `${server} does not respond like a Paloma server: check its address and port, and that it is not of an older version.`,
  },
  unknownRefusal: {
    es: (code: string, message: string) =>
      `El servidor dice: «${quotedText(message === "" ? code : message)}»`,
    en: (code: string, message: string) =>
      `The server says: “${quotedText(message === "" ? code : message)}”`,
  },
  adviceCredentials: {
    es: "revise el nombre y la contraseña, regístrese si aún no tiene cuenta, o, si la ha olvidado, pida una contraseña nueva a quien administra el servidor",
    en: "check the name and the password, register if you have no account yet, or ask whoever runs the server for a new password if you have forgotten it",
  },
  adviceTaken: {
    es: "elija otro, o inicie sesión si la cuenta es suya",
    en: "choose another one, or log in if the account is yours",
  },
  adviceEmail: { es: "corríjalo o déjelo vacío", en: "correct it or leave it empty" },
  adviceReplaced: {
    es: "siga allí, o ciérrela e inicie sesión aquí",
    en: "continue there, or close that one and log in here",
  },
  adviceOperator: {
    es: "hable con quien administra el servidor",
    en: "talk to whoever runs the server",
  },
  adviceLater: { es: "inténtelo de nuevo dentro de un momento", en: "try again in a moment" },
  retryAfter: {
    es: (seconds: number) => `Puede volver a intentarlo dentro de ${seconds} s.`,
    en: (seconds: number) => `You can try again in ${seconds} s.`,
  },

  sessionOver: {
    es: "La sesión guardada ya no vale: inicie sesión otra vez.",
    en: "The stored session is no longer valid: log in again.",
  },
  processSilent: {
    es: (owner: string) =>
      `Otro proceso de esta máquina tiene abierta la cuenta${owner} y no responde: puede estar parado, esperando su contraseña, o ser de una versión anterior. Termínelo y vuelva a intentarlo; no se ha enviado nada.`,
    en: (owner: string) =>
      `Another process on this machine has the account open${owner} and does not answer: it may be stopped, waiting for its password, or of an earlier version. End it and try again; nothing was sent.`,
  },
  otherVersion: {
    es: (version: string) =>
      `La cuenta está abierta en un proceso de otra versión (${version}), con el que esta no se entiende: termínelo y vuelva a intentarlo.`,
    en: (version: string) =>
      `The account is open in a process of another version (${version}), which this one cannot talk to: end it and try again.`,
  },
  lockOwner: {
    es: (command: string, pid: number) => ` («${quotedText(command)}», proceso ${pid})`,
    en: (command: string, pid: number) => ` (“${quotedText(command)}”, process ${pid})`,
  },
  portTaken: {
    es: (port: string) =>
      `Puerto P2P no disponible: ${port}. Cierre el programa que lo ocupa (¿otra cuenta de Paloma?) o elija otro con --p2p-port.`,
    en: (port: string) =>
      `P2P port not available: ${port}. Close the program that uses it (another Paloma account?) or choose another with --p2p-port.`,
  },
  portFailed: {
    es: (port: string, code: string) =>
      `El sistema no deja escuchar en el puerto P2P ${port} (${code}): elija otro con --p2p-port.`,
    en: (port: string, code: string) =>
      `The system does not allow listening on P2P port ${port} (${code}): choose another with --p2p-port.`,
  },
  noAccount: {
    es: "Aquí no hay ninguna cuenta todavía: cree una con register --user NOMBRE, o diga cuál con --user.",
    en: "There is no account here yet: create one with register --user NAME, or choose one with --user.",
  },
  unknownAccount: {
    es: "Esa cuenta no se ha usado en esta carpeta de datos.",
    en: "That account has not been used in this data folder.",
  },
  accountsUnreadable: {
    es: (count: number) =>
      plural(
        count,
        "Una cuenta de esta carpeta de datos no se puede leer y no aparece aquí; inicie sesión con su nombre para saber por qué.",
        `${count} cuentas de esta carpeta de datos no se pueden leer y no aparecen aquí; inicie sesión con su nombre para saber por qué.`,
      ),
    en: (count: number) =>
      plural(
        count,
        "One account in this data folder cannot be read and is not listed; log in by name to see why.",
        `${count} accounts in this data folder cannot be read and are not listed; log in by name to see why.`,
      ),
  },
  severalAccounts: {
    es: (names: string) =>
      `Hay varias cuentas (${names}): diga cuál con --user, y con --server si están en varios servidores.`,
    en: (names: string) =>
      `There are several accounts (${names}): choose one with --user, and with --server if they are on several servers.`,
  },
  storeNotOurs: {
    es: (file: string) =>
      `${file} no es una base de datos de Paloma y no se ha tocado: elija otra carpeta con --data.`,
    en: (file: string) =>
      `${file} is not a Paloma database and was not touched: choose another folder with --data.`,
  },
  storeNewer: {
    es: (file: string) => `${file} es de una versión más nueva de Paloma: actualice esta.`,
    en: (file: string) => `${file} belongs to a newer version of Paloma: update this one.`,
  },
  storeUnreadable: {
    es: (file: string, why: string) =>
      `No se puede abrir ${file} (${why}): compruebe los permisos, o elija otra carpeta con --data.`,
    en: (file: string, why: string) =>
      `${file} cannot be opened (${why}): check its permissions, or choose another folder with --data.`,
  },
  openToOthers: {
    es: (path: string) =>
      `Otros usuarios de esta máquina pueden escribir en ${path}: no es seguro guardar nada ahí. Elija otra carpeta con --data, o quite ese permiso.`,
    en: (path: string) =>
      `Other users of this machine can write to ${path}: it is not safe to keep anything there. Choose another folder with --data, or remove that permission.`,
  },
  closedToOthers: {
    es: (paths: string) => `Otros usuarios de esta máquina podían escribir en ${paths}: ya no pueden.`,
    en: (paths: string) => `Other users of this machine could write to ${paths}: now they cannot.`,
  },
  diskFailed: {
    es: (why: string) =>
      `No se puede guardar en el disco (${why}): compruebe el espacio libre y los permisos, o elija otra carpeta con --data.`,
    en: (why: string) =>
      `Cannot save to the disk (${why}): check free space and permissions, or choose another folder with --data.`,
  },
  internalError: {
    es: (why: string) => `Error interno: ${why}`,
    en: (why: string) => `Internal error: ${why}`,
  },
  timedOut: {
    es: (seconds: number) => `No ha terminado en ${seconds} s.`,
    en: (seconds: number) => `It did not finish within ${seconds} s.`,
  },

  peerOffline: {
    es: (user: string) => `${user} no está en línea.`,
    en: (user: string) => `${user} is not online.`,
  },
  perhapsNobody: {
    es: (user: string) => `${user} no está en línea, o nadie se llama así: compruebe el nombre.`,
    en: (user: string) => `${user} is not online, or nobody has that name: check the spelling.`,
  },
  neverAnswered: {
    es: (user: string) =>
      `${user} todavía no ha contestado nunca, o nadie se llama así: compruebe el nombre.`,
    en: (user: string) => `${user} has never answered yet, or nobody has that name: check the spelling.`,
  },
  peerSilent: {
    es: (user: string) => `${user} no responde.`,
    en: (user: string) => `${user} is not responding.`,
  },
  peerNoRelay: {
    es: (user: string) =>
      `Uno de los dos, ${user} o usted, ha elegido conversar solo a través del servidor, y ahora no es posible: quien use --relay only o --relay never puede pasar a --relay auto.`,
    en: (user: string) =>
      `One of you, ${user} or you, has chosen to talk through the server only, and that is not possible now: whoever uses --relay only or --relay never can change to --relay auto.`,
  },
  peerUnreachable: {
    es: (user: string) =>
      `No se puede llegar a ${user}: su programa no responde en ninguna de sus direcciones.`,
    en: (user: string) =>
      `${user} cannot be reached: their program does not respond at any of its addresses.`,
  },
  peerNoAnswer: {
    es: (user: string) =>
      `No se puede llegar a ${user}: su máquina no responde en ninguna de sus direcciones.`,
    en: (user: string) =>
      `${user} cannot be reached: their machine does not respond at any of its addresses.`,
  },
  peerNoMeeting: {
    es: (user: string) =>
      `No hay camino directo hasta ${user}, y este servidor no organiza encuentros: pida a su operador que los active.`,
    en: (user: string) =>
      `There is no direct way to ${user}, and this server arranges no meetings: ask its operator to enable them.`,
  },
  peerCannotMeet: {
    es: (user: string) =>
      `No hay camino directo hasta ${user}, y su programa es demasiado antiguo para buscar otro: tiene que actualizarlo.`,
    en: (user: string) =>
      `There is no direct way to ${user}, and their program is too old to find another one: they have to update it.`,
  },
  peerMeetingBlocked: {
    es: (user: string) =>
      `No hay camino directo hasta ${user}, y desde esta red no se llega al puerto de encuentro del servidor: pruebe desde otra red.`,
    en: (user: string) =>
      `There is no direct way to ${user}, and the server's meeting port cannot be reached from this network: try from another one.`,
  },
  peerRelayFull: {
    es: (user: string) =>
      `No hay camino directo hasta ${user}, y por el servidor no caben ahora más conversaciones: pruebe más tarde.`,
    en: (user: string) =>
      `There is no direct way to ${user}, and the server has no room for more relayed conversations: try again later.`,
  },
  peerRelayOff: {
    es: (user: string) =>
      `No hay camino directo hasta ${user}, y por este servidor no pasa ninguna conversación: pida a su operador que lo permita.`,
    en: (user: string) =>
      `There is no direct way to ${user}, and this server relays no conversations: ask its operator to allow it.`,
  },
  peerRelayNever: {
    es: (user: string) =>
      `No hay camino directo hasta ${user}, y esta cuenta no conversa a través del servidor: permítalo con --relay auto.`,
    en: (user: string) =>
      `There is no direct way to ${user}, and this account does not talk through the server: allow it with --relay auto.`,
  },
  /** `typed`: the name as a command takes it. */
  peerNoWay: {
    es: (user: string, typed: string) =>
      `Ningún camino lleva ahora hasta ${user}, tampoco por el servidor: «doctor ${quotedText(typed)}» dice qué se ha intentado.`,
    en: (user: string, typed: string) =>
      `No way leads to ${user} right now, not even through the server: “doctor ${quotedText(typed)}” says what was tried.`,
  },
  peerNoServer: {
    es: (user: string) =>
      `Sin servidor no se sabe dónde está ${user}, y no responde en sus últimas direcciones conocidas.`,
    en: (user: string) =>
      `Without the server there is no way to know where ${user} is, and their last known addresses do not respond.`,
  },
  waitsNearby: {
    es: (user: string) => `Sin servidor: se espera a que ${user} aparezca en la red local.`,
    en: (user: string) => `Without the server: waiting for ${user} to appear on the local network.`,
  },
  peerServerLimits: {
    es: (user: string, seconds: number | undefined) =>
      seconds === undefined
        ? `El servidor pide esperar antes de ayudar a llegar a ${user}: está ocupado o ha habido demasiados intentos.`
        : `El servidor pide esperar ${seconds} s antes de ayudar a llegar a ${user}: está ocupado o ha habido demasiados intentos.`,
    en: (user: string, seconds: number | undefined) =>
      seconds === undefined
        ? `The server asks you to wait before it helps to reach ${user}: it is busy, or there were too many attempts.`
        : `The server asks you to wait ${seconds} s before it helps to reach ${user}: it is busy, or there were too many attempts.`,
  },
  limitWaitedOut: {
    es: "Se esperará y se intentará de nuevo.",
    en: "Waiting, then trying again.",
  },
  peerNotAdmitted: {
    es: (user: string) => `La máquina de ${user} ha cerrado la conexión sin saludar.`,
    en: (user: string) => `${user}'s machine closed the connection without a greeting.`,
  },
  peerOwnKeyPending: {
    es: (user: string) => `${user} todavía no ha aceptado la clave nueva de usted.`,
    en: (user: string) => `${user} has not accepted your new key yet.`,
  },
  peerRefusedGreeting: {
    es: (user: string) =>
      `El cliente de ${user} ha rechazado el saludo de este: quizá uno de los dos es de una versión antigua.`,
    en: (user: string) =>
      `${user}'s client refused the greeting of this one: one of the two may be an old version.`,
  },
  peerBadGreeting: {
    es: (user: string) =>
      `El cliente de ${user} no ha saludado como manda el protocolo, y este ha cerrado la conexión: quizá uno de los dos es de una versión antigua.`,
    en: (user: string) =>
      `${user}'s client did not greet as the protocol demands, so this one closed the connection: one of the two may be an old version.`,
  },
  peerNoGreeting: {
    es: (user: string) =>
      `La máquina de ${user} ha aceptado la conexión, pero su cliente no ha saludado a tiempo.`,
    en: (user: string) =>
      `${user}'s machine accepted the connection, but their client did not greet in time.`,
  },
  peerLineBroke: {
    es: (user: string) => `La línea con la máquina de ${user} se ha cortado antes del saludo.`,
    en: (user: string) => `The line to ${user}'s machine broke before the greeting.`,
  },
  peerBusy: {
    es: (user: string) => `La máquina de ${user} está ocupada y ahora no admite más conexiones.`,
    en: (user: string) => `${user}'s machine is busy and accepts no more connections right now.`,
  },
  peerKeyNotStored: {
    es: (user: string) =>
      `El disco de esta máquina falla o está lleno: no se puede comprobar ni guardar la clave de ${user}.`,
    en: (user: string) =>
      `This machine's disk fails or is full: ${user}'s key can be neither checked nor saved.`,
  },
  peerNotProven: {
    es: (user: string) =>
      `La máquina que responde en la dirección de ${user} no es la de ${user}; no se le ha enviado nada.`,
    en: (user: string) =>
      `The machine that responds at ${user}'s address is not ${user}'s; nothing was sent to it.`,
  },
  /** `typed`: the name as a command takes it. */
  peerKeyPending: {
    es: (user: string, typed: string) =>
      `La clave de ${user} ha cambiado (¿otra máquina?). Compruébela con «fingerprint ${quotedText(typed)}» y acéptela con «fingerprint ${quotedText(typed)} --accept».`,
    en: (user: string, typed: string) =>
      `The key of ${user} has changed (another machine?). Check it with “fingerprint ${quotedText(typed)}” and accept it with “fingerprint ${quotedText(typed)} --accept”.`,
  },
  peerInsecure: {
    es: (user: string) => `${user} usa un cliente sin cifrado; Paloma no envía nada sin cifrar.`,
    en: (user: string) => `${user} uses a client without encryption; Paloma sends nothing unencrypted.`,
  },
  peerNotInDate: {
    es: (user: string) =>
      `El certificado de ${user} ha caducado o aún no es válido según el reloj de esta máquina: compare los relojes de las dos.`,
    en: (user: string) =>
      `${user}'s certificate is expired or not yet valid by this machine's clock: compare the clocks of both machines.`,
  },
  peerRevoked: {
    es: (user: string) =>
      `El servidor ha anulado el certificado de ${user} (cuenta deshabilitada o borrada, sesión anulada o contraseña cambiada): no hay conexión hasta que tenga otro.`,
    en: (user: string) =>
      `The server has revoked ${user}'s certificate (account disabled or deleted, session revoked or password changed): no connection until they have a new one.`,
  },
  noCertificate: {
    es: "El certificado propio ha caducado, se ha anulado o aún no es válido: sin servidor no se puede renovar, o el reloj de esta máquina va mal.",
    en: "Your own certificate is expired, revoked or not yet valid: it cannot be renewed without a server, or this machine's clock is wrong.",
  },
  notAcknowledged: {
    es: (user: string) => `${user} no ha confirmado la recepción a tiempo.`,
    en: (user: string) => `${user} did not acknowledge in time.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
