/** What is told of the ends of lanes, and to whom (GROUPS 5, `group_heads`). All that is told is on the disk. */
import { MAX_HEADS } from "./group-link.ts";
import { emptyHead, headFields, type HeadFields, type Heads } from "./heads.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkedPeer } from "./linked-peer.ts";

export class Telling {
  readonly #holdings: Holdings;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** Greets, unless that was done. @returns what was here then */
  greet(peer: LinkedPeer, heads: Heads): Heads {
    if (peer.greeting === undefined) {
      peer.greeting = heads;
      peer.greetingsSent++;
      peer.link.send({ action: "group_heads", group: this.#holdings.group, sum: heads.sum });
    }
    return peer.greeting;
  }

  /**
   * Somebody who speaks of the group, and of whom this side knows nothing: a copy may have been put back from before they
   * were admitted. They are told what is here of our own feed alone, so that they give what they have.
   */
  tellOwn(peer: LinkedPeer, heads: Heads, own: string | undefined): void {
    const head = own === undefined ? undefined : heads.of.get(own);
    if (own !== undefined && head !== undefined) this.#send(peer, heads, [headFields(own, head)]);
  }

  /**
   * Who has been ended here may know what makes that void, as may be control entries of somebody above. They are told what
   * they are given anyway: lanes of control up to their end.
   */
  tellControl(peer: LinkedPeer, heads: Heads): void {
    const end = this.#holdings.endOf(peer.link.key) ?? 0;
    const fields = [...heads.of.keys()].flatMap((feed) => {
      const last = this.#holdings.lanes.control(feed).findLast(({ seq }) => seq > 0 && seq <= end);
      if (last === undefined) return [];
      return [headFields(feed, { ...emptyHead(feed), c: last.number, cid: last.id })];
    });
    if (fields.length > 0) this.#send(peer, heads, fields);
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
