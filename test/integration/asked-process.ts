/** A process of its own that answers each line with a line, both JSON: it is started once for many questions. */
import { join } from "node:path";

import type { Ended, Typed } from "./cli-process.ts";
import { Collected } from "./collected.ts";

export class AskedProcess implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #output: Collected;
  #count = 0;

  /** @param program a file of this folder @param launcher the command line behind which Bun's is put */
  constructor(
    program: string,
    launcher: readonly string[],
    environment: { readonly [name: string]: string },
  ) {
    this.#process = Bun.spawn([...launcher, process.execPath, join(import.meta.dir, program)], {
      env: { PATH: process.env["PATH"] ?? "", ...environment },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#output = Collected.of(this.#process.stdout);
  }

  /** Asks, and waits for the answer. @throws when the process ends first */
  async ask(question: unknown): Promise<unknown> {
    void this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    void this.#process.stdin.flush();
    const number = this.#count++;
    await this.#output.line(() => this.#output.lines.length > number);
    const line = this.#output.lines[number];
    if (line === undefined) throw new Error("the process has ended");
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    void this.#process.stdin.end();
    await this.#process.exited;
  }
}

/** A process in which the client's commands are run: under another user, under a limit, or in another place. */
export class CommandsProcess extends AskedProcess {
  constructor(launcher: readonly string[], environment: { readonly [name: string]: string } = {}) {
    // The runtime keeps no copies of what it has parsed: perhaps it could not write them.
    super("commands-program.ts", launcher, { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0", ...environment });
  }

  /** Runs one command to its end. */
  async run(typed: Typed): Promise<Ended> {
    return (await this.ask(typed)) as Ended;
  }
}
