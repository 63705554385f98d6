/** The texts of the demonstration. */
import type { Bilingual } from "../../protocol/language.ts";

export const DEMO_TEXTS = {
  title: {
    es: "Paloma: dos personas, un servidor, y lo que viaja entre ellos",
    en: "Paloma: two people, one server, and what travels between them",
  },
  columns: {
    es: "VIAJA POR|MENSAJE, DENTRO DE TLS 1.3|LO LEEN",
    en: "TRAVELS ON|MESSAGE, INSIDE TLS 1.3|READ BY",
  },
  server: { es: "servidor", en: "server" },
  noServer: {
    es: "Para la demostración hace falta «paloma-server» en la misma carpeta que este programa",
    en: "The demonstration needs “paloma-server” in the folder of this program",
  },
  registers: { es: "se registra", en: "registers" },
  logsIn: { es: "inicia sesión", en: "logs in" },
  lists: { es: "mira quién está en línea", en: "asks who is online" },
  serverKilled: {
    es: "El servidor acaba de morir (kill -9). La conversación sigue:",
    en: "The server has just been killed (kill -9). The conversation goes on:",
  },
  reconnect: {
    es: "Cuelgan, y vuelven a empezar sin servidor, por las direcciones que conocen:",
    en: "They hang up and connect again without a server, over the addresses that they know:",
  },
  hangUp: { es: "cuelga", en: "hangs up" },
  lines: {
    es: "Hola, Benito. ¿Nos lee alguien?|Nadie: esto va de tu máquina a la mía.|¿Sigues ahí, sin servidor?|Aquí sigo. Para hablar no hace falta.|Otra vez hola, ahora por tu dirección.|Y yo te reconozco por tu clave.",
    en: "Hello, Benito. Is anybody reading this?|Nobody: this goes from your machine to mine.|Are you still there, without the server?|Still here. We do not need it to talk.|Hello again, over your address this time.|And I know you by your key.",
  },
  safety: {
    es: "Número de seguridad, igual en las dos máquinas:",
    en: "Safety number, the same on both machines:",
  },
  summary: { es: "Quién pudo leer qué", en: "Who could read what" },
  onRendezvous: {
    es: "Por el servidor pasaron {n} mensajes: nombres, contraseñas al entrar, direcciones y horas. Texto de la conversación: {found}.",
    en: "{n} messages went through the server: names, passwords at login, addresses and times. Text of the conversation: {found}.",
  },
  onDisk: {
    es: "En los archivos del servidor ({files}) se buscaron los {n} textos y las contraseñas: {found} apariciones.",
    en: "The server's files ({files}) were searched for the {n} texts and the passwords: {found} occurrences.",
  },
  onPeer: {
    es: "De máquina a máquina pasaron {n} mensajes, cifrados y con los dos lados probados; los leyeron ana y benito.",
    en: "{n} messages went from machine to machine, encrypted and with both sides verified; ana and benito read them.",
  },
  leaked: {
    es: "¡La demostración ha fallado: el servidor vio texto!",
    en: "The demonstration has failed: the server saw text!",
  },
} as const satisfies { readonly [name: string]: Bilingual };
