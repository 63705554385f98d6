/**
 * Two people in a network namespace without a default route: they were acquainted at a server that has gone, and one of
 * them comes back at another port. Prints that a message arrives there.
 */
import { Company, until } from "./messenger-pair.ts";

const company = await Company.meet();
const ana = await company.person("ana", { lan: true });
const before = await company.person("bob", { lan: true });
ana.messenger.send("bob", "from ana");
before.messenger.send("ana", "from bob");
await until(() => ana.received("bob") === 1 && before.received("ana") === 1);
await company.stopServer();
await before.close();

const bob = await company.person("bob", { offline: true, lan: true });
if (bob.port === before.port) throw new Error("the port is the same");
await bob.account.connect().catch(() => undefined);
ana.messenger.send("bob", "are you near?");
await until(() => ana.received("bob") === 2);
console.log(bob.texts("ana").at(-1));
await company.close();
