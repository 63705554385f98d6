/**
 * The fuzz of what is drawn, without terminals and links. Each step draws one scene of two hostile texts, in one language and
 * width, and the same scene of two harmless words, which shows what of it is ours. No control character but those of
 * our colours is drawn; no row is wider than the terminal, but for an address at its end; a row of a text never begins where ours begin; every
 * sentence is ours word for word around the texts, and a text that we put in quotation marks has none of its own.
 */
import { label } from "../../src/identity/names.ts";
import { MAX_TEXT_BYTES } from "../../src/protocol/peer-messages.ts";
import { messageJson, peerChangeJson, storedMessageJson } from "../../src/client/event-json.ts";
import { jsonLine } from "../../src/protocol/visible-text.ts";
import { KnownNames } from "../../src/ui/format/name-book.ts";
import { offersLine } from "../../src/ui/line/completion.ts";
import { BLANK_FRAME, frameOf, redrawn } from "../../src/ui/line/line-frame.ts";
import { textsIn } from "../../src/ui/texts/texts.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { incoming, NOON } from "../ui/chat/chat-script.ts";
import { FuzzFailure, mustHold, randomOfStep } from "./fuzz-failure.ts";
import { count, runSteps, type FuzzFigures, type FuzzOptions } from "./fuzz-run.ts";
import { hostileText } from "./hostile-texts.ts";
import { hostileString } from "./hostile-values.ts";
import { expectNoStall, threadTime } from "./loop-stall.ts";
import { SCENES, type Scene, type View } from "./screen-scenes.ts";

/** Harmless, shorter than an excerpt, and in no sentence of ours. */
const HARMLESS = ["qqxqq", "zzwzz"] as const;
const WIDTHS = [8, 12, 13, 20, 40, 80, 81, 200] as const;
/** A narrower terminal is treated as this wide. */
const MIN_WIDTH = 12;
/** Most code points of a name (PROTOCOL 3). */
const MAX_NAME = 64;

const COLOURS = /\x1b\[(?:1|2|22|31|36|39)m/g;
/** Moves of the cursor and erasing, as the input line draws itself. */
const MOVES = /\x1b\[\d*[ABCJ]/g;
const CONTROL = /\p{Cc}/u;
/** Turns a line around, hides text, or ends a line. */
const UNSEEN = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u061c\u00ad\ufeff\p{Zl}\p{Zp}]/u;
/** Ours, and what may be taken for them; only `'` may stand in a quoted text. */
const QUOTATION = /(?!')[\p{Quotation_Mark}❝❞❮❯]/u;
/** How our own lines begin: with the time of a message, or as a notice, a failure or a day. */
const OUR_BEGIN = /^(?:#\d+ )?(?:\d{4}-\d\d-\d\d )?\d\d:\d\d |^[—!] /;
const INDENT = "    ";

/** @throws FuzzStepFailure */
export async function fuzzScreen(options: FuzzOptions): Promise<FuzzFigures> {
  const figures: FuzzFigures = { steps: 0, writes: 0, bytes: 0, seen: new Map() };
  figures.steps = await runSteps("screen", options, {
    begin: () => Promise.resolve(),
    step: (step) => {
      drawOnce(randomOfStep(options.seed, step), figures);
      return Promise.resolve();
    },
    end: () => Promise.resolve(),
    memory: () => process.memoryUsage.rss(),
  });
  return figures;
}

/** A check of two texts, which is repeated with shorter ones when it fails. */
type Check = (first: string, second: string) => void;

function drawOnce(random: SeededRandom, figures: FuzzFigures): void {
  const [first, second] = [remoteText(random), remoteText(random)];
  figures.writes++;
  figures.bytes += Buffer.byteLength(first) + Buffer.byteLength(second);
  const [kind, check] = checkOf(random);
  count(figures.seen, kind);
  try {
    check(first, second);
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    throw shortened(kind, check, first, second, error);
  }
}

function checkOf(random: SeededRandom): [kind: string, check: Check] {
  const columns = random.pick(WIDTHS);
  const language = random.pick(["es", "en"] as const);
  switch (random.integer(8)) {
    case 0:
      return ["the input line", (text, before) => checkInput(text, before, columns)];
    case 1:
      return ["names", (one, other) => checkNames([one, other], columns)];
    case 2:
      return ["JSON", checkJson];
    default: {
      const [kind, scene] = random.pick([...SCENES]);
      return [kind, (first, second) => checkScene(scene, [first, second], { columns, language })];
    }
  }
}

/** As it may come on a link. */
function remoteText(random: SeededRandom): string {
  const text = (random.integer(3) > 0 ? hostileText(random) : hostileString(random)).toWellFormed();
  return Buffer.from(text)
    .subarray(0, MAX_TEXT_BYTES)
    .toString("utf8")
    .replace(/\ufffd+$/, "");
}

function timed<T>(work: () => T, texts: readonly string[]): T {
  const begun = threadTime();
  const result = work();
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  expectNoStall(threadTime() - begun, bytes, () => "drawing takes too long");
  return result;
}

function checkScene(
  scene: Scene,
  texts: readonly [string, string],
  { columns, language }: { columns: number; language: View["language"] },
): void {
  const whole = { columns: undefined, language, colours: false };
  const lines = timed(() => scene(...texts, whole), texts);
  const harmless = scene(...HARMLESS, whole);
  mustHold(lines.length === harmless.length, "another number of lines", lines, harmless);
  lines.forEach((line, index) => expectOurWords(line, harmless[index] as string, language));
  const drawn = timed(() => scene(...texts, { columns, language, colours: true }), texts);
  for (const line of drawn) expectRows(line.replace(COLOURS, ""), columns);
}

function expectShown(text: string): void {
  mustHold(!CONTROL.test(text), "a control character is drawn", JSON.stringify(text));
  mustHold(!UNSEEN.test(text), "a character that hides or turns text is drawn", JSON.stringify(text));
}

/** The most columns on a terminal that joins nothing. */
function columnsOf(row: string): number {
  return [...row].reduce((sum, point) => sum + Bun.stringWidth(point), 0);
}

function expectRows(line: string, columns: number): void {
  mustHold(line.endsWith("\n"), "a line without an end", line);
  const rows = line.slice(0, -1).split("\n");
  // A narrow terminal breaks the date, too.
  mustHold(
    OUR_BEGIN.test(rows.join("").replaceAll(INDENT, "")),
    "a line of ours does not begin like one",
    line,
  );
  rows.forEach((row, index) => {
    expectShown(row);
    // Only an address may pass the edge, at the end of its row.
    const ours = row.replace(/[a-z][a-z0-9+.-]*:\/\/\S+$/i, "");
    mustHold(columnsOf(ours) <= Math.max(columns, MIN_WIDTH), `a row wider than ${columns}`, row);
    mustHold(index === 0 || row.startsWith(INDENT), "a row begins where our lines begin", row, line);
  });
}

/** The line must be the harmless one, with other texts in its place: in quotation marks only texts without any. */
function expectOurWords(line: string, harmless: string, language: View["language"]): void {
  const parts = harmless.split(new RegExp(HARMLESS.join("|")));
  const pattern = parts
    .map((part, index) => {
      const isQuoted = /[«“]$/.test(parts[index - 1] ?? "");
      const hole = index === 0 ? "" : isQuoted ? `(?:(?!${QUOTATION.source})[^])*?` : "[^]*?";
      return hole + escaped(part);
    })
    .join("");
  // A long edited text is cut, and a sentence of ours says so.
  const cut = escaped(` ${textsIn(language).chatWholeInList}`);
  const whole = new RegExp(`^${pattern.replace(/\\n$/, "")}(?:${cut})?\\n?$`, "u");
  mustHold(whole.test(line), "our words around a text are not ours", line, harmless);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\n", "\\n");
}

function checkInput(text: string, before: string, columns: number): void {
  const size = { columns, rows: 24 };
  const cursor = text.length;
  const work = () => {
    const old = before === "" ? BLANK_FRAME : frameOf("✓✓ > ", before, before.length, size);
    const frame = frameOf("✓✓ > ", text, cursor, size);
    return { frame, output: redrawn(old, frame) };
  };
  const { frame, output } = timed(work, [text, before]);
  for (const row of frame.rows) {
    expectShown(row.join(""));
    mustHold(columnsOf(row.join("")) <= columns, `a row of the input line is wider than ${columns}`, row);
  }
  expectShown(output.replace(MOVES, "").replace(/\r\n?/g, ""));
}

function checkNames(texts: readonly string[], columns: number): void {
  const names = [...texts.map((text) => [...text].slice(0, MAX_NAME).join("")), "ana", "Ana "];
  const people = names.map((username) => ({ username, label: label(username) }));
  const book = timed(() => new KnownNames(people).book, names);
  const shown = new Map<string, string>();
  for (const { username, label: its } of people) {
    const name = book.get(username) ?? "";
    expectShown(name);
    mustHold((shown.get(name) ?? its) === its, "two people are shown by one name", JSON.stringify(name));
    shown.set(name, its);
  }
  const rows = timed(() => offersLine([...names], columns), names)
    .slice(0, -1)
    .split("\n");
  for (const row of rows) {
    expectShown(row);
    mustHold(columnsOf(row) <= Math.max(columns, MIN_WIDTH), `names wider than ${columns}`, row);
  }
}

function checkJson(first: string, second: string): void {
  const message = incoming(1, first, { id: second, replyTo: second, editedAt: NOON });
  const lines = timed(
    () => [
      jsonLine(messageJson(message, second)),
      jsonLine(storedMessageJson(message, second, "ana")),
      jsonLine(peerChangeJson(message, second)),
    ],
    [first, second],
  );
  for (const line of lines) {
    expectShown(line.slice(0, -1));
    const { text, id, from } = JSON.parse(line) as { [name: string]: unknown };
    mustHold(text === first && id === second && from === second, "JSON with another text", line);
  }
}

/** How often a failing pair of texts is shortened. */
const MAX_TRIES = 400;

/** The failure of the shortest texts that still fail the check, with these texts. */
function shortened(
  kind: string,
  check: Check,
  first: string,
  second: string,
  error: FuzzFailure,
): FuzzFailure {
  let [texts, found] = [[[...first], [...second]] as [string[], string[]], error];
  let tries = 0;
  for (const which of [0, 1] as const) {
    for (let size = texts[which].length; size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < texts[which].length && tries < MAX_TRIES; tries++) {
        const shorter: [string[], string[]] = [...texts];
        shorter[which] = texts[which].toSpliced(at, size);
        const failure = failureOf(check, shorter);
        if (failure === undefined) at += size;
        else [texts, found] = [shorter, failure];
      }
    }
  }
  const shown = texts.map((text) => escapedJson(text.join("")));
  return new FuzzFailure([`${kind}: ${found.message}`, ...shown].join("\n  "));
}

function failureOf(check: Check, [first, second]: [string[], string[]]): FuzzFailure | undefined {
  try {
    check(first.join(""), second.join(""));
    return undefined;
  } catch (error) {
    if (error instanceof FuzzFailure) return error;
    throw error;
  }
}

/** All but ASCII as escapes, at most 300 characters. */
function escapedJson(text: string): string {
  const json = JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return json.length > 300 ? `${json.slice(0, 300)}… (${text.length})` : json;
}
