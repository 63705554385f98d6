/** A rendezvous server in this process whose store is a PostgreSQL database, perhaps one of several. */
import { RENDEZVOUS_DNS_NAME } from "../../src/identity/certificate-reader.ts";
import { fold } from "../../src/identity/names.ts";
import { createLog } from "../../src/server/log/log.ts";
import { startServer, type RendezvousServer } from "../../src/server/rendezvous-server.ts";
import { DEFAULT_RELAY_LIMITS } from "../../src/server/limits/limits.ts";
import { SharedClock } from "../../src/server/shared/shared-clock.ts";
import { PostgresStore } from "../../src/server/store/postgres-store.ts";
import type { Store } from "../../src/server/store/store.ts";
import { cheapHash } from "../integration/cheap-hash.ts";
import {
  loginOf,
  newPublicKey,
  PASSWORD,
  TestClient,
  type Message,
} from "../integration/rendezvous-test-client.ts";
import { TEST_TIMES, until } from "./seats-node.ts";

export class PostgresServer {
  readonly server: RendezvousServer;
  readonly log: string[];

  private constructor(server: RendezvousServer, log: string[]) {
    this.server = server;
    this.log = log;
  }

  /** @param shared the URL of the Valkey that it shares with others. @param wrap what it uses in the place of its store */
  static async start(
    url: string,
    shared?: string,
    wrap = (store: Store): Store => store,
  ): Promise<PostgresServer> {
    const lines: string[] = [];
    const log = createLog("json", Date.now, (line) => lines.push(line));
    const clock = new SharedClock(Date.now);
    const now = () => clock.now();
    const store = await PostgresStore.open(url, { now, replaced: () => log.warn("replaced") });
    const server = await startServer({
      store: wrap(store),
      shared: shared === undefined ? undefined : { url: shared, name: "node", clock, times: TEST_TIMES },
      meeting: { port: 0, isAsked: true, hosts: ["127.0.0.1"], relay: DEFAULT_RELAY_LIMITS },
      host: "127.0.0.1",
      port: 0,
      plainFrom: "none",
      tlsPort: 0,
      identity: undefined,
      log,
      now,
    });
    if (shared !== undefined) await until(() => server.services.shared?.isReady === true);
    return new PostgresServer(server, lines);
  }

  tls(): Promise<TestClient> {
    const { authority } = this.server.services.store;
    return TestClient.connect(this.server.tls.port, {
      tls: { ca: authority.certificate, serverName: RENDEZVOUS_DNS_NAME },
    });
  }

  /** An account with `PASSWORD`. */
  async add(name: string): Promise<void> {
    const { store } = this.server.services;
    await store.add({ username: name, password: await cheapHash(PASSWORD), email: "" });
  }

  /** A client that is logged in with a key of its own; its account is made where there is none. */
  async online(name: string): Promise<{ client: TestClient; login: Message; key: string }> {
    if ((await this.server.services.store.account(fold(name))) === undefined) await this.add(name);
    const client = await this.tls();
    const key = newPublicKey();
    const login = await client.ask(loginOf(name, { public_key: key }));
    if (login["success"] !== true) throw new Error(JSON.stringify(login));
    return { client, login, key };
  }

  isOnline(name: string): boolean {
    return this.server.services.presence.find(name) !== undefined;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
