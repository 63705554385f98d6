/**
 * One port that a gateway keeps open, in one family of addresses: asked for at first, at half of its lease, and after a
 * change of address; not before ten minutes after a failure. One that leads only to another router is of no use.
 */
import { MIN_CANDIDATE_PORT } from "../../../protocol/rendezvous-messages.ts";
import { isPrivate, parseDialableAddress } from "../../../protocol/ip-address.ts";
import type { Target } from "../../../net/dialler.ts";
import { WANTED_LIFETIME, type Mapped } from "./ways.ts";

/** In ms. */
export const AFTER_FAILURE = 600_000;
/** While there is no gateway, it is looked for this often, in ms. */
export const GATEWAY_INTERVAL = 10_000;
/** The soonest that a port is asked for again, however short its lease, in ms. */
const MIN_RENEWAL = 60_000;
const MAX_RENEWAL = (WANTED_LIFETIME * 1_000) / 2;

type MappingNeeds = {
  /** Undefined: there is none. */
  readonly gateway: () => string | undefined;
  /** Asks the gateway. @returns undefined: it opens no port */
  readonly ask: (gateway: string) => Promise<Mapped | undefined>;
  /** Ms, never set back. */
  readonly monotonic: () => number;
  /** The port has come, gone, or is another one. */
  readonly changed: () => void;
};

/** `until`: by the monotonic clock. */
type Lease = { readonly mapped: Mapped; readonly until: number };

type State =
  | { readonly name: "off" }
  /** `at`: when it is asked for, by the monotonic clock. */
  | { readonly name: "waiting"; readonly at: number; readonly lease: Lease | undefined }
  | { readonly name: "asking"; readonly lease: Lease | undefined };

export class Mapping {
  readonly #needs: MappingNeeds;
  #state: State = { name: "off" };
  /** This client's addresses as others see them, of the family; none: not known. */
  #seenAs: readonly string[] = [];
  /** The end of the question that was asked last. */
  #answered: Promise<void> = Promise.resolve();

  constructor(needs: MappingNeeds) {
    this.#needs = needs;
  }

  /** Where this client can be dialled; undefined: no port is open. */
  get target(): Target | undefined {
    const lease = this.#lease;
    return lease === undefined ? undefined : { ip: lease.mapped.ip, port: lease.mapped.port };
  }

  get #lease(): Lease | undefined {
    if (this.#state.name === "off" || this.#state.lease === undefined) return undefined;
    return this.#needs.monotonic() < this.#state.lease.until ? this.#state.lease : undefined;
  }

  /** Begins, unless it has begun. */
  start(): void {
    if (this.#state.name === "off") this.#askAt(this.#needs.monotonic(), undefined);
  }

  /** Asks now, unless a port is open; resolves when the gateway has answered. */
  async askNow(): Promise<void> {
    const { name } = this.#state;
    if (name === "off" || (name === "waiting" && this.#lease === undefined))
      this.#askAt(this.#needs.monotonic(), undefined);
    this.tick();
    await this.#answered;
  }

  /** The network may be another one. */
  lineMayHaveChanged(): void {
    if (this.#state.name !== "off") this.#askAt(this.#needs.monotonic(), undefined);
  }

  /** Others see this client at these addresses of the family; none: not known. */
  seenAs(addresses: readonly string[]): void {
    this.#seenAs = addresses;
    const lease = this.#lease;
    if (lease === undefined || this.#isOfUse(lease.mapped)) return;
    void lease.mapped.release();
    this.#askAt(this.#needs.monotonic() + AFTER_FAILURE, undefined);
    this.#needs.changed();
  }

  /** To be called about once a second. */
  tick(): void {
    const state = this.#state;
    const now = this.#needs.monotonic();
    if (state.name !== "waiting" || now < state.at) return;
    const gateway = this.#needs.gateway();
    if (gateway === undefined) this.#askAt(now + GATEWAY_INTERVAL, state.lease);
    else this.#answered = this.#ask(gateway, state.lease);
  }

  /** Gives the port back. */
  async stop(): Promise<void> {
    const lease = this.#lease;
    this.#state = { name: "off" };
    if (lease === undefined) return;
    this.#needs.changed();
    await lease.mapped.release();
  }

  #askAt(at: number, lease: Lease | undefined): void {
    this.#state = { name: "waiting", at, lease };
  }

  async #ask(gateway: string, lease: Lease | undefined): Promise<void> {
    const asking: State = { name: "asking", lease };
    this.#state = asking;
    const mapped = await this.#needs.ask(gateway);
    const state = this.#state as State;
    if (state !== asking) {
      // After a change of address it may be the one that is asked for now.
      if (state.name === "off") await mapped?.release();
      return;
    }
    const before = this.target;
    const now = this.#needs.monotonic();
    if (mapped === undefined) this.#askAt(now + AFTER_FAILURE, lease);
    else if (this.#isOfUse(mapped)) {
      const lasts = mapped.lifetime * 1_000;
      const renewal = Math.min(Math.max(lasts / 2, MIN_RENEWAL), MAX_RENEWAL);
      this.#askAt(now + renewal, { mapped, until: now + lasts });
    } else {
      void mapped.release();
      this.#askAt(now + AFTER_FAILURE, undefined);
    }
    const after = this.target;
    if (before?.ip !== after?.ip || before?.port !== after?.port) this.#needs.changed();
  }

  #isOfUse({ ip, port, lifetime }: Mapped): boolean {
    const isOuter = parseDialableAddress(ip) === ip && !isPrivate(ip);
    const isSeen = this.#seenAs.length === 0 || this.#seenAs.includes(ip);
    return isOuter && isSeen && port >= MIN_CANDIDATE_PORT && lifetime > 0;
  }
}
