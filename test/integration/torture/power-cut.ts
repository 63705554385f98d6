/**
 * What a power cut leaves of a client's database: strace sees its writes and syncs, and everything of which no sync was seen
 * to end is taken out of the files. A sync that is missing therefore shows.
 *
 * Of the database itself the first page stays: a write that was not synced may have come to the disk. The rest of what a
 * checkpoint writes there is in the log too, which was synced before.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";

import type { SeededRandom } from "../../seeded-random.ts";

/** How much longer each sync beside the event loop takes, in µs: most power cuts then come in one. */
const SYNC_DELAY = 4_000;
const PAGE = 4_096;
const LOOK_INTERVAL = 20;
/** How long strace may take to write, in ms. */
const PATIENCE = 10_000;
/** `PID pwrite64(5</folder/profile.db-wal>, ""..., 4096, 56) = 4096`; a call may be in two lines. */
const CALL =
  /^(\d+) +(pwrite64|fsync|fdatasync|ftruncate)\(\d+<([^>]*)>(?:, ""\.\.\., (\d+))?(?:, (\d+))?(\)| <unfinished)/;
const RESUMED = /^(\d+) +<\.\.\. \w+ resumed>.*= (-?\d+)/;
const RESULT = /\) += (-?\d+)/;

type Range = { readonly start: number; readonly end: number };
type Call = {
  readonly name: string;
  readonly file: string;
  readonly range: Range;
  readonly covered: ReadonlySet<Range>;
};

/** The command under strace, which has the pid of the command itself and ends after it. @param trace what strace writes */
export function traced(command: readonly string[], trace: string): string[] {
  const calls = "trace=pwrite64,fsync,fdatasync,ftruncate";
  const slow = `inject=fdatasync:delay_enter=${SYNC_DELAY}`;
  return ["strace", "-D", "-f", "--seccomp-bpf", "-y", "-s", "0"].concat(
    ["-e", calls, "-e", slow, "-o", trace],
    command,
  );
}

/**
 * Waits until strace has written everything that this process did.
 * @returns false: nothing, since the process was killed before it began
 */
export async function isWritten(trace: string, pid: number): Promise<boolean> {
  const end = new RegExp(`^${pid} +\\+\\+\\+ `, "m");
  for (let left = PATIENCE; left > 0; left -= LOOK_INTERVAL) {
    if (existsSync(trace) && end.test(readFileSync(trace, "latin1"))) return true;
    await Bun.sleep(LOOK_INTERVAL);
  }
  return false;
}

/** The parts of each file that were written, and of which no later sync has ended. */
export function unsynced(trace: string): Map<string, Set<Range>> {
  const dirty = new Map<string, Set<Range>>();
  const open = new Map<string, Call>();
  const of = (file: string) => dirty.get(file) ?? dirty.set(file, new Set()).get(file) ?? new Set();
  const ended = ({ name, file, range, covered }: Call, result: number) => {
    if (name === "pwrite64" || result !== 0) return;
    if (name === "ftruncate") {
      for (const each of of(file)) if (each.start >= range.start) of(file).delete(each);
    } else for (const each of covered) of(file).delete(each);
  };
  for (const line of trace.split("\n")) {
    const [, pid = "", name = "", file = "", size, place, rest] = CALL.exec(line) ?? [];
    const [, resumed = "", outcome] = RESUMED.exec(line) ?? [];
    if (rest === undefined) {
      const call = open.get(resumed);
      open.delete(resumed);
      if (call !== undefined) ended(call, Number(outcome));
      continue;
    }
    const start = Number(place ?? 0);
    const range = { start, end: start + Number(size ?? 0) };
    // A write that is not over when a sync begins is not covered by it: it counts from its beginning, and once more at its end.
    const under = new Set(
      open
        .values()
        .filter((each) => each.name === "pwrite64")
        .map((each) => each.range),
    );
    const call = { name, file, range, covered: new Set(of(file)).difference(under) };
    if (name === "pwrite64") of(file).add(range);
    const result = RESULT.exec(line)?.[1];
    if (result === undefined) open.set(pid, call);
    else ended(call, Number(result));
  }
  return dirty;
}

/** Takes out of the files what was not synced: all of it, or some. @returns how many writes were lost */
export function cutPower(database: string, trace: string, random: SeededRandom): number {
  const isAll = random.integer(2) === 0;
  let lost = 0;
  for (const [file, ranges] of unsynced(readFileSync(trace, "latin1"))) {
    if (![database, `${database}-wal`].includes(file)) continue;
    const descriptor = openSync(file, "r+");
    for (const { start, end } of ranges) {
      if ((file === database && start < PAGE) || !(isAll || random.integer(2) === 0)) continue;
      writeSync(descriptor, new Uint8Array(end - start), 0, end - start, start);
      lost++;
    }
    closeSync(descriptor);
  }
  // It was in memory only.
  rmSync(`${database}-shm`, { force: true });
  return lost;
}
