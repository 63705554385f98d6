/** Long or forged texts that cost time, shrink, grow, or imitate what the program itself writes. */
import type { SeededRandom } from "../seeded-random.ts";

/** The longest repetition of a unit, in UTF-16 units: it fits into one object of either link. */
const MAX_UNITS = 20_000;
/** The longest run of combining marks. */
const MAX_MARKS = 28_000;

/** Combining marks of different classes, in whose runs NFC sorts: it takes quadratic time. */
const MARKS = [
  "\u0300",
  "\u0316",
  "\u0334",
  "\u0345",
  "\u05b0",
  "\u0f71",
  "\u3099",
  "\u{1d165}",
  "\u{1e8d0}",
] as const;

/** Units that NFC makes shorter: four code points to one, three to one, two to one. */
const SHRINKING = ["\u03b1\u0313\u0300\u0345", "\u1112\u1161\u11ab", "e\u0301"] as const;
/** Units that NFC makes longer: one code point to three. */
const GROWING = ["\u{1d160}", "\ufb2c", "\u0958"] as const;
/** Units that chain into one grapheme without end. */
const CHAINED = [
  "👩\u200d",
  "\u200d",
  "🏳\ufe0f\u200d🌈\u200d",
  "🇦",
  "👍🏽🏿",
  "\u1100",
  "\u1161",
  "\u11a8",
  "\u0600",
  "क\u094d",
  "\u0e33",
  "🏴\u{e0067}",
  "a\ufe0f",
] as const;
/** Characters that turn a line around, hide a part of it, or start another one. */
const CONTROLS = [
  "\u202e",
  "\u2066",
  "\u2069",
  "\u061c",
  "\u200b",
  "\u00ad",
  "\ufeff",
  "\u2028",
  "\u2029",
  "\u0085",
  "\r",
  "\n",
  "\t",
  "\b",
  "\x1b[2J",
  "\x1b[1A\x1b[2K",
  "\x1b]52;c;cm0gLXJm\x07",
  "\x9b31m",
  "\x7f",
  "\u{e0041}",
  "\u2800",
  "\u3164",
] as const;
/** What ends a quotation, or begins one. */
const QUOTES = [
  "«",
  "»",
  "“",
  "”",
  "„",
  "‟",
  '"',
  "'",
  "‘",
  "’",
  "‹",
  "›",
  "❝",
  "❞",
  "〝",
  "〞",
  "＂",
] as const;
/** Beginnings of the program's own lines, prompts and commands. */
const IMITATIONS = [
  "— ",
  "! ",
  "> ",
  "✓✓ > ",
  "? ",
  "#1 12:00 ana: ",
  "2026-11-30 12:00 ana ✓✓: ",
  ". La otra persona lo conserva. — ",
  ": ana ha retirado un mensaje",
  "The key of ana was accepted.",
  "/accept",
  "exit",
  '{"event":"ready"}',
] as const;

function filled(unit: string, random: SeededRandom): string {
  const most = Math.floor(MAX_UNITS / unit.length);
  return unit.repeat(1 + random.integer(random.pick([8, 40, 300, most])));
}

/** A character and marks of several classes behind it, in blocks or in turn. */
function markRun(random: SeededRandom): string {
  const marks = Array.from({ length: 1 + random.integer(3) }, () => random.pick(MARKS));
  const base = random.pick(["a", "", "語", "\u1100", "👩"]);
  const most = Math.floor(MAX_MARKS / marks.length);
  const count = random.pick([1 + random.integer(8), 30, 31, most, most, 1 + random.integer(most)]);
  if (random.integer(2) === 0) return base + marks.map((mark) => mark.repeat(count)).join("");
  return base + marks.join("").repeat(count);
}

/** Words between which stand quotes, controls and imitated beginnings. */
function forged(random: SeededRandom): string {
  return Array.from({ length: 1 + random.integer(12) }, () => {
    switch (random.integer(5)) {
      case 0:
        return random.pick(QUOTES);
      case 1:
        return random.pick(CONTROLS);
      case 2:
        return random.pick(IMITATIONS);
      case 3:
        return " ".repeat(random.pick([1, 1, 4, 80]));
      default:
        return random.pick(["hola", "ana", "語", "👩‍👩‍👧", "ñ", "e\u0301", "12:00"]);
    }
  }).join("");
}

/** One hostile text of well-formed Unicode, of at most 60,000 UTF-16 units. */
export function hostileText(random: SeededRandom): string {
  switch (random.integer(8)) {
    case 0:
    case 1:
      return markRun(random);
    case 2:
      return filled(random.pick(SHRINKING), random);
    case 3:
      return filled(random.pick(GROWING), random);
    case 4:
      return filled(random.pick(CHAINED), random);
    case 5:
      return `${filled(random.pick(CHAINED), random)}${markRun(random)}`;
    default:
      return forged(random);
  }
}
