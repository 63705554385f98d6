/** A file of 1 GiB from disk to disk, in memory where the system has such a folder: through us, and through others. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { temporaryName } from "../../src/client/file/file-sink.ts";
import { label } from "../../src/identity/names.ts";
import { FileScene, isLinux } from "../files/file-scene.ts";
import type { ClientProcess } from "../integration/cli-process.ts";
import { newAuthority, userIdentity } from "../integration/loopback.ts";
import { startServer } from "./client.bench.ts";
import { BENCH_KEY, EndProcess, type End, type EndFigures } from "./file-end.ts";
import { interleaved, median, percentile, type Report } from "./figures.ts";
import { goOnline, startReceiver } from "./people.ts";
import { startSshServer } from "./ssh-server.ts";

const MEMORY_FOLDER = "/dev/shm";
const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
const ROUNDS = 3;
/** How long a write to a slow disk takes for each MiB, and how long a reader stands still, in ms. */
const SLOW_WRITE = 5;
const STANDSTILL = 2_000;
/** When it is stopped, in bytes received. */
const STOPPED_AT = 64 * MIB;

const SMALL_FILES = 10_000;
const SMALL = 1_024;
/** Questions that are asked beside nothing. */
const ROUND_TRIPS = 500;
/** Of the clock in which Linux counts CPU, a second. */
const TICKS = 100;

const authority = newAuthority();
const identities = { from: userIdentity(authority, "ana"), to: userIdentity(authority, "berta") };

/** What both ends know of each other. */
const PROVEN = { authority: authority.certificatePem, serverName: label("berta") };

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
  const file = { name: "file", size: SIZE, ...PROVEN };
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
  const shared = { way: "idle", name: "", size: 0, folder, ...PROVEN } as const;
  const receiver = new EndProcess({ ...shared, identity: identities.to, port: undefined });
  const port = await receiver.port();
  const { roundTrip } = await new EndProcess({ ...shared, identity: identities.from, port }).figures();
  receiver.end();
  return roundTrip;
}

/** MB/s */
function speedOf({ sender, receiver }: Pair): number {
  return SIZE / 1e6 / Math.max(sender.seconds, receiver.seconds);
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

/** How long a program takes. @returns s; undefined: it is not installed */
async function timed(command: readonly string[]): Promise<number | undefined> {
  const [program = ""] = command;
  if (Bun.which(program) === null) {
    console.log(`${program} is not installed`);
    return undefined;
  }
  const begin = performance.now();
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`${program}: exit code ${child.exitCode}`);
  return (performance.now() - begin) / 1_000;
}

/** From `accepted` to `done`, with what both processes take for it. */
async function sendFile(
  scene: FileScene,
  receiving: ClientProcess,
  path: string,
): Promise<{ readonly seconds: number; readonly sender: number; readonly receiver: number }> {
  const before = cpuOf(receiving.process.pid);
  const sending = scene.send(path);
  await sending.event({ event: "file", state: "accepted" });
  const begin = performance.now();
  const senderBefore = cpuOf(sending.process.pid);
  const { code, stderr } = await sending.ended;
  const seconds = (performance.now() - begin) / 1_000;
  if (code !== 0) throw new Error(stderr);
  const { cpuTime } = sending.process.resourceUsage() as Bun.ResourceUsage;
  rmSync(join(scene.incoming, basename(path)), { recursive: true });
  const sender = Number(cpuTime.total) / 1e6 - senderBefore;
  return { seconds, sender, receiver: cpuOf(receiving.process.pid) - before };
}

/** Seconds of CPU that a process has taken (Linux); NaN elsewhere. */
function cpuOf(pid: number): number {
  if (!isLinux) return Number.NaN;
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** A folder of small files. */
function writeSmall(folder: string): void {
  mkdirSync(folder);
  const bytes = crypto.getRandomValues(new Uint8Array(SMALL));
  for (let index = 0; index < SMALL_FILES; index++) writeFileSync(join(folder, String(index)), bytes);
}

/** `tar` at both ends of a bare TLS stream. @returns s */
async function tarred(folder: string, source: string): Promise<number> {
  const target = mkdtempSync(join(folder, "target-"));
  const [from, to] = [join(folder, "from"), join(folder, "to")];
  for (const end of [from, to]) {
    mkdirSync(end);
    if ((await timed(["mkfifo", join(end, "pipe")])) === undefined) return Number.NaN;
  }
  const shared = { way: "bare", name: "pipe", size: 0, isPipe: true, ...PROVEN } as const;
  const receiver = new EndProcess({ ...shared, identity: identities.to, port: undefined, folder: to });
  const unpacking = timed(["tar", "xf", join(to, "pipe"), "-C", target]);
  const port = await receiver.port();
  const begin = performance.now();
  const packing = timed(["tar", "cf", join(from, "pipe"), "-C", source, "."]);
  const sender = new EndProcess({ ...shared, identity: identities.from, port, folder: from });
  await Promise.all([packing, sender.figures(), receiver.figures(), unpacking]);
  const seconds = (performance.now() - begin) / 1_000;
  for (const path of [target, from, to]) rmSync(path, { recursive: true });
  return seconds;
}

/** Through `send-file` and `listen --accept-files`. @returns MB/s */
async function benchCommands(folder: string, report: Report): Promise<number> {
  const scene = await FileScene.open(folder);
  try {
    const receiving = await scene.receive();
    const runs: Awaited<ReturnType<typeof sendFile>>[] = [];
    const speed = await interleaved(
      async () => {
        const run = await sendFile(scene, receiving, join(folder, "file"));
        runs.push(run);
        return SIZE / 1e6 / run.seconds;
      },
      async () => speedOf(await stream(folder, { way: "bare" })),
      ROUNDS,
    );
    report({ name: "1 GiB through send-file (bare: TLS, no hash)", unit: "MB/s", ...speed });
    for (const side of ["sender", "receiver"] as const) {
      report({ name: `CPU of the ${side}'s process`, unit: "s", ours: median(runs.map((run) => run[side])) });
    }
    const small = join(folder, "small");
    writeSmall(small);
    const times = await interleaved(
      async () => (await sendFile(scene, receiving, small)).seconds,
      () => tarred(folder, small),
      ROUNDS,
    );
    report({ name: `${SMALL_FILES} files of ${SMALL} bytes (bare: tar over TLS)`, unit: "s", ...times });
    return speed.ours;
  } finally {
    await scene.close();
  }
}

/** A chat between two messengers, which at the same time send and receive the file. */
async function benchChat(folder: string, report: Report): Promise<void> {
  const cleanups: (() => unknown)[] = [];
  try {
    const server = await startServer(folder, ["ana", "berta"]);
    cleanups.push(async () => {
      server.kill("SIGTERM");
      await server.exited;
    });
    await server.started();
    const port = server.tlsPort;
    const downloads = join(folder, "downloads");
    mkdirSync(downloads);
    const berta = { user: "berta", port, dataFolder: join(folder, "berta"), answers: true, downloads };
    const receiver = await startReceiver(berta, "ana");
    cleanups.push(receiver.stop);
    let answered: () => void = () => undefined;
    let isDone = false;
    const ana = await goOnline({ user: "ana", port, dataFolder: join(folder, "ana") }, (event) => {
      if (event.name === "message") answered();
      if (event.name === "file" && event.file.state === "done") isDone = true;
    });
    cleanups.push(() => ana.close());
    const ask = async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      answered = resolve;
      const begin = performance.now();
      ana.messenger.outbox.send("berta", "are you there?");
      await promise;
      return performance.now() - begin;
    };
    await ask();
    const alone: number[] = [];
    const beside: number[] = [];
    while (alone.length < ROUND_TRIPS) alone.push(await ask());
    await ana.messenger.files.send("berta", {
      path: join(folder, "file"),
      name: undefined,
      wantsSha256: false,
      id: undefined,
    });
    while (!isDone) beside.push(await ask());
    for (const [name, share] of [
      ["median", 0.5],
      ["99th percentile", 0.99],
    ] as const) {
      const [ours, bare] = [percentile(beside, share), percentile(alone, share)];
      report({ name: `question and answer of two messengers beside it, ${name}`, unit: "ms", ours, bare });
    }
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}

/** The bytes alone: two processes, and no messenger. */
async function benchStream(folder: string, report: Report): Promise<void> {
  const pairs: { readonly [W in "ours" | "bare"]: Pair[] } = { ours: [], bare: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ["ours", "bare"] as const) pairs[way].push(await stream(folder, { way }));
  }
  const both = (read: (pair: Pair) => number) => ({
    ours: median(pairs.ours.map(read)),
    bare: median(pairs.bare.map(read)),
  });
  report({ name: "1 GiB from disk to disk (bare: TLS, no hash)", unit: "MB/s", ...both(speedOf) });
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
}

export async function benchFiles(report: Report): Promise<void> {
  const folder = mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), "paloma-bench-"));
  try {
    const file = join(folder, "file");
    writeRandom(file);
    await benchStream(folder, report);
    await benchChat(folder, report);
    const ours = await benchCommands(folder, report);
    const copy = join(folder, "copy");
    const ssh = await startSshServer(folder);
    const others: [name: string, command: readonly string[]][] = [
      ["cp", ["cp", file, copy]],
      ["rsync on one machine", ["rsync", "--whole-file", file, copy]],
      ...(ssh === undefined ? [] : [["scp, aes128-gcm", ssh.scp(file, copy)] as [string, readonly string[]]]),
    ];
    for (const [name, command] of others) {
      const seconds = await timed(command);
      rmSync(copy, { force: true });
      if (seconds === undefined) continue;
      report({
        name: `1 GiB through send-file (bare: ${name})`,
        unit: "MB/s",
        ours,
        bare: SIZE / 1e6 / seconds,
      });
    }
    ssh?.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
}
