/**
 * From where an account was logged in to with the right password lately. Only a right password writes here,
 * and each account has few places of its own, so that nobody can push somebody else's out with one account.
 */

/** Accounts remembered; then the one that was used the longest ago is forgotten. */
const MAX_ACCOUNTS = 20_000;
/** Networks remembered of one account. */
const MAX_NETWORKS = 8;
/** How long a network stays familiar, in ms: 30 days. */
const FAMILIAR = 30 * 24 * 3_600_000;

export class FamiliarAddresses {
  readonly #clock: () => number;
  /** Account → network → when; both in the order of their last use. */
  readonly #accounts = new Map<string, Map<string, number>>();

  /** @param clock ms that never go back. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  has(account: string, network: string): boolean {
    const at = this.#accounts.get(account)?.get(network);
    return at !== undefined && this.#clock() - at < FAMILIAR;
  }

  add(account: string, network: string): void {
    const networks = this.#accounts.get(account) ?? new Map<string, number>();
    this.#accounts.delete(account);
    this.#accounts.set(account, networks);
    networks.delete(network);
    networks.set(network, this.#clock());
    dropFirst(networks, MAX_NETWORKS);
    dropFirst(this.#accounts, MAX_ACCOUNTS);
  }
}

function dropFirst(map: Map<string, unknown>, max: number): void {
  const [first] = map.keys();
  if (map.size > max && first !== undefined) map.delete(first);
}
