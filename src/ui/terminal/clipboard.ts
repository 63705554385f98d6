/** Puts a text into the clipboard through the terminal (OSC 52), which may be on another machine than this program. */
import { visibleText } from "../../protocol/visible-text.ts";

/** Most bytes of a text: all terminals that know the sequence take as many. */
export const MAX_COPIED_BYTES = 48 * 1024;

export type CopyResult =
  /** It was given to the terminal, which does not say whether it allowed it. */
  | { readonly name: "given"; readonly lines: number }
  | { readonly name: "too_long" }
  /** The terminal is not known to take a text. */
  | { readonly name: "unknown" };

/**
 * A text as it may be pasted anywhere, also into a shell: as `visibleText` with lines, but with its tabs, which the
 * text of a program needs.
 */
export function pastableText(text: string): string {
  return text
    .split("\t")
    .map((part) => visibleText(part, { lines: true }))
    .join("\t");
}

/** The sequence that copies a text of at most MAX_COPIED_BYTES. In base64 no text can end it. */
export function copySequence(text: string): string {
  return `\x1b]52;c;${Buffer.from(text).toString("base64")}\x1b\\`;
}
