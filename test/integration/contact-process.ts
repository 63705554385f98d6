/**
 * Reaches the server of each line of standard input, and says how it is trusted; both are JSON. A process of its own,
 * because Bun reads NODE_EXTRA_CA_CERTS at its start.
 */
import { reachServer } from "../../src/client/rendezvous/reach-server.ts";
import { ServerStore } from "../../src/client/rendezvous/trust-store.ts";
import { authorityFingerprint } from "../../src/client/rendezvous/trust.ts";
import { ServerError } from "../../src/client/rendezvous/server-errors.ts";

/** A server, and the folder of the store. */
export type Contact = {
  readonly folder: string;
  readonly port: number;
  readonly expectedFingerprint?: string | undefined;
};

async function reach({ folder, port, expectedFingerprint }: Contact): Promise<object> {
  const servers = new ServerStore(folder);
  try {
    const { link, authority } = await reachServer({
      host: "localhost",
      port,
      servers,
      expectedFingerprint,
      confirm: undefined,
      now: Date.now,
      events: {
        presence: () => undefined,
        reach: () => undefined,
        revoked: () => undefined,
        notified: () => undefined,
        closed: () => undefined,
      },
    });
    link.close("done");
    const stored = servers.get("localhost", port);
    const storedAuthority =
      stored?.authority === undefined ? undefined : authorityFingerprint(stored.authority);
    return { kind: stored?.kind, authority: authorityFingerprint(authority), storedAuthority };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const { code, expected, found } = error;
    return { code, expected, found };
  } finally {
    servers.close();
  }
}

for await (const line of console) {
  // The end.
  if (line === "") break;
  console.log(JSON.stringify(await reach(JSON.parse(line) as Contact)));
}
