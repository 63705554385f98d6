/**
 * Runs one pair of networks in a laboratory: a writes to b. Says by which way the text arrived, and how long it took, in
 * ms. `moving`: behind one NAT, which isolates them first, and then no more.
 * For a namespace of its own: `in-lab.ts`.
 */
import { Lab, type Kind } from "./lab.ts";
import { People } from "./people.ts";

const [pair = ""] = process.argv.slice(2);
const kinds = pair.split(":") as Kind[];
const [one, other] = kinds;
const lab = Lab.of(
  one !== undefined && other !== undefined ? [one, other] : pair === "same" ? "same" : "isolated",
);
const people = await People.at(lab, kinds.includes("upnp"));
const { ana, benito } = await people.start();
if (other === "upnp") await benito.until(({ isMapped }) => isMapped === true);
const since = Date.now();
ana.tell("write first");
const first = await benito.until(({ text }) => text === "first");
let way = String(first.way);
if (pair === "moving") {
  lab.unite();
  const writing = setInterval(() => ana.tell("write again"), 500);
  const moved = await benito.until((line) => line.way === "direct");
  clearInterval(writing);
  way += `, then ${moved.way}`;
}
console.log(JSON.stringify({ pair, way, ms: first.at - since }));
process.exit(0);
