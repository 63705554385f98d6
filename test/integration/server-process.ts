/** The server's program as a process of its own, in a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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

export class ServerProcess {
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly exited: Promise<number>;
  /** What it has written to standard error, once it has ended. */
  readonly stderr: Promise<string>;
  /** The lines of standard output so far. */
  readonly lines: string[] = [];
  readonly #read: Promise<void>;
  #wake: () => void = () => undefined;
  #ended = false;

  /** @param descriptors how many it may have open; as this process by default. */
  constructor(
    args: readonly string[],
    environment: { readonly [name: string]: string } = {},
    descriptors?: number,
  ) {
    const { PATH = "", HOME = tmpdir() } = process.env;
    const limited = ["bash", "-c", `ulimit -n ${descriptors} && exec "$@"`, "bash"];
    const program = [process.execPath, SERVER_PROGRAM, ...args];
    this.process = Bun.spawn([...(descriptors === undefined ? [] : limited), ...program], {
      env: { PATH, HOME, ...environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.stderr = new Response(this.process.stderr).text();
    this.#read = this.#readLines();
    this.exited = Promise.all([this.process.exited, this.#read]).then(([code]) => code);
  }

  /** Resolves with the start lines when the server waits for connections. @throws if it ends before */
  async started(): Promise<string[]> {
    while (this.lines.length < 4 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.lines.length < 4) throw new Error(await this.stderr);
    return this.lines.slice(0, 4);
  }

  get plainPort(): number {
    return portIn(this.lines[1]);
  }

  get tlsPort(): number {
    return portIn(this.lines[2]?.split(",")[0]);
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  async #readLines(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.process.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() as string;
      this.lines.push(...parts);
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
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
