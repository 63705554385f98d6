/**
 * Paths as they are typed, pasted or dropped into the line: whole, with spaces in them, or as a shell reads them, in
 * quotation marks or with backslashes. `~` is the home folder; some terminals drop `file:` addresses.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

export type Place = {
  /** The folder in which the program was started. */
  readonly cwd: string;
  readonly home: string;
};

type Quote = "" | '"' | "'";

type Word = {
  readonly text: string;
  /** It begins without a quotation mark or backslash, so that `~` is the home folder. */
  readonly isBare: boolean;
  /** The quotation mark that is not closed at its end. */
  readonly open: Quote;
  /** Where its last part begins in what was typed, after a slash; and the quotation mark that was open there. */
  readonly part: number;
  readonly openBefore: Quote;
};

/** Splits a text as a shell does. */
export function shellWords(typed: string): readonly Word[] {
  const words: Word[] = [];
  let word: Word | undefined;
  const add = (text: string, index: number, open: Quote, isBare: boolean) => {
    const before = word ?? { text: "", isBare, open: "", part: index, openBefore: "" };
    word = { ...before, text: before.text + text, open };
    if (text === "/") word = { ...word, part: index + 1, openBefore: open };
  };
  for (let index = 0; index < typed.length; index++) {
    const unit = typed[index] as string;
    const next = typed[index + 1];
    const open = word?.open ?? "";
    const isEscape =
      unit === "\\" && next !== undefined && (open === "" || (open === '"' && /["\\]/.test(next)));
    if (isEscape) {
      add(next, index, open, false);
      index++;
    } else if (unit === open) add("", index, "", false);
    else if (open !== "") add(unit, index, open, false);
    else if (unit === '"' || unit === "'") add("", index, unit, false);
    else if (!/\s/.test(unit)) add(unit, index, "", true);
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

function absolute(text: string, { cwd, home }: Place, isBare = true): string {
  if (isBare && /^~(?:\/|$)/.test(text)) return resolve(home, text.slice(2));
  if (!text.startsWith("file:///")) return resolve(cwd, text);
  try {
    return fileURLToPath(text);
  } catch {
    // Odd as it is, it is the name of a file.
    return resolve(cwd, text);
  }
}

/**
 * The files that a text names: all of it if there is such a file, otherwise each of its words.
 * @param exists whether there is something at an absolute path
 * @returns absolute paths; the whole text where neither is there
 */
export function typedPaths(
  typed: string,
  place: Place,
  exists: (path: string) => boolean,
): readonly string[] {
  const whole = absolute(typed.trim(), place);
  if (exists(whole)) return [whole];
  const words = shellWords(typed).map(({ text, isBare }) => absolute(text, place, isBare));
  return words.length === 1 || words.some(exists) ? words : [whole];
}

/** The absolute path of the folder that a text names, which need not be there. */
export function typedFolder(typed: string, place: Place): string {
  const [word, ...more] = shellWords(typed);
  return word === undefined || more.length > 0
    ? absolute(typed.trim(), place)
    : absolute(word.text, place, word.isBare);
}

/** What Tab completes in a path: the names in a folder that begin so. */
export type BegunPath = {
  /** Absolute. */
  readonly folder: string;
  readonly begun: string;
  /** The end of the text, which a name replaces. */
  readonly part: string;
  /** How a name is typed there. @param isFolder more may follow */
  readonly typed: (name: string, isFolder: boolean) => string;
};

/** The last word of a text as a path that was begun; undefined: nothing can be added to it. */
export function begunWord(typed: string, place: Place): BegunPath | undefined {
  const none: Word = { text: "", isBare: true, open: "", part: typed.length, openBefore: "" };
  const isNew = typed === "" || shellWords(typed).length !== shellWords(`${typed}x`).length;
  const { text, isBare, open, openBefore, part } = isNew ? none : (shellWords(typed).at(-1) ?? none);
  const isOpened = open !== "" && typed[part] === open;
  // A quotation mark that was closed, or opened in the middle of a name.
  if (open !== openBefore && !isOpened) return undefined;
  const cut = text.lastIndexOf("/") + 1;
  return {
    folder: absolute(text.slice(0, cut), place, isBare),
    begun: text.slice(cut),
    part: typed.slice(part),
    typed: (name, isFolder) => `${isOpened ? open : ""}${asTyped(name, open)}${isFolder ? "/" : open}`,
  };
}

/** A text as one path that was begun, with its spaces. */
export function begunWhole(typed: string, place: Place): BegunPath {
  const cut = typed.lastIndexOf("/") + 1;
  return {
    folder: absolute(typed.slice(0, cut), place),
    begun: typed.slice(cut),
    part: typed.slice(cut),
    typed: (name, isFolder) => (isFolder ? `${name}/` : name),
  };
}

function asTyped(name: string, open: Quote): string {
  if (open === "'") return name.replaceAll("'", "'\\''");
  return name.replace(open === '"' ? /["\\]/g : /[\s"'\\]|^~/g, "\\$&");
}
