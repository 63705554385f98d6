/** Where users are: pages of who is online, and at which addresses one user may be dialled (PROTOCOL 4). */
import { fold } from "../identity/names.ts";
import { RENDEZVOUS_OBJECT_LIMIT } from "../protocol/framing.ts";
import { isLoopback } from "../protocol/ip-address.ts";
import {
  DEFAULT_PAGE,
  MAX_CANDIDATES,
  SEED_LIST_BYTES,
  type Candidate,
  type RequestOf,
  type UserEntry,
} from "../protocol/rendezvous-messages.ts";
import type { JsonFields } from "./responses.ts";
import type { OnlineUser } from "./services.ts";

/** Bytes of a response beside its list: its other fields, an `id` and a `next` of 64 characters, all escaped. */
const ENVELOPE_BYTES = 2_048;
/** Bytes for the entries of one page, with their commas. */
const PAGE_BYTES = RENDEZVOUS_OBJECT_LIMIT - ENVELOPE_BYTES;
/** Bytes for the names of a `watch_response`, with their commas. */
export const WATCH_RESPONSE_BYTES = PAGE_BYTES;
/** The same of a list to a client of the seed, exactly: all of its line but the entries. */
const SEED_ENVELOPE_BYTES = Buffer.byteLength(
  '{"action":"users_list","success":true,"code":"ok","users":[]}\n',
);

/** The requester: what decides which addresses help it. */
export type Requester = {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly ofSeed: boolean;
};

/** Fields of a `users_list`: those online but the caller, by fold, as many as the page holds. */
export function usersPage(
  requester: Requester,
  request: RequestOf<"get_users">,
  caller: OnlineUser,
): { seed: { users: UserEntry[] }; added: { next?: string } } {
  const { ofSeed } = requester;
  const limit = ofSeed ? Infinity : (request.limit ?? DEFAULT_PAGE);
  const room = ofSeed ? SEED_LIST_BYTES - SEED_ENVELOPE_BYTES : PAGE_BYTES;
  const users: UserEntry[] = [];
  let bytes = 0;
  let last: OnlineUser | undefined;
  const members = caller.session.services.presence.page(
    fold(request.prefix ?? ""),
    fold(request.after ?? ""),
  );
  for (const member of members) {
    if (member === caller) continue;
    const entry: UserEntry = {
      username: member.username,
      ip: seenAddress(member, requester),
      p2p_port: member.p2pPort,
      ...(ofSeed ? {} : { secure: member.key !== undefined }),
    };
    bytes += Buffer.byteLength(JSON.stringify(entry)) + (users.length === 0 ? 0 : 1);
    if (users.length >= limit || bytes > room) {
      return { seed: { users }, added: last === undefined ? {} : { next: last.username } };
    }
    users.push(entry);
    last = member;
  }
  return { seed: { users }, added: {} };
}

/** Fields of a `p2p_info`. */
export function peerInfo(target: OnlineUser, requester: Requester): { seed: JsonFields; added: JsonFields } {
  const candidates = candidateAddresses(target, requester).map((ip): Candidate => ({
    kind: "direct",
    ip,
    port: target.p2pPort,
  }));
  return {
    seed: {
      target_user: target.username,
      target_ip: seenAddress(target, requester),
      target_port: target.p2pPort,
    },
    added: { secure: target.key !== undefined, candidates, fingerprint: target.key?.fingerprint },
  };
}

/**
 * The addresses of a user that mean something to the requester, the one that the server saw first.
 * Loopback is another machine's own business; who is behind it is on the server's machine, which the
 * requester has reached at `localAddress`.
 */
function candidateAddresses(target: OnlineUser, requester: Requester): string[] {
  const near = isLoopback(requester.remoteAddress);
  const addresses = new Set<string>();
  for (const address of [target.ip, ...target.addresses]) {
    if (near || !isLoopback(address)) addresses.add(address);
  }
  if (addresses.size === 0) addresses.add(requester.localAddress);
  return [...addresses].slice(0, MAX_CANDIDATES);
}

function seenAddress(target: OnlineUser, requester: Requester): string {
  const useful = !isLoopback(target.ip) || isLoopback(requester.remoteAddress);
  return useful ? target.ip : (candidateAddresses(target, requester)[0] ?? requester.localAddress);
}
