/** `client.ts daemon` as a process whose standard input and output a test uses as a program does. */
import { Collected, CLIENT_PROGRAM, expectNoTrace, type Person } from "./cli-process.ts";

type Line = { readonly [field: string]: unknown };

/** One end of JSON lines: requests that were sent, and the answers and events that were read. */
export abstract class Lines {
  protected readonly received = new Collected();
  #nextId = 1;

  abstract write(text: string): void;

  get lines(): Line[] {
    return this.received.lines.map((line) => JSON.parse(line) as Line);
  }

  /** The first line with these fields. @throws when the other side ends without it */
  async line(fields: Line): Promise<Line> {
    const found = await this.received.line((text) => {
      const line = JSON.parse(text) as Line;
      return Object.entries(fields).every(([name, value]) => Bun.deepEquals(line[name], value));
    });
    if (found === undefined) throw new Error(`${JSON.stringify(fields)} never came: ${this.received.text}`);
    return JSON.parse(found) as Line;
  }

  /** Sends a request. @returns its answer, `id` included */
  async ask(command: string, fields: Line = {}): Promise<Line> {
    const id = `request ${this.#nextId++}`;
    this.write(`${JSON.stringify({ id, command, ...fields })}\n`);
    return this.line({ id });
  }

  /** As `ask`. @throws where the answer is an error */
  async result(command: string, fields: Line = {}): Promise<Line> {
    const answer = await this.ask(command, fields);
    if (!("result" in answer)) throw new Error(JSON.stringify(answer));
    return answer["result"] as Line;
  }

  /** The code with which a request is refused. */
  async code(command: string, fields: Line = {}): Promise<unknown> {
    const { error } = await this.ask(command, fields);
    return (error as Line | undefined)?.["code"];
  }
}

export class DaemonProcess extends Lines {
  readonly process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly stderr: Collected;
  readonly ended: Promise<{ readonly code: number; readonly stderr: string }>;

  constructor(person: Person, args: readonly string[] = [], password?: string) {
    super();
    const { PATH = "", HOME = "" } = process.env;
    const flags = ["--server", person.server, "--user", person.name, "--data", person.data];
    this.process = Bun.spawn([process.execPath, "run", CLIENT_PROGRAM, "daemon", ...flags, ...args], {
      env: { PATH, HOME, LC_ALL: "en_US.UTF-8", ...(password && { PALOMA_PASSWORD: password }) },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    const read = async () => {
      const decoder = new TextDecoder();
      for await (const chunk of this.process.stdout)
        this.received.take(decoder.decode(chunk, { stream: true }));
      this.received.finish();
    };
    const stderr = Collected.of(this.process.stderr);
    this.stderr = stderr;
    this.ended = Promise.all([this.process.exited, read(), stderr.end]).then(([code]) => {
      expectNoTrace(stderr.text);
      return { code, stderr: stderr.text };
    });
  }

  write(text: string | Uint8Array): void {
    void this.process.stdin.write(text);
    void this.process.stdin.flush();
  }

  /** Resolves when it is online. */
  async online(): Promise<this> {
    await this.line({ event: "server", state: "online" });
    return this;
  }

  /** Ends it by SIGTERM. */
  async stop(): Promise<{ readonly code: number; readonly stderr: string }> {
    this.process.kill("SIGTERM");
    return this.ended;
  }
}
