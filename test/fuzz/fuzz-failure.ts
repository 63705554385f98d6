/** The fuzzer's checks, and its random numbers by seed and step. */
import { seededRandom, type SeededRandom } from "../seeded-random.ts";

/** A check failed. */
export class FuzzFailure extends Error {}

/** @throws FuzzFailure unless `holds`. */
export function mustHold(holds: boolean, what: string, ...shown: unknown[]): asserts holds {
  if (holds) return;
  const details = shown.map((each) => {
    const text = typeof each === "string" ? each : (JSON.stringify(each) ?? String(each));
    return text.length > 600 ? `${text.slice(0, 600)}… (${text.length})` : text;
  });
  throw new FuzzFailure([what, ...details].join("\n  "));
}

/** The random numbers of one step, independent of the steps before it. */
export function randomOfStep(seed: number, step: number): SeededRandom {
  return seededRandom((Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(step + 1, 0xc2b2ae35)) >>> 0);
}

/** @returns what `work` gives. @throws FuzzFailure if that takes longer than `limit` ms */
export async function within<T>(limit: number, work: Promise<T>, what: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FuzzFailure(`after ${limit} ms: ${what()}`)), limit);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

const BUILT_IN: readonly object[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Number.prototype,
  Map.prototype,
];
const MEMBERS = BUILT_IN.map((each) => Reflect.ownKeys(each).length);

/** @throws FuzzFailure if a message has changed a built-in prototype */
export function expectUntouchedPrototypes(): void {
  BUILT_IN.forEach((each, index) => {
    const keys = Reflect.ownKeys(each);
    mustHold(keys.length === MEMBERS[index], "a prototype was changed", keys.map(String).slice(-5));
  });
}
