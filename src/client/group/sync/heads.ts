/** The ends of all lanes of a group at one moment, as one side tells them to another (GROUPS 5, `group_heads`). */
import { hash } from "node:crypto";

/** `c`, `t`: the last numbers that count, 0: none. `first`: the first text that is held. `read`: by the person. */
export type Head = {
  readonly c: number;
  readonly cid: string;
  readonly first: number;
  readonly t: number;
  readonly tid: string;
  readonly read: number;
};

/** As it travels: of the ids the first 22 characters, which cannot be forged in useful time. */
export type HeadFields = readonly [
  feed: string,
  c: number,
  cid: string,
  first: number,
  t: number,
  tid: string,
  read: number,
];

export const SHORT_ID = 22;

/** The head of a feed of which nothing is held. */
export function emptyHead(feed: string): Head {
  return { c: 0, cid: feed, first: 0, t: 0, tid: feed, read: 0 };
}

export function headFields(feed: string, { c, cid, first, t, tid, read }: Head): HeadFields {
  return [feed, c, cid.slice(0, SHORT_ID), first, t, tid.slice(0, SHORT_ID), read];
}

export function isSameHead(one: HeadFields, other: HeadFields): boolean {
  return one.every((field, index) => field === other[index]);
}

export class Heads {
  /** Of each feed of which something is held. */
  readonly of: ReadonlyMap<string, Head>;
  #sum: string | undefined;

  constructor(of: ReadonlyMap<string, Head>) {
    this.of = of;
  }

  /** Equal sums mean equal stores: hash of the lines `feed c id t id`, sorted by feed. */
  get sum(): string {
    if (this.#sum === undefined) {
      const lines = [...this.of].map(([feed, { c, cid, t, tid }]) => `${feed} ${c} ${cid} ${t} ${tid}\n`);
      this.#sum = hash("sha256", lines.sort().join(""), "base64url");
    }
    return this.#sum;
  }
}
