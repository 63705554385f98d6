/**
 * How often others may ask us to be met, contacts and strangers apart: these take none of the others' places. The server
 * has bounds, too (PROTOCOL 7), but it may be hostile, and the meetings last longer here than there.
 */
import { Budget } from "../peer/limits/budget.ts";

/** So many meetings at one time, and so many invitations that are looked at. */
export const INVITED = {
  contact: { atOnce: 8, burst: 32, perSecond: 4 },
  stranger: { atOnce: 4, burst: 16, perSecond: 1 },
} as const;

export class Inviters {
  readonly #atOnce: number;
  readonly #rate: Budget;
  #underWay = 0;

  constructor(who: keyof typeof INVITED) {
    const { atOnce, burst, perSecond } = INVITED[who];
    this.#atOnce = atOnce;
    this.#rate = new Budget(burst, perSecond);
  }

  /** @param now ms, never set back */
  mayAsk(now: number): boolean {
    return this.#underWay < this.#atOnce && this.#rate.take(now);
  }

  /** A meeting of one of them, if there is a place. */
  async meet(meeting: () => Promise<void>): Promise<void> {
    if (this.#underWay >= this.#atOnce) return;
    this.#underWay++;
    await meeting().finally(() => this.#underWay--);
  }
}
