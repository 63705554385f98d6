/**
 * What a terminal may send, piece by piece, each with what it must do to the line: typed characters, editing keys,
 * pastes, and sequences that are no key (ECMA-48, xterm's «Control Sequences»).
 */
import type { SeededRandom } from "../seeded-random.ts";

export type KeyEffect =
  | { readonly name: "nothing" }
  | { readonly name: "text"; readonly text: string }
  | { readonly name: "edit"; readonly key: "left" | "right" | "home" | "end" | "backspace" | "delete" }
  /** Shift-Enter or Alt-Enter. */
  | { readonly name: "line break" }
  | { readonly name: "paste"; readonly text: string }
  /** Escape, or the beginning of a sequence, after which nothing comes for a while. */
  | { readonly name: "begun" };

export type TypedPiece = { readonly bytes: string; readonly effect: KeyEffect };

const NOTHING: KeyEffect = { name: "nothing" };
const ESC = "\x1b";

/** None of them joins another one; many can also stand in a sequence. */
const CHARACTERS = [..."aZ7 ñ日😀é~[OM;?<PX^_\\]$"];
/** Bytes of a string; no control characters. */
const IN_STRINGS = [..."0123456789abcdef;:/,=? rgb#ñ日|>+exit"];
const FINALS = [..."befghijklmnopqrstvwxyz"];
/** No keys of an application keypad that is used. */
const SHIFTED = [..."EGIJKLMNTUVWXYZefghijklmnopqrstuvwxyz"];

const EDITS = {
  [`${ESC}[D`]: "left",
  [`${ESC}OD`]: "left",
  [`${ESC}[C`]: "right",
  [`${ESC}[H`]: "home",
  [`${ESC}[1~`]: "home",
  [`${ESC}[F`]: "end",
  [`${ESC}OF`]: "end",
  [`${ESC}[3~`]: "delete",
  [`${ESC}[3$`]: "delete",
  "\x7f": "backspace",
} as const;
const LINE_BREAKS = ["[27;2;13~", "[27;5;13~", "[13;2u", "[13;6u", "[13;3:1u"];
/** Keys that do nothing in a line. */
const IDLE_KEYS = ["[15~", "[24~", "OP", "[[A", "[5~", "[6~", "[1;2P", "[Z", "[2~", "[2$"];
const ALT_CHARACTERS = [..."xqz~é日😀5"];
const BEGUN = ["", "[", "[?1;", "[M", "[M !", "O", "]11;rgb:1e", "P>|x", "_Gi=1", "^", "X", "[["];

function some(list: readonly string[], most: number, random: SeededRandom, least = 0): string {
  return Array.from({ length: least + random.integer(most) }, () => random.pick(list)).join("");
}

function parameters(count: number, random: SeededRandom): string {
  return Array.from({ length: count }, () => 40 + random.integer(120)).join(random.pick([";", ";", ":"]));
}

/** A character of a report of the mouse in its oldest form: a number, 32 more, as one byte or as UTF-8. */
function coordinate(random: SeededRandom): string {
  return String.fromCodePoint(32 + random.integer(random.pick([95, 95, 400])));
}

/** A sequence that is no key of this program. */
export function noKey(random: SeededRandom): string {
  switch (random.integer(9)) {
    case 0:
      return `${ESC}[${random.pick([..."<=>?"])}${parameters(random.integer(5), random)}${random.pick([...FINALS, ..."AcuMm~"])}`;
    case 1:
      return `${ESC}[${parameters(1 + random.integer(4), random)}${random.pick([...FINALS, "u", "~"])}`;
    case 2:
      return `${ESC}[${random.pick(["", "?", ">"])}${parameters(2, random)}${some([..." !\"#$%&'()*+,-./"], 2, random, 1)}${random.pick([...FINALS, ..."ARM~@"])}`;
    case 3:
      return `${ESC}[M${coordinate(random)}${coordinate(random)}${coordinate(random)}`;
    case 4:
      return `${ESC}O${random.pick(["", "", "5", "1;2"])}${random.pick(SHIFTED)}`;
    case 5:
      return `${ESC}[[${random.pick([..."FGHIJKLMNOPQRSTUVWXYZ😀"])}`;
    case 6: {
      // As single characters, the introducers of ECMA-48's C1.
      return `${random.pick(["\u009b?1;2c", "\u009b<0;3;4M", `\u009d11;${some(IN_STRINGS, 20, random)}\u009c`, "\u008fj"])}`;
    }
    default: {
      const length = random.pick([4, 20, 60, random.integer(20) === 0 ? 9_000 : 8]);
      return `${ESC}${random.pick([..."]]PX^_"])}${some(IN_STRINGS, length, random)}${random.pick(["\x07", `${ESC}\\`])}`;
    }
  }
}

/** One thing that is typed, pasted or reported. */
export function typedPiece(random: SeededRandom): TypedPiece {
  const kind = random.integer(20);
  if (kind < 8) {
    const text = some(CHARACTERS, 6, random, 1);
    return { bytes: text, effect: { name: "text", text } };
  }
  if (kind < 14) return { bytes: noKey(random), effect: NOTHING };
  if (kind === 14) {
    const [bytes, key] = random.pick(Object.entries(EDITS));
    return { bytes, effect: { name: "edit", key } };
  }
  if (kind === 15) return { bytes: ESC + random.pick(LINE_BREAKS), effect: { name: "line break" } };
  if (kind === 16) return { bytes: ESC + random.pick(IDLE_KEYS), effect: NOTHING };
  if (kind === 17) return { bytes: ESC + random.pick(ALT_CHARACTERS), effect: NOTHING };
  if (kind === 18) {
    const between = random.pick(["", "", "\r", noKey(random), ESC, `${ESC}[20`]);
    const text = some(CHARACTERS, 8, random, 1) + between + some(CHARACTERS, 8, random, 1);
    return { bytes: `${ESC}[200~${text}${ESC}[201~`, effect: { name: "paste", text } };
  }
  // Rare: each takes half a second.
  if (random.integer(12) > 0) return { bytes: noKey(random), effect: NOTHING };
  return { bytes: ESC + random.pick(BEGUN), effect: { name: "begun" } };
}

/** Bytes of all kinds, among them many that begin, continue and end sequences; none ends a program or stops it. */
export function keyNoise(random: SeededRandom): Buffer {
  const pieces = Array.from({ length: 1 + random.integer(60) }, () => {
    switch (random.integer(5)) {
      case 0:
        return Buffer.from(random.bytes(1 + random.integer(4)));
      case 1:
        return Buffer.from(typedPiece(random).bytes);
      case 2:
        return Buffer.from(ESC + random.pick(["", "[", "O", "]", "P", "[M", "[[", "[200~", "[201~", "\\"]));
      default:
        return Buffer.from(random.pick([...CHARACTERS, "\r", "\t", "\x07", "\u009c"]));
    }
  });
  return Buffer.from(Buffer.concat(pieces).map((byte) => ([0x03, 0x04, 0x1a].includes(byte) ? 0x61 : byte)));
}
