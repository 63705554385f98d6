/** What a torture run did, in numbers. */
import type { CuttingProxy } from "./cutting-proxy.ts";
import { FAILPOINTS, type Failpoint } from "./torture-lines.ts";
import type { TortureParty } from "./torture-party.ts";
import type { Writer } from "./torture-text.ts";

export type TortureFigures = {
  readonly messages: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  readonly disruptions: number;
  readonly kills: { readonly [who in Writer | "server"]: number };
  readonly failpoints: { readonly [at in Failpoint]: number };
  readonly powerCuts: number;
  /** Writes that were lost when the power was cut. */
  readonly lostWrites: number;
  readonly cuts: number;
  readonly stalls: number;
  /** Through all proxies, both ways. */
  readonly bytes: number;
  readonly duplicatesDropped: number;
  readonly edits: number;
  readonly withdrawals: number;
  readonly cancelled: number;
};

/** @param run its texts, how long it took in seconds, and how often it was disturbed */
export function figuresOf(
  run: { readonly messages: number; readonly seconds: number; readonly disruptions: number },
  { a, b }: { readonly [writer in Writer]: TortureParty },
  serverKills: number,
  proxies: readonly CuttingProxy[],
): TortureFigures {
  const records = [a.record, b.record];
  const failpoints = FAILPOINTS.map((at) => [at, sum(records.map((each) => each.failpoints.get(at) ?? 0))]);
  return {
    ...run,
    messagesPerSecond: run.messages / run.seconds,
    kills: { a: a.kills, b: b.kills, server: serverKills },
    failpoints: Object.fromEntries(failpoints) as { [at in Failpoint]: number },
    powerCuts: a.powerCuts + b.powerCuts,
    lostWrites: a.lostWrites + b.lostWrites,
    cuts: sum(proxies.map((proxy) => proxy.cuts)),
    stalls: sum(proxies.map((proxy) => proxy.stalls)),
    bytes: sum(proxies.map((proxy) => proxy.bytes)),
    duplicatesDropped: sum(records.map((each) => each.duplicates)),
    edits: sum(records.map((each) => each.edits)),
    withdrawals: sum(records.map((each) => each.withdrawn.size)),
    cancelled: sum(records.map((each) => each.cancelled.size)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}
