/** Asks the default gateways of both families to let the peer port be reached from outside (PROTOCOL 7, «Port mapping»). */
import { isIPv6 } from "node:net";

import type { Target } from "../../../net/dialler.ts";
import { defaultGateways } from "./gateways.ts";
import { Mapping } from "./mapping.ts";
import { mapByNatPmp, mapByPcp, mapByUpnp, type Way } from "./ways.ts";

/** Each is tried only if the one before did not answer or cannot. */
const WAYS = { IPv4: [mapByPcp, mapByNatPmp, mapByUpnp], IPv6: [mapByPcp] } as const satisfies {
  [family: string]: readonly Way[];
};

type PortMapperNeeds = {
  /** On which this client listens; undefined: on none. */
  readonly port: () => number | undefined;
  /** Of this account; only with the same one a port is given back. */
  readonly nonce: () => Buffer;
  /** Ms, never set back. */
  readonly monotonic: () => number;
  /** `targets` has changed. */
  readonly changed: () => void;
};

export class PortMapper {
  readonly #mappings: { readonly [family in keyof typeof WAYS]: Mapping };

  constructor({ port, nonce, monotonic, changed }: PortMapperNeeds) {
    const mapping = (family: keyof typeof WAYS) =>
      new Mapping({
        gateway: () => defaultGateways()[family],
        ask: async (gateway) => {
          for (const way of WAYS[family]) {
            const listening = port();
            if (listening === undefined) return undefined;
            const mapped = await way(gateway, listening, nonce());
            if (typeof mapped !== "string") return mapped;
          }
          return undefined;
        },
        monotonic,
        changed,
      });
    this.#mappings = { IPv4: mapping("IPv4"), IPv6: mapping("IPv6") };
  }

  get #all(): readonly Mapping[] {
    return Object.values(this.#mappings);
  }

  /** Where this client can be dialled through its routers: at most one of each family. */
  get targets(): readonly Target[] {
    return this.#all.map(({ target }) => target).filter((target) => target !== undefined);
  }

  /** Begins, unless it has begun; the next `tick` asks. */
  start(): void {
    for (const mapping of this.#all) mapping.start();
  }

  /** The network may be another one: the next `tick` asks anew. */
  lineMayHaveChanged(): void {
    for (const mapping of this.#all) mapping.lineMayHaveChanged();
  }

  /** Others see this client at these addresses. A port of another address leads only to a second router. */
  seenAs(addresses: readonly string[]): void {
    this.#mappings.IPv4.seenAs(addresses.filter((ip) => !isIPv6(ip)));
    this.#mappings.IPv6.seenAs(addresses.filter((ip) => isIPv6(ip)));
  }

  /** To be called about once a second. */
  tick(): void {
    for (const mapping of this.#all) mapping.tick();
  }

  /** Gives the ports back, which takes a second at most. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((mapping) => mapping.stop()));
  }
}
