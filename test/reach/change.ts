/**
 * Two people chat, and then a network changes. Says how long it took until that was noticed and told, until the other one
 * heard of it, and until a text that each wrote at once has arrived, in ms; and whether a link was lost.
 * For a namespace of its own: `in-lab.ts`.
 */
import { Lab } from "./lab.ts";
import { People, type Person } from "./people.ts";

/** Longer than the client takes for a pause (`SLEPT`), in ms. */
const SLEEP = 11_000;

const [change = ""] = process.argv.slice(2);
const lab = Lab.of(["cone", "cone"]);
const { ana, benito } = await (await People.at(lab)).start();
ana.tell("open");
benito.tell("open");
ana.tell("write before");
await benito.until(({ text }) => text === "before");

let since = Date.now();
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

/** How long after the change the person said the first line that is meant. */
async function after(person: Person, isMeant: Parameters<Person["until"]>[0]): Promise<number> {
  return (await person.until((line) => line.at >= since && isMeant(line))).at - since;
}

ana.tell("write a");
benito.tell("write b");
const [told, moved, fromAna, fromBenito] = await Promise.all([
  after(changed, (line) => line.told === "reach"),
  after(other, (line) => line.told === "moved"),
  after(benito, ({ text }) => text === "a"),
  after(ana, ({ text }) => text === "b"),
]);
if (change === "vpn") {
  lab.setVpn(false);
  await benito.until((line) => line.told === "reach" && line.at > since + told);
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
