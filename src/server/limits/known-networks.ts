/**
 * The networks from which each account has recently logged in with the right password. Only a right password adds one,
 * and each account has a few entries of its own, so that an attacker cannot displace those of other accounts.
 */

/** Accounts remembered; beyond it the least recently used is forgotten. */
const MAX_ACCOUNTS = 20_000;
/** Networks remembered for one account. */
const MAX_NETWORKS = 8;
/** How long a network stays known after its last use, in ms: 30 days. */
const LIFETIME = 30 * 24 * 3_600_000;

export class KnownNetworks {
  readonly #clock: () => number;
  /** Account → network → last use; both in the order of their last use. */
  readonly #accounts = new Map<string, Map<string, number>>();

  /** @param clock ms that never go back. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  has(account: string, network: string): boolean {
    const lastUse = this.#accounts.get(account)?.get(network);
    return lastUse !== undefined && this.#clock() - lastUse < LIFETIME;
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
