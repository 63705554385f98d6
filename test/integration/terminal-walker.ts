/** Presses random keys in a client at a terminal of its own, and leaves it by Ctrl-C. */
import type { SeededRandom } from "../seeded-random.ts";
import { AtTerminal, type TerminalOptions } from "./at-terminal.ts";
import { PASSWORD } from "./cli-process.ts";
import { KEY } from "./keys.ts";

/** Longest wait for what a key shows before the next key, in ms. */
const NEXT_KEY = 12;
/** Longest wait for what a Ctrl-C shows, in ms. */
const NOTHING_CHANGED = 200;
/**
 * Ctrl-C clears a line, leaves a chat, and quits at a menu; in a paste whose end is missing it is text until
 * the paste times out after 2 s. If so many do not end the client, a prompt is stuck.
 */
const MOST_INTERRUPTIONS = 40;

type Keys = readonly [weight: number, make: (random: SeededRandom) => string];

const WORDS = [
  "hola",
  "¿qué tal?",
  "ñandú",
  "👨‍👩‍👧",
  "日本語",
  "exit",
  "e\u0301",
  "x".repeat(90),
  "/etc",
  "//x",
];
const COMMANDS = [
  "/help",
  "/more",
  "/list",
  "/search hola",
  "/info",
  "/say exit",
  "/users",
  "/fingerprint",
  "/accept",
  "/chat walk.beto",
  "/nada",
];
const CONTROLS = "\u0001\u0002\u0005\u0006\u0008\u000b\u000c\u000e\u0010\u0012\u0014\u0015\u0017\u0019";
const ESCAPES = [
  "[A",
  "[B",
  "[C",
  "[D",
  "[H",
  "[F",
  "[3~",
  "[5~",
  "[1;5D",
  "b",
  "d",
  "[15~",
  "[Z",
  "OP",
  "[200~",
];

const KEYS: readonly Keys[] = [
  [30, () => "\r"],
  [10, (random) => String(1 + random.integer(4))],
  [14, (random) => random.pick([..."abcdefghijklmnopqrstuvwxyz /-.,áé"])],
  [14, (random) => random.pick(WORDS)],
  [12, (random) => `${random.pick(WORDS)}\r`],
  [8, (random) => `${random.pick(COMMANDS)}\r`],
  [6, (random) => `\u001b${random.pick(ESCAPES)}`],
  [5, (random) => random.pick([...CONTROLS])],
  [5, () => "\u007f"],
  [3, () => "\t"],
  [3, (random) => `\u001b[200~${random.pick(WORDS)}\r${random.pick(WORDS)}\r\ttres\u001b[201~`],
  [2, () => "\u001b"],
  [2, () => "exit\r"],
  [1, () => KEY.ctrlC],
  [1, () => "\u0004"],
  [1, () => `${PASSWORD}\r`],
];
const WEIGHT = KEYS.reduce((sum, [weight]) => sum + weight, 0);

/** One key, or a few that come at once. */
export function randomKeys(random: SeededRandom): string {
  let left = random.integer(WEIGHT);
  for (const [weight, make] of KEYS) {
    left -= weight;
    if (left < 0) return make(random);
  }
  return "\r";
}

/** One run of the client, from its start until it has ended. */
export class Walker {
  readonly #random: SeededRandom;
  readonly #terminal: AtTerminal;
  /** Whether TERM is dumb. */
  readonly #isDumb: boolean;
  #keys = "";

  constructor(
    random: SeededRandom,
    args: readonly string[],
    environment: { readonly [name: string]: string },
    program: TerminalOptions["program"],
  ) {
    this.#random = random;
    const [cols, rows] = random.pick([
      [80, 24],
      [40, 12],
      [132, 43],
    ] as const);
    this.#isDumb = random.integer(5) === 0;
    const TERM = this.#isDumb ? "dumb" : "xterm-256color";
    this.#terminal = new AtTerminal(args, {
      environment: { ...environment, TERM },
      cols,
      rows,
      ...(program && { program }),
    });
  }

  get hasEnded(): boolean {
    return this.#terminal.hasEnded;
  }

  /** Resolves when the client has taken the terminal; before that, keys are echoed and Ctrl-C makes no key. */
  async begin(): Promise<void> {
    await this.#terminal.until(() => !this.#terminal.isInLineMode, "a prompt");
  }

  /** Presses keys or resizes the window, and waits shortly for what that shows. */
  async step(): Promise<void> {
    const random = this.#random;
    if (random.integer(60) === 0) {
      const [cols, rows] = [20 + random.integer(100), 6 + random.integer(40)];
      this.#keys += `[${cols}×${rows}]`;
      this.#terminal.resize(cols, rows);
    } else {
      const keys = randomKeys(random);
      this.#keys += keys;
      this.#terminal.type(keys);
    }
    await this.#terminal.somethingOr(NEXT_KEY);
  }

  /** Leaves by Ctrl-C alone. @throws when that does not end the client, or the terminal is not given back. */
  async leave(): Promise<void> {
    for (let pressed = 0; !this.hasEnded && pressed < MOST_INTERRUPTIONS; pressed++) {
      // In line mode, between two screens or while it only closes its links, there is nothing to interrupt.
      if (!this.#terminal.isRestored) this.#terminal.type(KEY.ctrlC);
      await this.#terminal.somethingOr(NOTHING_CHANGED);
    }
    const code = await this.#terminal.ended();
    const { isRestored, screen, raw } = this.#terminal;
    const isPlain = !this.#isDumb || !raw.includes("\u001b");
    if (![0, 130].includes(code) || !isRestored || !isPlain || screen.unknown.length > 0) {
      const found = `code ${code}, restored ${isRestored}, plain ${isPlain}, unknown ${JSON.stringify(screen.unknown)}`;
      const last = JSON.stringify(this.#keys.slice(-300));
      throw new Error(`${found} after ${last}\n${screen.rows.join("\n")}`);
    }
  }

  close(): void {
    this.#terminal.close();
  }
}
