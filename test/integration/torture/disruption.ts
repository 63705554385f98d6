/** Carrying out what the plan says. */
import type { TortureParty } from "./torture-party.ts";
import type { Disruption } from "./torture-plan.ts";
import type { TortureServer } from "./torture-server.ts";
import type { Writer } from "./torture-text.ts";

/** Kills, cuts or stalls, or tells a client where to kill itself. */
export function carryOut(
  disruption: Disruption,
  parties: { readonly [writer in Writer]: TortureParty },
  server: TortureServer,
): void {
  const { a, b } = parties;
  const proxies = (line: "peers" | "server") => (line === "server" ? [server.proxy] : [a.proxy, b.proxy]);
  switch (disruption.name) {
    case "kill":
      if (disruption.whom === "server") server.kill();
      else parties[disruption.whom].kill();
      return;
    case "failpoint": {
      const { whom, at, after } = disruption;
      parties[whom].arm(at, after);
      // The outbox is taken up when a link comes up.
      if (at === "claimed") for (const proxy of proxies("peers")) proxy.cutAfter("in", 0);
      return;
    }
    case "cut": {
      const { line, direction, after } = disruption;
      for (const proxy of proxies(line)) proxy.cutAfter(direction, after);
      return;
    }
    case "stall": {
      const { line, direction, ms, isCutThen } = disruption;
      for (const proxy of proxies(line)) proxy.stall(direction, ms, isCutThen);
      return;
    }
    default:
      disruption satisfies never;
  }
}
