/**
 * Two people have met at a server; then there is no server and no way out of their local network, and both begin anew. Says
 * at which address they have found each other, and how long that took after the start, in ms.
 * For a namespace of its own: `in-lab.ts`.
 */
import { Lab } from "./lab.ts";
import { People } from "./people.ts";

const family = process.argv[2] === "6" ? 6 : 4;
const lab = Lab.of("same");
const people = await People.at(lab, true);
const before = await people.start();
before.ana.tell("write met");
await before.benito.until(({ text }) => text === "met");
await Promise.all([before.ana.end(), before.benito.end(), people.endServer()]);
lab.cutOff(family);

const { ana, benito } = await people.start();
const since = Date.now();
ana.tell("write near");
const near = await benito.until(({ text }) => text === "near");
benito.tell("write here");
await ana.until(({ text }) => text === "here");
const { address } = await ana.until(({ link }) => link === "connected");
console.log(JSON.stringify({ address, way: near.way, ms: near.at - since }));
process.exit(0);
