/**
 * The one function between any remote text and a terminal or a log (ARCHITECTURE rule 10): the result cannot
 * move a cursor, set a title, reach a clipboard, reverse a line or hide characters.
 *
 * Control characters become visible symbols, so that an attack is seen; invisible format characters are removed,
 * except where they build an emoji.
 */

/** Most combining marks kept on one base character: real scripts need fewer, "Zalgo" text stacks dozens. */
const MAX_MARKS = 6;
/** Most tag characters kept after a black flag: the longest subdivision flag has six and the end tag. */
const MAX_TAGS = 7;

const PICTOGRAPH = /^\p{Extended_Pictographic}$/u;
const MARK = /^\p{M}$/u;
const INVISIBLE = /^[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]$/u;
const BLANK = /^[\s\u2800\p{Cf}\p{Default_Ignorable_Code_Point}]*$/u;
const UNASSIGNED = /^[\p{Cn}\p{Co}\p{Cs}]$/u;
const SAFE = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff]*$/;
const ODD_SPACE = /^[\p{Zs}]$/u;

const ZERO_WIDTH_JOINER = 0x200d;
const VARIATION_SELECTOR_TEXT = 0xfe0e;
const VARIATION_SELECTOR_EMOJI = 0xfe0f;
const BLACK_FLAG = 0x1f3f4;

function controlPicture(code: number): string {
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

function isShownPictograph(point: string): boolean {
  // Code points reserved for future pictographs are replaced like all unassigned ones.
  return PICTOGRAPH.test(point) && !UNASSIGNED.test(point);
}

function isSkinTone(code: number): boolean {
  return code >= 0x1f3fb && code <= 0x1f3ff;
}

/** Whether nothing of a text is seen: it has only spaces (U+2800 looks like one) and invisible characters, if any. */
export function isBlank(text: string): boolean {
  return BLANK.test(text);
}

/**
 * The text as it may be shown: one line, or with `lines: true` several (line feeds stay, CR LF counts as one, a tab
 * becomes spaces), which the caller indents.
 */
export function visibleText(input: string, options: { lines?: boolean } = {}): string {
  if (SAFE.test(input)) return input;
  const points = [...input.toWellFormed()];
  let output = "";
  let marks = 0;
  let tags = 0;
  // The last pictograph that a joiner, a selector or a tag may attach to; 0 when there is none.
  let emoji = 0;
  for (let index = 0; index < points.length; index++) {
    const point = points[index] as string;
    const code = point.codePointAt(0) as number;
    if (options.lines === true) {
      if (code === 0x0d && points[index + 1] === "\n") continue;
      if (code === 0x0a) {
        output += "\n";
        marks = emoji = 0;
        continue;
      }
      if (code === 0x09) {
        output += "    ";
        marks = emoji = 0;
        continue;
      }
    }
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) {
      output += controlPicture(code);
      marks = emoji = 0;
    } else if (code === ZERO_WIDTH_JOINER) {
      const next = points[index + 1];
      if (emoji !== 0 && next !== undefined && isShownPictograph(next)) output += point;
      // Two joiners in a row attach to nothing.
      emoji = 0;
    } else if (code === VARIATION_SELECTOR_TEXT || code === VARIATION_SELECTOR_EMOJI) {
      const previous = points[index - 1] ?? "";
      // One is enough: hundreds of them would hide a message in what looks like an emoji.
      if (isShownPictograph(previous) || /^[#*0-9]$/.test(previous)) output += point;
    } else if (code >= 0xe0020 && code <= 0xe007f) {
      if (emoji === BLACK_FLAG && tags < MAX_TAGS) {
        output += point;
        tags++;
      }
    } else if (isSkinTone(code)) {
      output += point;
      if (emoji === 0) emoji = code;
    } else if (INVISIBLE.test(point)) {
      if (code === 0x2028 || code === 0x2029) {
        output += options.lines === true ? "\n" : " ";
        marks = emoji = 0;
      }
    } else if (MARK.test(point)) {
      marks++;
      if (marks <= MAX_MARKS) output += point;
    } else if (UNASSIGNED.test(point)) {
      output += "\ufffd";
      marks = emoji = 0;
    } else {
      output += ODD_SPACE.test(point) ? " " : point;
      marks = 0;
      tags = 0;
      emoji = PICTOGRAPH.test(point) ? code : 0;
    }
  }
  return output;
}

/** Control, format, invisible and line separator characters: they could move the cursor, reverse a line or hide text. */
const UNSAFE_IN_TERMINAL = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/gu;

/** A character as JSON escapes; beyond U+FFFF two of them. */
function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** A value as JSON on one line, without a line feed, with every unsafe character escaped. */
export function visibleJson(value: object): string {
  return JSON.stringify(value).replace(UNSAFE_IN_TERMINAL, escaped);
}

/** As `visibleJson`, with a line feed at its end. */
export function jsonLine(value: object): string {
  return `${visibleJson(value)}\n`;
}
