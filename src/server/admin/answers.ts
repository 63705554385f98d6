/** The sentences of the operator's commands. */
import { showFingerprint } from "../../identity/fingerprint.ts";
import { sentenceFor } from "../../protocol/codes.ts";
import type { Bilingual, Language } from "../../protocol/language.ts";
import { quotedName, quotedText } from "../../protocol/quoted-text.ts";
import { visibleText } from "../../protocol/visible-text.ts";
import type { Backup } from "./backup.ts";
import type { AdminCommand, Refusal, SessionLine, UserLine } from "./messages.ts";
import type { Moved } from "./move.ts";
import type { Restored } from "./restore.ts";

/** Widths of columns; a longer text moves the rest of its line to the right. */
const NAME_WIDTH = 20;
const STATE_WIDTH = 14;

/** The sentences that differ from those for clients. */
const REFUSED: { readonly [R in Exclude<Refusal, "invalid_email" | "server_busy">]: Bilingual } = {
  unknown_user: { es: "No existe ninguna cuenta con ese nombre", en: "There is no account with that name" },
  unknown_session: {
    es: "La cuenta no tiene ninguna sesión con ese identificador",
    en: "The account has no session with that id",
  },
  username_taken: {
    es: "El nombre ya existe, o es de una cuenta borrada hace menos de 73 horas",
    en: "That name is taken, or belonged to an account deleted less than 73 hours ago",
  },
  invalid_username: {
    es: "Nombre no válido: de 3 a 32 letras, cifras, «.», «_» o «-», y que empiece por letra o cifra",
    en: "Invalid name: 3 to 32 letters, digits, “.”, “_” or “-”, beginning with a letter or digit",
  },
  server_closing: {
    es: "El servidor se está cerrando; inténtelo de nuevo",
    en: "The server is closing; try again",
  },
  disk_full: { es: "No queda sitio en el disco del servidor", en: "The server’s disk is full" },
  internal_error: {
    es: "Error interno del servidor; consulte su registro",
    en: "Internal server error; see its log",
  },
  bad_request: {
    es: "El servidor en marcha no entiende la orden: es de otra versión",
    en: "The running server does not understand the command: it is a different version",
  },
};

/** Why a command was refused. */
export function refusalSentence(code: Refusal, language: Language): string {
  if (code === "invalid_email" || code === "server_busy") return sentenceFor(code, language);
  return REFUSED[code][language];
}

/** A line of `users`. */
export function userText(line: UserLine, language: Language): string {
  const states = {
    disabled: { es: "deshabilitada", en: "disabled" },
    online: { es: "conectada", en: "online" },
    offline: { es: "desconectada", en: "offline" },
  } as const;
  const state = states[line.disabled ? "disabled" : line.online ? "online" : "offline"][language];
  const columns = [pad(line.username, NAME_WIDTH), state.padEnd(STATE_WIDTH), shownTime(line.made)];
  return [...columns, visibleText(line.email)].join("  ").trimEnd();
}

/** A line of `sessions`. */
export function sessionText(line: SessionLine, language: Language): string {
  const { kind, id, address, since, last_used: lastUsed, fingerprint, node } = line;
  const key = fingerprint === null ? undefined : showFingerprint(visibleText(fingerprint));
  const named = visibleText(id ?? "-").padEnd(12);
  const [begun, used] = [shownTime(since), shownTime(lastUsed)];
  const from = visibleText(address ?? "");
  const text: Bilingual =
    kind === "live"
      ? { es: `conectada desde ${begun}, ${from}`, en: `online since ${begun}, ${from}` }
      : { es: `guardada ${begun}, usada ${used}`, en: `stored ${begun}, used ${used}` };
  const withoutKey: Bilingual = { es: "sin clave (cliente antiguo)", en: "no key (old client)" };
  const withKey: Bilingual = { es: `clave ${key}`, en: `key ${key}` };
  const end = (key === undefined ? withoutKey : withKey)[language];
  const place = node === undefined ? "" : `, ${language === "es" ? "en" : "at"} ${visibleText(node)}`;
  return `${pad(line.username, NAME_WIDTH)}  ${named}  ${text[language]}, ${end}${place}`;
}

const NOTHING_CHANGED: Bilingual = { es: "no ha cambiado nada", en: "nothing has changed" };

/** What a command did, and what it says if nothing had to be changed. */
const DONE: { readonly [C in AdminCommand]?: readonly [done: Bilingual, unchanged: Bilingual] } = {
  disable: [
    { es: "cuenta deshabilitada", en: "account disabled" },
    { es: "ya estaba deshabilitada", en: "was already disabled" },
  ],
  enable: [
    { es: "cuenta habilitada", en: "account enabled" },
    { es: "ya estaba habilitada", en: "was already enabled" },
  ],
  delete: [
    {
      es: "cuenta borrada; el nombre queda libre dentro de 73 horas",
      en: "account deleted; the name becomes free in 73 hours",
    },
    NOTHING_CHANGED,
  ],
  revoke: [
    { es: "sesiones y certificados anulados", en: "sessions and certificates revoked" },
    { es: "no tenía sesiones; certificados anulados", en: "had no sessions; certificates revoked" },
  ],
};

/** @param changed false: nothing had to be changed. */
export function doneSentence(command: AdminCommand, username: string, changed: boolean): Bilingual {
  const [done, unchanged] = DONE[command] ?? [{ es: "hecho", en: "done" }, NOTHING_CHANGED];
  const { es, en } = changed ? done : unchanged;
  return { es: `«${quotedText(username)}»: ${es}`, en: `“${quotedText(username)}”: ${en}` };
}

export function passwordSentence(username: string, password: string): Bilingual {
  const shown = visibleText(password);
  return {
    es: `Contraseña nueva de «${quotedText(username)}»: ${shown}`,
    en: `New password of “${quotedText(username)}”: ${shown}`,
  };
}

/** What a command could not write to standard output. */
export type Unwritten = "listing" | "password" | "change" | "backup" | "restore" | "move";

/** Says what was done although its result could not be written. @param code of the system's error. */
export function unwrittenSentence(what: Unwritten, code: string): Bilingual {
  const [es, en] = {
    listing: ["No se ha podido escribir la lista entera", "The list could not be written completely"],
    password: [
      "No se ha podido escribir la contraseña: ejecute «admin reset-password»",
      "The password could not be written: run “admin reset-password”",
    ],
    change: [
      "El cambio está hecho, pero no se ha podido escribir el resultado",
      "The change was made, but its result could not be written",
    ],
    backup: [
      "La copia está hecha y comprobada, pero no se ha podido escribir el resultado",
      "The backup was made and verified, but its result could not be written",
    ],
    restore: [
      "La base de datos está restaurada, pero no se ha podido escribir el resultado",
      "The database was restored, but its result could not be written",
    ],
    move: [
      "Todo está trasladado, pero no se ha podido escribir el resultado",
      "Everything was moved, but the result could not be written",
    ],
  }[what] as [string, string];
  return { es: `${es} (${code})`, en: `${en} (${code})` };
}

/** What has become of a list of accounts. */
export type ListOutcome = {
  made: number;
  refused: number;
  /** The account for which the server has not answered: it may have been made. */
  unanswered: string[];
  untried: string[];
};

export function listSentence({ made, refused, unanswered, untried }: ListOutcome, total: number): Bilingual {
  const named = (es: string, en: string, names: readonly string[]) => {
    const shown = names.map((name) => quotedText(name)).join(", ");
    return names.length === 0 ? ["", ""] : [`; ${es}: ${shown}`, `; ${en}: ${shown}`];
  };
  const [unknownEs, unknownEn] = named("sin respuesta", "no answer", unanswered);
  const [untriedEs, untriedEn] = named("sin intentar", "not tried", untried);
  return {
    es: `Cuentas creadas: ${made} de ${total}; rechazadas: ${refused}${unknownEs}${untriedEs}`,
    en: `Accounts made: ${made} of ${total}; refused: ${refused}${unknownEn}${untriedEn}`,
  };
}

export function backupSentence(file: string, { users, tokens, bytes }: Backup): Bilingual {
  return {
    es: `Copia comprobada en «${quotedText(file)}» (cuentas: ${users}, sesiones: ${tokens}, bytes: ${bytes})`,
    en: `Verified backup in “${quotedText(file)}” (accounts: ${users}, sessions: ${tokens}, bytes: ${bytes})`,
  };
}

export function restoredSentence(file: string, { users, tokens, before }: Restored): Bilingual {
  return {
    es:
      `Restaurada la copia «${quotedText(file)}» (cuentas: ${users}, sesiones: ${tokens})` +
      (before === undefined ? "" : `; la base de datos anterior queda en «${quotedText(before)}»`),
    en:
      `Restored the backup “${quotedText(file)}” (accounts: ${users}, sessions: ${tokens})` +
      (before === undefined ? "" : `; the previous database is kept as “${quotedText(before)}”`),
  };
}

/** @param to as it is shown. */
export function movedSentence(to: string, { users, tokens, revocations }: Moved): Bilingual {
  return {
    es: `Trasladado todo a «${quotedText(to)}» (cuentas: ${users}, sesiones: ${tokens}, anulaciones: ${revocations}): arranque los servidores con esa dirección`,
    en: `Moved everything to “${quotedText(to)}” (accounts: ${users}, sessions: ${tokens}, revocations: ${revocations}): start the servers with that address`,
  };
}

export function deletionQuestion(username: string): Bilingual {
  return {
    es: `¿Borrar la cuenta «${quotedText(username)}» para siempre? [s/N] `,
    en: `Permanently delete the account “${quotedText(username)}”? [y/N] `,
  };
}

/** A time in RFC 3339, shown to the second in UTC; any other text unchanged. */
function shownTime(time: string | null): string {
  const [, day, clock] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(time ?? "") ?? [];
  return day === undefined ? visibleText(time ?? "-") : `${day} ${clock} UTC`;
}

function pad(username: string, width: number): string {
  const shown = quotedName(username);
  return shown + " ".repeat(Math.max(0, width - Bun.stringWidth(shown)));
}
