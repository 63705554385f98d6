/**
 * Reaches a server and says how it is trusted, as one line of JSON:
 * contact-process.ts FOLDER PORT [EXPECTED_FINGERPRINT]
 * A process of its own, because Bun reads NODE_EXTRA_CA_CERTS at its start.
 */
import { reachServer } from "../../src/client/rendezvous/reach-server.ts";
import { ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { authorityFingerprint } from "../../src/client/rendezvous/trust.ts";
import { ServerError } from "../../src/client/rendezvous/server-errors.ts";

const [folder = "", port = "", expectedFingerprint] = process.argv.slice(2);
const servers = new ServerStore(folder);
try {
  const { link, authority } = await reachServer({
    host: "localhost",
    port: Number(port),
    servers,
    expectedFingerprint,
    confirm: undefined,
    now: Date.now,
    events: {
      presence: () => undefined,
      revoked: () => undefined,
      notified: () => undefined,
      closed: () => undefined,
    },
  });
  link.close("done");
  const stored = servers.get("localhost", Number(port));
  const storedAuthority =
    stored?.authority === undefined ? undefined : authorityFingerprint(stored.authority);
  console.log(
    JSON.stringify({ kind: stored?.kind, authority: authorityFingerprint(authority), storedAuthority }),
  );
} catch (error) {
  if (!(error instanceof ServerError)) throw error;
  const { code, expected, found } = error;
  console.log(JSON.stringify({ code, expected, found }));
} finally {
  servers.close();
}
