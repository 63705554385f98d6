/** The server's program as the bench and the soak run it: a process with a database full of accounts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { fold } from "../../src/identity/names.ts";
import { diallerContext, type TlsContext } from "../../src/net/tls.ts";
import { openDatabase } from "../../src/server/database/database.ts";
import { hashPassword } from "../../src/server/database/password-hash.ts";
import { newToken } from "../../src/server/store/session-token.ts";
import { SqliteStore } from "../../src/server/store/sqlite-store.ts";
import { keyProof, newPublicKey, PASSWORD } from "../integration/rendezvous-test-client.ts";
import { WITHOUT_RATES } from "../integration/server-process.ts";
import { BareConnection } from "./bare-echo.ts";

const PROGRAM = join(import.meta.dir, "../../server.ts");
export const SERVER_NAME = "rendezvous.paloma";
/** Lines that the server prints before it serves. */
const START_LINES = 4;

const PUBLIC_KEY = newPublicKey();
const PING = line({ action: "ping" });

/** One address makes all requests, so limits per address are off. */
export const WITHOUT_LIMITS = [
  "--max-connections=20000",
  "--max-connections-per-address=20000",
  "--max-anonymous=20000",
  "--max-waiting-hashes=1000",
  ...WITHOUT_RATES,
];

export function line(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

export function userName(index: number): string {
  return `user${index}`;
}

/** Makes a database with `count` accounts, all with `PASSWORD`; gives the token of each, bound to `PUBLIC_KEY`. */
export async function makeUsers(path: string, count: number): Promise<string[]> {
  const database = await openDatabase(path);
  const password = await hashPassword(PASSWORD);
  const insert = database.query<{ id: number }, string[]>(
    "INSERT INTO users (username, password, fold) VALUES (?, ?, ?) RETURNING id",
  );
  const ids = database.transaction(() =>
    Array.from({ length: count }, (_, index) => {
      const name = userName(index);
      return (insert.get(name, password, fold(name)) as { id: number }).id;
    }),
  )();
  const store = new SqliteStore(database, { now: Date.now });
  const key = Buffer.from(PUBLIC_KEY, "base64");
  // Not worth waiting for the disk each time: who measures makes it anew.
  database.run("PRAGMA synchronous = OFF");
  const tokens: string[] = [];
  for (const id of ids) {
    const { token, hash } = newToken();
    await store.issue({ id, password }, hash, key);
    tokens.push(token);
  }
  await store.close();
  return tokens;
}

/** A client's `resume`, with addresses as a machine at home has them; `succeedProven` adds the key. */
export function resumeOf(token: string | undefined, index: number): object {
  return {
    action: "resume",
    session_token: token,
    p2p_port: 9_001,
    addresses: [`192.168.${(index >> 8) & 0xff}.${index & 0xff}`, `fd12:3456:789a::${index.toString(16)}`],
  };
}

/** `PUBLIC_KEY` with its proof on the connection whose `pong` this is. @param leaf DER */
export function provenKey(pong: { readonly challenge?: unknown }, leaf: Uint8Array): object {
  return { public_key: PUBLIC_KEY, key_proof: keyProof(PUBLIC_KEY, String(pong.challenge), leaf) };
}

/** @throws unless the answer is a success */
export async function succeed(connection: BareConnection, request: string): Promise<string> {
  const answer = await connection.ask(request);
  if (!answer.includes('"success":true')) throw new Error(answer);
  return answer;
}

/** As a client does that logs in: asks for the challenge, and sends the request with the proof of `PUBLIC_KEY`. */
export async function succeedProven(connection: BareConnection, request: object): Promise<string> {
  const pong = JSON.parse(await connection.ask(PING)) as { challenge: string };
  return succeed(connection, line({ ...request, ...provenKey(pong, connection.leaf) }));
}

/** Dials a server and sends one request. */
export async function visit(port: number, context: TlsContext, request: string): Promise<void> {
  const connection = await BareConnection.dial(port, context);
  await succeed(connection, request);
  connection.close();
}

/** As `visit`, for a request with the proof of `PUBLIC_KEY`. */
export async function visitProven(port: number, context: TlsContext, request: object): Promise<void> {
  const connection = await BareConnection.dial(port, context);
  await succeedProven(connection, request);
  connection.close();
}

export class ServerProgram {
  readonly pid: number;
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly #process: Bun.Subprocess;

  private constructor(process: Bun.Subprocess, plainPort: number, tlsPort: number) {
    this.#process = process;
    this.pid = process.pid;
    this.plainPort = plainPort;
    this.tlsPort = tlsPort;
  }

  /**
   * Resolves when it serves. A port of 0 takes a free one.
   * @param log the file of its log; beside the database by default
   */
  static async start(
    database: string,
    ports: { readonly plain: number; readonly tls: number } = { plain: 0, tls: 0 },
    flags: readonly string[] = WITHOUT_LIMITS,
    log = `${database}.log`,
  ): Promise<ServerProgram> {
    const args = [`--port=${ports.plain}`, `--tls-port=${ports.tls}`, `--db=${database}`, ...flags];
    const child = Bun.spawn([process.execPath, "run", PROGRAM, ...args], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: Bun.file(log),
      env: process.env,
    });
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split("\n");
      if (lines.length <= START_LINES) continue;
      const [plainPort, tlsPort] = lines.slice(1, 3).map((each) => Number(/:(\d+)(?:,|$)/.exec(each)?.[1]));
      return new ServerProgram(child, plainPort as number, tlsPort as number);
    }
    throw new Error(`the server has ended: ${readFileSync(log, "utf8")}`);
  }

  /** For a client that trusts the authority which the server shows on its plain port. */
  async dialContext(): Promise<TlsContext> {
    return diallerContext({ authority: await this.#authority(), serverName: SERVER_NAME });
  }

  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    return this.#process.exited;
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  async #authority(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = "";
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: this.plainPort,
      socket: {
        data(_socket, chunk) {
          text += chunk.toString();
          if (text.endsWith("\n")) resolve((JSON.parse(text) as { authority: string }).authority);
        },
        close: () => reject(new Error("the server has closed")),
      },
    });
    socket.write(line({ action: "ping", id: 1 }));
    const authority = await promise;
    socket.end();
    return authority;
  }
}

/** Clock ticks per second in `/proc/PID/stat`, on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process and its threads, in s; NaN where there is no `/proc`. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may contain spaces; user and system time are the 12th and 13th fields after it.
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13);
    return (Number(user) + Number(system)) / TICKS_PER_SECOND;
  } catch {
    // There is no `/proc`: the figure is shown as unknown.
    return Number.NaN;
  }
}
