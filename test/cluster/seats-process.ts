/**
 * A node that can be killed and suspended: `seats-process.ts URL PREFIX COUNT` brings so many people online, says `ready`,
 * and then a line of each session that is replaced.
 */
import { FakeUser } from "../server/presence/fake-users.ts";
import { SeatsNode } from "./seats-node.ts";

const [url = "", prefix = "", count = "0"] = process.argv.slice(2);
const node = new SeatsNode(url);
await node.ready();
const users = Array.from(
  { length: Number(count) },
  (_, index) => new FakeUser(node.seats, `${prefix}${index}`),
);
for (const user of users) user.onReplaced = () => console.log(`replaced ${user.user.fold}`);
const taken = await Promise.all(users.map((user) => user.take()));
if (taken.some((each) => each !== "ok")) throw new Error(`not all could enter: ${taken.join(" ")}`);
console.log("ready");
setInterval(() => console.log(`entered ${node.seats.counts.reentered}`), 200);
