/** The texts of the torture test: from each of them it can be told who wrote it, as which one, and whether it is whole. */
import { MAX_TEXT_BYTES } from "../../../src/protocol/peer-messages.ts";
import { seededRandom } from "../../seeded-random.ts";

export type Writer = "a" | "b";

export type TextHead = {
  readonly writer: Writer;
  /** 0 for the first text of this writer. */
  readonly number: number;
  /** 0 as it was first written, one more with each edit. */
  readonly edition: number;
};

/** Of so many texts one is long. */
const LONG_ONE_IN = 64;
const SHORT_BYTES = 120;
const HEAD = /^([ab]):(\d{6,}):(\d+)\n/;
/** No head is longer, in bytes. */
const HEAD_BYTES = 32;
const WORDS = [
  "plain words ",
  "ñandú, cigüeña ",
  "🕊 ",
  '"quoted" \\ {"a":1} ',
  "\t\u0000\u001b[31m ",
  "漢字",
];

/** The text that belongs to `head` in the run of `seed`, at most 32 KiB. */
export function makeText(seed: number, head: TextHead): string {
  const { writer, number, edition } = head;
  const mixed = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(edition + 1, 0x85ebca6b);
  const random = seededRandom(seed ^ mixed ^ writer.charCodeAt(0));
  const most = random.integer(LONG_ONE_IN) === 0 ? MAX_TEXT_BYTES - HEAD_BYTES : SHORT_BYTES;
  const words = random.pick(WORDS);
  const filler = words.repeat(Math.floor(random.integer(most) / Buffer.byteLength(words)));
  return `${writer}:${String(number).padStart(6, "0")}:${edition}\n${filler}`;
}

/** Whose and which text this is; undefined when it is none of ours or not whole. */
export function readText(seed: number, text: string): TextHead | undefined {
  const [, writer, number, edition] = HEAD.exec(text) ?? [];
  if (writer === undefined) return undefined;
  const head: TextHead = { writer: writer as Writer, number: Number(number), edition: Number(edition) };
  return makeText(seed, head) === text ? head : undefined;
}
