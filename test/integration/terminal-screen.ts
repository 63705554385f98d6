/**
 * What a person sees: an emulator of the part of xterm that node:readline, @inquirer/prompts and our own code
 * use. What it does not know is collected in `unknown`.
 */

/** Rows of the scrollback; older ones are dropped. */
const MAX_SCROLLBACK = 20_000;
/** UTF-16 units of one sequence; a clipboard write of a whole message fits. */
const MAX_SEQUENCE = 65_536;
/** Entries of `unknown`, and UTF-16 units kept of each. */
const MAX_UNKNOWN = 1_000;
const MAX_UNKNOWN_LENGTH = 200;
const TAB_STOP = 8;
/** No code point below this extends the character on its left. */
const FIRST_COMBINING = 0x300;

const BLANK = " ";
/** The second cell of a wide character. */
const CONTINUED = "";

const PRINTABLE = /[^\x00-\x1f\x7f-\x9f]+/y;
const SEQUENCE =
  /\x1b(?:\[([<-?]*)([0-9:;]*)([ -/]*)([@-~])|([\]P^_X])([^\x07\x18\x1a\x1b]*)(?:\x07|\x1b\\)|([ -/]+[0-~]|[0-OQ-WYZ\\`-~]))/y;
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|[\]P^_X][^\x07\x18\x1a\x1b]*\x1b?|[ -/]*)$/y;
const MALFORMED = /\x1b(?:\[[0-?]*[ -/]*|[\]P^_X][^\x07\x18\x1a\x1b]*)?/y;
const HALF_CHARACTER = /[\ud800-\udbff]$/;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function countGraphemes(text: string): number {
  return [...graphemes.segment(text)].length;
}

function matchAt(pattern: RegExp, text: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index;
  return pattern.exec(text);
}

type Line = string[];
type Place = { readonly row: number; readonly col: number };

function shown(line: Line): string {
  return line.join("").replace(/ +$/, "");
}

/**
 * A screen of `cols` × `rows` cells (at least 2 × 1). Feed it what a program writes, in pieces of any size.
 *
 * Resizing does not reflow. A narrower screen cuts its rows for good. A lower screen loses the rows below the
 * cursor first, then moves top rows into the scrollback; a higher one takes them back.
 * Rows and columns count from 0.
 */
export class TerminalScreen {
  cursorVisible = true;
  bracketedPaste = false;
  focusReports = false;
  bells = 0;
  title: string | undefined;
  readonly #titles: (string | undefined)[] = [];
  /** The texts that were put into the clipboard (OSC 52), oldest first. */
  readonly clipboard: string[] = [];
  /** What was notified on the desktop (OSC 9, and OSC 777 with a tab behind its title), oldest first. */
  readonly notifications: string[] = [];
  /** Each link (OSC 8) with what was shown of it, oldest first; the last one may be open. */
  readonly links: { readonly target: string; shown: string }[] = [];
  /** Sequences that move the cursor or erase; not counted: colours, modes, and the terminal's own echo of Backspace. */
  cursorMoves = 0;
  /** Sequences and control characters that are not emulated, as they came. */
  readonly unknown: string[] = [];

  #cols: number;
  #lines: Line[];
  readonly #above: Line[] = [];
  #row = 0;
  #col = 0;
  /** The last column is written, and the next character begins the next row. */
  #wraps = false;
  #saved: Place & { readonly wraps: boolean } = { row: 0, col: 0, wraps: false };
  #pending = "";
  #isInLink = false;
  #isDim = false;
  /** The columns of each line that are dim. */
  readonly #dim = new WeakMap<Line, Set<number>>();

  constructor(cols: number, rows: number) {
    this.#cols = cols;
    this.#lines = Array.from({ length: rows }, () => this.#blankLine());
  }

  /** The visible rows from the top, without blanks at their ends. */
  get rows(): string[] {
    return this.#lines.map(shown);
  }

  /** The rows that have scrolled off at the top, oldest first. */
  get scrollback(): string[] {
    return this.#above.map(shown);
  }

  /** Scrollback and visible rows as lines, without the blank ones at the end. */
  get transcript(): string {
    return [...this.scrollback, ...this.rows].join("\n").replace(/\n+$/, "");
  }

  get cursor(): Place {
    return { row: this.#row, col: this.#col };
  }

  /** Whether what stands in this cell is dim. */
  isDim(row: number, col: number): boolean {
    const line = this.#lines[row];
    return line !== undefined && this.#dim.get(line)?.has(col) === true;
  }

  feed(text: string): void {
    const all = this.#pending + text;
    const rest = all.replace(HALF_CHARACTER, "");
    this.#pending = all.slice(rest.length);
    for (let index = 0; index < rest.length;) {
      const printable = matchAt(PRINTABLE, rest, index);
      if (printable !== null) {
        for (const point of printable[0]) this.#print(point);
        index += printable[0].length;
      } else if (rest[index] !== "\x1b") {
        this.#control(rest[index] as string);
        index++;
      } else {
        const whole = matchAt(SEQUENCE, rest, index);
        if (whole === null && matchAt(UNFINISHED, rest, index) !== null) {
          const unfinished = rest.slice(index) + this.#pending;
          this.#pending = unfinished.length > MAX_SEQUENCE ? "" : unfinished;
          if (this.#pending === "") this.#addUnknown(unfinished);
          return;
        }
        const taken = whole?.[0] ?? matchAt(MALFORMED, rest, index)?.[0] ?? "\x1b";
        if (whole === null || !this.#emulates(whole)) this.#addUnknown(taken);
        index += taken.length;
      }
    }
  }

  resize(cols: number, rows: number): void {
    this.#cols = cols;
    while (this.#lines.length > rows) {
      if (this.#row < this.#lines.length - 1) this.#lines.pop();
      else this.#scroll();
    }
    while (this.#lines.length < rows) {
      const back = this.#above.pop();
      if (back === undefined) this.#lines.push(this.#blankLine());
      else {
        this.#lines.unshift(back);
        this.#row++;
      }
    }
    for (const line of this.#lines) {
      if (line[cols] === CONTINUED) line[cols - 1] = BLANK;
      line.length = Math.min(line.length, cols);
      while (line.length < cols) line.push(BLANK);
    }
    this.#moveTo(this.#row, this.#col);
  }

  #blankLine(): Line {
    return new Array<string>(this.#cols).fill(BLANK);
  }

  #addUnknown(what: string): void {
    if (this.unknown.length < MAX_UNKNOWN) this.unknown.push(what.slice(0, MAX_UNKNOWN_LENGTH));
  }

  #print(point: string): void {
    const link = this.links.at(-1);
    if (this.#isInLink && link !== undefined) link.shown += point;
    if ((point.codePointAt(0) as number) >= FIRST_COMBINING && this.#joins(point)) return;
    const width = Bun.stringWidth(point);
    if (width > 0) this.#put(point, width);
  }

  /** Adds the code point to the character before the cursor. False where it does not extend that character. */
  #joins(point: string): boolean {
    const line = this.#lines[this.#row] as Line;
    let col = this.#wraps ? this.#col : this.#col - 1;
    if (line[col] === CONTINUED) col--;
    const before = line[col];
    if (before === undefined) return false;
    const joined = before + point;
    if (Bun.stringWidth(point) > 0 && countGraphemes(joined) > countGraphemes(before)) return false;
    const width = Math.min(2, Math.max(1, Bun.stringWidth(joined)));
    if (width === (line[col + 1] === CONTINUED ? 2 : 1)) line[col] = joined;
    else {
      this.#erase(this.#row, col, col + 1);
      this.#moveTo(this.#row, col);
      this.#put(joined, width);
    }
    return true;
  }

  #put(grapheme: string, width: number): void {
    if (this.#wraps || this.#col + width > this.#cols) {
      this.#lineFeed();
      this.#moveTo(this.#row, 0);
    }
    const line = this.#lines[this.#row] as Line;
    this.#erase(this.#row, this.#col, this.#col + width);
    line[this.#col] = grapheme;
    if (this.#isDim) this.#dim.set(line, (this.#dim.get(line) ?? new Set()).add(this.#col));
    if (width > 1) line[this.#col + 1] = CONTINUED;
    const next = this.#col + width;
    this.#moveTo(this.#row, next);
    this.#wraps = next >= this.#cols;
  }

  /** Blanks the cells from `from` to `to`, exclusive; a wide character that is cut is blanked whole. */
  #erase(row: number, from: number, to: number): void {
    const line = this.#lines[row] as Line;
    if (line[from] === CONTINUED) line[from - 1] = BLANK;
    if (line[to] === CONTINUED) line[to] = BLANK;
    line.fill(BLANK, from, to);
    const dim = this.#dim.get(line);
    for (const col of dim ?? []) if (col >= from && col < to) dim?.delete(col);
  }

  /** Moves the cursor, at most to the edges of the screen. */
  #moveTo(row: number, col: number): void {
    this.#row = Math.max(0, Math.min(row, this.#lines.length - 1));
    this.#col = Math.max(0, Math.min(col, this.#cols - 1));
    this.#wraps = false;
  }

  #scroll(): void {
    this.#above.push(...this.#lines.splice(0, 1));
    if (this.#above.length > MAX_SCROLLBACK) this.#above.shift();
    this.#row = Math.max(0, this.#row - 1);
  }

  #lineFeed(): void {
    if (this.#row === this.#lines.length - 1) {
      this.#scroll();
      this.#lines.push(this.#blankLine());
    }
    this.#moveTo(this.#row + 1, this.#col);
  }

  #control(control: string): void {
    if (control === "\r") this.#moveTo(this.#row, 0);
    else if (control === "\n") this.#lineFeed();
    else if (control === "\x07") this.bells++;
    else if (control === "\t") this.#moveTo(this.#row, (Math.floor(this.#col / TAB_STOP) + 1) * TAB_STOP);
    else if (control === "\b") this.#moveTo(this.#row, this.#col - 1);
    else this.#addUnknown(control);
  }

  #emulates(sequence: RegExpExecArray): boolean {
    const [, marker, parameters = "", between, final, kind, content = "", short] = sequence;
    if (kind !== undefined) return kind === "]" && this.#operatingSystemCommand(content);
    if (short !== undefined) return (short === "7" || short === "8") && this.#cursorCommand(short, []);
    if (between !== "" || final === undefined) return false;
    const numbers = parameters.split(";").map(Number);
    if (marker === "?" && /[hl]/.test(final))
      return numbers.every((mode) => this.#setMode(mode, final === "h"));
    if (marker === "" && final === "t") return this.#titleCommand(numbers);
    if (marker === "" && final === "m") return this.#colour(numbers);
    return marker === "" && this.#cursorCommand(final, numbers);
  }

  #colour(codes: readonly number[]): boolean {
    for (const code of codes) this.#isDim = code === 2 || (this.#isDim && code !== 22 && code !== 0);
    return true;
  }

  #setMode(mode: number, isOn: boolean): boolean {
    if (mode === 25) this.cursorVisible = isOn;
    else if (mode === 2004) this.bracketedPaste = isOn;
    else if (mode === 1004) this.focusReports = isOn;
    else return false;
    return true;
  }

  /** 22;2 keeps the title, 23;2 takes the kept one back. */
  #titleCommand([command, what]: readonly number[]): boolean {
    if (what !== 2 || (command !== 22 && command !== 23)) return false;
    if (command === 22) this.#titles.push(this.title);
    else this.title = this.#titles.pop();
    return true;
  }

  #operatingSystemCommand(content: string): boolean {
    const [number, value] = [content.split(";", 1)[0], content.replace(/^[^;]*;?/, "")];
    if (number === "0" || number === "2") this.title = value;
    else if (number === "9") this.notifications.push(value);
    else if (number === "777") return this.#notify(value);
    else if (number === "52") return this.#copy(value);
    else if (number === "8") {
      const target = value.replace(/^[^;]*;/, "");
      this.#isInLink = target !== "";
      if (this.#isInLink) this.links.push({ target, shown: "" });
    } else return false;
    return true;
  }

  /** @param value the name of an extension of urxvt, and its fields */
  #notify(value: string): boolean {
    const [extension, ...fields] = value.split(";");
    if (extension !== "notify" || fields.length !== 2) return false;
    this.notifications.push(fields.join("\t"));
    return true;
  }

  /** @param value the clipboard's name and base64, `c;YQ==`; a program that asks for the clipboard gets no answer. */
  #copy(value: string): boolean {
    const base64 = /^c;((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(value)?.[1];
    if (base64 === undefined) return false;
    this.clipboard.push(Buffer.from(base64, "base64").toString());
    return true;
  }

  #cursorCommand(final: string, [first = 0, second = 0]: readonly number[]): boolean {
    const [row, col, count] = [this.#row, this.#col, first || 1];
    if (final === "A") this.#moveTo(row - count, col);
    else if (final === "B") this.#moveTo(row + count, col);
    else if (final === "C") this.#moveTo(row, col + count);
    else if (final === "D") this.#moveTo(row, col - count);
    else if (final === "E") this.#moveTo(row + count, 0);
    else if (final === "F") this.#moveTo(row - count, 0);
    else if (final === "G") this.#moveTo(row, count - 1);
    else if (final === "H" || final === "f") this.#moveTo(count - 1, (second || 1) - 1);
    else if (final === "J" && first <= 3) this.#eraseOnScreen(first);
    else if (final === "K" && first <= 2) this.#eraseOnRow(first);
    else if (final === "s" || final === "7") this.#saved = { row, col, wraps: this.#wraps };
    else if (final === "u" || final === "8") {
      this.#moveTo(this.#saved.row, this.#saved.col);
      this.#wraps = this.#saved.wraps && this.#col === this.#cols - 1;
    } else return false;
    this.cursorMoves++;
    return true;
  }

  /** @param which 0: from the cursor on; 1: up to the cursor, inclusive; 2: all. */
  #eraseOnRow(which: number): void {
    this.#erase(this.#row, which === 0 ? this.#col : 0, which === 1 ? this.#col + 1 : this.#cols);
    this.#wraps = false;
  }

  /** @param which as for a row; 3: the scrollback. */
  #eraseOnScreen(which: number): void {
    if (which === 3) this.#above.length = 0;
    else this.#eraseOnRow(which);
    for (const row of this.#lines.keys()) {
      const erased = which === 2 || (which === 0 && row > this.#row) || (which === 1 && row < this.#row);
      if (erased) this.#erase(row, 0, this.#cols);
    }
  }
}
