/**
 * What two friends who chat notice of 500 strangers who do their worst at the port of one of them for a minute. She, the
 * friend with the server, and the strangers are a process each.
 */
import { Database } from "bun:sqlite";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { Company, until, type Person } from "../integration/messenger-pair.ts";
import { besiege } from "../integration/strangers.ts";
import { percentile, type Report } from "./figures.ts";
import { startReceiver } from "./people.ts";
import { cpuSeconds } from "./server-program.ts";

const STRANGERS = 500;
const DURATION = 60_000;
/** How often a line is written, in ms. */
const LINE_INTERVAL = 50;
const MEBIBYTE = 1024 * 1024;

/** Resident memory of a process, in MiB; NaN where there is no `/proc`. */
function memoryOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
  } catch {
    return Number.NaN;
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** How long a line took until ana had stored it, answered it, and her answer was stored here, in ms. */
async function chat(bob: Person, isOver: () => boolean): Promise<number[]> {
  const trips: number[] = [];
  while (!isOver()) {
    const text = `line ${bob.texts().length}`;
    const begin = performance.now();
    bob.messenger.outbox.send("ana", text);
    await until(() => bob.texts().at(-1) === text);
    trips.push(performance.now() - begin);
    await Bun.sleep(begin + LINE_INTERVAL - performance.now());
  }
  return trips;
}

async function chatDuring(bob: Person, work: Promise<unknown>): Promise<number[]> {
  let isOver = false;
  void work.then(() => (isOver = true));
  return chat(bob, () => isOver);
}

export async function benchStrangers(report: Report): Promise<void> {
  const company = await Company.meet();
  const { port } = company;
  const dataFolder = join(company.folder, "ana");
  await company.addAccount("ana");
  const ana = await startReceiver({ user: "ana", port, dataFolder, answers: true }, "bob");
  try {
    const bob = await company.person("bob", { who: "requests" });
    bob.accept("ana");
    const size = () => filesIn(dataFolder).reduce((sum, path) => sum + statSync(path).size, 0) / MEBIBYTE;
    const alone = await chatDuring(bob, Bun.sleep(DURATION / 6));
    const [memory, disk, cpu] = [memoryOf(ana.pid), size(), cpuSeconds(ana.pid)];
    const attack = besiege(
      company,
      { port: ana.p2pPorts[0] ?? 0, strangers: STRANGERS, duration: DURATION },
      true,
    );
    const beside = await chatDuring(bob, attack);
    const [grown, stored, worked] = [memoryOf(ana.pid) - memory, size() - disk, cpuSeconds(ana.pid) - cpu];
    for (const [part, share] of [
      ["median", 0.5],
      ["95th percentile", 0.95],
      ["99th percentile", 0.99],
      ["longest", 1],
    ] as const) {
      report({
        name: `a line and its answer beside ${STRANGERS} strangers, ${part} (bare: alone)`,
        unit: "ms",
        ours: percentile(beside, share),
        bare: percentile(alone, share),
      });
    }
    report({ name: "lines and answers (bare: alone)", unit: "", ours: beside.length, bare: alone.length });
    report({ name: "memory of the person whom they are at", unit: "MiB more", ours: grown });
    report({ name: "files of that person", unit: "MiB more", ours: stored });
    report({ name: "computing of that person", unit: "s", ours: worked });
    const { came, greeted } = await attack;
    report({ name: "strangers who came", unit: "", ours: came });
    report({ name: "strangers who were greeted", unit: "", ours: greeted });
    const [profile] = filesIn(dataFolder).filter((path) => path.endsWith("profile.db"));
    const database = new Database(profile, { readonly: true });
    const count = database.query<{ count: number }, []>("SELECT count(*) AS count FROM requests").get();
    report({ name: "requests", unit: "", ours: count?.count ?? Number.NaN });
    database.close();
  } finally {
    await ana.stop();
    await company.close();
  }
}
