/**
 * The torture run: two real clients and a real server, texts both ways, while any of the three is killed
 * and started again and their connections are cut. At the end both disks must hold the same.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { registerAccount } from "../../../src/client/accounts.ts";
import { profileFile, profileFolders } from "../../../src/client/disk/folders.ts";
import { PASSWORD } from "../rendezvous-test-client.ts";
import type { CuttingProxy } from "./cutting-proxy.ts";
import { carryOut } from "./disruption.ts";
import { compareDisks } from "./torture-checks.ts";
import { figuresOf, type TortureFigures } from "./torture-figures.ts";
import { TortureParty } from "./torture-party.ts";
import { lastMoment, planDisruptions, SHORT_RUN, type PlannedDisruption } from "./torture-plan.ts";
import { TortureServer } from "./torture-server.ts";
import type { Writer } from "./torture-text.ts";

export type TortureOptions = {
  readonly seed: number;
  /** Texts, both ways together. */
  readonly messages: number;
  /** The power is cut, too: takes strace. */
  readonly cutsPower?: boolean;
  /** The folder stays. */
  readonly keep?: boolean;
  /** It has failed when it takes longer, in ms. */
  readonly longest?: number;
  /** Gives up, and cleans up. */
  readonly signal?: AbortSignal;
  /** Told of the progress now and then. */
  readonly progress?: (text: string) => void;
};

/** Texts that one side may be ahead of what has arrived: few, so that disruptions meet a short run often. */
const WINDOW = 40;
const LONG_RUN_WINDOW = 600;
/** The next disruption comes after this at the latest, in ms. */
const LONGEST_CALM = 3_000;
/** Texts for which the next disruption waits until a client has killed itself. */
const LONGEST_ARMED = 100;
/** Without any progress for so long the run has failed, in ms: longer than any wait of the redial. */
const PATIENCE = 90_000;
const LOOK_INTERVAL = 250;
const PROGRESS_STEP = 5_000;
const NAMES: { readonly [writer in Writer]: string } = { a: "ana", b: "berta" };

/** Runs it to its end. @throws Error, with the seed and the state of everything, when anything does not hold. */
export async function torture(options: TortureOptions): Promise<TortureFigures> {
  const folder = mkdtempSync(join(tmpdir(), "paloma-torture-"));
  const run = new TortureRun(options, folder);
  try {
    return await run.run();
  } finally {
    await run.stop();
    if (options.keep === true) options.progress?.(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

class TortureRun {
  readonly #options: TortureOptions;
  readonly #folder: string;
  readonly #server: TortureServer;
  readonly #parties: { readonly [writer in Writer]: TortureParty };
  readonly #plan: PlannedDisruption[];
  readonly #drained = Promise.withResolvers<void>();
  readonly #running: Promise<unknown>[] = [];
  readonly #window: number;
  #done = 0;
  #isCalm = false;
  #failure: Error | undefined;
  /** The progress at the disruption before. */
  #disruptedFrom = 0;
  #progress = 0;
  #told = 0;
  #began = performance.now();
  #progressedAt = performance.now();
  #disruptedAt = performance.now();

  constructor(options: TortureOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#plan = planDisruptions(options.seed, options.messages);
    this.#window = options.messages <= SHORT_RUN ? WINDOW : LONG_RUN_WINDOW;
    const events = { changed: () => this.#changed(), failed: (why: string) => this.#fail(why) };
    this.#server = new TortureServer(join(folder, "users.db"), (why) => this.#fail(why));
    const party = (writer: Writer, other: Writer) =>
      new TortureParty(
        {
          writer,
          user: NAMES[writer],
          peer: NAMES[other],
          serverPort: this.#server.proxy.port,
          dataFolder: join(folder, writer),
          seed: options.seed,
          cutsPower: options.cutsPower === true,
        },
        events,
      );
    this.#parties = { a: party("a", "b"), b: party("b", "a") };
    options.signal?.addEventListener("abort", () => this.#fail("interrupted"));
    // Whoever fails before anybody waits has failed all the same.
    this.#drained.promise.catch(() => undefined);
  }

  async run(): Promise<TortureFigures> {
    this.#running.push(this.#server.run());
    await this.#server.started;
    for (const writer of ["a", "b"] as const) await this.#register(writer);
    this.#began = this.#progressedAt = this.#disruptedAt = performance.now();
    const { a, b } = this.#parties;
    const lives = Promise.all([a.run(), b.run()]);
    this.#running.push(lives);
    lives.catch((error: unknown) => this.#fail(String(error)));
    this.#changed();
    const look = setInterval(() => this.#changed(), LOOK_INTERVAL);
    try {
      await this.#drained.promise;
      const seconds = (performance.now() - this.#began) / 1_000;
      a.end();
      b.end();
      await lives;
      if (this.#failure !== undefined) throw this.#failure;
      this.#compare();
      const { messages } = this.#options;
      const done = { messages, seconds, disruptions: this.#done };
      return figuresOf(done, this.#parties, this.#server.kills, this.#proxies);
    } finally {
      clearInterval(look);
    }
  }

  async stop(): Promise<void> {
    for (const each of [this.#parties.a, this.#parties.b, this.#server]) each.stop();
    await Promise.allSettled(this.#running);
  }

  async #register(writer: Writer): Promise<void> {
    await registerAccount(
      {
        host: "127.0.0.1",
        port: this.#server.proxy.port,
        dataFolder: join(this.#folder, writer),
        expectedFingerprint: undefined,
        confirm: undefined,
      },
      { username: NAMES[writer], password: PASSWORD, email: undefined },
    );
  }

  #texts(writer: Writer): number {
    const { messages } = this.#options;
    return writer === "a" ? Math.ceil(messages / 2) : Math.floor(messages / 2);
  }

  /** How many of this writer's texts are known to have come to the other's disk. */
  #arrived(writer: Writer): number {
    const { written, waiting } = this.#parties[writer].record;
    const shown = this.#parties[writer === "a" ? "b" : "a"].record.arrived;
    return Math.max(shown, waiting === undefined ? 0 : written - waiting);
  }

  /** Looks at what was said, and does what is due. */
  #changed(): void {
    const now = performance.now();
    const arrived = { a: this.#arrived("a"), b: this.#arrived("b") };
    const progress = arrived.a + arrived.b;
    if (progress > this.#progress) {
      this.#progress = progress;
      this.#progressedAt = now;
      this.#tell(progress);
    } else if (now - this.#progressedAt > PATIENCE) this.#fail("no progress any more");
    const { longest = Infinity } = this.#options;
    if (now - this.#began > longest) this.#fail(`not done in ${longest} ms`);
    for (const writer of ["a", "b"] as const) {
      this.#parties[writer].allow(Math.min(this.#texts(writer), arrived[writer] + this.#window));
    }
    this.#disruptWhenDue(now);
    if (this.#isCalm && this.#isDrained) this.#drained.resolve();
  }

  #disruptWhenDue(now: number): void {
    if (this.#isCalm) return;
    const next = this.#plan[this.#done];
    if (next === undefined || this.#progress >= lastMoment(this.#options.messages)) {
      this.#calm();
      return;
    }
    const isLate = now - this.#disruptedAt > LONGEST_CALM;
    const isArmed = this.#parties.a.isArmed || this.#parties.b.isArmed;
    const arrived = this.#progress - this.#disruptedFrom;
    const isDue = arrived >= (isArmed ? Math.max(next.gap, LONGEST_ARMED) : next.gap);
    if (!isDue && !isLate) return;
    this.#done++;
    this.#disruptedAt = now;
    this.#disruptedFrom = this.#progress;
    this.#parties.a.record.note(JSON.stringify(next.disruption));
    carryOut(next.disruption, this.#parties, this.#server);
  }

  #tell(progress: number): void {
    if (progress - this.#told < PROGRESS_STEP) return;
    this.#told = progress;
    this.#options.progress?.(`${progress} texts, ${this.#done} disruptions of ${this.#plan.length}`);
  }

  get #isDrained(): boolean {
    return (["a", "b"] as const).every((writer) => {
      const { written, waiting } = this.#parties[writer].record;
      return written === this.#texts(writer) && waiting === 0;
    });
  }

  get #proxies(): CuttingProxy[] {
    return [this.#parties.a.proxy, this.#parties.b.proxy, this.#server.proxy];
  }

  #calm(): void {
    this.#isCalm = true;
    for (const proxy of this.#proxies) proxy.calm();
    for (const party of [this.#parties.a, this.#parties.b]) party.disarm();
  }

  #fail(why: string): void {
    const { seed, messages } = this.#options;
    const { a, b } = this.#parties;
    const state = [
      `seed ${seed}, ${messages} messages: ${why}`,
      `after ${this.#done} of ${this.#plan.length} disruptions, ${this.#progress} texts`,
      ...[a, b].flatMap((party) => [party.state, ...party.record.notes.map((note) => `  ${note}`)]),
    ];
    this.#failure ??= new Error(state.join("\n"));
    this.#drained.reject(this.#failure);
  }

  #compare(): void {
    const disk = (writer: Writer) => ({
      writer,
      file: profileFile(profileFolders(join(this.#folder, writer))[0] as string),
      record: this.#parties[writer].record,
      texts: this.#texts(writer),
    });
    const breaches = compareDisks(this.#options.seed, [disk("a"), disk("b")]);
    if (breaches.length === 0) return;
    throw new Error([`seed ${this.#options.seed}`, ...breaches].join("\n"));
  }
}
