/** Reads the words after `admin`. */
import { homedir } from "node:os";

import { expandHome } from "../../protocol/environment.ts";
import type { Bilingual, Language } from "../../protocol/language.ts";
import { nearestWord } from "../../protocol/nearest-word.ts";
import { UsageError } from "../../protocol/options.ts";
import { quotedText } from "../../protocol/quoted-text.ts";
import { readRequest, type AdminCommand, type AdminRequest } from "./messages.ts";

export type AdminTask =
  | { readonly name: "request"; readonly request: AdminRequest }
  | { readonly name: "backup" | "restore" | "addList"; readonly file: string }
  | { readonly name: "move"; readonly to: string };

type Arguments = {
  /** As the usage sentence shows them. */
  readonly shown: Bilingual;
  readonly names: readonly string[];
  /** How many of them are required. */
  readonly needed: number;
};

const FILE: Bilingual = { es: "ARCHIVO", en: "FILE" };
const NAME: Bilingual = { es: "NOMBRE", en: "NAME" };

/** A map, because an object would find `constructor`. */
const COMMANDS: ReadonlyMap<string, Arguments> = new Map<AdminCommand | "backup" | "restore", Arguments>([
  ["users", { shown: { es: "[TEXTO]", en: "[TEXT]" }, names: ["search"], needed: 0 }],
  [
    "add",
    {
      shown: { es: "NOMBRE [CORREO], o --from ARCHIVO", en: "NAME [EMAIL], or --from FILE" },
      names: ["name", "email"],
      needed: 1,
    },
  ],
  ["disable", { shown: NAME, names: ["name"], needed: 1 }],
  ["enable", { shown: NAME, names: ["name"], needed: 1 }],
  ["delete", { shown: NAME, names: ["name"], needed: 1 }],
  ["reset-password", { shown: NAME, names: ["name"], needed: 1 }],
  ["sessions", { shown: { es: "[NOMBRE]", en: "[NAME]" }, names: ["name"], needed: 0 }],
  ["revoke", { shown: { es: "NOMBRE [ID]", en: "NAME [ID]" }, names: ["name", "id"], needed: 1 }],
  ["backup", { shown: FILE, names: ["file"], needed: 1 }],
  ["restore", { shown: FILE, names: ["file"], needed: 1 }],
]);

/**
 * Reads a command and its arguments.
 * @param flags `from`: the file of `--from`, which only `add` takes, and nothing beside it; `to`: as only `move` has it
 * @throws UsageError in `language`
 */
export function readTask(
  words: readonly string[],
  language: Language,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined } = {},
): AdminTask {
  const [command = "", ...given] = words;
  if (command === "move" || to !== undefined) {
    if (command === "move" && to !== undefined && given.length === 0 && from === undefined) {
      return { name: "move", to };
    }
    throw usage(language, {
      es: "Se esperaba: admin move --to postgres://…",
      en: "Expected: admin move --to postgres://…",
    });
  }
  const known = COMMANDS.get(command);
  if (known === undefined) {
    const meant = nearestWord(command, [...COMMANDS.keys(), "move", "help"]);
    const [es, en] =
      meant === undefined ? ["las", ""] : [`¿quiere decir ${meant}? Las`, `did you mean ${meant}? `];
    throw usage(language, {
      es: `Orden desconocida: «${quotedText(command)}»; ${es} hay en «admin --help»`,
      en: `Unknown command: “${quotedText(command)}”; ${en}“admin --help” lists them`,
    });
  }
  if (from !== undefined) {
    if (command === "add" && given.length === 0) return { name: "addList", file: from };
    throw usage(language, {
      es: "--from va solo con add: admin add --from ARCHIVO",
      en: "--from goes with add alone: admin add --from FILE",
    });
  }
  const { shown, names, needed } = known;
  const fields = new Map(names.map((name, index) => [name, given[index]]));
  const file = fields.get("file") ?? "";
  const isComplete = given.length >= needed && given.length <= names.length;
  if (isComplete && (command === "backup" || command === "restore") && file !== "") {
    return { name: command, file: expandHome(file, homedir()) };
  }
  const request = isComplete
    ? readRequest({ after: "", search: "", email: "", ...definedOf(fields), command })
    : undefined;
  if (request !== undefined) return { name: "request", request };
  throw usage(language, {
    es: `Se esperaba: admin ${command} ${shown.es}`,
    en: `Expected: admin ${command} ${shown.en}`,
  });
}

function definedOf(fields: ReadonlyMap<string, string | undefined>): { [name: string]: string } {
  return Object.fromEntries(
    [...fields].flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function usage(language: Language, sentence: Bilingual): UsageError {
  return new UsageError(sentence[language]);
}
