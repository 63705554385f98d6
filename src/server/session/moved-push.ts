/** Tells those who watch a user, and whose clients understand it, that the user's addresses have changed (PROTOCOL 7). */
import { RateTable } from "../limits/rate-table.ts";
import type { OnlineUser, OwnUser } from "../presence/online-user.ts";
import type { Presence } from "../presence/presence.ts";

/** Once in this time for each user, in ms; a change that comes earlier is told at its end. What nobody was told does not count. */
export const MOVED_INTERVAL = 10_000;

export class MovedPush {
  readonly #presence: Presence<OnlineUser, OwnUser>;
  readonly #after: (ms: number, run: () => void) => () => void;
  readonly #told: RateTable;
  readonly #waiting = new Set<string>();

  /** @param clock ms that never go back. @param after calls `run` once after `ms` */
  constructor(
    presence: Presence<OnlineUser, OwnUser>,
    clock: () => number,
    after: (ms: number, run: () => void) => () => void,
  ) {
    this.#presence = presence;
    this.#after = after;
    this.#told = new RateTable({ rate: { burst: 1, perSecond: 1_000 / MOVED_INTERVAL }, clock });
  }

  moved(fold: string): void {
    if (this.#waiting.has(fold)) return;
    const wait = this.#told.wait(fold);
    if (wait === 0) {
      if (this.#tell(fold)) this.#told.take(fold);
      return;
    }
    this.#waiting.add(fold);
    this.#after(wait, () => {
      this.#waiting.delete(fold);
      this.moved(fold);
    });
  }

  /** @returns whether there was anybody to tell */
  #tell(fold: string): boolean {
    const user = this.#presence.find(fold);
    if (user === undefined) return false;
    const told = this.#presence.watchersOf(fold).filter(({ reach }) => reach !== undefined);
    for (const { session } of told)
      session.push({ action: "presence", username: user.username, online: true, moved: true });
    return told.length > 0;
  }
}
