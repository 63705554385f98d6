/** Logins, resumes, and how long lookups of other users take meanwhile. */
import type { TlsContext } from "../../src/net/tls.ts";
import { hashPassword } from "../../src/server/database/password-hash.ts";
import { HASHES_AT_ONCE } from "../../src/server/limits/password-queue.ts";
import { loginOf, PASSWORD } from "../integration/rendezvous-test-client.ts";
import { BareConnection, type BareListener } from "./bare-echo.ts";
import { interleaved, median, percentile, perSecond, type Report } from "./figures.ts";
import {
  cpuSeconds,
  line,
  resumeOf,
  succeedProven,
  userName,
  visit,
  visitProven,
  type ServerProgram,
} from "./server-program.ts";

const ROUNDS = 3;
const LOGIN_ROUND_MS = 3_000;
const RESUME_ROUND_MS = 1_000;
/** Connections that dial and resume at the same time. */
const LANES = 16;
/** Connections that look somebody up meanwhile, and how often, in ms. */
const OBSERVERS = 20;
const LOOKUP_INTERVAL = 20;

export type Sides = {
  readonly server: ServerProgram;
  readonly context: TlsContext;
  readonly bare: BareListener;
  readonly bareContext: TlsContext;
  readonly tokens: readonly string[];
};

/** Sends lookups until `stopped`. @returns how long each answer took, in ms. */
async function observe(connection: BareConnection, stopped: () => boolean): Promise<number[]> {
  const request = line({ action: "request_p2p", target_user: userName(1), id: 1 });
  const took: number[] = [];
  while (!stopped()) {
    const begin = performance.now();
    await connection.ask(request);
    took.push(performance.now() - begin);
    await Bun.sleep(LOOKUP_INTERVAL);
  }
  return took;
}

/** As many logins at once as keep the server busy, compared with as many hashes at once as it makes. */
export async function benchLogins({ server, context, tokens }: Sides, report: Report): Promise<void> {
  const hash = await hashPassword(PASSWORD);
  const observers: BareConnection[] = [];
  for (let index = 0; index < OBSERVERS; index++) {
    const connection = await BareConnection.dial(server.tlsPort, context);
    await succeedProven(connection, resumeOf(tokens[index], index));
    observers.push(connection);
  }
  const took: number[] = [];
  let user = OBSERVERS;
  const next = () => OBSERVERS + ((user++ - OBSERVERS) % (tokens.length - OBSERVERS));
  const logins = await interleaved(
    async () => {
      let isOver = false;
      const observed = observers.map((connection) => observe(connection, () => isOver));
      const rate = await perSecond(LOGIN_ROUND_MS, HASHES_AT_ONCE + 2, () =>
        visitProven(server.tlsPort, context, loginOf(userName(next()))),
      );
      isOver = true;
      took.push(...(await Promise.all(observed)).flat());
      return rate;
    },
    () => perSecond(LOGIN_ROUND_MS, HASHES_AT_ONCE, () => Bun.password.verify(PASSWORD, hash)),
    ROUNDS,
  );
  for (const connection of observers) connection.close();
  report({ name: "logins, dial included (bare: argon2id alone)", unit: "/s", ...logins });
  report({ name: "  lookups of others meanwhile, median", unit: "ms", ours: percentile(took, 0.5) });
  report({ name: "  lookups of others meanwhile, 99 %", unit: "ms", ours: percentile(took, 0.99) });
}

export async function benchResumes(sides: Sides, report: Report): Promise<void> {
  const { server, context, bare, bareContext, tokens } = sides;
  /** The CPU of one dial in each round, in µs. */
  const cpu: { readonly ours: number[]; readonly bare: number[] } = { ours: [], bare: [] };
  const round = async (side: keyof typeof cpu, visitOne: () => Promise<void>) => {
    const { pid } = side === "ours" ? server : bare;
    const before = cpuSeconds(pid);
    let visits = 0;
    const rate = await perSecond(RESUME_ROUND_MS, LANES, async () => {
      await visitOne();
      visits++;
    });
    cpu[side].push(((cpuSeconds(pid) - before) / visits) * 1e6);
    return rate;
  };
  let user = 0;
  const resumes = await interleaved(
    () =>
      round("ours", () => {
        const index = user++ % tokens.length;
        return visitProven(server.tlsPort, context, resumeOf(tokens[index], index));
      }),
    () => round("bare", () => visit(bare.port, bareContext, "{}\n")),
  );
  report({ name: "resumes, dial included (bare: dial and one line)", unit: "/s", ...resumes });
  // The first round warms up.
  const [ours, other] = [cpu.ours, cpu.bare].map((each) => median(each.slice(1))) as [number, number];
  report({ name: "  server's CPU for one", unit: "µs", ours, bare: other });
}
