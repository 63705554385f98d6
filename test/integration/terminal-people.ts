/** The client's menus at terminals: what is asked there, how it is answered, and what the screen shows. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import { textsIn, type Texts } from "../../src/ui/texts/texts.ts";
import { AtTerminal, isOnEveryMachine, masked, type TerminalOptions } from "./at-terminal.ts";
import { World, type Person } from "./cli-process.ts";
import { presenceIs, withoutName } from "./chat-terminal.ts";
import { KEY } from "./keys.ts";

export type Language = "es" | "en";

export type MenuOptions = TerminalOptions & {
  readonly language?: Language;
  /** Further flags. */
  readonly args?: readonly string[];
};

/** Words of many sentences of one language that the other language does not have. */
const WORDS_OF = {
  es: /\b(el|la|los|que|con|de|una?|se|su|cerrar|volver|usuario|mensaje|clave)\b|[¿¡ñ]/i,
  en: /\b(the|you|your|with|of|is|and|what|back|user|password|message|not|type|enter a)\b/i,
} as const;

function collapsed(rows: readonly string[]): string {
  return rows.join(" ").replace(/\s+/g, " ").trim();
}

/** The client without a command, at a terminal. */
export class MenuTerminal extends AtTerminal {
  readonly texts: Texts;
  readonly #language: Language;
  readonly #height: number;

  constructor(flags: readonly string[], { language = "es", args = [], ...options }: MenuOptions = {}) {
    const { rows = 24 } = options;
    super([...flags, "--lang", language, ...args], options);
    this.texts = textsIn(language);
    this.#language = language;
    this.#height = rows;
  }

  /** The open prompt in one line, with its choices or with what is typed; undefined while there is none. */
  get asked(): string | undefined {
    const { rows, cursor } = this.screen;
    const first = rows.findLastIndex((row) => row.startsWith("? "));
    const last = rows.findLastIndex((row) => row !== "");
    if (first < 0) return undefined;
    const asked = collapsed(rows.slice(first));
    const { menuKeys, menuStartKeys, menuListKeys, menuSearchKeys } = this.texts;
    const isList = [menuKeys, menuStartKeys, menuListKeys, menuSearchKeys].some((keys) =>
      asked.endsWith(keys),
    );
    return isList || (cursor.row === last && cursor.col > 0) ? asked : undefined;
  }

  /** Resolves when the open prompt contains these parts. @throws as `until` */
  async isAsked(...parts: readonly string[]): Promise<void> {
    const holds = () => parts.every((part) => this.asked?.includes(part) === true);
    await this.until(holds, `a prompt with «${parts.join("», «")}»`);
  }

  /** Answers a question when it is asked. */
  async answers(question: string, keys: string): Promise<void> {
    await this.isAsked(question);
    this.type(keys + KEY.enter);
  }

  /** Resolves when this has been printed, however it is broken into rows. @throws as `until` */
  async sees(sentence: string): Promise<void> {
    await this.until(() => this.hasSeen(sentence), `«${sentence}»`);
  }

  /** Whether this was printed. */
  hasSeen(sentence: string): boolean {
    return collapsed([this.screen.transcript]).includes(sentence);
  }

  /** Resolves when the chat's line is open and empty behind this prompt. */
  async isInChat(prompt = ">"): Promise<void> {
    const isOpen = () =>
      withoutName(this.screen.rows[this.screen.cursor.row] ?? "") === prompt && this.screen.cursorVisible;
    await this.until(isOpen, `a chat's line «${prompt}»`);
  }

  /**
   * The last lines, as many as the screen has rows, with everything masked that differs between two runs, and
   * without what only a slow machine shows.
   */
  get picture(): string {
    const rows = this.screen.transcript.split("\n").filter(isOnEveryMachine);
    return masked(rows.slice(-this.#height)).join("\n");
  }

  /** Rows with words of the other language. */
  get foreignRows(): string[] {
    const other = WORDS_OF[this.#language === "es" ? "en" : "es"];
    return this.text.split("\n").filter((row) => other.test(row));
  }

  /** Registers, and goes on to the second menu. */
  async joins(name: string, password: string): Promise<void> {
    await this.registers(name, password);
    await this.arrives(name);
  }

  /** From the first menu to the list of people. */
  async registers(name: string, password: string): Promise<void> {
    const { texts } = this;
    await this.answers(texts.menuRegister, "2");
    await this.answers(texts.menuName, name);
    await this.answers(texts.menuPassword, password);
    await this.answers(texts.passwordAgain, password);
    await this.answers(texts.menuEmail, `${name}@example.org`);
    await this.sees(texts.registered(name));
    await this.isAsked(texts.menuWhom);
  }

  /** From the first menu to the second, as the account that was used last on this machine. */
  async logsIn(name: string, password: string): Promise<void> {
    const { texts } = this;
    await this.answers(texts.menuLogIn, "1");
    await this.answers(texts.menuAccount, "1");
    await this.answers(texts.passwordPrompt(name), password);
    await this.arrives(name);
  }

  /** Whoever is logged in comes to the list of people first, from which Escape leads to the second menu. */
  async arrives(name: string): Promise<void> {
    await this.isAsked(this.texts.menuWhom);
    this.type(KEY.escape);
    await this.isHome(name);
  }

  /** In the chat with this person, when they are there. */
  async isLinkedTo(name: string): Promise<void> {
    await this.sees(this.texts.chatOpened(name).split(",")[0] ?? "");
    await presenceIs(this, true);
  }

  async isHome(name: string): Promise<void> {
    await this.isAsked(this.texts.menuHome(name), this.texts.menuLogOut);
  }

  /** From the second menu, or from the list, to the chat with the first person there. */
  async opensFirstChat(name: string): Promise<void> {
    await this.answers(this.texts.menuPeople, "1");
    await this.isAsked(this.texts.menuWhom, `1. ${name}`);
    this.type(`1${KEY.enter}`);
    await this.isLinkedTo(name);
  }
}

/** A world with terminals; all are gone after `close`. */
export class TerminalWorld extends World {
  readonly #terminals: MenuTerminal[] = [];
  #servers = 0;

  /** Starts a server of its own. Gives its address. */
  async place(): Promise<string> {
    const { tlsPort } = await this.server(`place-${++this.#servers}.db`);
    return `127.0.0.1:${tlsPort}`;
  }

  /** The client with a new data folder. @param server host and port */
  openNew(server: string, options: MenuOptions = {}): MenuTerminal {
    return this.at(["--server", server, "--data", mkdtempSync(join(this.folder, "new-"))], options);
  }

  /** The client with the data folder of an account. */
  openAs({ server, name, data }: Person, options: MenuOptions = {}): MenuTerminal {
    return this.at(["--server", server, "--user", name, "--data", data], options);
  }

  at(args: readonly string[], options: MenuOptions = {}): MenuTerminal {
    const terminal = new MenuTerminal(args, options);
    this.#terminals.push(terminal);
    return terminal;
  }

  override async close(): Promise<void> {
    await Promise.all(this.#terminals.map((terminal) => terminal.close()));
    await super.close();
  }
}
