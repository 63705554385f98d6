/**
 * How often anybody may begin a handshake at the peer port: decided before anything is computed for it, so that
 * whoever comes again and again takes no time from those who are there.
 */
import { Budget } from "./budget.ts";

/** Handshakes at once, and a second: of all strangers' addresses together, of one of their networks, and so for contacts. */
export const KNOCKS = {
  stranger: { all: { burst: 128, perSecond: 50 }, network: { burst: 64, perSecond: 10 } },
  contact: { all: { burst: 256, perSecond: 100 }, network: { burst: 128, perSecond: 50 } },
} as const;
/** How long nobody comes in from a network from which we were flooded, in s. */
const SHUT_OUT = 60;
/** Networks above which those that were quiet for long are forgotten. */
const MAX_QUIET = 512;

const budget = ({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }) =>
  new Budget(burst, perSecond);

export class KnockRate {
  readonly #all = { contact: budget(KNOCKS.contact.all), stranger: budget(KNOCKS.stranger.all) };
  /** A network of strangers may become one of contacts. */
  readonly #byNetwork = { contact: new Map<string, Budget>(), stranger: new Map<string, Budget>() };

  /**
   * @param network as `networkOf` gives it
   * @param from whether it is the network of a contact
   * @param now ms, never set back
   * @returns whether a handshake may begin
   */
  take(network: string, from: "contact" | "stranger", now: number): boolean {
    const budgets = this.#byNetwork[from];
    const own = budgets.get(network) ?? budget(KNOCKS[from].network);
    if (!own.take(now) || !this.#all[from].take(now)) return false;
    // Only who comes in is remembered, so these are few.
    budgets.set(network, own);
    if (budgets.size > MAX_QUIET)
      for (const [each, budget] of budgets) if (budget.isFull(now)) budgets.delete(each);
    return true;
  }

  /** No handshake of this network of strangers begins for a time. @param now ms, never set back */
  shutOut(network: string, now: number): void {
    const { burst, perSecond } = KNOCKS.stranger.network;
    const own = budget(KNOCKS.stranger.network);
    own.spend(now, burst + SHUT_OUT * perSecond);
    this.#byNetwork.stranger.set(network, own);
  }
}
