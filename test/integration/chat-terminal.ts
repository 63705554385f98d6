/** People in chats with each other, some at terminals of their own; and what must hold of all that was printed there. */
import { expect } from "bun:test";

import { AtTerminal, isOnEveryMachine, masked, type TerminalOptions } from "./at-terminal.ts";
import { World, type Person as Seat } from "./cli-process.ts";
import { KEY } from "./keys.ts";
import { Company, type Person } from "./messenger-pair.ts";
import { PASSWORD } from "./rendezvous-test-client.ts";
import type { Size } from "./terminal-program.ts";
import { TerminalScreen } from "./terminal-screen.ts";

export const USUAL: Size = { cols: 80, rows: 24 };
export const SMALL: Size = { cols: 40, rows: 12 };

export type ClientOptions = TerminalOptions & { readonly lang?: "es" | "en" };

/** The row on which a chat's input line begins, with the name to whom one writes; a menu's row «> 1. …» is none. */
const INPUT_ROW =
  /^(?:(?:(?![·✓—!?])\S+|".*")(?: \([0-9a-f ]+\))? )?(?<line>(?:(?<mark>·|✓|✓✓|✓✓ leído|✓✓ read) )?(?:[⇡⇣] \d+ % )*(?:\(\d+\) )?>(?: (?!\d+\. )(?<text>.*)|$))/;
/** Behind what is typed: the other one is typing. */
const TYPING = / {2}((?:escribiendo|typing)…)$/;

/** A row of the input line without the name to whom one writes. */
export function withoutName(row: string): string {
  return INPUT_ROW.exec(row)?.groups?.["line"] ?? row;
}

/** A zone where it is about noon now: there no test runs past midnight. */
function noonZone(): string {
  const behind = new Date().getUTCHours() - 12;
  return `Etc/GMT${behind < 0 ? "" : "+"}${behind}`;
}

/** Any account's data folder on one machine: its flags. */
function flagsOf({ server, data, name }: Seat): string[] {
  return ["--server", server, "--user", name, "--data", data];
}

function startClient(seat: Seat, { lang = "es", environment, ...options }: ClientOptions): AtTerminal {
  return new AtTerminal(flagsOf(seat), {
    ...options,
    environment: { PALOMA_LANG: lang, TZ: noonZone(), ...environment },
  });
}

/** A server, people without a screen, and people at terminals; all are gone after `close`. */
export class Room {
  readonly company: Company;
  readonly #world = new World();
  readonly #seats = new Map<string, Seat>();
  readonly #terminals: AtTerminal[] = [];

  private constructor(company: Company) {
    this.company = company;
  }

  static async open(): Promise<Room> {
    return new Room(await Company.meet());
  }

  /** A folder of this room's own, gone with it. */
  get folder(): string {
    return this.#world.folder;
  }

  /** Someone online whose messages the test writes. @param folder of another machine of theirs */
  person(name: string, folder?: string): Promise<Person> {
    return this.company.person(name, folder === undefined ? {} : { folder });
  }

  /** Someone with a stored session, who is logged in without a question. */
  async seat(name: string): Promise<Seat> {
    const known = this.#seats.get(name);
    if (known !== undefined) return known;
    await this.company.addAccount(name);
    const seat = this.#world.person(name, this.company.port);
    this.#seats.set(name, seat);
    return this.logIn(seat);
  }

  /** Stores a session in a data folder. */
  async logIn(seat: Seat): Promise<Seat> {
    const { code, stderr } = await seat.run(["users"], { password: PASSWORD });
    if (code !== 0) throw new Error(stderr);
    return seat;
  }

  /** Whoever has a seat accepts another: their signs of typing, and what their program reports, are seen. */
  async accepts(name: string, other: string): Promise<void> {
    const { code, stderr } = await (await this.seat(name)).run(["contacts", "add", other]);
    if (code !== 0) throw new Error(stderr);
  }

  /** The client, when its second menu is there. */
  async at(seat: Seat, options: ClientOptions = {}): Promise<AtTerminal> {
    const terminal = this.#start(seat, options);
    await leaveList(terminal, options.lang);
    return terminal;
  }

  /** The client in a chat, its line ready for keys; the link may come later. */
  async chat(name: string, other: string, options: ClientOptions = {}): Promise<AtTerminal> {
    const terminal = this.#start(await this.seat(name), options);
    await openFromList(terminal, other, options.lang);
    return terminal;
  }

  #start(seat: Seat, options: ClientOptions): AtTerminal {
    const terminal = startClient(seat, options);
    this.#terminals.push(terminal);
    return terminal;
  }

  /** Ana and beto at terminals, each in the chat with the other. @param size of beto's terminal */
  async both(size: Size = USUAL): Promise<readonly [AtTerminal, AtTerminal]> {
    const beto = await this.at(await this.seat("beto"), size);
    const ana = await connected(await this.chat("ana", "beto"));
    await openFromMenu(beto, "ana");
    return [ana, await connected(beto)];
  }

  async close(): Promise<void> {
    await Promise.all(this.#terminals.map((terminal) => terminal.close()));
    await this.#world.close();
    await this.company.close();
  }
}

/** From the list of people, which is the first screen of whoever has a session, to the second menu. */
export async function leaveList(terminal: AtTerminal, lang: "es" | "en" = "es"): Promise<void> {
  await terminal.shows(lang === "es" ? "← Volver" : "← Back");
  terminal.type(KEY.escape);
  await terminal.shows(lang === "es" ? "2. Cerrar sesión" : "2. Log out");
}

/** From the second menu to a chat, by the numbers. */
export async function openFromMenu(
  terminal: AtTerminal,
  other: string,
  lang: "es" | "en" = "es",
): Promise<void> {
  terminal.type(`1${KEY.enter}`);
  await openFromList(terminal, other, lang);
}

/** From the list of people to a chat, by its number. */
export async function openFromList(
  terminal: AtTerminal,
  other: string,
  lang: "es" | "en" = "es",
): Promise<void> {
  const row = await terminal.showsRow(new RegExp(String.raw`^(?:[> ] )?\d+\. ${RegExp.escape(other)}( |$)`));
  const opened = lang === "es" ? `Chat con ${other}` : `Chat with ${other}`;
  const before = times(terminal, opened);
  terminal.type(`${/\d+/.exec(row)?.[0]}${KEY.enter}`);
  await terminal.until(() => times(terminal, opened) > before, opened);
  await inputIs(terminal, () => true, "an input line");
}

/** In the chat, when the link is there: the name before the line is not dim. */
export async function connected(terminal: AtTerminal): Promise<AtTerminal> {
  await presenceIs(terminal, true);
  return terminal;
}

/** Resolves when the other person is there, or is not. */
export function presenceIs(terminal: AtTerminal, isThere: boolean): Promise<void> {
  return terminal.until(
    (screen) => {
      const row = screen.rows.findLastIndex((each) => INPUT_ROW.test(each));
      return row >= 0 && screen.isDim(row, 0) !== isThere;
    },
    isThere ? "a link" : "no link",
  );
}

export type Input = {
  /** State and typing, without the name and the «> ». */
  readonly prompt: string;
  /** The rows of the line, without the prompt. */
  readonly rows: readonly string[];
  /** Relative to its first row. */
  readonly cursor: { readonly row: number; readonly col: number };
};

/** The chat's input line as it stands on the screen; undefined while there is none. */
export function inputOf(screen: TerminalScreen): Input | undefined {
  const first = screen.rows.findLastIndex((row) => INPUT_ROW.test(row));
  const row = screen.rows[first];
  if (row === undefined) return undefined;
  const { mark = "", text = "" } = INPUT_ROW.exec(row)?.groups ?? {};
  const rows = [text, ...screen.rows.slice(first + 1, screen.rows.findLastIndex((each) => each !== "") + 1)];
  const sign = TYPING.exec(rows.at(-1) ?? "")?.[1] ?? "";
  return {
    prompt: `${mark} ${sign}`.trim(),
    rows: rows.with(-1, (rows.at(-1) ?? "").replace(TYPING, "")),
    cursor: { row: screen.cursor.row - first, col: screen.cursor.col },
  };
}

/** Resolves when the input line is as wanted. */
export function inputIs(terminal: AtTerminal, fits: (input: Input) => boolean, what: string): Promise<void> {
  return terminal.until((screen) => {
    const input = inputOf(screen);
    return input !== undefined && fits(input);
  }, what);
}

/** Resolves when the line stands empty behind this prompt. */
export function promptIs(terminal: AtTerminal, prompt: string): Promise<void> {
  return inputIs(
    terminal,
    (input) => input.prompt === prompt && input.rows.join("") === "",
    `an empty line behind «${prompt}»`,
  );
}

/** Sends a text, and waits until the prompt shows this state. */
export function writes(terminal: AtTerminal, text: string, state: string): Promise<void> {
  terminal.type(`${text}${KEY.enter}`);
  return promptIs(terminal, state);
}

/** Without what a row's end may have put into it. */
function squeezed(text: string): string {
  return text.replace(/\s+/g, "");
}

/** Resolves when a sentence has been printed, in however many rows. */
export function says(terminal: AtTerminal, sentence: string): Promise<void> {
  const wanted = squeezed(sentence);
  return terminal.until(() => squeezed(terminal.screen.transcript).includes(wanted), `«${sentence}»`);
}

/** Resolves when what was typed stands in the line, in however many rows. */
export function lineIs(terminal: AtTerminal, text: string): Promise<void> {
  const wanted = squeezed(text);
  return inputIs(terminal, ({ rows }) => squeezed(rows.join("")) === wanted, `the line «${text}»`);
}

/** Every row above the input line, from the first on. */
export function printedRows({ screen }: AtTerminal): string[] {
  const input = screen.rows.findLastIndex((row) => INPUT_ROW.test(row));
  return [...screen.scrollback, ...(input < 0 ? screen.rows : screen.rows.slice(0, input))];
}

/** How often a sentence stands among all that was printed. */
export function times({ screen }: AtTerminal, sentence: string): number {
  return squeezed(screen.transcript).split(squeezed(sentence)).length - 1;
}

/** Leaves the chat and the program by Ctrl-C alone. */
export async function quit(terminal: AtTerminal): Promise<void> {
  terminal.type(KEY.ctrlC);
  await terminal.until(
    ({ rows }) => rows.some((row) => /^(?:[> ] )?\d+\. (?:← Volver|← Back)/.test(row)),
    "the list of people",
  );
  terminal.type(KEY.ctrlC);
  expect(await terminal.ended()).toBe(130);
  expect(terminal.isRestored).toBe(true);
  expect(terminal.screen.title).toBeUndefined();
  expect(terminal.screen.unknown).toEqual([]);
}

/** The screen as a snapshot shows it, without what is only said on a slow machine. */
export function picture({ screen }: AtTerminal): string {
  const rows = [...screen.scrollback, ...screen.rows].filter(isOnEveryMachine);
  return masked(rows.slice(-screen.rows.length)).join("\n").replace(/\n+$/, "");
}

const UNIT = /\u001b(?:\][^\u0007]*\u0007|\[[0-?]*[ -/]*[@-~]|[^[])|[^\u0000-\u001f]+|[\u0000-\u001f]/g;

/**
 * Nothing that was printed is redrawn: whatever is written or erased stands on the input line or below it, and
 * that line never goes up again.
 * @param raw of a terminal that was not resized, from its beginning.
 */
export function expectNothingRedrawn({ raw }: { readonly raw: string }, { cols, rows }: Size): void {
  const screen = new TerminalScreen(cols, rows);
  /** Rows that have left at the top. */
  let above = 0;
  /** The first row that may change, counted from the first one of all. */
  let free = 0;
  let printed: readonly string[] = [];
  const fail = (what: string) => {
    throw new Error(
      `${what}, above row ${free - above} of\n${screen.rows.join("\n")}\nbefore:\n${printed.join("\n")}`,
    );
  };
  for (const unit of raw.match(UNIT) ?? []) {
    const { row, col } = screen.cursor;
    const isWritten = !unit.startsWith("\u001b") && unit !== "\r" && unit !== "\n";
    const isPastEnd = isWritten && row * cols + col + Bun.stringWidth(unit) > rows * cols;
    const mayScroll = isPastEnd || (unit === "\n" && row === rows - 1);
    if (isWritten && above + row < free) fail(`«${unit}» was written`);
    screen.feed(unit);
    const scrolled = mayScroll ? screen.scrollback.length - above : 0;
    above += scrolled;
    const now = screen.rows;
    const fixed = now.slice(0, Math.max(0, free - above));
    if (fixed.some((each, index) => each !== printed[index + scrolled])) fail("a row changed");
    printed = now;
    const input = now.findLastIndex((each) => INPUT_ROW.test(each));
    free = Math.max(free, above + input);
  }
}
