/** Reads the file of `admin add --from FILE`: one account a line, NAME,EMAIL. */
import { readFileSync } from "node:fs";

import { errorCode } from "../../net/error-code.ts";
import type { Language } from "../../protocol/language.ts";
import { UsageError } from "../../protocol/options.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { StartError } from "../start-error.ts";
import { readRequest, type AdminRequest } from "./messages.ts";

/** Bytes of a file: room for about thirty thousand accounts. */
const MAX_LIST = 1_048_576;
/** UTF-16 units of a line: more than the longest name and the longest address. */
const MAX_LINE = 1_000;
/** A field may be quoted (RFC 4180). Spreadsheets also separate by semicolons or tabs, and leave empty columns at the end. */
const FIELD = String.raw`[ ]*("(?:[^"]|"")*"|[^",;\t]*)`;
const LINE = new RegExp(`^${FIELD}(?:[,;\\t]${FIELD})?[,;\\t ]*$`);
/** What the columns of a spreadsheet are called. */
const HEADER = /^(?:name|username|nombre|usuario) (?:e-?mail|correo(?: electrónico)?)$/i;

export type ListedLine = {
  /** From 1. */
  readonly line: number;
  readonly request: AdminRequest & { readonly command: "add" };
};

/** @throws UsageError for a file with something else in it, StartError for one that cannot be read */
export function readAccountList(file: string, language: Language): readonly ListedLine[] {
  const wrong = (line: number | undefined, es: string, en: string) => {
    const place = `${quotedText(file)}${line === undefined ? "" : `:${line}`}`;
    return new UsageError(`${place}: ${language === "es" ? es : en}`);
  };
  const bytes = readList(file);
  if (bytes.length > MAX_LIST) throw wrong(undefined, "supera 1 MiB", "exceeds 1 MiB");
  const found: ListedLine[] = [];
  for (const [index, row] of decoded(bytes, wrong)
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = index + 1;
    const [, ...fields] = row.length > MAX_LINE ? [] : (LINE.exec(row) ?? []);
    const [name = "", email = ""] = fields.map((field = "") =>
      (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field).trim(),
    );
    if (row.trim() === "" || (found.length === 0 && HEADER.test(`${name} ${email}`))) continue;
    const request = readRequest({ command: "add", name, email });
    if (request?.command !== "add") throw wrong(line, "se esperaba NOMBRE,CORREO", "expected NAME,EMAIL");
    found.push({ line, request });
  }
  if (found.length === 0) throw wrong(undefined, "no hay ninguna cuenta", "there is no account in it");
  return found;
}

/** @throws StartError */
function readList(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = errorCode(error);
    throw new StartError(
      {
        es: `No se puede leer «${quotedText(file)}» (${code})`,
        en: `“${quotedText(file)}” cannot be read (${code})`,
      },
      error,
      "unreadable",
    );
  }
}

function decoded(bytes: Uint8Array, wrong: (line: undefined, es: string, en: string) => UsageError): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw wrong(undefined, "no es UTF-8: guárdelo como «CSV UTF-8»", "is not UTF-8: save it as “CSV UTF-8”");
  }
}
