/**
 * Accounts that do their worst at a server's meetings, until they are killed: they ask for meetings without end, take seats
 * and never speak, show tickets that are used or made up, and write what is no line. Says «ready» once it has begun.
 */
import { constants, setPriority } from "node:os";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { MeetingParty } from "./meeting-party.ts";
import { loginOf, newPublicKey, TestClient, type Message } from "./rendezvous-test-client.ts";

export type MeetingSiege = {
  readonly tlsPort: number;
  readonly meetingPort: number;
  /** The server's authority, in PEM. */
  readonly authority: string;
  /** Accounts with `PASSWORD`. */
  readonly names: readonly string[];
};

/** How many requests an account sends at once, and how often, in ms. */
const BURST = 20;
const INTERVAL = 100;

/** Resolves when they have begun. Their own computing, for which they have machines of their own, gives way. */
export async function besiegeMeetings(siege: MeetingSiege): Promise<Bun.Subprocess> {
  const crowd = Bun.spawn([process.execPath, "run", import.meta.path], {
    stdin: new Blob([JSON.stringify(siege)]),
    stdout: "pipe",
    stderr: "inherit",
  });
  setPriority(crowd.pid, constants.priority.PRIORITY_LOW);
  const { value } = await crowd.stdout.getReader().read();
  if (value === undefined) throw new Error("nobody has come");
  return crowd;
}

if (import.meta.main) {
  const siege = (await Bun.stdin.json()) as MeetingSiege;
  await Promise.all(siege.names.map((name) => attack(siege, name)));
  console.log("ready");
}

async function attack({ tlsPort, meetingPort, authority, names }: MeetingSiege, name: string): Promise<void> {
  const client = await TestClient.connect(tlsPort, {
    tls: { ca: authority, serverName: RENDEZVOUS_DNS_NAME },
  });
  await client.ask(loginOf(name, { public_key: newPublicKey() }));
  await client.ask({ action: "reach" });
  // Without a server nothing is left to do, also where nobody has killed them.
  void client.closed.then(() => process.exit());
  let taken = client.lines.length;
  setInterval(() => {
    const targets = Array.from({ length: BURST }, (_, index) => names[index % names.length] ?? "");
    client.send(...targets.map((target_user) => ({ action: "connect", target_user })));
    const told = client.lines.slice(taken).map((line) => JSON.parse(line) as Message);
    taken = client.lines.length;
    const tickets = told.flatMap(({ ticket }) => (typeof ticket === "string" ? [ticket] : []));
    for (const ticket of [...tickets, ...tickets, "x".repeat(43), "{"]) void visit(meetingPort, ticket);
  }, INTERVAL);
}

/** Takes a seat if it can, and is silent. */
async function visit(port: number, ticket: string): Promise<void> {
  const party = await MeetingParty.connect(port).catch(() => undefined);
  party?.write(ticket === "{" ? ticket.repeat(600) : `{"action":"meet","ticket":"${ticket}"}\n`);
}
