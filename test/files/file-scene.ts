/** Ana sends and Beto receives, each in processes of their own; what they have is on a disk that tests look at. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import type { ClientProcess, Event, Person } from "../integration/cli-process.ts";
import { World } from "../integration/cli-process.ts";
import { Company } from "../integration/messenger-pair.ts";
import { PASSWORD } from "../integration/rendezvous-test-client.ts";

export const MIB = 1024 * 1024;

/** A condition is looked at again after so many ms. */
const LOOK_INTERVAL = 2;

/** Waits until something holds that no event tells, as what is on a disk. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(LOOK_INTERVAL);
}

export class FileScene {
  readonly company: Company;
  readonly ana: Person;
  readonly beto: Person;
  /** What Ana sends is made here. */
  readonly outgoing: string;
  /** Where Beto receives. */
  readonly incoming: string;
  readonly #world: World;

  private constructor(company: Company, world: World, folder: string) {
    this.company = company;
    this.#world = world;
    [this.ana, this.beto] = [this.person("ana"), this.person("beto")];
    this.outgoing = join(folder, "outgoing");
    this.incoming = join(folder, "incoming");
    mkdirSync(this.outgoing);
    mkdirSync(this.incoming);
  }

  /** Two people who are contacts. @param folder of their files; undefined: one that is removed at the end */
  static async open(folder?: string): Promise<FileScene> {
    const company = await Company.meet();
    const world = new World();
    const scene = new FileScene(company, world, folder ?? world.folder);
    const { ana, beto } = scene;
    for (const name of ["ana", "beto"]) await company.addAccount(name);
    for (const person of [ana, beto]) await person.run(["users"], { password: PASSWORD });
    await ana.run(["contacts", "add", "beto"]);
    await beto.run(["contacts", "add", "ana"]);
    return scene;
  }

  person(name: string): Person {
    return this.#world.person(name, this.company.port);
  }

  /** Kills every process that is left. */
  endProcesses(): Promise<void> {
    return this.#world.endClients();
  }

  async close(): Promise<void> {
    await this.#world.close();
    await this.company.close();
  }

  /** Beto takes all files of contacts. */
  async receive(folder = this.incoming): Promise<ClientProcess> {
    return ready(this.beto.startApart(["listen", "--json", "--accept-files", folder]));
  }

  /** Ana offers files, and sends them. */
  send(...paths: readonly string[]): ClientProcess {
    return this.ana.startApart(["send-file", "--json", "beto", ...paths]);
  }

  /** Ana is online, and sends what was accepted before. */
  async goOn(): Promise<ClientProcess> {
    return ready(this.ana.startApart(["listen", "--json"]));
  }

  /** A file in which no MiB is like another, and no place in one like another. @returns its path */
  file(name: string, size: number): string {
    const path = join(this.outgoing, name);
    const file = openSync(path, "wx");
    const block = Buffer.alloc(Math.min(size, MIB));
    for (let at = 0; at < block.length; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536));
    for (let done = 0; done < size; done += block.length) {
      if (block.length >= 8) block.writeBigUInt64LE(BigInt(done), 0);
      writeSync(file, block, 0, Math.min(size - done, block.length));
    }
    closeSync(file);
    return path;
  }

  /** A file of zeros that takes no room. @returns its path */
  sparse(name: string, size: number): string {
    const path = join(this.outgoing, name);
    const file = openSync(path, "wx");
    ftruncateSync(file, size);
    closeSync(file);
    return path;
  }

  /** Resolves when both sides know that a file or folder has arrived, in whichever process. */
  async done(name: string): Promise<void> {
    for (const person of [this.ana, this.beto]) {
      const isDone = async () =>
        (await person.list(["files"])).some((file) => file["name"] === name && file["state"] === "done");
      while (!(await isDone())) await Bun.sleep(LOOK_INTERVAL);
    }
  }

  /** How much of the one file that is being received is on the disk, in bytes; 0: nothing yet, or it is complete. */
  received(folder = this.incoming): number {
    const path = this.partial(folder);
    return path === undefined ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }

  /** The one file that is being received. */
  partial(folder = this.incoming): string | undefined {
    const name = readdirSync(folder).find((each) => each.endsWith(".part"));
    return name === undefined ? undefined : join(folder, name);
  }
}

async function ready(client: ClientProcess): Promise<ClientProcess> {
  await client.event({ event: "ready" });
  return client;
}

/** Ends a process as a crash does. */
export async function crash(client: ClientProcess): Promise<void> {
  client.process.kill("SIGKILL");
  await client.process.exited;
}

/** The states of one file in order, each once for as long as it lasted, with its reason. */
export function states(client: ClientProcess, name: string): string[] {
  const all = client.events.filter((event) => event.event === "file" && event["name"] === name);
  const shown = all.map(({ state, reason }: Event & { state?: string; reason?: string | null }) =>
    [state, reason ?? ""].join(" ").trim(),
  );
  return shown.filter((state, index) => state !== shown[index - 1]);
}

/** Whether two files have the same content. */
export function isSame(one: string, other: string): boolean {
  return Bun.spawnSync(["cmp", one, other]).exitCode === 0;
}

/** Bytes of memory that a process has at its largest so far (Linux); NaN elsewhere. */
export function largestMemory({ process }: ClientProcess): number {
  if (!isLinux) return Number.NaN;
  const status = readFileSync(`/proc/${process.pid}/status`, "latin1");
  return 1_024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
}

export const isLinux = process.platform === "linux";
