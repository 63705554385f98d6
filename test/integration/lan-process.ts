/**
 * Two people in a network namespace without a default route: they were acquainted at a server that has gone, and one of
 * them comes back at another port. Prints that a message arrives there. Of somebody who is hidden nothing is heard.
 */
import { join } from "node:path";

import { label } from "../../src/identity/names.ts";
import {
  BEACON_GROUPS,
  BEACON_PORT,
  isOf,
  readBeacon,
  type Beacon,
} from "../../src/client/reach/lan/beacon.ts";
import { Multicast } from "../../src/net/datagrams.ts";
import { ClientProcess } from "./cli-process.ts";
import { Company, until } from "./messenger-pair.ts";

const company = await Company.meet();
const heard: Beacon[] = [];
const ear = await Multicast.open("IPv4", BEACON_PORT, (datagram) => {
  const beacon = readBeacon(datagram);
  if (beacon !== undefined) heard.push(beacon);
});
ear.join(BEACON_GROUPS.IPv4, "192.168.77.1");
await company.person("carla", { lan: true, relay: "only" });
const ana = await company.person("ana", { lan: true });
const before = await company.person("bob", { lan: true });
ana.messenger.outbox.send("bob", "from ana");
before.messenger.outbox.send("ana", "from bob");
await until(() => ana.received("bob") === 1 && before.received("ana") === 1);
await company.stopServer();
await before.close();

const bob = await company.person("bob", { offline: true, lan: true });
if (bob.port === before.port) throw new Error("the port is the same");
await bob.account.connect().catch(() => undefined);
ana.messenger.outbox.send("bob", "are you near?");
await until(() => ana.received("bob") === 2);
console.log(bob.texts("ana").at(-1));

// A command waits until somebody can be heard.
await bob.close();
await ana.close();
const sending = new ClientProcess({
  args: ["send", "bob", "and now?", "--user", "ana", "--data", join(company.folder, label("ana"))],
  environment: { PALOMA_SERVER: `127.0.0.1:${company.port}`, PALOMA_LAN: "on", PALOMA_LANG: "en" },
});
await sending.says("waiting for bob to appear on the local network");
const back = await company.person("bob", { offline: true, lan: true });
await back.account.connect().catch(() => undefined);
console.log((await sending.ended).code, back.texts("ana").at(-1));
for (const [name, isHeard] of [
  ["carla", false],
  ["bob", true],
] as const)
  if (heard.some((beacon) => isOf(label(name), beacon)) !== isHeard)
    throw new Error(`heard ${name}: ${!isHeard}`);
ear.close();
await company.close();
