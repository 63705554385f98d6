/**
 * One cell of the grid: in networks of two kinds, with distances, a asks for b several times. Says by which ways b was
 * reached, and how long each took from asking to the first text, in ms.
 * For a namespace of its own: `in-lab.ts`.
 */
import { Lab, type Kind } from "./lab.ts";
import { People } from "./people.ts";

/** When b counts as not reached, in ms. */
const PATIENCE = 20_000;
/** Between two runs, in ms: clients dial somebody eight times in ten seconds, and meet them six times in a minute. */
const PAUSE = 2_500;

const [one, other, runs = "1", loss = "0"] = process.argv.slice(2) as [Kind, Kind, string?, string?];
const lab = Lab.of([one, other], { delays: { s: 5, a: 10, b: 15 }, loss: Number(loss) });
const { ana, benito } = await (await People.at(lab, [one, other].includes("upnp"))).start();
if (one === "upnp") await ana.until(({ isMapped }) => isMapped === true);
if (other === "upnp") await benito.until(({ isMapped }) => isMapped === true);
const taken: { way: string; ms: number }[] = [];
for (let run = 0; run < Number(runs); run++) {
  const since = Date.now();
  ana.tell("open");
  ana.tell(`write ${run}`);
  const arrived = benito.until(({ text }) => text === String(run));
  const first = await Promise.race([arrived, Bun.sleep(PATIENCE)]);
  // Whoever is behind a firewall has dialled.
  const isReversed = first?.way === "direct" && other !== "open";
  taken.push({ way: isReversed ? "reversed" : (first?.way ?? "none"), ms: (first?.at ?? Infinity) - since });
  if (first === undefined || run === Number(runs) - 1) break;
  // Otherwise the link is still wanted.
  await ana.until(({ isReceived, at }) => isReceived === true && at >= since);
  ana.tell("close");
  const ended = ({ link, at }: { link?: string; at: number }) => link === "disconnected" && at >= first.at;
  await Promise.all([ana.until(ended), benito.until(ended)]);
  await Bun.sleep(PAUSE);
}
console.log(JSON.stringify(taken));
process.exit(0);
