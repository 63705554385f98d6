/**
 * Figures of three servers over PostgreSQL and Valkey (or Redis) on this machine, each beside the same work of one server
 * with SQLite, in turn. All share its cores, so that three have no more to give than one: what they cost more is shown.
 */
import { copyFileSync } from "node:fs";

import type { TlsContext } from "../../src/net/tls.ts";
import { move } from "../../src/server/admin/move.ts";
import { HASHES_AT_ONCE } from "../../src/server/limits/password-queue.ts";
import { startPostgres, startRedis, whyNoPostgres, whyNoRedis } from "../cluster/engines.ts";
import { loginOf } from "../integration/rendezvous-test-client.ts";
import { temporaryFolder } from "../integration/server-process.ts";
import { seededRandom } from "../seeded-random.ts";
import { BareConnection } from "./bare-echo.ts";
import { interleaved, median, perSecond, type Report } from "./figures.ts";
import {
  line,
  makeUsers,
  resumeOf,
  ServerProgram,
  succeedProven,
  userName,
  visitProven,
  WITHOUT_LIMITS,
} from "./server-program.ts";
import { dialMany } from "./server-requests.ts";

const NODES = 3;
/** Who is online at one server when it is killed. */
const CROWD = 10_000;
/** Users at the front, for everything but the crowd. */
const USERS = 2_000;
const ROUNDS = 3;
const ROUND_MS = 2_000;
const LANES = 16;
/** Connections that look others up, and requests that each has under way. */
const LOOKERS = 15;
const OUTSTANDING = 64;
const NEWS = 100;
/** How long a client waits at most before it comes back (PROTOCOL 4), and after a failed dial, in ms. */
const JITTER = 2_000;
const REDIAL = 1_000;
/** If not all are back after this, in ms, there is no figure. */
const PATIENCE = 120_000;
const SEED = 7;

/** Servers that hold the same accounts, and a client's view of them. */
type Side = { readonly servers: ServerProgram[]; readonly context: TlsContext };

export async function benchCluster(report: Report): Promise<void> {
  const missing = whyNoPostgres() ?? whyNoRedis();
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    return;
  }
  const folder = temporaryFolder();
  const file = `${folder.path}/users.db`;
  const tokens = await makeUsers(file, USERS + CROWD);
  const moved = `${folder.path}/moved.db`;
  copyFileSync(file, moved);
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const sides: Side[] = [];
  try {
    await move(moved, postgres.url("postgres"), () => undefined);
    const flags = [...WITHOUT_LIMITS, "--meeting-port=off", `--shared=${redis.url}`];
    const several: ServerProgram[] = [];
    for (let node = 0; node < NODES; node++) {
      const log = `${folder.path}/${node}.log`;
      several.push(await ServerProgram.start(postgres.url("postgres"), undefined, flags, log));
    }
    const one = [await ServerProgram.start(file)];
    for (const servers of [several, one]) {
      sides.push({ servers, context: await (servers[0] as ServerProgram).dialContext() });
    }
    const [ours, alone] = sides as [Side, Side];
    await benchVisits(ours, alone, tokens, report);
    await benchLookups(ours, alone, tokens, report);
    report({
      name: "from a resume to the notice at another server (one: the same), median",
      unit: "ms",
      ours: await newsTook(ours, tokens),
      bare: await newsTook(alone, tokens),
    });
    report({
      name: `one killed: until its ${CROWD.toLocaleString("en")} are back (one: started again)`,
      unit: "s",
      ours: await stormTook(ours, tokens, async (killed) => {
        await killed.kill();
        return ours.servers.filter((each) => each !== killed);
      }),
      bare: await stormTook(alone, tokens, async (killed) => {
        await killed.kill();
        const ports = { plain: killed.plainPort, tls: killed.tlsPort };
        alone.servers[0] = await ServerProgram.start(file, ports);
        return alone.servers;
      }),
    });
  } finally {
    await Promise.all(sides.flatMap(({ servers }) => servers.map((each) => each.stop())));
    await Promise.all([postgres.remove(), redis.remove()]);
    folder.remove();
  }
}

async function benchVisits(
  ours: Side,
  alone: Side,
  tokens: readonly string[],
  report: Report,
): Promise<void> {
  let visits = 0;
  const resume = ({ servers, context }: Side) =>
    perSecond(ROUND_MS, LANES, () => {
      const index = visits++ % USERS;
      return visitProven(serverFor(servers, visits).tlsPort, context, resumeOf(tokens[index], index));
    });
  report({
    name: "resumes, dial included (one server with SQLite)",
    unit: "/s",
    ...(await interleaved(
      () => resume(ours),
      () => resume(alone),
      ROUNDS,
    )),
  });
  const login = ({ servers, context }: Side) =>
    perSecond(ROUND_MS, HASHES_AT_ONCE + 2, () => {
      const index = visits++ % USERS;
      return visitProven(serverFor(servers, visits).tlsPort, context, loginOf(userName(index)));
    });
  report({
    name: "logins by password, dial included",
    unit: "/s",
    ...(await interleaved(
      () => login(ours),
      () => login(alone),
      ROUNDS,
    )),
  });
}

/** Each asks for users of whom most are at other servers. */
async function benchLookups(
  ours: Side,
  alone: Side,
  tokens: readonly string[],
  report: Report,
): Promise<void> {
  const open = await Promise.all([online(ours, tokens, LOOKERS), online(alone, tokens, LOOKERS)]);
  const batch = Buffer.from(
    Array.from({ length: OUTSTANDING }, (_, index) =>
      line({ action: "request_p2p", target_user: userName(index % LOOKERS), id: index }),
    ).join(""),
  );
  const ask = async (connections: readonly BareConnection[]) => {
    const begin = performance.now();
    let answered = 0;
    await Promise.all(
      connections.map(async (connection) => {
        while (performance.now() - begin < ROUND_MS) {
          await connection.exchange([batch], OUTSTANDING);
          answered += OUTSTANDING;
        }
      }),
    );
    return answered / ((performance.now() - begin) / 1_000);
  };
  const rates = await interleaved(
    () => ask(open[0]),
    () => ask(open[1]),
    ROUNDS,
  );
  for (const connection of open.flat()) connection.close();
  report({ name: `lookups (request_p2p), ${LOOKERS} × ${OUTSTANDING} under way`, unit: "/s", ...rates });
}

/** Ms from sending a resume to the notice of who watches its name, at another server where there are several. */
async function newsTook(side: Side, tokens: readonly string[]): Promise<number> {
  const [watcher] = await online(side, tokens, 1);
  const watched = 1;
  await watcher?.ask(line({ action: "watch", users: [userName(watched)], id: 1 }));
  const took: number[] = [];
  for (let round = 0; round < NEWS; round++) {
    const connection = await BareConnection.dial(serverFor(side.servers, watched).tlsPort, side.context);
    const noticed = watcher?.exchange([], 1).then(() => performance.now());
    const begin = performance.now();
    await succeedProven(connection, resumeOf(tokens[watched], watched));
    took.push(((await noticed) ?? Number.NaN) - begin);
    const gone = watcher?.exchange([], 1);
    connection.close();
    await gone;
  }
  watcher?.close();
  return median(took);
}

/** @returns the s from the kill of a server until its users are back, by token, at those that `kill` gives */
async function stormTook(
  side: Side,
  tokens: readonly string[],
  kill: (killed: ServerProgram) => Promise<readonly ServerProgram[]>,
): Promise<number> {
  const random = seededRandom(SEED);
  const killed = side.servers.at(-1) as ServerProgram;
  let servers: readonly ServerProgram[] = [killed];
  let back = 0;
  let isOver = false;
  const everybody = Promise.withResolvers<void>();
  const connections: BareConnection[] = [];
  const dial = async (index: number) => {
    const connection = await BareConnection.dial(serverFor(servers, index).tlsPort, side.context);
    await succeedProven(connection, resumeOf(tokens[USERS + index], index));
    connections[index] = connection;
    return connection;
  };
  const comeBack = async (index: number) => {
    await Bun.sleep(random.next() * JITTER);
    while (!isOver) {
      try {
        await dial(index);
        if (++back === CROWD) everybody.resolve();
        return;
      } catch {
        // Too many dial at once, or it is not there yet: again later, as a client does.
        await Bun.sleep(REDIAL * (0.8 + 0.4 * random.next()));
      }
    }
  };
  await dialMany(CROWD, dial);
  const begin = performance.now();
  connections.forEach((connection, index) => {
    connection.onClosed = () => void comeBack(index);
  });
  servers = await kill(killed);
  const isLate = await Promise.race([
    everybody.promise.then(() => false),
    Bun.sleep(PATIENCE).then(() => true),
  ]);
  const took = (performance.now() - begin) / 1_000;
  isOver = true;
  for (const connection of connections) connection.close();
  return isLate ? Number.NaN : took;
}

/** Users from the front of the list, spread over the servers. */
function online(side: Side, tokens: readonly string[], count: number): Promise<BareConnection[]> {
  return dialMany(count, async (index) => {
    const connection = await BareConnection.dial(serverFor(side.servers, index).tlsPort, side.context);
    await succeedProven(connection, resumeOf(tokens[index], index));
    return connection;
  });
}

function serverFor(servers: readonly ServerProgram[], index: number): ServerProgram {
  return servers[index % servers.length] as ServerProgram;
}
