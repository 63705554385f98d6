/** What is typed behind `/get` and `/stop`. */
import { bytesOf } from "../../../protocol/options.ts";
import type { Texts } from "../../texts/texts.ts";
import type { FileEffect } from "./model.ts";

/** An effect, or why there is none. */
type Typed = FileEffect | { readonly name: "fault"; readonly sentence: string };

/** `#3` or `3`, and what follows. */
const NUMBERED = /^#?(\d{1,9})(?:\s+(.*))?$/s;

/** `/get [#N] [FOLDER]`, and `/get always [SIZE|off] [FOLDER]`. */
export function get(argument: string, texts: Texts): Typed {
  const always = /^always(?:\s+(.*))?$/is.exec(argument);
  if (always !== null) return getAlways(always[1] ?? "", texts);
  const [, number, folder] = NUMBERED.exec(argument) ?? [];
  if (number !== undefined) return { name: "getFile", number: Number(number), folder };
  if (argument.startsWith("#")) return { name: "fault", sentence: texts.chatNoFileNumber(argument) };
  return { name: "getFile", number: undefined, folder: argument || undefined };
}

function getAlways(argument: string, texts: Texts): Typed {
  const [, word = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(argument) ?? [];
  if (/^off$/i.test(argument)) return { name: "getAlways", limit: 0, folder: undefined };
  // What begins with a digit is a size; one without a unit is none that is meant.
  if (!/^\d/.test(word)) return { name: "getAlways", limit: null, folder: argument || undefined };
  const limit = /[KMGT]/i.test(word) ? bytesOf(word) : undefined;
  if (limit === undefined) return { name: "fault", sentence: texts.chatNoSize(word) };
  return { name: "getAlways", limit, folder: rest || undefined };
}

/** `/stop [#N]` */
export function stop(argument: string, texts: Texts): Typed {
  if (argument === "") return { name: "stopFile", number: undefined };
  const [, number, rest] = NUMBERED.exec(argument) ?? [];
  if (number === undefined || rest !== undefined)
    return { name: "fault", sentence: texts.chatNoFileNumber(argument) };
  return { name: "stopFile", number: Number(number) };
}
