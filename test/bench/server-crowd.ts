/** Thousands of idle users: the memory that each costs, and how long a restart takes until all are back. */
import type { TlsContext } from "../../src/net/tls.ts";
import { seededRandom } from "../seeded-random.ts";
import { BareConnection, residentKib } from "./bare-echo.ts";
import type { Report } from "./figures.ts";
import type { Sides } from "./server-logins.ts";
import { resumeOf, ServerProgram, succeedProven } from "./server-program.ts";
import { dialMany } from "./server-requests.ts";

/** Idle connections before those that are measured: the first ones cost more than a connection. */
const FIRST_IDLE = 1_000;
/** Time for the garbage of connecting to be collected, in ms: Bun does that in steps once a process is idle. */
const SETTLING = 15_000;
/** How long a client waits at most before it comes back (PROTOCOL 4), and after a failed dial, in ms. */
const JITTER = 2_000;
const REDIAL = 1_000;
const SEED = 5;
/** If not all are back after this, in ms, there is no figure. */
const PATIENCE = 60_000;

/** Opens `count` connections. @returns them, and the KiB that each took beyond the first ones. */
async function idleKib(
  pid: number,
  count: number,
  dial: (index: number) => Promise<BareConnection>,
): Promise<{ kib: number; open: BareConnection[] }> {
  const first = await dialMany(FIRST_IDLE, dial);
  await Bun.sleep(SETTLING);
  const before = residentKib(pid);
  const further = await dialMany(count - FIRST_IDLE, (index) => dial(FIRST_IDLE + index));
  await Bun.sleep(SETTLING);
  return { kib: (residentKib(pid) - before) / further.length, open: [...first, ...further] };
}

/** Everybody in `tokens` is online. Both processes must be fresh: reused memory would not be counted. */
export async function benchIdle(sides: Sides, report: Report): Promise<void> {
  const { server, context, bare, bareContext, tokens } = sides;
  const own = await idleKib(server.pid, tokens.length, async (index) => {
    const connection = await BareConnection.dial(server.tlsPort, context);
    await succeedProven(connection, resumeOf(tokens[index], index));
    return connection;
  });
  for (const connection of own.open) connection.close();
  const other = await idleKib(bare.pid, tokens.length, async () => {
    const connection = await BareConnection.dial(bare.port, bareContext);
    await connection.ask("{}\n");
    return connection;
  });
  for (const connection of other.open) connection.close();
  const name = `an idle logged-in connection, of ${tokens.length.toLocaleString("en")}`;
  report({ name, unit: "KiB", ours: own.kib, bare: other.kib });
}

/** Everybody is online, the server restarts, and everybody resumes by token. @returns the new server. */
export async function benchRestart(
  server: ServerProgram,
  database: string,
  context: TlsContext,
  tokens: readonly string[],
  report: Report,
): Promise<ServerProgram> {
  const random = seededRandom(SEED);
  const everybody = Promise.withResolvers<void>();
  let back = 0;
  let redials = 0;
  let isOver = false;
  const connections: BareConnection[] = [];
  const dial = async (index: number) => {
    const connection = await BareConnection.dial(server.tlsPort, context);
    await succeedProven(connection, resumeOf(tokens[index], index));
    connections[index] = connection;
    return connection;
  };
  const comeBack = async (index: number) => {
    await Bun.sleep(random.next() * JITTER);
    while (!isOver) {
      try {
        await dial(index);
        if (++back === tokens.length) everybody.resolve();
        return;
      } catch {
        // The server is not there yet, or cannot take more dials at once: try again later, as a client does.
        redials++;
        await Bun.sleep(REDIAL * (0.8 + 0.4 * random.next()));
      }
    }
  };
  await dialMany(tokens.length, dial);
  connections.forEach((connection, index) => {
    connection.onClosed = () => void comeBack(index);
  });

  const begin = performance.now();
  await server.stop();
  const stopped = performance.now();
  const next = await ServerProgram.start(database, { plain: server.plainPort, tls: server.tlsPort });
  const started = performance.now();
  const isLate = await Promise.race([
    everybody.promise.then(() => false),
    Bun.sleep(PATIENCE).then(() => true),
  ]);
  const ended = performance.now();
  isOver = true;
  for (const connection of connections) connection.close();
  const people = tokens.length.toLocaleString("en");
  const seconds = (from: number, to: number) => (to - from) / 1_000;
  report({
    name: `a restart until all ${people} are back, by token`,
    unit: "s",
    ours: isLate ? Number.NaN : seconds(begin, ended),
  });
  report({ name: "  of it until the old process has ended", unit: "s", ours: seconds(begin, stopped) });
  report({ name: "  of it until the new one listens", unit: "s", ours: seconds(stopped, started) });
  report({ name: "  dials that failed", unit: "", ours: redials });
  return next;
}
