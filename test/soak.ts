/**
 * `bun run soak --minutes N [--seed S] [--of server|worlds|links|walk|memberships|groups|cluster]`: what the tests do for seconds,
 * for as long as one likes. `server` (the default): many clients use and misuse a server process, whose memory is measured. `worlds`:
 * worlds of the simulated network. `links`: what two sides do with the links between them. `walk`: random keys at two
 * terminals. `memberships`: who belongs to a group, whatever its members write (several thousand worlds a minute).
 * `groups`: what members of a group give each other. `cluster`: three servers and a Valkey to which everything happens. Exit 0 if memory stayed flat and nothing was wrong, else 1.
 */
import { parseArgs } from "node:util";

import { residentKib } from "./bench/bare-echo.ts";
import { machineLine, median } from "./bench/figures.ts";
import { cpuSeconds, makeUsers, ServerProgram, WITHOUT_LIMITS } from "./bench/server-program.ts";
import { runClients, type Soak } from "./bench/soak-load.ts";
import { walkClasses } from "./client/class-walk.ts";
import { checkMembershipWorld } from "./client/group/sync/membership-world.ts";
import { checkSyncWorld } from "./client/group/sync/sync-world.ts";
import { checkWorld } from "./client/simulation/check-world.ts";
import { checkCluster } from "./cluster/chaos.ts";
import { temporaryFolder } from "./integration/server-process.ts";
import { walk } from "./integration/terminal-walk.ts";
import { testSeed } from "./seeded-random.ts";

const USERS = 1_000;
const MAX_MINUTES = 24 * 60;
const SAMPLE_INTERVAL = 10_000;
const MINUTE = 60_000;
/** Memory settles in this time; the median of the five minutes after it is the baseline. */
const SETTLING = 5 * MINUTE;
const BASELINE_END = 10 * MINUTE;
/** By how much the median of the last third may exceed the baseline. */
const TOLERANCE = 0.05;

type Sample = { readonly at: number; readonly rss: number };

/** A metric of the server without labels; NaN if there is none. */
function metric(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1] ?? Number.NaN);
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop();
  return port;
}

function mebibytes(kib: number): string {
  return Number.isNaN(kib) ? "?" : (kib / 1_024).toFixed(1);
}

/** Whether memory stayed flat. A run that is too short to judge compares its thirds, and passes. */
function verdict(samples: readonly Sample[], length: number): { flat: boolean; sentence: string } {
  // Samples taken while the last clients leave are left out.
  const rss = (from: number, to: number) =>
    median(samples.filter(({ at }) => at >= from && at < to).map((each) => each.rss));
  const isShort = length < BASELINE_END + SETTLING;
  const [from, to] = isShort ? [length / 3, (2 * length) / 3] : [SETTLING, BASELINE_END];
  const before = rss(from, to);
  const after = rss((2 * length) / 3, length + SAMPLE_INTERVAL / 2);
  const change = after / before - 1;
  const percent = `${change >= 0 ? "+" : ""}${(100 * change).toFixed(1)} %`;
  const baseline = isShort ? "second third" : "minutes 5 to 10";
  const flat = isShort || change <= TOLERANCE;
  const judgement = isShort ? "too short to judge" : flat ? "flat" : "NOT FLAT";
  return {
    flat,
    sentence: `median of the ${baseline} ${mebibytes(before)} MiB, of the last third ${mebibytes(after)} MiB: ${percent}, ${judgement}`,
  };
}

async function soak(length: number, seed: number): Promise<boolean> {
  const folder = temporaryFolder();
  const database = `${folder.path}/users.db`;
  const tokens = await makeUsers(database, USERS);
  const metricsPort = freePort();
  const server = await ServerProgram.start(database, undefined, [
    ...WITHOUT_LIMITS,
    `--metrics-port=${metricsPort}`,
  ]);
  const samples: Sample[] = [];
  const counts = { answers: 0, sessions: 0, losses: 0 };
  const begin = performance.now();
  const load: Soak = {
    port: server.tlsPort,
    context: await server.dialContext(),
    tokens,
    counts,
    unexpected: [],
    isOver: () => performance.now() - begin >= length,
  };
  console.log(`soak of ${length / MINUTE} min, PALOMA_TEST_SEED=${seed} (${machineLine()})`);
  console.log("   time    RSS MiB   heap MiB   online   requests/s   CPU s   sessions   losses");
  let last = { answers: 0, at: begin };
  const sample = async () => {
    const rss = residentKib(server.pid);
    const text = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).then((response) => response.text());
    const now = performance.now();
    samples.push({ at: now - begin, rss });
    const cells = [
      [`${((now - begin) / 1_000).toFixed(0)} s`, 7],
      [mebibytes(rss), 11],
      [mebibytes(metric(text, "paloma_heap_bytes") / 1_024), 11],
      [metric(text, "paloma_users_online"), 9],
      [Math.round(((counts.answers - last.answers) / (now - last.at)) * 1_000), 13],
      [cpuSeconds(server.pid).toFixed(0), 8],
      [counts.sessions, 11],
      [counts.losses, 9],
    ] as const;
    console.log(cells.map(([cell, width]) => String(cell).padStart(width)).join(""));
    last = { answers: counts.answers, at: now };
  };
  const sampler = setInterval(
    () => void sample().catch((error) => load.unexpected.push(String(error))),
    SAMPLE_INTERVAL,
  );
  await runClients(load, seed);
  clearInterval(sampler);
  const code = await server.stop();
  folder.remove();
  const { flat, sentence } = verdict(samples, length);
  console.log(sentence);
  for (const each of load.unexpected) console.log(`unexpected: ${each}`);
  if (code !== 0) console.log(`the server ended with ${code}`);
  return flat && load.unexpected.length === 0 && code === 0;
}

/** Steps of one walk at each screen: half an hour of somebody who presses a key a second. */
const WALK_STEPS = 1_800;

/** Runs it with one seed after another until the time is over. @throws its first fault, which names the seed */
async function repeat(length: number, seed: number, run: (seed: number) => Promise<void>): Promise<boolean> {
  const begin = performance.now();
  let runs = 0;
  for (; performance.now() - begin < length; runs++) await run((seed + runs) % 2 ** 32);
  console.log(`${runs} runs from seed ${seed}, nothing wrong`);
  return true;
}

const PARTS = {
  server: soak,
  worlds: (length, seed) => repeat(length, seed, checkWorld),
  links: (length, seed) => repeat(length, seed, async (each) => walkClasses(each)),
  walk: (length, seed) => repeat(length, seed, (each) => walk(each, WALK_STEPS, "apart")),
  memberships: (length, seed) => repeat(length, seed, async (each) => checkMembershipWorld(each)),
  groups: (length, seed) => repeat(length, seed, async (each) => checkSyncWorld(each)),
  cluster: (length, seed) => repeat(length, seed, checkCluster),
} as const satisfies Record<string, (length: number, seed: number) => Promise<boolean>>;

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seed: { type: "string" },
    of: { type: "string", default: "server" },
  },
});
const minutes = Number(values.minutes ?? 30);
const seed = values.seed === undefined ? testSeed() : Number(values.seed);
const part = Object.entries(PARTS).find(([name]) => name === values.of)?.[1];
if (!(minutes > 0 && minutes <= MAX_MINUTES) || !Number.isSafeInteger(seed) || part === undefined) {
  console.error(
    `--minutes takes a number up to ${MAX_MINUTES}, --seed an integer, --of ${Object.keys(PARTS).join(", ")}`,
  );
  process.exit(2);
}
try {
  process.exit((await part(minutes * MINUTE, seed)) ? 0 : 1);
} catch (error) {
  console.error(error);
  process.exit(1);
}
