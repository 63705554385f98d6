/** Texts of others that somebody has named and nobody gives: each gap is told once (GROUPS 13). Pure. */

/** How long a gap stays as it is before it is told, in ms. */
const PATIENCE = 10_000;

type Gap = {
  readonly missing: number;
  /** Since when so many are missing, of the monotonic clock. */
  readonly since: number;
  readonly state: "young" | "told" | "shown";
};

export class Gaps {
  #gaps: ReadonlyMap<string, Gap> = new Map();

  /**
   * To be called about once a second.
   * @param missing how many texts of which feeds are missing, each more than 0
   * @param now ms of the monotonic clock
   * @returns the feeds whose gaps are to be told now
   */
  look(missing: ReadonlyMap<string, number>, now: number): string[] {
    const due: string[] = [];
    const next = new Map<string, Gap>();
    for (const [feed, count] of missing) {
      const known = this.#gaps.get(feed) ?? { missing: count, since: now, state: "young" };
      const since = known.missing === count ? known.since : now;
      const isDue = known.state === "young" && now - since >= PATIENCE;
      if (isDue) due.push(feed);
      next.set(feed, { missing: count, since, state: isDue ? "told" : known.state });
    }
    this.#gaps = next;
    return due;
  }

  /** The feeds whose gaps were told, and not yet shown to the person. */
  get unshown(): string[] {
    return [...this.#gaps].filter(([, { state }]) => state === "told").map(([feed]) => feed);
  }

  /** The person has seen what was told. */
  shown(): void {
    this.#gaps = new Map(
      [...this.#gaps].map(([feed, gap]) => [feed, gap.state === "told" ? { ...gap, state: "shown" } : gap]),
    );
  }
}
