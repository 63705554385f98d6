/** Runs of the client, as a process of its own or in this one, and the folder that they run in. */
import { expect } from "bun:test";
import { EventEmitter } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import type { HostProcess } from "../../src/ui/commands/output.ts";
import { runClient } from "../../src/ui/main.ts";
import { CHEAP_HASHES } from "./cheap-hash.ts";
import "./cheap-hashes.ts";
import { Collected } from "./collected.ts";
import { ServerHere, ServerProcess, type Server } from "./server-process.ts";

export const CLIENT_PROGRAM = join(import.meta.dir, "../../client.ts");

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type Event = { readonly event: string; readonly [field: string]: unknown };

/** What standard input brings; undefined: its end at once. */
type Input = string | Uint8Array | undefined;

export type Typed<I = Input> = {
  readonly args: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  readonly input?: I;
  /** Another one than that of this source. */
  readonly program?: readonly string[];
};

/** A run of the client: what it has written so far, and its end. */
export abstract class Client {
  abstract readonly stdout: Collected;
  abstract readonly stderr: Collected;
  abstract readonly ended: Promise<Ended>;

  abstract signal(name: "SIGINT" | "SIGTERM"): void;

  /** Ends it by SIGTERM. */
  abstract stop(): Promise<Ended>;

  get events(): Event[] {
    return this.stdout.lines.map((line) => JSON.parse(line) as Event);
  }

  /** The first event on standard output that has these fields. @throws when the client ends without it. */
  async event(fields: { readonly [field: string]: unknown }): Promise<Event> {
    const line = await this.stdout.line((each) => {
      const event = JSON.parse(each) as Event;
      return Object.entries(fields).every(([name, value]) => event[name] === value);
    });
    if (line === undefined) throw new Error(`${JSON.stringify(fields)} never came: ${this.stderr.text}`);
    return JSON.parse(line) as Event;
  }

  /** Resolves when standard error contains `part`. @throws when the client ends without it. */
  async says(part: string): Promise<void> {
    const line = await this.stderr.line((each) => each.includes(part));
    if (line === undefined) throw new Error(`«${part}» was never written: ${this.stderr.text}`);
  }
}

/** The people of most tests may write to each other unasked, as friends do, and the local network is not told of them. */
export const FRIENDS = { PALOMA_WHO: "anyone", PALOMA_LAN: "off" } as const;

/** The client as a process of its own. */
export class ClientProcess extends Client {
  readonly process: Bun.Subprocess<Uint8Array | "ignore", "pipe", "pipe">;
  readonly stdout: Collected;
  readonly stderr: Collected;
  readonly ended: Promise<Ended>;

  constructor({ args, environment = {}, input, program = [process.execPath, "run", CLIENT_PROGRAM] }: Typed) {
    super();
    const { PATH = "", HOME = tmpdir() } = process.env;
    this.process = Bun.spawn([...program, ...args], {
      env: { PATH, HOME, ...FRIENDS, ...environment },
      stdin: input === undefined ? "ignore" : Buffer.from(input),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = [Collected.of(this.process.stdout), Collected.of(this.process.stderr)];
    this.stdout = stdout;
    this.stderr = stderr;
    this.ended = Promise.all([this.process.exited, stdout.end, stderr.end]).then(([code]) => {
      const ended = { code, stdout: stdout.text, stderr: stderr.text };
      expectNoTrace(ended.stderr);
      return ended;
    });
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** As always, and also when it is stopped by SIGSTOP. */
  async stop(): Promise<Ended> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGCONT");
      this.process.kill("SIGTERM");
    }
    return this.ended;
  }
}

/** The client in this process, which saves its start; the test gives it streams, signals and `exit`. */
export class ClientHere extends Client {
  readonly stdout = new Collected();
  readonly stderr = new Collected();
  readonly ended: Promise<Ended>;
  readonly #host: EventEmitter;

  constructor({ args, environment = {}, input }: Typed<Input | Readable>) {
    super();
    const { PATH = "", HOME = tmpdir() } = process.env;
    const exit = Promise.withResolvers<number>();
    this.#host = Object.assign(new EventEmitter(), {
      env: { PATH, HOME, ...FRIENDS, ...environment },
      stdin:
        input instanceof Readable ? input : Readable.from(input === undefined ? [] : [Buffer.from(input)]),
      stdout: this.stdout.stream(),
      stderr: this.stderr.stream(),
      exit: (code: number) => exit.resolve(code),
    });
    const run = runClient(args, this.#host as unknown as HostProcess);
    this.ended = Promise.race([run, exit.promise]).then((code) => {
      this.stdout.finish();
      this.stderr.finish();
      const ended = { code, stdout: this.stdout.text, stderr: this.stderr.text };
      expectNoTrace(ended.stderr);
      return ended;
    });
  }

  signal(name: "SIGINT" | "SIGTERM"): void {
    this.#host.emit(name);
  }

  stop(): Promise<Ended> {
    this.signal("SIGTERM");
    return this.ended;
  }
}

/** Errors are shown as sentences, never as stack traces. */
export function expectNoTrace(stderr: string): void {
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(stderr).not.toMatch(/\.ts:\d+/);
}

export function eventsOf(stdout: string): Event[] {
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Event);
}

/** Servers, people and folders of one test; all are gone after `close`. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "paloma-cli-"));
  readonly #here: ClientHere[] = [];
  readonly #processes: ClientProcess[] = [];
  readonly #servers: Server[] = [];
  #people = 0;

  /**
   * A server in this process.
   * @param database file name; the same name gives the same server again @param tlsPort 0: a free port
   */
  server(database = "users.db", tlsPort = 0, args: readonly string[] = []): Promise<ServerHere> {
    return this.#started(new ServerHere([...this.#place(database, tlsPort), ...args]));
  }

  /** As `server`, as a process of its own, which can be killed and stopped. */
  serverApart(database: string, tlsPort = 0, args: readonly string[] = []): Promise<ServerProcess> {
    return this.#started(new ServerProcess([...this.#place(database, tlsPort), ...args], CHEAP_HASHES));
  }

  #place(database: string, tlsPort: number): string[] {
    return ["--db", join(this.folder, database), "--port", "0", "--tls-port", String(tlsPort)];
  }

  async #started<S extends Server>(server: S): Promise<S> {
    this.#servers.push(server);
    await server.started();
    return server;
  }

  /** Someone with a data folder of their own. */
  person(name: string, port: number, host = "127.0.0.1"): Person {
    return new Person(this, name, join(this.folder, `data-${++this.#people}`), `${host}:${port}`);
  }

  /** Starts the client as a process of its own. */
  startApart(typed: Typed): ClientProcess {
    const client = new ClientProcess(typed);
    this.#processes.push(client);
    return client;
  }

  /** Starts the client in this process. */
  start(typed: Typed<Input | Readable>): ClientHere {
    const client = new ClientHere(typed);
    this.#here.push(client);
    return client;
  }

  async endClients(): Promise<void> {
    await Promise.all(this.#here.splice(0).map((client) => client.stop()));
    for (const client of this.#processes) {
      if (client.process.exitCode !== null || client.process.signalCode !== null) continue;
      client.process.kill("SIGKILL");
      await client.process.exited;
    }
  }

  async close(): Promise<void> {
    await this.endClients();
    for (const server of this.#servers) await server.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export type Options<I = Input> = {
  readonly input?: I;
  /** Undefined: none is given. */
  readonly password?: string | undefined;
  readonly environment?: { readonly [name: string]: string };
};

export const PASSWORD = "correct horse";

/** One account on one machine: the flags, data folder and password of its commands. */
export class Person {
  readonly name: string;
  readonly data: string;
  readonly server: string;
  readonly #world: World;

  constructor(world: World, name: string, data: string, server: string) {
    this.#world = world;
    this.name = name;
    this.data = data;
    this.server = server;
  }

  /** The one profile below the data folder. */
  get profileFolder(): string {
    const [authority = ""] = readdirSync(this.data).filter((name) => !name.includes("."));
    const [label = ""] = readdirSync(join(this.data, authority));
    return join(this.data, authority, label);
  }

  /** The same account on a machine that has never seen it. */
  elsewhere(): Person {
    return new Person(this.#world, this.name, `${this.data}-elsewhere`, this.server);
  }

  /** The same data folder, with another `--server`. */
  at(server: string): Person {
    return new Person(this.#world, this.name, this.data, server);
  }

  /** Starts a command in this process. */
  start(args: readonly string[], options: Options<Input | Readable> = {}): ClientHere {
    return this.#world.start(this.#typed(args, options));
  }

  /** Starts a command as a process of its own, which can be killed and stopped. */
  startApart(args: readonly string[], options: Options = {}): ClientProcess {
    return this.#world.startApart(this.#typed(args, options));
  }

  /** Runs a command to its end in this process. */
  run(args: readonly string[], options: Options = {}): Promise<Ended> {
    return new ClientHere(this.#typed(args, options)).ended;
  }

  /** A command behind the flags of this account, in English unless `args` say otherwise. */
  #typed<I>(args: readonly string[], options: Options<I>): Typed<I | undefined> {
    const environment = {
      LC_ALL: "en_US.UTF-8",
      ...(options.password === undefined ? {} : { PALOMA_PASSWORD: options.password }),
      ...options.environment,
    };
    const flags = ["--server", this.server, "--user", this.name, "--data", this.data];
    return { args: [...flags, ...args], environment, input: options.input };
  }

  async register(): Promise<void> {
    const { code, stderr } = await this.run(["register"], { password: PASSWORD });
    if (code !== 0) throw new Error(stderr);
  }

  /** Starts `listen --json` in this process, and resolves when it is ready. */
  listen(password?: string): Promise<ClientHere> {
    return this.#ready(this.start(["listen", "--json"], { password }));
  }

  /** As `listen`, as a process of its own, which can be killed and stopped. */
  listenApart(password?: string): Promise<ClientProcess> {
    return this.#ready(this.startApart(["listen", "--json"], { password }));
  }

  async #ready<C extends Client>(client: C): Promise<C> {
    await client.event({ event: "ready" });
    return client;
  }

  /** Runs a command with `--json`. */
  async json(
    args: readonly string[],
    options: Options = {},
  ): Promise<{ code: number; events: Event[]; stderr: string }> {
    const { code, stdout, stderr } = await this.run(["--json", ...args], options);
    return { code, events: eventsOf(stdout), stderr };
  }

  /** As `json`, for a list: without the event that ends it, which must tell how many there are. */
  async list(args: readonly string[], options: Options = {}): Promise<Event[]> {
    const { code, events, stderr } = await this.json(args, options);
    if (code !== 0) throw new Error(stderr);
    expect(events.at(-1)).toEqual({ event: "end", count: events.length - 1 });
    return events.slice(0, -1);
  }

  /** Text and state of each message with someone, oldest first. */
  async states(other: string): Promise<unknown[][]> {
    return (await this.list(["history", other])).map(({ text, state }) => [text, state]);
  }
}

/** Checks exit code, sentence and `error` event of a command that fails, in both languages. */
export async function expectFailure(
  person: Person,
  args: readonly string[],
  expected: { exit: number; code: string; en: string | RegExp; es: string | RegExp },
  options: Options = {},
): Promise<void> {
  const english = await person.json(["--lang", "en", ...args], options);
  expect(english.stderr).toMatch(expected.en);
  const message = english.events.at(-1)?.["message"];
  expect(english.events.at(-1)).toMatchObject({ event: "error", code: expected.code, message });
  expect(english.stderr).toContain(String(message));
  expect(english.code).toBe(expected.exit);
  const spanish = await person.run(["--lang", "es", ...args], options);
  expect(spanish.stderr).toMatch(expected.es);
  expect(spanish.code).toBe(expected.exit);
}
