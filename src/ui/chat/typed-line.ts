/** Parses a typed line: nothing, the word that leaves the chat, a command or perhaps one, or a message (CLI «Menus»). */
/** As in the legacy client. */
const LEAVING_WORD = "exit";
/** A word that, alone in a line, may be meant as a command → that command. */
const PERHAPS_COMMANDS: ReadonlyMap<string, string> = new Map([
  ["help", "help"],
  ["?", "help"],
  ["quit", "exit"],
  ["salir", "exit"],
]);

export type ParsedLine =
  | { readonly name: "nothing" }
  | { readonly name: "leave" }
  /** `word`: as typed, without the slash; `argument`: the trimmed rest. */
  | { readonly name: "command"; readonly word: string; readonly argument: string }
  /** Not sent before the person has said which one they mean. */
  | { readonly name: "perhapsCommand"; readonly word: string; readonly command: string }
  | { readonly name: "message"; readonly text: string };

/** @param typed with placeholders, so that a pasted text is never a command */
export function parseLine(typed: string): ParsedLine {
  const trimmed = typed.trim();
  if (trimmed === "") return { name: "nothing" };
  if (trimmed === LEAVING_WORD) return { name: "leave" };
  const command = PERHAPS_COMMANDS.get(trimmed.toLowerCase());
  if (command !== undefined) return { name: "perhapsCommand", word: trimmed, command };
  if (!trimmed.startsWith("/")) return { name: "message", text: typed };
  if (trimmed.startsWith("//")) return { name: "message", text: typed.replace("/", "") };
  const [, word = "", rest = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(trimmed) ?? [];
  return { name: "command", word, argument: rest.trim() };
}

/** How a text must be typed to be sent as a message: the inverse of `parseLine`. */
export function asTyped(text: string): string {
  if (text.trimStart().startsWith("/")) return text.replace("/", "//");
  const word = text.trim();
  return word === LEAVING_WORD || PERHAPS_COMMANDS.has(word.toLowerCase()) ? `/say ${text}` : text;
}
