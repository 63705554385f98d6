/**
 * Three nodes and a Valkey to which everything happens: people log in and leave, two devices want one name, the operator
 * ends sessions, Valkey is emptied, killed, suspended, nodes are cut off. Once all is quiet, nobody is online twice, and
 * every node knows the same of everybody.
 */
import { FakeUser } from "../server/presence/fake-users.ts";
import { seededRandom } from "../seeded-random.ts";
import { startRedis } from "./engines.ts";
import { SeatsNode } from "./seats-node.ts";
import { Tunnel } from "./tunnel.ts";

const NODES = 3;
const NAMES = 40;
const STEPS = 400;
/** Quick beats, so that a run takes seconds. */
const TIMES = { beat: 150, lease: 1_000, margin: 150, patience: 500 };
/** How long a fault lasts, and a step, at most, in ms. */
const FAULT = 1_500;
const STEP = 15;
/** Until all is quiet, in ms. */
const PATIENCE = 60_000;

/** @throws what is wrong, with the seed */
export async function checkCluster(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const redis = await startRedis();
  const tunnels = await Promise.all(Array.from({ length: NODES }, () => Tunnel.open(redis.port)));
  const nodes = tunnels.map(({ port }) => new SeatsNode(`redis://127.0.0.1:${port}`, { times: TIMES }));
  const users: FakeUser[] = [];
  const pending = new Set<Promise<void>>();
  const later = (work: Promise<unknown>) => {
    const done: Promise<void> = work.then(() => void pending.delete(done));
    pending.add(done);
  };
  const login = async () => {
    const node = random.pick(nodes);
    const user = new FakeUser(node.seats, `name${random.integer(NAMES)}`, random.pick(["a", "b", "c"]));
    users.push(user);
    if ((await user.take(random.integer(4) === 0)) !== "ok" || user.claim.isEnded) user.leave();
  };
  /** Valkey is up, or one fault at a time. */
  let isFaulty = false;
  const fault = async (begin: () => unknown, end: () => unknown) => {
    if (isFaulty) return;
    isFaulty = true;
    await begin();
    await Bun.sleep(random.integer(FAULT));
    await end();
    isFaulty = false;
  };
  const flush = async () => {
    const client = new Bun.RedisClient(redis.url);
    await client.send("FLUSHALL", []).catch(() => undefined);
    client.close();
  };
  const step = () => {
    const which = random.integer(100);
    if (which < 60) later(login());
    else if (which < 90) random.pick(users.length > 0 ? users : [undefined])?.leave();
    else if (which < 94) later(random.pick(nodes).seats.end(`name${random.integer(NAMES)}`, "ended"));
    else if (which < 95) later(fault(flush, () => undefined));
    else if (which < 96)
      later(
        fault(
          () => redis.kill(),
          () => redis.start(),
        ),
      );
    else if (which < 97)
      later(
        fault(
          () => redis.pause(),
          () => redis.resume(),
        ),
      );
    else {
      const tunnel = random.pick(tunnels);
      later(
        fault(
          () => tunnel.cut(),
          () => tunnel.mend(),
        ),
      );
    }
  };
  try {
    for (const node of nodes) await node.ready();
    for (let done = 0; done < STEPS; done++) {
      step();
      await Bun.sleep(random.integer(STEP));
    }
    while (pending.size > 0) await Promise.all(pending);
    const end = performance.now() + PATIENCE;
    for (;;) {
      const wrong = whatIsWrong(nodes, users);
      if (wrong === undefined) break;
      if (performance.now() > end) throw new Error(`PALOMA_TEST_SEED=${seed}: ${wrong}`);
      await Bun.sleep(20);
    }
  } finally {
    for (const tunnel of tunnels) tunnel.mend();
    await Promise.all(nodes.map((node) => node.stop()));
    for (const tunnel of tunnels) tunnel.close();
    await redis.remove();
  }
}

/** The first thing that is not as it should be once all is quiet. */
function whatIsWrong(nodes: readonly SeatsNode[], users: readonly FakeUser[]): string | undefined {
  const isAway = nodes.find(({ seats }) => !seats.isReady || seats.owed > 0 || seats.lag > 0);
  if (isAway !== undefined) return "a node is not ready";
  const seated = users.filter(({ seats, user }) => seats.own().includes(user));
  for (let index = 0; index < NAMES; index++) {
    const name = `name${index}`;
    const own = seated.filter(({ user }) => user.fold === name);
    if (own.length > 1) return `${name} is online ${own.length} times`;
    for (const { presence } of nodes) {
      const known = presence.find(name)?.since;
      if (known !== own[0]?.user.since) return `${name} is ${own[0]?.user.since}, and known as ${known}`;
    }
  }
  const isWrongSize = nodes.find(({ presence }) => presence.size !== seated.length);
  return isWrongSize === undefined ? undefined : "somebody is known who is not there";
}
