/**
 * `bun run bench [framing|server|client|history|sharing|strangers|reach|files|growth|groups|directory|cluster …]`: figures of this machine, each beside the same work without our
 * program. They are printed and never asserted.
 */
import { benchClient } from "./client.bench.ts";
import { benchDirectory } from "./directory.bench.ts";
import { benchCluster } from "./cluster.bench.ts";
import { printFigure, printHead, type Report } from "./figures.ts";
import { benchFiles } from "./files.bench.ts";
import { benchFraming } from "./framing.bench.ts";
import { benchGrowth } from "./growth.bench.ts";
import { benchGroups } from "./groups.bench.ts";
import { benchHistory } from "./history.bench.ts";
import { benchReach } from "./reach.bench.ts";
import { benchServer } from "./server.bench.ts";
import { benchSharing } from "./sharing.bench.ts";
import { benchStrangers } from "./strangers.bench.ts";

const PARTS: ReadonlyMap<string, (report: Report) => void | Promise<void>> = new Map([
  ["framing", benchFraming],
  ["server", benchServer],
  ["client", benchClient],
  ["history", benchHistory],
  ["sharing", benchSharing],
  ["strangers", benchStrangers],
  ["reach", benchReach],
  ["files", benchFiles],
  ["growth", benchGrowth],
  ["groups", benchGroups],
  ["cluster", benchCluster],
  ["directory", benchDirectory],
]);

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !PARTS.has(name));
if (unknown !== undefined) {
  console.error(`no such part: ${unknown} (${[...PARTS.keys()].join(", ")})`);
  process.exit(2);
}
for (const [name, run] of PARTS) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  printHead(name);
  await run(printFigure);
}
// What a part has left open keeps nobody waiting.
process.exit(0);
