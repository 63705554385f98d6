/** The commands about people and the own account. */
import { quotedText } from "../../protocol/quoted-text.ts";
import type { BilingualText } from "./bilingual-text.ts";

export const PEOPLE_TEXTS = {
  noContacts: { es: "Aquí no se conoce todavía a nadie.", en: "Nobody is known here yet." },
  lastHeard: {
    es: (time: string) => `última noticia: ${time}`,
    en: (time: string) => `last heard of: ${time}`,
  },
  neverHeard: { es: "sin noticias todavía", en: "not heard of yet" },
  unreadCount: {
    es: (count: number) => `${count} sin leer`,
    en: (count: number) => `${count} unread`,
  },
  /** In a list, in parentheses. */
  quietNote: { es: "en silencio", en: "muted" },
  mutedClock: { es: (clock: string) => `las ${clock}`, en: (clock: string) => clock },
  mutedDay: {
    es: (day: string, clock: string) => `el ${day} a las ${clock}`,
    en: (day: string, clock: string) => `${day} at ${clock}`,
  },
  mutedNote: {
    es: (until: string) => `en silencio hasta ${until}`,
    en: (until: string) => `muted until ${until}`,
  },
  mutedUntil: {
    es: (user: string, until: string) =>
      `${user} está en silencio hasta ${until}: ni suena ni se anuncia nada suyo.`,
    en: (user: string, until: string) =>
      `${user} is muted until ${until}: nothing of theirs rings or is announced.`,
  },
  badMute: {
    es: (typed: string) => `«${quotedText(typed)}» no es ningún tiempo, como 90m, 8h o 7d, ni off.`,
    en: (typed: string) => `“${quotedText(typed)}” is neither a duration, such as 90m, 8h or 7d, nor off.`,
  },
  notMuted: {
    es: (user: string) => `${user} no está en silencio.`,
    en: (user: string) => `${user} is not muted.`,
  },
  keyChanged: { es: "clave cambiada, sin aceptar", en: "changed key, not accepted" },

  accountAt: {
    es: (user: string, servers: string) => `${user}, en ${servers}`,
    en: (user: string, servers: string) => `${user}, at ${servers}`,
  },
  serverForgotten: { es: "un servidor que ya no se conoce", en: "a server that is no longer known" },
  hasSession: {
    es: (isStored: boolean) =>
      isStored ? "Sesión guardada: entra sin contraseña." : "Sin sesión guardada: hará falta la contraseña.",
    en: (isStored: boolean) =>
      isStored
        ? "A session is stored: no password is needed."
        : "No session is stored: the password will be needed.",
  },
  lanOff: {
    es: "Nada se dice a la red local ni se pide a su router.",
    en: "The local network is told nothing, and its router is asked nothing.",
  },
  relayOnly: {
    es: "Solo a través del servidor: nadie más se entera de su dirección.",
    en: "Through the server only: nobody else learns its address.",
  },
  relayNever: { es: "Nunca a través del servidor.", en: "Never through the server." },
  accountFolder: {
    es: (folder: string) => `Carpeta: ${folder}`,
    en: (folder: string) => `Folder: ${folder}`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
