/**
 * Command-line options of both programs. Flags override environment variables (`PALOMA_TLS_PORT` for
 * `--tls-port`), and these override defaults. An error is one sentence, never a stack trace.
 */
import { parseArgs } from "node:util";

import { expandHome, variable, type Environment } from "./environment.ts";
import type { Language } from "./language.ts";
import { nearestWord } from "./nearest-word.ts";
import { quotedText } from "./quoted-text.ts";

type Option =
  | { readonly type: "switch" }
  | { readonly type: "text" }
  /** A leading `~` is the home folder. */
  | { readonly type: "path" }
  | { readonly type: "choice"; readonly of: readonly string[] }
  | { readonly type: "integer"; readonly min: number; readonly max: number }
  /** Bytes: `4096`, or with a suffix, `500M`; K, M, G and T are powers of 1,024. */
  | { readonly type: "size" };
export type Options = { readonly [flag: string]: Option };

type Value<O extends Option> = O extends { type: "switch" }
  ? boolean
  : O extends { type: "integer" | "size" }
    ? number
    : O extends { type: "choice"; of: readonly (infer T)[] }
      ? T
      : string;
export type OptionValues<O extends Options> = { [F in keyof O]?: Value<O[F]> };

/** A wrong flag, value or argument: exit 2. */
export class UsageError extends Error {}

function wrong(language: Language, es: string, en: string): never {
  throw new UsageError(language === "es" ? es : en);
}

/** The flag's environment variable: `--tls-port` → `PALOMA_TLS_PORT`. */
export function variableOf(flag: string): string {
  return `PALOMA_${flag.toUpperCase().replaceAll("-", "_")}`;
}

function readValue(
  shown: string,
  option: Option,
  value: string,
  environment: Environment,
  language: Language,
): unknown {
  switch (option.type) {
    case "switch":
      if (["1", "true", "yes", "si", "sí"].includes(value.toLowerCase())) return true;
      if (["", "0", "false", "no"].includes(value.toLowerCase())) return undefined;
      return wrong(language, `${shown}: se esperaba 1 o 0`, `${shown}: expected 1 or 0`);
    case "text":
    case "path":
      if (value !== "") return option.type === "path" ? expandHome(value, environment["HOME"]) : value;
      return wrong(language, `${shown}: falta el valor`, `${shown}: the value is missing`);
    case "choice":
      if (option.of.includes(value)) return value;
      return wrong(
        language,
        `${shown}: se esperaba ${option.of.join(", ")}`,
        `${shown}: expected one of ${option.of.join(", ")}`,
      );
    case "integer": {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
      if (number >= option.min && number <= option.max) return number;
      return wrong(
        language,
        `${shown}: se esperaba un número de ${option.min} a ${option.max}`,
        `${shown}: expected a number from ${option.min} to ${option.max}`,
      );
    }
    case "size": {
      const bytes = bytesOf(value);
      if (bytes !== undefined) return bytes;
      return wrong(
        language,
        `${shown}: se esperaba un tamaño, como 4096, 500M o 2G`,
        `${shown}: expected a size, such as 4096, 500M or 2G`,
      );
    }
    default:
      return option satisfies never;
  }
}

/** The bytes of a size as it is typed, at least 1; undefined: it is none. */
export function bytesOf(typed: string): number | undefined {
  const [, digits = "", suffix = ""] = /^(\d{1,15})(?:([KMGT])(?:i?B)?)?$/i.exec(typed) ?? [];
  const bytes = Number(digits) * 1_024 ** (1 + "KMGT".indexOf(suffix.toUpperCase() || "-"));
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

function unknownOption(shown: string, meant: string | undefined, language: Language): never {
  const [es, en] = [`Opción desconocida: ${shown}`, `Unknown option: ${shown}`];
  if (!shown.startsWith("--"))
    return wrong(
      language,
      `${es}; un argumento que empieza por «-» va detrás de --`,
      `${en}; an argument that begins with “-” goes after --`,
    );
  if (meant === undefined) return wrong(language, es, en);
  return wrong(language, `${es}; ¿quiere decir --${meant}?`, `${en}; did you mean --${meant}?`);
}

/**
 * Reads `args` and the environment by a table of options; with `--help`, `help` or `--version` only `args`.
 * @returns the given options, the flags of those in `args`, and the other arguments in order.
 * @throws UsageError naming what is wrong, in `language`.
 */
export function readOptions<const O extends Options>(
  options: O,
  args: readonly string[],
  environment: Environment,
  language: Language,
): { values: OptionValues<O>; typed: string[]; positionals: string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([flag, option]) => [
        flag,
        {
          type: option.type === "switch" ? ("boolean" as const) : ("string" as const),
          ...(flag === "help" ? { short: "h" } : {}),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, unknown>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    // Single letters may stand together behind one dash: then all of them are shown.
    const shown = quotedText(token.rawName.startsWith("--") ? token.rawName : (args[token.index] ?? ""));
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      return unknownOption(shown, nearestWord(token.name, Object.keys(options)), language);
    }
    if (option.type === "switch") {
      if (token.value !== undefined) {
        return wrong(language, `${shown} no lleva valor`, `${shown} takes no value`);
      }
      values.set(token.name, true);
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith("--"))) {
      return wrong(language, `${shown}: falta el valor`, `${shown}: the value is missing`);
    } else {
      values.set(token.name, readValue(shown, option, token.value, environment, language));
    }
  }
  const typed = [...values.keys()];
  // Help is given even when a variable is wrong.
  const helps = values.has("help") || values.has("version") || positionals[0] === "help";
  for (const [flag, option] of helps ? [] : Object.entries(options)) {
    const name = variableOf(flag);
    const value = variable(environment, name);
    if (values.has(flag) || value === undefined) continue;
    const read = readValue(name, option, value, environment, language);
    if (read !== undefined) values.set(flag, read);
  }
  return { values: Object.fromEntries(values) as OptionValues<O>, typed, positionals };
}
