/** The target of the rendezvous fuzz: a server in this process, or the program as a process. */
import { join } from "node:path";
import { readFileSync } from "node:fs";

import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { DEFAULT_LIMITS, NO_LIMIT, type Limits } from "../../src/server/limits/limits.ts";
import { CHEAP_HASHES } from "../integration/cheap-hash.ts";
import { loginOf, newPublicKey, registration, TestClient } from "../integration/rendezvous-test-client.ts";
import { TestServer } from "../integration/rendezvous-test-server.ts";
import { ServerProcess, temporaryFolder, WITHOUT_RATES } from "../integration/server-process.ts";
import { mustHold } from "./fuzz-failure.ts";
import { LoopStall, ProcessStall, type Stall } from "./loop-stall.ts";

export interface FuzzTarget {
  readonly plainPort: number;
  readonly tlsPort: number;
  plain(): Promise<TestClient>;
  tls(): Promise<TestClient>;
  /** Lines of the log since the last call. */
  newLogLines(): string[];
  /** Resident memory of the server's process, in bytes. */
  memory(): number;
  readonly stall: Stall;
  stop(): Promise<void>;
}

/** Without rates, so that deep states are reached. */
export const UNLIMITED: Limits = {
  ...DEFAULT_LIMITS,
  connectionRate: NO_LIMIT,
  requestRate: NO_LIMIT,
  registrationRate: NO_LIMIT,
  registrationRateTotal: NO_LIMIT,
  loginRate: NO_LIMIT,
  sessionRate: NO_LIMIT,
  failureRate: NO_LIMIT,
  failureRatePerAddress: NO_LIMIT,
  failureRatePerAccount: NO_LIMIT,
  lookupRate: NO_LIMIT,
  lookupRatePerAddress: NO_LIMIT,
};

/** Few passwords, registrations and lookups: many requests are answered `rate_limited`. */
export const TIGHT: Limits = {
  ...UNLIMITED,
  registrationRate: { burst: 3, perSecond: 1 },
  loginRate: { burst: 20, perSecond: 10 },
  failureRate: { burst: 3, perSecond: 1 },
  failureRatePerAddress: { burst: 20, perSecond: 5 },
  failureRatePerAccount: { burst: 3, perSecond: 1 },
  // Enough for a sentinel at each step of a fast machine.
  lookupRate: { burst: 20, perSecond: 200 },
  waitingHashes: 2,
};

export async function targetHere(names: readonly string[], limits = UNLIMITED): Promise<FuzzTarget> {
  const server = await TestServer.start({ limits });
  await server.addAccounts(...names);
  const tls = { ca: server.authority, serverName: RENDEZVOUS_DNS_NAME };
  const stall = new LoopStall();
  return {
    plainPort: server.plainPort,
    tlsPort: server.tlsPort,
    plain: () => TestClient.connect(server.plainPort),
    tls: () => TestClient.connect(server.tlsPort, { tls }),
    newLogLines: () => server.log.splice(0),
    memory: () => process.memoryUsage.rss(),
    stall,
    stop: () => {
      stall.stop();
      return server.stop();
    },
  };
}

/** The program. Its accounts are registered over the link; its log is read when it has ended. */
export async function targetOfProcess(names: readonly string[]): Promise<FuzzTarget> {
  const folder = temporaryFolder();
  const database = join(folder.path, "users.db");
  const ports = ["--host", "127.0.0.1", "--port", "0", "--tls-port", "0"];
  const args = [...ports, "--db", database, "--log", "json", ...WITHOUT_RATES];
  const server = new ServerProcess(args, CHEAP_HASHES);
  await server.started();
  const first = await TestClient.connect(server.plainPort);
  for (const name of names) {
    const answer = await first.ask(registration(name));
    mustHold(answer["success"] === true, "an account could not be made", answer);
  }
  const pong = await first.ask({ action: "ping" });
  first.close();
  const tls = { ca: String(pong["authority"]), serverName: RENDEZVOUS_DNS_NAME };
  return {
    plainPort: server.plainPort,
    tlsPort: server.tlsPort,
    plain: () => TestClient.connect(server.plainPort),
    tls: () => TestClient.connect(server.tlsPort, { tls }),
    newLogLines: () => {
      const { exitCode, signalCode } = server.process;
      mustHold(exitCode === null && signalCode === null, "the server has ended", { exitCode, signalCode });
      return [];
    },
    memory: () => memoryOf(server.process.pid),
    stall: new ProcessStall(server.process.pid),
    stop: async () => {
      server.kill("SIGTERM");
      const code = await server.exited;
      folder.remove();
      expectCleanLog((await server.stderr).split("\n"));
      mustHold(code === 0, "the server's exit code", code);
    },
  };
}

/** @throws FuzzFailure for a line about an internal error */
export function expectCleanLog(lines: readonly string[]): void {
  const wrong = lines.find((line) =>
    /uncaught_exception|unhandled_rejection|internal_error|panic/.test(line),
  );
  mustHold(wrong === undefined, "the log has an internal error", wrong);
}

/** 0 where there is no `/proc`. */
function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return 0;
    throw error;
  }
}

/** A client that is logged in and must not notice the fuzz. */
export async function sentinel(target: FuzzTarget, name: string): Promise<TestClient> {
  const client = await target.tls();
  const answer = await client.ask(loginOf(name, { public_key: newPublicKey() }));
  mustHold(answer["success"] === true, "a sentinel cannot log in", answer);
  return client;
}
