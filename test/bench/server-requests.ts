/** How many requests a second the server answers, and how much CPU one costs. */
import { diallerContext, type TlsContext } from "../../src/net/tls.ts";
import { newAuthority, serverIdentity } from "../integration/loopback.ts";
import { BareConnection, BareListener } from "./bare-echo.ts";
import { median, type Report } from "./figures.ts";
import {
  cpuSeconds,
  line,
  resumeOf,
  SERVER_NAME,
  succeed,
  succeedProven,
  userName,
  type ServerProgram,
} from "./server-program.ts";

const ROUNDS = 5;
const ROUND_MS = 1_000;
/** Connections, and the requests that each has outstanding. */
const SHAPES = [
  { connections: 16, outstanding: 64 },
  { connections: 100, outstanding: 1 },
] as const;
/** Dials at the same time. */
const LANES = 16;
/** Different batches of requests per connection. */
const BATCHES = 8;

type Side = { readonly pid: number; readonly connections: readonly BareConnection[] };
type Rate = { readonly perSecond: number; readonly cpu: number };

/** `count` connections, dialled a few at a time. */
export async function dialMany(
  count: number,
  dial: (index: number) => Promise<BareConnection>,
): Promise<BareConnection[]> {
  const open: BareConnection[] = [];
  while (open.length < count) {
    const batch = Array.from({ length: Math.min(LANES, count - open.length) }, (_, lane) =>
      dial(open.length + lane),
    );
    open.push(...(await Promise.all(batch)));
  }
  return open;
}

/** Each connection writes a batch, waits for all its answers, and writes the next one. */
async function loaded(side: Side, batches: readonly Buffer[], outstanding: number): Promise<Rate> {
  const cpu = cpuSeconds(side.pid);
  const begin = performance.now();
  let answered = 0;
  await Promise.all(
    side.connections.map(async (connection, index) => {
      for (let at = index; performance.now() - begin < ROUND_MS; at++) {
        await connection.exchange([batches[at % batches.length] as Buffer], outstanding);
        answered += outstanding;
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1_000;
  return { perSecond: answered / seconds, cpu: ((cpuSeconds(side.pid) - cpu) / answered) * 1e6 };
}

async function compare(
  name: string,
  ours: Side,
  bare: Side,
  batches: readonly Buffer[],
  outstanding: number,
  report: Report,
): Promise<void> {
  const rates: { ours: Rate; bare: Rate }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    rates.push({
      ours: await loaded(ours, batches, outstanding),
      bare: await loaded(bare, batches, outstanding),
    });
  }
  const of = (side: "ours" | "bare", what: keyof Rate) =>
    median(rates.slice(1).map((each) => each[side][what]));
  report({ name, unit: "/s", ours: of("ours", "perSecond"), bare: of("bare", "perSecond") });
  report({ name: "  server's CPU for one", unit: "µs", ours: of("ours", "cpu"), bare: of("bare", "cpu") });
}

/** `request_p2p` and `get_users` with `online` users online, compared with a listener that sends a constant of the same size. */
export async function benchRequests(
  server: ServerProgram,
  context: TlsContext,
  tokens: readonly string[],
  online: number,
  report: Report,
): Promise<void> {
  const authority = newAuthority();
  const open = await dialMany(online, async (index) => {
    const connection = await BareConnection.dial(server.tlsPort, context);
    await succeedProven(connection, resumeOf(tokens[index], index));
    return connection;
  });
  let asked = 0;
  const kinds = [
    {
      name: "request_p2p",
      request: () => ({ action: "request_p2p", target_user: userName((asked++ * 7 + 1) % online) }),
    },
    { name: "get_users, pages of 100", request: () => ({ action: "get_users" }) },
    { name: "get_users, pages of 10", request: () => ({ action: "get_users", limit: 10 }) },
  ];
  try {
    for (const { name, request } of kinds) {
      const answer = await succeed(open[0] as BareConnection, line({ ...request(), id: 12_345 }));
      const bare = await BareListener.start({ identity: serverIdentity(authority), answer });
      const bareContext = diallerContext({
        authority: authority.certificatePem,
        serverName: SERVER_NAME,
      });
      const most = Math.max(...SHAPES.map((shape) => shape.connections));
      const others = await dialMany(most, () => BareConnection.dial(bare.port, bareContext));
      for (const { connections, outstanding } of SHAPES) {
        const batches = Array.from({ length: BATCHES }, () =>
          Buffer.from(
            Array.from({ length: outstanding }, () => line({ ...request(), id: 10_000 + asked++ })).join(""),
          ),
        );
        await compare(
          `${name}, ${online} online, ${connections} × ${outstanding} under way`,
          { pid: server.pid, connections: open.slice(0, connections) },
          { pid: bare.pid, connections: others.slice(0, connections) },
          batches,
          outstanding,
          report,
        );
      }
      for (const connection of others) connection.close();
      await bare.stop();
    }
  } finally {
    for (const connection of open) connection.close();
  }
}
