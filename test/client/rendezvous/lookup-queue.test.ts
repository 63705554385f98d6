import { expect, test } from "bun:test";

import type { Whereabouts } from "../../../src/client/rendezvous/directory.ts";
import { LookupQueue } from "../../../src/client/rendezvous/lookup-queue.ts";

const OFFLINE: Whereabouts = { name: "offline" };
const LIMITED: Whereabouts = { name: "limited" };

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A queue to a directory that answers when the test says so, on the test's own clock. */
class Scene {
  readonly asked: string[] = [];
  /** Those of whom it was said that they are asked for, since they are waited for. */
  readonly told: string[] = [];
  readonly answered: [string, Whereabouts][] = [];
  readonly timers: { readonly ms: number; readonly run: () => void; isCancelled: boolean }[] = [];
  readonly awaited = new Set<string>();
  readonly queue: LookupQueue;
  limitedFor = 0;
  readonly #open: { readonly username: string; readonly resolve: (where: Whereabouts) => void }[] = [];

  constructor() {
    const scene = this;
    this.queue = new LookupQueue(
      {
        get limitedFor() {
          return scene.limitedFor;
        },
        lookUp: (username) => {
          scene.asked.push(username);
          return new Promise((resolve) => scene.#open.push({ username, resolve }));
        },
      },
      {
        after: (ms, run) => {
          const timer = { ms, run, isCancelled: false };
          scene.timers.push(timer);
          return () => (timer.isCancelled = true);
        },
      },
    );
  }

  get underWay(): number {
    return this.#open.length;
  }

  lookUp(...usernames: string[]): void {
    for (const username of usernames) {
      void this.queue
        .lookUp(
          username,
          () => this.awaited.has(username),
          () => this.told.push(username),
        )
        .then((where) => this.answered.push([username, where]));
    }
  }

  /** The oldest lookup under way is answered. */
  async answer(where: Whereabouts): Promise<void> {
    this.#open.shift()?.resolve(where);
    await turn();
    await turn();
  }

  async answerAll(): Promise<void> {
    while (this.underWay > 0) await this.answer(OFFLINE);
  }

  /** The server's limit is over. */
  async limitEnds(): Promise<void> {
    this.limitedFor = 0;
    for (const timer of this.timers.splice(0)) if (!timer.isCancelled) timer.run();
    await turn();
  }
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user${index}`);
}

test("1,500 people are looked up in order, at most 16 at a time", async () => {
  const scene = new Scene();
  scene.lookUp(...names(1_500));
  while (scene.underWay > 0) {
    expect(scene.underWay).toBeLessThanOrEqual(16);
    await scene.answer(OFFLINE);
  }
  expect(scene.asked).toEqual(names(1_500));
  expect(scene.answered).toEqual(names(1_500).map((name) => [name, OFFLINE]));
});

test("who is waited for right now goes first, also if that begins while they are in the queue", async () => {
  const scene = new Scene();
  scene.lookUp(...names(40));
  scene.awaited.add("user30").add("ana");
  scene.queue.hurry("user30");
  scene.lookUp("ana");
  await scene.answer(OFFLINE);
  await scene.answer(OFFLINE);
  expect(scene.asked.slice(16)).toEqual(["user30", "ana"]);
});

test("it is said when the server is asked for somebody who is waited for, and of nobody else", async () => {
  const scene = new Scene();
  scene.awaited.add("user20").add("user3");
  scene.lookUp(...names(30));
  expect(scene.told).toEqual(["user3"]);
  await scene.answerAll();
  expect(scene.told).toEqual(["user3", "user20"]);
});

test("lookups that the server limits wait, and go on in their order without another answer", async () => {
  const scene = new Scene();
  scene.lookUp(...names(40));
  await scene.answer(OFFLINE);
  scene.limitedFor = 30_000;
  while (scene.underWay > 0) await scene.answer(LIMITED);
  expect(scene.answered).toEqual([["user0", OFFLINE]]);
  expect(scene.timers.filter(({ isCancelled }) => !isCancelled).map(({ ms }) => ms)).toEqual([30_000]);
  scene.asked.length = 0;
  await scene.limitEnds();
  await scene.answerAll();
  expect(scene.asked).toEqual(names(40).slice(1));
  expect(scene.answered.map(([name]) => name)).toEqual(names(40));
});

test("who is waited for hears of a long limit at once, and nothing of a short one", async () => {
  const scene = new Scene();
  scene.awaited.add("ana").add("eva");
  scene.limitedFor = 2_000;
  scene.lookUp("bob", "ana");
  await turn();
  expect(scene.answered).toEqual([]);
  await scene.limitEnds();
  expect(scene.asked).toEqual(["ana", "bob"]);
  await scene.answerAll();
  scene.limitedFor = 30_000;
  scene.lookUp("bob", "eva");
  await turn();
  expect(scene.answered.slice(2)).toEqual([["eva", LIMITED]]);
  scene.awaited.add("bob");
  scene.queue.hurry("bob");
  await turn();
  expect(scene.answered.slice(3)).toEqual([["bob", LIMITED]]);
  expect(scene.underWay).toBe(0);
});

test("somebody who waits in the queue already is looked up once", async () => {
  const scene = new Scene();
  scene.lookUp(...names(16), "ana", "ana");
  await scene.answerAll();
  expect(scene.asked).toEqual([...names(16), "ana"]);
  expect(scene.answered.filter(([name]) => name === "ana")).toHaveLength(2);
});
