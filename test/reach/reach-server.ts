/** The server of a laboratory: says its port, and runs until it is killed. */
import { openDatabase } from "../../src/server/database/database.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { createLog } from "../../src/server/log/log.ts";
import { startServer } from "../../src/server/rendezvous-server.ts";
import { SqliteStore } from "../../src/server/store/sqlite-store.ts";

const [path = "", hosts = ""] = process.argv.slice(2);
const server = await startServer({
  store: new SqliteStore(await openDatabase(path), { now: Date.now }),
  host: undefined,
  port: 0,
  plainFrom: "none",
  tlsPort: 0,
  identity: undefined,
  log: createLog("json", Date.now, () => undefined),
  now: Date.now,
  meeting: { port: 0, isAsked: true, hosts: hosts.split(","), relay: DEFAULT_RELAY_LIMITS },
});
console.log(server.tls.port);
