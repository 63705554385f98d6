/** Two people and their server in a laboratory, each in a process on a machine of its own. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Report } from "../../src/client/reach/doctor/report.ts";
import type { LinkWay } from "../../src/client/peer/proven-connection.ts";
import { SERVER, SERVER_6, type Lab, type Machine } from "./lab.ts";

/** What a person's process says. */
export type Line = {
  /** ms since 1970 */
  readonly at: number;
  readonly online?: string;
  /** A text has arrived. */
  readonly text?: string;
  readonly way?: LinkWay | undefined;
  /** The other has acknowledged a text. */
  readonly isReceived?: boolean;
  readonly link?: "connected" | "disconnected";
  /** Of the other side of the link. */
  readonly address?: string | undefined;
  /** What the server was told, or tells. */
  readonly told?: "reach" | "moved";
  /** What was sent or received, and what has become of the server and of dials: to find a fault. */
  readonly news?: string;
  /** Whether a router has opened a port. */
  readonly isMapped?: boolean;
  /** What doctor says of this person's network. */
  readonly report?: Pick<Report, "verdict" | "hint">;
};

/** A program of this folder that runs on a machine. */
class Program {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: string[] = [];
  /** Resolved with the next line, and at the end. */
  #news = Promise.withResolvers<void>();

  constructor(lab: Lab, machine: Machine, program: string, ...values: string[]) {
    const command = [...lab.on(machine), process.execPath, join(import.meta.dir, program), ...values];
    this.#process = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    void this.#read();
  }

  /** All lines so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves once it has said a line that is meant, or has. */
  async until<T>(find: (lines: readonly string[]) => T | undefined): Promise<T> {
    for (;;) {
      const found = find(this.#lines);
      if (found !== undefined) return found;
      if (this.#process.exitCode !== null) throw new Error("a program of the laboratory has ended");
      await this.#news.promise;
    }
  }

  tell(line: string): void {
    this.#process.stdin.write(`${line}\n`);
    this.#process.stdin.flush();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async end(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      this.#lines.push(...parts);
      this.#tellNews();
    }
    await this.#process.exited;
    this.#tellNews();
  }

  #tellNews(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

export class Person {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  get lines(): readonly Line[] {
    return this.#program.lines.map((line) => JSON.parse(line) as Line);
  }

  /** The first line that is meant. */
  until(isMeant: (line: Line) => boolean): Promise<Line> {
    return this.#program.until(() => this.lines.find(isMeant));
  }

  tell(command: "open" | "close" | "doctor" | `write ${string}`): void {
    this.#program.tell(command);
  }

  signal(signal: NodeJS.Signals): void {
    this.#program.signal(signal);
  }

  end(): Promise<void> {
    return this.#program.end();
  }
}

export class People {
  readonly #lab: Lab;
  readonly #isLan: boolean;
  readonly #folder = mkdtempSync(join(tmpdir(), "paloma-lab-"));
  readonly #server: Program;
  #port = "";

  private constructor(lab: Lab, isLan: boolean) {
    this.#lab = lab;
    this.#isLan = isLan;
    this.#server = new Program(
      lab,
      "s",
      "reach-server.ts",
      join(this.#folder, "users.db"),
      `${SERVER},${SERVER_6}`,
    );
  }

  /** @param isLan whether they use the local network and ask their routers for ports */
  static async at(lab: Lab, isLan = false): Promise<People> {
    const people = new People(lab, isLan);
    people.#port = await people.#server.until(([port]) => port);
    return people;
  }

  /** Starts both. Resolves once they have tried to be online. */
  async start(): Promise<{ readonly ana: Person; readonly benito: Person }> {
    const start = (machine: "a" | "b", name: string, other: string) => {
      const values = [name, SERVER, this.#port, join(this.#folder, machine), other, this.#isLan ? "lan" : ""];
      return new Person(new Program(this.#lab, machine, "reach-client.ts", ...values));
    };
    const [ana, benito] = [start("a", "ana", "benito"), start("b", "benito", "ana")];
    await Promise.all([ana, benito].map((person) => person.until(({ online }) => online !== undefined)));
    return { ana, benito };
  }

  async endServer(): Promise<void> {
    await this.#server.end();
  }
}
