/** How people are connected to the rest: as what others see them, and which dials reach them. */
import type { RelayUse } from "../../../src/client/disk/schema.ts";
import type { SeededRandom } from "../../seeded-random.ts";

export type Site = {
  /** `cone`: it keeps the port of a machine, whoever is dialled. `symmetric`: it takes another one for each connection. */
  readonly nat: "none" | "cone" | "symmetric";
  /** There is no firewall, or the router forwards the peer port. */
  readonly isOpen: boolean;
  /** The router; machines of one home reach each other if it has a NAT. */
  readonly home: number;
  /** What others see. */
  readonly ip: string;
};

export const PEER_PORT = 9_000;
/** The server's port for meetings. */
export const MEETING_PORT = { ip: "198.51.100.1", port: 8_444 };

export type Situated = {
  readonly site: Site;
  /** The machine's own. */
  readonly address: string;
  readonly relay: RelayUse;
};

/** @param machine its number in its home */
export function ownAddress({ nat, home, ip }: Site, machine: number): string {
  return nat === "none" ? ip : `192.168.${home}.${machine}`;
}

/** Whether both are in one home, and know of each other. */
export function areAtHome(one: Situated, other: Situated): boolean {
  if (one.relay === "only" || other.relay === "only") return false;
  const [here, there] = [one.site, other.site];
  return here.nat !== "none" && there.nat !== "none" && here.home === there.home;
}

/** Whether everybody reaches the peer port. */
export function isOpen({ site, relay }: Situated): boolean {
  return site.isOpen && relay !== "only";
}

/** Whether a dial from `one` to the peer port at this address of `other` arrives. */
export function canDial(one: Situated, other: Situated, ip: string): boolean {
  if (ip === other.address && areAtHome(one, other)) return true;
  return ip === other.site.ip && isOpen(other);
}

/** Whether each way between the two is a direct one, or none: two may still find one if they dial at the same moment. */
export function directWay(one: Situated, other: Situated): "dialled" | "punched" | "none" {
  if (one.relay === "only" || other.relay === "only") return "none";
  if (areAtHome(one, other) || isOpen(one) || isOpen(other)) return "dialled";
  return one.site.nat === "symmetric" || other.site.nat === "symmetric" ? "none" : "punched";
}

/** Makes sites that are of nobody yet. */
export class Sites {
  readonly #random: SeededRandom;
  #count = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  newAddress(): string {
    return `203.0.113.${++this.#count % 250}`;
  }

  open(): Site {
    const ip = this.newAddress();
    return { nat: "none", isOpen: true, home: this.#count % 250, ip };
  }

  draw(): Site {
    const nat = this.#random.pick(["none", "cone", "cone", "symmetric"] as const);
    return { ...this.open(), nat, isOpen: this.#random.integer(4) === 0 };
  }
}
