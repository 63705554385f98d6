/**
 * Real servers for tests: PostgreSQL, and Redis or Valkey. Each listens on a free port of loopback, keeps its data in a
 * folder of its own, and can be stopped, killed, started again and suspended.
 */
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian keeps the programs of each version there, newest last. */
const POSTGRES_VERSIONS = "/usr/lib/postgresql";

export interface Engine {
  readonly port: number;
  /** As a supervisor stops it. */
  stop(): Promise<void>;
  /** All its processes at once, as a crash does. */
  kill(): Promise<void>;
  /** Again, on the data that it has, at the same port. */
  start(): Promise<void>;
  /** Suspends all its processes: connections stay open, and nobody answers. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** Why there is no PostgreSQL for the tests; undefined: there is. */
export function whyNoPostgres(): string | undefined {
  return postgresProgram("initdb") === undefined ? "PostgreSQL is not installed" : undefined;
}

/** Why there is no Redis or Valkey for the tests; undefined: there is. */
export function whyNoRedis(): string | undefined {
  return redisProgram() === undefined ? "neither Valkey nor Redis is installed" : undefined;
}

/** For the title of a test. */
export function skipped(reason: string | undefined): string {
  return reason === undefined ? "" : `, skipped: ${reason}`;
}

/** A PostgreSQL whose user `paloma` may do everything and has no password. */
export async function startPostgres(): Promise<Engine & { url(database: string): string }> {
  const folder = temporaryFolder("paloma-postgres-");
  const port = freePort();
  const data = join(folder, "data");
  const make = ["-D", data, "-U", "paloma", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"];
  const { exitCode, stderr } = Bun.spawnSync([...asOther(), postgresProgram("initdb") ?? "", ...make], {
    cwd: folder,
  });
  if (exitCode !== 0) throw new Error(stderr.toString());
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
  const engine = new EngineProcess(folder, port, [
    postgresProgram("postgres") ?? "",
    ...["-D", data, "-p", String(port)],
    ...settings.flatMap((each) => ["-c", each]),
  ]);
  await engine.start();
  const url = (database: string) => `postgres://paloma@127.0.0.1:${port}/${database}`;
  return Object.assign(engine, { url });
}

/** A Valkey or Redis that writes nothing to the disk unless `settings` says so. */
export async function startRedis(...settings: string[]): Promise<Engine & { readonly url: string }> {
  const folder = temporaryFolder("paloma-redis-");
  const port = freePort();
  const engine = new EngineProcess(folder, port, [
    redisProgram() ?? "",
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"],
    ...settings,
  ]);
  await engine.start();
  return Object.assign(engine, { url: `redis://127.0.0.1:${port}` });
}

class EngineProcess implements Engine {
  readonly port: number;
  readonly #folder: string;
  readonly #command: readonly string[];
  #process: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;

  constructor(folder: string, port: number, command: readonly string[]) {
    this.#folder = folder;
    this.port = port;
    this.#command = command;
  }

  async start(): Promise<void> {
    const started = Bun.spawn([...asOther(), ...this.#command], {
      cwd: this.#folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#process = started;
    const ready = Promise.withResolvers<void>();
    const said: string[] = [];
    const listen = async (stream: ReadableStream<Uint8Array>) => {
      for await (const chunk of stream) {
        said.push(Buffer.from(chunk).toString());
        if (/ready to accept connections/i.test(said.join(""))) ready.resolve();
      }
    };
    void Promise.all([listen(started.stdout), listen(started.stderr)]).then(() =>
      ready.reject(new Error(said.join(""))),
    );
    await ready.promise;
  }

  async stop(): Promise<void> {
    // PostgreSQL ends its connections then, and does not wait for them as at SIGTERM.
    this.#process?.kill("SIGINT");
    await this.#process?.exited;
  }

  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#process?.exited;
  }

  pause(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#process ?? {};
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    // The first one, which makes others, last.
    for (const each of [...childrenOf(pid), pid]) {
      try {
        process.kill(each, signal);
      } catch (error) {
        // It has just ended.
        if ((error as { code?: unknown }).code !== "ESRCH") throw error;
      }
    }
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(String((error as { code?: unknown }).code))) return undefined;
    throw error;
  }
}

function postgresProgram(name: string): string | undefined {
  const versions = existsSync(POSTGRES_VERSIONS) ? readdirSync(POSTGRES_VERSIONS) : [];
  const folders = versions
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(POSTGRES_VERSIONS, version, "bin"));
  return Bun.which(name, { PATH: [...folders, process.env["PATH"]].join(":") }) ?? undefined;
}

function redisProgram(): string | undefined {
  return Bun.which("valkey-server") ?? Bun.which("redis-server") ?? undefined;
}

/** PostgreSQL refuses to run as root: then who else does. */
function otherUser(): { readonly uid: string; readonly gid: string } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  const user = ["postgres:", "nobody:"].flatMap((name) => users.filter((line) => line.startsWith(name)))[0];
  const [, , uid = "", gid = ""] = user?.split(":") ?? [];
  return { uid, gid };
}

function asOther(): string[] {
  const user = otherUser();
  return user === undefined
    ? []
    : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
}

function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const user = otherUser();
  if (user !== undefined) chownSync(folder, Number(user.uid), Number(user.gid));
  return folder;
}

/** A port of loopback that was free just now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop();
  return port;
}
