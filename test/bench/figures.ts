/** Rounds and medians, and the table in which every part of the bench prints its figures. */
import { availableParallelism, loadavg } from "node:os";

const ROUNDS = 5;
/** Below this a tenth counts. */
const WHOLE_FROM = 1_000;
const WIDTHS = [68, 11, 12, 12, 8] as const;

export type Figure = {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** The same work without our program; undefined where there is none. */
  readonly bare?: number;
};

/** Where a part of the bench puts its figures, one after the other. */
export type Report = (figure: Figure) => void;

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share in [0, 1]. Without values NaN. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Runs both in turn, so that the machine's other work meets both; gives the median of each. One round warms up. */
export async function interleaved(
  ours: () => number | Promise<number>,
  bare: () => number | Promise<number>,
  rounds = ROUNDS,
): Promise<{ ours: number; bare: number }> {
  const own: number[] = [];
  const other: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    own.push(await ours());
    other.push(await bare());
  }
  return { ours: median(own.slice(1)), bare: median(other.slice(1)) };
}

/** How many a second `work` does in about `ms`, in so many lanes at once. */
export async function perSecond(
  ms: number,
  lanes: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  const begin = performance.now();
  let started = 0;
  const lane = async () => {
    while (performance.now() - begin < ms) await work(started++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return started / ((performance.now() - begin) / 1_000);
}

function shown(value: number | undefined): string {
  if (value === undefined) return "";
  if (Number.isNaN(value)) return "?";
  if (value >= WHOLE_FROM) return Math.round(value).toLocaleString("en");
  return value >= 10 ? value.toFixed(1) : value.toFixed(3);
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index < 2 ? cell.padEnd(WIDTHS[index] ?? 0) : cell.padStart(WIDTHS[index] ?? 0)))
    .join("")
    .trimEnd();
}

export function machineLine(): string {
  const load = loadavg().map((each) => each.toFixed(2));
  return `Bun ${Bun.version}, ${availableParallelism()} cores, load average ${load.join(" ")}`;
}

export function printHead(title: string): void {
  console.log(`\n${title} (${machineLine()})`);
  console.log(row(["figure", "unit", "ours", "bare", "ratio"]));
}

export const printFigure: Report = ({ name, unit, ours, bare }) => {
  const ratio = bare === undefined ? "" : (ours / bare).toFixed(2);
  console.log(row([name, unit, shown(ours), shown(bare), ratio]));
};
