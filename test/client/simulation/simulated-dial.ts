/** From a name to a connection, as in `src/client/peer/dial.ts`, without proofs. */
import type { ContactRecord } from "../../../src/client/peer/contact-record.ts";
import type { Greet, UnreachableReason } from "../../../src/client/peer/dial.ts";
import type { ProvenPeer } from "../../../src/client/peer/proof.ts";
import { label as labelOf } from "../../../src/identity/names.ts";
import type { Place } from "./simulated-network.ts";
import type { SimulatedProgram, Surrounding } from "./simulated-program.ts";
import type { Whereabouts } from "./simulated-server.ts";

const PORT = 9_000;

export function provenPeer({ name }: Place): ProvenPeer {
  return { name, label: labelOf(name), notBefore: 0, fingerprint: "", spki: keyOf(name) };
}

/** What stands for the public key of a person. */
export function keyOf(name: string): Buffer {
  return Buffer.from(name);
}

export type Dialler = {
  readonly program: SimulatedProgram;
  readonly owner: Place;
  readonly other: Place;
  readonly around: Surrounding;
};

/** Has the parameters and results of `dialPeer`. */
export function dialPerson(
  { program, owner, other, around }: Dialler,
  record: ContactRecord,
  signal: AbortSignal,
  greet: Greet,
): Promise<UnreachableReason | undefined> {
  const { promise, resolve } = Promise.withResolvers<UnreachableReason | undefined>();
  const settle = (reason: UnreachableReason | undefined): void => {
    resolve(signal.aborted ? undefined : reason);
    around.settled();
  };
  const found = (where: Whereabouts): void => {
    if (signal.aborted || where.name === "offline") {
      settle("offline");
      return;
    }
    const isOnline = where.name === "online";
    if (isOnline) record.moved(other.name, [{ ip: where.address, port: PORT }]);
    const address = isOnline ? where.address : record.targets[0]?.ip;
    if (address === undefined) {
      settle("no_server");
      return;
    }
    around.network.dial(owner, other, {
      address,
      signal,
      opened: (connection) => greet(connection, provenPeer(other), "conversation", "direct"),
      settled: (outcome) => {
        if (outcome === "connected") settle(undefined);
        else settle(isOnline ? "unreachable" : "no_server");
      },
    });
  };
  if (!program.hasEnded) around.server.lookUp(program, other, found);
  return promise;
}
