/**
 * Every code of the rendezvous link (PROTOCOL 4) with one sentence in each language. The server sends the
 * sentence as `message`; a client shows its own sentence for a code that it knows.
 */
import type { Bilingual, Language } from "./language.ts";

const SENTENCES = {
  ok: { es: "Hecho", en: "Done" },
  bad_json: {
    es: "La petición no es un objeto JSON válido",
    en: "The request is not a valid JSON object",
  },
  bad_request: {
    es: "La petición no es válida",
    en: "The request is not valid",
  },
  unknown_action: { es: "Acción desconocida", en: "Unknown action" },
  message_too_large: {
    es: "El mensaje supera el tamaño máximo",
    en: "The message exceeds the maximum size",
  },
  not_logged_in: { es: "Primero hay que iniciar sesión", en: "Log in first" },
  already_logged_in: {
    es: "Ya hay una sesión iniciada en esta conexión",
    en: "This connection is already logged in",
  },
  invalid_username: {
    es: "Nombre de usuario no válido: debe tener de 3 a 32 letras, cifras, «.», «_» o «-», y empezar por letra o cifra",
    en: "Invalid username: use 3 to 32 letters, digits, “.”, “_” or “-”, starting with a letter or digit",
  },
  weak_password: {
    es: "La contraseña debe tener entre 8 y 256 caracteres",
    en: "The password must have between 8 and 256 characters",
  },
  invalid_email: { es: "El correo electrónico no es válido", en: "The email address is not valid" },
  username_taken: { es: "El nombre de usuario ya existe", en: "That username is taken" },
  invalid_credentials: { es: "Usuario o contraseña incorrectos", en: "Wrong username or password" },
  already_connected: {
    es: "El usuario ya está conectado desde otra sesión; ciérrela primero",
    en: "This user is already connected in another session; close it first",
  },
  session_replaced: {
    es: "La sesión continúa en otra conexión",
    en: "The session continues on another connection",
  },
  user_offline: { es: "El usuario no está conectado", en: "The user is not online" },
  cannot_meet: {
    es: "El programa de esa persona no admite encuentros",
    en: "That person’s program does not support meetings",
  },
  no_meeting: { es: "Este servidor no organiza encuentros", en: "This server arranges no meetings" },
  relay_full: {
    es: "El servidor no admite más conversaciones a través de él",
    en: "The server has no room for more relayed conversations",
  },
  rate_limited: {
    es: "Demasiados intentos; espere un momento",
    en: "Too many attempts; wait a moment",
  },
  tls_required: {
    es: "Este servidor solo acepta conexiones cifradas desde esta dirección",
    en: "This server accepts only encrypted connections from this address",
  },
  server_busy: { es: "El servidor está ocupado; inténtelo de nuevo", en: "The server is busy; try again" },
  server_closing: { es: "El servidor se está cerrando", en: "The server is closing" },
  account_disabled: { es: "La cuenta está deshabilitada", en: "The account is disabled" },
  registration_closed: { es: "El registro está cerrado", en: "Registration is closed" },
  internal_error: { es: "Error interno del servidor", en: "Internal server error" },
} as const satisfies { readonly [code: string]: Bilingual };

export type Code = keyof typeof SENTENCES;
export type FailureCode = Exclude<Code, "ok">;

const BY_NAME = new Map<string, Bilingual>(Object.entries(SENTENCES));
export const CODES: readonly Code[] = [...BY_NAME.keys()] as Code[];

export function isCode(code: string): code is Code {
  return BY_NAME.has(code);
}

/** The sentence for a code, without a final full stop. */
export function sentenceFor(code: Code, language: Language): string {
  return SENTENCES[code][language];
}
