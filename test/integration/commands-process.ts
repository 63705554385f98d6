/** A process of its own in which the client's commands are run: under another user, or under a limit. */
import { join } from "node:path";

import { type Ended } from "./cli-process.ts";
import { Collected } from "./collected.ts";

export class CommandsProcess implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #output: Collected;
  #count = 0;

  /** @param launcher the command line behind which Bun's is put */
  constructor(launcher: readonly string[], environment: { readonly [name: string]: string }) {
    this.#process = Bun.spawn([...launcher, process.execPath, join(import.meta.dir, "commands-program.ts")], {
      // The runtime keeps no copies of what it has parsed: it could not write them.
      env: { PATH: process.env["PATH"] ?? "", BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0", ...environment },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#output = Collected.of(this.#process.stdout);
  }

  /** Runs one command to its end. @throws when the process ends first */
  async run(args: readonly string[]): Promise<Ended> {
    this.#process.stdin.write(`${JSON.stringify(args)}\n`);
    this.#process.stdin.flush();
    const number = this.#count++;
    await this.#output.line(() => this.#output.lines.length > number);
    const line = this.#output.lines[number];
    if (line === undefined) throw new Error("the process of the commands has ended");
    return JSON.parse(line) as Ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end();
    await this.#process.exited;
  }
}
