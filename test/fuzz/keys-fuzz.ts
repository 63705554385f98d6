/**
 * The fuzz of what a terminal sends, read as the program reads it: by the input line of a chat, by forms, hidden
 * passwords and menus, at terminals that move their cursor and at those that only append. Each step types pieces of
 * `key-grammar.ts`, cut anywhere. No byte of a sequence becomes text, answers or ends anything; what was typed arrives
 * whole and in order; and Escape alone still goes back. Some steps type noise, whatever that is: what is typed after it
 * arrives, and where it was cut makes no difference.
 */
import { PassThrough, Writable } from "node:stream";

import { LineHistory } from "../../src/ui/line/history.ts";
import type { InputLineOptions, LineEvent } from "../../src/ui/line/input-line.ts";
import { LineEditor } from "../../src/ui/line/line-editor.ts";
import { pastedText } from "../../src/ui/line/pasted-text.ts";
import { PlainLine } from "../../src/ui/line/plain-line.ts";
import { InquirerPrompter } from "../../src/ui/prompts/inquirer-prompter.ts";
import { PlainPrompter } from "../../src/ui/prompts/plain-prompter.ts";
import type { Answer, Prompt } from "../../src/ui/prompts/prompt.ts";
import { KeySequences, SEQUENCE_WAIT } from "../../src/ui/terminal/key-sequences.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";
import { seededRandom, type SeededRandom } from "../seeded-random.ts";
import { mustHold, randomOfStep, within } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";
import { keyNoise, noKey, typedPiece, type TypedPiece } from "./key-grammar.ts";
import { turn } from "./raw-bytes.ts";
import { cut } from "./transmission.ts";

/** Most pieces of one line. */
const MAX_PIECES = 40;
/** How many keyboards are typed at in one step, side by side, since some of them wait. */
const KEYBOARDS = 32;
/** How long an answer may take, in ms. */
const DEADLINE = 20_000;
const PASTE_END = "\x1b[201~";
/** A line break may stand in a line; other control characters not. */
const CONTROL = /(?!\n)\p{Cc}/u;

/** @throws FuzzStepFailure */
export async function fuzzKeys(options: FuzzOptions): Promise<FuzzFigures> {
  const figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  figures.steps = await runSteps("keys", options, {
    begin: () => Promise.resolve(),
    step: async (step) => {
      const random = randomOfStep(options.seed, step);
      const seeds = Array.from({ length: KEYBOARDS }, () => random.integer(2 ** 32));
      await Promise.all(seeds.map((seed) => typeOnce(seededRandom(seed), figures)));
    },
    end: () => Promise.resolve(),
    memory: () => process.memoryUsage.rss(),
  });
  return figures;
}

/** A terminal of this process, without a kernel behind it. */
class Keyboard {
  readonly input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  readonly output = Object.assign(new Writable({ write: (_text, _encoding, done) => done() }), {
    isTTY: true,
    columns: 80,
    rows: 24,
  });
  readonly #random: SeededRandom;
  readonly #figures: FuzzFigures;

  constructor(random: SeededRandom, figures: FuzzFigures) {
    this.#random = random;
    this.#figures = figures;
  }

  get streams() {
    return {
      input: this.input as unknown as NodeJS.ReadStream,
      output: this.output as unknown as NodeJS.WriteStream,
    };
  }

  /** The reads follow each other at once, so that none of them waits for the rest of a sequence. */
  type(bytes: Buffer): void {
    for (const piece of cut(bytes, this.#random)) {
      this.#figures.writes++;
      this.#figures.bytes += piece.length;
      this.input.write(piece);
    }
  }

  /** Types pieces; after one that was only begun, nothing comes until the program has given up waiting for its rest. */
  async typePieces(pieces: readonly TypedPiece[]): Promise<void> {
    let joined = "";
    for (const { bytes, effect } of pieces) {
      joined += bytes;
      if (effect.name !== "begun") continue;
      this.type(Buffer.from(joined));
      joined = "";
      await untilGivenUp();
    }
    this.type(Buffer.from(joined));
  }
}

async function untilGivenUp(): Promise<void> {
  await turn();
  // Begins after the program's own wait, which is as long.
  await new Promise((resolve) => setTimeout(resolve, SEQUENCE_WAIT + 5));
}

function typeOnce(random: SeededRandom, figures: FuzzFigures): Promise<void> {
  const keyboard = new Keyboard(random, figures);
  const isDumb = random.integer(4) === 0;
  const kind = random.pick(["line", "line", "form", "password", "menu", "noise"]);
  count(figures.seen, `${kind}${isDumb ? " of a dumb terminal" : ""}`);
  switch (kind) {
    case "line":
      return typeLine(keyboard, isDumb, random);
    case "noise":
      return typeNoise(keyboard, isDumb, random);
    default:
      return typeAnswer(keyboard, isDumb, kind, random);
  }
}

function openLine({ streams }: Keyboard, isDumb: boolean, take: (event: LineEvent) => void) {
  const options: InputLineOptions = {
    ...streams,
    prompt: { name: "", isAway: false, mark: "", waiting: 0, sign: "" },
    hasColours: false,
    pastedLines: (lines) => `[${lines}]`,
    needs: {
      take,
      busy: () => undefined,
      complete: () => ({ offers: [], shown: [], part: "" }),
      history: new LineHistory(),
      draft: [],
    },
  };
  return new (isDumb ? PlainLine : LineEditor)(options);
}

type Line = LineEvent & { readonly name: "line" };

async function typeLine(keyboard: Keyboard, isDumb: boolean, random: SeededRandom): Promise<void> {
  const pieces = Array.from({ length: 1 + random.integer(MAX_PIECES) }, () => typedPiece(random));
  const entered = Promise.withResolvers<Line>();
  const line = openLine(keyboard, isDumb, (event) => {
    if (event.name === "line") entered.resolve(event);
    else mustHold(event.name !== "leaving", "the chat was left", shown(pieces));
  });
  try {
    await keyboard.typePieces(pieces);
    keyboard.type(Buffer.from("\r"));
    const { typed, expand } = await within(DEADLINE, entered.promise, () => `no line: ${shown(pieces)}`);
    const expected = lineOf(pieces, isDumb);
    mustHold(expand(typed) === expected, "another line", expand(typed), expected, shown(pieces));
  } finally {
    line.close();
  }
}

/** The line that the pieces make. A terminal that only appends has no cursor to move. */
function lineOf(pieces: readonly TypedPiece[], isDumb: boolean): string {
  const line: string[] = [];
  let cursor = 0;
  const insert = (parts: readonly string[]) => {
    line.splice(cursor, 0, ...parts);
    cursor += parts.length;
  };
  const edits = {
    left: () => (cursor = Math.max(0, cursor - 1)),
    right: () => (cursor = Math.min(line.length, cursor + 1)),
    home: () => (cursor = 0),
    end: () => (cursor = line.length),
    delete: () => line.splice(cursor, 1),
    backspace: () => {
      if (cursor > 0) line.splice(--cursor, 1);
    },
  };
  for (const { effect } of pieces) {
    if (effect.name === "text") insert([...effect.text]);
    else if (effect.name === "line break") insert(["\n"]);
    else if (effect.name === "paste") {
      const text = pastedText(effect.text);
      // One with control characters is shown as a placeholder, which is one character of the line.
      insert(/\p{Cc}/u.test(text) ? [text] : [...text]);
    } else if (effect.name === "edit" && (!isDumb || effect.key === "backspace")) edits[effect.key]();
  }
  return line.join("");
}

const CHOICES = ["one", "two", "three"].map((name) => ({ value: `=${name}`, name }));
const PROMPTS: { readonly [kind: string]: Prompt } = {
  form: { name: "input", message: "?", offered: "" },
  password: { name: "password", message: "?" },
  menu: { name: "select", message: "?", choices: CHOICES, keys: "" },
};

async function typeAnswer(
  keyboard: Keyboard,
  isDumb: boolean,
  kind: string,
  random: SeededRandom,
): Promise<void> {
  const isMenu = kind === "menu";
  const all = Array.from({ length: 1 + random.integer(MAX_PIECES) }, () => typedPiece(random));
  const pieces = all.filter(({ bytes, effect: { name } }) => {
    // Alt and a character are Escape and that character here.
    return (name === "nothing" && !/^\x1b[^[\]OPX^_]/u.test(bytes)) || (name === "text" && !isMenu);
  });
  const broken = all.filter(({ effect }) => effect.name === "line break");
  pieces.splice(random.integer(pieces.length + 1), 0, ...broken);
  const isBack = random.integer(8) === 0;
  const answered = Promise.withResolvers<Answer>();
  const prompter = new (isDumb ? PlainPrompter : InquirerPrompter)({
    ...keyboard.streams,
    texts: textsIn("en"),
    dropped: String,
    complete: String,
    answered: answered.resolve,
  });
  try {
    prompter.open(PROMPTS[kind] as Prompt);
    await keyboard.typePieces(pieces);
    keyboard.type(Buffer.from(isBack ? "\x1b" : isMenu ? "2\r" : "\r"));
    const answer = await within(DEADLINE, answered.promise, () => `no answer: ${shown(pieces)}`);
    const expected = isMenu
      ? "=two"
      : lineOf(
          pieces.filter(({ effect }) => effect.name === "text"),
          true,
        );
    const isRight = isBack ? answer.name === "back" : answer.name === "answered" && answer.value === expected;
    mustHold(isRight, "another answer", answer, isBack ? "back" : expected, shown(pieces));
  } finally {
    prompter.close();
  }
}

async function typeNoise(keyboard: Keyboard, isDumb: boolean, random: SeededRandom): Promise<void> {
  const noise = keyNoise(random);
  const whole = new KeySequences();
  const pieces = new KeySequences();
  const atOnce = whole.push(noise);
  const cutKeys = cut(noise, random).map((piece) => pieces.push(piece));
  const keys = [...cutKeys.flatMap((read) => read.keys), ...pieces.expire()];
  const hex = noise.toString("hex");
  mustHold(
    Bun.deepEquals(keys, [...atOnce.keys, ...whole.expire()]) &&
      atOnce.isValid === cutKeys.every(({ isValid }) => isValid),
    "the cuts make a difference",
    atOnce.keys,
    keys,
    hex,
  );
  const lines: Line[] = [];
  const last = Promise.withResolvers<void>();
  const line = openLine(keyboard, isDumb, (event) => {
    if (event.name !== "line") return;
    lines.push(event);
    mustHold(event.typed.isWellFormed(), "half a character", JSON.stringify(event.typed), hex);
    mustHold(!CONTROL.test(event.typed), "a control character", JSON.stringify(event.typed), hex);
    if (event.typed === "whole") last.resolve();
  });
  try {
    keyboard.type(noise);
    await untilGivenUp();
    keyboard.type(Buffer.from(`${PASTE_END}\r${noKey(random)}who${noKey(random)}le\r`));
    await within(DEADLINE, last.promise, () => `what was typed after ${hex} did not arrive`);
  } finally {
    line.close();
  }
}

function shown(pieces: readonly TypedPiece[]): string {
  return JSON.stringify(pieces.map(({ bytes }) => bytes));
}
