import { beforeEach, expect, test } from "bun:test";

import type { OnlineUser, OwnUser } from "../../../src/server/presence/online-user.ts";
import { Presence } from "../../../src/server/presence/presence.ts";
import { MOVED_INTERVAL, MovedPush } from "../../../src/server/session/moved-push.ts";

let presence: Presence<OnlineUser, OwnUser>;
/** To whom something was pushed. */
let pushed: string[];
let now: number;
let timers: { at: number; run: () => void }[];
let push: MovedPush;

beforeEach(() => {
  presence = new Presence();
  pushed = [];
  now = 0;
  timers = [];
  push = new MovedPush(
    presence,
    () => now,
    (ms, run) => {
      timers.push({ at: now + ms, run });
      return () => undefined;
    },
  );
});

function online(fold: string, reach: object | undefined): OwnUser {
  const session = { push: () => void pushed.push(fold) };
  const user = { fold, username: fold, reach, session } as unknown as OwnUser;
  presence.enter(user);
  return user;
}

test("a change is told at once, further ones together after 10 s, and only to clients that speak reach", () => {
  online("ana", {});
  presence.watch(online("bea", {}), ["ana"]);
  presence.watch(online("carla", undefined), ["ana"]);
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

test("a change of which there was nobody to tell does not delay the next one", () => {
  online("ana", {});
  const bea = online("bea", {});
  push.moved("ana");
  presence.watch(bea, ["ana"]);
  now = 100;
  push.moved("ana");
  expect(pushed).toEqual(["bea"]);
});
