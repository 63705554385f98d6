/** Counts by key, and the key with the largest count; every operation takes constant time. */
export class Tally {
  readonly #counts = new Map<string, number>();
  /** Count → the keys that have it. */
  readonly #keys = new Map<number, Set<string>>();
  #most = 0;
  #total = 0;

  /** The sum of all counts. */
  get total(): number {
    return this.#total;
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** The largest count; 0 if there are no keys. */
  get most(): number {
    return this.#most;
  }

  /** The key with the largest count; of several, the one that reached it first. */
  get largest(): string | undefined {
    const [first] = this.#keys.get(this.#most) ?? [];
    return first;
  }

  add(key: string): void {
    this.#move(key, this.of(key) + 1);
  }

  /** Does nothing for a key with the count 0. */
  remove(key: string): void {
    if (this.#counts.has(key)) this.#move(key, this.of(key) - 1);
  }

  #move(key: string, count: number): void {
    const before = this.of(key);
    this.#total += count - before;
    const left = this.#keys.get(before);
    left?.delete(key);
    if (left?.size === 0) this.#keys.delete(before);
    if (count === 0) this.#counts.delete(key);
    else {
      this.#counts.set(key, count);
      const reached = this.#keys.get(count);
      if (reached === undefined) this.#keys.set(count, new Set([key]));
      else reached.add(key);
    }
    // Counts change by one: if the only key with the largest count loses one, it still has the largest.
    if (count > this.#most || !this.#keys.has(this.#most)) this.#most = count;
  }
}
