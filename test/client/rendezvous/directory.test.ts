import { expect, test } from "bun:test";

import { candidateTargets, Directory } from "../../../src/client/rendezvous/directory.ts";
import type { RendezvousLink } from "../../../src/client/rendezvous/link.ts";
import { RefusedError } from "../../../src/client/rendezvous/server-errors.ts";

/** A directory on a link with given answers, and the lookups that were sent on it. */
function directoryOn(answer: () => Promise<unknown>) {
  const scene = { now: 0, asked: 0 };
  const link: Pick<RendezvousLink, "request"> = {
    request: () => {
      scene.asked++;
      return answer() as never;
    },
  };
  const directory = new Directory(
    () => link as RendezvousLink,
    () => scene.now,
  );
  return { scene, directory };
}

test("a server that asks to wait counts as limited, not as missing, and receives no lookup until then", async () => {
  let answer = () => Promise.reject(new RefusedError("rate_limited", "", 30));
  const { scene, directory } = directoryOn(() => answer());
  expect(await directory.lookUp("dos")).toEqual({ name: "limited" });
  expect(directory.limitedFor).toBe(30_000);
  scene.now = 29_999;
  expect(await directory.lookUp("tres")).toEqual({ name: "limited" });
  expect(scene.asked).toBe(1);
  answer = () => Promise.reject(new RefusedError("user_offline", ""));
  scene.now = 30_000;
  expect(await directory.lookUp("dos")).toEqual({ name: "offline" });
  expect(directory.limitedFor).toBe(0);
});

test("a server that asks to wait for days is asked again within the hour", async () => {
  const { directory } = directoryOn(() => Promise.reject(new RefusedError("rate_limited", "", 1e9)));
  await directory.lookUp("dos");
  expect(directory.limitedFor).toBe(60 * 60 * 1_000);
});

test.each(["rate_limited", "server_busy"])(
  "after %s without a time, lookups are sent again after one second",
  async (code) => {
    const { directory } = directoryOn(() => Promise.reject(new RefusedError(code, "")));
    expect(await directory.lookUp("dos")).toEqual({ name: "limited" });
    expect(directory.limitedFor).toBe(1_000);
  },
);

test("a port that a router forwards is known as one, also where the server sees the client at it", () => {
  const [ip, open] = ["203.0.113.7", undefined];
  const candidates = [
    { kind: "mapped", ip, port: 9_000, open },
    { kind: "mapped", ip, port: 9_001, open },
    { kind: "direct", ip, port: 9_000, open },
    { kind: "direct", ip: "198.51.100.7", port: 9_000, open },
  ];
  expect(candidateTargets(candidates)).toEqual([
    { ip, port: 9_000, isMapped: true },
    { ip, port: 9_001, isMapped: true },
    { ip: "198.51.100.7", port: 9_000 },
  ]);
});
