import { expect, test } from "bun:test";

import { fold } from "../../../src/identity/names.ts";
import { networkOf } from "../../../src/protocol/ip-address.ts";
import {
  RESPONSE_ACTION,
  type RequestId,
  type RequestOf,
} from "../../../src/protocol/rendezvous-messages.ts";
import { UserDirectory } from "../../../src/server/presence/user-directory.ts";
import { Presence } from "../../../src/server/presence/presence.ts";
import {
  responseLine,
  success,
  written,
  type Response,
  type ResponseContext,
} from "../../../src/server/session/responses.ts";
import type { OnlineUser, Requester } from "../../../src/server/presence/online-user.ts";
import { seededRandom, testSeed, type SeededRandom } from "../../seeded-random.ts";

const LEGACY_LIST = 4_096;
const LINE = 64 * 1024;
const ROUNDS = 20;
const REQUESTS = 20;

const ADDRESSES = [
  ...["127.0.0.1", "127.9.9.9", "::1"],
  ...["192.168.1.7", "100.64.9.9", "169.254.3.4", "fd00::7", "fe80::1"],
  ...["203.0.113.9", "198.51.100.4", "2001:db8::1", "2001:db8::2:1", "2001:db8:1::1"],
];

/** Where clients of other machines reach the server. */
const OF_SERVER = ["192.168.1.2", "203.0.113.1"];

function makeUser(random: SeededRandom, username: string): OnlineUser {
  const key = random.integer(4) === 0 ? undefined : { fingerprint: random.pick(["ab", "0f"]).repeat(32) };
  return {
    userId: random.integer(1_000),
    username,
    fold: fold(username),
    ip: random.pick(ADDRESSES),
    p2pPort: random.pick([1, 22, 1_023, 1_024, 1 + random.integer(65_535)]),
    addresses: Array.from({ length: random.integer(9) }, () => random.pick(ADDRESSES)).join(" "),
    key: key as OnlineUser["key"],
    reach: undefined,
    isRelayOnly: false,
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

function isPrivate(address: string): boolean {
  return /^(192\.168|100\.64|169\.254)\.|^(fd00|fe80):/.test(address);
}

/** The IPv4 address, or the /64 of the addresses above. */
function network(address: string): string {
  return address.includes(":") ? address.replace(/::.*/, "") : address;
}

/** How a client at this address asks. */
function requesterAt(ip: string, localAddress: string, isLegacy: boolean): Requester & { ip: string } {
  const isLocal = isLoopback(ip);
  const networkOfIp = networkOf(ip);
  return { ip, isLocal, isInside: isLocal || isPrivate(ip), network: networkOfIp, localAddress, isLegacy };
}

type At = ReturnType<typeof requesterAt>;

/** PROTOCOL 3 and 4 word for word: whether the requester is given this address of the user. */
function isGiven(address: string, user: OnlineUser, { ip }: At): boolean {
  const seesBothInside = [user.ip, ip].every((seen) => isPrivate(seen) || isLoopback(seen));
  if (isLoopback(address)) return isLoopback(ip) && isLoopback(user.ip);
  return !isPrivate(address) || network(user.ip) === network(ip) || seesBothInside;
}

/** The seen one first, at most eight. */
function candidates(user: OnlineUser, at: At): string[] {
  const named = user.addresses.split(" ").filter((address) => address !== "");
  const all = [user.ip, ...named].filter((address) => isGiven(address, user, at));
  const given = all.filter((address, index) => all.indexOf(address) === index).slice(0, 8);
  if (given.length > 0 || !isLoopback(user.ip)) return given;
  return [at.localAddress].filter((address) => isGiven(address, user, at));
}

/** What the server saw; where that is loopback and the requester is elsewhere, the first other address. */
function target(user: OnlineUser, at: At): string {
  if (!isLoopback(user.ip) || isLoopback(at.ip)) return user.ip;
  return candidates(user, at)[0] ?? at.localAddress;
}

function plainList(
  online: readonly OnlineUser[],
  requester: At,
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
      ip: target(user, requester),
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

function plainInfo(user: OnlineUser, requester: At): object {
  const addresses = user.p2pPort < 1_024 ? [] : candidates(user, requester);
  return {
    target_user: user.username,
    target_ip: target(user, requester),
    target_port: user.p2pPort,
    ...(requester.isLegacy
      ? {}
      : {
          secure: user.key !== undefined,
          candidates: addresses.map((ip) => ({ kind: "direct", ip, port: user.p2pPort })),
          fingerprint: user.key?.fingerprint,
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
      const requester = requesterAt(random.pick(ADDRESSES), random.pick(OF_SERVER), isLegacy);
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
      const asked = random.pick(online);
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
          written(directory.peerInfo(asked, requester)),
          success({ common: plainInfo(asked, requester) as { [name: string]: unknown } }),
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

/** Ana's candidates and `target_ip` for somebody whom the server sees at `from`. */
function anaFrom(from: string, ana: Partial<OnlineUser>, localAddress = "203.0.113.1"): [string, string[]] {
  const user = { ...makeUser(seededRandom(1), "ana"), p2pPort: 9_000, ...ana };
  const presence = new Presence<OnlineUser>();
  presence.enter(user);
  const info = new UserDirectory(presence).peerInfo(user, requesterAt(from, localAddress, false));
  const { target_ip, candidates: given } = JSON.parse(`{${info}}`) as {
    target_ip: string;
    candidates: { ip: string }[];
  };
  return [target_ip, given.map(({ ip }) => ip)];
}

test("addresses at home are given only to who shares the public address, or its /64", () => {
  const addresses = "192.168.1.7 fd00::7 2001:db8::1";
  const home = { ip: "203.0.113.9", addresses };
  const all = ["203.0.113.9", "192.168.1.7", "fd00::7", "2001:db8::1"];
  expect(anaFrom("203.0.113.9", home)).toEqual(["203.0.113.9", all]);
  const abroad = ["203.0.113.9", "2001:db8::1"];
  for (const from of ["198.51.100.4", "192.168.1.7", "127.0.0.1", "2001:db8::5"]) {
    expect(anaFrom(from, home)).toEqual(["203.0.113.9", abroad]);
  }
  const overIPv6 = { ip: "2001:db8::1", addresses: "192.168.1.7" };
  expect(anaFrom("2001:db8::ffff", overIPv6)).toEqual(["2001:db8::1", ["2001:db8::1", "192.168.1.7"]]);
  expect(anaFrom("2001:db8:0:1::1", overIPv6)).toEqual(["2001:db8::1", ["2001:db8::1"]]);
});

test("in the network of the server all private addresses are given, and nobody outside gets any", () => {
  const ana = { ip: "192.168.1.7", addresses: "10.0.0.7 203.0.113.9" };
  expect(anaFrom("192.168.1.8", ana)).toEqual(["192.168.1.7", ["192.168.1.7", "10.0.0.7", "203.0.113.9"]]);
  // What the original protocol says stays what the server saw.
  expect(anaFrom("198.51.100.4", ana)).toEqual(["192.168.1.7", ["203.0.113.9"]]);
});

test("somebody on the server's machine is found at another address, which obeys the same rule", () => {
  const ana = { ip: "127.0.0.1", addresses: "192.168.1.7 2001:db8::1" };
  const inside = "192.168.1.2";
  expect(anaFrom("::1", ana)).toEqual(["127.0.0.1", ["127.0.0.1", "192.168.1.7", "2001:db8::1"]]);
  expect(anaFrom("192.168.1.8", ana, inside)).toEqual(["192.168.1.7", ["192.168.1.7", "2001:db8::1"]]);
  expect(anaFrom("198.51.100.4", ana)).toEqual(["2001:db8::1", ["2001:db8::1"]]);
  const alone = { ip: "127.0.0.1", addresses: "192.168.1.7" };
  expect(anaFrom("198.51.100.4", alone)).toEqual(["203.0.113.1", ["203.0.113.1"]]);
  expect(anaFrom("198.51.100.4", alone, inside)).toEqual([inside, []]);
});

test("a loopback address that somebody elsewhere reports is given to nobody on the server's machine", () => {
  const ana = { ip: "192.168.1.7", addresses: "127.0.0.1" };
  expect(anaFrom("127.0.0.1", ana)).toEqual(["192.168.1.7", ["192.168.1.7"]]);
});

test("a port of the system is no candidate; the original fields tell it", () => {
  const ana = { ip: "203.0.113.9", addresses: "" };
  expect(anaFrom("198.51.100.4", { ...ana, p2pPort: 1_023 })).toEqual(["203.0.113.9", []]);
  expect(anaFrom("198.51.100.4", { ...ana, p2pPort: 1_024 })).toEqual(["203.0.113.9", ["203.0.113.9"]]);
});
