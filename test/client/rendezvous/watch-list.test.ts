import { expect, test } from "bun:test";

import type { RendezvousLink } from "../../../src/client/rendezvous/link.ts";
import { WatchList } from "../../../src/client/rendezvous/watch-list.ts";

test("who is online is news of those only whose changes were not reported before", async () => {
  const asked: string[][] = [];
  let wanted: readonly string[] = [];
  let confirmed = Promise.withResolvers<string[]>();
  const link = {
    request: async (_action: string, { users }: { users: string[] }) => {
      asked.push(users);
      return { online: users };
    },
  } as unknown as RendezvousLink;
  const list = new WatchList({
    link: () => link,
    wanted: () => wanted,
    confirmed: (online, isNew) => confirmed.resolve(online.filter(isNew)),
  });
  const news = (...names: string[]) => {
    confirmed = Promise.withResolvers();
    wanted = names;
    list.changed();
    return confirmed.promise;
  };
  expect(await news("ana", "bob")).toEqual(["ana", "bob"]);
  expect(await news("ana", "bob", "carla")).toEqual(["carla"]);
  expect(await news("ana", "carla")).toEqual([]);
  // He was not watched for a while.
  expect(await news("ana", "bob", "carla")).toEqual(["bob"]);
  list.reset();
  expect(await news("ana")).toEqual(["ana"]);
  expect(asked).toHaveLength(5);
});
