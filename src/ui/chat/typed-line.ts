/** What a typed line is: nothing, the word that leaves the chat, a command, or a message (CLI «Menus»). */
import { MAX_TEXT_BYTES } from "../../protocol/peer-messages.ts";

/** As in the legacy client. */
const LEAVING_WORD = "exit";

export type ParsedLine =
  | { readonly name: "nothing" }
  | { readonly name: "leave" }
  /** `word`: without the slash, as it was typed; `argument`: what follows it, without spaces around. */
  | { readonly name: "command"; readonly word: string; readonly argument: string }
  | { readonly name: "message"; readonly text: string };

/** @param typed with placeholders: what was pasted is never a command */
export function parseLine(typed: string): ParsedLine {
  const trimmed = typed.trim();
  if (trimmed === "") return { name: "nothing" };
  if (trimmed === LEAVING_WORD) return { name: "leave" };
  if (!trimmed.startsWith("/")) return { name: "message", text: typed };
  if (trimmed.startsWith("//")) return { name: "message", text: typed.replace("/", "") };
  const [, word = "", rest = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(trimmed) ?? [];
  return { name: "command", word, argument: rest.trim() };
}

export type TextFault =
  /** `bytes` of UTF-8. */
  { readonly name: "tooLong"; readonly bytes: number } | { readonly name: "notText" };

/** Why no peer would take this text; undefined: it can be sent. */
export function faultOf(text: string): TextFault | undefined {
  if (!text.isWellFormed()) return { name: "notText" };
  const bytes = Buffer.byteLength(text, "utf8");
  return bytes > MAX_TEXT_BYTES ? { name: "tooLong", bytes } : undefined;
}

/** A text as it has to be typed to be sent: the opposite of `parseLine`. */
export function asTyped(text: string): string {
  if (text.trimStart().startsWith("/")) return text.replace("/", "//");
  return text.trim() === LEAVING_WORD ? `/say ${text}` : text;
}
