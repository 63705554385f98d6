/** One client of the torture run: a process that is started again whenever it was killed. */
import { join } from "node:path";

import { profileFile, profileFolders } from "../../../src/client/disk/folders.ts";
import { seededRandom, type SeededRandom } from "../../seeded-random.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { cutPower, isWritten, traced } from "./power-cut.ts";
import {
  readLines,
  type ClientCommand,
  type ClientLine,
  type ClientOptions,
  type Failpoint,
} from "./torture-lines.ts";
import { TortureRecord } from "./torture-record.ts";

/** The part of the kills at which the power is not cut. */
const POWER_STAYS = 0.2;
const PROGRAM = join(import.meta.dir, "torture-client.ts");

export type PartyOptions = Omit<ClientOptions, "announcedPort" | "life"> & {
  /** Whether the power is cut when it is killed, mostly. */
  readonly cutsPower: boolean;
};

export interface PartyEvents {
  /** Something was said. */
  changed(): void;
  /** What must not happen has happened. */
  failed(why: string): void;
}

export class TortureParty {
  readonly proxy = new CuttingProxy();
  readonly record: TortureRecord;
  /** How often it was killed from outside. */
  kills = 0;
  powerCuts = 0;
  /** Writes that were lost when the power was cut. */
  lostWrites = 0;
  readonly #options: PartyOptions;
  readonly #events: PartyEvents;
  #process: Bun.Subprocess<"pipe", "pipe", "pipe"> | undefined;
  readonly #random: SeededRandom;
  #life = 0;
  #isUp = false;
  #isEnding = false;
  #quota = 0;
  /** Where it has to kill itself, and has not yet. */
  #failpoint: Extract<ClientCommand, { name: "failAt" }> | undefined;

  constructor(options: PartyOptions, events: PartyEvents) {
    this.#options = options;
    this.#events = events;
    this.#random = seededRandom(options.seed ^ options.writer.charCodeAt(0));
    this.record = new TortureRecord(options.cutsPower, (why) => events.failed(`${options.user}: ${why}`));
  }

  /** Runs it, again and again; resolves when it has ended on purpose. */
  async run(): Promise<void> {
    while (!this.#isEnding) await this.#live();
  }

  async #live(): Promise<void> {
    const { PATH = "", HOME = "" } = process.env;
    const program = [process.execPath, "run", PROGRAM];
    const trace = join(this.#options.dataFolder, `trace-${this.#life}`);
    const child = Bun.spawn(this.#options.cutsPower ? traced(program, trace) : program, {
      env: { PATH, HOME },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#process = child;
    const options: ClientOptions = { ...this.#options, announcedPort: this.proxy.port, life: this.#life++ };
    this.#write(options);
    const stderr = new Response(child.stderr).text();
    await readLines(child.stdout, (line) => this.#take(JSON.parse(line) as ClientLine));
    await child.exited;
    if (this.#options.cutsPower && child.signalCode === "SIGKILL") await this.#cutPower(trace, child.pid);
    this.#isUp = false;
    this.proxy.target = undefined;
    this.record.restarted();
    if (child.signalCode !== "SIGKILL" && !(this.#isEnding && child.exitCode === 0)) {
      this.#isEnding = true;
      this.#events.failed(`${this.#options.user} ended with ${child.exitCode}: ${await stderr}`);
    }
    this.#events.changed();
  }

  async #cutPower(trace: string, pid: number): Promise<void> {
    if (!(await isWritten(trace, pid)) || this.#random.next() < POWER_STAYS) return;
    this.powerCuts++;
    const lost = cutPower(
      profileFile(profileFolders(this.#options.dataFolder)[0] as string),
      trace,
      this.#random,
    );
    this.lostWrites += lost;
    this.record.note(`the power was cut, ${lost} writes are lost`);
  }

  #take(line: ClientLine): void {
    if (line[0] === "up") {
      this.proxy.target = line[1];
      this.#isUp = true;
      this.#write({ name: "quota", texts: this.#quota });
      if (this.#failpoint !== undefined) this.#write(this.#failpoint);
    }
    if (line[0] === "failpoint") this.#failpoint = undefined;
    this.record.take(line);
    this.#events.changed();
  }

  #write(line: ClientOptions | ClientCommand): void {
    const stdin = this.#process?.stdin;
    if (this.#process?.killed !== false || stdin === undefined) return;
    try {
      stdin.write(`${JSON.stringify(line)}\n`);
      void Promise.resolve(stdin.flush()).catch(passOver);
    } catch (error) {
      passOver(error);
    }
  }

  get state(): string {
    const { written, waiting, arrived } = this.record;
    return JSON.stringify({
      life: this.#life,
      isUp: this.#isUp,
      written,
      waiting,
      arrived,
      quota: this.#quota,
    });
  }

  /** How many texts it may have written. */
  allow(texts: number): void {
    if (texts <= this.#quota) return;
    this.#quota = texts;
    if (this.#isUp) this.#write({ name: "quota", texts });
  }

  /** Whether it has still to kill itself. */
  get isArmed(): boolean {
    return this.#failpoint !== undefined;
  }

  /** It kills itself at the failpoint's nth time from now on, this process or the next. */
  arm(at: Failpoint, after: number): void {
    this.#failpoint = { name: "failAt", at, after };
    if (this.#isUp) this.#write(this.#failpoint);
  }

  disarm(): void {
    this.#failpoint = undefined;
    this.#write({ name: "failAt", after: 0 });
  }

  kill(): void {
    if (this.#process === undefined || this.#process.killed || this.#process.exitCode !== null) return;
    this.kills++;
    this.record.note("killed");
    this.#process.kill("SIGKILL");
  }

  end(): void {
    this.#isEnding = true;
    this.#write({ name: "end" });
  }

  /** Ends whatever runs. */
  stop(): void {
    this.#isEnding = true;
    this.#process?.kill("SIGKILL");
    this.proxy.stop();
  }
}

/** A process that has killed itself reads no more; the next one is told anew. */
function passOver(error: unknown): void {
  if ((error as { code?: unknown } | null)?.code !== "EPIPE") throw error;
}
