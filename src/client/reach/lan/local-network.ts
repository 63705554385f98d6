/**
 * Contacts on the same local network find each other, also without a server and without a way out of it (PROTOCOL 7).
 *
 * 1. A beacon is sent on each interface every 30 s, and three times, a second apart, at first and after a change of address.
 * 2. Beacons of contacts are kept for 90 s (`nearby.ts`), and are the first addresses that are dialled. Nothing is answered.
 */
import { errorCode } from "../../../net/error-code.ts";
import { Multicast } from "../../../net/datagrams.ts";
import type { Target } from "../../../net/dialler.ts";
import { BEACON_GROUPS, BEACON_PORT, NONCE_LENGTH, writeBeacon } from "./beacon.ts";
import { localInterfaces, onLink, type LocalInterface } from "./interfaces.ts";
import { Nearby } from "./nearby.ts";

/** In ms. */
const BEACON_INTERVAL = 30_000;
/** Beacons at first, and after a change of address: one of them may be lost. */
const FIRST_BEACONS = 3;
/** Contacts are read from the store at most once in this time, in ms. */
const LABELS_MEMORY = 1_000;

type LocalNetworkNeeds = {
  /** Of this account. */
  readonly label: string;
  /** The port on which this client listens; undefined: nobody could open a link now. */
  readonly port: () => number | undefined;
  /** Of the contacts. */
  readonly labels: () => readonly string[];
  /** Ms, never set back. */
  readonly monotonic: () => number;
  readonly random: (length: number) => Buffer;
  /** A contact has just been heard. */
  readonly heard: (label: string) => void;
};

/** An interface on which this client tells that it is there. */
export type BeaconInterface = Pick<LocalInterface, "via" | "family"> & {
  /** The code of why nothing is heard or sent there; undefined: it is. */
  readonly fault: string | undefined;
};

type State =
  | { readonly name: "off" }
  | {
      readonly name: "on";
      readonly interfaces: readonly LocalInterface[];
      readonly isOnLink: (ip: string) => boolean;
      readonly sockets: Map<LocalInterface["family"], Multicast>;
      /** Codes of why nothing is heard on an interface, by its `via`. */
      readonly deaf: Map<string, string>;
      /** Codes of why the last beacon could not be sent there. */
      readonly mute: Map<string, string>;
      /** How many more beacons follow at once. */
      first: number;
      /** By the monotonic clock. */
      sendAt: number;
    };

export class LocalNetwork {
  readonly #needs: LocalNetworkNeeds;
  readonly #nearby: Nearby;
  #state: State = { name: "off" };
  #opening: Promise<void> = Promise.resolve();
  #labels: { readonly labels: readonly string[]; readonly readAt: number } | undefined;

  constructor(needs: LocalNetworkNeeds) {
    this.#needs = needs;
    this.#nearby = new Nearby(() => this.#contacts());
  }

  /** Begins, unless it has begun. */
  start(): void {
    if (this.#state.name === "off") this.#begin();
  }

  /** Nothing is sent and nothing heard any more. */
  stop(): void {
    if (this.#state.name === "on") for (const socket of this.#state.sockets.values()) socket.close();
    this.#state = { name: "off" };
  }

  /** The machine has slept, or its addresses have changed. */
  lineMayHaveChanged(): void {
    if (this.#state.name === "off") return;
    this.stop();
    this.#begin();
  }

  /** Addresses at which a contact was heard, for the first dials. */
  targets(label: string): readonly Target[] {
    return this.#state.name === "off" ? [] : this.#nearby.targets(label, this.#needs.monotonic());
  }

  /** `heard`: the labels of the contacts who are there. Undefined: it is off. */
  get view():
    { readonly interfaces: readonly BeaconInterface[]; readonly heard: readonly string[] } | undefined {
    const state = this.#state;
    if (state.name === "off") return undefined;
    const { interfaces, deaf, mute } = state;
    return {
      interfaces: interfaces.map(({ via, family }) => ({
        via,
        family,
        fault: deaf.get(via) ?? mute.get(via),
      })),
      heard: this.#nearby.labels(this.#needs.monotonic()),
    };
  }

  /** Resolves when the first beacon was sent, if this client has begun; it may be alone. */
  async opened(): Promise<void> {
    await this.#opening;
    this.tick();
  }

  /** To be called about once a second. */
  tick(): void {
    const state = this.#state;
    const now = this.#needs.monotonic();
    if (state.name === "off" || (state.first === 0 && now < state.sendAt)) return;
    const interfaces = localInterfaces() ?? state.interfaces;
    // Without a socket it is tried anew: a port may have been taken, or this process had too many open files.
    if (state.sockets.size === 0 || !Bun.deepEquals(interfaces, state.interfaces)) {
      this.lineMayHaveChanged();
      return;
    }
    state.first = Math.max(0, state.first - 1);
    state.sendAt = now + BEACON_INTERVAL;
    this.#send(state);
  }

  #begin(): void {
    const interfaces = localInterfaces() ?? [];
    const state: State = {
      name: "on",
      interfaces,
      isOnLink: onLink(interfaces),
      sockets: new Map(),
      deaf: new Map(),
      mute: new Map(),
      first: 0,
      sendAt: this.#needs.monotonic() + BEACON_INTERVAL,
    };
    this.#state = state;
    this.#opening = this.#open(state);
  }

  async #open(state: State & { name: "on" }): Promise<void> {
    for (const family of new Set(state.interfaces.map((each) => each.family))) {
      const socket = await Multicast.open(family, BEACON_PORT, (datagram, from) =>
        this.#received(datagram, from),
      ).catch(faultOf);
      const own = state.interfaces.filter((each) => each.family === family);
      if (typeof socket === "string") {
        for (const { via } of own) state.deaf.set(via, socket);
        continue;
      }
      if (this.#state !== state) {
        socket.close();
        return;
      }
      state.sockets.set(family, socket);
      for (const { via } of own) attempt(state.deaf, via, () => socket.join(BEACON_GROUPS[family], via));
    }
    // The next tick sends the first one.
    if (state.sockets.size > 0) state.first = FIRST_BEACONS;
  }

  #send({ interfaces, sockets, mute }: State & { name: "on" }): void {
    const { port: portOf, label, random } = this.#needs;
    const port = portOf();
    if (port === undefined) return;
    const beacon = writeBeacon(label, random(NONCE_LENGTH), port);
    for (const { family, via } of interfaces)
      attempt(mute, via, () => sockets.get(family)?.send(beacon, BEACON_GROUPS[family], via));
  }

  #received(datagram: Buffer, from: string): void {
    const state = this.#state;
    if (state.name === "off" || !state.isOnLink(from)) return;
    const label = this.#nearby.take(datagram, from, this.#needs.monotonic());
    if (label !== undefined) this.#needs.heard(label);
  }

  #contacts(): readonly string[] {
    const now = this.#needs.monotonic();
    if (this.#labels === undefined || now - this.#labels.readAt >= LABELS_MEMORY)
      this.#labels = { labels: this.#needs.labels(), readAt: now };
    return this.#labels.labels;
  }
}

/** Of one interface, as one that has just gone: the others still serve. @param faults takes the code of a failure */
function attempt(faults: Map<string, string>, via: string, work: () => void): void {
  faults.delete(via);
  try {
    work();
  } catch (error) {
    faults.set(via, faultOf(error));
  }
}

/** The code of a system error; any other one is thrown. */
function faultOf(error: unknown): string {
  const code = errorCode(error);
  if (!/^E[A-Z]+$/.test(code)) throw error;
  return code;
}
