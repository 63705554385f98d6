/** The command `daemon`, here or as a process of its own: a test uses its standard input and output as a program does. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";

import {
  CLIENT_PROGRAM,
  expectNoTrace,
  FRIENDS,
  type ClientHere,
  type Ended,
  type Person,
} from "./cli-process.ts";
import { Collected } from "./collected.ts";

type Line = { readonly [field: string]: unknown };

/** One end of JSON lines: requests that were sent, and the answers and events that were read. */
export abstract class Lines {
  readonly lines: Line[] = [];
  /** How much was read, in UTF-16 units. */
  length = 0;
  #rest = "";
  #hasEnded = false;
  #wake = Promise.withResolvers<void>();
  #nextId = 1;

  abstract write(text: string): void;

  /** Takes what was read; undefined: nothing follows. */
  protected take(text: string | undefined): void {
    if (text === undefined) this.#hasEnded = true;
    else {
      this.length += text.length;
      const [first = "", ...more] = text.split("\n");
      const whole = [this.#rest + first, ...more];
      this.#rest = whole.pop() ?? "";
      for (const line of whole) this.lines.push(JSON.parse(line) as Line);
    }
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** The first line with these fields, from number `from` on. @throws when the other side ends without it */
  async line(fields: Line, from = 0): Promise<Line> {
    const wanted = Object.entries(fields);
    for (let seen = from; ;) {
      for (; seen < this.lines.length; seen++) {
        const line = this.lines[seen] as Line;
        if (wanted.every(([name, value]) => Bun.deepEquals(line[name], value))) return line;
      }
      if (this.#hasEnded) throw new Error(`${JSON.stringify(fields)} never came`);
      await this.#wake.promise;
    }
  }

  /** Sends a request. @returns its answer, `id` included */
  ask(command: string, fields: Line = {}): Promise<Line> {
    const id = `request ${this.#nextId++}`;
    this.write(`${JSON.stringify({ id, command, ...fields })}\n`);
    return this.line({ id }, this.lines.length);
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

/** A text as long as one may be. */
export const LONGEST = "x".repeat(32 * 1024);

/** Makes `count` events of 32 KiB, by editing a text that nobody receives. @returns the last text */
export async function makeEvents(program: Lines, count: number): Promise<string> {
  const { message_id } = await program.result("send", { to: "away.person", text: "to be edited" });
  let text = "";
  for (let number = 0; number < count; number++) {
    text = `${number} ${LONGEST}`.slice(0, LONGEST.length);
    await program.result("edit", { to: "away.person", message_id, text });
  }
  return text;
}

/** A program on the socket of an account that is online. */
export class SocketProgram extends Lines {
  readonly closed: Promise<void>;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    super();
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  static async on(person: Person, reads: "reads" | "does not read" = "reads"): Promise<SocketProgram> {
    const socket = connect(socketOf(person));
    const program = new SocketProgram(socket);
    await once(socket, "connect");
    if (reads === "reads") {
      program.read();
      await program.line({ event: "hello" });
    }
    return program;
  }

  read(): void {
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (text: string) => this.take(text));
    this.#socket.once("close", () => this.take(undefined));
  }

  override write(text: string): void {
    this.#socket.write(text);
  }

  leave(): void {
    this.#socket.destroy();
  }
}

export function socketOf(person: Person): string {
  return join(person.profileFolder, "online");
}

/** The daemon in this process, which saves its start. */
export class DaemonHere extends Lines {
  readonly ended: Promise<Ended>;
  readonly #client: ClientHere;
  readonly #input = new PassThrough();

  constructor(person: Person, password?: string) {
    super();
    this.#client = person.start(["daemon"], { password, input: this.#input });
    const read = async () => {
      for await (const line of this.#client.stdout) this.take(`${line}\n`);
      this.take(undefined);
    };
    this.ended = Promise.all([this.#client.ended, read()]).then(([ended]) => ended);
  }

  override write(text: string): void {
    this.#input.write(text);
  }

  /** Resolves when it is online. */
  async online(): Promise<this> {
    await this.result("connect");
    return this;
  }

  /** Ends it by SIGTERM. */
  stop(): Promise<Ended> {
    this.#client.signal("SIGTERM");
    return this.ended;
  }
}

/** The daemon as a process of its own. */
export class DaemonProcess extends Lines {
  readonly process: Bun.Subprocess<"pipe", "pipe" | number, "pipe">;
  readonly stderr: Collected;
  readonly ended: Promise<{ readonly code: number; readonly stderr: string }>;

  /** @param stdout a descriptor; undefined: what it writes is read into `lines` */
  constructor(person: Person, password?: string, stdout?: number) {
    super();
    const { PATH = "", HOME = "" } = process.env;
    const flags = ["--server", person.server, "--user", person.name, "--data", person.data];
    this.process = Bun.spawn([process.execPath, "run", CLIENT_PROGRAM, "daemon", ...flags], {
      env: { PATH, HOME, ...FRIENDS, LC_ALL: "en_US.UTF-8", ...(password && { PALOMA_PASSWORD: password }) },
      stdin: "pipe",
      stdout: stdout ?? "pipe",
      stderr: "pipe",
    });
    const read = async () => {
      const decoder = new TextDecoder();
      const { stdout: output } = this.process;
      if (!(output instanceof ReadableStream)) return;
      for await (const chunk of output) this.take(decoder.decode(chunk, { stream: true }));
      this.take(undefined);
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
    await this.result("connect");
    return this;
  }

  /** Ends it by SIGTERM. */
  async stop(): Promise<{ readonly code: number; readonly stderr: string }> {
    this.process.kill("SIGTERM");
    return this.ended;
  }
}
