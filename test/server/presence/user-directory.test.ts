import { expect, test } from "bun:test";

import { fold } from "../../../src/identity/names.ts";
import {
  RESPONSE_ACTION,
  type RequestId,
  type RequestOf,
} from "../../../src/protocol/rendezvous-messages.ts";
import { UserDirectory, type Requester } from "../../../src/server/presence/user-directory.ts";
import { Presence } from "../../../src/server/presence/presence.ts";
import {
  responseLine,
  success,
  written,
  type Response,
  type ResponseContext,
} from "../../../src/server/session/responses.ts";
import type { OnlineUser } from "../../../src/server/presence/online-user.ts";
import { seededRandom, testSeed, type SeededRandom } from "../../seeded-random.ts";

const LEGACY_LIST = 4_096;
const LINE = 64 * 1024;
const ROUNDS = 20;
const REQUESTS = 20;

const ADDRESSES = ["127.0.0.1", "127.9.9.9", "::1", "192.168.1.7", "203.0.113.9", "fd00::7", "2001:db8::1"];

function makeUser(random: SeededRandom, username: string): OnlineUser {
  const key = random.integer(4) === 0 ? undefined : { fingerprint: random.pick(["ab", "0f"]).repeat(32) };
  return {
    userId: random.integer(1_000),
    username,
    fold: fold(username),
    ip: random.pick(ADDRESSES),
    p2pPort: 1 + random.integer(65_535),
    addresses: Array.from({ length: random.integer(9) }, () => random.pick(ADDRESSES)).join(" "),
    key: key as OnlineUser["key"],
    since: 0,
    session: undefined as unknown as OnlineUser["session"],
  };
}

/** Old names may hold what JSON escapes: quotes, backslashes, U+2028. */
function makeName(random: SeededRandom): string {
  const letters = ["a", "B", "ñ", "İ", "ẞ", "-", "_", '"', "\\", "\u2028", "🕊", "/", " "];
  return Array.from({ length: 1 + random.integer(40) }, () => random.pick(letters)).join("");
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** PROTOCOL 4 word for word: the seen one first, loopback only for who is on loopback himself, at most eight. */
function candidates(user: OnlineUser, { isLocal, localAddress }: Requester): string[] {
  const named = user.addresses.split(" ").filter((address) => address !== "");
  const all = [user.ip, ...named].filter((address) => isLocal || !isLoopback(address));
  const distinct = all.filter((address, index) => all.indexOf(address) === index);
  return distinct.length === 0 ? [localAddress] : distinct.slice(0, 8);
}

function plainList(
  online: readonly OnlineUser[],
  requester: Requester,
  request: RequestOf<"get_users">,
  caller: OnlineUser,
): { users: object[]; next?: string } {
  const { isLegacy } = requester;
  const after = fold(request.after ?? "");
  const eligible = online
    .filter((user) => user !== caller && user.fold.startsWith(fold(request.prefix ?? "")))
    .filter((user) => after === "" || user.fold > after)
    .sort((a, b) => (a.fold < b.fold ? -1 : 1));
  const envelope = '{"action":"users_list","success":true,"code":"ok","users":[]}\n'.length;
  const room = isLegacy ? LEGACY_LIST - envelope : LINE - 2_048;
  const users: object[] = [];
  let bytes = 0;
  for (const user of eligible) {
    const entry = {
      username: user.username,
      ip: candidates(user, requester)[0],
      p2p_port: user.p2pPort,
      ...(isLegacy ? {} : { secure: user.key !== undefined }),
    };
    const isFull = !isLegacy && users.length >= (request.limit ?? 100);
    bytes += Buffer.byteLength(JSON.stringify(entry)) + (users.length === 0 ? 0 : 1);
    if (isFull || bytes > room) {
      const last = eligible[users.length - 1];
      return isLegacy || last === undefined ? { users } : { users, next: last.username };
    }
    users.push(entry);
  }
  return { users };
}

function plainInfo(target: OnlineUser, requester: Requester): object {
  const addresses = candidates(target, requester);
  return {
    target_user: target.username,
    target_ip: addresses[0],
    target_port: target.p2pPort,
    ...(requester.isLegacy
      ? {}
      : {
          secure: target.key !== undefined,
          candidates: addresses.map((ip) => ({ kind: "direct", ip, port: target.p2pPort })),
          fingerprint: target.key?.fingerprint,
        }),
  };
}

test("a shared answer is identical, byte for byte, to one written for each requester", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const sorts: ((count: number) => string)[] = [
    () => makeName(random),
    (count) => `user${count}`,
    // Long enough that bytes, and not the number, end a page.
    (count) => `${count}${"ẞ".repeat(60)}`,
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const presence = new Presence<OnlineUser>();
    const directory = new UserDirectory(presence);
    const sort = random.pick(sorts);
    const most = random.pick([1, 3, 120, 600]);
    while (presence.size < most) presence.enter(makeUser(random, sort(random.integer(10_000))));
    for (let count = 0; count < REQUESTS; count++) {
      // Some come and go, or come back from elsewhere, between the requests.
      if (random.integer(4) === 0) presence.enter(makeUser(random, sort(random.integer(10_000))));
      if (random.integer(4) === 0 && presence.size > 1) presence.leave(random.pick(presence.all()));
      const online = presence.all();
      const isLegacy = random.integer(4) === 0;
      const requester = { isLocal: random.integer(2) === 0, localAddress: random.pick(ADDRESSES), isLegacy };
      const id: RequestId | undefined = isLegacy
        ? undefined
        : random.pick([undefined, 0, -7, 2 ** 53 - 1, "x", '"\\\u2028\n', "ñ🕊"]);
      const contextOf = (action: "get_users" | "request_p2p"): ResponseContext => ({
        action,
        responses: { success: RESPONSE_ACTION[action], failure: "error" },
        isLegacy,
        language: "es",
        id,
      });
      const caller = random.pick(online);
      const target = random.pick(online);
      const request: RequestOf<"get_users"> = isLegacy
        ? { prefix: undefined, after: undefined, limit: undefined }
        : {
            prefix: random.pick([undefined, "", random.pick(online).username.slice(0, 2)]),
            after: random.pick([undefined, "", random.pick(online).username]),
            limit: random.pick([undefined, 1, 2, 100, 500]),
          };
      const list = plainList(online, requester, request, caller);
      const answers: [ResponseContext, Response, Response][] = [
        [
          contextOf("get_users"),
          written(directory.usersList(requester, request, caller)),
          success({ common: list as { [name: string]: unknown } }),
        ],
        [
          contextOf("request_p2p"),
          written(directory.peerInfo(target, requester)),
          success({ common: plainInfo(target, requester) as { [name: string]: unknown } }),
        ],
      ];
      for (const [context, shared, alone] of answers) {
        const line = responseLine(shared, context);
        expect(line, `PALOMA_TEST_SEED=${seed}`).toBe(responseLine(alone, context));
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(isLegacy ? LEGACY_LIST : LINE);
      }
    }
  }
});
