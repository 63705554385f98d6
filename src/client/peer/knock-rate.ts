/**
 * How often anybody may begin a handshake at the peer port: decided before anything is computed for it, so that
 * whoever comes again and again takes no time from those who are there.
 */
import { Budget } from "./budget.ts";

/** Handshakes of all strangers' addresses together, and apart from these of all contacts': at once, and a second. */
export const KNOCKS = { burst: 128, perSecond: 50 } as const;
/** Of one network. */
export const KNOCKS_OF_NETWORK = { burst: 64, perSecond: 10 } as const;
/** Networks above which those that were quiet for long are forgotten. */
const MAX_QUIET = 512;

const budget = ({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }) =>
  new Budget(burst, perSecond);

export class KnockRate {
  readonly #all = { contact: budget(KNOCKS), stranger: budget(KNOCKS) };
  readonly #byNetwork = new Map<string, Budget>();

  /**
   * @param network as `networkOf` gives it
   * @param from whether it is the network of a contact
   * @param now ms, never set back
   * @returns whether a handshake may begin
   */
  take(network: string, from: "contact" | "stranger", now: number): boolean {
    const own = this.#byNetwork.get(network) ?? budget(KNOCKS_OF_NETWORK);
    if (!own.take(now) || !this.#all[from].take(now)) return false;
    // Only who comes in is remembered, so these are few.
    this.#byNetwork.set(network, own);
    if (this.#byNetwork.size > MAX_QUIET)
      for (const [each, budget] of this.#byNetwork) if (budget.isFull(now)) this.#byNetwork.delete(each);
    return true;
  }
}
