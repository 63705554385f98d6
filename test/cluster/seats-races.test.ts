import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { FakeUser } from "../server/presence/fake-users.ts";
import { skipped, startRedis, whyNoRedis } from "./engines.ts";
import { SeatsNode, until } from "./seats-node.ts";

const reason = whyNoRedis();
const ROUNDS = 1_000;
const WATCHERS = 1_000;

describe.skipIf(reason !== undefined)(`two nodes${skipped(reason)}`, () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let nodes: [SeatsNode, SeatsNode];
  beforeAll(async () => {
    redis = await startRedis();
    nodes = [new SeatsNode(redis.url), new SeatsNode(redis.url)];
    for (const node of nodes) await node.ready();
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await redis.remove();
  });

  test(`the same person logs in at both ${ROUNDS} times, and never has two sessions`, async () => {
    const isSeated = ({ seats, claim, noted }: FakeUser) =>
      seats.own().some(({ session }) => session === claim.session) && !noted.includes("replaced");
    for (let round = 0; round < ROUNDS; round++) {
      // By turns another device, and the same one, which takes over.
      const devices = round % 2 === 0 ? (["a", "b"] as const) : (["a", "a"] as const);
      const users = nodes.map((node, index) => new FakeUser(node.seats, "ana", devices[index]));
      const taken = await Promise.all(users.map((user) => user.take()));
      const seated = taken.filter((each) => each === "ok").length;
      expect({ round, seated }).toEqual({ round, seated: round % 2 === 0 ? 1 : 2 });
      // The one who came first is told by the stream.
      await until(() => users.filter(isSeated).length === 1);
      for (const user of users) user.leave();
      await until(() => nodes.every(({ seats }) => seats.owed === 0));
    }
    await until(() => nodes.every(({ presence }) => presence.find("ana") === undefined));
  });

  test(`each of ${WATCHERS} watchers at one is told once that somebody came to the other, and left it`, async () => {
    const [one, other] = nodes;
    const watchers = await Promise.all(
      Array.from({ length: WATCHERS }, (_, index) => one.online(`watcher${index}`)),
    );
    await until(() => other.presence.size === WATCHERS);
    for (const { user } of watchers) one.presence.watch(user, ["star"]);
    const star = await other.online("star");
    // A replacement tells nobody.
    await other.online("star");
    await until(() => star.noted.includes("replaced"));
    await other.seats.end("star", "session_revoked");
    await until(() => watchers.every(({ noted }) => noted.at(-1) === "-star"));
    expect(new Set(watchers.map(({ noted }) => noted.join(" ")))).toEqual(new Set(["+star -star"]));
  });
});
