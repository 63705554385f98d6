/** A program at a terminal of its own, the keys typed there, and what a person sees on it. */
import type { HostProcess } from "../../src/ui/commands/output.ts";
import { runClient } from "../../src/ui/main.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";
import { CLIENT_PROGRAM, expectNoTrace, FRIENDS } from "./cli-process.ts";
import { FOCUS } from "./keys.ts";
import {
  HereAtTerminal,
  type Environment,
  ProcessAtTerminal,
  type Size,
  type TerminalProgram,
} from "./terminal-program.ts";
import { TerminalScreen } from "./terminal-screen.ts";

/** Longest wait, in ms. The timeout of a test must be longer, or the screen is not shown when it fails. */
const LONGEST_WAIT = 20_000;
/** UTF-16 units of output; a program that writes more is killed. */
const MAX_OUTPUT = 64 * 1_048_576;

/** @param args without the program's own name @returns the exit code */
type Main = (args: readonly string[], host: HostProcess) => Promise<number>;

export type TerminalOptions = Partial<Size> & {
  readonly environment?: Environment;
  /** The terminal reports its focus to a program that asks, at once and then by `focus`; default: true. */
  readonly reportsFocus?: boolean;
  /**
   * What runs: a program in this process, by default the client; `apart`: the client as a process of its own, at a
   * pseudo-terminal; or another program file, or a command line, as such a process.
   */
  readonly program?: Main | "apart" | { readonly file: string } | { readonly line: readonly string[] };
  /** Where a process runs; undefined: here. */
  readonly folder?: string;
};

/**
 * The client, or another program, at a terminal. Keys typed before the program has set raw mode may be echoed and
 * translated by the terminal, so wait for the prompt first.
 */
export class AtTerminal {
  readonly screen: TerminalScreen;
  readonly exited: Promise<number>;
  readonly #program: TerminalProgram;
  readonly #reportsFocus: boolean;
  #hasFocus = true;
  #raw = "";
  #isDrained = false;
  #hasEnded = false;
  #wake = Promise.withResolvers<void>();

  constructor(
    args: readonly string[],
    {
      environment = {},
      cols = 80,
      rows = 24,
      reportsFocus = true,
      program = runClient,
      folder,
    }: TerminalOptions = {},
  ) {
    this.#reportsFocus = reportsFocus;
    this.screen = new TerminalScreen(cols, rows);
    const take = (text: string) => this.#take(text);
    const size = { cols, rows };
    if (typeof program === "function")
      this.#program = new HereAtTerminal(
        (host) => program(args, host),
        { ...FRIENDS, ...environment },
        size,
        take,
      );
    else {
      const { file, line = [process.execPath, "run", file, ...args] } =
        program === "apart" ? { file: CLIENT_PROGRAM } : { file: "", ...program };
      this.#program = new ProcessAtTerminal(line, { ...FRIENDS, ...environment }, size, folder, take);
    }
    this.exited = this.#program.exited;
    void this.exited.then(() => {
      this.#hasEnded = true;
    });
  }

  /** Everything that was written, as it came. */
  get raw(): string {
    return this.#raw;
  }

  /** Everything that was shown, without the sequences that move and colour. */
  get text(): string {
    return Bun.stripANSI(this.#raw);
  }

  /** Resolves when `text` contains the part. @throws as `until`. */
  shows(part: string): Promise<void> {
    return this.until(() => this.text.includes(part), `«${part}»`);
  }

  /** Resolves with the first visible row that fits. @throws as `until`. */
  async showsRow(pattern: RegExp): Promise<string> {
    const find = () => this.screen.rows.find((row) => row.search(pattern) >= 0);
    await this.until(() => find() !== undefined, `a row like ${pattern}`);
    return find() as string;
  }

  /**
   * Resolves when the predicate holds; it is tested now and whenever something was written.
   * @throws with the whole screen when the program ends first, or after LONGEST_WAIT.
   */
  async until(predicate: (screen: TerminalScreen) => boolean, what: string): Promise<void> {
    const late = Promise.withResolvers<void>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late.resolve();
    }, LONGEST_WAIT);
    try {
      for (;;) {
        // Taken before the predicate is tested: what is written from here on ends the wait below.
        const wake = this.#wake.promise;
        const over = this.#hasEnded;
        if (over) await Promise.race([this.#drain(), late.promise]);
        if (predicate(this.screen)) return;
        if (over) throw this.#failure(`${what} never came, and the program ended`);
        if (isLate) throw this.#failure(`${what} did not come within ${LONGEST_WAIT} ms`);
        await Promise.race([wake, this.exited, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when something was written, when the program has ended, or after `wait` ms. */
  async somethingOr(wait: number): Promise<void> {
    const nothing = Promise.withResolvers<void>();
    const timer = setTimeout(nothing.resolve, wait);
    await Promise.race([this.#wake.promise, this.exited, nothing.promise]);
    clearTimeout(timer);
  }

  /** @param keys as a terminal sends them: characters, and those of `KEY` */
  type(keys: string): void {
    this.#program.type(keys);
  }

  /** Pastes as terminals do: line ends become CR, and the paste is bracketed if the program has asked for that. */
  paste(text: string): void {
    const typed = text.replace(/\r?\n/g, "\r");
    this.type(this.screen.bracketedPaste ? `\u001b[200~${typed}\u001b[201~` : typed);
  }

  /** The keys go to this terminal, or to another window. */
  focus(hasFocus: boolean): void {
    this.#hasFocus = hasFocus;
    if (this.#reportsFocus && this.screen.focusReports) this.type(hasFocus ? FOCUS.in : FOCUS.out);
  }

  /** Gives the terminal another size and tells the program. */
  resize(cols: number, rows: number): void {
    this.screen.resize(cols, rows);
    this.#program.resize({ cols, rows });
  }

  signal(name: NodeJS.Signals): void {
    this.#program.signal(name);
  }

  /** Resolves with the exit code when all output has come. @throws after LONGEST_WAIT, or on a stack trace. */
  async ended(): Promise<number> {
    await this.until(() => this.#isDrained, "the program's end");
    expectNoTrace(this.text);
    return this.exited;
  }

  /** Types Ctrl-Z. Resolves to true when the program is stopped, to false if the system has not stopped it. */
  async suspends(): Promise<boolean> {
    if (!(this.#program instanceof ProcessAtTerminal))
      throw new Error("only a process of its own is stopped");
    const { pid } = this.#program;
    const before = this.#raw.length;
    this.type("\u001a");
    for (;;) {
      const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)]);
      if (stdout.toString().startsWith("T")) return true;
      const given = this.#raw.indexOf("\u001b[?2004l", before);
      if (given >= 0 && this.#raw.indexOf("\u001b[?2004h", given) >= 0) return false;
      await new Promise((turn) => setImmediate(turn));
    }
  }

  get isInLineMode(): boolean {
    return this.#program.isInLineMode;
  }

  get cursorIsShown(): boolean {
    return this.screen.cursorVisible;
  }

  /** Whether the terminal is as a shell wants it back: its modes, a visible cursor, no bracketed paste, no reports. */
  get isRestored(): boolean {
    const { cursorVisible, bracketedPaste, focusReports } = this.screen;
    const isAsBefore = this.isInLineMode && this.#program.isAsBefore;
    return isAsBefore && cursorVisible && !bracketedPaste && !focusReports;
  }

  /** Ends the program if it still runs, and the terminal. */
  close(): Promise<void> {
    return this.#program.close();
  }

  #take(text: string): void {
    this.#show(text);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  #show(text: string): void {
    this.#raw += text;
    const { focusReports } = this.screen;
    this.screen.feed(text);
    if (this.screen.focusReports && !focusReports) this.focus(this.#hasFocus);
    if (this.#raw.length > MAX_OUTPUT) void this.close();
  }

  async #drain(): Promise<void> {
    await this.#program.drained();
    this.#isDrained = true;
  }

  #failure(sentence: string): Error {
    const { row, col } = this.screen.cursor;
    const rows = this.screen.rows.map((each) => `  |${each}`).join("\n");
    return new Error(`${sentence}. The screen, with the cursor at row ${row}, column ${col}:\n${rows}`);
  }
}

const WAITING_TEXTS = (["es", "en"] as const)
  .map(textsIn)
  .flatMap(({ menuContacting, menuLoggingIn, menuRegistering, menuListing, menuLoggingOut }) => [
    menuContacting,
    menuLoggingIn,
    menuRegistering,
    menuListing,
    menuLoggingOut,
  ]);

/** False for a row that says that something takes long, which a dumb terminal keeps, and which depends on the machine. */
export function isOnEveryMachine(row: string): boolean {
  return !WAITING_TEXTS.some((text) => row.startsWith(text));
}

/** Day and month names, and those of 1 January 2026. */
const CALENDARS = [
  {
    weekdays: "lunes|martes|miércoles|jueves|viernes|sábado|domingo",
    months: "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre",
    fixed: { weekday: "jueves", month: "enero" },
  },
  {
    weekdays: "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day",
    months: "January|February|March|April|May|June|July|August|September|October|November|December",
    fixed: { weekday: "Thursday", month: "January" },
  },
].map(({ weekdays, months, fixed }) => ({
  weekday: new RegExp(weekdays, "i"),
  month: new RegExp(months, "i"),
  date: new RegExp(
    String.raw`(?:(?:${weekdays}),? )?(?:\b\d{1,2} (?:de )?(?:${months})|(?:${months}) \d{1,2}\b)(?:(?: de|,)? \d{4}\b)?`,
    "gi",
  ),
  fixed,
}));
/** A line beside a date; its length depends on the date's. */
const DRAWN_LINE = /([─—–-])\1{2,}/g;
const ISO_DATE = /\b\d{4}-\d\d-\d\d\b/g;
const TIME = /(?<![\d.:])\d{1,2}:\d\d(?::\d\d)?(?![\d:]|\.\d)/g;
const PORT = /(\b\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]|\blocalhost):\d{1,5}\b/gi;
/** Four or more groups of a fingerprint or a safety number; a row may end inside a group. */
const FINGERPRINT = /\b(?:[0-9a-f]\n?){3}[0-9a-f](?:\s+(?:[0-9a-f]\n?){3}[0-9a-f]){3,}\b/g;
const SAFETY_NUMBER = /\b(?:\d\n?){4}\d(?:\s+(?:\d\n?){4}\d){3,}\b/g;

/**
 * Rows with everything masked that differs between two runs: times become 00:00, dates 1 January 2026, ports
 * behind an address 50000, and each digit of a fingerprint or of a safety number 0. The number of rows stays.
 */
export function masked(rows: readonly string[]): string[] {
  const zeros = (digits: string) => digits.replace(/[0-9a-f]/g, "0");
  return rows
    .join("\n")
    .replace(FINGERPRINT, zeros)
    .replace(SAFETY_NUMBER, zeros)
    .replace(PORT, "$1:50000")
    .replace(ISO_DATE, "2026-01-01")
    .replace(TIME, "00:00")
    .split("\n")
    .map(withFixedDates);
}

function withFixedDates(row: string): string {
  let fixedRow = row;
  for (const { weekday, month, date, fixed } of CALENDARS)
    fixedRow = fixedRow.replace(date, (found) =>
      found
        .replace(/\d{4}/, "2026")
        .replace(/\b\d{1,2}\b/, "1")
        .replace(month, fixed.month)
        .replace(weekday, (day) => (/^\p{Lu}/u.test(day) ? fixed.weekday.replace("j", "J") : fixed.weekday)),
    );
  return fixedRow === row ? row : fixedRow.replace(DRAWN_LINE, "$1$1$1");
}
