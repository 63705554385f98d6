/** `doctor`: by which ways others reach this client, and why not by the others. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { BilingualText } from "./bilingual-text.ts";

export const DOCTOR_TEXTS = {
  doctorServer: {
    es: (ip: string, ms: number, seen: string) =>
      `Servidor: ${ip} ha respondido en ${ms} ms, y le ve en ${seen}.`,
    en: (ip: string, ms: number, seen: string) =>
      `Server: ${ip} answered in ${ms} ms and sees you at ${seen}.`,
  },
  /** A server that is too old to say how it sees a client. */
  doctorOldServer: {
    es: (ip: string, ms: number) => `Servidor: ${ip} ha respondido en ${ms} ms.`,
    en: (ip: string, ms: number) => `Server: ${ip} answered in ${ms} ms.`,
  },
  doctorNoServer: { es: (why: string) => `Servidor: ${why}`, en: (why: string) => `Server: ${why}` },
  doctorServerElsewhere: {
    es: "sin red no se llega a él.",
    en: "without a network there is no way to it.",
  },
  doctorMeeting: {
    es: (families: string) => `Puerto de encuentro: por ${families}.`,
    en: (families: string) => `Meeting port: over ${families}.`,
  },
  doctorMeetingSilent: {
    es: "Su puerto de encuentro no responde.",
    en: "Its meeting port does not answer.",
  },
  doctorMeetingNone: { es: "No tiene puerto de encuentro.", en: "It has no meeting port." },

  doctorAddresses: {
    es: (addresses: string) => `Esta máquina: ${addresses}.`,
    en: (addresses: string) => `This machine: ${addresses}.`,
  },
  doctorNoAddress: {
    es: "Esta máquina: no está en ninguna red.",
    en: "This machine: it is in no network.",
  },
  doctorGateways: {
    es: (gateways: string) => `Sale por el router ${gateways}.`,
    en: (gateways: string) => `It goes out by the router ${gateways}.`,
  },
  doctorVpn: {
    es: (names: string) => `Hay una VPN: ${names}.`,
    en: (names: string) => `There is a VPN: ${names}.`,
  },

  doctorPort: {
    es: (port: number, command: string, pid: number) =>
      `Puerto para conversar: el ${port}, que tiene abierto «${quotedText(command)}» (proceso ${pid}).`,
    en: (port: number, command: string, pid: number) =>
      `Port for conversations: ${port}, kept open by “${quotedText(command)}” (process ${pid}).`,
  },
  doctorNoPort: {
    es: "Puerto para conversar: ninguno, como usted ha elegido (--relay only).",
    en: "Port for conversations: none, as you have chosen (--relay only).",
  },
  doctorNoCertificate: {
    es: "Nadie puede conectarse: falta el certificado propio, o no es válido.",
    en: "Nobody can connect: your own certificate is missing or not valid.",
  },

  doctorNatNone: {
    es: "NAT: ninguno; esta máquina tiene una dirección pública.",
    en: "NAT: none; this machine has an address of its own on the Internet.",
  },
  doctorNatSame: {
    es: "NAT: el router deja que dos personas se encuentren a través de él.",
    en: "NAT: the router lets two people meet through it.",
  },
  doctorNatVaries: {
    es: "NAT simétrico: el router da otro puerto a cada conexión, y nadie puede acertarlo.",
    en: "NAT: symmetric; the router gives each connection another port, which nobody can guess.",
  },
  doctorNatSecond: {
    es: "NAT: el router está detrás de otro router.",
    en: "NAT: the router is behind another router.",
  },
  doctorNatCarrier: {
    es: "NAT: el router está detrás del de un operador, que comparten muchos clientes.",
    en: "NAT: the router is behind a carrier's, which many customers share.",
  },
  doctorNatUnknown: { es: "NAT: no se sabe.", en: "NAT: not known." },

  doctorRouterOpen: {
    es: (address: string, way: string, minutes: number) =>
      `Router: ha abierto ${address} por ${way}, para ${minutes} min.`,
    en: (address: string, way: string, minutes: number) =>
      `Router: it has opened ${address} by ${way}, for ${minutes} min.`,
  },
  doctorRouterClosed: {
    es: (answers: string) => `Router: no abre ningún puerto. ${answers}.`,
    en: (answers: string) => `Router: it opens no port. ${answers}.`,
  },
  doctorRouterUseless: {
    es: (address: string, way: string) =>
      `Router: abre por ${way} el puerto ${address}, al que no se llega desde Internet.`,
    en: (address: string, way: string) =>
      `Router: by ${way} it opens ${address}, which the Internet does not reach.`,
  },
  doctorRouterNone: {
    es: "Router: no se conoce ninguno a quien pedir un puerto.",
    en: "Router: none is known that could be asked for a port.",
  },
  doctorRouterOff: {
    es: "Router: no se le pide ningún puerto, como usted ha elegido.",
    en: "Router: it is not asked for a port, as you have chosen.",
  },
  /** Short answers of a router, behind the name of a protocol and a colon. */
  doctorWayOff: { es: "apagado", en: "off" },
  doctorWaySilent: { es: "no responde", en: "no answer" },
  doctorWayForbidden: { es: "no lo permite", en: "not allowed" },
  doctorWayUnable: { es: "no puede", en: "unable" },
  doctorWayNoAddress: {
    es: "el router no tiene dirección pública",
    en: "the router has no public address",
  },

  doctorDialled: {
    es: (open: string) => `Desde el servidor: se llega a ${open}.`,
    en: (open: string) => `Dialled by the server: it got through to ${open}.`,
  },
  doctorDialledInVain: {
    es: (closed: string) => `Desde el servidor: no se llega a ${closed}.`,
    en: (closed: string) => `Dialled by the server: it did not get through to ${closed}.`,
  },
  doctorDialledNever: {
    es: "Desde el servidor: no se prueba, como usted ha elegido (--relay only).",
    en: "Dialled by the server: no, as you have chosen (--relay only).",
  },
  doctorNotDialled: {
    es: "Desde el servidor: todavía no se ha probado (se hace como mucho una vez por minuto).",
    en: "Dialled by the server: not yet (it does so once a minute at most).",
  },

  doctorLan: {
    es: (places: string) => `Red local: se habla y se escucha en ${places}.`,
    en: (places: string) => `Local network: speaking and listening on ${places}.`,
  },
  doctorLanFault: {
    es: (place: string, code: string) => `En ${place} no deja el sistema (${code}).`,
    en: (place: string, code: string) => `On ${place} the system does not allow it (${code}).`,
  },
  doctorLanNone: {
    es: "Red local: no hay ninguna.",
    en: "Local network: there is none.",
  },
  doctorLanOff: {
    es: "Red local: no se le dice nada, como usted ha elegido.",
    en: "Local network: it is told nothing, as you have chosen.",
  },
  doctorHeard: {
    es: (names: string) => `Contactos que hay en ella: ${names}.`,
    en: (names: string) => `Contacts there: ${names}.`,
  },

  doctorDirect: {
    es: "Los demás llegan a usted directamente.",
    en: "Others reach you directly.",
  },
  doctorPunched: {
    es: "Los demás llegan a usted a través de los routers, sin que nadie más intervenga; quien tenga un NAT simétrico, solo por el servidor, cifrado de extremo a extremo.",
    en: "Others reach you through the routers, with nobody in between; those behind a symmetric NAT only by way of the server, encrypted end to end.",
  },
  doctorPunchedOnly: {
    es: "Los demás llegan a usted a través de los routers, sin que nadie más intervenga; quien tenga un NAT simétrico, no.",
    en: "Others reach you through the routers, with nobody in between; those behind a symmetric NAT do not.",
  },
  doctorPunchedIPv6: {
    es: "Quien tenga IPv6 llega a usted a través de los routers; los demás, solo por el servidor, cifrado de extremo a extremo. A quien acepte conexiones llega usted directamente.",
    en: "Those who have IPv6 reach you through the routers; others only by way of the server, encrypted end to end. You reach directly whoever can be dialled.",
  },
  doctorRelayed: {
    es: "Los demás llegan a usted solo por el servidor, cifrado de extremo a extremo. A quien acepte conexiones llega usted directamente.",
    en: "Others reach you only by way of the server, encrypted end to end. You reach directly whoever can be dialled.",
  },
  doctorRelayedOnly: {
    es: "Los demás llegan a usted por el servidor, cifrado de extremo a extremo.",
    en: "Others reach you by way of the server, encrypted end to end.",
  },
  /** Either the server relays nothing, or what may go so today has been used up, after which it is slow. */
  doctorRelayEmpty: {
    es: "Los demás solo podrían llegar a usted por el servidor, que ahora reenvía poco o nada.",
    en: "Others could reach you only by way of the server, which passes on little or nothing now.",
  },
  doctorLocal: {
    es: "Solo llegan a usted los contactos de la red local.",
    en: "Only contacts on the local network reach you.",
  },
  doctorNone: {
    es: "Nadie llega a usted ahora.",
    en: "Nobody reaches you now.",
  },

  doctorRelayNever: {
    es: "Nada pasa por el servidor, como usted ha elegido (--relay never).",
    en: "Nothing goes by way of the server, as you have chosen (--relay never).",
  },
  doctorRelayOnly: {
    es: "Nada va directamente, como usted ha elegido (--relay only).",
    en: "Nothing goes directly, as you have chosen (--relay only).",
  },
  doctorRelayLeft: {
    es: (mebibytes: number) => `Por el servidor pueden pasar hoy todavía ${mebibytes} MiB.`,
    en: (mebibytes: number) => `Today ${mebibytes} MiB may still go by way of the server.`,
  },
  doctorRelayNothing: {
    es: "El servidor reenvía poco o nada: o no reenvía conversaciones, o hoy ya se ha usado lo de todo el día.",
    en: "Little or nothing goes by way of the server: it passes on no conversations, or today's share is used up.",
  },
  doctorClockRight: { es: "El reloj va bien.", en: "The clock is right." },
  doctorClockWrong: {
    es: (difference: string) => `El reloj difiere en ${difference} del del servidor.`,
    en: (difference: string) => `The clock differs from the server's by ${difference}.`,
  },
  doctorCertificate: {
    es: (day: string, clock: string) => `Certificado hasta el ${day} a las ${clock}.`,
    en: (day: string, clock: string) => `Certificate until ${day}, ${clock}.`,
  },

  /** `result`: one of the next; `took`: a time. */
  triedDirect: {
    es: (address: string, result: string, took: string) => `Directamente a ${address}: ${result} (${took}).`,
    en: (address: string, result: string, took: string) => `Directly to ${address}: ${result} (${took}).`,
  },
  triedNearby: {
    es: (address: string, result: string, took: string) =>
      `En la red local, a ${address}: ${result} (${took}).`,
    en: (address: string, result: string, took: string) =>
      `On the local network, to ${address}: ${result} (${took}).`,
  },
  triedMapped: {
    es: (address: string, result: string, took: string) =>
      `Al puerto que abre su router, ${address}: ${result} (${took}).`,
    en: (address: string, result: string, took: string) =>
      `To the port that their router opens, ${address}: ${result} (${took}).`,
  },
  triedKnown: {
    es: (address: string, result: string, took: string) =>
      `A la última dirección conocida, ${address}: ${result} (${took}).`,
    en: (address: string, result: string, took: string) =>
      `To the last known address, ${address}: ${result} (${took}).`,
  },
  triedPunched: {
    es: (address: string, result: string, took: string) =>
      `Los dos a la vez a través de los routers, a ${address}: ${result} (${took}).`,
    en: (address: string, result: string, took: string) =>
      `Both at once through the routers, to ${address}: ${result} (${took}).`,
  },
  triedSeat: {
    es: (family: string, result: string, took: string) =>
      `En el puerto de encuentro del servidor, por ${family}: ${result} (${took}).`,
    en: (family: string, result: string, took: string) =>
      `At the server's meeting port, over ${family}: ${result} (${took}).`,
  },
  triedAnswers: { es: "responde", en: "answers" },
  triedRefuses: { es: "rechaza la conexión", en: "refuses the connection" },
  triedSilent: { es: "no responde", en: "no answer" },
  triedNoRoute: { es: "no hay camino hasta allí", en: "there is no way there" },
  triedStranger: {
    es: "responde algo que no es su cliente",
    en: "something answers that is not their client",
  },
  triedOtherKey: { es: "responde con otra clave", en: "answers with another key" },
  triedGivenUp: { es: "ya no hacía falta", en: "no longer needed" },
  triedLookup: {
    es: (user: string, took: string) => `El servidor dice que ${user} está en línea (${took}).`,
    en: (user: string, took: string) => `The server says that ${user} is online (${took}).`,
  },
  triedOffline: {
    es: (user: string) => `El servidor dice que ${user} no está en línea.`,
    en: (user: string) => `The server says that ${user} is not online.`,
  },
  triedNoServer: {
    es: (user: string) => `No hay servidor a quien preguntar dónde está ${user}.`,
    en: (user: string) => `There is no server to ask where ${user} is.`,
  },
  triedServerLimits: {
    es: (user: string) => `El servidor no contesta por ahora a más preguntas, tampoco dónde está ${user}.`,
    en: (user: string) => `The server answers no more questions at present, nor where ${user} is.`,
  },
  triedReversed: {
    es: (user: string, address: string) => `${user} se ha conectado a este cliente desde ${address}.`,
    en: (user: string, address: string) => `${user} has dialled this client from ${address}.`,
  },
  triedMet: {
    es: (family: string, roundTrip: number) =>
      `Se han encontrado por ${family}, a ${roundTrip} ms uno de otro.`,
    en: (family: string, roundTrip: number) => `You met over ${family}, ${roundTrip} ms from each other.`,
  },
  triedMetForRelay: {
    es: (family: string) => `Se han encontrado por ${family}, donde solo sirve el paso por el servidor.`,
    en: (family: string) => `You met over ${family}, where only the way through the server serves.`,
  },
  triedRelayed: {
    es: "El servidor reenvía lo que va de uno a otro, cifrado de extremo a extremo.",
    en: "The server passes on what goes between you, encrypted end to end.",
  },
  triedNoSeat: {
    es: "No se ha llegado al puerto de encuentro del servidor.",
    en: "The server's meeting port could not be reached.",
  },
  triedAlone: { es: "El otro no ha venido al encuentro.", en: "The other did not come to the meeting." },
  triedGone: { es: "El otro lado ha dejado el encuentro.", en: "The other side has left the meeting." },
  triedNoWay: {
    es: "En el encuentro no se ha podido abrir ninguna conexión a tiempo.",
    en: "At the meeting no connection could be opened in time.",
  },
  triedRelayFull: {
    es: "El servidor no reenvía más conversaciones por ahora.",
    en: "The server passes on no more conversations at present.",
  },
  triedNotProven: {
    es: "En el encuentro ha respondido alguien que no ha probado quién es.",
    en: "At the meeting somebody answered who did not prove who they are.",
  },
  doctorNoWay: {
    es: (user: string) => `Ningún camino lleva ahora hasta ${user}, tampoco por el servidor.`,
    en: (user: string) => `No way leads to ${user} right now, not even through the server.`,
  },
  /** What is known of the link follows. */
  doctorSilent: {
    es: (user: string) => `Hay una conexión con ${user}, pero ahora no responde por ella`,
    en: (user: string) => `There is a connection to ${user}, who does not answer on it now`,
  },
  doctorReachedDirect: {
    es: (user: string) => `Se llega a ${user} directamente`,
    en: (user: string) => `${user} is reached directly`,
  },
  doctorReachedThrough: {
    es: (user: string) => `Se llega a ${user} a través de los routers, sin que nadie más intervenga`,
    en: (user: string) => `${user} is reached through the routers, with nobody in between`,
  },
  doctorReachedByServer: {
    es: (user: string) => `Se llega a ${user} por el servidor, cifrado de extremo a extremo`,
    en: (user: string) => `${user} is reached by way of the server, encrypted end to end`,
  },
  doctorStillTrying: {
    es: (user: string, seconds: number) => `Todavía no se ha llegado a ${user}, tras ${seconds} s.`,
    en: (user: string, seconds: number) => `${user} has not been reached yet, after ${seconds} s.`,
  },

  doctorHelps: {
    es: (what: string) => `Qué ayudaría: ${what}`,
    en: (what: string) => `What would help: ${what}`,
  },
  hintNetwork: {
    es: "conecte esta máquina a una red.",
    en: "connect this machine to a network.",
  },
  hintServer: {
    es: "compruebe que esta red tiene salida hasta el servidor, o avise a quien lo administra; con quien ya conoce puede hablar mientras dure el certificado.",
    en: "check that this network has a way to the server, or tell whoever runs it; until the certificate ends you can talk to people you know.",
  },
  hintLogIn: {
    es: "inicie sesión: con los menús, con listen, o con PALOMA_PASSWORD.",
    en: "log in: in the menus, by listen, or with PALOMA_PASSWORD.",
  },
  hintCertificate: {
    es: "cierre la sesión (logout) e iníciela otra vez, para recibir otro certificado.",
    en: "log out and in again, to be given another certificate.",
  },
  hintClock: { es: "ponga en hora el reloj de esta máquina.", en: "set this machine's clock." },
  hintMeetingPort: {
    es: "deje salir de esta red hasta el puerto de encuentro del servidor (el 8444, si no han elegido otro); si no está cerrado aquí, pida a quien administra el servidor que lo abra.",
    en: "let connections to the server's meeting port (8444, unless they chose another) out of this network; if it is not closed here, ask whoever runs the server to open it.",
  },
  hintNoMeetingPort: {
    es: "pida a quien administra el servidor que active el puerto de encuentro, que está apagado.",
    en: "ask whoever runs the server to switch on its meeting port, which is off.",
  },
  hintVpn: {
    es: "apague la VPN si todo sale por ella, y repita doctor.",
    en: "switch the VPN off if everything goes through it, and run doctor again.",
  },
  hintCarrier: {
    es: "detrás del NAT de un operador no sirve abrir puertos: pídale IPv6, o una dirección pública.",
    en: "behind a carrier's NAT opening ports cannot work: ask the provider for IPv6 or a public address.",
  },
  hintSecondRouter: {
    es: "ponga uno de los dos routers en modo puente, o abra el puerto también en el de fuera.",
    en: "set one of the two routers to bridge mode, or open the port on the outer one too.",
  },
  hintFirewall: {
    es: (port: number) =>
      `deje pasar el puerto TCP ${port} por el cortafuegos de esta máquina y por el del router.`,
    en: (port: number) => `let TCP port ${port} through the firewall of this machine and of the router.`,
  },
  hintLanOn: {
    es: "con --lan on se pide al router que abra el puerto.",
    en: "with --lan on the router is asked to open the port.",
  },
  hintUpnp: {
    es: "active UPnP (o NAT-PMP) en el router: entonces todos llegan directamente.",
    en: "switch on UPnP (or NAT-PMP) in the router: then everybody reaches you directly.",
  },
  hintUpnpOrIPv6: {
    es: "active UPnP (o NAT-PMP) en el router: entonces todos llegan directamente. Si no lo tiene, pida IPv6 a su operador.",
    en: "switch on UPnP (or NAT-PMP) in the router: then everybody reaches you directly. If it has none, ask the provider for IPv6.",
  },
  hintForward: {
    es: (port: number) =>
      `redirija en el router el puerto TCP ${port} hacia esta máquina, o permítale hacerlo por UPnP.`,
    en: (port: number) => `forward TCP port ${port} on the router to this machine, or allow that by UPnP.`,
  },
  hintRelayAuto: {
    es: "con --relay auto lo que no puede ir directamente pasa, cifrado de extremo a extremo, por el servidor.",
    en: "with --relay auto what cannot go directly goes by way of the server, encrypted end to end.",
  },
  hintRelayEmpty: {
    es: "si ha pasado hoy mucho por el servidor, espere a mañana; si no, pregunte a quien lo administra si reenvía conversaciones.",
    en: "if much has gone by way of the server today, wait until tomorrow; if not, ask its operator whether it passes on conversations.",
  },
} as const satisfies { readonly [name: string]: BilingualText };
