/** Crowds at Ana's port, and people whose certificates are revoked while they are there. */
import { AdminOperations } from "../../src/server/admin/operations.ts";
import type { AdminRequest } from "../../src/server/admin/messages.ts";
import { RawPeer } from "../integration/raw-peer.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { mustHold, within } from "./fuzz-failure.ts";
import { greeting } from "./peer-grammar.ts";
import { CONTACT_ADDRESS, type Victim } from "./peer-victim.ts";

/** Half a second is for gathering revocations, and the rest for a busy machine, in ms. */
const REVOKED_WITHIN = 10_000;

/**
 * Many connections that never finish a handshake, and strangers who say nothing, from many addresses. A contact gets in
 * at the first attempt all the same, from an address of hers.
 * @param hello the beginning of a handshake
 */
export async function flood(
  victim: Victim,
  hello: Buffer,
  random: SeededRandom,
  step: number,
  deadline: number,
): Promise<void> {
  const { company, ana } = victim;
  const networks = 1 + random.integer(12);
  const from = () => `127.0.${1 + random.integer(networks)}.1`;
  const crowd: RawPeer[] = [];
  for (let strangers = random.integer(70); strangers > 0; strangers--) {
    // Some are several connections of one.
    const identity = company.identity(`nadie-${step}-${random.integer(strangers)}`);
    crowd.push(await RawPeer.dial(ana.port, { identity, from: from() }));
  }
  for (let handshakes = random.integer(90); handshakes > 0; handshakes--) {
    const peer = await RawPeer.dial(ana.port, { tls: false, from: from() });
    peer.write(hello.subarray(0, random.integer(hello.length)));
    crowd.push(peer);
  }
  const visit = victim.visit(random.pick([undefined, CONTACT_ADDRESS]));
  await within(deadline, visit, () => `a contact is not served beside ${crowd.length} others`);
  crowd.forEach((peer) => peer.terminate());
  await Promise.all(crowd.map(({ closed }) => closed));
}

/** The operator takes back a certificate: its link ends, and it is worth nothing from then on. */
export async function revoke(
  { company, ana }: Victim,
  random: SeededRandom,
  step: number,
  deadline: number,
): Promise<"revoked" | "busy"> {
  const name = `retirado-${step}`;
  await company.addAccount(name);
  const identity = company.identity(name);
  const peer = await RawPeer.dial(ana.port, { identity });
  const hello = await within(deadline, peer.next(), () => "a peer is not greeted");
  if (hello["code"] === "busy") return "busy";
  peer.send(greeting(name, random));
  const request = random.pick<AdminRequest>([
    { command: "disable", name },
    { command: "delete", name },
    { command: "reset-password", name },
    { command: "revoke", name, id: undefined },
  ]);
  const { command } = request;
  await new AdminOperations(company.services).run(request);
  await within(REVOKED_WITHIN, peer.closed, () => `a link outlives ${command}`);
  const again = await RawPeer.dial(ana.port, { identity });
  await within(deadline, again.closed, () => `after ${command} a peer is not refused`);
  mustHold(again.received.length === 0, `after ${command} a peer was sent something`, again.lines);
  return "revoked";
}
