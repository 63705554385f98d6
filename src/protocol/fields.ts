/**
 * Checks of single fields (PROTOCOL 1): every field from the wire has a type and a cap, and nothing enters the
 * program unchecked. A check takes what `JSON.parse` gave and returns the value as the program uses it, or
 * `INVALID`.
 */

import { hasLongMarkRun, normalForm } from "./normal-form.ts";

export const INVALID: unique symbol = Symbol("invalid");
export type Check<T> = (value: unknown) => T | typeof INVALID;
export type Fields = { readonly [name: string]: Check<unknown> };
/** What a table of checks reads: absent optional fields are present as `undefined`. */
export type Read<F extends Fields> = {
  [K in keyof F]: F[K] extends Check<infer T> ? T : never;
};

/** Number of code points; `text` must be well-formed Unicode. */
export function countCodePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    if ((text.charCodeAt(index) & 0xfc00) !== 0xdc00) count++;
  }
  return count;
}

/** Most code points that NFC composes into one. */
const MAX_COMPOSED = 4;
const ASCII = /^[\0-\x7f]*$/;

/**
 * A string of `min` to `max` code points after NFC; gives the NFC form. The raw length and the runs of combining marks
 * are checked first, since normalising a hostile text would take seconds.
 */
export function text(min: number, max: number): Check<string> {
  const most = MAX_COMPOSED * max;
  return (value) => {
    if (typeof value !== "string") return INVALID;
    // Most ids and names; all that is looked for below is in other characters.
    if (ASCII.test(value)) return value.length < min || value.length > max ? INVALID : value;
    if (!value.isWellFormed()) return INVALID;
    if ((value.length > most && countCodePoints(value) > most) || hasLongMarkRun(value)) return INVALID;
    const normal = normalForm(value);
    const length = countCodePoints(normal);
    return length < min || length > max ? INVALID : normal;
  };
}

/** As `text`, but gives the string unchanged: for what is compared byte by byte or shown as written. */
export function exactText(min: number, max: number): Check<string> {
  const check = text(min, max);
  return (value) => (check(value) === INVALID ? INVALID : (value as string));
}

/** A string of this form, unchanged. */
export function matching(form: RegExp): Check<string> {
  return (value) => (typeof value === "string" && form.test(value) ? value : INVALID);
}

/** A string of at most `max` bytes of UTF-8, unchanged. */
export function utf8Text(max: number): Check<string> {
  return (value) => {
    if (typeof value !== "string" || !value.isWellFormed()) return INVALID;
    // Three bytes is the most that one UTF-16 unit can need.
    return value.length * 3 <= max || Buffer.byteLength(value, "utf8") <= max ? value : INVALID;
  };
}

/** A safe integer from `min` to `max`. */
export function integer(min: number, max: number): Check<number> {
  return (value) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : INVALID;
}

export const boolean: Check<boolean> = (value) => (typeof value === "boolean" ? value : INVALID);

export function oneOf<const T extends string>(...values: readonly T[]): Check<T> {
  return (value) => (values.includes(value as T) ? (value as T) : INVALID);
}

/** A list of at most `max` items, each passing `check`. */
export function list<T>(check: Check<T>, max: number): Check<T[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length > max) return INVALID;
    const items: T[] = [];
    for (const item of value) {
      const read = check(item);
      if (read === INVALID) return INVALID;
      items.push(read);
    }
    return items;
  };
}

/** A list of as many items as there are checks, each passing its own. */
export function tuple<T extends readonly unknown[]>(
  ...checks: { readonly [K in keyof T]: Check<T[K]> }
): Check<T> {
  return (value) => {
    if (!Array.isArray(value) || value.length !== checks.length) return INVALID;
    const items = checks.map((check, index) => check(value[index]));
    return items.includes(INVALID) ? INVALID : (items as readonly unknown[] as T);
  };
}

/** An object with the given fields; others are ignored. */
export function object<F extends Fields>(fields: F): Check<Read<F>> {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return INVALID;
    const read = readFields(fields, value as { [name: string]: unknown });
    return read.ok ? read.value : INVALID;
  };
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value) => (value === undefined ? undefined : check(value));
}

/** Null, or what passes `check`. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value) => (value === null ? null : check(value));
}

/** A check that narrows what another one accepts; `narrow` gives undefined for what it refuses. */
export function refine<T, U>(check: Check<T>, narrow: (value: T) => U | undefined): Check<U> {
  return (value) => {
    const read = check(value);
    if (read === INVALID) return INVALID;
    return narrow(read) ?? INVALID;
  };
}

type ReadResult<T> = { ok: true; value: T } | { ok: false; field: string };

/**
 * Reads `fields` out of an object from the wire. Only own properties count, so that a field called
 * like a member of `Object.prototype` is never found by accident. Names the first wrong field.
 */
export function readFields<F extends Fields>(
  fields: F,
  source: { readonly [name: string]: unknown },
): ReadResult<Read<F>> {
  const value: { [name: string]: unknown } = {};
  for (const name in fields) {
    const check = fields[name] as Check<unknown>;
    const read = check(Object.hasOwn(source, name) ? source[name] : undefined);
    if (read === INVALID) return { ok: false, field: name };
    value[name] = read;
  }
  return { ok: true, value: value as Read<F> };
}
