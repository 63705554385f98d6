/**
 * Stands between the bytes of a terminal and `node:readline`, which turns what it does not know of an escape sequence
 * into text: mouse reports, device attributes, colour reports, keys of other protocols (ECMA-48, xterm's «Control
 * Sequences»). Only the sequences of keys that this program knows pass, and the reports of the focus, however the
 * reads split them; bytes that are no UTF-8 do not become text either.
 */

import { isUtf8 } from "node:buffer";

import { reportOf } from "./attention.ts";

/** A lone Escape, or the beginning of a sequence, waits this long for the rest, in ms. */
export const SEQUENCE_WAIT = 500;
/** UTF-16 units of an unfinished sequence that are kept; a longer one is still dropped to its end. */
const MAX_HELD = 4_096;

/** The key alone. */
export const ESCAPE = "\x1b";
/** Stands for Enter with any modifier, from a terminal that tells it apart. */
export const MODIFIED_ENTER = "\x1b[13;2u";
const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** The sequences of known keys, as `node:readline` names them: those of xterm, rxvt and the Linux console. */
const KEYS =
  /^\x1b(?:\[(?:(?:1;[2-8])?[A-DFHPQRS]|[EZa-d]|[1-8](?:;[2-8])?~|(?:1[1-57-9]|2[0134])(?:;[2-8])?~|[235678][$^]|\[[A-E]|20[01]~)|O(?:[A-DFHP-S]|[a-d]))$/;
/** xterm's modifyOtherKeys, and the kitty protocol (CSI-u). */
const MODIFIED_ENTERS = /^\x1b\[(?:27;(?:[2-9]|1[0-6]);13~|13;(?:[2-9]|1[0-6])(?::[12])?u)$/;

/**
 * One sequence at the start of a text. A report of the mouse in its oldest form has three characters behind `M`; rxvt
 * ends the keys with Shift by `$`, behind which others have one more character.
 */
const CONTROL_SEQUENCE = /^\x1b\[(?:\[[^\x1b]|M[^\x1b]{3}|[235678]\$|[ -?]*[@-LN-Z\\^-~]|[ -?]+M)/u;
const SHIFTED = /^\x1bO[0-9;]*[^0-9;\x1b]/u;
/** What either may begin with. */
const BEGUN = /^\x1b(?:\[(?:\[|M[^\x1b]{0,2}|[ -?]*)|O[0-9;]*)/u;
/** OSC, DCS, SOS, PM, APC: anything up to its end. */
const STRING_BEGUN = /^\x1b[\]PX^_]/;
const STRING = /^\x1b[\]PX^_][^\x07]*?(?:\x07|\x1b\\|\x9c)/;
const STRING_END = "\x1b\\";
/** The same introducers as single characters (ECMA-48, C1), for which Escape and an ASCII character can stand. */
const C1 = /^[\x8f\x90\x98\x9b\x9d-\x9f]/;

export class KeySequences {
  /** The first bytes of a character. */
  #begun = Buffer.alloc(0);
  #held = "";
  #isPasting = false;

  /** Whether something waits for its rest: call `expire` after `SEQUENCE_WAIT` without another read. */
  get isWaiting(): boolean {
    return this.#held !== "";
  }

  /**
   * @returns `keys`: each a code point, or the sequence of a key or of a report (`reportOf`); the same joined is again
   * something to push.
   * `isValid`: false if bytes that are no UTF-8 were dropped
   */
  push(bytes: Uint8Array): { readonly keys: readonly string[]; readonly isValid: boolean } {
    const all = Buffer.concat([this.#begun, bytes]);
    const end = all.length - unfinishedBytes(all);
    this.#begun = all.subarray(end);
    const whole = all.subarray(0, end);
    const isValid = isUtf8(whole);
    const text = isValid ? whole.toString() : whole.toString().replaceAll("\ufffd", "");
    return { keys: this.#read(text), isValid };
  }

  /** Gives out what waits for its rest. */
  takeHeld(): Uint8Array {
    const held = Buffer.concat([Buffer.from(this.#held), this.#begun]);
    this.#held = "";
    this.#begun = Buffer.alloc(0);
    return held;
  }

  /** The rest did not come: a lone Escape is that key, and the beginning of a sequence is nothing. */
  expire(): readonly string[] {
    const held = this.#held;
    this.#held = "";
    if (this.#isPasting) return [...held];
    return held === ESCAPE ? [ESCAPE] : [];
  }

  #read(received: string): readonly string[] {
    const text = this.#held + received;
    this.#held = "";
    const keys: string[] = [];
    let index = 0;
    while (index < text.length) {
      if (this.#isPasting) {
        const end = text.indexOf(PASTE_END, index);
        const pasted =
          end < 0 ? text.slice(index, text.length - unfinished(text, PASTE_END)) : text.slice(index, end);
        for (const point of pasted) keys.push(point);
        index += pasted.length;
        this.#isPasting = end < 0;
        if (end < 0) {
          this.#held = text.slice(index);
          break;
        }
      }
      const isC1 = C1.test(text.charAt(index));
      if (text[index] !== ESCAPE && !isC1) {
        const point = String.fromCodePoint(text.codePointAt(index) as number);
        keys.push(point);
        index += point.length;
        continue;
      }
      const rest = isC1 ? escaped(text.slice(index)) : text.slice(index);
      const sequence = sequenceOf(rest);
      if (sequence === undefined) {
        // Of a string only its introducer is needed to find its end, and the Escape that may begin it.
        this.#held =
          rest.length <= MAX_HELD ? rest : rest.slice(0, 2) + (rest.endsWith(ESCAPE) ? ESCAPE : "");
        break;
      }
      index += sequence.length - (isC1 ? 1 : 0);
      if (MODIFIED_ENTERS.test(sequence)) keys.push(MODIFIED_ENTER);
      else if (isKey(sequence) || reportOf(sequence) !== undefined) keys.push(sequence);
      this.#isPasting = sequence === PASTE_START;
    }
    return keys;
  }
}

/** The sequence at the start of `text`, which starts with Escape; undefined: it is not complete. */
function sequenceOf(text: string): string | undefined {
  if (text === ESCAPE) return undefined;
  const next = text.charAt(1);
  if (STRING_BEGUN.test(text)) return STRING.exec(text)?.[0];
  // Alt and a character, or Escape twice: the second one may begin a sequence.
  if (next !== "[" && next !== "O")
    return next === ESCAPE ? ESCAPE : ESCAPE + String.fromCodePoint(text.codePointAt(1) as number);
  const found = (next === "[" ? CONTROL_SEQUENCE : SHIFTED).exec(text)?.[0];
  if (found !== undefined) return found;
  // A character that can be in no sequence ends this one, and is read for itself.
  const begun = BEGUN.exec(text)?.[0];
  return begun === text ? undefined : begun;
}

function escaped(text: string): string {
  return ESCAPE + String.fromCharCode(text.charCodeAt(0) - 0x40) + text.slice(1);
}

/** How many bytes at the end may begin a character. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let count = 1; count <= Math.min(3, bytes.length); count++) {
    const byte = bytes[bytes.length - count] as number;
    if (byte < 0x80 || byte > 0xf4) return 0;
    if (byte >= 0xc0) return count < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? count : 0;
  }
  return 0;
}

function isKey(sequence: string): boolean {
  // An end without its string may come late.
  return (!/^\x1b[[O\]PX^_]/.test(sequence) && sequence !== STRING_END) || KEYS.test(sequence);
}

/** How many characters at the end of `text` may begin `marker`. */
function unfinished(text: string, marker: string): number {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length--)
    if (marker.startsWith(text.slice(-length))) return length;
  return 0;
}
