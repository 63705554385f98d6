import { expect, test } from "bun:test";

import { AFTER_FAILURE, GATEWAY_INTERVAL, Mapping } from "../../../../src/client/reach/mapping/mapping.ts";
import type { Mapped } from "../../../../src/client/reach/mapping/ways.ts";

/** A mapping whose gateway answers what the test says. */
class Scene {
  now = 0;
  gateway: string | undefined = "192.168.1.1";
  answer: Partial<Mapped> | undefined = {};
  asked = 0;
  changed = 0;
  readonly released: number[] = [];
  readonly mapping = new Mapping({
    gateway: () => this.gateway,
    ask: async () => {
      this.asked++;
      const number = this.asked;
      if (this.answer === undefined) return undefined;
      const release = async () => void this.released.push(number);
      return { ip: "80.1.0.11", port: 9_001, lifetime: 3_600, release, ...this.answer };
    },
    monotonic: () => this.now,
    changed: () => void this.changed++,
  });

  /** Lets the clock go on, and the gateway answer. */
  async after(ms: number): Promise<this> {
    this.now += ms;
    this.mapping.tick();
    await Bun.sleep(0);
    return this;
  }

  static async started(answer: Partial<Mapped> | undefined): Promise<Scene> {
    const scene = new Scene();
    scene.answer = answer;
    scene.mapping.start();
    return scene.after(0);
  }
}

test("the gateway's answer is taken as it is, and asked for again at half of the lease", async () => {
  const scene = await Scene.started({ lifetime: 1_000 });
  expect(scene.mapping.target).toEqual({ ip: "80.1.0.11", port: 9_001 });
  await scene.after(499_999);
  expect([scene.asked, scene.changed]).toEqual([1, 1]);
  await scene.after(1);
  // The same port is no news.
  expect([scene.asked, scene.changed]).toEqual([2, 1]);
  scene.answer = { port: 9_002 };
  await scene.after(500_000);
  expect([scene.asked, scene.changed, scene.mapping.target?.port]).toEqual([3, 2, 9_002]);
});

test("a lease of a second does not make the client ask each second, nor one of a century forget it", async () => {
  const short = await Scene.started({ lifetime: 1 });
  await short.after(59_999);
  expect([short.asked, short.mapping.target]).toEqual([1, undefined]);
  const long = await Scene.started({ lifetime: 4_294_967_295 });
  await long.after(1_800_000);
  expect(long.asked).toBe(2);
});

test("after a failure nothing is asked for ten minutes, and an older lease counts to its end", async () => {
  const scene = await Scene.started(undefined);
  await scene.after(AFTER_FAILURE - 1);
  expect(scene.asked).toBe(1);
  scene.answer = {};
  await scene.after(1);
  expect([scene.asked, scene.changed]).toEqual([2, 1]);
  scene.answer = undefined;
  await scene.after(1_800_000);
  await scene.after(AFTER_FAILURE);
  expect([scene.asked, scene.mapping.target?.port]).toEqual([4, 9_001]);
  await scene.after(1_200_000);
  expect(scene.mapping.target).toBeUndefined();
});

test.each([
  ["in a private network", { ip: "192.168.0.7" }],
  ["of a carrier's NAT", { ip: "100.64.3.4" }],
  ["unspecified", { ip: "0.0.0.0" }],
  ["with the port of a service of the system", { port: 22 }],
  ["without a lease", { lifetime: 0 }],
])("what is %s is given back, and counts as a failure", async (_name, answer) => {
  const scene = await Scene.started(answer);
  await scene.after(AFTER_FAILURE - 1);
  expect([scene.mapping.target, scene.asked, scene.released, scene.changed]).toEqual([undefined, 1, [1], 0]);
});

test("an address at which others do not see this client is of a second router", async () => {
  const scene = await Scene.started({});
  scene.mapping.seenAs(["80.1.0.11", "80.9.9.9"]);
  expect(scene.mapping.target?.ip).toBe("80.1.0.11");
  scene.mapping.seenAs([]);
  expect(scene.mapping.target?.ip).toBe("80.1.0.11");
  scene.mapping.seenAs(["80.9.9.9"]);
  expect([scene.mapping.target, scene.released, scene.changed]).toEqual([undefined, [1], 2]);
  await scene.after(AFTER_FAILURE);
  expect([scene.asked, scene.mapping.target]).toEqual([2, undefined]);
});

test("after a change of address it is asked for at once, also after a failure; the older answer does not count", async () => {
  const scene = await Scene.started(undefined);
  scene.answer = { port: 9_002 };
  scene.mapping.lineMayHaveChanged();
  scene.mapping.tick();
  scene.answer = { port: 9_003 };
  scene.mapping.lineMayHaveChanged();
  await scene.after(0);
  expect([scene.asked, scene.mapping.target?.port, scene.released]).toEqual([3, 9_003, []]);
});

test("without a gateway nothing is asked until there is one", async () => {
  const scene = new Scene();
  scene.gateway = undefined;
  scene.mapping.start();
  await scene.after(0);
  scene.gateway = "192.168.1.1";
  await scene.after(GATEWAY_INTERVAL - 1);
  expect(scene.asked).toBe(0);
  await scene.after(1);
  expect(scene.asked).toBe(1);
});

test("at the end the port is given back, also one that is being asked for", async () => {
  const scene = await Scene.started({});
  await scene.mapping.stop();
  await scene.after(3_600_000);
  expect([scene.released, scene.asked, scene.mapping.target]).toEqual([[1], 1, undefined]);
  const late = new Scene();
  late.mapping.start();
  late.mapping.tick();
  await late.mapping.stop();
  await late.after(0);
  expect(late.released).toEqual([1]);
});

test("who asks for it is answered shortly after a failure, too, and a port that is open stays", async () => {
  const scene = await Scene.started(undefined);
  scene.answer = {};
  await scene.mapping.askNow();
  expect([scene.asked, scene.mapping.target?.port]).toEqual([2, 9_001]);
  await scene.mapping.askNow();
  expect([scene.asked, scene.mapping.target?.port]).toEqual([2, 9_001]);
  scene.gateway = undefined;
  await scene.mapping.stop();
  await scene.mapping.askNow();
  expect([scene.asked, scene.mapping.target]).toEqual([2, undefined]);
});
