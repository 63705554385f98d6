/** What two friends who chat notice of 500 strangers who do their worst at the port of one of them for a minute. */
import { Company } from "../integration/messenger-pair.ts";
import { besiege } from "../integration/strangers.ts";
import { percentile, type Report } from "./figures.ts";

const STRANGERS = 500;
const DURATION = 60_000;
const MEBIBYTE = 1024 * 1024;

export async function benchStrangers(report: Report): Promise<void> {
  const company = await Company.meet();
  try {
    const ana = await company.person("ana", { who: "requests" });
    const bob = await company.person("bob", { who: "requests" });
    ana.accept("bob");
    bob.accept("ana");
    const alone = await besiege(company, [ana, bob], { strangers: 0, duration: DURATION / 10 });
    const memory = process.memoryUsage.rss();
    const beside = await besiege(company, [ana, bob], { strangers: STRANGERS, duration: DURATION });
    for (const [part, share] of [
      ["median", 0.5],
      ["99th percentile", 0.99],
    ] as const) {
      report({
        name: `acknowledged text beside 500 strangers, ${part} (bare: alone)`,
        unit: "ms",
        ours: percentile(beside.trips, share),
        bare: percentile(alone.trips, share),
      });
    }
    const grown = (process.memoryUsage.rss() - memory) / MEBIBYTE;
    report({ name: "memory of all beside the strangers", unit: "MiB more", ours: grown });
    report({ name: "strangers who came", unit: "", ours: beside.came });
    report({ name: "strangers who were greeted", unit: "", ours: beside.greeted });
    report({ name: "requests", unit: "", ours: ana.profile.consents.requests().length });
  } finally {
    await company.close();
  }
}
