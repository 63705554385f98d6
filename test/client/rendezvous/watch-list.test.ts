import { expect, test } from "bun:test";

import type { RendezvousLink } from "../../../src/client/rendezvous/link.ts";
import { WatchList, type Reported } from "../../../src/client/rendezvous/watch-list.ts";

test("it is known of whom changes may have been missed: none of who was watched all the time", async () => {
  const asked: string[][] = [];
  let wanted: readonly string[] = [];
  let confirmed = Promise.withResolvers<[string, Reported][]>();
  const link = {
    request: async (_action: string, { users }: { users: string[] }) => {
      asked.push(users);
      return { online: users };
    },
  } as unknown as RendezvousLink;
  const list = new WatchList({
    link: () => link,
    wanted: () => wanted,
    confirmed: (online, before) => confirmed.resolve(online.map((username) => [username, before(username)])),
  });
  /** What was reported before of those who are watched from now on. */
  const watch = async (...names: string[]) => {
    confirmed = Promise.withResolvers();
    wanted = names;
    list.changed();
    return Object.fromEntries(await confirmed.promise);
  };
  expect(await watch("ana", "bob")).toEqual({ ana: "nothing", bob: "nothing" });
  expect(await watch("ana", "bob", "carla")).toEqual({ ana: "all", bob: "all", carla: "nothing" });
  expect(await watch("ana", "carla")).toEqual({ ana: "all", carla: "all" });
  // He was not watched for a while.
  expect(await watch("ana", "bob", "carla")).toEqual({ ana: "all", bob: "nothing", carla: "all" });
  // The link is lost, and there is another one.
  list.reset();
  list.reset();
  expect(await watch("ana", "dora")).toEqual({ ana: "some", dora: "nothing" });
  expect(await watch("ana", "bob")).toEqual({ ana: "all", bob: "nothing" });
  expect(asked).toHaveLength(6);
});
