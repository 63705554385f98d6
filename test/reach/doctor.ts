/** Runs a pair of networks in a laboratory, and says what doctor says of each. For a namespace of its own: `in-lab.ts`. */
import { Lab, type Kind } from "./lab.ts";
import { People } from "./people.ts";

const [one, other] = (process.argv[2] ?? "").split(":") as [Kind, Kind];
const people = await People.at(Lab.of([one, other]), true);
const both = Object.values(await people.start());
for (const person of both) person.tell("doctor");
const said = await Promise.all(both.map((person) => person.until(({ report }) => report !== undefined)));
console.log(JSON.stringify(said.map(({ report }) => report)));
process.exit(0);
