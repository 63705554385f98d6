import { expect, test } from "bun:test";

import type { OnlineUser } from "../../../src/server/presence/online-user.ts";
import { Presence } from "../../../src/server/presence/presence.ts";
import { MOVED_INTERVAL, MovedPush } from "../../../src/server/session/moved-push.ts";

test("a change is told at once, further ones together after 10 s, and only to clients that speak reach", () => {
  const presence = new Presence<OnlineUser>();
  const pushed: string[] = [];
  const online = (fold: string, reach: object | undefined): OnlineUser => {
    const session = { push: () => void pushed.push(fold) };
    const user = { fold, username: fold, reach, session } as unknown as OnlineUser;
    presence.enter(user);
    return user;
  };
  online("ana", {});
  presence.watch(online("bea", {}), ["ana"]);
  presence.watch(online("carla", undefined), ["ana"]);
  let now = 0;
  const timers: { at: number; run: () => void }[] = [];
  const push = new MovedPush(
    presence,
    () => now,
    (ms, run) => {
      timers.push({ at: now + ms, run });
      return () => undefined;
    },
  );
  push.moved("ana");
  expect(pushed).toEqual(["bea"]);
  now = 4_000;
  push.moved("ana");
  push.moved("ana");
  expect(pushed).toEqual(["bea"]);
  expect(timers.map(({ at }) => at)).toEqual([MOVED_INTERVAL]);
  now = MOVED_INTERVAL;
  timers[0]?.run();
  expect(pushed).toEqual(["bea", "bea"]);
  push.moved("nobody");
  expect(pushed).toHaveLength(2);
});
