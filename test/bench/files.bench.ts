/** A file of 1 GiB from disk to disk, in memory where the system has such a folder: through us, and through others. */
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { temporaryName } from "../../src/client/file/file-sink.ts";
import { label } from "../../src/identity/names.ts";
import { newAuthority, userIdentity } from "../integration/loopback.ts";
import { BENCH_KEY, EndProcess, type End, type EndFigures } from "./file-end.ts";
import { median, type Report } from "./figures.ts";

const MEMORY_FOLDER = "/dev/shm";
const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
const ROUNDS = 3;
/** How long a write to a slow disk takes for each MiB, and how long a reader stands still, in ms. */
const SLOW_WRITE = 5;
const STANDSTILL = 2_000;
/** When it is stopped, in bytes received. */
const STOPPED_AT = 64 * MIB;

const authority = newAuthority();
const identities = { from: userIdentity(authority, "ana"), to: userIdentity(authority, "berta") };

type Pair = { readonly sender: EndFigures; readonly receiver: EndFigures };

/**
 * The file, over a connection between two processes.
 * @param begun is given the receiver, and the name that the file has while it comes
 */
async function stream(
  folder: string,
  options: Pick<End, "way" | "delay" | "chats">,
  begun: (receiver: EndProcess, path: string) => unknown = () => undefined,
): Promise<Pair> {
  const target = mkdtempSync(join(folder, "target-"));
  const file = { name: "file", size: SIZE, authority: authority.certificatePem, serverName: label("berta") };
  const to = { ...file, ...options, identity: identities.to, port: undefined, folder: target };
  const receiver = new EndProcess(to);
  const port = await receiver.port();
  const sender = new EndProcess({ ...file, ...options, identity: identities.from, port, folder });
  const [, sent, received] = await Promise.all([
    begun(receiver, join(target, temporaryName(BENCH_KEY))),
    sender.figures(),
    receiver.figures(),
  ]);
  if (statSync(join(target, "file")).size !== SIZE) throw new Error("not all has arrived");
  rmSync(target, { recursive: true });
  rmSync(join(folder, "sent-leaves"), { force: true });
  return { sender: sent, receiver: received };
}

/** The 99th percentile of round trips between two processes that do nothing else, ms. */
async function idleRoundTrip(folder: string): Promise<number> {
  const end = { way: "idle", name: "", size: 0, folder, authority: authority.certificatePem } as const;
  const shared = { ...end, serverName: label("berta") };
  const receiver = new EndProcess({ ...shared, identity: identities.to, port: undefined });
  const port = await receiver.port();
  const { roundTrip } = await new EndProcess({ ...shared, identity: identities.from, port }).figures();
  receiver.end();
  return roundTrip;
}

/** Stops the receiver in the midst of the file, and lets it go on after a while. */
async function stopAwhile(receiver: EndProcess, path: string): Promise<void> {
  while (!existsSync(path) || statSync(path).size < STOPPED_AT) await Bun.sleep(1);
  process.kill(receiver.pid, "SIGSTOP");
  await Bun.sleep(STANDSTILL);
  process.kill(receiver.pid, "SIGCONT");
}

/** Bytes that nothing on the way makes fewer. */
function writeRandom(path: string): void {
  const file = openSync(path, "wx");
  const block = new Uint8Array(MIB);
  for (let done = 0; done < SIZE; done += MIB) {
    for (let at = 0; at < MIB; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536));
    writeSync(file, block);
  }
  closeSync(file);
}

/** How fast a program copies the file. @returns MB/s; undefined: it is not installed */
async function copied(folder: string, command: readonly string[]): Promise<number | undefined> {
  const [program = ""] = command;
  if (Bun.which(program) === null) {
    console.log(`${program} is not installed`);
    return undefined;
  }
  const target = join(folder, "copy");
  const begin = performance.now();
  const child = Bun.spawn([...command, join(folder, "file"), target], {
    stdout: "ignore",
    stderr: "inherit",
  });
  const code = await child.exited;
  const speed = SIZE / 1e6 / ((performance.now() - begin) / 1_000);
  rmSync(target, { force: true });
  if (code !== 0) throw new Error(`${program}: exit code ${code}`);
  return speed;
}

/** The bytes alone: two processes, and no messenger. @returns MB/s */
async function benchStream(folder: string, report: Report): Promise<number> {
  const pairs: { readonly [W in "ours" | "bare"]: Pair[] } = { ours: [], bare: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ["ours", "bare"] as const) pairs[way].push(await stream(folder, { way }));
  }
  const both = (read: (pair: Pair) => number) => ({
    ours: median(pairs.ours.map(read)),
    bare: median(pairs.bare.map(read)),
  });
  const speed = both(({ sender, receiver }) => SIZE / 1e6 / Math.max(sender.seconds, receiver.seconds));
  report({ name: "1 GiB from disk to disk (bare: TLS, no hash)", unit: "MB/s", ...speed });
  for (const side of ["sender", "receiver"] as const) {
    report({ name: `CPU of the ${side} for 1 GiB`, unit: "s", ...both((pair) => pair[side].cpu) });
    report({ name: `memory that the ${side} grows by`, unit: "MiB", ...both((pair) => pair[side].growth) });
  }
  const slow = await stream(folder, { way: "ours", delay: SLOW_WRITE });
  const stopped = await stream(folder, { way: "ours" }, stopAwhile);
  for (const side of ["sender", "receiver"] as const) {
    report({ name: `… with a slow disk, the ${side}`, unit: "MiB", ours: slow[side].growth });
    report({ name: `… with a reader that stops, the ${side}`, unit: "MiB", ours: stopped[side].growth });
  }
  const beside = await stream(folder, { way: "ours", chats: true });
  report({
    name: "a chat beside it, 99th percentile (bare: beside nothing)",
    unit: "ms",
    ours: beside.sender.roundTrip,
    bare: await idleRoundTrip(folder),
  });
  return speed.ours;
}

export async function benchFiles(report: Report): Promise<void> {
  const folder = mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), "paloma-bench-"));
  try {
    writeRandom(join(folder, "file"));
    const ours = await benchStream(folder, report);
    for (const [name, command] of [
      ["cp", ["cp"]],
      ["rsync, to the same machine", ["rsync", "--whole-file", "--inplace"]],
    ] as const) {
      const bare = await copied(folder, command);
      if (bare !== undefined)
        report({ name: `1 GiB from disk to disk (bare: ${name})`, unit: "MB/s", ours, bare });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
