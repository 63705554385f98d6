/**
 * The one function between any text from outside and the quotation marks of a sentence of ours: «…» in Spanish, “…”
 * in English. The result cannot end the quotation, so that what follows the closing mark is always our own.
 *
 * The text is made visible; each run of quotation marks, or of what looks like them, becomes one `'`.
 */
import { visibleText } from "./visible-text.ts";

/** UTF-16 units of the text that are read: the longest path has no more. */
const MAX_QUOTED = 4_096;

/** Quotation marks that Unicode knows by another property or as letters, brackets or signs. */
const LOOK_ALIKES = [
  "≪≫⋘⋙⪡⪢⟪⟫《》〈〉⟨⟩\u2329\u232a❮❯❬❭❰❱≺≻⪻⪼⦉⦊⦑⦒⧼⧽˂˃˱˲ᐸᐳᗕᗒ",
  "❛❜❝❞❟❠🙶🙷🙸",
  "′″‴⁗‵‶‷´`ˊˋʹʺʻʼʽˈˮ˝˵˶״׳՚՛՝ߴߵ〃\u055aꞋꞌ\u0374΄᾽᾿῾῍῎῏῝῞῟",
].join("");
/** One of them is a quotation mark, or may be taken for one. */
const MARK = `[\\p{Quotation_Mark}${LOOK_ALIKES}]`;
const MARKS = new RegExp(`${MARK}(?:[\\p{M}]*${MARK})*`, "gu");
/** Marks that are drawn above a space look like a closing quotation mark of their own. */
const MARK_ON_SPACE = /(?<=\s|^)\p{M}+/gu;
/** Two of them side by side look like « and », with an accent too. */
const ANGLES = /[<>＜＞﹤﹥]\p{M}*(?=[<>＜＞﹤﹥])/gu;

/**
 * The text as it may stand between quotation marks.
 * @param options.lines line feeds stay, as in `visibleText`; the caller indents what follows them
 */
export function quotedText(text: string, options: { lines?: boolean } = {}): string {
  const isLong = text.length > MAX_QUOTED;
  const start = isLong ? `${text.slice(0, MAX_QUOTED).replace(/[\ud800-\udbff]$/, "")}…` : text;
  return visibleText(start, options).replace(MARK_ON_SPACE, "").replace(MARKS, "'").replace(ANGLES, "$& ");
}

/** Names with no other characters stand in a sentence as they are. */
const BARE_NAME = /^[\p{L}\p{M}\p{N}._-]*$/u;

/**
 * A name as it may stand in a sentence or a column of ours. Names of old accounts may have spaces and punctuation,
 * with which they could go on in our voice; these stand in straight quotation marks.
 */
export function quotedName(name: string): string {
  const shown = quotedText(name);
  return BARE_NAME.test(shown) ? shown : `"${shown}"`;
}
