/** What is told of the ends of lanes, and to whom (GROUPS 5, `group_heads`). All that is told is on the disk. */
import { MAX_HEADS } from "./group-link.ts";
import { emptyHead, headFields, Heads, type Head, type HeadFields } from "./heads.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkedPeer } from "./linked-peer.ts";

export class Telling {
  readonly #holdings: Holdings;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** Greets, unless that was done. @returns what was here then */
  greet(peer: LinkedPeer, heads: Heads, now: number): Heads {
    if (peer.greeting === undefined) {
      peer.greets(heads, now);
      peer.link.send({ action: "group_heads", group: this.#holdings.group, sum: heads.sum });
    }
    return peer.greeting ?? heads;
  }

  /**
   * Somebody who speaks of the group, and of whom this side knows nothing: a copy may have been put back from before they
   * were admitted. They are told what is here of our own control alone, so that they give what they have. When somebody
   * writes, and how much, is nothing for strangers.
   */
  tellOwn(peer: LinkedPeer, heads: Heads, own: string | undefined): void {
    const head = own === undefined ? undefined : heads.of.get(own);
    if (own !== undefined && head !== undefined)
      this.#tellOnly(peer, [[own, { ...emptyHead(own), c: head.c, cid: head.cid }]]);
  }

  /**
   * Who has been ended here may know what makes that void, as may be control entries of somebody above. They are told what
   * they are given anyway: lanes of control up to their end.
   */
  tellControl(peer: LinkedPeer, heads: Heads): void {
    const end = this.#holdings.endOf(peer.link.key) ?? 0;
    const told = [...heads.of.keys()].flatMap((feed): [string, Head][] => {
      const last = this.#holdings.lanes.control(feed).findLast(({ seq }) => seq > 0 && seq <= end);
      return last === undefined ? [] : [[feed, { ...emptyHead(feed), c: last.number, cid: last.id }]];
    });
    if (told.length > 0) this.#tellOnly(peer, told);
  }

  /** The sum is of these alone: that of all would tell them whenever something is written. */
  #tellOnly(peer: LinkedPeer, told: readonly (readonly [feed: string, head: Head])[]): void {
    this.#send(
      peer,
      new Heads(new Map(told)),
      told.map(([feed, head]) => headFields(feed, head)),
    );
  }

  /** Tells all heads, or what has changed of them, if it is time. @returns whether there was anything to tell */
  tell(peer: LinkedPeer, heads: Heads, now: number): boolean {
    const fields = peer.headsToTell(heads, now);
    if (fields === undefined) return false;
    const { since } = this.#holdings;
    this.#send(peer, heads, fields, since > 0 ? { since } : {});
    return true;
  }

  #send(
    peer: LinkedPeer,
    { sum }: Heads,
    fields: readonly HeadFields[],
    more: { since?: number } = {},
  ): void {
    for (let from = 0; from === 0 || from < fields.length; from += MAX_HEADS) {
      const heads = fields.slice(from, from + MAX_HEADS);
      peer.link.send({ action: "group_heads", group: this.#holdings.group, sum, heads, ...more });
    }
  }
}
