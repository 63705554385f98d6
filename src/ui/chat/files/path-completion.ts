/** Completes paths behind `/send` and `/get`. */
import { readdirSync, statSync, type Dirent } from "node:fs";
import { join } from "node:path";

import { folded } from "../../../protocol/normal-form.ts";
import { visibleText } from "../../../protocol/visible-text.ts";
import type { Offered } from "../../line/completion.ts";
import { begunWhole, begunWord, type BegunPath, type Place } from "./typed-path.ts";

export type Entry = { readonly name: string; readonly isFolder: boolean };

/** What is in a folder; nothing if it cannot be read. */
export function entriesOf(folder: string): readonly Entry[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isFolder: entry.isDirectory() || isLinkToFolder(entry),
    }));
  } catch {
    // Nothing is offered where nothing can be read.
    return [];
  }
}

function isLinkToFolder(entry: Dirent): boolean {
  const path = join(entry.parentPath, entry.name);
  return entry.isSymbolicLink() && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * The completions of the last path in a text: of its last word, or if there are none, of the text with its spaces.
 * @param wanted whether a file is offered, too, or only folders
 */
export function completePath(
  typed: string,
  wanted: "files" | "folders",
  place: Place,
  entries: (folder: string) => readonly Entry[],
): Offered {
  const word = begunWord(typed, place);
  const found = word === undefined ? undefined : offersOf(word, wanted, entries);
  if (found !== undefined && (found.offers.length > 0 || !/\s/.test(typed))) return found;
  return offersOf(begunWhole(typed, place), wanted, entries);
}

function offersOf(
  path: BegunPath,
  wanted: "files" | "folders",
  entries: (folder: string) => readonly Entry[],
): Offered {
  const { folder, begun, part } = path;
  const all = entries(folder).filter(
    ({ name, isFolder }) =>
      (isFolder || wanted === "files") &&
      // Hidden ones only for whoever types the dot; none that would put invisible characters into the line.
      (begun.startsWith(".") || !name.startsWith(".")) &&
      visibleText(name) === name,
  );
  const exact = all.filter(({ name }) => name.startsWith(begun));
  const start = folded(begun);
  const found = exact.length > 0 ? exact : all.filter(({ name }) => folded(name).startsWith(start));
  const sorted = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    offers: sorted.map(({ name, isFolder }) => path.typed(name, isFolder)),
    shown: sorted.map(({ name, isFolder }) => (isFolder ? `${name}/` : name)),
    part,
  };
}
