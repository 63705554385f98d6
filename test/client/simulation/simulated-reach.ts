/** The real dials and meetings of one program over the simulated network, as `src/client/reach/reach.ts` joins them. */
import type { dial } from "../../../src/net/dialler.ts";
import type { dialForLines } from "../../../src/net/line-socket.ts";
import type { TlsContext } from "../../../src/net/tls.ts";
import { DialBudget } from "../../../src/client/peer/dial-limits.ts";
import {
  dialPeer,
  type DialNeeds,
  type Greet,
  type UnreachableReason,
} from "../../../src/client/peer/dial.ts";
import type { ContactRecord } from "../../../src/client/peer/contact-record.ts";
import type { Proof, ProvenPeer } from "../../../src/client/peer/proof.ts";
import { Meetings, type MeetingsNeeds } from "../../../src/client/reach/meetings.ts";
import { label as labelOf } from "../../../src/identity/names.ts";
import { dialOver } from "./simulated-dial.ts";
import type { Place } from "./simulated-network.ts";
import type { SimulatedProgram, Surrounding } from "./simulated-program.ts";
import { areAtHome, PEER_PORT } from "./site.ts";

/** What stands for the public key of a person. */
export function keyOf(name: string): Buffer {
  return Buffer.from(name);
}

export function provenPeer({ name }: Place): ProvenPeer {
  return { name, label: labelOf(name), notBefore: 0, fingerprint: "", spki: keyOf(name) };
}

export class SimulatedReach {
  readonly meetings: Meetings;
  readonly #dialNeeds: DialNeeds;

  constructor(program: SimulatedProgram, owner: Place, other: Place, around: Surrounding) {
    const { network, server } = around;
    const monotonic = () => program.clock.monotonic();
    const clock: MeetingsNeeds["clock"] = {
      monotonic,
      // What runs may settle a promise.
      after: (ms, run) =>
        program.clock.after(ms, () => {
          run();
          around.settled();
        }),
    };
    const context = {} as TlsContext;
    const prove = (_connection: unknown, _handshake: unknown, target: string | undefined): Proof =>
      target === undefined || target === other.name
        ? { ok: true, peer: provenPeer(other) }
        : { ok: false, code: "other_name" };
    this.#dialNeeds = {
      tls: { dialling: () => context, prove },
      dial: ((options) => dialOver({ from: owner, to: other, program, around }, options)) as typeof dial,
      budget: new DialBudget(monotonic),
      account: "",
      own: () => ({ isServerLocal: false, port: PEER_PORT, addresses: [owner.address] }),
      relay: () => owner.relay,
      lookUp: (_username, asked) => {
        asked();
        return server.lookUp(program, other);
      },
      nearby: () => (areAtHome(owner, other) ? [{ ip: other.address, port: PEER_PORT }] : []),
      clock,
      meet: (...met) => this.meetings.meet(...met),
    };
    this.meetings = new Meetings({
      ...this.#dialNeeds,
      tls: { dialling: () => context, accepting: () => context, prove },
      ownLabel: labelOf(owner.name),
      clock,
      dialForLines: ((target, port, handlers) => {
        if (!program.hasEnded) network.dialForLines(owner, () => server.meetings, target, port, handlers);
      }) as typeof dialForLines,
      link: () => (program.hasEnded ? undefined : server.link(program)),
      hasMeetingPort: () => server.hasMeetingPort && server.isLoggedIn(program),
      relayBytesLeft: () => undefined,
      meetingBudget: new DialBudget(monotonic),
      isContact: (label) => program.stores.consents.isContact(label),
      accept: (_address, met) => program.accept(met),
    });
  }

  /** As `dialPeer`. */
  dial(record: ContactRecord, signal: AbortSignal, greet: Greet): Promise<UnreachableReason | undefined> {
    return dialPeer(this.#dialNeeds, record, signal, greet);
  }
}
