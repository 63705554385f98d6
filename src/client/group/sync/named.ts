/** Which texts members have named that are not here: those that come after all that are (GROUPS 13). */
import type { Holdings } from "./holdings.ts";
import type { Term } from "./membership.ts";

export class Named {
  readonly #holdings: Holdings;
  /** The last text of each feed that a member has said to hold in this run, and which term has. */
  readonly #last = new Map<string, { readonly t: number; readonly by: string }>();

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** The member of this term has a feed up to this text. The feed is of a term: anybody can make up others. */
  says(by: string, feed: string, t: number): void {
    if (t > this.#of(feed)) this.#last.set(feed, { t, by });
  }

  /** Of which feeds some are missing, and how many; also those that nobody linked now has named. */
  get gaps(): ReadonlyMap<string, number> {
    const terms = [...this.#last.keys()].flatMap((feed) => this.#holdings.term(feed) ?? []);
    const readable = terms.filter((term) => this.#holdings.isReadable(term));
    return new Map(
      readable.map((term) => [term.feed, this.behind(term)] as const).filter(([, count]) => count > 0),
    );
  }

  /** How many are missing of this term. */
  behind({ feed, cutT }: Term): number {
    return Math.max(0, Math.min(this.#of(feed), cutT) - this.#holdings.lanes.end(feed, "t").number);
  }

  /** Who was removed since is not believed any longer. */
  #of(feed: string): number {
    const { t = 0, by = "" } = this.#last.get(feed) ?? {};
    return this.#holdings.term(by)?.state === "member" ? t : 0;
  }
}
