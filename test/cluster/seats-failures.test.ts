/** What fails between nodes and Valkey, with a lease of 4 s, and what people and watchers notice of it. */
import { describe, expect, test } from "bun:test";

import { FakeUser } from "../server/presence/fake-users.ts";
import { skipped, startRedis, whyNoRedis } from "./engines.ts";
import { SeatsNode, until } from "./seats-node.ts";
import { Tunnel } from "./tunnel.ts";

const reason = whyNoRedis();
const PEOPLE = 200;

type Redis = Awaited<ReturnType<typeof startRedis>>;
/** Two nodes of a Valkey of their own, with people at each, and a watcher of all of them at the first one. */
type Cluster = {
  readonly redis: Redis;
  readonly nodes: readonly [SeatsNode, SeatsNode];
  readonly people: readonly FakeUser[];
  readonly watcher: FakeUser;
  /** All are known to be online, at both nodes and in Valkey. */
  complete(): Promise<void>;
};

async function withCluster(
  run: (cluster: Cluster) => Promise<void>,
  settings: readonly string[] = [],
): Promise<void> {
  const redis = await startRedis(...settings);
  const nodes = [new SeatsNode(redis.url), new SeatsNode(redis.url)] as const;
  try {
    for (const node of nodes) await node.ready();
    const people = await Promise.all(
      Array.from({ length: PEOPLE }, (_, index) => (nodes[index % 2] as SeatsNode).online(`person${index}`)),
    );
    const watcher = await nodes[0].online("watcher");
    const isComplete = () => nodes.every(({ presence }) => presence.size === PEOPLE + 1);
    await until(isComplete);
    nodes[0].presence.watch(
      watcher.user,
      people.map(({ user }) => user.fold),
    );
    const asked = new Bun.RedisClient(redis.url);
    const inValkey = async () => Number(await asked.send("HLEN", ["p:users"]).catch(() => 0));
    const complete = async () => {
      while (!isComplete() || (await inValkey()) !== PEOPLE + 1) await Bun.sleep(20);
    };
    await run({ redis, nodes, people, watcher, complete });
    asked.close();
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await redis.remove();
  }
}

async function taken(node: SeatsNode, name: string): Promise<string> {
  return new FakeUser(node.seats, name).take();
}

/** Waits until somebody can log in at this node. */
async function loggedIn(node: SeatsNode, name: string): Promise<void> {
  while ((await taken(node, name)) !== "ok") await Bun.sleep(20);
}

describe.skipIf(reason !== undefined)(`failures${skipped(reason)}`, () => {
  test.concurrent("Valkey forgets everything: all enter again, and no watcher is told anything", () =>
    withCluster(async ({ redis, nodes, watcher, people, complete }) => {
      const client = new Bun.RedisClient(redis.url);
      await client.send("FLUSHALL", []);
      client.close();
      await until(() => nodes.every(({ seats }) => seats.counts.reentered >= PEOPLE / 2));
      await complete();
      const snapshots = nodes.map(({ seats }) => seats.counts.snapshots);
      await until(() => nodes.every(({ seats }, index) => seats.counts.snapshots > (snapshots[index] ?? 0)));
      await complete();
      expect(watcher.noted).toEqual([]);
      expect(people.flatMap(({ noted }) => noted)).toEqual([]);
    }),
  );

  test.concurrent(
    "Valkey is killed and comes back empty: logins are busy meanwhile, everybody stays online",
    () =>
      withCluster(async ({ redis, nodes, watcher, people, complete }) => {
        await redis.kill();
        await until(() => nodes.every(({ seats }) => !seats.isLeased));
        expect(await taken(nodes[0], "late")).toBe("busy");
        expect(nodes[0].presence.size).toBe(PEOPLE + 1);
        await redis.start();
        await loggedIn(nodes[1], "person1");
        await complete();
        expect(watcher.noted).toEqual([]);
        expect(people.flatMap(({ noted }) => noted)).toEqual(["replaced"]);
      }),
  );

  test.concurrent("Valkey comes back without its last writes: nobody who came or went then is wrong", () =>
    withCluster(
      async ({ redis, nodes, people, watcher, complete }) => {
        const client = new Bun.RedisClient(redis.url);
        await client.send("SAVE", []);
        client.close();
        const [gone] = people;
        gone?.leave();
        const come = await nodes[1].online("comer");
        await until(() => nodes.every(({ seats }) => seats.owed === 0));
        await redis.kill();
        await redis.start();
        await until(() => nodes.every(({ seats }) => seats.counts.reentered > 0));
        await complete();
        // One came and one went.
        await until(() => nodes.every(({ presence }) => presence.find("person0") === undefined));
        expect(nodes.map(({ presence }) => presence.find("comer") !== undefined)).toEqual([true, true]);
        expect(watcher.noted).toEqual(["-person0"]);
        expect(come.noted).toEqual([]);
      },
      ["--dbfilename", "dump.rdb"],
    ),
  );

  test.concurrent("Valkey hangs: logins are busy, and go on once it answers; nobody is told anything", () =>
    withCluster(async ({ redis, nodes, watcher, people, complete }) => {
      redis.pause();
      await until(() => nodes.every(({ seats }) => !seats.isLeased));
      expect(await taken(nodes[0], "late")).toBe("busy");
      people[3]?.leave();
      redis.resume();
      await loggedIn(nodes[0], "person3");
      await complete();
      expect(new Set(watcher.noted)).toEqual(new Set(["-person3", "+person3"]));
    }),
  );

  test.concurrent("a node that cannot reach Valkey: its people seem offline, and are back when it can", () =>
    withCluster(async ({ redis, nodes, watcher }) => {
      const tunnel = await Tunnel.open(redis.port);
      const cut = new SeatsNode(`redis://127.0.0.1:${tunnel.port}`);
      try {
        await cut.ready();
        const person = await cut.online("distant");
        nodes[0].presence.watch(watcher.user, ["distant"]);
        await until(() => nodes[0].presence.find("distant") !== undefined);
        tunnel.cut();
        await until(() => !cut.seats.isLeased);
        expect(await taken(cut, "nobody")).toBe("busy");
        await until(() => watcher.noted.includes("-distant"));
        tunnel.mend();
        await until(() => watcher.noted.at(-1) === "+distant");
        expect(person.noted).toEqual([]);
        expect(cut.presence.find("distant")).toBe(person.user);
      } finally {
        await cut.stop();
        tunnel.close();
      }
    }),
  );

  test.concurrent(
    "a node is killed: the same device logs in elsewhere at once, another one after the lease",
    () =>
      withCluster(async ({ redis, nodes, watcher }) => {
        const killed = await NodeProcess.start(redis.url, "orphan", 10);
        const names = Array.from({ length: 10 }, (_, index) => `orphan${index}`);
        nodes[0].presence.watch(watcher.user, names);
        await until(() => names.every((name) => nodes[0].presence.find(name) !== undefined));
        await killed.kill();
        expect(await taken(nodes[0], "orphan0")).toBe("ok");
        expect(await new FakeUser(nodes[1].seats, "orphan1", "b").take()).toBe("already_connected");
        await until(() => watcher.noted.length >= 9);
        expect(watcher.noted.toSorted()).toEqual(names.slice(1).map((name) => `-${name}`));
        expect(await new FakeUser(nodes[1].seats, "orphan1", "b").take()).toBe("ok");
      }),
  );

  test.concurrent(
    "a node sleeps: who was taken over elsewhere is replaced when it wakes, the others are back",
    () =>
      withCluster(async ({ redis, nodes }) => {
        const asleep = await NodeProcess.start(redis.url, "sleeper", 50);
        const names = Array.from({ length: 50 }, (_, index) => `sleeper${index}`);
        await until(() => names.every((name) => nodes[0].presence.find(name) !== undefined));
        asleep.pause();
        await until(() => names.every((name) => nodes[0].presence.find(name) === undefined));
        const moved = await Promise.all(names.slice(0, 5).map((name) => nodes[1].online(name, "b")));
        asleep.resume();
        await until(() => names.every((name) => nodes[0].presence.find(name) !== undefined));
        await until(() => asleep.said.filter((line) => line.startsWith("replaced")).length === 5);
        expect(asleep.said.filter((line) => line.startsWith("replaced")).toSorted()).toEqual(
          names.slice(0, 5).map((name) => `replaced ${name}`),
        );
        expect(moved.flatMap(({ noted }) => noted)).toEqual([]);
        await asleep.kill();
      }),
  );

  test.concurrent("a node whose clock is an hour ahead warns, and uses Valkey's time", () =>
    withCluster(async ({ redis, nodes }) => {
      const HOUR = 3_600_000;
      const wrong = new SeatsNode(redis.url, { now: () => Date.now() + HOUR });
      await wrong.ready();
      expect(wrong.logged).toContain("clock_differs");
      expect(Math.abs(wrong.clock.now() - Date.now())).toBeLessThan(HOUR / 60);
      await wrong.online("early");
      await until(() => nodes[0].presence.find("early") !== undefined);
      await wrong.stop();
      await until(() => nodes[0].presence.find("early") === undefined);
    }),
  );
});

/** A node in a process of its own. */
class NodeProcess {
  readonly said: string[] = [];
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;

  private constructor(process: Bun.Subprocess<"ignore", "pipe", "inherit">) {
    this.#process = process;
  }

  static async start(url: string, prefix: string, count: number): Promise<NodeProcess> {
    const program = [process.execPath, `${import.meta.dir}/seats-process.ts`, url, prefix, String(count)];
    const node = new NodeProcess(Bun.spawn(program, { stdin: "ignore", stdout: "pipe", stderr: "inherit" }));
    void node.#listen();
    await until(() => node.said.includes("ready"));
    return node;
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  pause(): void {
    this.#process.kill("SIGSTOP");
  }

  resume(): void {
    this.#process.kill("SIGCONT");
  }

  async #listen(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#process.stdout) {
      const lines = (rest + Buffer.from(chunk).toString()).split("\n");
      rest = lines.pop() ?? "";
      this.said.push(...lines);
    }
  }
}
