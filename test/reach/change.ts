/**
 * Two people chat, and then a network changes. Says how long it took until that was noticed and told, until the other one
 * heard of it, and until a text that each wrote at once has arrived, in ms; and whether a link was lost. Where one of these
 * does not come, it says which, and all that both have said.
 * For a namespace of its own: `in-lab.ts`.
 */
import { Lab } from "./lab.ts";
import { People, type Line, type Person } from "./people.ts";

/** Longer than the client takes for a pause (`SLEPT`), in ms. */
const SLEEP = 11_000;
/** When what has not come is given up, in ms: before the test that waits for this program is. */
const PATIENCE = 50_000;

const [change = ""] = process.argv.slice(2);
let since = Date.now();
/** What is waited for. */
const missing = new Set(["both online"]);
const people = new Map<string, Person>();

setTimeout(() => {
  const said = [...people].flatMap(([name, { lines }]) => lines.map((line) => ({ name, ...line })));
  console.error(`${change}: missing after ${Date.now() - since} ms: ${[...missing].join(", ")}`);
  for (const { at, ...rest } of said.sort((one, other) => one.at - other.at))
    console.error(at - since, JSON.stringify(rest));
  process.exit(1);
}, PATIENCE);

const lab = Lab.of(["cone", "cone"]);
const { ana, benito } = await (await People.at(lab)).start();
people.set("ana", ana).set("benito", benito);
missing.clear();
ana.tell("open");
benito.tell("open");
ana.tell("write before");
await first("the text before", benito, ({ text }) => text === "before");

since = Date.now();
switch (change) {
  case "network":
    lab.changeNetwork();
    break;
  case "address":
    lab.renumber();
    break;
  case "vpn":
    lab.setVpn(true);
    break;
  case "sleep":
    benito.signal("SIGSTOP");
    lab.renumber();
    await Bun.sleep(SLEEP);
    since = Date.now();
    benito.signal("SIGCONT");
    break;
  default:
    throw new Error(`no such change: ${change}`);
}
const [changed, other] = change === "network" ? [ana, benito] : [benito, ana];

async function first(what: string, person: Person, isMeant: (line: Line) => boolean): Promise<Line> {
  missing.add(what);
  const line = await person.until(isMeant);
  missing.delete(what);
  return line;
}

/** How long after the change the person said the first line that is meant. */
async function after(what: string, person: Person, isMeant: (line: Line) => boolean): Promise<number> {
  return (await first(what, person, (line) => line.at >= since && isMeant(line))).at - since;
}

ana.tell("write a");
benito.tell("write b");
const [told, moved, fromAna, fromBenito] = await Promise.all([
  after("told", changed, (line) => line.told === "reach"),
  after("moved", other, (line) => line.told === "moved"),
  after("fromAna", benito, ({ text }) => text === "a"),
  after("fromBenito", ana, ({ text }) => text === "b"),
]);
if (change === "vpn") {
  lab.setVpn(false);
  await first("the end of the VPN", benito, (line) => line.told === "reach" && line.at > since + told);
}
const result = {
  change,
  told,
  moved,
  fromAna,
  fromBenito,
  lost: [ana, benito].some(({ lines }) => lines.some(({ link }) => link === "disconnected")),
};
console.log(JSON.stringify(result));
process.exit(0);
