/** The server's program as a process of its own or in this one, and a folder for it. */
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import type { HostProcess } from "../../src/server/host-process.ts";
import { main } from "../../src/server/main.ts";
import { Collected } from "./collected.ts";

export const SERVER_PROGRAM = join(import.meta.dir, "../../server.ts");

/** Flags that switch off every rate. */
export const WITHOUT_RATES = [
  "--connection-rate=off",
  "--request-rate=off",
  "--register-rate=off",
  "--register-rate-total=off",
  "--login-rate=off",
  "--session-rate=off",
  "--failure-rate=off",
  "--failure-rate-per-address=off",
  "--failure-rate-per-account=off",
  "--lookup-rate=off",
  "--lookup-rate-per-address=off",
];

/** A run of the server's program. */
export abstract class Server {
  readonly stdout: Collected;
  abstract readonly exited: Promise<number>;
  /** What it has written to standard error, once it has ended. */
  abstract readonly stderr: Promise<string>;

  constructor(stdout: Collected) {
    this.stdout = stdout;
  }

  abstract kill(signal: "SIGINT" | "SIGTERM"): void;

  /** Ends it in whatever state it is. */
  abstract end(): Promise<unknown>;

  get lines(): readonly string[] {
    return this.stdout.lines;
  }

  /** Resolves with the start lines when the server waits for connections. @throws if it ends before */
  async started(): Promise<readonly string[]> {
    await this.stdout.line(() => this.lines.length >= 4);
    if (this.lines.length < 4) throw new Error(await this.stderr);
    return this.lines.slice(0, 4);
  }

  get plainPort(): number {
    return portIn(this.lines[1]);
  }

  get tlsPort(): number {
    return portIn(this.lines[2]?.split(",")[0]);
  }
}

/** The server as a process of its own, which can be killed and stopped. */
export class ServerProcess extends Server {
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly exited: Promise<number>;
  readonly stderr: Promise<string>;

  /**
   * @param descriptors how many it may have open; as this process by default.
   * @param program another one than that of this source
   */
  constructor(
    args: readonly string[],
    environment: { readonly [name: string]: string } = {},
    descriptors?: number,
    program: readonly string[] = [process.execPath, SERVER_PROGRAM],
  ) {
    const { PATH = "", HOME = tmpdir() } = process.env;
    const limited = ["bash", "-c", `ulimit -n ${descriptors} && exec "$@"`, "bash"];
    const child = Bun.spawn([...(descriptors === undefined ? [] : limited), ...program, ...args], {
      env: { PATH, HOME, PALOMA_MEETING_PORT: "off", ...environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const stdout = Collected.of(child.stdout);
    super(stdout);
    this.process = child;
    this.stderr = new Response(child.stderr).text();
    this.exited = Promise.all([child.exited, stdout.end]).then(([code]) => code);
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  end(): Promise<unknown> {
    this.kill("SIGKILL");
    return this.exited;
  }
}

/** The server, or a command of its operator, in this process, which saves its start. */
export class ServerHere extends Server {
  readonly exited: Promise<number>;
  readonly stderr: Promise<string>;
  readonly #host: EventEmitter;

  constructor(args: readonly string[], environment: { readonly [name: string]: string } = {}) {
    super(new Collected());
    const stderr = new Collected();
    const exit = Promise.withResolvers<number>();
    const { PATH = "", HOME = tmpdir() } = process.env;
    const host = Object.assign(new EventEmitter(), {
      env: { PATH, HOME, PALOMA_MEETING_PORT: "off", ...environment },
      stdin: Readable.from([]),
      stdout: this.stdout.stream(),
      stderr: stderr.stream(),
      exitCode: undefined as number | undefined,
      exit: (code: number) => exit.resolve(code),
    });
    this.#host = host;
    void main(args, host as unknown as HostProcess).then(() => {
      // A server that has started runs on, and has none yet.
      if (host.exitCode !== undefined) exit.resolve(host.exitCode);
    }, exit.reject);
    this.exited = exit.promise.finally(() => this.stdout.finish());
    this.stderr = this.exited.then(() => stderr.text);
  }

  kill(signal: "SIGINT" | "SIGTERM"): void {
    this.#host.emit(signal);
  }

  end(): Promise<unknown> {
    this.kill("SIGTERM");
    return this.exited;
  }
}

function portIn(line: string | undefined): number {
  return Number(/:(\d+)$/.exec(line ?? "")?.[1]);
}

/** A temporary folder, and how to remove it. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "paloma-process-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
