/** One of the people of the torture of groups: the client's program as a daemon, started again whenever it was killed. */
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { profileFile, profileFolders } from "../../../src/client/disk/folders.ts";
import { seededRandom, type SeededRandom } from "../../seeded-random.ts";
import { CLIENT_PROGRAM, FRIENDS } from "../cli-process.ts";
import { Lines } from "../daemon-process.ts";
import { PASSWORD } from "../rendezvous-test-client.ts";

/** Entries that a process signs before it kills itself, at most, where it does. */
const MAX_SIGNED = 6;
const FAILS_ONE_IN = 3;
/** It is started again after so long at most, in ms: others then write without it. */
const LONGEST_DOWN = 6_000;
const EDIT_ONE_IN = 9;
const WITHDRAW_ONE_IN = 15;

/** The program in one of its lives. */
class Program extends Lines {
  readonly process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly ended: Promise<string>;

  constructor(args: readonly string[], environment: { readonly [name: string]: string }) {
    super();
    const { PATH = "", HOME = "" } = process.env;
    const preload = ["--preload", join(import.meta.dir, "group-failpoint.ts")];
    const program = [process.execPath, "run", ...preload, CLIENT_PROGRAM, "daemon", ...args];
    this.process = Bun.spawn(program, {
      env: { PATH, HOME, ...FRIENDS, PALOMA_PASSWORD: PASSWORD, ...environment },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    const stderr = new Response(this.process.stderr).text();
    this.ended = this.#read().then(() => stderr);
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.process.stdout) this.take(decoder.decode(chunk, { stream: true }));
    await this.process.exited;
    this.take(undefined);
  }

  override write(text: string): void {
    // Who has been killed answers nothing, which the asker sees.
    const passOver = () => undefined;
    try {
      void Promise.resolve(this.process.stdin.write(text)).catch(passOver);
      void Promise.resolve(this.process.stdin.flush()).catch(passOver);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EPIPE") throw error;
    }
  }
}

/** A text that a member was told to write; it is asked for again until it is answered. */
export type Written = {
  readonly id: string;
  readonly text: string;
  /** "lost": it may have been on a disk that went back to an older copy. */
  state: "asked" | "stored" | "lost";
  isWithdrawn: boolean;
};

export class GroupMember {
  readonly name: string;
  readonly data: string;
  readonly written: Written[] = [];
  kills = 0;
  failpoints = 0;
  /** The folders that were replaced by an older copy. */
  readonly replaced: string[] = [];
  readonly #server: string;
  readonly #random: SeededRandom;
  readonly #failed: (why: string) => void;
  #program: Program | undefined;
  #isEnding = false;
  #isCalm = false;
  /** What was on the disk when it was copied. */
  #copied: ReadonlySet<Written> = new Set();
  /** It stays away until this resolves. */
  #back = Promise.withResolvers<void>();
  /** What happens to the folder while the program does not run. */
  #due: "copy" | "restore" | undefined;

  constructor(name: string, folder: string, port: number, seed: number, failed: (why: string) => void) {
    this.name = name;
    this.data = join(folder, name);
    this.#server = `127.0.0.1:${port}`;
    this.#random = seededRandom(seed);
    this.#back.resolve();
    this.#failed = (why) => failed(`${name}: ${why}`);
  }

  get file(): string {
    return profileFile(profileFolders(this.data)[0] ?? "");
  }

  get copy(): string {
    return `${this.data}-copy`;
  }

  /** Runs it, again and again; resolves when it has ended on purpose. */
  async run(): Promise<void> {
    while (!this.#isEnding) {
      const isToFail = this.#random.integer(FAILS_ONE_IN) === 0 && !this.#isCalm;
      const signed = isToFail ? String(1 + this.#random.integer(MAX_SIGNED)) : "Infinity";
      const program = new Program(["--server", this.#server, "--user", this.name, "--data", this.data], {
        TORTURE_SIGNED: signed,
      });
      const killed = this.kills;
      this.#program = program;
      const stderr = await program.ended;
      this.#program = undefined;
      if (program.process.signalCode === "SIGKILL") {
        if (killed === this.kills) this.failpoints++;
      } else if (!this.#isEnding) {
        this.#failed(`ended with ${program.process.exitCode}: ${stderr}`);
        return;
      }
      this.#moveFolders();
      await this.#back.promise;
      if (!this.#isCalm && !this.#isEnding) await Bun.sleep(this.#random.integer(LONGEST_DOWN));
    }
  }

  #moveFolders(): void {
    const due = this.#due;
    this.#due = undefined;
    if (due === "copy") {
      rmSync(this.copy, { recursive: true, force: true });
      cpSync(this.data, this.copy, { recursive: true, filter: (path) => !path.endsWith("/online") });
      this.#copied = new Set(this.written.filter(({ state }) => state === "stored"));
    }
    if (due === "restore" && existsSync(this.copy)) {
      const aside = `${this.data}-replaced-${this.replaced.length}`;
      renameSync(this.data, aside);
      cpSync(this.copy, this.data, { recursive: true });
      this.replaced.push(aside);
      for (const each of this.written) if (!this.#copied.has(each)) each.state = "lost";
    }
  }

  get isRunning(): boolean {
    const { process: child } = this.#program ?? {};
    return child !== undefined && !child.killed && child.exitCode === null && child.signalCode === null;
  }

  /** It is killed, and its folder copied or replaced by the copy before it is started again. */
  kill(due?: "copy" | "restore"): void {
    if (!this.isRunning) return;
    this.#due = due;
    this.kills++;
    this.#program?.process.kill("SIGKILL");
  }

  /** It is killed, and stays away. @returns lets it come back */
  hold(): () => void {
    this.#back = Promise.withResolvers();
    this.kill();
    return this.#back.resolve;
  }

  /** Nothing kills it any more; where it might kill itself, it is started anew. */
  calm(): void {
    this.#isCalm = true;
    this.kill();
  }

  /** Asks the program. @returns undefined where it was killed before it answered */
  async ask(command: string, fields: { readonly [field: string]: unknown } = {}): Promise<any> {
    const program = this.#program;
    if (program === undefined) return undefined;
    try {
      return await program.ask(command, fields);
    } catch {
      return undefined;
    }
  }

  /** Writes a text, or asks again for what was not answered, and changes one now and then. */
  async write(to: string): Promise<void> {
    const again = this.written.find(({ state }) => state === "asked");
    const made: Written = again ?? {
      id: crypto.randomUUID(),
      text: `${this.name} ${this.written.length}`,
      state: "asked",
      isWithdrawn: false,
    };
    if (again === undefined) this.written.push(made);
    const answer = await this.ask("send", { to, text: made.text, message_id: made.id });
    if (answer === undefined) return;
    if ("error" in answer) this.#refused(answer.error);
    else if (made.state === "asked") made.state = "stored";
    const target = this.written[this.#random.integer(this.written.length)];
    if (target?.state !== "stored" || target.isWithdrawn) return;
    if (this.#random.integer(EDIT_ONE_IN) === 0) {
      const text = `${target.text} edited ${this.written.length}`;
      await this.ask("edit", { to, message_id: target.id, text });
    } else if (this.#random.integer(WITHDRAW_ONE_IN) === 0) {
      target.isWithdrawn = true;
      await this.ask("withdraw", { to, message_id: target.id });
    }
  }

  /** A term that has forked writes no more. */
  #refused(error: { readonly code: string }): void {
    if (!["forked", "not_a_member", "left", "removed"].includes(error.code))
      this.#failed(JSON.stringify(error));
  }

  /** Ends it, and resolves when it has ended. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#back.resolve();
    const program = this.#program;
    program?.process.kill("SIGKILL");
    await program?.ended;
  }
}
