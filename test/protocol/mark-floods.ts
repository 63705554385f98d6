/** Texts on which normal forms are slow, and a guard that fails a test in which one of them is normalised. */

/** UTF-16 units of marks in each flood: their NFC takes seconds. */
const UNITS = 64 * 1024;
/** Names have no run that is longer than a name: nothing that is this short takes a millisecond. */
const SHORT = 512;

export const MARK_FLOODS: readonly (readonly [name: string, text: string])[] = [
  ["marks above and then below", `a${"\u0300".repeat(UNITS / 2)}${"\u0316".repeat(UNITS / 2)}`],
  ["marks of alternating classes", `a${"\u0316\u0300".repeat(UNITS / 2)}`],
  ["Tibetan vowel signs", `\u0f40${"\u0f72\u0f71".repeat(UNITS / 2)}`],
  ["Hebrew points", `\u05d0${"\u05b1\u05b0".repeat(UNITS / 2)}`],
];

/** From now on a long run of marks is not normalised but an error. @returns a function that ends this */
export function guardNormalForms(): () => void {
  const { normalize } = String.prototype;
  String.prototype.normalize = function (this: string, form?: string): string {
    if (this.length > SHORT && /\p{M}{31}/u.test(this)) throw new Error("a flood of marks is normalised");
    return normalize.call(this, form);
  };
  return () => {
    String.prototype.normalize = normalize;
  };
}
