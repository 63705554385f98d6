/**
 * The torture of groups: five clients of one group, and their server, each a process. While all write, each of them is killed
 * and started again, also between signing and sending, and some folders are replaced by an older copy. At the end all disks
 * must hold the same.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { registerAccount } from "../../../src/client/accounts.ts";
import type { SharedGroup } from "../../../src/client/conversation/events.ts";
import { seededRandom } from "../../seeded-random.ts";
import { PASSWORD } from "../rendezvous-test-client.ts";
import { WITHOUT_RATES } from "../server-process.ts";
import { commonParts, compareGroup, readDisk, signedAgain, signedBy } from "./group-checks.ts";
import { GroupMember } from "./group-member.ts";
import { TortureServer } from "./torture-server.ts";

/** The first one founds the group, and is never put back: what the founder forks is for ever. */
const NAMES = ["ana", "berta", "carlos", "dora", "eva"] as const;
/** Between two texts of one member, at least: a lane takes 60 entries in 60 s. In ms. */
const PAUSE = 1_500;
/** Between two kills, at most, in ms. */
const LONGEST_CALM = 3_000;
/** Between two folders that are put back on purpose where that forks. In ms. */
const AMBUSH_INTERVAL = 45_000;
/** How long all may take until they have the same, in ms. */
const PATIENCE = 120_000;
const LOOK_INTERVAL = 1_000;

export type GroupTortureOptions = {
  readonly seed: number;
  readonly seconds: number;
  readonly keep: boolean;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
};

/** Runs it to its end. @throws Error when anything does not hold */
export async function tortureGroup(options: GroupTortureOptions): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "paloma-group-torture-"));
  const run = new GroupTorture(options, folder);
  try {
    return await run.run();
  } finally {
    await run.stop();
    if (options.keep) options.progress(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

class GroupTorture {
  readonly #options: GroupTortureOptions;
  readonly #folder: string;
  readonly #server: TortureServer;
  #members: readonly GroupMember[] = [];
  readonly #running: Promise<void>[] = [];
  #failure: Error | undefined;

  constructor(options: GroupTortureOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#server = new TortureServer(join(folder, "users.db"), (why) => this.#fail(why), WITHOUT_RATES);
    options.signal.addEventListener("abort", () => this.#fail("interrupted"));
  }

  async run(): Promise<Record<string, number>> {
    const { seed, seconds, progress } = this.#options;
    const server = this.#server;
    this.#running.push(server.run());
    await server.started;
    const { port } = server.proxy;
    const fail = (why: string) => this.#fail(why);
    this.#members = NAMES.map((name, at) => new GroupMember(name, this.#folder, port, seed + at, fail));
    for (const { name, data } of this.#members) await register(name, data, port);
    for (const member of this.#members) this.#running.push(member.run());
    const group = await this.#found();
    progress("all have joined");
    const end = performance.now() + seconds * 1_000;
    await Promise.all([
      this.#disturb(group, end),
      this.#readmit(group, end),
      ...this.#members.map((member, at) => this.#keepWriting(member, `#${group}`, at, end)),
    ]);
    progress("calm");
    for (const member of this.#members) member.calm();
    const settled = await this.#settle(group);
    for (const member of this.#members) await member.end();
    const breaches = compareGroup(this.#members);
    if (breaches.length > 0) throw new Error([`seed ${seed}`, ...breaches].join("\n"));
    const sum = (count: (member: GroupMember) => number) =>
      this.#members.map(count).reduce((total, each) => total + each, 0);
    return {
      seconds,
      secondsToSettle: settled,
      texts: sum(({ written }) => written.length),
      textsLostWithTheirDisk: sum(({ written }) => written.filter(({ state }) => state === "lost").length),
      entries: readDisk(this.#members[0]?.file ?? "").entries.length,
      kills: sum(({ kills }) => kills),
      killsAfterSigning: sum(({ failpoints }) => failpoints),
      killsOfTheServer: server.kills,
      putBack: sum(({ replaced }) => replaced.length),
      numbersSignedAgain: signedAgain(this.#members),
      forks: readDisk(this.#members[0]?.file ?? "").forks.length,
    };
  }

  async stop(): Promise<void> {
    for (const member of this.#members) await member.end();
    this.#server.stop();
    await Promise.allSettled(this.#running);
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`seed ${this.#options.seed}: ${why}`);
  }

  /** Asks until `holds` has a value. @throws Error when it has failed or takes too long */
  async #until<T>(what: string, holds: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (const begin = performance.now(); ;) {
      const value = await holds();
      if (this.#failure !== undefined) throw this.#failure;
      if (value !== undefined) return value;
      if (performance.now() - begin > PATIENCE) throw new Error(`seed ${this.#options.seed}: ${what}`);
      await Bun.sleep(LOOK_INTERVAL);
    }
  }

  /** @returns the group's id, once all have joined */
  async #found(): Promise<string> {
    const [founder, ...others] = this.#members as [GroupMember, ...GroupMember[]];
    const online = (member: GroupMember) => async () => (await member.ask("connect"))?.result;
    for (const member of this.#members) await this.#until(`${member.name} is not online`, online(member));
    const title = { title: "Tortura" };
    const { group } = await this.#until(
      "no group was founded",
      async () => (await founder.ask("create_group", title))?.result?.group,
    );
    await founder.ask("add_to_group", { group, usernames: others.map(({ name }) => name) });
    for (const other of others) {
      await this.#until(
        `${other.name} has not joined`,
        async () => (await other.ask("accept_group", { group }))?.result?.group,
      );
    }
    // A copy from before would know of nobody.
    for (const member of this.#members) {
      const knowsAll = async () => (await this.#groupOf(member, group))?.people === NAMES.length || undefined;
      await this.#until(`${member.name} does not know all`, knowsAll);
    }
    return group;
  }

  async #keepWriting(member: GroupMember, to: string, at: number, end: number): Promise<void> {
    const random = seededRandom(this.#options.seed + 100 + at);
    while (performance.now() < end && this.#failure === undefined) {
      await member.write(to);
      await Bun.sleep(PAUSE + random.integer(PAUSE));
    }
    while (member.written.some(({ state }) => state === "asked") && this.#failure === undefined) {
      await member.write(to);
      await Bun.sleep(LOOK_INTERVAL);
    }
  }

  async #disturb(group: string, end: number): Promise<void> {
    const random = seededRandom(this.#options.seed);
    let ambush = performance.now();
    while (performance.now() < end && this.#failure === undefined) {
      if (performance.now() > ambush) {
        await this.#ambush(group, 1 + random.integer(NAMES.length - 1));
        ambush = performance.now() + AMBUSH_INTERVAL;
      }
      await Bun.sleep(random.integer(LONGEST_CALM));
      const at = random.integer(NAMES.length + 1);
      const member = this.#members[at];
      if (member === undefined) this.#server.kill();
      else member.kill(at === 0 ? undefined : random.pick([undefined, undefined, "copy", "restore"]));
    }
  }

  /** Who is put back meets at first only somebody who was away, and so signs numbers again that others have. */
  async #ambush(group: string, at: number): Promise<void> {
    const { progress } = this.#options;
    const [victim, witness, ...others] = [...this.#members.slice(at), ...this.#members.slice(0, at)];
    if (victim === undefined || witness === undefined) return;
    const { name, replaced } = victim;
    const isRunning = () => victim.isRunning || undefined;
    const mayWrite = async () => !(await this.#isForked(victim, group)) || undefined;
    await this.#until(`${name} is not admitted anew`, mayWrite);
    await this.#until(`${name} does not come back`, isRunning);
    victim.kill("copy");
    const back = witness.hold();
    const before = signedBy(name, victim.file);
    await this.#until(`${name} signs nothing`, () => signedBy(name, victim.file) > before + 2 || undefined);
    const backs = others.map((other) => other.hold());
    await this.#until(`${name} does not come back`, isRunning);
    const putBack = replaced.length;
    victim.kill("restore");
    await this.#until(`${name} is not put back`, () => replaced.length > putBack || undefined);
    back();
    const copied = signedBy(name, victim.file);
    await this.#until(`${name} signs nothing more`, () => signedBy(name, victim.file) > copied || undefined);
    progress(`${name} was put back, and has signed beside ${witness.name} alone`);
    for (const each of backs) each();
  }

  /** Who has forked is admitted anew by the founder. */
  async #readmit(group: string, end: number): Promise<void> {
    const [founder] = this.#members as [GroupMember];
    while (performance.now() < end + PATIENCE && this.#failure === undefined) {
      if (performance.now() > end && !(await this.#anyForked(group))) return;
      for (const member of this.#members) {
        if (await this.#isForked(member, group)) {
          await founder.ask("add_to_group", { group, usernames: [member.name] });
        }
      }
      await Bun.sleep(LOOK_INTERVAL);
    }
  }

  async #isForked(member: GroupMember, group: string): Promise<boolean> {
    const found = await this.#groupOf(member, group);
    return found?.state === "joined" && !found.may_write;
  }

  async #groupOf(member: GroupMember, group: string): Promise<SharedGroup | undefined> {
    const groups: readonly SharedGroup[] = (await member.ask("groups"))?.result?.groups ?? [];
    return groups.find((each) => each.group === group);
  }

  async #anyForked(group: string): Promise<boolean> {
    for (const member of this.#members) if (await this.#isForked(member, group)) return true;
    return false;
  }

  /** Waits until nothing waits and all disks are equal. @returns after how many seconds */
  async #settle(group: string): Promise<number> {
    const begin = performance.now();
    let last = "";
    const isSettled = async () => {
      const groups = await Promise.all(this.#members.map((member) => this.#groupOf(member, group)));
      const parts = commonParts(this.#members.map(({ file }) => readDisk(file))).map((part) =>
        JSON.stringify(part),
      );
      last = JSON.stringify(
        groups.map((each, at) => [each?.waiting, each?.unshared, each?.people, parts[at]?.length]),
      );
      const isDone = groups.every((each) => each?.waiting === 0 && each.unshared === 0);
      return (isDone && new Set(parts).size === 1) || undefined;
    };
    await this.#until("they do not get equal", isSettled).catch((error: unknown) => {
      this.#options.progress(`waiting, unshared, people, size of each: ${last}`);
      this.#options.progress(compareGroup(this.#members).join("\n"));
      throw error;
    });
    return Math.round((performance.now() - begin) / 1_000);
  }
}

async function register(username: string, dataFolder: string, port: number): Promise<void> {
  await registerAccount(
    { host: "127.0.0.1", port, dataFolder, expectedFingerprint: undefined, confirm: undefined },
    { username, password: PASSWORD, email: undefined },
  );
}
