/** Where the meeting port is (PROTOCOL 7), and what it says of the address from which it is asked. */
import type { Target } from "../../net/dialler.ts";
import { dialForLines, type LineSocket } from "../../net/line-socket.ts";
import { readFields, type Read } from "../../protocol/fields.ts";
import {
  familyOf,
  isLoopback,
  isPrivate,
  parseDialableAddress,
  type Family,
} from "../../protocol/ip-address.ts";
import { MEETING_ANSWERS } from "../../protocol/meeting-messages.ts";
import { MIN_CANDIDATE_PORT } from "../../protocol/rendezvous-messages.ts";
import type { RendezvousLink } from "../rendezvous/link.ts";

/** How long the meeting port may take to answer, in ms. */
const OBSERVE_TIMEOUT = 5_000;

/** The first place of each family. @param places without `ip`: at the addresses of the rendezvous link */
export function meetingTargets(
  places: readonly { readonly ip?: string | undefined; readonly port: number }[],
  link: Pick<RendezvousLink, "remoteAddress" | "targets">,
): ReadonlyMap<Family, Target> {
  const own = [link.remoteAddress ?? "", ...link.targets.map(({ ip }) => ip)];
  const all = places.flatMap(({ ip, port }) =>
    (ip === undefined ? own : [ip]).map((each) => ({ ip: each, port })),
  );
  const targets = new Map<Family, Target>();
  for (const { ip, port } of all) {
    const address = parseDialableAddress(ip);
    if (address === undefined || targets.has(familyOf(address))) continue;
    if (!mayBeServers({ ip: address, port }, link.remoteAddress)) continue;
    targets.set(familyOf(address), { ip: address, port });
  }
  return targets;
}

/** The server may be hostile: elsewhere it names no service of a system, and nothing of a network in which it is not. */
function mayBeServers({ ip, port }: Target, server = ""): boolean {
  if (ip === server) return true;
  if (port < MIN_CANDIDATE_PORT || (isLoopback(ip) && !isLoopback(server))) return false;
  return isInNetworksOf(server, ip);
}

/** Whether an address is public, or the server has a private one itself: else it names a network in which it is not. */
export function isInNetworksOf(server: string, ip: string): boolean {
  return !isPrivate(ip) || isPrivate(server);
}

export type Observed = Read<typeof MEETING_ANSWERS.observed>;

/**
 * Asks the meeting port at which address and port it sees us.
 * @param localPort 0: any. @returns undefined: no answer
 */
export function observe(target: Target, localPort: number, ticket: string): Promise<Observed | undefined> {
  const { promise, resolve } = Promise.withResolvers<Observed | undefined>();
  let open: LineSocket | undefined;
  let isOver = false;
  const finish = (observed: Observed | undefined) => {
    isOver = true;
    clearTimeout(timer);
    resolve(observed);
    open?.terminate();
  };
  const timer = setTimeout(finish, OBSERVE_TIMEOUT, undefined);
  dialForLines(target, localPort, {
    opened: (socket) => {
      open = socket;
      if (isOver) socket.terminate();
      else socket.send({ action: "observe", ticket });
    },
    failed: () => finish(undefined),
    line: (object) => {
      const answer = readFields(MEETING_ANSWERS.observed, object);
      finish(object["action"] === "observed" && answer.ok ? answer.value : undefined);
    },
    closed: () => {
      if (!isOver) finish(undefined);
    },
  });
  return promise;
}

/** Whether the meeting port lets us connect within OBSERVE_TIMEOUT. It is told nothing. */
export function canConnect(target: Target): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, OBSERVE_TIMEOUT, false);
  dialForLines(target, 0, {
    opened: (socket) => {
      resolve(true);
      socket.terminate();
    },
    failed: () => resolve(false),
    line: () => undefined,
    closed: () => undefined,
  });
  return promise.finally(() => clearTimeout(timer));
}
