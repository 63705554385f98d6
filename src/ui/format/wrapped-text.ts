/**
 * Breaks text into rows. Remote text must never start at column 1, where our own lines start, so rows are broken here
 * before a terminal would wrap them at its right edge.
 */
import { addressesIn } from "./addresses.ts";
import { isPlain, mostColumns } from "./column-width.ts";
import { graphemesOf } from "./graphemes.ts";

const INDENT = "    ";
/** A narrower terminal is treated as this wide. */
const MIN_COLUMNS = INDENT.length + 2;
/**
 * A narrower terminal breaks addresses: a row of ours may break behind its time there, and the end of an address that
 * looks like a time would stand at column 1 as that does.
 */
const MIN_COLUMNS_FOR_ADDRESSES = 24;
/** Most UTF-16 units of texts that should be broken into rows in one turn of the event loop: they take up to 200 ms. */
export const MAX_UNITS_AT_ONCE = 256 * 1024;

/** Breaks one line into rows of at most `columns`, each broken after its last space if that is in its second half. */
class Rows {
  readonly #columns: number;
  readonly #done: string[] = [];
  #row: string;
  #width: number;
  #start: number;
  /** Where the row may be broken: after its last space. */
  #space = 0;
  #widthAtSpace = 0;
  /** The terminal breaks this row, so nothing may follow in it: where that would stand is for the sender to choose. */
  #isPassed = false;

  constructor(columns: number, begin: string) {
    this.#columns = columns;
    this.#row = begin;
    this.#width = this.#start = begin.length;
  }

  get whole(): readonly string[] {
    return [...this.#done, this.#row];
  }

  /** Adds a text that may be broken between graphemes. One that would fill a whole row, which no script has, is split. */
  addText(text: string): void {
    // Each plain character is a grapheme; to find the graphemes of 32 KiB takes tens of milliseconds.
    if (isPlain(text)) {
      for (const point of text) this.#add(point, mostColumns(point));
      return;
    }
    for (const { segment } of graphemesOf(text)) {
      const columns = mostColumns(segment);
      if (columns <= this.#columns - INDENT.length) this.#add(segment, columns);
      else for (const point of segment) this.#add(point, mostColumns(point));
    }
  }

  /** Adds an address, which is never broken here. One that fits into no row is left to the terminal. */
  addAddress(address: string): void {
    const columns = mostColumns(address);
    if (columns <= this.#columns - INDENT.length) return this.#add(address, columns);
    if (this.#isPassed || this.#width >= this.#columns) this.#break(false);
    this.#row += address;
    this.#isPassed = this.#width + columns > this.#columns;
    this.#width += columns;
  }

  #add(piece: string, columns: number): void {
    if (this.#isPassed) {
      this.#break(false);
      // The break stands for the space.
      if (piece === " ") return;
    } else if (this.#width + columns > this.#columns && this.#row.length > this.#start) {
      const fits = INDENT.length + this.#width - this.#widthAtSpace + columns <= this.#columns;
      this.#break(this.#widthAtSpace * 2 > this.#columns && piece !== " " && fits);
    }
    this.#row += piece;
    this.#width += columns;
    if (piece !== " ") return;
    this.#space = this.#row.length;
    this.#widthAtSpace = this.#width;
  }

  #break(isAtSpace: boolean): void {
    const rest = isAtSpace ? this.#row.slice(this.#space) : "";
    this.#done.push(isAtSpace ? this.#row.slice(0, this.#space) : this.#row);
    this.#width = INDENT.length + (isAtSpace ? this.#width - this.#widthAtSpace : 0);
    this.#row = INDENT + rest;
    this.#start = INDENT.length;
    this.#space = this.#widthAtSpace = 0;
    this.#isPassed = false;
  }
}

/** Whether `wrappedMessage` keeps addresses whole. @param columns as there */
export function hasWholeAddresses(columns: number | undefined): boolean {
  return columns === undefined || columns >= MIN_COLUMNS_FOR_ADDRESSES;
}

type Keeping = "addresses" | "nothing";

function rowsOf(line: string, columns: number, isIndented: boolean, keeping: Keeping): readonly string[] {
  const begin = isIndented ? INDENT : "";
  const room = columns - begin.length;
  // No code point has more units than columns.
  if (line.length <= room && mostColumns(line) <= room) return [begin + line];
  const rows = new Rows(columns, begin);
  let end = 0;
  if (keeping === "addresses" && hasWholeAddresses(columns))
    for (const { index, address } of addressesIn(line)) {
      rows.addText(line.slice(end, index));
      rows.addAddress(address);
      end = index + address.length;
    }
  rows.addText(line.slice(end));
  return rows.whole;
}

function broken(text: string, columns: number | undefined, keeping: Keeping): string {
  if (columns === undefined) return text.replaceAll("\n", `\n${INDENT}`);
  const width = Math.max(columns, MIN_COLUMNS);
  return text
    .split("\n")
    .flatMap((line, index) => rowsOf(line, width, index > 0, keeping))
    .join("\n");
}

/**
 * Breaks a text into rows; all rows after the first are indented by four.
 * @param text visible text; it may contain line feeds
 * @param columns width of the terminal, which no row exceeds on any terminal; undefined: lines are only indented
 */
export function wrapped(text: string, columns: number | undefined): string {
  return broken(text, columns, "nothing");
}

/** As `wrapped`, but no row ends between a number and its unit. For a sentence of ours. */
export function wrappedSentence(text: string, columns: number | undefined): string {
  const kept = text.replaceAll(/(?<=\d) (?=%|(?:ms|s|min|h|d|B|[KMGT]iB)\b)/g, "\u00a0");
  return wrapped(kept, columns).replaceAll("\u00a0", " ");
}

/**
 * As `wrapped`, but no address is broken or indented inside, so that it can be copied and opened. One that is longer
 * than a row passes the right edge, where the terminal breaks it; nothing follows it in its row.
 */
export function wrappedMessage(text: string, columns: number | undefined): string {
  return broken(text, columns, "addresses");
}
