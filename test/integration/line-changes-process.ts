/**
 * In a network namespace of its own: a server, and a person whose machine gets another address. Says
 * «noticed» when the person has told the server by a new login. Ends with 77 where addresses cannot be
 * changed.
 */
import { Company, until } from "./messenger-pair.ts";

function ip(...args: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["ip", ...args]);
  if (exitCode === 0) return;
  console.error(stderr.toString());
  process.exit(77);
}

ip("link", "set", "lo", "up");
ip("link", "add", "line", "type", "veth", "peer", "name", "other");
ip("link", "set", "other", "up");
ip("link", "set", "line", "up");
ip("addr", "add", "10.77.0.1/24", "dev", "line");
const company = await Company.meet();
const ana = await company.person("ana", { trace: true });
ana.messenger.rendezvous.keepOnline();
const logins = () => ana.of("wire").filter(({ message }) => message["action"] === "login_response").length;
await until(() => logins() === 1);
ip("addr", "add", "10.77.0.2/24", "dev", "line");
await until(() => logins() === 2);
ip("addr", "del", "10.77.0.1/24", "dev", "line");
await until(() => logins() >= 3);
await company.close();
console.log("noticed");
