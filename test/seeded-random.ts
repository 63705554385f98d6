/** Random values that a seed repeats exactly, for tests only. */
export type SeededRandom = {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, below); `below` is at least 1. */
  integer(below: number): number;
  /** One element of `list`, which must not be empty. */
  pick<T>(list: readonly T[]): T;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
};

/** Makes a generator from a 32-bit seed (mulberry32: small, quick, its sequence the same on every machine). */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (below: number): number => Math.floor(next() * below);
  return {
    next,
    integer,
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new RangeError("nothing to pick from");
      return list[integer(list.length)] as T;
    },
    bytes: (length) => Uint8Array.from({ length }, () => integer(256)),
  };
}

/** The seed of PALOMA_TEST_SEED (0 to 2³² − 1), or a new one. A test that fails prints it, so that it can be repeated. */
export function testSeed(): number {
  const given = process.env["PALOMA_TEST_SEED"];
  if (given === undefined || given === "") return Math.floor(Math.random() * 2 ** 32);
  const seed = Number(given);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(`PALOMA_TEST_SEED is not an integer from 0 to 4294967295: ${given}`);
  }
  return seed;
}
