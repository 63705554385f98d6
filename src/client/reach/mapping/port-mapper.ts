/** Asks the default gateways of both families to let the peer port be reached from outside (PROTOCOL 7, «Port mapping»). */
import { isIPv6 } from "node:net";

import type { Target } from "../../../net/dialler.ts";
import { defaultGateways } from "../../rendezvous/gateways.ts";
import { Mapping } from "./mapping.ts";
import { mapByNatPmp, mapByPcp, mapByUpnp, type Mapped } from "./ways.ts";

const WAYS = { pcp: mapByPcp, nat_pmp: mapByNatPmp, upnp: mapByUpnp };
export type WayName = keyof typeof WAYS;

/** Each is tried only if the one before did not answer or cannot. */
const WAYS_OF = { IPv4: ["pcp", "nat_pmp", "upnp"], IPv6: ["pcp"] } as const satisfies {
  [family: string]: readonly WayName[];
};

/** What a gateway has answered last. */
export type GatewayAnswers = {
  readonly gateway: string;
  /** The port that it has opened, or the code of why it has not; in the order in which they were asked. */
  readonly answers: readonly { readonly way: WayName; readonly answer: Omit<Mapped, "release"> | string }[];
  /** Whether what it has opened is of use: it leads here from outside. */
  readonly isOpen: boolean;
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
  readonly #mappings: { readonly [family in keyof typeof WAYS_OF]: Mapping };
  readonly #answers = new Map<Mapping, Omit<GatewayAnswers, "isOpen">>();

  constructor({ port, nonce, monotonic, changed }: PortMapperNeeds) {
    const mapping = (family: keyof typeof WAYS_OF): Mapping => {
      const made: Mapping = new Mapping({
        gateway: () => defaultGateways()[family],
        ask: async (gateway) => {
          const answers: { way: WayName; answer: Omit<Mapped, "release"> | string }[] = [];
          this.#answers.set(made, { gateway, answers });
          for (const way of WAYS_OF[family]) {
            const listening = port();
            if (listening === undefined) return undefined;
            const answer = await WAYS[way](gateway, listening, nonce());
            answers.push({ way, answer });
            if (typeof answer !== "string") return answer;
          }
          return undefined;
        },
        monotonic,
        changed,
      });
      return made;
    };
    this.#mappings = { IPv4: mapping("IPv4"), IPv6: mapping("IPv6") };
  }

  get #all(): readonly Mapping[] {
    return Object.values(this.#mappings);
  }

  /** Where this client can be dialled through its routers: at most one of each family. */
  get targets(): readonly Target[] {
    return this.#all.map(({ target }) => target).filter((target) => target !== undefined);
  }

  /** What was answered last, of each gateway that was asked. */
  get answers(): readonly GatewayAnswers[] {
    return this.#all.flatMap((mapping) => {
      const answers = this.#answers.get(mapping);
      return answers === undefined ? [] : [{ ...answers, isOpen: mapping.target !== undefined }];
    });
  }

  /** Asks now where no port is open, also shortly after a failure. Resolves when the gateways have answered. */
  async askNow(): Promise<void> {
    await Promise.all(this.#all.map((mapping) => mapping.askNow()));
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
